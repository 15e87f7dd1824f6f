"""What must be true of regions: where they are, how they were cut and joined, how old they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import IntArray
from ..regions.table import AGE, END, NR_ACCESSES, START, TARGET, RegionTable


def broken_table(table: RegionTable, nr_targets: int) -> Iterator[str]:
    """Say what is wrong with regions as they are."""
    cells = table.cells
    if not cells.shape[1]:
        return
    target, start, end = cells[TARGET], cells[START], cells[END]
    if target[0] < 0 or target[-1] >= nr_targets:
        yield f"regions of target {int(target[-1])}, of {nr_targets}"
    if (end <= start).any():
        yield "a region is empty"
    # Of one target each begins where the one before it ends, or later.
    is_next = target[1:] == target[:-1]
    if (target[1:] < target[:-1]).any() or (start[1:] < end[:-1])[is_next].any():
        yield "regions overlap or are out of order"
    # Counts are unsigned in the kernel, where this would be a huge number.
    if (cells[NR_ACCESSES] < 0).any() or (cells[AGE] < 0).any():
        yield "a count or an age is negative"


def broken_merge(before: RegionTable, after: RegionTable, sz_limit: int) -> Iterator[str]:
    """Say what is wrong with regions that were merged and aged."""
    # Whatever is compared below presupposes it.
    if _covered(before) != _covered(after):
        yield "merging changed what is covered"
        return
    heads = _parents(after, before)
    if not len(heads):
        return
    counts, ages = before.nr_accesses, before.age
    if (after.nr_accesses < np.minimum.reduceat(counts, heads)).any() or (
        after.nr_accesses > np.maximum.reduceat(counts, heads)
    ).any():
        yield "a merged count is no average of what was merged"
    # Each one is a round older or begins anew, and a merged one is in between.
    if (after.age > np.maximum.reduceat(ages, heads) + 1).any():
        yield "a region grew older than one aggregation makes it"
    is_merged = np.diff(np.append(heads, len(before))) > 1
    if (is_merged & (after.sizes > sz_limit)).any():
        yield f"a merged region is larger than {sz_limit} bytes"
    aged, old = after.age[~is_merged], ages[heads[~is_merged]]
    if ((aged != old + 1) & (aged != 0)).any():
        yield "a region that was not merged is neither older by one nor new"


def broken_split(before: RegionTable, after: RegionTable, max_nr_regions: int) -> Iterator[str]:
    """Say what is wrong with regions that were split."""
    if _covered(before) != _covered(after):
        yield "splitting changed what is covered"
        return
    # There may have been more before: the size limit wins over the bound.
    if len(after) > max(max_nr_regions, len(before)):
        yield f"splitting made {len(after)} regions, of at most {max_nr_regions}"
    parents = _parents(before, after)
    if not np.array_equal(
        np.repeat(before.age, np.diff(np.append(parents, len(after)))), after.age
    ):
        yield "a piece has another age than what it was cut from"


def _covered(table: RegionTable) -> list[list[int]]:
    """Return target, start and end of each longest run of regions that touch."""
    target, start, end = table.cells[: END + 1]
    if not len(table):
        return []
    is_new = np.append(True, (start[1:] != end[:-1]) | (target[1:] != target[:-1]))
    runs = [target[is_new], start[is_new], end[np.append(is_new[1:], True)]]
    return [run.tolist() for run in runs]


def _parents(few: RegionTable, many: RegionTable) -> IntArray:
    """Return for each of *few* regions the row of *many* at which it begins."""
    # Both cover the same, so every start of the few is one of the many.
    is_start = np.isin(many.start, few.start)
    found = is_start.nonzero()[0]
    if len(found) == len(few):
        return found
    # Targets may share addresses.
    of_many = {
        key: row for row, key in enumerate(zip(*many.cells[: START + 1].tolist(), strict=True))
    }
    keys = zip(*few.cells[: START + 1].tolist(), strict=True)
    return np.array([of_many[key] for key in keys], np.int64)
