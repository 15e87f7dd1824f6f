from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.errors import InvalidError
from damon_async.regions.ranges import aligned_ranges, replace_target, set_regions
from damon_async.regions.table import RegionTable

from . import plain
from .tables import (
    PAGE,
    assert_sound,
    bounds_of,
    covered,
    fresh_table,
    rows_of,
    table_of,
    tables,
)

Ranges = list[tuple[int, int]]


@st.composite
def byte_ranges(draw: st.DrawFn) -> Ranges:
    """Draw ascending ranges in bytes that do not overlap once rounded to pages."""
    ranges: Ranges = []
    position = 0
    for gap, size, below, above in draw(
        st.lists(
            st.tuples(
                st.sampled_from([0, 0, 1, 3, 400]),
                st.one_of(st.integers(1, 4), st.integers(1, 700)),
                st.sampled_from([0, 0, 1, PAGE - 1]),
                st.sampled_from([0, 0, 1, PAGE - 1]),
            ),
            max_size=6,
        )
    ):
        start = position + gap
        position = start + size
        low, high = start * PAGE + below, position * PAGE - above
        # Of a single page, something must be left between both roundings.
        ranges.append((low, max(high, low + 1)))
    return ranges


def array_of(ranges: Ranges) -> IntArray:
    """Return ranges as the array that the package takes."""
    return np.array(ranges, np.int64).reshape(-1, 2)


def in_pages(*ranges: tuple[int, int]) -> IntArray:
    """Return ranges given in pages as the array that the package takes."""
    return array_of([(start * PAGE, end * PAGE) for start, end in ranges])


def test_ranges_are_rounded_outwards() -> None:
    """Starts are rounded down and ends up."""
    assert aligned_ranges(array_of([(5000, 5001), (8192, 9000)]), PAGE).tolist() == [
        [4096, 8192],
        [8192, 12288],
    ]


def test_rounding_leaves_the_ranges_alone() -> None:
    """Rounding returns new ranges."""
    ranges = array_of([(5000, 5001)])
    aligned_ranges(ranges, PAGE)
    assert ranges.tolist() == [[5000, 5001]]


@pytest.mark.parametrize("ranges", [[(4096, 4096)], [(8192, 4096)], [(0, 4096), (20000, 10000)]])
def test_empty_ranges_are_refused(ranges: Ranges) -> None:
    """An empty or reversed range is refused by name (P27)."""
    with pytest.raises(InvalidError, match=r"range [01] \[\d+, \d+\) is empty"):
        set_regions(RegionTable(), array_of(ranges), PAGE)


@pytest.mark.parametrize(
    "ranges",
    [[(0, 8192), (4096, 12288)], [(8192, 12288), (0, 4096)], [(0, 5000), (6000, 12288)]],
)
def test_overlapping_ranges_are_refused(ranges: Ranges) -> None:
    """Ranges that overlap once rounded, or descend, are refused (P27)."""
    with pytest.raises(InvalidError, match=r"range 1 starts at \d+, inside the one before it"):
        set_regions(RegionTable(), array_of(ranges), PAGE)


def test_a_range_that_wraps_around_is_refused() -> None:
    """An end that cannot be rounded up within 63 bits is refused."""
    with pytest.raises(InvalidError, match="is empty"):
        set_regions(RegionTable(), array_of([(0, 2**63 - 1)]), PAGE)


def test_touching_ranges_are_fine() -> None:
    """A range may begin where the one before it ends."""
    table = set_regions(RegionTable(), in_pages((0, 2), (2, 5)), PAGE)
    assert bounds_of(table) == [(0, 2), (2, 5)]


def test_empty_target_gets_one_region_per_range() -> None:
    """A target without regions gets a fresh one for every range (P27)."""
    table = set_regions(RegionTable(), array_of([(100, 5000), (9000, 9001)]), PAGE)
    assert rows_of(table) == [(0, 2, 0, 0, 0), (2, 3, 0, 0, 0)]


def test_no_ranges_no_regions() -> None:
    """Nothing to monitor leaves no regions."""
    assert len(set_regions(table_of((0, 4, 1, 1, 1)), array_of([]), PAGE)) == 0


