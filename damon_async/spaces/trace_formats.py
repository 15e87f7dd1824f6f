"""
The trace formats, as a table: how each is recognised, read and timed.

A reader turns a file into chunks of touches, never holding more than one block
of text. The table is data, so that help texts, detection and documentation are
made from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ..arrays import IntArray
from ..errors import InputFileError
from .trace_text import Fields, TextBlock, bad_line, split_fields, text_blocks

SECTOR_BYTES = 512
"""What a logical block number of a block trace counts."""

LARGEST_TOUCH = 1 << 32
"""Bytes; a longer access is a damaged line, not an access."""

LARGEST_PAGE = (1 << 32) - 1
"""Highest page number of a trace of pages; every page size then fits in int64."""


class Touches(NamedTuple):
    """
    A chunk of accesses in the order of the trace.

    Arrays are int64, shape (nr_touches,).
    """

    clock: IntArray
    """When, in the units of the trace's own clock; never falling."""

    address: IntArray
    """First byte touched; of a trace of page numbers, the page."""

    size: IntArray
    """Bytes touched from there; 0 touches nothing."""


Reader = Callable[[Iterable[TextBlock]], Iterator[Touches]]
"""Text in; chunks of touches out, as a generator."""


@dataclass(frozen=True, slots=True)
class TraceForm:
    """
    One trace format.

    Attributes:
        description: What it is, for help texts.

        line: What a line looks like, for error messages.

        read: Turns a file into touches.

        unit: What its clock counts, in the plural.

        per_second: Clock units per second of real time; None for a logical
            clock, which says in what order things happened but not how fast.

        pattern: Matches a line of this format and of no other.

        suffix: Ending of a file name that suggests the format.

        has_pages: Whether it names pages, whatever their size, and not bytes.
    """

    description: str
    line: str
    read: Reader
    unit: str
    per_second: int | None
    pattern: re.Pattern[bytes]
    suffix: str
    has_pages: bool = False


def _fields(
    blocks: Iterable[TextBlock], line: str, widths: tuple[int, ...], skip: bytes = b"#"
) -> Iterator[Fields]:
    for block in blocks:
        fields = split_fields(block, widths, line, skip=skip)
        # An empty block has no last clock, so readers never see one.
        if len(fields.lines):
            # What the first line decided holds for the whole file.
            widths = fields.starts.shape[1:]
            yield fields


def read_address(blocks: Iterable[TextBlock]) -> Iterator[Touches]:
    """
    Read ``l|s 0xADDRESS GAP`` lines: a load or a store, an address, a gap.

    The gap is the number of instructions since the access before; the clock is
    its running sum. How many bytes were accessed is not told: one.
    """
    clock = 0
    for fields in _fields(blocks, _ADDRESS_LINE, (3,)):
        _check_kind(fields, b"ls")
        ticks = clock + np.cumsum(fields.numbers(2))
        address = fields.numbers(1, base=16, prefix=b"0x")
        _check_time(fields, ticks, clock)
        yield Touches(ticks, address, np.ones_like(address))
        clock = int(ticks[-1])


def read_lackey(blocks: Iterable[TextBlock]) -> Iterator[Touches]:
    """
    Read what ``valgrind --tool=lackey --trace-mem=yes`` prints.

    Each ``I`` line is one instruction: the clock ticks, and the page that holds
    its code is touched. Loads, stores and modifications belong to the
    instruction before them. Valgrind's own lines (``==pid==``) are skipped.
    """
    clock = 0
    for fields in _fields(blocks, _LACKEY_LINE, (3,), skip=b"=-#"):
        _check_kind(fields, b"ILSM")
        # Data before the first instruction, in a trace that was cut out of a
        # longer one, get tick 0.
        ticks = clock + np.cumsum(fields.first_bytes(0) == ord("I"))
        address, size = fields.numbers(1, base=16), fields.numbers(2)
        _check_size(fields, address, size)
        yield Touches(ticks, address, size)
        clock = int(ticks[-1])


