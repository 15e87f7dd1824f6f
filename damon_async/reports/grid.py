"""
Heat over time and addresses, as a grid of cells.

Source:
    spec damo 5, and the output of damo 3.4.3 to the last digit.
    Differs: snapshots before the first row are left out, where damo takes their
    heat away from it; what ends where a cell begins does not belong to the cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidError
from ..records.snapshot import Snapshot
from .rows import access_hz, ages_us

_DENSE: Final = 8
"""Regions per cell from which on they are added up at once."""


@dataclass(frozen=True, slots=True)
class Axes:
    """
    Where the cells of a grid lie.

    Cells are whole nanoseconds and bytes; what is left over at the ends of both
    axes is not shown.
    """

    start_ns: int
    """Beginning of the first row."""

    time_unit_ns: int
    """Length of a row."""

    nr_rows: int
    """How many rows."""

    start: int
    """First byte of the first column."""

    space_unit: int
    """Bytes of a column."""

    nr_columns: int
    """How many columns."""

    @classmethod
    def over(
        cls, times_ns: tuple[int, int], addresses: tuple[int, int], nr_rows: int, nr_columns: int
    ) -> Axes:
        """
        Divide ranges into cells, fewer if they are too short.

        Raises:
            InvalidError: If a range is empty, or less than one cell is wanted.
        """
        (start_ns, end_ns), (start, end) = times_ns, addresses
        if min(nr_rows, nr_columns) < 1:
            msg = f"a heatmap of {nr_rows} x {nr_columns} cells cannot be drawn; at least 1 x 1"
            raise InvalidError(msg)
        if start_ns >= end_ns or start >= end:
            msg = f"nothing lies in {start_ns} to {end_ns} ns and addresses {start} to {end}"
            raise InvalidError(msg)
        # A cell is at least one nanosecond and one byte.
        nr_rows, nr_columns = min(nr_rows, end_ns - start_ns), min(nr_columns, end - start)
        time_unit_ns, space_unit = (end_ns - start_ns) // nr_rows, (end - start) // nr_columns
        return cls(start_ns, time_unit_ns, nr_rows, start, space_unit, nr_columns)

    @property
    def end_ns(self) -> int:
        """End of the last row."""
        return self.start_ns + self.nr_rows * self.time_unit_ns

    @property
    def end(self) -> int:
        """One past the last byte of the last column."""
        return self.start + self.nr_columns * self.space_unit


class _Shares(NamedTuple):
    """Which parts of which regions lie in which columns; arrays of equal length."""

    region: IntArray
    """Index of the region, ascending."""

    column: IntArray
    """Index of the column."""

    size: IntArray
    """Bytes of the region in it."""


class HeatGrid:
    """
    Adds up heat: the mean over each cell, weighted by time and bytes.

    Args:
        axes: The cells.

    Attributes:
        axes: As above.
    """

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self._means: FloatArray = np.zeros((axes.nr_rows, axes.nr_columns))
        self._is_covered: BoolArray = np.zeros((axes.nr_rows, axes.nr_columns), dtype=np.bool_)

    @property
    def heat(self) -> FloatArray:
        """float64, shape (nr_rows, nr_columns); NaN where nothing was added."""
        return np.where(self._is_covered, self._means, np.nan)

    def add(
        self, begins_ns: IntArray, end_ns: int, starts: IntArray, ends: IntArray, heats: FloatArray
    ) -> None:
        """
        Add regions that lasted until the same instant.

        Args:
            begins_ns: int64, shape (nr_regions,): since when each has its heat.

            end_ns: Until when.

            starts: int64, shape (nr_regions,): first bytes; regions do not overlap.

            ends: int64, shape (nr_regions,): one past the last bytes.

            heats: float64, shape (nr_regions,).
        """
        axes = self.axes
        if end_ns <= axes.start_ns or not len(starts):
            return
        shares = _shares(starts, ends, axes)
        # Only rows that the regions reach into.
        # Down for the first, up for the last; twice negated, because // rounds
        # down, and floats would lose nanoseconds.
        first = max(0, (int(begins_ns.min()) - axes.start_ns) // axes.time_unit_ns)
        last = min(axes.nr_rows, -((axes.start_ns - end_ns) // axes.time_unit_ns))
        for row in range(first, last):
            low = axes.start_ns + row * axes.time_unit_ns
            high = min(end_ns, low + axes.time_unit_ns)
            self._add_row(row, shares, high - np.maximum(begins_ns, low), heats)

    def _add_row(
        self, row: int, shares: _Shares, durations_ns: IntArray, heats: FloatArray
    ) -> None:
        """Add shares to the cells of a row, one after the other within a cell."""
        cell_size = self.axes.time_unit_ns * self.axes.space_unit
        if durations_ns.min() <= 0:
            # Regions that begin after this row has ended.
            rows = np.flatnonzero(durations_ns[shares.region] > 0)
            shares = _Shares(*(each[rows] for each in shares))
        amounts = (heats * durations_ns)[shares.region] * shares.size
        # A view: what is written into it is written into the grid.
        means = self._means[row]
        self._is_covered[row, shares.column] = True
        if len(shares.column) > _DENSE * self.axes.nr_columns:
            # Hardly any region sees the border of a cell; nobody sees the last digit.
            sums = np.bincount(shares.column, amounts, self.axes.nr_columns)
            means += sums / cell_size
            return
        for layer in _layers(shares.column):
            columns = shares.column[layer]
            # A mean that is carried on, not a sum that is divided at the end: that
            # way the last digit comes out as with damo.
            means[columns] = (means[columns] * cell_size + amounts[layer]) / cell_size


def _shares(starts: IntArray, ends: IntArray, axes: Axes) -> _Shares:
    low = np.minimum(np.maximum(starts, axes.start), axes.end)
    high = np.minimum(np.maximum(ends, axes.start), axes.end)
    # Regions outside become empty ranges at an end, and get no columns.
    first = (low - axes.start) // axes.space_unit
    nr_columns = np.where(high > low, -((axes.start - high) // axes.space_unit) - first, 0)
    region = np.repeat(np.arange(len(starts)), nr_columns)
    # Counts up from the first column of each region.
    rank = np.arange(len(region)) - np.repeat(np.cumsum(nr_columns) - nr_columns, nr_columns)
    column = first[region] + rank
    begin = axes.start + column * axes.space_unit
    size = np.minimum(high[region], begin + axes.space_unit) - np.maximum(low[region], begin)
    return _Shares(region, column, size)


def _layers(columns: IntArray) -> Iterable[IntArray]:
    """Divide shares into groups that have at most one share in each column."""
    # Stable: within a column shares stay in the order of addresses.
    order = np.argsort(columns, kind="stable")
    ordered = columns[order]
    ranks = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    for rank in range(int(ranks.max(initial=-1)) + 1):
        yield order[ranks == rank]


def grid_of(snapshots: Iterable[Snapshot], axes: Axes, *, is_in_hz: bool) -> HeatGrid:
    """
    Fill a grid from the snapshots of one target.

    A region has been as hot as it is since its age began, but not before the
    snapshot before it ended.

    Args:
        snapshots: Ascending in time.

        axes: The cells.

        is_in_hz: Whether heat is accesses per second; else it is samples, and
            ages are not known in time.
    """
    grid = HeatGrid(axes)
    last_end_ns: int | None = None
    for each in snapshots:
        begins_ns = np.full(each.nr_regions, each.start_ns)
        if is_in_hz:
            begins_ns -= ages_us(each) * 1000
        # What the snapshot before has seen is known better from that.
        if last_end_ns is not None:
            np.maximum(begins_ns, last_end_ns, out=begins_ns)
        heats = access_hz(each) if is_in_hz else each.nr_accesses.astype(np.float64)
        grid.add(begins_ns, each.end_ns, each.start, each.end, heats)
        last_end_ns = each.end_ns
    return grid
