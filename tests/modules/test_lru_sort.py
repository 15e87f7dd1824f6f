from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import ParametersError
from damon_async.modules.lru_sort import LruSort
from damon_async.modules.rules import Rules
from damon_async.params.filters import Filter
from damon_async.params.intervals import U32_MAX
from damon_async.params.keywords import Action, FilterType, GoalMetric
from damon_async.params.patterns import AccessUnit
from damon_async.params.quotas import Goal, Weights
from damon_async.units import U64_MAX

from .worlds import Ram


def test_schemes() -> None:
    """Hot memory of any age is prioritised, cold memory of an age the opposite (5.3)."""
    hot, cold = LruSort().schemes()
    assert (hot.action, cold.action) == (Action.LRU_PRIO, Action.LRU_DEPRIO)
    rates = hot.access_pattern.nr_accesses
    assert (rates.min, rates.max, rates.unit) == (10, U32_MAX, AccessUnit.SAMPLES)
    assert hot.access_pattern.age.min == 0
    assert hot.access_pattern.age.max >= U32_MAX
    assert (cold.access_pattern.nr_accesses.min, cold.access_pattern.nr_accesses.max) == (0, 0)
    assert cold.access_pattern.age.min == 1200


def test_both_share() -> None:
    """Sizes, quotas and watermarks of both schemes are the same; there is no size quota (5.3)."""
    for scheme in LruSort(quota_ms=11).schemes():
        assert scheme.access_pattern.sz_bytes.min == 4096
        assert scheme.access_pattern.sz_bytes.max == U64_MAX
        assert scheme.apply_interval_us == 0
        quotas = scheme.quotas
        assert (quotas.time_ms, quotas.sz_bytes, quotas.reset_interval_ms) == (5, 0, 1000)
        assert quotas.weights == Weights(0, 1, 0)
        marks = scheme.watermarks
        assert (marks.high_permil, marks.mid_permil, marks.low_permil) == (200, 150, 50)
        assert scheme.filters == ()
        assert quotas.goals == ()


def test_newer_weights() -> None:
    """From about 7.0 on ages count as much as rates (5.3)."""
    for scheme in LruSort().schemes(Rules(weighs_age=True)):
        assert scheme.quotas.weights == Weights(0, 1, 1)


@given(
    st.integers(1, 100_000),
    st.integers(100_000, 10**9),
    st.integers(0, 10**12),
)
def test_hot_threshold(sample_us: int, aggr_us: int, permil: int) -> None:
    """Hot is what has its share of the samples, divided as integers are (5.3)."""
    hot, _ = LruSort(
        sample_interval=sample_us, aggr_interval=aggr_us, hot_thres_access_freq=permil
    ).schemes()
    expected = min((aggr_us // sample_us) * permil // 1000, U32_MAX)
    assert hot.access_pattern.nr_accesses.min == expected


@pytest.mark.parametrize(("active", "rest"), [(1, 10_001), (5_000, 5_002), (10_000, 2)])
def test_goals(active: int, rest: int) -> None:
    """Both goals together are two basis points above all memory (5.3)."""
    hot, cold = LruSort(active_mem_bp=active).schemes()
    assert hot.quotas.goals == (Goal(GoalMetric.ACTIVE_MEM_BP, active),)
    assert cold.quotas.goals == (Goal(GoalMetric.INACTIVE_MEM_BP, rest),)


def test_young_pages() -> None:
    """Looked at page by page, the hot scheme rejects old pages, the cold one young ones (5.3)."""
    hot, cold = LruSort(filter_young_pages=True).schemes()
    assert hot.filters == (Filter(FilterType.YOUNG, matching=False, allow=False),)
    assert cold.filters == (Filter(FilterType.YOUNG, matching=True, allow=False),)


def test_tuned_intervals() -> None:
    """Tuning replaces the intervals by the same ones as of RECLAIM (5.3)."""
    context = LruSort(autotune_monitoring_intervals=True).context(Ram())
    assert context.intervals.intervals_goal.access_bp == 40
    assert context.schemes[0].access_pattern.nr_accesses.min == 10


def test_names() -> None:
    """Two names have their unit behind them with us, and the kernel's are taken as well."""
    assert LruSort(cold_min_age="9 s") == LruSort(cold_min_age_us=9_000_000)
    assert LruSort.kernel_names()["cold_min_age"] == "cold_min_age_us"
    assert "quota_sz" not in LruSort.kernel_names()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"sample_interval": 0}, "sample_interval"),
        ({"active_mem_bp": 10_001}, "active_mem_bp"),
        ({"aggr_interval": 0, "sample_interval": 0}, "aggr_interval"),
    ],
)
def test_bad_parameters(fields: dict[str, int], where: str) -> None:
    """What would be divided by may not be 0, and there is no more than all memory."""
    with pytest.raises(ParametersError, match=where):
        LruSort(**fields)
