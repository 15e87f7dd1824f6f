"""Which phase of a pattern an instant belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from ..arrays import IntArray

FOREVER_US: Final = 2**62
"""Longer than any run; still far from the end of int64."""


class Span(NamedTuple):
    """One turn of one phase, ``[begin_us, end_us)``."""

    phase: int
    """Index of the phase."""

    begin_us: int
    end_us: int


class Timeline:
    """
    Phases one after the other, and again.

    Args:
        lengths_us: How long each phase lasts. One of length 0 never comes.

        laps: How often the whole sequence runs; 0 means for ever.

        limit_us: When it ends in any case; 0 means no limit.
    """

    def __init__(self, lengths_us: Sequence[int], laps: int = 1, limit_us: int = 0) -> None:
        # Plain integers: one lookup per call, and laps times microseconds may be
        # more than int64 holds.
        self._ends = list(accumulate(lengths_us))
        self._lap_us = self._ends[-1] if self._ends else 0
        ends = [FOREVER_US]
        if laps or not self._lap_us:
            ends.append(self._lap_us * laps)
        if limit_us:
            ends.append(limit_us)
        self._end_us = min(ends)

    @property
    def nr_phases(self) -> int:
        """How many phases a lap has."""
        return len(self._ends)

    @property
    def end_us(self) -> int | None:
        """The instant at which the last phase ends, None if there is none."""
        return None if self._end_us == FOREVER_US else self._end_us

    def span_at(self, now_us: int) -> Span | None:
        """Return the turn that *now_us* falls into, None outside of all time."""
        if not 0 <= now_us < self._end_us:
            return None
        lap, inside = divmod(now_us, self._lap_us)
        # To the right of equal ends, which passes over phases of no length.
        phase = bisect_right(self._ends, inside)
        begin = self._ends[phase - 1] if phase else 0
        origin = lap * self._lap_us
        return Span(phase, origin + begin, min(origin + self._ends[phase], self._end_us))

    def spans(self, since_us: IntArray, until_us: IntArray) -> Iterator[Span]:
        """
        Walk through the turns that some windows of time overlap.

        Args:
            since_us: int64, shape (nr_windows,), ascending.

            until_us: int64, shape (nr_windows,), ascending.

        Yields:
            Ascending spans, none twice, none that no window reaches into.
        """
        at, stop = max(0, int(since_us[0])), int(until_us[-1])
        while at < stop:
            span = self.span_at(at)
            if span is None:
                return
            yield span
            if span.end_us >= stop:
                return
            # Windows may be hours apart, with millions of turns between them.
            waiting = until_us.searchsorted(span.end_us, "right")
            at = max(span.end_us, int(since_us[waiting]))
