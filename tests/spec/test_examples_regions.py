"""The worked examples of spec core 11 about merging, splitting and setting regions."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.arrays import IntArray
from damon_async.operations.vaddr import three_ranges
from damon_async.regions.merge import merge_regions, merge_similar, next_threshold, update_ages
from damon_async.regions.ranges import set_regions
from damon_async.regions.split import (
    SplitState,
    cut_points,
    cut_regions,
    enforce_min_nr_regions,
    even_pieces,
    plan_split,
    size_limit,
    split_regions,
)
from damon_async.regions.table import RegionTable
from damon_async.spaces.space import Mapping

from ..regions.tables import PAGE, Row, bounds_of, fresh_table, rows_of, table_of

WIDE = 1 << 40
"""A size limit that limits nothing here."""

E3_REGIONS: tuple[Row, ...] = (
    (0, 2, 0, 0, 4),
    (2, 4, 1, 1, 4),
    (4, 8, 2, 0, 7),
    (8, 10, 9, 9, 1),
    (12, 14, 9, 3, 6),
)


def pages(*ranges: tuple[int, int]) -> IntArray:
    """Return ranges given in pages as an array of bytes."""
    return np.array(ranges, np.int64).reshape(-1, 2) * PAGE


def three_ranges_in_pages(*bounds: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the three ranges of what is mapped, all in pages."""
    mappings = [Mapping(start * PAGE, end * PAGE) for start, end in bounds]
    ranges = three_ranges(mappings, PAGE)
    assert ranges is not None
    return [(start // PAGE, end // PAGE) for start, end in ranges.tolist()]


def test_e1_merge_weighs_by_size() -> None:
    """E1: counts and ages of merged regions are averages weighted by size."""
    table = table_of((0, 4, 3, 3, 10), (4, 16, 8, 8, 2))
    assert merge_similar(table, 5, WIDE) == 1
    assert rows_of(table) == [(0, 16, 6, 3, 4)]


def test_e2_merge_truncates() -> None:
    """E2: averages are rounded down."""
    table = table_of((0, 4, 7, 7, 0), (4, 8, 8, 8, 1))
    merge_similar(table, 1, WIDE)
    assert rows_of(table) == [(0, 8, 7, 7, 0)]


def test_e3_ages() -> None:
    """E3: the first pass ages regions before it merges them."""
    table = table_of(*E3_REGIONS)
    update_ages(table, 1)
    assert table.age.tolist() == [5, 5, 0, 2, 0]


def test_e3_merge_compares_with_the_average() -> None:
    """E3: a region is compared with the average of all that its neighbour absorbed."""
    table = table_of(*E3_REGIONS)
    update_ages(table, 1)
    merge_similar(table, 1, 100 * PAGE)
    assert rows_of(table) == [(0, 4, 0, 0, 5), (4, 8, 2, 0, 0), (8, 10, 9, 9, 2), (12, 14, 9, 3, 0)]


def test_e4_size_limit() -> None:
    """E4: no merged region is larger than the limit."""
    table = table_of(*E3_REGIONS)
    update_ages(table, 1)
    assert merge_similar(table, 1, 3 * PAGE) == 0
    assert table.age.tolist() == [5, 5, 0, 2, 0]


def test_e5_zero_rule() -> None:
    """E5: a region that is accessed for the first time is young again (P32)."""
    table = table_of((0, 1, 1, 0, 9))
    update_ages(table, 1)
    assert table.age.tolist() == [0]


@pytest.mark.parametrize(("threshold", "age"), [(2, 4), (1, 0)])
def test_e6_ages(threshold: int, age: int) -> None:
    """E6: a region ages if its count differs by no more than the threshold."""
    table = table_of((0, 1, 12, 10, 3))
    update_ages(table, threshold)
    assert table.age.tolist() == [age]


@pytest.mark.parametrize(
    ("first", "most", "tried"),
    [(0, 20, [0, 1, 2, 4, 8, 16, 20]), (3, 7, [3, 7]), (2, 5, [2, 5])],
)
def test_e7_thresholds(first: int, most: int, tried: list[int]) -> None:
    """E7: thresholds double until they reach the largest count, which is tried too (P6)."""
    thresholds = [first]
    while thresholds[-1] < most:
        thresholds.append(next_threshold(thresholds[-1], most))
    assert thresholds == tried


def test_e7_while_too_many() -> None:
    """E7: merging tries all the thresholds while there are too many regions."""
    # Gaps keep regions apart whatever the threshold.
    table = table_of(*((2 * i, 2 * i + 1, i % 10, 0, 0) for i in range(50)))
    tried = merge_regions(table, max_nr_accesses=20, max_nr_regions=10, sz_limit=WIDE)
    assert tried == [0, 1, 2, 4, 8, 16, 20]
    assert len(table) == 50


def test_e8_size_limit() -> None:
    """E8: the size limit is an equal share of all memory."""
    assert size_limit(100 * PAGE, 7, PAGE) == 58514


def test_e8_enforcing() -> None:
    """E8: a region above the rounded limit is cut into pieces of exactly the limit."""
    table = table_of((0, 100, 7, 6, 5))
    assert enforce_min_nr_regions(table, 7, PAGE) == 61440 == 15 * PAGE
    sizes = (table.sizes // PAGE).tolist()
    assert sizes == [15] * 6 + [10]
    assert table.cells[3:].T.tolist() == [[7, 6, 5]] * 7


@pytest.mark.parametrize(
    ("size", "tenths", "cut"),
    [(10, 4, 4), (7, 5, 3), (3, 1, 0), (3, 2, 0), (3, 3, 0), (3, 4, 1), (3, 9, 2)],
)
def test_e9_split_points(size: int, tenths: int, cut: int) -> None:
    """E9: a cut is rounded down to pages, and lost if that leaves nothing."""
    sizes = np.array([size * PAGE])
    cuts = cut_points(sizes, np.array([tenths]), PAGE, sizes > 2 * PAGE)
    assert cuts.tolist() == [cut * PAGE]


def test_e9_two_pages_are_never_split() -> None:
    """E9: a region of two pages stays whole unless the split is partial."""
    for seed in range(50):
        table = fresh_table((0, 2))
        rng = np.random.default_rng(seed)
        split_regions(table, rng, SplitState(), max_nr_regions=1000, min_region_sz=PAGE)
        assert bounds_of(table) == [(0, 2)]


def test_e10_three_way_split() -> None:
    """E10: of three pieces the left one of the first cut is cut again."""
    table = fresh_table((0, 20))
    first = cut_points(table.sizes, np.array([5]), PAGE, np.array([True]))
    second = cut_points(first, np.array([3]), PAGE, np.array([True]))
    cut_regions(table, [second, first])
    assert bounds_of(table) == [(0, 3), (3, 10), (10, 20)]


def test_e11_split_inherits() -> None:
    """E11: both halves of a split region have all its counters."""
    table = table_of((0, 10, 2, 4, 5))
    cut_regions(table, [np.array([4 * PAGE])])
    assert rows_of(table) == [(0, 4, 2, 4, 5), (4, 10, 2, 4, 5)]


@pytest.mark.parametrize(
    ("nr_regions", "remembered", "pieces", "step"),
    [
        (500, 0, 2, 1),
        (300, 300, 3, 1),
        (300, 299, 2, 1),
        (333, 333, 2, 1),
        (501, 0, 2, 2),
        (900, 0, 2, 10),
        (999, 0, 2, 1000),
        (1000, 0, 1, 1),
    ],
)
def test_e12_split_choice(nr_regions: int, remembered: int, pieces: int, step: int) -> None:
    """E12: how finely and how many regions are split follows from their number."""
    state = SplitState(remembered=remembered)
    plan = plan_split(nr_regions, 1000, state)
    assert (plan.pieces, plan.step) == (pieces, step)
    assert state.remembered == nr_regions


def test_e13_three_ranges() -> None:
    """E13: the two largest gaps part what is mapped into three ranges."""
    ranges = three_ranges_in_pages((1, 4), (4, 9), (50, 70), (75, 80), (200, 210))
    assert ranges == [(1, 9), (50, 80), (200, 210)]


def test_e14_initial_regions() -> None:
    """E14: three ranges of 48 pages are cut into ten regions of at most five pages."""
    table = set_regions(RegionTable(), pages((1, 9), (50, 80), (200, 210)), PAGE)
    assert size_limit(table.total_bytes, 10, PAGE) == 19660
    assert enforce_min_nr_regions(table, 10, PAGE) == 5 * PAGE
    expected = [(1, 6), (6, 9)]
    expected += [(start, start + 5) for start in (50, 55, 60, 65, 70, 75, 200, 205)]
    assert bounds_of(table) == expected


def test_e14_initial_regions_of_older_kernels() -> None:
    """E14: even pieces of each range, as many as its size allows, are nine regions."""
    piece = size_limit(48 * PAGE, 10, PAGE)
    bounds = [(1, 9), (50, 80), (200, 210)]
    sizes = []
    for start, end in pages(*bounds).tolist():
        pieces = even_pieces(start, end, (end - start) // piece, PAGE)
        sizes += ((pieces[:, 1] - pieces[:, 0]) // PAGE).tolist()
    assert sizes == [8] + [5] * 6 + [5] * 2


def test_e15_even_split() -> None:
    """E15: the last of even pieces takes the remainder."""
    pieces = even_pieces(0, 10 * PAGE, 3, PAGE)
    assert (pieces // PAGE).tolist() == [[0, 3], [3, 6], [6, 10]]


def test_e16_set_regions() -> None:
    """E16: regions that meet a range shrink or grow to it and keep their counters."""
    table = table_of((0, 20, 1, 1, 1), (20, 40, 2, 2, 2), (60, 80, 3, 3, 3))
    table = set_regions(table, pages((10, 30), (50, 90)), PAGE)
    assert rows_of(table) == [(10, 20, 1, 1, 1), (20, 30, 2, 2, 2), (50, 90, 3, 3, 3)]


def test_e17_set_regions() -> None:
    """E17: a hole in a range is filled with a fresh region."""
    table = table_of((0, 20, 1, 1, 1), (60, 80, 3, 3, 3))
    table = set_regions(table, pages((0, 80)), PAGE)
    assert rows_of(table) == [(0, 20, 1, 1, 1), (20, 60, 0, 0, 0), (60, 80, 3, 3, 3)]


def test_e17b_set_regions() -> None:
    """E17b: a region that spans two ranges is kept for the first one only."""
    table = set_regions(table_of((0, 30, 1, 1, 1)), pages((0, 10), (20, 30)), PAGE)
    assert rows_of(table) == [(0, 10, 1, 1, 1), (20, 30, 0, 0, 0)]
