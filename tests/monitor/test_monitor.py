from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.monitor.monitor import Monitor
from damon_async.operations.fvaddr import Fvaddr
from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import Context, NrRegions, Target

from .doubles import (
    AGGR_US,
    PAGE,
    SAMPLE_US,
    Blinking,
    Still,
    bounds_of,
    context_of,
    drive,
    monitor_of,
    span_of,
    target_of,
    watch,
)


def new_monitor(*targets: Target) -> Monitor:
    """Return a monitor that has not begun."""
    return Monitor(context_of(*targets), Fvaddr(), np.random.default_rng(0))


def test_regions_of_the_user_are_cut() -> None:
    """At the start, regions are cut to the least number of regions (P7)."""
    monitor = watch(target_of(Still(), (0, 100)))
    assert bounds_of(monitor) == [(start, start + 10) for start in range(0, 100, 10)]


def test_user_regions_are_rounded() -> None:
    """Ranges of the user are rounded outwards to the smallest region."""
    monitor = watch(target_of(Still(), (100, 5000), unit=1))
    assert bounds_of(monitor) == [(0, 1), (1, 2)]


def test_ranges_that_overlap_once_rounded_are_refused() -> None:
    """Ranges that only rounding brings together are refused, as are all bad ones."""
    good = context_of(target_of(Still(), (0, 100), (5000, 6000), unit=1))
    bad = good.model_copy(update={"min_region_sz": 2 * PAGE})
    with pytest.raises(InvalidError, match="range 1 starts at 0, inside the one before it"):
        Monitor(bad, Fvaddr(), np.random.default_rng(0))


def test_target_without_space_is_refused() -> None:
    """A monitor cannot be made for a target that its operations cannot use."""
    with pytest.raises(InvalidError, match="needs a space to be monitored"):
        new_monitor(Target(pid=1))


def test_one_snapshot_per_aggregation() -> None:
    """Every aggregation publishes one snapshot with its times and intervals."""
    monitor = watch(target_of(Still(), (0, 100)))
    first, second = drive(monitor, 2 * AGGR_US + SAMPLE_US)
    assert (first.start_ns, first.end_ns) == (0, 100_000_000)
    assert (second.start_ns, second.end_ns) == (100_000_000, 200_000_000)
    assert (first.sample_us, first.aggr_us) == (SAMPLE_US, AGGR_US)
    assert first.max_nr_accesses == 20


def test_time_may_begin_anywhere() -> None:
    """Time is counted from when it began."""
    monitor = monitor_of(context_of(target_of(Still(), (0, 100))), begin_us=123_456)
    assert monitor.next_us == 123_456 + AGGR_US
    assert drive(monitor, 223_456)[0].start_ns == 123_456_000


def test_hot_pages_have_full_counts() -> None:
    """Memory touched in every tick has the largest count, cold memory none."""
    monitor = watch(target_of(Still(hot=[(0, 50)]), (0, 100)))
    snapshot = drive(monitor, AGGR_US)[0]
    assert snapshot.nr_accesses.tolist() == [20] * 5 + [0] * 5
    assert snapshot.age.tolist() == [0] * 5 + [1] * 5


def test_snapshots_are_read_only() -> None:
    """Nobody can change what was published."""
    snapshot = drive(watch(target_of(Still(), (0, 100))), AGGR_US)[0]
    with pytest.raises(ValueError, match="read-only"):
        snapshot.nr_accesses[0] = 7
    with pytest.raises(ValueError, match="read-only"):
        snapshot.start[0] = 7


def test_counts_are_reset_after_publishing() -> None:
    """After an aggregation counts begin at zero, the old ones are the last ones."""
    monitor = watch(target_of(Still(hot=[(0, 100)]), (0, 100)))
    drive(monitor, AGGR_US)
    assert not monitor.table.nr_accesses.any()
    assert (monitor.table.last_nr_accesses == 20).all()


def test_regions_are_split_after_publishing() -> None:
    """Splitting follows publishing, so that snapshots show merged regions."""
    monitor = watch(target_of(Still(), (0, 1000)))
    snapshot = drive(monitor, AGGR_US)[0]
    assert snapshot.nr_regions == 10
    assert len(monitor.table) == 20


def test_ages_grow_with_every_aggregation() -> None:
    """Memory that stays as it is grows older by one per aggregation."""
    snapshots = drive(watch(target_of(Still(), (0, 100))), 5 * AGGR_US)
    assert [each.age.max() for each in snapshots] == [1, 2, 3, 4, 5]


