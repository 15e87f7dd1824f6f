"""
The regions of one context: a flat struct of arrays.

Targets are a column, not a table each, so that every step of the monitor is
one array operation however many targets there are.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..arrays import IntArray

# What places a region comes first: merging and splitting treat counters alike.
TARGET, START, END, NR_ACCESSES, LAST_NR_ACCESSES, AGE = range(6)
NR_COLUMNS = 6


class RegionTable:
    """
    Regions ordered by target, then by start; within a target none overlap.

    The columns are rows of one array, so that picking, repeating or dropping
    regions moves all of their fields in a single operation. Whoever changes
    the number of regions replaces ``cells``; counters may be changed in place.

    Attributes:
        cells: int64, shape (6, nr_regions), rows ``target``, ``start``,
            ``end``, ``nr_accesses``, ``last_nr_accesses`` and ``age``.

    Source:
        spec core 2.3. Differs: no sampling address (it lives for one window
        and belongs to the monitor) and no running ``nr_accesses_bp`` (computed
        on demand, ``rates.frequency``).
    """

    __slots__ = ("cells",)

    def __init__(self, cells: IntArray | None = None) -> None:
        self.cells = np.zeros((NR_COLUMNS, 0), np.int64) if cells is None else cells

    @classmethod
    def from_ranges(cls, ranges: IntArray, target: int = 0) -> RegionTable:
        """
        Return one fresh region per range.

        Args:
            ranges: int64, shape (nr_ranges, 2), ascending ``[start, end)``.

            target: Index of the target they belong to.
        """
        cells = np.zeros((NR_COLUMNS, len(ranges)), np.int64)
        cells[TARGET] = target
        cells[START : END + 1] = ranges.T
        return cls(cells)

    @classmethod
    def joined(cls, tables: Iterable[RegionTable]) -> RegionTable:
        """Return the regions of *tables*, whose targets ascend, as one table."""
        parts = [table.cells for table in tables]
        # NumPy refuses to join nothing.
        return cls(np.concatenate(parts, axis=1) if parts else None)

    @property
    def target(self) -> IntArray:
        """int64, shape (nr_regions,): index of the target, ascending."""
        column: IntArray = self.cells[TARGET]
        return column

    @property
    def start(self) -> IntArray:
        """int64, shape (nr_regions,): first byte."""
        column: IntArray = self.cells[START]
        return column

    @property
    def end(self) -> IntArray:
        """int64, shape (nr_regions,): one past the last byte."""
        column: IntArray = self.cells[END]
        return column

    @property
    def nr_accesses(self) -> IntArray:
        """int64, shape (nr_regions,): samples found accessed so far."""
        column: IntArray = self.cells[NR_ACCESSES]
        return column

    @property
    def last_nr_accesses(self) -> IntArray:
        """int64, shape (nr_regions,): ``nr_accesses`` as last published."""
        column: IntArray = self.cells[LAST_NR_ACCESSES]
        return column

    @property
    def age(self) -> IntArray:
        """int64, shape (nr_regions,): aggregations with the same pattern."""
        column: IntArray = self.cells[AGE]
        return column

    @property
    def sizes(self) -> IntArray:
        """int64, shape (nr_regions,): bytes per region; a new array."""
        sizes: IntArray = self.cells[END] - self.cells[START]
        return sizes

    @property
    def total_bytes(self) -> int:
        """Bytes in all regions; exact even if that exceeds 63 bits."""
        sizes = self.sizes
        # Several targets may each be as large as int64 can say.
        if sizes.sum(dtype=np.float64) < 2.0**62:
            return int(sizes.sum())
        return int(sum(sizes.tolist()))

    def __len__(self) -> int:
        """Return the number of regions, over all targets."""
        nr_regions: int = self.cells.shape[1]
        return nr_regions

    def __repr__(self) -> str:
        """Say how much is monitored in how many regions."""
        return f"<RegionTable {len(self)} regions, {self.total_bytes} bytes>"

    def rows(self, target: int) -> slice:
        """Return where the regions of *target* stand."""
        # Targets ascend, so the regions of each are neighbours.
        low, high = np.searchsorted(self.cells[TARGET], [target, target + 1])
        return slice(int(low), int(high))

    def of_target(self, target: int) -> RegionTable:
        """Return a view of the regions of *target* only."""
        return RegionTable(self.cells[:, self.rows(target)])

    def copy(self) -> RegionTable:
        """Return a table that shares nothing with this one."""
        return RegionTable(self.cells.copy())
