"""
Synthetic memory that follows a pattern: a pure function of time.

A pattern is a timeline of phases. In a phase, bands of addresses are ruled by
processes (see ``processes.py``). Whether an address is touched in a window of
time is found in two array steps: which process rules it, and what that process
does in the window. Only where that leaves a doubt are pages looked at one by
one. No step depends on the size of the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from ..arrays import BoolArray, IntArray
from .bands import Layer
from .clocks import Clock, TimeClock
from .process_table import TOUCHED, UNDECIDED, UNTOUCHED, ProcessTable, States, Window
from .processes import ALWAYS
from .space import Mapping, Truth
from .timeline import Span, Timeline
from .truth import count_touches

_KEPT_PHASES: Final = 8

# The dozens of temporary arrays of this length stay in the processor's cache,
# and in memory that the allocator keeps: three times as fast as all at once.
_DECIDED_AT_ONCE: Final = 4096


class Phase:
    """
    What a pattern does for a while.

    Args:
        layers: Who is responsible for which address; at least one.

        table: The processes that the layers refer to.

        clock: What the processes follow.
    """

    def __init__(
        self, layers: Sequence[Layer], table: ProcessTable, clock: Clock | None = None
    ) -> None:
        self._layers = tuple(layers)
        self._table = table
        self._clock = TimeClock() if clock is None else clock

    def touched(
        self, addresses: IntArray, since_us: IntArray, until_us: IntArray, origin_us: int
    ) -> BoolArray:
        """
        Tell which pages are touched in some windows inside one turn of the phase.

        Args:
            addresses: int64, shape (nr_windows, n), or (1, n) to ask every
                window about the same addresses.

            since_us: int64, shape (nr_windows,).

            until_us: int64, shape (nr_windows,).

            origin_us: When this turn of the phase began.

        Returns:
            bool, shape (nr_windows, n).
        """
        # Nothing depends on the time of day: no clock, no states.
        if self._table.is_still:
            return self._touched_always(addresses, until_us > since_us)
        window = self._table.window(self._clock, since_us, until_us, origin_us)
        touched = self._touched_in_layer(self._layers[0], addresses, window)
        for layer in self._layers[1:]:
            touched |= self._touched_in_layer(layer, addresses, window)
        return touched

    def cuts(self, start: int, end: int) -> list[IntArray]:
        """Return where bands begin inside ``[start, end)``, for each layer."""
        return [layer.cuts(start, end) for layer in self._layers]

    def survey(
        self, addresses: IntArray, since_us: IntArray, until_us: IntArray, origin_us: int
    ) -> States:
        """
        Tell what whole bands do, by one address of each.

        Shapes are those of ``touched``, with (nr_bands,) addresses.

        Returns:
            uint8, shape (nr_windows, nr_bands).
        """
        window = self._table.window(self._clock, since_us, until_us, origin_us)
        states = self._layers[0].survey(addresses, window.states)
        for layer in self._layers[1:]:
            states = either(states, layer.survey(addresses, window.states))
        return states

    def _touched_always(self, addresses: IntArray, is_window: BoolArray) -> BoolArray:
        touched: BoolArray = self._layers[0].locate(addresses) == ALWAYS
        for layer in self._layers[1:]:
            touched |= layer.locate(addresses) == ALWAYS
        return np.logical_and(touched, is_window[:, None])

    def _touched_in_layer(self, layer: Layer, addresses: IntArray, window: Window) -> BoolArray:
        nr_windows, nr_processes = window.states.shape
        # The states of all windows lie in one flat table; a cell is the place of a
        # process in its window.
        numbers = layer.locate(addresses)
        cells = numbers + np.arange(0, nr_windows * nr_processes, nr_processes)[:, None]
        states = window.states.take(cells)
        if window.states.max() == UNDECIDED:
            self._decide(states.ravel(), cells.ravel(), addresses.ravel(), numbers.ravel(), window)
        # Only 0 and 1 are left, which is what booleans are made of.
        return states.view(np.bool_)

    def _decide(
        self,
        states: States,
        cells: IntArray,
        addresses: IntArray,
        numbers: IntArray,
        window: Window,
    ) -> None:
        # Replaces what is undecided in *states*, in place.
        undecided = np.flatnonzero(states == UNDECIDED)
        for begin in range(0, len(undecided), _DECIDED_AT_ONCE):
            open_ = undecided[begin : begin + _DECIDED_AT_ONCE]
            cell = cells[open_]
            # All windows may ask about the same row of addresses.
            column = open_ if len(addresses) == len(states) else open_ % len(addresses)
            states[open_] = self._table.decide(
                addresses[column],
                numbers[column],
                window.since.take(cell),
                window.until.take(cell),
            )

    def __repr__(self) -> str:
        return f"<Phase of {len(self._layers)} layers and {len(self._table)} processes>"


def either(one: States, other: States) -> States:
    """Return what two processes on the same pages do together."""
    is_touched = (one == TOUCHED) | (other == TOUCHED)
    return np.where(is_touched, np.uint8(TOUCHED), one | other)


class PatternSpace:
    """
    Memory that follows a pattern; implements ``Space``.

    Args:
        mappings: What is mapped as long as the space lives, ascending.

        timeline: When which phase is due.

        phase: Makes the phase of an index. Called again when a phase is needed
            that was not for a while, so it must give the same each time.

        page_size: Bytes that share one accessed mark where the pattern is.

        name: What a user would call the pattern.
    """

    def __init__(
        self,
        mappings: Sequence[Mapping],
        timeline: Timeline,
        phase: Callable[[int], Phase],
        page_size: int,
        name: str = "",
    ) -> None:
        self._mappings = tuple(mappings)
        self._timeline = timeline
        # A phase of masim may hold megabytes of drawn batches, and a day of
        # changing patterns has hundreds of phases.
        self._phase = lru_cache(_KEPT_PHASES)(phase)
        self._page_size = page_size
        self.name = name

    @property
    def is_pure(self) -> bool:
        """True: a pattern is a function of time alone."""
        return True

    @property
    def lifetime_us(self) -> int | None:
        """The instant at which the last phase ends, None if there is none."""
        return self._timeline.end_us

    @property
    def page_size(self) -> int:
        """Bytes that share one accessed mark where the pattern is."""
        return self._page_size

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return what is mapped at *now_us*; nothing once the space has vanished."""
        end_us = self.lifetime_us
        return self._mappings if end_us is None or now_us < end_us else ()

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell for each address whether its page was touched; see ``Space``."""
        since, until = since_us.ravel(), until_us.ravel()
        if not addresses.size:
            return np.zeros((len(since), addresses.shape[1]), np.bool_)
        # Most calls fall into one turn of one phase as a whole.
        span = self._timeline.span_at(int(since[0]))
        if span is not None and until[-1] <= span.end_us:
            return self._phase(span.phase).touched(addresses, since, until, span.begin_us)
        return self._accessed_across(addresses, since, until)

    def _accessed_across(self, addresses: IntArray, since: IntArray, until: IntArray) -> BoolArray:
        # Windows may reach into several turns, before the beginning and past
        # the end; each turn answers for its part of them.
        touched = np.zeros((len(since), addresses.shape[1]), np.bool_)
        for span in self._timeline.spans(since, until):
            rows, part_since, part_until = _parts(span, since, until)
            touched[rows] |= self._phase(span.phase).touched(
                addresses if len(addresses) == 1 else addresses[rows],
                part_since,
                part_until,
                span.begin_us,
            )
        return touched

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """Count for every page the intervals that touched it; see ``Space``."""
        return count_touches(self, start, end, instants_us)

    def cuts(self, start: int, end: int, since_us: IntArray, until_us: IntArray) -> IntArray:
        """
        Return where any band begins that is in force in some windows of time.

        Returns:
            int64, ascending, *start* first, all below *end*.
        """
        found = [np.array([start])]
        # Each phase once, however often its turn comes.
        indices = {span.phase for span in self._timeline.spans(since_us, until_us)}
        for index in sorted(indices):
            found += self._phase(index).cuts(start, end)
        return np.unique(np.concatenate(found))

    def survey(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> States:
        """
        Tell what whole bands do in some windows of time.

        Args:
            addresses: int64, shape (nr_bands,), one address of each band.

            since_us: int64, shape (nr_windows,).

            until_us: int64, shape (nr_windows,).

        Returns:
            uint8, shape (nr_windows, nr_bands): see ``process_table``.
        """
        states = np.full((len(since_us), len(addresses)), UNTOUCHED, np.uint8)
        for span in self._timeline.spans(since_us, until_us):
            rows, part_since, part_until = _parts(span, since_us, until_us)
            phase = self._phase(span.phase)
            part = phase.survey(addresses, part_since, part_until, span.begin_us)
            # A window may reach into several turns, and is touched if any is.
            states[rows] = either(states[rows], part)
        return states

    def __repr__(self) -> str:
        mapped = sum(mapping.end - mapping.start for mapping in self._mappings)
        end = "for ever" if self.lifetime_us is None else f"{self.lifetime_us} us"
        return (
            f"<PatternSpace {self.name!r}: {self._timeline.nr_phases} phases, {end}, "
            f"{mapped} bytes mapped>"
        )


def _parts(span: Span, since_us: IntArray, until_us: IntArray) -> tuple[slice, IntArray, IntArray]:
    # Which windows reach into a turn, and from when to when.
    first = int(until_us.searchsorted(span.begin_us, "right"))
    rows = slice(first, int(since_us.searchsorted(span.end_us, "left")))
    return (
        rows,
        np.maximum(since_us[rows], span.begin_us),
        np.minimum(until_us[rows], span.end_us),
    )
