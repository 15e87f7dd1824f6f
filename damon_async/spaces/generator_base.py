"""What all generators of synthetic memory have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator, Field

from .. import units
from ..params.base import Bytes, Count, Parameters, TimeUs
from .bands import Bands, Stroke
from .layout import (
    MAX_SIZE,
    MMAP_TOP,
    PHYSICAL_START,
    SMALL_PAGE,
    PageSize,
    as_process,
    round_up,
)
from .patterns import PatternSpace
from .phases import Phase
from .process_table import ProcessTable
from .processes import ALWAYS, FIRST_NUMBER, NEVER, Process, Random
from .random_touches import salt_of
from .space import Mapping
from .timeline import FOREVER_US, Timeline

_NS_PER_S: Final = 10**9
# 36 years, which fixed-point positions can still be made of.
_MAX_MEAN_NS: Final = 2**60

_KEPT_PHASES: Final = 1024
"""Phases that are kept of one space: some kilobytes each, of any generator."""

Size = Annotated[Bytes, Field(gt=0, le=MAX_SIZE)]
"""Bytes of memory, at most 16 TiB."""

Hz = Annotated[float, BeforeValidator(units.parse_number), Field(ge=0, le=1e6)]
"""Touches per second of one page."""


class Layout(StrEnum):
    """What lies around the generated memory."""

    PROCESS = "process"
    """A binary and a heap below, a stack above, as vaddr expects them."""

    FLAT = "flat"
    """Nothing; the memory begins at 4 GiB, as physical memory does."""


class Area(NamedTuple):
    """The generated memory, ``[start, end)``."""

    start: int
    end: int
    page_size: int

    @property
    def nr_pages(self) -> int:
        """How many pages the area has."""
        return (self.end - self.start) // self.page_size

    def part(self, first: int, end: int) -> tuple[int, int]:
        """Return the range of some pages, by their numbers from the start."""
        return self.start + first * self.page_size, self.start + end * self.page_size


class Turn(NamedTuple):
    """One phase of a generator, before it is made."""

    length_us: int
    make: Callable[[], Phase]


def forever(make: Callable[[], Phase]) -> Sequence[Turn]:
    """Return the turns of a generator that does the same all the time."""
    return (Turn(FOREVER_US, make),)


class Generator(Parameters, frozen=True):
    """
    A recipe for memory: what it costs does not depend on its size.

    ``space`` cooks it. The same recipe with the same seed is the same memory.
    """

    size: Size = 1024**3
    """Bytes of memory, at most 16 TiB; rounded up to whole pages."""

    seed: Annotated[Count, Field(ge=0)] = 0
    """Other seeds give other touches (and blocks, where they are random)."""

    page_size: PageSize = SMALL_PAGE
    """Bytes that share one accessed mark: 4K, 2M for huge pages, or another power of two."""

    duration_us: Annotated[TimeUs, Field(le=FOREVER_US // 2**10)] = 0
    """After what time the memory vanishes, in microseconds; 0 means never."""

    layout: Layout = Layout.PROCESS
    """Whether a process is built around the memory, or it stands alone ("flat")."""

    def space(self) -> PatternSpace:
        """Make the memory."""
        turns = self._turns()
        lengths_us = [turn.length_us for turn in turns]
        # Whoever asks what was touched for minutes needs dozens of phases, and
        # asks again soon. Those of masim, which are larger, are kept by the space.
        phase = lru_cache(_KEPT_PHASES)(lambda index: turns[index].make())
        kind = type(self).__name__.lower()
        return PatternSpace(
            self._mappings(kind),
            Timeline(lengths_us, 0, self.duration_us),
            phase,
            self.page_size,
            kind,
        )

    @property
    def area(self) -> Area:
        """Where the memory lies."""
        # Down from a fixed end, like the mappings of a process; up from a fixed
        # start, like RAM.
        size = round_up(self.size, self._granule())
        start = PHYSICAL_START if self.layout is Layout.FLAT else MMAP_TOP - size
        return Area(start, start + size, self.page_size)

    def _granule(self) -> int:
        # The size is a multiple of this.
        return self.page_size

    @abstractmethod
    def _turns(self) -> Sequence[Turn]:
        """List the phases; after the last, the first one comes again."""

    def _mappings(self, name: str) -> Sequence[Mapping]:
        start, end, page_size = self.area
        mapping = Mapping(start, end, page_size, name)
        return (mapping,) if self.layout is Layout.FLAT else as_process([mapping])

    def _table(self, processes: Sequence[Process]) -> ProcessTable:
        return ProcessTable(processes, self.page_size)

    def _random(self, rate_hz: float, kind: int = 0) -> Random:
        # Rates of one kind differ in nothing but speed, and share their draws.
        mean_ns = min(_MAX_MEAN_NS, _NS_PER_S / rate_hz)
        return Random(max(1, round(mean_ns)), salt_of(self.seed, kind))


class HotGenerator(Generator, frozen=True):
    """A generator whose pages are hot or cold, and nothing in between."""

    rate_hz: Hz = 0
    """Touches per second of each hot page; 0 means in every interval, however short."""

    cold_hz: Hz = 0
    """Touches per second of each cold page; 0 means none."""

    def _hot_phase(self, hot: Iterable[tuple[int, int]]) -> Phase:
        """Make the phase in which some ranges of addresses are hot."""
        processes: list[Process] = []
        numbers = []
        for rate_hz, at_zero in ((self.cold_hz, NEVER), (self.rate_hz, ALWAYS)):
            numbers.append(FIRST_NUMBER + len(processes) if rate_hz else at_zero)
            processes += [self._random(rate_hz)] if rate_hz else []
        start, end, _ = self.area
        # Cold everywhere first, then the hot ranges on top of that.
        strokes = [Stroke(start, end, numbers[0])]
        strokes += [Stroke(low, high, numbers[1]) for low, high in hot]
        return Phase([Bands.painted(strokes)], self._table(processes))
