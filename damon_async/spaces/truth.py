"""
The truth of a pattern: how often each page was touched.

A band whose process touches all of its pages or none in every window is one
run, however big it is. Only where the answer depends on the page are pages
counted, in pieces of bounded size, and put together to runs again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

from ..arrays import BoolArray, IntArray
from .process_table import TOUCHED, UNDECIDED, States
from .space import Truth

_MAX_ANSWERS: Final = 2**18
"""Answers that are held at once: some 10 MB with what is needed to find them."""

_MAX_INTERVALS: Final = 256
"""Intervals that are looked at together; each may cut bands into more pieces."""


class Surveyed(Protocol):
    """A space that can tell what whole pieces of memory do."""

    @property
    def page_size(self) -> int:
        """Bytes that share one accessed mark."""
        ...

    def cuts(self, start: int, end: int, since_us: IntArray, until_us: IntArray) -> IntArray:
        """Return where pages may begin to be touched otherwise, *start* first."""
        ...

    def survey(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> States:
        """Tell what the pieces between those cuts do, by their first addresses."""
        ...

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell what single pages do."""
        ...


@runtime_checkable
class Counted(Surveyed, Protocol):
    """A space that can count the touches of single pages faster than one by one."""

    def count(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> IntArray:
        """Count for each page in how many of some adjoining windows it is touched."""
        ...


class _Runs(NamedTuple):
    # Where runs begin, and their counts; a run ends where the next begins.
    starts: IntArray
    counts: IntArray


class _Stretches(NamedTuple):
    # Ranges whose pages have to be counted one by one.
    starts: IntArray
    ends: IntArray


def count_touches(space: Surveyed, start: int, end: int, instants_us: IntArray) -> Truth:
    """
    Count for every page in ``[start, end)`` the intervals that touched it.

    Args:
        space: Whose truth; its memory may be of any size.

        start: First byte.

        end: One past the last byte.

        instants_us: int64, shape (nr_intervals + 1,), ascending.
    """
    nr_intervals = max(0, len(instants_us) - 1)
    if start >= end:
        return Truth(np.array([start]), np.zeros(0, np.int64), nr_intervals)
    runs: _Runs | None = None
    for first in range(0, nr_intervals, _MAX_INTERVALS):
        some = instants_us[first : first + _MAX_INTERVALS + 1]
        new = _runs(space, start, end, some[:-1], some[1:])
        runs = new if runs is None else _sum(runs, new)
    if runs is None:
        runs = _Runs(np.array([start]), np.zeros(1, np.int64))
    # A run ends where the next one begins; only the last needs to be told.
    return Truth(np.append(runs.starts, end), runs.counts, nr_intervals)


@runtime_checkable
class Ranged(Protocol):
    """A space that can be asked about many ranges at once."""

    def touched_runs(self, ranges: IntArray, since_us: int, until_us: int) -> IntArray:
        """Return what of *ranges* was touched in an interval; see the function of that name."""
        ...


def touched_runs(space: Surveyed, ranges: IntArray, since_us: int, until_us: int) -> IntArray:
    """
    Return what of some ranges was touched in an interval.

    The same as the truth about each of them, at the price of one.

    Args:
        space: Whose truth.

        ranges: int64, shape (nr_ranges, 2): ``[start, end)``, ascending and not
            overlapping; at least one.

        since_us: When the interval begins.

        until_us: When it ends.

    Returns:
        int64, shape (nr_runs, 2), ascending.
    """
    since, until = np.array([since_us]), np.array([until_us])
    cuts = space.cuts(int(ranges[0, 0]), int(ranges[-1, 1]), since, until)
    bounds = np.unique(np.concatenate((cuts, ranges.ravel())))
    starts, ends = bounds[:-1], bounds[1:]
    # What lies between ranges is nobody's business, and may be large.
    is_inside = starts < ranges[ranges[:, 0].searchsorted(starts, "right") - 1, 1]
    starts, ends = starts[is_inside], ends[is_inside]
    states = space.survey(starts, since, until)[0]
    runs: IntArray = np.stack([starts, ends], axis=1)
    open_ = states == UNDECIDED
    touched: IntArray = runs[states == TOUCHED]
    if not open_.any():
        return touched
    stretches = _Stretches(starts[open_], ends[open_])
    # Counted in pieces, of which one may begin where another one's last run goes on.
    counted = zip(*_counted(space, stretches, since, until), strict=True)
    found = _closed(_Runs(*(np.concatenate(column) for column in counted)), stretches)
    joined: IntArray = np.concatenate([touched, found])
    in_order: IntArray = joined[np.argsort(joined[:, 0], kind="stable")]
    return in_order


def covered_runs(ranges: IntArray, covers: IntArray) -> IntArray:
    """
    Return what of some ranges is covered by others.

    Args:
        ranges: int64, shape (nr_ranges, 2): ``[start, end)``.

        covers: int64, shape (nr_covers, 2), in any order; they may overlap.

    Returns:
        int64, shape (nr_runs, 2), ascending and not overlapping.
    """
    bounds = np.unique(np.concatenate((ranges.ravel(), covers.ravel())))
    starts = bounds[:-1]
    is_chosen = _is_covered(starts, ranges) & _is_covered(starts, covers)
    runs: IntArray = np.stack((starts, bounds[1:]), axis=1)[is_chosen]
    return runs


def _is_covered(places: IntArray, ranges: IntArray) -> BoolArray:
    # More ranges have begun there than have ended.
    nr_begun = np.sort(ranges[:, 0]).searchsorted(places, "right")
    is_covered: BoolArray = nr_begun > np.sort(ranges[:, 1]).searchsorted(places, "right")
    return is_covered


def _closed(runs: _Runs, stretches: _Stretches) -> IntArray:
    """Return the touched ones of *runs*, each with its end: the next, or that of its stretch."""
    behind = stretches.ends[stretches.starts.searchsorted(runs.starts, "right") - 1]
    stops = np.minimum(np.append(runs.starts[1:], np.iinfo(np.int64).max), behind)
    closed: IntArray = np.stack([runs.starts, stops], axis=1)[runs.counts > 0]
    return closed


def _runs(space: Surveyed, start: int, end: int, since: IntArray, until: IntArray) -> _Runs:
    cuts = space.cuts(start, end, since, until)
    states = space.survey(cuts, since, until)
    counts = (states == TOUCHED).sum(axis=0)
    # A piece with a single undecided window is counted page by page in all windows:
    # those that are decided cost next to nothing there.
    is_open = (states == UNDECIDED).any(axis=0)
    ends = np.append(cuts[1:], end)
    parts = [_Runs(cuts[~is_open], counts[~is_open])]
    parts += _counted(space, _Stretches(cuts[is_open], ends[is_open]), since, until)
    starts, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(starts, kind="stable")
    return _shortened(starts[order], counts[order])


def _sum(one: _Runs, other: _Runs) -> _Runs:
    # Counts of the same memory in two spans of time.
    # Sorted by hand: both are sorted already, which union1d makes nothing of.
    starts = np.sort(np.concatenate((one.starts, other.starts)), kind="stable")
    starts = starts[np.append(np.diff(starts) > 0, True)]
    counts = [runs.counts[runs.starts.searchsorted(starts, "right") - 1] for runs in (one, other)]
    return _shortened(starts, counts[0] + counts[1])


def _shortened(starts: IntArray, counts: IntArray) -> _Runs:
    # Whatever divided them, neighbours with one count are one run.
    is_new = np.ones(len(starts), np.bool_)
    is_new[1:] = np.diff(counts) != 0
    return _Runs(starts[is_new], counts[is_new])


def _counted(
    space: Surveyed, stretches: _Stretches, since: IntArray, until: IntArray
) -> Iterator[_Runs]:
    # Yields the runs of all stretches, a bounded number of pages at a time.
    page_size = space.page_size
    first = stretches.starts // page_size
    nr_pages = -(-stretches.ends // page_size) - first
    ends = np.cumsum(nr_pages)
    total = int(nr_pages.sum())
    step = max(1, _MAX_ANSWERS // len(since))
    for begin in range(0, total, step):
        # Pages of all stretches are numbered through, so that a hundred small
        # stretches are as cheap as one big one.
        index = np.arange(begin, min(begin + step, total))
        stretch = ends.searchsorted(index, "right")
        pages = (first[stretch] + index - (ends - nr_pages)[stretch]) * page_size
        counts = _count_pages(space, pages, since, until)
        # The first page of a stretch may begin before it.
        starts = np.maximum(pages, stretches.starts[stretch])
        # Equal neighbours become one run here already, so that what is kept
        # between pieces is the size of the result.
        is_new = np.ones(len(index), np.bool_)
        is_new[1:] = (np.diff(counts) != 0) | (np.diff(stretch) != 0)
        yield _Runs(starts[is_new], counts[is_new])


def _count_pages(space: Surveyed, pages: IntArray, since: IntArray, until: IntArray) -> IntArray:
    if isinstance(space, Counted):
        return space.count(pages, since, until)
    addresses = np.broadcast_to(pages, (len(since), len(pages)))
    counts: IntArray = space.accessed(addresses, since[:, None], until[:, None]).sum(axis=0)
    return counts
