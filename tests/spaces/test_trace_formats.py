from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InputFileError
from damon_async.spaces import trace_text
from damon_async.spaces.trace_formats import (
    LARGEST_PAGE,
    LARGEST_TOUCH,
    TRACE_FORMS,
    detect_form,
    read_touches,
)
from damon_async.spaces.trace_text import TextBlock

Row = tuple[int, int, int]

HERE = Path("some.trace")

LACKEY = """\
==123== Lackey, an example Valgrind tool
==123== Command: /bin/true
==123==
I  0401ab70,3
I  0401ab73,5
 S 1fff000778,8
I  0401b770,1
 L 1fff000770,8
 M 04222c04,4
==123==
--123-- done
"""

EXAMPLES = {
    "address": "s 0x1fffff58 1\nl 0x1fffff60 1\nl 0x1fffff88 6\n",
    "lackey": LACKEY,
    "block": "version,time,op,size,lbn\n1,5633898,2a,512,42932745\n1,5633899,28,6656,40409911\n",
    "ids": "17\n4\n17\n",
    "requests": '{"timestamp": 0, "hash_ids": [0, 1]}\n{"timestamp": 27, "hash_ids": [2]}\n',
}


def rows(form: str, *texts: str) -> list[Row]:
    """Read texts as consecutive blocks of a trace."""
    blocks, line = [], 1
    for text in texts:
        blocks.append(TextBlock(HERE, text.encode(), line))
        line += text.count("\n")
    return [
        row
        for touches in TRACE_FORMS[form].read(blocks)
        for row in zip(*(column.tolist() for column in touches), strict=True)
    ]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_address_lines_count_instructions() -> None:
    """The clock of an address trace is the sum of the gaps, a touch one byte."""
    assert rows("address", EXAMPLES["address"]) == [
        (1, 0x1FFFFF58, 1),
        (2, 0x1FFFFF60, 1),
        (8, 0x1FFFFF88, 1),
    ]


def test_lackey_lines_tick_with_instructions() -> None:
    """Each instruction of lackey ticks and touches its code; data belong to it."""
    assert rows("lackey", LACKEY) == [
        (1, 0x0401AB70, 3),
        (2, 0x0401AB73, 5),
        (2, 0x1FFF000778, 8),
        (3, 0x0401B770, 1),
        (3, 0x1FFF000770, 8),
        (3, 0x04222C04, 4),
    ]


def test_block_lines_are_sectors_in_time() -> None:
    """A request touches all its bytes from its sector on, at its second."""
    assert rows("block", EXAMPLES["block"]) == [
        (5633898_000000, 42932745 * 512, 512),
        (5633899_000000, 40409911 * 512, 6656),
    ]


def test_block_times_may_have_fractions() -> None:
    """Fractions of a second of a block trace are kept."""
    assert rows("block", "1,2.25,28,0,1\n") == [(2_250_000, 512, 0)]


def test_ids_count_lines() -> None:
    """Without times, the clock of an id trace counts lines from 1."""
    assert rows("ids", "17\n\n# note\n4\n") == [(1, 17, 1), (2, 4, 1)]


def test_ids_may_have_times() -> None:
    """With times, the clock of an id trace is theirs."""
    assert rows("ids", "5 17\n5 4\n9,2\n") == [(5, 17, 1), (5, 4, 1), (9, 2, 1)]


def test_requests_touch_all_their_blocks() -> None:
    """A prompt touches the blocks of its tokens at its millisecond."""
    text = EXAMPLES["requests"] + '\n{"timestamp": 30.5, "hash_ids": [], "more": 1}\n'
    assert rows("requests", text) == [(0, 0, 1), (0, 1, 1), (27, 2, 1)]


@pytest.mark.parametrize("form", sorted(EXAMPLES))
def test_blocks_do_not_matter(form: str) -> None:
    """A trace read line by line gives what it gives at once."""
    text = EXAMPLES[form]
    assert rows(form, *text.splitlines(keepends=True)) == rows(form, text)


@given(gaps=st.lists(st.integers(0, 1000), min_size=1), cut=st.integers(0, 100))
def test_the_clock_goes_on_between_blocks(gaps: Sequence[int], cut: int) -> None:
    """Gaps add up over the whole trace."""
    lines = [f"l 0x{n:x} {gap}\n" for n, gap in enumerate(gaps)]
    parts = ["".join(lines[:cut]), "".join(lines[cut:])]
    clocks = [clock for clock, _, _ in rows("address", *filter(None, parts))]
    assert clocks == [sum(gaps[: n + 1]) for n in range(len(gaps))]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("address", "x 0x10 1"),
        ("address", "l 10 1"),
        ("address", "l 0x10"),
        ("address", "ls 0x10 1"),
        ("address", "l 0x8000000000000000 1"),
        ("address", "l 0x10 -1"),
        ("lackey", "I 0401ab70"),
        ("lackey", "X 0401ab70,3"),
        ("lackey", "I  hello,3"),
        ("lackey", " L 04,99999999999"),
        ("lackey", " L 7fffffffffffffff,1"),
        ("block", "1,9000000,2a,512"),
        ("block", "1,0,2a,512,7"),
        ("block", "1,9000000,2a,5e2,7"),
        ("block", "1,9000000,2a,99999999999,7"),
        ("block", "1,9000000,2a,512,99999999999999999"),
        ("ids", "seven"),
        ("ids", "-1"),
        ("ids", str(LARGEST_PAGE + 1)),
        ("ids", "1 2 3"),
        ("requests", "[]"),
        ("requests", "{"),
        ("requests", '{"timestamp": 9}'),
        ("requests", '{"timestamp": "9", "hash_ids": [1]}'),
        ("requests", '{"timestamp": 9, "hash_ids": [-1]}'),
        ("requests", '{"timestamp": 9, "hash_ids": 1}'),
        ("requests", '{"timestamp": 1e300, "hash_ids": [1]}'),
        ("requests", '{"timestamp": NaN, "hash_ids": [1]}'),
    ],
)
def test_a_bad_line_is_shown(form: str, line: str) -> None:
    """A line that is not of the format is shown with its number and what is right."""
    text = EXAMPLES[form]
    number = text.count("\n") + 1
    expected = re.escape(f"{TRACE_FORMS[form].line!r}")
    with pytest.raises(InputFileError, match=rf"line {number}: .* is not of the form {expected}$"):
        rows(form, text + line + "\n")


