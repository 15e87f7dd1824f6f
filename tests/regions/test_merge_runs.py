from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.regions import merge
from damon_async.regions.merge import merge_similar
from damon_async.regions.merge_runs import walk_runs
from damon_async.regions.table import RegionTable

PAGE = 4096

rows = st.tuples(
    st.integers(1, 4),
    st.sampled_from([0, 0, 0, 1, 2, 9, 10]),
    st.sampled_from([3, 3, 3, 4, 70]),
    st.sampled_from([0, 0, 0, 0, 1]),
    st.sampled_from([0, 0, 0, 0, 0, 1]),
)
"""Pages, count, age, gap before it in pages, and whether another target begins."""


def table_of(described: list[tuple[int, int, int, int, int]]) -> RegionTable:
    """Return a table of adjoining regions, with some gaps and targets between them."""
    cells = np.zeros((6, len(described)), np.int64)
    end = target = 0
    for column, (pages, count, age, gap, is_new) in enumerate(described):
        target += is_new
        start = end + gap * PAGE
        end = start + pages * PAGE
        cells[:, column] = (target, start, end, count, count, age)
    return RegionTable(cells)


def walked(table: RegionTable, threshold: int, sz_limit: int) -> IntArray:
    """Return the cells after the plain walk."""
    merge_similar(table, threshold, sz_limit)
    return table.cells


@given(st.lists(rows, min_size=1, max_size=60), st.integers(0, 12), st.integers(1, 30))
def test_jumping_is_walking(
    described: list[tuple[int, int, int, int, int]], threshold: int, pages: int
) -> None:
    """Jumps make the groups that the plain walk makes, to the byte."""
    assert len(described) < merge.MANY_REGIONS
    table = table_of(described)
    groups = walk_runs(table, threshold, pages * PAGE)
    expected = walked(table_of(described), threshold, pages * PAGE)
    merged = table.cells[:, groups.heads]
    merged[2], merged[3], merged[5] = groups.ends, groups.counts, groups.ages
    assert merged.tolist() == expected.tolist()


def test_one_region() -> None:
    """A region alone stays as it is, also if it is above the limit."""
    groups = walk_runs(table_of([(4, 7, 9, 0, 0)]), 0, PAGE)
    assert [column.tolist() for column in groups] == [[0], [4 * PAGE], [7], [9]]


def test_many_regions_jump() -> None:
    """Above the bound the table comes out the same as if it had been walked."""
    rng = np.random.default_rng(3)
    described = [
        (int(pages), int(count), int(age), 0, 0)
        for pages, count, age in rng.integers([1, 0, 0], [5, 3, 4], (merge.MANY_REGIONS, 3))
    ]
    merged = table_of(described)
    nr_merged = merge_similar(merged, 1, 8 * PAGE)
    groups = walk_runs(table_of(described), 1, 8 * PAGE)
    assert nr_merged == len(described) - len(groups.heads)
    assert merged.end.tolist() == groups.ends.tolist()
    assert merged.sizes.max() <= 8 * PAGE


def test_large_sizes_are_walked() -> None:
    """Sums that could exceed 63 bits are left to plain integers."""
    nr_regions = merge.MANY_REGIONS
    table = table_of([(1, 0, 0, 0, 0)] * nr_regions)
    assert merge_similar(table, 0, 2**64) == nr_regions - 1
    assert table.end.tolist() == [nr_regions * PAGE]
