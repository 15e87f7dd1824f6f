"""
The truth of a pattern: how often each page was touched.

A band whose process touches all of its pages or none in every window is one
run, however big it is. Only where the answer depends on the page are pages
counted, in pieces of bounded size, and put together to runs again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np

from ..arrays import BoolArray, IntArray
from .process_table import TOUCHED, UNDECIDED, States
from .space import Truth

_MAX_ANSWERS: Final = 2**18
"""Answers that are held at once: some 10 MB with what is needed to find them."""


class Surveyed(Protocol):
    """A space that can tell what whole bands do."""

    @property
    def page_size(self) -> int:
        """Bytes that share one accessed mark."""
        ...

    def cuts(self, start: int, end: int, since_us: IntArray, until_us: IntArray) -> IntArray:
        """Return where bands begin, *start* first."""
        ...

    def survey(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> States:
        """Tell what whole bands do."""
        ...

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell what single pages do."""
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
    since, until = instants_us[:-1], instants_us[1:]
    if not len(since) or start >= end:
        bounds = np.array([start, end] if start < end else [start])
        return Truth(bounds, np.zeros(len(bounds) - 1, np.int64), len(since))
    surveyed, stretches = _survey(space, start, end, since, until)
    runs = _joined([surveyed, *_counted(space, stretches, since, until)])
    # A run ends where the next one begins; only the last needs to be told.
    bounds = np.append(runs.starts, end)
    return Truth(bounds, runs.counts, len(since))


def _survey(
    space: Surveyed, start: int, end: int, since: IntArray, until: IntArray
) -> tuple[_Runs, _Stretches]:
    cuts = space.cuts(start, end, since, until)
    counts = np.zeros(len(cuts), np.int64)
    is_open = np.zeros(len(cuts), np.bool_)
    for rows in _slices(len(since), len(cuts)):
        states = space.survey(cuts, since[rows], until[rows])
        counts += (states == TOUCHED).sum(axis=0)
        is_open |= (states == UNDECIDED).any(axis=0)
    ends = np.append(cuts[1:], end)
    # A band with a single undecided window is counted page by page in all windows:
    # those that are decided cost next to nothing there.
    certain = _Runs(cuts[~is_open], counts[~is_open])
    return certain, _Stretches(cuts[is_open], ends[is_open])


def _counted(
    space: Surveyed, stretches: _Stretches, since: IntArray, until: IntArray
) -> Iterator[_Runs]:
    # Yields the runs of all stretches, a bounded number of pages at a time.
    page_size = space.page_size
    first = stretches.starts // page_size
    nr_pages = -(-stretches.ends // page_size) - first
    ends = np.cumsum(nr_pages)
    total = int(ends[-1]) if len(ends) else 0
    for piece in _slices(total, min(len(since), _MAX_ANSWERS // 16)):
        # Pages of all stretches are numbered through, so that a hundred small
        # stretches are as cheap as one big one.
        index = np.arange(piece.start, piece.stop)
        stretch = ends.searchsorted(index, "right")
        page = first[stretch] + index - (ends - nr_pages)[stretch]
        pages = page * page_size
        counts = _count_pages(space, pages, since, until)
        # The first page of a stretch may begin before it.
        starts = np.maximum(pages, stretches.starts[stretch])
        # Equal neighbours become one run here already, so that what is kept
        # between pieces is the size of the result.
        is_new = np.ones(len(index), np.bool_)
        is_new[1:] = (np.diff(counts) != 0) | (np.diff(stretch) != 0)
        yield _Runs(starts[is_new], counts[is_new])


def _count_pages(space: Surveyed, pages: IntArray, since: IntArray, until: IntArray) -> IntArray:
    counts = np.zeros(len(pages), np.int64)
    for rows in _slices(len(since), len(pages)):
        touched = space.accessed(pages[None, :], since[rows, None], until[rows, None])
        counts += touched.sum(axis=0)
    return counts


def _joined(parts: list[_Runs]) -> _Runs:
    starts = np.concatenate([part.starts for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    order = np.argsort(starts, kind="stable")
    starts, counts = starts[order], counts[order]
    # Whatever divided them, neighbours with one count are one run.
    is_new = np.ones(len(starts), np.bool_)
    is_new[1:] = np.diff(counts) != 0
    return _Runs(starts[is_new], counts[is_new])


def _slices(length: int, width: int) -> Iterator[slice]:
    # Cuts a table of *length* rows so that a piece holds few enough answers.
    step = max(1, _MAX_ANSWERS // max(1, width))
    for begin in range(0, length, step):
        yield slice(begin, min(begin + step, length))
