from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from damon_async.regions.table import NR_COLUMNS, RegionTable

from .tables import PAGE, assert_sound, bounds_of, fresh_table, table_of, tables


def test_new_table_is_empty() -> None:
    """A new table has no regions and monitors nothing."""
    table = RegionTable()
    assert len(table) == 0
    assert table.total_bytes == 0
    assert table.cells.shape == (NR_COLUMNS, 0)


def test_from_ranges_is_fresh() -> None:
    """Regions made from ranges have all counters at zero."""
    table = RegionTable.from_ranges(np.array([[0, PAGE], [PAGE, 3 * PAGE]]), target=2)
    assert table.cells.T.tolist() == [[2, 0, PAGE, 0, 0, 0], [2, PAGE, 3 * PAGE, 0, 0, 0]]


def test_columns_have_names() -> None:
    """Every column can be read by its name."""
    table = table_of((1, 3, 5, 6, 7), target=4)
    assert table.target.tolist() == [4]
    assert table.start.tolist() == [PAGE]
    assert table.end.tolist() == [3 * PAGE]
    assert table.sizes.tolist() == [2 * PAGE]
    assert table.nr_accesses.tolist() == [5]
    assert table.last_nr_accesses.tolist() == [6]
    assert table.age.tolist() == [7]


def test_columns_are_views() -> None:
    """Counters written through a column are counters of the table."""
    table = table_of((0, 1, 0, 0, 0))
    table.nr_accesses[0] = 9
    assert table.cells[3, 0] == 9


def test_sizes_are_new() -> None:
    """Sizes may be changed without changing the table."""
    table = table_of((0, 1, 0, 0, 0))
    table.sizes[0] = 0
    assert table.total_bytes == PAGE


def test_joined_keeps_order() -> None:
    """Joined tables stand one behind the other."""
    table = RegionTable.joined([fresh_table((5, 6)), fresh_table((0, 1), target=1)])
    assert table.target.tolist() == [0, 1]
    assert bounds_of(table) == [(5, 6), (0, 1)]


def test_joined_of_nothing_is_empty() -> None:
    """Joining no tables gives an empty one."""
    assert len(RegionTable.joined([])) == 0


@pytest.mark.parametrize(("target", "rows"), [(0, (0, 2)), (1, (2, 2)), (2, (2, 3)), (3, (3, 3))])
def test_rows_of_a_target(target: int, rows: tuple[int, int]) -> None:
    """The rows of a target are one slice, empty where it has no regions."""
    table = RegionTable.joined([fresh_table((0, 1), (1, 2)), fresh_table((0, 1), target=2)])
    found = table.rows(target)
    assert (found.start, found.stop) == rows


def test_of_target_is_a_view() -> None:
    """Counters of one target's regions can be changed in place."""
    table = RegionTable.joined([fresh_table((0, 1)), fresh_table((0, 1), target=1)])
    table.of_target(1).age[:] = 3
    assert table.age.tolist() == [0, 3]


def test_copy_shares_nothing() -> None:
    """A changed copy leaves the original as it is."""
    table = table_of((0, 1, 2, 3, 4))
    table.copy().cells[:] = 0
    assert table.age.tolist() == [4]


def test_total_bytes_beyond_int64() -> None:
    """The total stays exact where several huge targets exceed 63 bits."""
    huge = (0, 2**63 - PAGE)
    parts = [fresh_table(huge, target=target, unit=1) for target in range(5)]
    assert RegionTable.joined(parts).total_bytes == 5 * (2**63 - PAGE)


def test_repr_says_how_much() -> None:
    """The text form tells regions and bytes."""
    assert repr(fresh_table((0, 2), (2, 3))) == "<RegionTable 2 regions, 12288 bytes>"


@given(table=tables())
def test_targets_join_to_the_whole(table: RegionTable) -> None:
    """A table is the regions of its targets, one behind the other."""
    assert_sound(table)
    whole = RegionTable.joined(table.of_target(target) for target in range(3))
    assert np.array_equal(whole.cells, table.cells)
    assert table.total_bytes == sum(table.sizes.tolist())