def test_time_must_not_go_back() -> None:
    """A timestamp before the one before it is an error, between blocks too."""
    with pytest.raises(InputFileError, match="line 3: '4 1' is not of the form"):
        rows("ids", "3 1\n5 1\n", "4 1\n")
    with pytest.raises(InputFileError, match="line 2: '1,8,28,512,1' is not of the form"):
        rows("block", "1,9,28,512,1\n1,8,28,512,1\n")
    with pytest.raises(InputFileError, match=r"line 2: .* is not of the form"):
        rows("requests", '{"timestamp": 9, "hash_ids": []}\n{"timestamp": 8, "hash_ids": []}\n')


def test_the_clock_cannot_overflow() -> None:
    """Gaps whose sum does not fit in 64 bits are refused."""
    with pytest.raises(InputFileError, match="line 10: 'l 0x1 999999999999999999' is not"):
        rows("address", "l 0x1 999999999999999999\n" * 20)


def test_the_largest_touch_is_allowed() -> None:
    """Accesses of up to 4 GiB are believed."""
    assert rows("lackey", f" L 10,{LARGEST_TOUCH}\n") == [(0, 16, LARGEST_TOUCH)]


def test_page_numbers_are_scaled_by_the_page_size(tmp_path: Path) -> None:
    """An id trace names pages of whatever size was asked for."""
    path = written(tmp_path, "trace", "3\n")
    [small] = read_touches(path, "ids", 4096)
    [huge] = read_touches(path, "ids", 2 << 20)
    assert small.address.tolist() == [3 * 4096]
    assert huge.address.tolist() == [6 << 20]


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    """A format that is not in the table is refused with those that are."""
    wrong = "'pin' is not a trace format; known: address, lackey, block, ids, requests"
    with pytest.raises(InputFileError, match=wrong):
        list(read_touches(tmp_path / "trace", "pin", 4096))


@pytest.mark.parametrize("form", sorted(EXAMPLES))
def test_a_format_is_seen_from_the_content(tmp_path: Path, form: str) -> None:
    """Content decides about the format, compressed or not, against any name."""
    assert detect_form(written(tmp_path, "trace.csv", EXAMPLES[form])) == form
    packed = tmp_path / "other.jsonl.gz"
    packed.write_bytes(gzip.compress(EXAMPLES[form].encode(), mtime=0))
    assert detect_form(str(packed)) == form


def test_headers_are_not_needed(tmp_path: Path) -> None:
    """A block trace without its header line is recognised."""
    assert detect_form(written(tmp_path, "trace", "1,5.5,2a,512,42932745\n")) == "block"


def test_what_matches_nothing_has_no_format(tmp_path: Path) -> None:
    """A text that is no trace, a masim configuration for instance, has no format."""
    masim = "#regions, name length\na, 104857600\n\n# phase 1\nphase 1\n5000\na, 1, 64, 1\n"
    assert detect_form(written(tmp_path, "a.cfg", masim)) is None
    assert detect_form(written(tmp_path, "empty", "")) is None


def test_the_name_speaks_for_damaged_content(tmp_path: Path) -> None:
    """A trace with a bad first line gets its format from its name."""
    assert detect_form(written(tmp_path, "run.trace", "l 0x10 1\nl 0xzz 1\n")) == "address"
    assert detect_form(written(tmp_path, "run.lackey.txt", "hello\n")) == "lackey"


def test_only_the_beginning_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detection reads one block and forgives what comes after its first lines."""
    monkeypatch.setattr(trace_text, "BLOCK_BYTES", 200)
    path = written(tmp_path, "trace", "1\n" * 1000 + "nonsense\n")
    assert detect_form(path) == "ids"


def test_the_table_describes_itself() -> None:
    """Every format has a text for help, a line, a unit and a suffix of its own."""
    for form in TRACE_FORMS.values():
        assert form.description
        assert form.line
        assert form.unit.endswith("s")
    suffixes = [form.suffix for form in TRACE_FORMS.values()]
    assert len(set(suffixes)) == len(suffixes)


def test_requests_may_be_long(tmp_path: Path) -> None:
    """A prompt of many blocks is one line, however long."""
    line = json.dumps({"timestamp": 1, "hash_ids": list(range(100_000))})
    path = written(tmp_path, "a.jsonl", line + "\n")
    assert detect_form(path) == "requests"
    [touches] = read_touches(path, "requests", 4096)
    assert len(touches.clock) == 100_000
