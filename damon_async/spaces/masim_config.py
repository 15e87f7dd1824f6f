"""
Read the configuration files of masim, the memory access simulator.

The grammar is masim's; we are kinder about blanks, line ends and units, and
stricter about names and field counts, because masim dies on those at run time.

Source:
    spec damo 6.1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from .. import units
from ..errors import InputFileError, ParametersError, Problem, UnitError
from .layout import MAX_SIZE

MAX_FILE_SIZE: Final = 16 * 1024 * 1024
"""Larger files are no configurations, in bytes."""

MAX_WEIGHT: Final = 2**31 - 1
"""Largest probability: the numbers of masim are C integers."""

_REGION_FIELDS: Final = (2, 3)
_PATTERN_FIELDS: Final = (4, 5)
_HEAD_LINES: Final = 2

_LINE_END: Final = re.compile(r"\r\n|\r|\n")

# What C's atoi would read, if something that cannot be a unit follows.
_LEADING_NUMBER: Final = re.compile(r"([0-9]+)(?:\s.*|#.*)?")


class RwMode(StrEnum):
    """What an access of a pattern does; every mode touches the page alike."""

    READ = "ro"
    WRITE = "wo"
    BOTH = "rw"


class MasimRegion(NamedTuple):
    """Memory that patterns refer to by name."""

    name: str
    size: int
    """Bytes."""
    data_file: str | None = None
    """What it is filled from before the first phase; not opened by us."""


class MasimPattern(NamedTuple):
    """One way to access one region."""

    region: int
    """Index of the region."""
    is_random: bool
    stride: int
    """Bytes between two accesses; without meaning if random."""
    weight: int
    """Chance of the pattern, relative to the others of its phase."""
    mode: RwMode | None = None
    """None: whatever the run's default is."""


class MasimPhase(NamedTuple):
    """What is accessed for a while."""

    name: str
    length_us: int
    patterns: tuple[MasimPattern, ...]


@dataclass(frozen=True, slots=True)
class MasimConfig:
    """Regions, and phases one after the other."""

    regions: tuple[MasimRegion, ...]
    phases: tuple[MasimPhase, ...]


class _Line(NamedTuple):
    number: int
    text: str