def test_frequencies_between_aggregations() -> None:
    """Halfway through an aggregation half of the frequency is that of the previous one."""
    space = Still(hot=[(0, 100)])
    monitor = watch(target_of(space, (0, 100)))
    assert (monitor.frequencies == 0).all()
    drive(monitor, AGGR_US)
    assert (monitor.frequencies == 20).all()
    space.hot = []
    monitor.step(AGGR_US + AGGR_US // 2)
    assert (monitor.frequencies == 10).all()


def test_a_hot_spot_is_found() -> None:
    """After some aggregations the regions show where a hot spot is, to a few percent."""
    monitor = watch(target_of(Still(hot=[(30_000, 34_000)]), (0, 100_000)))
    last = drive(monitor, 100 * AGGR_US)[-1]
    sizes = (last.end - last.start) // PAGE
    is_hot = last.nr_accesses >= 10
    assert 3_600 < sizes[is_hot].sum() < 4_400
    assert last.start[is_hot].min() // PAGE > 29_000
    assert last.end[is_hot].max() // PAGE < 35_000


def test_sixteen_tib_are_watched() -> None:
    """Huge memory is monitored within the same number of regions."""
    tib = 2**28
    monitor = watch(target_of(Still(hot=[(4 * tib, 5 * tib)]), (0, 16 * tib)))
    last = drive(monitor, 60 * AGGR_US)[-1]
    hot = (last.end - last.start)[last.nr_accesses >= 10].sum() / PAGE / tib
    assert 0.8 < hot < 1.2
    assert last.total_bytes == 16 * 2**40
    assert last.nr_regions <= 1000


@given(seed=st.integers(0, 10_000), least=st.integers(3, 30), more=st.integers(0, 60))
def test_numbers_of_regions_keep_their_bounds(seed: int, least: int, more: int) -> None:
    """However noisy memory is, regions cover it and their number keeps its bounds."""
    context = context_of(
        target_of(Blinking(), (0, 3000), (4000, 9000)), nr_regions=NrRegions(least, least + more)
    )
    monitor = monitor_of(context, seed=seed)
    for snapshot in drive(monitor, 6 * AGGR_US):
        assert snapshot.total_bytes == 8000 * PAGE
        # Rounding up the size limit to pages may cost one region.
        assert least - 1 <= snapshot.nr_regions
        assert snapshot.nr_accesses.max() <= 20
        assert len(monitor.table) <= max(least + more, snapshot.nr_regions)
    assert span_of(monitor) == (0, 9000)


def test_interval_of_zero() -> None:
    """A sampling interval of 0 lasts 1 us and counts as 1 (P25)."""
    intervals = Intervals(0, 20, 1000)
    monitor = monitor_of(context_of(target_of(Still(hot=[(0, 9)]), (0, 9)), intervals=intervals))
    assert monitor.next_us == 20
    snapshots = drive(monitor, 100)
    assert [each.end_ns for each in snapshots] == [20_000, 40_000, 60_000, 80_000, 100_000]
    assert snapshots[-1].nr_accesses.tolist() == [20] * 9


def test_all_intervals_zero() -> None:
    """With all intervals at 0 every tick is an aggregation."""
    context = context_of(target_of(Still(hot=[(0, 9)]), (0, 9)), intervals=Intervals(0, 0, 0))
    snapshots = drive(monitor_of(context), 5)
    assert len(snapshots) == 5
    assert snapshots[-1].nr_accesses.tolist() == [1] * 9


def test_remainders_of_intervals_are_dropped() -> None:
    """An aggregation has as many whole ticks as fit it."""
    context = context_of(target_of(Still(hot=[(0, 9)]), (0, 9)), intervals=Intervals(3_000, 10_000))
    snapshot = drive(monitor_of(context), 10_000)[0]
    assert snapshot.end_ns == 9_000_000
    assert snapshot.nr_accesses.max() == snapshot.max_nr_accesses == 3


def test_begin_only_once() -> None:
    """A monitor begins once."""
    monitor = watch(target_of(Still(), (0, 100)))
    with pytest.raises(InvalidError, match=r"<Monitor running .*> has begun already"):
        monitor.begin(0)


def test_step_needs_begin() -> None:
    """There are no steps before the beginning."""
    monitor = new_monitor(target_of(Still(), (0, 100)))
    with pytest.raises(InvalidError, match=r"<Monitor new .*> has not begun: call begin\(\) first"):
        monitor.step(0)


def test_step_in_the_past_does_nothing() -> None:
    """Time that went back, or no further than a tick, changes nothing."""
    monitor = watch(target_of(Still(), (0, 100)))
    drive(monitor, AGGR_US)
    for now_us in (0, AGGR_US, AGGR_US + SAMPLE_US - 1):
        assert monitor.step(now_us) == []
    assert monitor.schedule.passed == 20


def test_finish_drops_everything() -> None:
    """The end drops targets and regions, may come twice, and is the end."""
    monitor = watch(target_of(Still(), (0, 100)))
    monitor.finish()
    monitor.finish()
    assert monitor.ended
    assert monitor.next_us is None
    assert monitor.targets == ()
    assert len(monitor.table) == 0
    assert monitor.step(AGGR_US) == []


def test_parameters_stay_readable_after_the_end() -> None:
    """What was asked for can still be read after the end."""
    context = context_of(target_of(Still(), (0, 100)))
    monitor = monitor_of(context)
    monitor.finish()
    assert monitor.context == context


@pytest.mark.parametrize(("state", "text"), [(0, "new"), (1, "running"), (2, "ended")])
def test_repr_tells_the_state(state: int, text: str) -> None:
    """The text form tells how far a monitor is."""
    monitor = new_monitor(target_of(Still(), (0, 2)))
    if state:
        monitor.begin(0)
    if state > 1:
        monitor.finish()
    assert repr(monitor).startswith(f"<Monitor {text} tick 0 at 0 us <RegionTable ")


def test_default_context_ends_at_once() -> None:
    """A context without targets is over from the beginning."""
    monitor = monitor_of(Context())
    assert monitor.next_us == 0
    assert monitor.step(0) == []
    assert monitor.ended
