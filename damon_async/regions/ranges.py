"""Making the regions of a target cover given ranges, keeping what is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import IntArray
from ..errors import InvalidError
from .table import END, NR_COLUMNS, START, TARGET, RegionTable

Row = list[int]
"""One region as plain integers, in the order of the table's columns."""


def aligned_ranges(ranges: IntArray, min_region_sz: int) -> IntArray:
    """
    Round ranges outwards to *min_region_sz* and check them.

    Args:
        ranges: int64, shape (nr_ranges, 2), ``[start, end)`` in bytes.

        min_region_sz: What bounds become multiples of.

    Returns:
        int64, shape (nr_ranges, 2).

    Raises:
        InvalidError: If a rounded range is empty, reversed, or starts before
            the one in front of it ends. Touching is fine.

    Source:
        spec core 5.6.
    """
    # Remainders of a negative number round up; the ranges given stay as they are.
    rounded = ranges.copy()
    rounded[:, 0] -= rounded[:, 0] % min_region_sz
    rounded[:, 1] += -rounded[:, 1] % min_region_sz
    # Checked as rounded: what the user gave may be fine and yet overlap then.
    for index, (start, end) in enumerate(rounded.tolist()):
        if end <= start:
            msg = f"range {index} [{start}, {end}) is empty: its end must lie behind its start"
            raise InvalidError(msg)
        if index and start < rounded[index - 1, 1]:
            msg = (
                f"range {index} starts at {start}, inside the one before it, which ends at "
                f"{rounded[index - 1, 1]}: ranges must ascend and not overlap"
            )
            raise InvalidError(msg)
    return rounded


def set_regions(table: RegionTable, ranges: IntArray, min_region_sz: int) -> RegionTable:
    """
    Return the regions of one target, adjusted to cover exactly *ranges*.

    Regions that intersect a range keep their counters, the outermost ones
    shrink or grow to its bounds, holes are filled with fresh regions.

    Args:
        table: Regions of a single target; not changed.

        ranges: int64, shape (nr_ranges, 2), ascending ``[start, end)``.

        min_region_sz: Bounds are rounded outwards to multiples of this.

    Raises:
        InvalidError: If the ranges are empty, reversed or overlap.

    Source:
        spec core 5.6, examples E16, E17 and E17b.
    """
    rounded = aligned_ranges(ranges, min_region_sz)
    target = int(table.target[0]) if len(table) else 0
    # As given, not as rounded: a region that only meets what rounding added has
    # nothing to tell about the range.
    starts, ends = ranges[:, :1], ranges[:, 1:]
    is_kept = ((starts < table.end) & (ends > table.start)).any(axis=0)
    old: list[Row] = table.cells[:, is_kept].T.tolist()
    if not old:
        return RegionTable.from_ranges(rounded, target)
    new: list[Row] = []
    # The position only grows: a region that spans two ranges is the first one's,
    # and the second one gets a fresh region (E17b).
    position = 0
    for (start, end), (low, high) in zip(ranges.tolist(), rounded.tolist(), strict=True):
        while position < len(old) and old[position][END] <= start:
            position += 1
        first = position
        while position < len(old) and old[position][START] < end:
            position += 1
        # Touching is not meeting: what begins where a range ends is the next one's.
        new += _fitted(old[first:position], low, high, target)
    return RegionTable(np.array(new, np.int64).T.copy())


def _fitted(rows: Sequence[Row], low: int, high: int, target: int) -> list[Row]:
    """Stretch or shrink *rows* to ``[low, high)`` and fill the holes between."""
    if not rows:
        return [_fresh(target, low, high)]
    fitted = [list(row) for row in rows]
    # Inner bounds stay; the outermost regions shrink or grow, counters and all.
    fitted[0][START] = low
    fitted[-1][END] = high
    filled = [fitted[0]]
    for row in fitted[1:]:
        if filled[-1][END] < row[START]:
            filled.append(_fresh(target, filled[-1][END], row[START]))
        filled.append(row)
    return filled


def _fresh(target: int, start: int, end: int) -> Row:
    """Return a region nothing is known of."""
    row = [0] * NR_COLUMNS
    row[TARGET], row[START], row[END] = target, start, end
    return row


def replace_target(table: RegionTable, target: int, regions: RegionTable) -> RegionTable:
    """Return *table* with the regions of *target* exchanged for *regions*."""
    rows = table.rows(target)
    # Regions that were made for this may not know yet whose they are.
    regions.cells[TARGET] = target
    before, behind = table.cells[:, : rows.start], table.cells[:, rows.stop :]
    return RegionTable(np.concatenate([before, regions.cells, behind], axis=1))
