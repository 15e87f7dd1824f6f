"""
The walk that merges, in jumps: for many regions that are mostly alike.

A group of regions with equal counts keeps that count as its average, so how far it
reaches is known for all regions at once: to the end of the run of equal counts, or
to the size limit. Only groups that go on behind their run, or whose ages differ, are
walked region by region. The result is that of the plain walk, to the byte.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from .table import RegionTable

SUMS_BELOW = 2**62
"""Sums of sizes and limits stay exact below it."""


class Groups(NamedTuple):
    """What regions become when they are merged; one entry per region that remains."""

    heads: IntArray
    """Row of the first region of each."""

    ends: IntArray
    """Where each ends."""

    counts: IntArray
    """Access count of each."""

    ages: IntArray
    """Age of each."""


def walk_runs(table: RegionTable, threshold: int, sz_limit: int) -> Groups:
    """
    Fold regions into their left neighbours if alike.

    Args:
        table: At least one region; not changed. Its size is below 2^62.

        threshold: Largest difference of access counts.

        sz_limit: Largest size of a group, in bytes, below 2^62.
    """
    reach = _reach(table, sz_limit)
    border = _borders(table)
    run_end = _run_ends(table.nr_accesses, border)
    stop = np.minimum(reach, run_end)
    is_plain = _run_ends(table.age, border) >= stop
    # Behind its run a group goes on where counts are close and sizes allow it. The
    # row behind the last one has any count: nobody reaches into it.
    behind = np.append(table.nr_accesses, 0)[run_end]
    is_close = np.abs(behind - table.nr_accesses) <= threshold
    is_plain &= ~is_close | (reach <= run_end) | border[run_end - 1]
    # No group ends at row 0, so that it can stand for those that are folded.
    jumps = np.where(is_plain, stop, 0).tolist()
    folding = _Folding(table, threshold, reach)
    row, nr_regions = 0, len(table)
    # Marks turn into an array at once, a list of rows one by one.
    is_head = bytearray(nr_regions)
    while row < nr_regions:
        is_head[row] = True
        row = jumps[row] or folding.fold(row)
    first = np.frombuffer(is_head, np.bool_).nonzero()[0]
    # Each group ends where the next one begins.
    last = np.append(first[1:], nr_regions) - 1
    counts, ages = table.nr_accesses[first], table.age[first]
    if folding.heads:
        # Heads ascend, so each is found where it was put.
        places = first.searchsorted(folding.heads)
        counts[places], ages[places] = folding.counts, folding.ages
    return Groups(first, table.end[last], counts, ages)


def _reach(table: RegionTable, sz_limit: int) -> IntArray:
    """Return for each row up to which one (not included) sizes allow a group to go."""
    sums = np.concatenate(([0], np.cumsum(table.sizes)))
    reach = sums.searchsorted(sums[:-1] + sz_limit, "right") - 1
    # A region above the limit is a group of its own.
    return np.maximum(reach, np.arange(1, len(table) + 1))


def _borders(table: RegionTable) -> BoolArray:
    """Tell for each row whether no group can reach from it into the next one."""
    borders = np.ones(len(table), np.bool_)
    np.not_equal(table.start[1:], table.end[:-1], out=borders[:-1])
    borders[:-1] |= table.target[1:] != table.target[:-1]
    return borders


def _run_ends(values: IntArray, borders: BoolArray) -> IntArray:
    """Return for each row where its run of equal *values* ends."""
    is_last = borders.copy()
    is_last[:-1] |= values[1:] != values[:-1]
    ends = np.flatnonzero(is_last) + 1
    lengths = ends.copy()
    lengths[1:] -= ends[:-1]
    return np.repeat(ends, lengths)


class _Folding:
    """
    Folds single groups, region by region.

    Attributes:
        heads: Rows where those begin that were folded.

        counts: Their counts.

        ages: Their ages.
    """

    def __init__(self, table: RegionTable, threshold: int, reach: IntArray) -> None:
        self.heads: list[int] = []
        self.counts: list[int] = []
        self.ages: list[int] = []
        self._cells = table.cells
        self._threshold = threshold
        self._reach = reach

    def fold(self, head: int) -> int:
        """Fold a group; return the row behind it."""
        # Sizes end it there at the latest: of all rows few are made Python's own.
        cells = self._cells[:, head : self._reach[head]].tolist()
        targets, starts, ends, counts, _, ages = cells
        last_end, count, age = ends[0], counts[0], ages[0]
        size, nr_folded = last_end - starts[0], 1
        for index in range(1, len(starts)):
            start, end = starts[index], ends[index]
            new_count, new_age = counts[index], ages[index]
            is_apart = start != last_end or targets[index] != targets[0]
            if is_apart or abs(new_count - count) > self._threshold:
                break
            added = end - start
            total = size + added
            # Plain integers are exact where sizes times counts exceed 63 bits.
            count = (count * size + new_count * added) // total
            age = (age * size + new_age * added) // total
            last_end, size, nr_folded = end, total, index + 1
        row = head + nr_folded
        self.heads.append(head)
        self.counts.append(count)
        self.ages.append(age)
        return row
