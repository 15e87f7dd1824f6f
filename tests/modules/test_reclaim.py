from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError, ParametersError
from damon_async.modules.physical import min_region_sz
from damon_async.modules.reclaim import Reclaim
from damon_async.modules.rules import Rules
from damon_async.params.filters import Filter
from damon_async.params.intervals import U32_MAX
from damon_async.params.keywords import Action, FilterType, GoalMetric, WatermarkMetric
from damon_async.params.monitoring import Ops
from damon_async.params.patterns import AccessUnit, AgeUnit
from damon_async.params.quotas import Goal, Weights
from damon_async.units import U64_MAX

from .worlds import GIB, MIB, Ram

counts = st.integers(0, U64_MAX)


def test_context() -> None:
    """The context is physical memory, one target, no updates, the kernel's defaults (5.1)."""
    ram = Ram()
    context = Reclaim().context(ram)
    assert context.ops is Ops.PADDR
    (target,) = context.targets
    assert target.space is ram
    assert [(each.start, each.end) for each in target.regions] == [(GIB, GIB + 64 * MIB)]
    intervals = context.intervals
    assert (intervals.sample_us, intervals.aggr_us, intervals.update_us) == (5_000, 100_000, 0)
    assert intervals.intervals_goal.aggrs == 0
    assert (context.nr_regions.min, context.nr_regions.max) == (10, 1000)
    assert (context.addr_unit, context.min_region_sz) == (1, 4096)


def test_scheme() -> None:
    """The one scheme pages out what was idle for min_age, within both quotas (5.2)."""
    (scheme,) = Reclaim().schemes()
    assert scheme.action is Action.PAGEOUT
    pattern = scheme.access_pattern
    assert (pattern.sz_bytes.min, pattern.sz_bytes.max) == (4096, U64_MAX)
    rates = pattern.nr_accesses
    assert (rates.min, rates.max, rates.unit) == (0, 0, AccessUnit.SAMPLES)
    ages = pattern.age
    assert (ages.min, ages.max, ages.unit) == (1200, U32_MAX, AgeUnit.AGGR_INTERVALS)
    assert scheme.apply_interval_us == 0
    quotas = scheme.quotas
    assert (quotas.time_ms, quotas.sz_bytes, quotas.reset_interval_ms) == (10, 128 * MIB, 1000)
    assert quotas.weights == Weights(0, 0, 1)
    assert quotas.goals == ()
    marks = scheme.watermarks
    assert marks.metric is WatermarkMetric.FREE_MEM_RATE
    assert marks.interval_us == 5_000_000
    assert (marks.high_permil, marks.mid_permil, marks.low_permil) == (500, 400, 200)
    assert scheme.filters == ()


def test_names() -> None:
    """The kernel's spelling of a name and the one with the unit mean the same."""
    assert Reclaim(min_age=7_000_000) == Reclaim(min_age_us="7 s")
    names = Reclaim.kernel_names()
    assert names["min_age"] == "min_age_us"
    assert names["sample_interval"] == "sample_interval_us"
    assert names["quota_mem_pressure_us"] == "quota_mem_pressure_us"
    assert set(names.values()) == set(Reclaim.model_fields)


def test_goals() -> None:
    """Memory pressure and the user's view are goals if they are not 0 (5.2)."""
    (scheme,) = Reclaim(quota_mem_pressure_us=300, quota_autotune_feedback=8_000).schemes()
    assert scheme.quotas.goals == (
        Goal(GoalMetric.SOME_MEM_PSI_US, 300),
        Goal(GoalMetric.USER_INPUT, 10_000, 8_000),
    )


def test_skip_anon() -> None:
    """skip_anon is a filter that rejects anonymous memory (5.2)."""
    (scheme,) = Reclaim(skip_anon="Y").schemes()
    assert scheme.filters == (Filter(FilterType.ANON, matching=True, allow=False),)


def test_tuned_intervals() -> None:
    """Tuning replaces the intervals, and ages are counted in those it begins with (5.2)."""
    preset = Reclaim(
        autotune_monitoring_intervals=True, sample_interval="1ms", aggr_interval="20ms"
    )
    intervals = preset.context(Ram()).intervals
    goal = intervals.intervals_goal
    assert (intervals.sample_us, intervals.aggr_us) == (5_000, 100_000)
    assert (goal.access_bp, goal.aggrs) == (40, 3)
    assert (goal.min_sample_us, goal.max_sample_us) == (5_000, 10_000_000)
    assert preset.schemes()[0].access_pattern.age.min == 1200


