from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.regions.merge import merge_regions, merge_similar, next_threshold, update_ages
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

WIDE = 1 << 50
"""A size limit that limits nothing here."""

thresholds = st.integers(0, 20)
limits = st.one_of(st.just(WIDE), st.integers(1, 2000).map(lambda pages: pages * PAGE))


@pytest.mark.parametrize(
    ("nr_accesses", "last", "threshold", "age"),
    [
        (0, 0, 0, 6),
        (0, 1, 5, 0),
        (1, 0, 5, 0),
        (1, 1, 0, 6),
        (5, 8, 3, 6),
        (5, 9, 3, 0),
        (9, 5, 3, 0),
    ],
)
def test_ages(nr_accesses: int, last: int, threshold: int, age: int) -> None:
    """A region ages unless its count moved far, or from or to zero (P32)."""
    table = table_of((0, 1, nr_accesses, last, 5))
    update_ages(table, threshold)
    assert table.age.tolist() == [age]


def test_ages_leave_the_rest_alone() -> None:
    """Updating ages changes nothing but ages."""
    table = table_of((0, 1, 3, 9, 5), (1, 4, 3, 3, 5))
    before = table.cells[:5].copy()
    update_ages(table, 1)
    assert np.array_equal(table.cells[:5], before)


def test_merge_leaves_targets_apart() -> None:
    """Regions of different targets stay apart even if their addresses touch."""
    table = RegionTable.joined([fresh_table((0, 1)), fresh_table((1, 2), target=1)])
    assert merge_similar(table, 20, WIDE) == 0


def test_merge_leaves_gaps() -> None:
    """Regions with unmonitored memory between them stay apart."""
    assert merge_similar(fresh_table((0, 1), (2, 3)), 20, WIDE) == 0


def test_merge_takes_the_left_last_count() -> None:
    """A merged region has the previous count of its leftmost part."""
    table = table_of((0, 1, 4, 2, 0), (1, 2, 4, 9, 0))
    merge_similar(table, 0, WIDE)
    assert table.last_nr_accesses.tolist() == [2]


@pytest.mark.parametrize(("limit", "bounds"), [(4, [(0, 4)]), (3, [(0, 3), (3, 4)])])
def test_merge_fills_the_limit(limit: int, bounds: list[tuple[int, int]]) -> None:
    """A merged region may be exactly as large as the limit."""
    table = fresh_table((0, 2), (2, 3), (3, 4))
    merge_similar(table, 0, limit * PAGE)
    assert bounds_of(table) == bounds


def test_merge_of_nothing() -> None:
    """An empty table stays empty."""
    table = RegionTable()
    assert merge_regions(table, max_nr_accesses=20, max_nr_regions=10, sz_limit=WIDE) == [0]
    assert len(table) == 0


def test_merge_keeps_a_whole_table() -> None:
    """A pass that merges nothing changes nothing."""
    table = table_of((0, 1, 0, 1, 2), (1, 2, 9, 8, 7))
    before = table.cells.copy()
    assert merge_similar(table, 3, WIDE) == 0
    assert np.array_equal(table.cells, before)


def test_merge_refuses_a_negative_threshold() -> None:
    """A negative threshold is an error of the caller."""
    with pytest.raises(ValueError, match="must not be negative, it is -1"):
        merge_similar(fresh_table((0, 1)), -1, WIDE)


def test_merge_is_exact_for_huge_regions() -> None:
    """Averages are exact where sizes times counts exceed 63 bits."""
    huge = 2**61
    table = table_of((0, huge, 20, 0, 4_000_000_000), (huge, 2 * huge, 19, 0, 0), unit=1)
    merge_similar(table, 1, 2**63 - 1)
    assert rows_of(table, unit=1) == [(0, 2 * huge, 19, 0, 2_000_000_000)]


def test_first_threshold_is_a_tenth() -> None:
    """The first threshold is a tenth of the largest count found."""
    table = table_of((0, 1, 59, 0, 0))
    assert merge_regions(table, max_nr_accesses=100, max_nr_regions=10, sz_limit=WIDE) == [5]