def read_masim(path: str | os.PathLike[str]) -> MasimConfig:
    """
    Read a configuration file.

    Raises:
        InputFileError: If the file cannot be read or is not a text.

        ParametersError: If it is not a configuration; every wrong line is
            listed with its number.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_SIZE + 1)
    except OSError as error:
        raise InputFileError(path, f"cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE_SIZE or b"\0" in content:
        raise InputFileError(path, "is not a masim configuration, which is a short text")
    # Names are compared, never understood: bytes of any encoding will do.
    return parse_masim(content.decode("utf-8", "surrogateescape"), os.fspath(path))


def parse_masim(text: str, source: str = "configuration") -> MasimConfig:
    """
    Read the text of a configuration.

    Args:
        text: Any line ends.

        source: What to call the text in error messages.

    Raises:
        ParametersError: If it is not a configuration; every wrong line is
            listed with its number.
    """
    return _Parser(source).parse(text)


def looks_like_masim(text: str) -> bool:
    """
    Tell whether the beginning of a file could be a configuration.

    It could if a paragraph of ``name, size`` lines is followed by one whose
    second line is a number.
    """
    paragraphs = _paragraphs(text)
    if not paragraphs or not all(
        len(fields) in _REGION_FIELDS and fields[1].strip()[:1].isdigit()
        for fields in (line.text.split(",") for line in paragraphs[0])
    ):
        return False
    # The first lines of a big file may end within the first paragraph.
    phase = paragraphs[1][1:_HEAD_LINES] if len(paragraphs) > 1 else ()
    return all(line.text.strip()[:1].isdigit() for line in phase) and len(paragraphs) > 1


def _paragraphs(text: str) -> list[list[_Line]]:
    # A comment vanishes as a whole: unlike an empty line it ends no paragraph.
    lines = [
        _Line(number, line)
        for number, line in enumerate(_LINE_END.split(text), start=1)
        if not line.startswith("#")
    ]
    # Lines of nothing but blanks separate as well, any number of them.
    grouped = groupby(lines, key=lambda line: bool(line.text.strip()))
    return [list(group) for has_text, group in grouped if has_text]


class _Parser:
    # Collects problems instead of stopping at the first; a part that could not
    # be read is left out, and nobody sees the result if anything was.
    def __init__(self, source: str) -> None:
        self._source = source
        self._problems: list[Problem] = []

    def parse(self, text: str) -> MasimConfig:
        paragraphs = _paragraphs(text)
        if len(paragraphs) <= 1:
            last = len(_LINE_END.split(text.rstrip()))
            self._refuse(last, "expected a paragraph of regions, an empty line, then phases")
        regions = self._regions(paragraphs[0] if paragraphs else ())
        # A region whose line is wrong keeps its name, lest every pattern that
        # refers to it is reported as well.
        names = {region.name: index for index, region in enumerate(regions)}
        phases = [self._phase(lines, names) for lines in paragraphs[1:]]
        if self._problems:
            raise ParametersError(self._problems)
        return MasimConfig(tuple(regions), tuple(phases))

    def _refuse(self, number: int, message: str) -> None:
        self._problems.append(Problem(f"{self._source}, line {number}", message))

    def _regions(self, lines: Iterable[_Line]) -> list[MasimRegion]:
        regions: dict[str, MasimRegion] = {}
        for line in lines:
            region = self._region(line)
            if region.name in regions:
                self._refuse(line.number, f"region {region.name!r} is already defined")
            regions[region.name] = region
        if sum(region.size for region in regions.values()) > MAX_SIZE:
            self._refuse(1, f"all regions together exceed {units.format_size(MAX_SIZE)}")
        return list(regions.values())

    def _region(self, line: _Line) -> MasimRegion:
        fields = [field.strip() for field in line.text.split(",")]
        if len(fields) not in _REGION_FIELDS:
            self._refuse(line.number, "a region is: name, size [, data file]")
            return MasimRegion(fields[0], 1)
        size = self._number(line, "size", fields[1], units.parse_size)
        if not 0 < size <= MAX_SIZE:
            limit = units.format_size(MAX_SIZE)
            self._refuse(line.number, f"size must be between 1 byte and {limit}, not {fields[1]}")
            # One complaint is enough: this size shall not spoil the sum of all.
            size = 1
        data_file = "".join(fields[2:])
        return MasimRegion(fields[0], size, None if data_file in ("", "none") else data_file)

    def _phase(self, lines: Sequence[_Line], names: dict[str, int]) -> MasimPhase:
        name = lines[0].text
        if len(lines) <= _HEAD_LINES:
            expected = "a phase is: its name, its milliseconds, then at least one pattern"
            self._refuse(lines[-1].number, expected)
            return MasimPhase(name, 0, ())
        length = self._number(lines[1], "milliseconds", lines[1].text, _as_us)
        # Some nine years; sums of such phases still fit int64, "max" does not.
        if length > units.U64_MAX // 2**16:
            self._refuse(lines[1].number, f"a phase of {lines[1].text.strip()} never ends")
        patterns = (self._pattern(line, names) for line in lines[_HEAD_LINES:])
        return MasimPhase(name, length, tuple(found for found in patterns if found))

    def _pattern(self, line: _Line, names: dict[str, int]) -> MasimPattern | None:
        fields = [field.strip() for field in line.text.split(",")]
        if len(fields) not in _PATTERN_FIELDS:
            expected = "a pattern is: region, random, stride, probability [, mode]"
            self._refuse(line.number, expected)
            return None
        if fields[0] not in names:
            known = ", ".join(names) or "none"
            self._refuse(line.number, f"no region {fields[0]!r}; regions are {known}")
        is_random = self._number(line, "random", fields[1], _as_count) != 0
        stride = self._number(line, "stride", fields[2], units.parse_size)
        weight = self._number(line, "probability", fields[3], _as_count)
        if weight > MAX_WEIGHT:
            self._refuse(line.number, f"probability {weight} is above {MAX_WEIGHT}")
        mode = self._mode(line, fields[4]) if len(fields) in _PATTERN_FIELDS[1:] else None
        return MasimPattern(names.get(fields[0], 0), is_random, stride, weight, mode)

    def _mode(self, line: _Line, text: str) -> RwMode | None:
        # As masim: only the beginning counts, so that a remark may follow.
        for mode in RwMode:
            if text.startswith(mode):
                return mode
        self._refuse(line.number, f"mode {text!r} is none of {', '.join(RwMode)}")
        return None

    def _number(self, line: _Line, what: str, text: str, parse: Callable[[str], int]) -> int:
        try:
            return parse(text.strip())
        except UnitError as error:
            # A remark behind the number is fine; "10O0" is a slip of the finger.
            match = _LEADING_NUMBER.fullmatch(text.strip())
            if match:
                return parse(match[1])
            self._refuse(line.number, f"{what}: {error}")
            return 1


def _as_count(text: str) -> int:
    # No texts like "max" and no fractions: these fields are plain C integers.
    if not text.isdecimal():
        raise UnitError(text, "number", "a whole number such as 0, 1 or 50")
    return int(text)


def _as_us(text: str) -> int:
    return units.parse_time_ms(text) * 1_000
