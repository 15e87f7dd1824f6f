"""Cutting regions for the length of a round, and joining what has made no difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.regions.table import RegionTable
from damon_async.schemes.scores import score_keys
from damon_async.schemes.walked import WalkedRegions

from ..regions.tables import assert_sound, covered, rows_of, table_of
from .driving import INTERVALS, PAGE

NO_LIMIT = 2**63 - 1


def walked(table: RegionTable) -> WalkedRegions:
    """Return a table to be walked, whose frequencies are its counts."""
    return WalkedRegions(table, table.nr_accesses.copy(), INTERVALS)


def test_cut() -> None:
    """Both pieces of a region have all of its counters, and its frequency."""
    table = table_of((0, 4, 3, 2, 9), (4, 12, 5, 6, 7), (20, 24, 1, 1, 1))
    regions = walked(table)
    assert (
        regions.score_keys.tolist() == score_keys(table.nr_accesses, table.age, INTERVALS).tolist()
    )
    regions.cut(1, 2 * PAGE)
    assert rows_of(table) == [(0, 4, 3, 2, 9), (4, 6, 5, 6, 7), (6, 12, 5, 6, 7), (20, 24, 1, 1, 1)]
    assert regions.frequencies.tolist() == [3, 5, 5, 1]
    assert (regions.sizes // PAGE).tolist() == [4, 2, 6, 4]
    assert (len(regions), regions.size(2)) == (4, 6 * PAGE)
    keys = score_keys(table.nr_accesses, table.age, INTERVALS)
    assert regions.score_keys.tolist() == keys.tolist()


def test_join() -> None:
    """Pieces that are still alike are joined, however many there are."""
    before = (0, 12, 5, 6, 7)
    table = table_of(before, (12, 16, 5, 6, 7))
    regions = walked(table)
    for row in range(5):
        regions.cut(row, 2 * PAGE)
    regions.join(NO_LIMIT)
    # The bound that was there before is nobody's cut.
    assert rows_of(table) == [before, (12, 16, 5, 6, 7)]


def test_differences_stay() -> None:
    """A piece that something was done to stays apart, and what is alike beside it is joined."""
    table = table_of((0, 12, 5, 6, 7))
    regions = walked(table)
    for row in range(3):
        regions.cut(row, 2 * PAGE)
    regions.reset_ages(np.array([1]))
    regions.join(NO_LIMIT)
    assert rows_of(table) == [(0, 2, 5, 6, 7), (2, 4, 5, 6, 0), (4, 12, 5, 6, 7)]


def test_size_limit() -> None:
    """Pieces are not joined beyond the size limit of regions."""
    table = table_of((0, 12, 0, 0, 0))
    regions = walked(table)
    regions.cut(0, 4 * PAGE)
    regions.cut(1, 4 * PAGE)
    regions.join(8 * PAGE)
    assert rows_of(table) == [(0, 8, 0, 0, 0), (8, 12, 0, 0, 0)]


def test_oldest() -> None:
    """The largest age is that of the beginning of a round, 0 without regions."""
    regions = walked(table_of((0, 4, 0, 0, 7), (4, 8, 0, 0, 3)))
    assert regions.oldest == 7
    regions.reset_ages(np.array([0, 1]))
    assert regions.oldest == 7
    assert walked(RegionTable()).oldest == 0


def test_no_cuts() -> None:
    """Without cuts the table is left alone, to the array."""
    table = table_of((0, 4, 0, 0, 0), (4, 8, 0, 0, 0))
    cells = table.cells
    walked(table).join(NO_LIMIT)
    assert table.cells is cells


def test_rows_of_targets() -> None:
    """The regions of a target are found, of the only one as well as of one of many."""
    tables = [table_of((0, 4, 0, 0, 0), (8, 9, 0, 0, 0), target=target) for target in (0, 2)]
    regions = walked(RegionTable.joined(tables))
    assert [regions.rows(target) for target in range(3)] == [slice(0, 2), slice(2, 2), slice(2, 4)]
    assert walked(tables[0]).rows(0) == slice(0, 2)
    assert walked(tables[0]).rows(1) == slice(2, 2)
    assert walked(RegionTable()).rows(0) == slice(0, 0)


@pytest.mark.parametrize(("nr_targets", "is_wide"), [(1, False), (2, True)])
def test_wide(nr_targets: int, is_wide: bool) -> None:
    """Targets of half the address space each are too large together for 63 bits."""
    tables = [
        RegionTable.from_ranges(np.array([[0, 2**61 + 2**60]]), target)
        for target in range(nr_targets)
    ]
    assert walked(RegionTable.joined(tables)).is_wide is is_wide


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 1)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 8)), max_size=8),
    st.lists(st.integers(0, 99), max_size=3),
    st.booleans(),
)
def test_nothing_is_lost(
    regions: list[tuple[int, int]],
    cuts: list[tuple[int, int]],
    resets: list[int],
    uses_keys: bool,
) -> None:
    """Cuts and joins keep what is covered, what each page says, and all derived columns."""
    bounds = np.cumsum([0, *(size for size, _ in regions)]).tolist()
    rows = [
        (start, end, count, count, 7)
        for start, end, (_, count) in zip(bounds[:-1], bounds[1:], regions, strict=True)
    ]
    table = table_of(*rows)
    spans, nr_regions = covered(table), len(table)
    walk = walked(table)
    if uses_keys:
        assert len(walk.score_keys) == nr_regions
    for choice, pages in cuts:
        row = choice % len(walk)
        if pages * PAGE < walk.size(row):
            walk.cut(row, pages * PAGE)
    walk.reset_ages(np.array(sorted({row % len(walk) for row in resets}), np.int64))
    assert walk.frequencies.tolist() == table.nr_accesses.tolist()
    keys = score_keys(table.nr_accesses, table.age, INTERVALS)
    assert walk.score_keys.tolist() == keys.tolist()
    pages_before = [
        (page, age) for start, end, *_, age in rows_of(table) for page in range(start, end)
    ]
    walk.join(NO_LIMIT)
    assert_sound(table)
    assert covered(table) == spans
    assert pages_before == [
        (page, age) for start, end, *_, age in rows_of(table) for page in range(start, end)
    ]
    if not resets:
        assert len(table) == nr_regions
