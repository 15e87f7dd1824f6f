from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.regions.table import RegionTable
from damon_async.regions.tuning import access_score, feed, tuned_intervals

from .tables import fresh_table, table_of

U64_MAX = 2**64 - 1
scores = st.integers(0, 1_000_000)


@given(value=st.integers(10_000, U64_MAX), score=scores)
def test_feeding_is_bounded(value: int, score: int) -> None:
    """The input never leaves 64 bits, at most doubles, and never falls below its floor."""
    fed = feed(value, score)
    assert 10_000 <= fed <= min(U64_MAX, 2 * value)


@given(value=st.integers(10_000, U64_MAX), score=scores)
def test_feeding_goes_the_right_way(value: int, score: int) -> None:
    """A score below the goal raises the input, one above it lowers it."""
    fed = feed(value, score)
    assert (fed > value) <= (score < 10_000)
    assert (fed < value) <= (score > 10_000)


@pytest.mark.parametrize("value", [0, 12345, U64_MAX])
def test_feeding_stops_at_the_goal(value: int) -> None:
    """An input that meets the goal exactly stays, whatever it is."""
    assert feed(value, 10_000) == value


def test_feeding_a_wide_input_divides_first() -> None:
    """Where the product exceeds 64 bits the kernel's division comes first."""
    value = U64_MAX // 2 + 5
    assert feed(value, 5_000) == value + value // 10_000 * 5_000


def test_score_without_accesses_is_zero() -> None:
    """No access at all scores nothing."""
    assert access_score(fresh_table((0, 100)), 20, 400) == 0


def test_score_of_an_empty_table_is_zero() -> None:
    """Nothing monitored scores nothing."""
    assert access_score(RegionTable(), 20, 400) == 0


def test_score_weighs_by_size() -> None:
    """Events are counted per byte: a large region counts for more."""
    small = table_of((0, 1, 20, 0, 0), (1, 100, 0, 0, 0))
    large = table_of((0, 1, 0, 0, 0), (1, 100, 20, 0, 0))
    assert access_score(small, 20, 10_000) == 100
    assert access_score(large, 20, 10_000) == 9_900


def test_score_without_a_wanted_share() -> None:
    """A goal of no events at all is as if one event were wanted."""
    assert access_score(table_of((0, 1, 1, 0, 0), unit=1), 20, 0) == 10_000


def test_score_is_exact_for_huge_memory() -> None:
    """Sizes times counts may exceed 63 bits."""
    table = table_of((0, 2**62, 20, 0, 0), unit=1)
    assert access_score(table, 20, 10_000) == 10_000


@given(
    score=scores,
    sample_us=st.integers(1, 10_000_000),
    aggr_samples=st.integers(1, 1000),
)
def test_tuning_is_bounded(score: int, sample_us: int, aggr_samples: int) -> None:
    """Intervals stay within their bounds, and change by a factor of two at most."""
    low, high = 1_000, 1_000_000
    sample_us = max(low, min(high, sample_us))
    tuned = tuned_intervals(score, sample_us, aggr_samples, (low, high))
    assert low <= tuned.sample_us <= high
    assert sample_us // 2 <= tuned.sample_us <= 2 * sample_us
    assert tuned.aggr_us == tuned.sample_us * aggr_samples


@given(sample_us=st.integers(1, 10_000_000))
def test_tuning_rests_at_the_goal(sample_us: int) -> None:
    """Exactly as many events as wanted leave the intervals alone."""
    assert tuned_intervals(10_000, sample_us, 20, (1, 10**9)).sample_us == sample_us
