"""
Memory made from a recipe: which pages are hot, when, and how hot.

Fields take numbers in their own unit or damo's text forms ("1G", "5 s").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from ..errors import InvalidError, Problem
from ..params.base import Bp, Bytes, Count, Parameters, TimeUs, refuse
from ..params.ranges import AddressRange
from .bands import Bands, Stroke
from .clocks import fitting_scale
from .generator_base import Generator, HotGenerator, Hz, Size, Turn, forever
from .phases import Phase
from .processes import ALWAYS, FIRST_NUMBER, Sweep

_DAY_US = 86_400_000_000
_NS_PER_S = 10**9

Duration = Annotated[TimeUs, Field(ge=1, le=2**50)]
"""A time that passes, in microseconds."""

Steps = Annotated[Count, Field(ge=1, le=100_000)]
"""How many parts something has."""


class Uniform(Generator, frozen=True):
    """Every page is touched at random, all equally often."""

    rate_hz: Hz = 10
    """Touches per second of each page; 0 means in every interval, however short."""

    def _turns(self) -> Sequence[Turn]:
        return forever(self._phase)

    def _phase(self) -> Phase:
        start, end, _ = self.area
        if not self.rate_hz:
            return Phase([Bands.painted([Stroke(start, end, ALWAYS)])], self._table(()))
        bands = Bands.painted([Stroke(start, end, FIRST_NUMBER)])
        return Phase([bands], self._table([self._random(self.rate_hz)]))


class Scan(Generator, frozen=True):
    """One position walks through the memory, page by page, over and over."""

    bytes_per_s: Annotated[Bytes, Field(ge=1, le=2**50)] = 1024**3
    """How fast, in bytes per second."""

    def _turns(self) -> Sequence[Turn]:
        return forever(self._phase)

    def _phase(self) -> Phase:
        start, end, page_size = self.area
        # Pages per nanosecond; one access stands for all that touch the page.
        scale = fitting_scale(self.bytes_per_s, page_size * _NS_PER_S)
        sweep = Sweep(start, end - start, page_size, 0, 0, *scale)
        bands = Bands.painted([Stroke(start, end, FIRST_NUMBER)])
        return Phase([bands], self._table([sweep]))


class Stairs(HotGenerator, frozen=True):
    """The hot part is one of equal steps; it moves up a step at a time, then starts again."""

    steps: Steps = 10
    """How many parts the memory has."""

    step_us: Duration = 5_000_000
    """How long each part is hot, in microseconds."""

    def _turns(self) -> Sequence[Turn]:
        return [Turn(self.step_us, partial(self._phase, step)) for step in self._order()]

    def _phase(self, step: int) -> Phase:
        # From whole numbers on both sides, so that steps adjoin whatever the size.
        nr_pages = self.area.nr_pages
        first, end = step * nr_pages // self.steps, (step + 1) * nr_pages // self.steps
        return self._hot_phase([self.area.part(first, end)])

    def _order(self) -> Sequence[int]:
        return range(self.steps)


class Zigzag(Stairs, frozen=True):
    """As stairs, but the hot part goes down again the way it came."""

    def _order(self) -> Sequence[int]:
        # The turning points come once a lap: their neighbours are the next step.
        return (*range(self.steps), *range(self.steps - 2, 0, -1))


class PlannedPhase(Parameters, frozen=True):
    """
    What is hot for a while; the text form is ``TIME@RANGE+RANGE``.

    For example ``5s@0-64M+1G-2G``; ``5s@`` is a pause.
    """

    duration_us: Duration
    """How long, in microseconds."""

    hot: tuple[AddressRange, ...] = ()
    """Ranges of bytes, counted from the beginning of the memory."""

    @model_validator(mode="before")
    @classmethod
    def _read_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        duration, at, ranges = value.partition("@")
        if not at:
            raise InvalidError(f"{value!r} is not a phase; expected TIME@START-END, e.g. 5s@0-64M")
        return {"duration_us": duration, "hot": ranges.split("+") if ranges.strip() else ()}


def _split_plan(value: object) -> object:
    return value.split("/") if isinstance(value, str) else value


class Phases(HotGenerator, frozen=True):
    """A plan says what is hot, phase by phase, over and over."""

    plan: Annotated[tuple[PlannedPhase, ...], BeforeValidator(_split_plan), Field(min_length=1)] = (
        PlannedPhase(duration_us=5_000_000, hot=(AddressRange(0, 2**28),)),
    )
    """The phases, as TIME@START-END+START-END/TIME@..., offsets from the start of the memory."""

    @model_validator(mode="after")
    def _check_plan(self) -> Self:
        refuse(
            Problem(f"plan[{index}]", f"{found.end} is past the end of the memory, {self.size}")
            for index, phase in enumerate(self.plan)
            for found in phase.hot
            if found.end > self.size
        )
        return self

    def _turns(self) -> Sequence[Turn]:
        return [Turn(part.duration_us, partial(self._phase, part.hot)) for part in self.plan]

    def _phase(self, hot: Iterable[AddressRange]) -> Phase:
        start, _, page_size = self.area
        ranges = [found.rounded(page_size) for found in hot]
        return self._hot_phase((start + low, start + high) for low, high in ranges)


class Diurnal(HotGenerator, frozen=True):
    """
    The hot set wanders through the memory once a day, small at night and big by day.

    Time 0 is midnight. The set goes around the end of the memory.
    """

    day: Size = 256 * 1024**2
    """Hot bytes at midday, at most the size."""

    night: Size = 64 * 1024**2
    """Hot bytes at midnight, at most the size."""

    period_us: Duration = _DAY_US
    """How long a day is, in microseconds."""

    steps: Steps = 96
    """How often a day the hot set changes."""

    @model_validator(mode="after")
    def _check_sets(self) -> Self:
        refuse(
            Problem(name, f"{value} bytes do not fit into {self.size}")
            for name, value in (("day", self.day), ("night", self.night))
            if value > self.size
        )
        return self

    def _turns(self) -> Sequence[Turn]:
        ends = [self.period_us * step // self.steps for step in range(self.steps + 1)]
        return [
            Turn(end - begin, partial(self._phase, step))
            for step, (begin, end) in enumerate(pairwise(ends))
        ]

    def _phase(self, step: int) -> Phase:
        area = self.area
        # The hour in the middle of the step, as an angle that is 0 at midnight.
        light = (1 - math.cos(2 * math.pi * (step + 0.5) / self.steps)) / 2
        hot_bytes = self.night + light * (self.day - self.night)
        first = step * area.nr_pages // self.steps
        end = first + max(1, round(hot_bytes / area.page_size))
        # What sticks out at the end comes back at the beginning.
        over = max(0, end - area.nr_pages)
        return self._hot_phase([area.part(first, end - over), area.part(0, over)])


class Hotspot(HotGenerator, frozen=True):
    """One small hot block in a huge cold memory."""

    size: Size = 16 * 1024**4
    """Bytes of memory, at most 16 TiB; rounded up to whole pages."""

    hot: Size = 64 * 1024**2
    """Bytes of the hot block."""

    at: Bytes | None = None
    """Offset of the hot block in the memory, in bytes; drawn from the seed if not given."""

    @model_validator(mode="after")
    def _check_block(self) -> Self:
        if (self.at or 0) + self.hot > self.size:
            raise InvalidError(
                f"a hot block of {self.hot} bytes at {self.at or 0} ends after {self.size}"
            )
        return self

    def _turns(self) -> Sequence[Turn]:
        return forever(self._phase)

    def _phase(self) -> Phase:
        area = self.area
        nr_hot = -(-self.hot // area.page_size)
        if self.at is None:
            # Any place with room for the whole block, all equally likely.
            rng = np.random.default_rng(self.seed)
            first = int(rng.integers(0, area.nr_pages - nr_hot + 1))
        else:
            first = min(self.at // area.page_size, area.nr_pages - nr_hot)
        return self._hot_phase([area.part(first, first + nr_hot)])


class Noisy(HotGenerator, frozen=True):
    """Blocks of random sizes, each hot or cold by a throw of a coin."""

    blocks: Steps = 400
    """How many blocks; at most one per page."""

    hot_bp: Annotated[Bp, Field(le=10_000)] = 5_000
    """Chance of a block to be hot, in basis points, or as "50 %"."""

    @model_validator(mode="after")
    def _check_blocks(self) -> Self:
        if self.blocks > self.area.nr_pages:
            raise InvalidError(f"{self.blocks} blocks need more than {self.area.nr_pages} pages")
        return self

    def _turns(self) -> Sequence[Turn]:
        return forever(self._phase)

    def _phase(self) -> Phase:
        return self._hot_phase(self._hot_blocks())

    def _hot_blocks(self) -> Iterable[tuple[int, int]]:
        rng = np.random.default_rng(self.seed)
        area = self.area
        # Drawn without repetition, in memory that depends on the blocks alone.
        inner = rng.choice(area.nr_pages - 1, self.blocks - 1, replace=False) + 1
        bounds = [0, *sorted(inner.tolist()), area.nr_pages]
        is_hot = rng.integers(0, 10_000, self.blocks) < self.hot_bp
        for hot, first, end in zip(is_hot, bounds[:-1], bounds[1:], strict=True):
            if hot:
                yield area.part(first, end)
