"""
How the files of the debugfs interface read and print numbers.

All of it plain functions of texts: what stands behind the files is not their matter.

Source:
    spec interfaces 4.2 to 4.4.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from .context_files import ORDER_SINCE
from .profiles import Release
from .values import Value, c_text, refusal

NUMBER: Final = re.compile(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)")
"""Blanks, perhaps a sign, and digits: what C's scanf takes for a decimal number."""

CHUNK: Final = 18
"""Of how many digits numbers are made; Python refuses to read a million at once."""

MAX_TARGETS: Final = 32
"""More process ids in one text are left alone."""

MAX_SCHEMES: Final = 256
"""More records in one text are left alone."""

NR_ACTIONS: Final = 6
"""How many actions have a number."""

# -- Numbers -----------------------------------------------------------------


class Width(NamedTuple):
    """What a number is stored in: what does not fit wraps around."""

    bits: int
    """How many."""

    is_signed: bool = False
    """Whether it may be negative; if not, a minus ends the scan."""


INT: Final = Width(32, is_signed=True)
UINT: Final = Width(32)
ULONG: Final = Width(64)


class Scan:
    """
    Reads one number after the other, until there is something else.

    Args:
        data: The text.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, width: Width) -> int | None:
        """Return the next number; None if there is none, and then there will be none."""
        found = NUMBER.match(self._data, self._at)
        if found is None or (found[1] == b"-" and not width.is_signed):
            return None
        # Only now: a minus that was not allowed is still there for the next one.
        self._at = found.end()
        number = _magnitude(found[2], 1 << width.bits)
        number = -number if found[1] == b"-" else number
        # Twice the same bits: once as they are stored, once as they are meant.
        stored = number % (1 << width.bits)
        is_negative = width.is_signed and stored >> (width.bits - 1)
        return stored - (1 << width.bits) if is_negative else stored

    def record(self, widths: Sequence[Width]) -> tuple[int, ...] | None:
        """Return as many numbers as there are *widths*; None if there are fewer."""
        numbers: list[int] = []
        for width in widths:
            number = self.number(width)
            if number is None:
                return None
            numbers.append(number)
        return tuple(numbers)

    def records(
        self, widths: Sequence[Width], most: int | None = None
    ) -> Iterator[tuple[int, ...]]:
        """Go through complete records, *most* of them at most."""
        nr_left = most
        while nr_left != 0 and (record := self.record(widths)) is not None:
            nr_left = None if nr_left is None else nr_left - 1
            yield record


def _magnitude(digits: bytes, limit: int) -> int:
    """Return the number of *digits*, wrapped around at *limit*."""
    # Wrapped as it goes, as the kernel does; a number may be as long as a text.
    number = 0
    for start in range(0, len(digits), CHUNK):
        chunk = digits[start : start + CHUNK]
        number = (number * 10 ** len(chunk) + int(chunk)) % limit
    return number


def _line(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d" % number for number in numbers) + b"\n"


# -- attrs -------------------------------------------------------------------


class Attrs(NamedTuple):
    """Intervals and bounds as ``attrs`` has them."""

    sample_us: int = 5_000
    """Between two samplings, in microseconds."""

    aggr_us: int = 100_000
    """Between two aggregations, in microseconds."""

    update_us: int = 60_000_000
    """Between two looks at the mappings, in microseconds."""

    min_nr: int = 10
    """Fewest regions."""

    max_nr: int = 1_000
    """Most regions."""

    @classmethod
    def read(cls, data: bytes) -> Attrs:
        """
        Read five numbers; whatever follows does not matter.

        Raises:
            OSError: EINVAL if there are fewer.
        """
        numbers = Scan(data).record([ULONG] * 5)
        if numbers is None:
            raise refusal(errno.EINVAL, f"{data[:64]!r} are not five numbers")
        return cls(*numbers)

    def check(self, release: Release) -> None:
        """
        Refuse what makes no sense in *release*.

        Raises:
            OSError: EINVAL.
        """
        if self.min_nr < 3 or self.max_nr < self.min_nr:
            why = f"{self.min_nr} to {self.max_nr} regions: at least 3, and in order"
            raise refusal(errno.EINVAL, why)
        if self.sample_us > self.aggr_us and release >= ORDER_SINCE:
            raise refusal(errno.EINVAL, f"sample {self.sample_us} is above aggr {self.aggr_us}")

    @property
    def text(self) -> bytes:
        """The line of the file."""
        return _line(self)


# -- target_ids and init_regions ---------------------------------------------


def read_target_ids(data: bytes) -> list[int] | None:
    """Return process ids up to the first text that is none; None stands for physical memory."""
    # To the letter, so that blanks around it make it a text without numbers.
    if data in {b"paddr", b"paddr\n"}:
        return None
    return [pid for (pid,) in Scan(data).records([INT], MAX_TARGETS)]


def show_target_ids(ids: Sequence[int]) -> bytes:
    """Return the line of ``target_ids``."""
    return _line(ids)


class Triple(NamedTuple):
    """A region as ``init_regions`` has it."""

    target: int
    """Index or id of its target."""

    start: int
    """First byte."""

    end: int
    """One past the last byte."""


def read_regions(data: bytes) -> list[Triple]:
    """Return complete triples up to the first that is none."""
    return [Triple(*numbers) for numbers in Scan(data).records([INT, ULONG, ULONG])]


def show_regions(triples: Sequence[Triple]) -> bytes:
    """Return the lines of ``init_regions``."""
    return b"".join(map(_line, triples))


# -- schemes -----------------------------------------------------------------


class SchemesFormat(StrEnum):
    """
    What a record of ``schemes`` is made of; a kernel knows one only.

    Source:
        spec interfaces 4.4.
    """

    A = "A"
    """Before 5.16: pattern and action; two statistics."""

    B = "B"
    """On the way to 5.16: quotas as well."""

    C = "C"
    """Later on that way: weights as well."""

    D = "D"
    """5.16: watermarks as well."""

    E = "E"
    """5.17 and later: five statistics."""

    @property
    def nr_inputs(self) -> int:
        """How many numbers are written."""
        return {"A": 7, "B": 10, "C": 13}.get(self.value, len(WIDTHS))

    @property
    def nr_stats(self) -> int:
        """How many numbers more are read."""
        return 5 if self is SchemesFormat.E else 2

    @property
    def names_targets_by_id(self) -> bool:
        """Whether ``init_regions`` of its time has ids of targets, not indices."""
        return self is not SchemesFormat.E


class SchemeNumbers(NamedTuple):
    """The numbers of a record; those that a format does not have are 0."""

    min_sz: int
    max_sz: int
    min_nr_accesses: int
    max_nr_accesses: int
    min_age: int
    max_age: int
    action: int
    quota_ms: int = 0
    quota_sz: int = 0
    quota_reset_ms: int = 0
    weight_sz: int = 0
    weight_nr_accesses: int = 0
    weight_age: int = 0
    metric: int = 0
    interval_us: int = 0
    high: int = 0
    mid: int = 0
    low: int = 0

    def check(self) -> None:
        """
        Refuse what makes no sense.

        Raises:
            OSError: EINVAL.
        """
        # All in one go: the first six numbers are three pairs.
        for low, high in zip(self[0:6:2], self[1:6:2], strict=True):
            if low > high:
                raise refusal(errno.EINVAL, f"a pattern from {low} to {high} matches nothing")
        if self.action >= NR_ACTIONS:
            raise refusal(errno.EINVAL, f"there is no action {self.action}; 0 to {NR_ACTIONS - 1}")
        if not self.high >= self.mid >= self.low:
            why = f"watermarks {self.high} {self.mid} {self.low} do not descend"
            raise refusal(errno.EINVAL, why)


WIDTHS: Final = (
    *(ULONG, ULONG, UINT, UINT, UINT, UINT, UINT),
    *(ULONG, ULONG, ULONG),
    *(UINT, UINT, UINT),
    *(UINT, ULONG, ULONG, ULONG, ULONG),
)
"""What the numbers of a record are stored in."""


def read_schemes(data: bytes, form: SchemesFormat) -> list[SchemeNumbers]:
    """
    Return complete records up to the first that is none.

    Raises:
        OSError: EINVAL if one of them makes no sense.
    """
    schemes: list[SchemeNumbers] = []
    # Numbers are counted, not lines: nothing else says where a record ends.
    for numbers in Scan(data).records(WIDTHS[: form.nr_inputs], MAX_SCHEMES):
        schemes.append(SchemeNumbers(*numbers))
        schemes[-1].check()
    return schemes


def show_scheme(numbers: SchemeNumbers, stats: Sequence[int], form: SchemesFormat) -> bytes:
    """Return the line of a scheme with *stats*, of which *form* has the first ones."""
    return _line([*numbers[: form.nr_inputs], *stats[: form.nr_stats]])


# -- monitor_on and names ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnOff:
    """On or off, with blanks around it or not."""

    def at(self, release: Release) -> OnOff:
        """Return itself: it has always been so."""
        del release
        return self

    def parse(self, data: bytes) -> str:
        """
        Read the word.

        Raises:
            OSError: EINVAL if it is another one.
        """
        # Blanks of C, which are those of bytes.
        word = c_text(data).strip()
        if word not in {b"on", b"off"}:
            raise refusal(errno.EINVAL, f"{data[:64]!r} is neither on nor off")
        return word.decode()

    def show(self, value: Value) -> bytes:
        """Print the word."""
        return str(value).encode() + b"\n"


def read_name(data: bytes) -> str:
    """
    Return the first word.

    Raises:
        OSError: EINVAL if there is none.
    """
    words = data.split(maxsplit=1)
    if not words:
        raise refusal(errno.EINVAL, "a name is missing")
    return words[0].decode("utf-8", "surrogateescape")
