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
from .phases import Phase, either
from .process_table import UNTOUCHED, States
from .space import Mapping, Truth
from .timeline import Span, Timeline
from .truth import count_touches, covered_runs, touched_runs

_KEPT_PHASES: Final = 8


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
        span = self._turn(since, until)
        if span is not None:
            return self._phase(span.phase).touched(addresses, since, until, span.begin_us)
        return self._accessed_across(addresses, since, until)

    def _turn(self, since: IntArray, until: IntArray) -> Span | None:
        # The one turn of a phase that all windows lie in, as most of them do.
        span = self._timeline.span_at(int(since[0]))
        return span if span is not None and until[-1] <= span.end_us else None

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

    def touched_runs(self, ranges: IntArray, since_us: int, until_us: int) -> IntArray:
        """Return what of some ranges was touched in an interval; see ``truth``."""
        since, until = np.array([since_us]), np.array([until_us])
        found = [np.zeros((0, 2), np.int64)]
        for span in self._timeline.spans(since, until):
            always = self._phase(span.phase).always
            if always is None:
                return touched_runs(self, ranges, since_us, until_us)
            found.append(always)
        # Nothing depends on how long any phase is touched: no states.
        return covered_runs(ranges, np.concatenate(found))

    def cuts(self, start: int, end: int, since_us: IntArray, until_us: IntArray) -> IntArray:
        """
        Return where pages may begin to be touched otherwise in some windows of time.

        Returns:
            int64, ascending, *start* first, all below *end*.
        """
        turn = self._turn(since_us, until_us)
        if turn is not None:
            cuts = self._phase(turn.phase).cuts(start, end, since_us, until_us, turn.begin_us)
            return np.unique(np.append(cuts, start))
        found = [np.array([start])]
        for span in self._timeline.spans(since_us, until_us):
            _, since, until = _parts(span, since_us, until_us)
            found.append(self._phase(span.phase).cuts(start, end, since, until, span.begin_us))
        return np.unique(np.concatenate(found))

    def survey(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> States:
        """
        Tell what pages do between cuts, by one address of each piece.

        Args:
            addresses: int64, shape (nr_pieces,): what ``cuts`` returned.

            since_us: int64, shape (nr_windows,), the same as for ``cuts``.

            until_us: int64, shape (nr_windows,).

        Returns:
            uint8, shape (nr_windows, nr_pieces): see ``process_table``.
        """
        turn = self._turn(since_us, until_us)
        if turn is not None:
            return self._phase(turn.phase).survey(addresses, since_us, until_us, turn.begin_us)
        states = np.full((len(since_us), len(addresses)), UNTOUCHED, np.uint8)
        for span in self._timeline.spans(since_us, until_us):
            rows, since, until = _parts(span, since_us, until_us)
            part = self._phase(span.phase).survey(addresses, since, until, span.begin_us)
            # A window may reach into several turns, and is touched if any is.
            states[rows] = either(states[rows], part)
        return states

    def count(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> IntArray:
        """
        Count for each page in how many of some adjoining windows it is touched.

        Args:
            addresses: int64, shape (n,).

            since_us: int64, shape (nr_windows,), each the end of the one before.

            until_us: int64, shape (nr_windows,).

        Returns:
            int64, shape (n,).
        """
        counts = np.zeros(len(addresses), np.int64)
        is_left = np.ones(len(since_us), np.bool_)
        for span in self._timeline.spans(since_us, until_us):
            # Windows that lie in one turn as a whole are the phase's own business.
            first = int(since_us.searchsorted(span.begin_us, "left"))
            last = int(until_us.searchsorted(span.end_us, "right"))
            if first < last:
                rows = slice(first, last)
                phase = self._phase(span.phase)
                counts += phase.count(addresses, since_us[rows], until_us[rows], span.begin_us)
                is_left[rows] = False
        if is_left.any():
            left = self._accessed_across(addresses[None], since_us[is_left], until_us[is_left])
            counts += left.sum(axis=0)
        return counts

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
