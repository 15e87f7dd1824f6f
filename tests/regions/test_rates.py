from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.regions.rates import (
    U32_MAX,
    convert_results,
    converted_counts,
    frequency,
    max_nr_accesses,
    moving_sum_bp,
)
from damon_async.regions.table import RegionTable

from .tables import rows_of, table_of, tables


@pytest.mark.parametrize(
    ("sample_us", "aggr_us", "expected"),
    [(5000, 100_000, 20), (5000, 4999, 1), (0, 0, 1), (0, 50, 50), (1, 2**40, U32_MAX)],
)
def test_largest_count(sample_us: int, aggr_us: int, expected: int) -> None:
    """The largest count has 32 bits, is at least 1, and stands a zero interval (P25)."""
    assert max_nr_accesses(sample_us, aggr_us) == expected


def test_frequency_at_the_start_is_the_last_count() -> None:
    """Before the first check of an aggregation the frequency is the previous count."""
    last = np.array([4, 9])
    found = frequency(np.array([0, 0]), last, 20, 20)
    assert found.tolist() == [4, 9]
    found[0] = 0
    assert last.tolist() == [4, 9]


def test_frequency_of_a_whole_interval_to_come() -> None:
    """While a whole aggregation is to come, nothing but the previous count matters."""
    assert frequency(np.array([5]), np.array([10]), 20, 20).tolist() == [10]


def test_frequency_at_the_end_is_the_count() -> None:
    """After the last check of an aggregation the frequency is its count."""
    assert frequency(np.array([4, 9]), np.array([7, 7]), 0, 20).tolist() == [4, 9]


def test_frequency_of_a_late_aggregation() -> None:
    """An aggregation that is overdue has nothing left to fill."""
    assert frequency(np.array([4]), np.array([7]), -3, 20).tolist() == [4]


@given(
    nr_samples=st.integers(1, 1000),
    share=st.floats(0, 1),
    last=st.integers(0, 1000),
    found=st.integers(0, 1000),
)
def test_frequency_is_bounded(nr_samples: int, share: float, last: int, found: int) -> None:
    """A frequency is never below the count so far, nor above the largest count (P10)."""
    left = round(nr_samples * share)
    last = min(last, nr_samples)
    found = min(found, nr_samples - left)
    freq = int(frequency(np.array([found]), np.array([last]), left, nr_samples)[0])
    assert found <= freq <= nr_samples
    assert freq <= found + last


def test_moving_sum_never_falls_below_zero() -> None:
    """The older sum stops at zero where the kernel's became a huge number (P10)."""
    assert moving_sum_bp(100, 20, 20, accessed=False) == 0


@given(last=st.integers(0, 20), found=st.lists(st.booleans(), min_size=20, max_size=20))
def test_moving_sum_is_exact_where_it_divides(last: int, found: list[bool]) -> None:
    """After an aggregation of 20 samples the older sum is exactly the new count."""
    sum_bp = last * 10_000
    for accessed in found:
        sum_bp = moving_sum_bp(sum_bp, last, 20, accessed=accessed)
    assert sum_bp == sum(found) * 10_000


@given(st.data(), st.integers(1, 5000), st.integers(1, 5000))
def test_converted_counts_are_bounded(data: st.DataObject, old_max: int, new_max: int) -> None:
    """A converted count is the exact share or less, but by no more than truncation costs."""
    count = data.draw(st.integers(0, old_max))
    found = int(converted_counts(np.array([count]), old_max, new_max)[0])
    exact = count * new_max / old_max
    assert exact - 1 - new_max / 10_000 <= found <= exact


def test_huge_counts_are_converted_exactly() -> None:
    """Counts of 32 bits do not overflow on the way."""
    counts = np.array([U32_MAX, U32_MAX // 2, 0])
    assert converted_counts(counts, U32_MAX, U32_MAX).tolist() == [
        U32_MAX,
        (U32_MAX // 2) * 10_000 // U32_MAX * U32_MAX // 10_000,
        0,
    ]


def test_converting_between_aggregations() -> None:
    """A complete aggregation is converted with the one before it (G4)."""
    table = table_of((0, 1, 10, 5, 8))
    convert_results(table, (5_000, 100_000), (5_000, 200_000), is_aggregating=False)
    assert rows_of(table) == [(0, 1, 20, 10, 4)]


def test_converting_while_aggregating() -> None:
    """Partial counts are dropped, the previous ones converted (P11)."""
    table = table_of((0, 1, 10, 5, 8))
    convert_results(table, (5_000, 100_000), (5_000, 50_000), is_aggregating=True)
    assert rows_of(table) == [(0, 1, 0, 2, 16)]


@pytest.mark.parametrize(
    ("old", "new"), [((0, 100), (5, 100)), ((5, 100), (0, 100)), ((0, 0), (5, 100))]
)
def test_zero_intervals_convert_nothing(old: tuple[int, int], new: tuple[int, int]) -> None:
    """With an interval of 0 on either side, results stay as they are."""
    table = table_of((0, 1, 10, 5, 8))
    convert_results(table, old, new, is_aggregating=True)
    assert rows_of(table) == [(0, 1, 10, 5, 8)]


def test_ages_are_clamped() -> None:
    """An age that would not fit the kernel's 32 bits becomes the largest that does."""
    table = table_of((0, 1, 0, 0, 2**31))
    convert_results(table, (1, 2**53), (1, 1), is_aggregating=False)
    assert table.age.tolist() == [U32_MAX]


@given(table=tables(), sample_us=st.integers(1, 10_000), ratio=st.integers(1, 300))
def test_converted_tables_stay_in_bounds(table: RegionTable, sample_us: int, ratio: int) -> None:
    """After a change of intervals no count exceeds the new largest one."""
    bounds = table.cells[:3].copy()
    new = (sample_us, sample_us * ratio)
    convert_results(table, (5_000, 100_000), new, is_aggregating=False)
    assert np.array_equal(table.cells[:3], bounds)
    assert (table.cells[3:] >= 0).all()
    assert (table.nr_accesses <= ratio).all()
    assert (table.last_nr_accesses <= ratio).all()