def test_foreign_regions_are_dropped() -> None:
    """Regions that meet no range are gone, and with them their counters."""
    table = set_regions(table_of((0, 4, 1, 1, 1), (8, 9, 2, 2, 2)), in_pages((4, 8)), PAGE)
    assert rows_of(table) == [(4, 8, 0, 0, 0)]


def test_the_unrounded_range_decides_who_stays() -> None:
    """A region that only meets what rounding added is dropped."""
    old = table_of((0, 1, 1, 1, 1), (1, 2, 2, 2, 2))
    table = set_regions(old, array_of([(PAGE, PAGE + 1)]), PAGE)
    assert rows_of(table) == [(1, 2, 2, 2, 2)]


def test_regions_belong_to_the_range_they_begin_in() -> None:
    """Where ranges touch, a region that begins there belongs to the second one."""
    table = set_regions(table_of((10, 15, 1, 1, 1)), in_pages((0, 10), (10, 20)), PAGE)
    assert rows_of(table) == [(0, 10, 0, 0, 0), (10, 20, 1, 1, 1)]


def test_the_old_table_is_left_alone() -> None:
    """The given table is not changed."""
    old = table_of((0, 10, 1, 1, 1))
    set_regions(old, in_pages((5, 20)), PAGE)
    assert rows_of(old) == [(0, 10, 1, 1, 1)]


def test_replacing_one_target_leaves_others() -> None:
    """Exchanging the regions of one target leaves those of others in place."""
    table = RegionTable.joined([fresh_table((0, 1), target=i) for i in range(3)])
    table = replace_target(table, 1, fresh_table((5, 6), (6, 7)))
    assert table.target.tolist() == [0, 1, 1, 2]
    assert bounds_of(table) == [(0, 1), (5, 6), (6, 7), (0, 1)]


def test_replacing_fills_a_target_without_regions() -> None:
    """Regions of a target that had none come in at its place."""
    table = RegionTable.joined([fresh_table((0, 1)), fresh_table((0, 1), target=2)])
    table = replace_target(table, 1, fresh_table((5, 6)))
    assert table.target.tolist() == [0, 1, 2]


def test_replacing_by_nothing() -> None:
    """A target may lose all its regions."""
    table = RegionTable.joined([fresh_table((0, 1), target=i) for i in range(3)])
    table = replace_target(table, 1, RegionTable())
    assert table.target.tolist() == [0, 2]


@given(table=tables(max_targets=1), ranges=byte_ranges())
def test_setting_follows_the_plain_rules(table: RegionTable, ranges: Ranges) -> None:
    """Regions become what the same rule makes of plain objects."""
    expected = plain.set_regions(plain.plain_of(table), ranges, PAGE)
    assert plain.plain_of(set_regions(table, array_of(ranges), PAGE)) == expected


@given(table=tables(max_targets=1), ranges=byte_ranges())
def test_setting_covers_exactly_the_ranges(table: RegionTable, ranges: Ranges) -> None:
    """What is covered afterwards are the rounded ranges, no more and no less."""
    result = set_regions(table, array_of(ranges), PAGE)
    assert_sound(result)
    rounded = RegionTable.from_ranges(aligned_ranges(array_of(ranges), PAGE))
    assert covered(result) == covered(rounded)


@given(table=tables(max_targets=1))
def test_setting_what_is_covered_changes_nothing(table: RegionTable) -> None:
    """Setting exactly what is covered already keeps every region as it is."""
    ranges = [(start, end) for _, start, end in covered(table)]
    assert np.array_equal(set_regions(table, array_of(ranges), PAGE).cells, table.cells)


@given(table=tables(max_targets=1), ranges=byte_ranges())
def test_regions_inside_a_range_stay(table: RegionTable, ranges: Ranges) -> None:
    """A region that lies within one range keeps all its counters."""
    kept = {row[2:] for row in plain_rows(set_regions(table, array_of(ranges), PAGE))}
    for start, end, *counters in plain_rows(table):
        if any(low <= start and end <= high for low, high in ranges):
            assert tuple(counters) in kept


def plain_rows(table: RegionTable) -> list[tuple[int, ...]]:
    """Return start, end and counters of each region, in bytes."""
    return [tuple(cells[1:]) for cells in table.cells.T.tolist()]
