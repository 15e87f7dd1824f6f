"""Online commit: what the targets and regions of a running context become."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import IntArray
from ..errors import ParametersError, Problem
from ..operations.base import Operations
from ..params.monitoring import Target
from ..regions.ranges import replace_target, set_regions
from ..regions.table import TARGET, RegionTable


def ranges_of(target: Target) -> IntArray:
    """Return the ranges the user gave for *target*: int64, shape (nr_ranges, 2)."""
    # The shape must hold for no ranges at all, too.
    bounds = [(region.start, region.end) for region in target.regions]
    return np.array(bounds, np.int64).reshape(-1, 2)


def joined_ranges(ranges: IntArray) -> IntArray:
    """Return *ranges* with touching ones made one: int64, shape (nr, 2)."""
    if not len(ranges):
        return ranges
    # As given, not as rounded: the kernel joins before it rounds.
    apart = ranges[1:, 0] != ranges[:-1, 1]
    starts = ranges[np.append(True, apart), 0]
    return np.stack([starts, ranges[np.append(apart, True), 1]], axis=1)


def initial_table(targets: Sequence[Target], min_region_sz: int) -> RegionTable:
    """
    Return the regions that users gave, one per range.

    Raises:
        InvalidError: If ranges are empty or overlap once rounded.
    """
    tables = []
    for index, target in enumerate(targets):
        part = set_regions(RegionTable(), ranges_of(target), min_region_sz)
        part.cells[TARGET] = index
        tables.append(part)
    return RegionTable.joined(tables)


def updated_table(
    table: RegionTable,
    operations: Operations,
    targets: Sequence[Target],
    now_us: int,
    min_region_sz: int,
    *,
    only_missing: bool = False,
) -> RegionTable:
    """
    Return *table* adjusted to what the operations set says is to be monitored.

    Args:
        table: Regions of *targets*; not changed.

        operations: Asked about each target.

        targets: In the order of the table's target column.

        now_us: The time, in microseconds.

        min_region_sz: Bounds are rounded outwards to multiples of this.

        only_missing: Leave targets alone that have regions.

    Raises:
        InvalidError: If ranges are empty or overlap once rounded.

    Source:
        spec core 5.7.
    """
    for index, target in enumerate(targets):
        rows = table.rows(index)
        # What the user gave, or an earlier commit kept, is not overruled.
        if only_missing and rows.start < rows.stop:
            continue
        ranges = operations.ranges(target, now_us, min_region_sz)
        # None is no error: a process may have too few mappings for now.
        if ranges is not None:
            regions = set_regions(table.of_target(index), ranges, min_region_sz)
            table = replace_target(table, index, regions)
    return table


def committed_targets(
    old: Sequence[Target],
    new: Sequence[Target],
    table: RegionTable,
    min_region_sz: int,
) -> tuple[tuple[Target, ...], RegionTable]:
    """
    Match targets by index and say what they and their regions become.

    Nothing given is changed: this is the scratch copy on which a commit is
    tried, and it replaces the real thing only if all of it worked.

    Args:
        old: Targets being monitored.

        new: Targets committed. One without regions, or with those committed
            before, keeps the old one's; an obsolete one removes its counterpart;
            surplus old ones are removed.

        table: Regions of the old targets.

        min_region_sz: Bounds are rounded outwards to multiples of this.

    Raises:
        ParametersError: If an obsolete target has no counterpart.

        InvalidError: If ranges are empty or overlap once rounded.

    Source:
        spec core 2.7. Differs: regions that were committed before are not set
        again, as an operations update may have moved on since.
    """
    targets: list[Target] = []
    tables: list[RegionTable] = []
    for index, target in enumerate(new):
        if target.obsolete and index >= len(old):
            message = f"is obsolete, but only {len(old)} targets are monitored"
            raise ParametersError([Problem(f"targets[{index}]", message)])
        if target.obsolete:
            continue
        # The copy is the scratch copy: the table in use stays as it is.
        is_new = index >= len(old)
        part = RegionTable() if is_new else table.of_target(index).copy()
        if target.regions and (is_new or target.regions != old[index].regions):
            part = set_regions(part, joined_ranges(ranges_of(target)), min_region_sz)
        # Those behind a removed target move up.
        part.cells[TARGET] = len(targets)
        targets.append(target)
        tables.append(part)
    return tuple(targets), RegionTable.joined(tables)


def removed_targets(old: Sequence[Target], new: Sequence[Target]) -> list[int]:
    """Return the places, ascending, of old targets that a commit of *new* ones removes."""
    obsolete = [index for index, target in enumerate(new[: len(old)]) if target.obsolete]
    return obsolete + list(range(len(new), len(old)))
