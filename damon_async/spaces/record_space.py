"""
What DAMON once recorded, taken as the truth and touched again.

A record tells of each region in how many of the sampling intervals of a
snapshot it was found accessed. The replay touches every page of the region in
exactly that share of the intervals: page *p* is touched in interval *k* when

    ((k + 1 + phase(p)) * nr) // max  >  ((k + phase(p)) * nr) // max

that is *nr* times in any *max* intervals in a row, evenly spread. The phase is a
hash of the page, so that the pages of a region do not beat in time. A fresh
draw for every page and interval would be noisier without being truer, and
touches between any two instants could not be counted by two divisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from .layout import SMALL_PAGE
from .process_table import TOUCHED, UNDECIDED, States
from .space import Mapping, Truth
from .truth import count_touches

DEFAULT_SAMPLE_US: Final = 5000
"""Assumed where a record does not tell its sampling interval; DAMON's default."""

# Odd, near 2**64 over the golden ratio: neighbours get phases far apart.
_SCATTER: Final = np.uint64(0x9E3779B97F4A7C15)


class RecordedState(NamedTuple):
    """
    One snapshot of a record.

    Arrays are int64, shape (nr_regions,), ordered by start; regions do not
    overlap.
    """

    start_us: int
    """When its aggregation began, in microseconds of any clock."""

    end_us: int
    """When it ended."""

    start: IntArray
    """First byte of each region."""

    end: IntArray
    """One past the last byte of each region."""

    nr_accesses: IntArray
    """Sampling intervals in which each region was found accessed."""

    sample_us: int = 0
    """Sampling interval; 0 if not known: 5 ms."""

    max_nr_accesses: int = 0
    """What *nr_accesses* can be at most; 0 if not known: what the times allow."""

    age_us: IntArray | None = None
    """For how long before *start_us* each region was as it is; None if not known."""


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """
    A stretch of time in which rates do not change.

    Only regions that are touched at all are kept. A page belongs to the region
    that holds its first byte, so bounds are rounded up to whole pages.
    """

    start: IntArray
    end: IntArray
    nr: IntArray
    most: int
    sample_us: int

    def nr_at(self, pages: IntArray) -> IntArray:
        """Return how often the pages at these addresses are touched per *most*."""
        if not len(self.start):
            return np.zeros_like(pages)
        row = np.maximum(np.searchsorted(self.start, pages, side="right") - 1, 0)
        inside = (pages >= self.start[row]) & (pages < self.end[row])
        return np.where(inside, self.nr[row], 0)

    def ticks(self, instants_us: IntArray) -> IntArray:
        """Return the number of the first touch that may happen at or after each instant."""
        return -(-instants_us // self.sample_us)


class _Part(NamedTuple):
    # The intervals, as a slice, that reach into a segment, and the numbers of
    # the first possible touch in it and of the first one after it.
    segment: _Segment
    rows: slice
    since: IntArray
    until: IntArray


class RecordSpace:
    """
    Memory that is touched as a DAMON record says.

    Time begins with the record. A snapshot holds until the next one begins:
    recorders that look once per second leave gaps, and what was seen last is the
    best guess for them. Where ages are known, the regions of the first snapshot
    were touched alike for their age before it, and the record begins that much
    earlier, as in damo's heatmaps.

    Pure: answers depend on the arguments alone.

    Args:
        states: The snapshots of one target, in the order of time.

        page_size: Bytes that share one accessed mark.

    Raises:
        InvalidError: If there is no snapshot, or time goes back.
    """

    def __init__(self, states: Sequence[RecordedState], page_size: int = SMALL_PAGE) -> None:
        _check(states)
        whole = [*_history(states[0]), *states]
        # Recorders count from the boot of their machine.
        origin = whole[0].start_us
        self.page_size: Final = page_size
        self._begins = np.array([state.start_us - origin for state in whole], dtype=np.int64)
        self._end_us = states[-1].end_us - origin
        # Where snapshots overlap, the later one knows better.
        self._ends = np.append(self._begins[1:], self._end_us)
        self._segments = [_segment(state, page_size) for state in whole]
        self._mappings = _mappings(states, page_size)

    def __repr__(self) -> str:
        return f"<RecordSpace {len(self._segments)} states in {self._end_us} us>"

    @property
    def is_pure(self) -> bool:
        """Always true."""
        return True

    @property
    def lifetime_us(self) -> int:
        """The end of the last snapshot."""
        return self._end_us

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return all that was ever monitored, cold or hot; nothing after the end."""
        return self._mappings if now_us < self._end_us else ()

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """
        Tell for each address whether its page was touched in an interval.

        Shapes and meaning are those of ``Space.accessed``.
        """
        addresses = np.broadcast_to(addresses, (len(since_us), addresses.shape[1]))
        answers = np.zeros(addresses.shape, dtype=np.bool_)
        for part in self._parts(since_us.reshape(-1), until_us.reshape(-1)):
            # Huge pages have one phase and one rate as a whole.
            pages = addresses[part.rows] // self.page_size
            nr = part.segment.nr_at(pages * self.page_size)
            most = part.segment.most
            phase = _phase(pages, most)
            before = (part.since[:, None] + phase) * nr // most
            answers[part.rows] |= (part.until[:, None] + phase) * nr // most > before
        return answers

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """
        Count for every page in ``[start, end)`` the intervals that touched it.

        Shapes and meaning are those of ``Space.truth``. Exact; regions touched
        always or never are one run each, others are counted page by page.
        """
        return count_touches(self, start, end, instants_us)

    def cuts(self, start: int, end: int, since_us: IntArray, until_us: IntArray) -> IntArray:
        """Return where bands that are touched alike begin, *start* first."""
        # Regions move between snapshots; a band is what no edge of any of them cuts.
        edges = [np.array([start], dtype=np.int64)]
        for part in self._parts(since_us, until_us):
            edges += [part.segment.start, part.segment.end]
        cuts = np.unique(np.concatenate(edges))
        return cuts[(cuts >= start) & (cuts < end)]

    def survey(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> States:
        """
        Tell what whole bands do, by one address of each.

        Args:
            addresses: int64, shape (nr_bands,).

            since_us: int64, shape (nr_intervals,), ascending.

            until_us: int64, shape (nr_intervals,).

        Returns:
            uint8, shape (nr_intervals, nr_bands).
        """
        states = np.zeros((len(since_us), len(addresses)), dtype=np.uint8)
        pages = addresses // self.page_size * self.page_size
        for part in self._parts(since_us, until_us):
            # Summed over an interval, a page gets this many touches, rounded up
            # or down by its phase.
            nr_ticks = np.maximum(part.until - part.since, 0)
            most_touches = nr_ticks[:, None] * part.segment.nr_at(pages)
            # Segments are joined by "or": what one of them touches is touched.
            some = states[part.rows]
            some[(some != TOUCHED) & (most_touches > 0)] = UNDECIDED
            some[most_touches >= part.segment.most] = TOUCHED
        return states

    def _parts(self, since_us: IntArray, until_us: IntArray) -> Iterator[_Part]:
        if not len(since_us):
            return
        # Only segments that the window reaches into; mostly one or two.
        first = int(np.searchsorted(self._ends, since_us[0], side="right"))
        last = int(np.searchsorted(self._begins, until_us[-1]))
        for index in range(first, last):
            begin, end = self._begins[index], self._ends[index]
            rows = slice(
                int(np.searchsorted(until_us, begin, side="right")),
                int(np.searchsorted(since_us, end)),
            )
            # A segment of no length, or in a gap between intervals, has no rows.
            if rows.start < rows.stop:
                segment = self._segments[index]
                since = segment.ticks(np.maximum(since_us[rows], begin))
                until = segment.ticks(np.minimum(until_us[rows], end))
                yield _Part(segment, rows, since, until)


def _check(states: Sequence[RecordedState]) -> None:
    if not states:
        raise InvalidError("a record without snapshots cannot be replayed")
    begins = [state.start_us for state in states]
    if sorted(begins) != begins or states[-1].end_us < begins[-1]:
        raise InvalidError("the snapshots of a record must be in the order of time")


def _history(state: RecordedState) -> Iterator[RecordedState]:
    """Yield what a snapshot tells by its ages about the time before it."""
    if state.age_us is None or not len(state.age_us):
        return
    # Files mark unknown ages as negative.
    begins = state.start_us - np.maximum(state.age_us, 0)
    instants = np.unique(np.append(begins, state.start_us)).tolist()
    most = _most(state)
    # A new state at each instant at which one of the regions became what it is.
    for begin, end in pairwise(instants):
        alike = begins <= begin
        yield RecordedState(
            begin,
            end,
            state.start[alike],
            state.end[alike],
            state.nr_accesses[alike],
            state.sample_us,
            most,
        )


def _segment(state: RecordedState, page_size: int) -> _Segment:
    most = _most(state)
    start = -(-state.start // page_size) * page_size
    end = -(-state.end // page_size) * page_size
    kept = (state.nr_accesses > 0) & (start < end)
    # Real recordings have counts one above the maximum: the timers drift.
    nr = np.minimum(state.nr_accesses[kept], most)
    return _Segment(start[kept], end[kept], nr, most, state.sample_us or DEFAULT_SAMPLE_US)


def _most(state: RecordedState) -> int:
    length_us = state.end_us - state.start_us
    return max(1, state.max_nr_accesses or length_us // (state.sample_us or DEFAULT_SAMPLE_US))


def _phase(pages: IntArray, most: int) -> IntArray:
    """Return a number below *most* for each page."""
    # The upper bits are the well mixed ones; 31 of them stay positive in int64.
    scattered = (pages.astype(np.uint64) * _SCATTER) >> np.uint64(33)
    return scattered.astype(np.int64) % most


def _mappings(states: Sequence[RecordedState], page_size: int) -> tuple[Mapping, ...]:
    start = np.concatenate([state.start for state in states]) // page_size * page_size
    end = -(-np.concatenate([state.end for state in states]) // page_size) * page_size
    order = np.argsort(start, kind="stable")
    start, reach = start[order], np.maximum.accumulate(end[order])
    # A range begins where nothing before it reaches.
    firsts = np.flatnonzero(np.append([True], start[1:] > reach[:-1])[: len(start)])
    lasts = np.append(firsts[1:] - 1, [len(start) - 1])[: len(firsts)]
    return tuple(
        Mapping(begin, stop, page_size)
        for begin, stop in zip(start[firsts].tolist(), reach[lasts].tolist(), strict=True)
    )