def test_ages_move_once() -> None:
    """However many passes it takes, ages move once per aggregation (P6)."""
    # Only gaps are between them, so all passes are made in vain.
    table = table_of(*((2 * i, 2 * i + 1, 3, 3, 7) for i in range(20)))
    tried = merge_regions(table, max_nr_accesses=20, max_nr_regions=10, sz_limit=WIDE)
    assert len(tried) > 2
    assert table.age.tolist() == [8] * 20


def test_merging_ends_when_they_fit() -> None:
    """No larger threshold is tried than what brings the number down."""
    table = table_of(*((i, i + 1, i % 2, i % 2, 0) for i in range(20)))
    tried = merge_regions(table, max_nr_accesses=20, max_nr_regions=10, sz_limit=WIDE)
    assert tried == [0, 1]
    assert len(table) <= 10


def test_as_many_as_allowed_are_not_too_many() -> None:
    """Exactly as many regions as allowed are left as they are."""
    table = table_of(*((i, i + 1, i % 2, i % 2, 0) for i in range(10)))
    assert merge_regions(table, max_nr_accesses=20, max_nr_regions=10, sz_limit=WIDE) == [0]
    assert len(table) == 10


def test_size_limit_wins_over_the_number() -> None:
    """More regions than allowed may remain if they cannot be larger."""
    table = fresh_table(*((i, i + 1) for i in range(20)))
    merge_regions(table, max_nr_accesses=20, max_nr_regions=3, sz_limit=2 * PAGE)
    assert len(table) == 10


@given(first=st.integers(0, 200), most=st.integers(1, 200))
def test_thresholds_end_at_the_largest_count(first: int, most: int) -> None:
    """Growing thresholds rise strictly and end at exactly the largest count (P6)."""
    tried = [min(first, most)]
    while tried[-1] < most:
        tried.append(next_threshold(tried[-1], most))
    assert tried == sorted(set(tried))
    assert tried[-1] == most


@given(table=tables(), threshold=thresholds)
def test_ages_follow_the_plain_rules(table: RegionTable, threshold: int) -> None:
    """Ages are those of the same rule on plain objects."""
    expected = plain.plain_of(table)
    plain.update_ages(expected, threshold)
    update_ages(table, threshold)
    assert plain.plain_of(table) == expected


@given(table=tables(), threshold=thresholds, limit=limits)
def test_pass_follows_the_plain_rules(table: RegionTable, threshold: int, limit: int) -> None:
    """One pass merges as the same rule does on plain objects."""
    regions = plain.plain_of(table)
    expected = plain.merge_pass(regions, threshold, limit)
    assert merge_similar(table, threshold, limit) == len(regions) - len(expected)
    assert plain.plain_of(table) == expected


@given(table=tables(), limit=limits, max_nr_regions=st.integers(3, 40))
def test_merge_follows_the_plain_rules(table: RegionTable, limit: int, max_nr_regions: int) -> None:
    """Merging with growing thresholds gives what plain objects give."""
    expected = plain.merge(plain.plain_of(table), 20, max_nr_regions, limit)
    merge_regions(table, max_nr_accesses=20, max_nr_regions=max_nr_regions, sz_limit=limit)
    assert plain.plain_of(table) == expected


@given(table=tables(), limit=limits)
def test_merge_keeps_what_is_covered(table: RegionTable, limit: int) -> None:
    """Merging covers the same memory, within the bounds of what it merged."""
    before = table.copy()
    merge_regions(table, max_nr_accesses=20, max_nr_regions=5, sz_limit=limit)
    assert_sound(table)
    assert covered(table) == covered(before)
    if len(before):
        assert before.nr_accesses.min() <= table.nr_accesses.min()
        assert table.nr_accesses.max() <= before.nr_accesses.max()
        assert table.age.max() <= before.age.max() + 1
        assert table.sizes.max() <= max(limit, before.sizes.max())


@given(table=tables(max_size=300, max_targets=1), threshold=st.integers(0, 3))
def test_long_tables_merge_alike(table: RegionTable, threshold: int) -> None:
    """Hundreds of regions merge by the same rules as a few."""
    # Repeated counts make the long chains that real memory has.
    counts = table.nr_accesses
    counts[:] = np.repeat(counts[::5], 5)[: len(counts)]
    expected = plain.merge_pass(plain.plain_of(table), threshold, WIDE)
    merge_similar(table, threshold, WIDE)
    assert plain.plain_of(table) == expected
