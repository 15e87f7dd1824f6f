"""
Merging: neighbours that are accessed alike become one region, and grow older.

A merged region is compared with its next neighbour by its new average, so the
walk is sequential by nature. It runs over plain lists, which beat both array
elements and a vector comparison followed by walking chains only (measured up
to 1,000 regions); the arrays are picked and written once, at the end. Of more
regions most are alike, and ``merge_runs`` jumps from group to group.
"""

from __future__ import annotations

import numpy as np

from .merge_runs import SUMS_BELOW, walk_runs
from .table import AGE, END, NR_ACCESSES, RegionTable

MANY_REGIONS = 1500
"""From so many on, jumping from group to group is faster than walking, unless all is noise."""

TARGETED_DIFFERENCE = 10
"""Counts that differ by at most a tenth of the largest are alike, at first."""


def update_ages(table: RegionTable, threshold: int) -> None:
    """
    Age regions whose access count stayed alike, reset the others; in place.

    Args:
        table: Regions at the end of an aggregation, not yet merged.

        threshold: Largest difference between ``nr_accesses`` and
            ``last_nr_accesses`` that counts as unchanged.

    Source:
        spec core 5.3 step 1, with the zero rule: a region that turns from never
        accessed to accessed, or back, has changed however small the count.
    """
    new, last, age = table.nr_accesses, table.last_nr_accesses, table.age
    # Whole columns at once: a region at a time, this alone would cost as much
    # as the walk that merges.
    changed = np.abs(new - last) > threshold
    changed |= (new == 0) != (last == 0)
    age += 1
    # True is 1 and False is 0, so that those that changed begin anew.
    age *= ~changed


def merge_similar(table: RegionTable, threshold: int, sz_limit: int) -> int:
    """
    Merge adjacent regions whose access counts are close, one pass.

    Args:
        table: Changed in place.

        threshold: Largest difference of ``nr_accesses`` between neighbours.

        sz_limit: Largest size of a merged region, in bytes.

    Returns:
        How many regions were merged away.

    Raises:
        ValueError: If *threshold* is negative.

    Source:
        spec core 5.3 step 2. Differs: does not update ages, ``update_ages``
        does.
    """
    if threshold < 0:
        msg = f"the merge threshold must not be negative, it is {threshold}"
        raise ValueError(msg)
    is_jumping = len(table) >= MANY_REGIONS and max(table.total_bytes, sz_limit) < SUMS_BELOW
    walk = walk_runs if is_jumping else _walk
    heads, ends, counts, ages = walk(table, threshold, sz_limit)
    nr_merged = len(table) - len(heads)
    # Settled memory is merged back to what it was; noisy memory often not at all.
    if nr_merged:
        # The picked row is the leftmost of each group: its target, start and
        # previous count are those of the merged region.
        merged = table.cells[:, heads]
        merged[END] = ends
        merged[NR_ACCESSES] = counts
        merged[AGE] = ages
        table.cells = merged
    return nr_merged


def merge_regions(
    table: RegionTable,
    *,
    max_nr_accesses: int,
    max_nr_regions: int,
    sz_limit: int,
) -> list[int]:
    """
    Update ages, then merge until the number of regions fits.

    Args:
        table: Regions at the end of an aggregation; changed in place.

        max_nr_accesses: Count of a region touched in every sampling interval.

        max_nr_regions: Passes with a growing threshold go on while there are
            more regions than this.

        sz_limit: Largest size of a merged region, in bytes. It wins over
            *max_nr_regions*: the result may have more regions.

    Returns:
        The thresholds tried, ascending.

    Source:
        spec core 5.3, P6: ages move once, the last threshold is really tried.
    """
    threshold = int(np.maximum.reduce(table.nr_accesses, initial=0)) // TARGETED_DIFFERENCE
    # Before the first pass only: more passes are not more aggregations (P6).
    update_ages(table, threshold)
    tried: list[int] = []
    while True:
        tried.append(threshold)
        merge_similar(table, threshold, sz_limit)
        # Where even the largest threshold leaves too many, the size limit or gaps
        # keep regions apart: no other threshold would help.
        if len(table) <= max_nr_regions or threshold >= max_nr_accesses:
            return tried
        threshold = next_threshold(threshold, max_nr_accesses)


def next_threshold(threshold: int, max_nr_accesses: int) -> int:
    """Return the merge threshold to try after *threshold* left too many regions."""
    if threshold < max_nr_accesses // 2:
        # Twice 0 would never grow.
        return max(1, 2 * threshold)
    return max_nr_accesses


def _walk(
    table: RegionTable,
    threshold: int,
    sz_limit: int,
) -> tuple[list[int], list[int], list[int], list[int]]:
    """
    Walk the regions from left to right, folding each into its left neighbour if alike.

    Returns:
        For each region that remains: its row, end, access count and age.
    """
    heads: list[int] = []
    _, _, ends, counts, _, ages = columns = table.cells.tolist()
    last_target = last_end = -1
    size = count = age = head = 0
    for row, (target, start, end, new_count, _, new_age) in enumerate(zip(*columns, strict=True)):
        added = end - start
        # Against the average so far, not the neighbour's own count (E3). What
        # tells most regions apart comes first; few borders are those of targets.
        if (
            start == last_end
            and -threshold <= new_count - count <= threshold
            and size + added <= sz_limit
            and target == last_target
        ):
            total = size + added
            # Plain integers are exact where sizes times counts exceed 63 bits.
            counts[head] = count = (count * size + new_count * added) // total
            ages[head] = age = (age * size + new_age * added) // total
            ends[head] = end
            size = total
        else:
            heads.append(row)
            head, last_target, size, count, age = row, target, added, new_count, new_age
        last_end = end
    return (
        heads,
        [ends[head] for head in heads],
        [counts[head] for head in heads],
        [ages[head] for head in heads],
    )