@given(counts, st.integers(5_000, 2**53))
def test_ages_are_divided(min_age_us: int, aggr_us: int) -> None:
    """The least age is min_age / aggr_interval, cut off, and fits 32 bits."""
    (scheme,) = Reclaim(min_age=min_age_us, aggr_interval=aggr_us).schemes()
    assert scheme.access_pattern.age.min == min(min_age_us // aggr_us, U32_MAX)


@given(counts, counts, counts)
def test_marks_in_any_order(high: int, mid: int, low: int) -> None:
    """Watermarks are taken unchecked, as the kernel takes them."""
    (scheme,) = Reclaim(wmarks_high=high, wmarks_mid=mid, wmarks_low=low).schemes()
    marks = scheme.watermarks
    assert (marks.high_permil, marks.mid_permil, marks.low_permil) == (high, mid, low)


@pytest.mark.parametrize(
    ("ram", "rules", "expected"),
    [
        (Ram(), Rules(), (GIB, GIB + 64 * MIB)),
        (Ram(), Rules(spans_memory=True), (MIB, GIB + 64 * MIB)),
        (Ram([(0, MIB), (GIB, GIB + MIB)]), Rules(), (0, MIB)),
        (Ram([(4096, 3 * MIB)]), Rules(spans_memory=True), (4096, 3 * MIB)),
    ],
)
def test_chosen_range(ram: Ram, rules: Rules, expected: tuple[int, int]) -> None:
    """Chosen is the first biggest part of memory, or in the newest kernels all of it (5.1)."""
    region = Reclaim().region(ram, rules)
    assert (region.start, region.end) == expected


@pytest.mark.parametrize(
    ("unit", "smallest"), [(1, 4096), (2, 2048), (1024, 4), (4096, 1), (8192, 1)]
)
def test_units(unit: int, smallest: int) -> None:
    """A region is a page at least, or one unit of addresses if that is more."""
    context = Reclaim(addr_unit=unit).context(Ram())
    assert context.min_region_sz == smallest == min_region_sz(unit)
    assert context.schemes[0].access_pattern.sz_bytes.min == smallest
    (region,) = context.targets[0].regions
    assert (region.start * unit, region.end * unit) == (GIB, GIB + 64 * MIB)


def test_ranges_are_rounded() -> None:
    """A range that was given is rounded outwards to pages."""
    region = Reclaim(monitor_region_start=100, monitor_region_end=100).region(Ram())
    assert (region.start, region.end) == (0, 4096)


def test_nothing_to_monitor() -> None:
    """Without memory there is nothing to choose from."""
    with pytest.raises(InvalidError, match="no physical memory"):
        Reclaim().context(Ram([]))


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"aggr_interval": 0, "sample_interval": 0}, "aggr_interval"),
        ({"sample_interval": 100_001}, "sample_interval"),
        ({"aggr_interval": 2**53 + 1}, "aggr_interval"),
        ({"min_nr_regions": 2}, "min_nr_regions"),
        ({"max_nr_regions": 9}, "max_nr_regions"),
        ({"monitor_region_start": 1}, "monitor_region_start"),
        ({"addr_unit": 0}, "addr_unit"),
        ({"addr_unit": 3}, "addr_unit"),
    ],
)
def test_bad_parameters(fields: dict[str, int], where: str) -> None:
    """What cannot be started is refused when it is made, by the kernel's name."""
    with pytest.raises(ParametersError, match=where) as raised:
        Reclaim(**fields)
    assert [problem.path for problem in raised.value.problems] == [where]


def test_all_mistakes_are_told() -> None:
    """Several mistakes are one error."""
    with pytest.raises(ParametersError, match="min_nr_regions") as raised:
        Reclaim(min_nr_regions=1, max_nr_regions=0, addr_unit=0)
    assert len(raised.value.problems) == 3


def test_samples_may_be_endless() -> None:
    """A sampling interval of 0 is legal, as on sysfs."""
    assert Reclaim(sample_interval=0).context(Ram()).intervals.sample_us == 0