def read_block(blocks: Iterable[TextBlock]) -> Iterator[Touches]:
    """
    Read ``version,time,op,size,lbn`` lines: the requests a disk was sent.

    Time is in seconds, the size in bytes, the first block in 512-byte sectors.
    The disk is the address space: a request touches every page it overlaps.
    Reads and writes count alike.
    """
    clock = 0
    # The header line begins with the word "version".
    for fields in _fields(blocks, _BLOCK_LINE, (5,), skip=b"#v"):
        ticks, sector = fields.seconds(1), fields.numbers(4)
        _check_time(fields, ticks, clock)
        # Checked before it is multiplied: the product would wrap silently.
        fields.check(sector < 2**63 // SECTOR_BYTES)
        address, size = sector * SECTOR_BYTES, fields.numbers(3)
        _check_size(fields, address, size)
        yield Touches(ticks, address, size)
        clock = int(ticks[-1])


def read_ids(blocks: Iterable[TextBlock]) -> Iterator[Touches]:
    """
    Read one page number per line, or ``TIME ID``.

    Without times the clock counts lines. The unit of given times is not known,
    only their order and distances.
    """
    clock = 0
    for fields in _fields(blocks, _IDS_LINE, (1, 2)):
        nr_rows, width = fields.starts.shape
        timed = width == 2
        # Counted from 1, as if a request took a unit that ends with it.
        ticks = fields.numbers(0) if timed else clock + np.arange(1, nr_rows + 1)
        _check_time(fields, ticks, clock)
        pages = fields.numbers(width - 1)
        fields.check(pages <= LARGEST_PAGE)
        yield Touches(ticks, pages, np.ones_like(pages))
        clock = int(ticks[-1])


def _check_kind(fields: Fields, kinds: bytes) -> None:
    # Kinds are single letters; a longer word may begin with one of them.
    fields.check(fields.ends[:, 0] - fields.starts[:, 0] == 1)
    fields.check(np.isin(fields.first_bytes(0), list(kinds)))


def _check_time(fields: Fields, ticks: IntArray, clock: int) -> None:
    # Compared and not subtracted: a sum beyond int64 turns negative, and the
    # difference of such numbers would turn back.
    fields.check(ticks >= np.append(clock, ticks[:-1]))


def _check_size(fields: Fields, address: IntArray, size: IntArray) -> None:
    # The end of the access must fit too; sizes are small enough to subtract.
    fields.check(size <= LARGEST_TOUCH)
    fields.check(address <= 2**63 - 1 - size)


def read_requests(blocks: Iterable[TextBlock]) -> Iterator[Touches]:
    """
    Read JSON lines with ``timestamp`` (ms) and ``hash_ids``, a list of numbers.

    Each number names one block of a prompt's tokens; blocks are pages.
    """
    clock = 0
    for block in blocks:
        stamps: list[int] = []
        pages: list[int] = []
        for number, line in enumerate(block.text.splitlines(), block.first_line):
            if not line.strip():
                continue
            stamp, ids = _request(block, line, number)
            if stamp < clock:
                raise bad_line(block.path, line, _REQUESTS_LINE, number)
            clock = stamp
            # Lists, because how many blocks a prompt has is known only now.
            stamps += [stamp] * len(ids)
            pages += ids
        address = np.array(pages, dtype=np.int64)
        yield Touches(np.array(stamps, dtype=np.int64), address, np.ones_like(address))


def _request(block: TextBlock, line: bytes, number: int) -> tuple[int, list[int]]:
    try:
        entry = json.loads(line)
        stamp, ids = entry["timestamp"], entry["hash_ids"]
        if min([stamp, *ids]) >= 0 and max(ids, default=0) <= LARGEST_PAGE and stamp < 2**53:
            # A fraction of a millisecond is cut off; a text fails in min().
            return int(stamp), [int(i) for i in ids]
    except (ValueError, LookupError, TypeError):
        pass
    raise bad_line(block.path, line, _REQUESTS_LINE, number)


_ADDRESS_LINE = "l|s 0xADDRESS GAP"
_LACKEY_LINE = "I|L|S|M ADDRESS,SIZE"
_BLOCK_LINE = "version,time,op,size,lbn"
_IDS_LINE = "[TIME] ID"
_REQUESTS_LINE = '{"timestamp": MS, "hash_ids": [ID, ...]}'

TRACE_FORMS: Mapping[str, TraceForm] = MappingProxyType(
    {
        "address": TraceForm(
            "loads and stores of a program",
            _ADDRESS_LINE,
            read_address,
            "instructions",
            None,
            re.compile(rb"[ls]\s+0x[0-9a-fA-F]+\s+\d+\s*"),
            ".trace",
        ),
        "lackey": TraceForm(
            "output of valgrind --tool=lackey --trace-mem=yes",
            _LACKEY_LINE,
            read_lackey,
            "instructions",
            None,
            re.compile(rb"(I | L| S| M)\s+[0-9a-fA-F]+,\d+\s*"),
            ".lackey",
        ),
        "block": TraceForm(
            "requests to a disk, as csv",
            _BLOCK_LINE,
            read_block,
            "microseconds",
            1_000_000,
            re.compile(rb"version,time,op,size,lbn\s*|\d+,[\d.]+,\w+,\d+,\d+\s*"),
            ".csv",
        ),
        "ids": TraceForm(
            "one page number per line, times optional",
            _IDS_LINE,
            read_ids,
            "requests",
            None,
            re.compile(rb"\d+([ \t,]+\d+)?\s*"),
            ".ids",
            has_pages=True,
        ),
        "requests": TraceForm(
            "prompts of a language model and their cached blocks, as JSON lines",
            _REQUESTS_LINE,
            read_requests,
            "milliseconds",
            1_000,
            re.compile(rb'\{.*"hash_ids".*\}\s*'),
            ".jsonl",
            has_pages=True,
        ),
    }
)
"""Every trace format by name."""

_LINES_LOOKED_AT = 20


def detect_form(path: str | Path) -> str | None:
    """
    Tell the format of a trace from its first lines, or else from its name.

    Content decides, because names are chance; a name is asked only when the
    content matches nothing, so that a trace with a bad first line is refused
    with that line and not as something unknown.

    Returns:
        A key of ``TRACE_FORMS``; None if this is no trace that we know.

    Raises:
        InputFileError: If the file cannot be read.
    """
    path = Path(path)
    lines = _first_lines(path)
    # Several lines, because one of numbers only could begin anything.
    for name, form in TRACE_FORMS.items():
        if lines and all(form.pattern.fullmatch(line) for line in lines):
            return name
    suffixes = {form.suffix: name for name, form in TRACE_FORMS.items()}
    return next((suffixes[end] for end in reversed(path.suffixes) if end in suffixes), None)


def _first_lines(path: Path) -> list[bytes]:
    """Return the first lines that a reader would not skip."""
    for block in text_blocks(path):
        lines = (line for line in block.text.splitlines() if line.strip())
        # What any of the readers skips, besides the header that a pattern knows.
        meaningful = (line for line in lines if line[:1] not in b"#=-")
        return list(islice(meaningful, _LINES_LOOKED_AT))
    return []


def read_touches(path: str | Path, form: str, page_size: int) -> Iterator[Touches]:
    """
    Read a trace of a given format.

    Args:
        path: The file, compressed or not.

        form: A key of ``TRACE_FORMS``.

        page_size: Bytes per page, for traces that name pages.

    Raises:
        InputFileError: If the format is not known, or a line is not of it.
    """
    if form not in TRACE_FORMS:
        known = ", ".join(TRACE_FORMS)
        raise InputFileError(path, f"{form!r} is not a trace format; known: {known}")
    scale = page_size if TRACE_FORMS[form].has_pages else 1
    for clock, address, size in TRACE_FORMS[form].read(text_blocks(Path(path))):
        yield Touches(clock, address * scale, size)
