"""Schemes inside a monitor: when they are applied, what they wait for, what a commit keeps."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.errors import CanceledError, InvalidError
from damon_async.monitor.monitor import Monitor
from damon_async.operations.events import DamonAggregated, DamosBeforeApply, DamosStat, TraceEvent
from damon_async.operations.metrics import Metrics
from damon_async.operations.registry import operations_for
from damon_async.operations.requests import ActionRequest, Applied, Measured, MetricRequest
from damon_async.params.keywords import Action, GoalMetric, WatermarkMetric
from damon_async.params.monitoring import AddressRange, Context, Target
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Quotas, Watermarks
from damon_async.params.schemes import Scheme
from damon_async.schemes.tried import Tried
from damon_async.spaces.frames import Process
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_metrics import MachineMetrics
from damon_async.spaces.machine_views import PhysicalMemory

from .doubles import AGGR_US, PAGE, SAMPLE_US, Still

NR_PAGES = 1000
BASE = 1 << 32

COLD = AccessPattern(nr_accesses=(0, 0))
"""Memory that nobody touches."""


class Gauge:
    """A machine that shows what tests set."""

    def __init__(self, free_permil: int = 500) -> None:
        self.free_permil = free_permil
        self.asked_at: list[int] = []

    def value(
        self,
        metric: GoalMetric | WatermarkMetric,
        *,
        nid: int | None,
        memcg_path: str | None,
        now_us: int,
    ) -> int:
        self.asked_at.append(now_us)
        return self.free_permil


def context_of(*schemes: Scheme, hot: int = 200) -> Context:
    """Return a context over a machine of which the first pages are hot."""
    space = Still(hot=[(0, hot)], mapped=[(0, NR_PAGES)])
    machine = Machine([Process(1, space)])
    target = Target(
        regions=[AddressRange(BASE, BASE + NR_PAGES * PAGE)], space=PhysicalMemory(machine)
    )
    return Context(ops="paddr", targets=[target], schemes=schemes)


def monitor_of(
    context: Context,
    metrics: Metrics | None = None,
    events: list[TraceEvent] | None = None,
) -> Monitor:
    """Return a monitor of *context* that has begun at 0."""
    listen = None if events is None else events.append
    monitor = Monitor(context, operations_for(context), np.random.default_rng(1), metrics, listen)
    monitor.begin(0)
    return monitor


def test_scheme_is_applied_at_every_aggregation() -> None:
    """Without an apply interval a scheme is applied once per aggregation."""
    monitor = monitor_of(context_of(Scheme()))
    monitor.step(AGGR_US - 1)
    assert monitor.schemes.states[0].stats.nr_tried == 0
    monitor.step(3 * AGGR_US)
    stats = monitor.schemes.states[0].stats
    assert stats.sz_tried == 3 * NR_PAGES * PAGE
    assert stats.nr_snapshots == 3


def test_apply_interval_ends_windows() -> None:
    """E38: with an apply interval of 30 ms, windows end every 6 ticks of 5 ms."""
    monitor = monitor_of(context_of(Scheme(apply_interval_us=30_000)))
    assert monitor.next_us == 6 * SAMPLE_US
    monitor.step(90_000)
    assert monitor.schemes.states[0].stats.sz_tried == 3 * NR_PAGES * PAGE


def test_pageout_pages_out_what_is_cold() -> None:
    """What nobody touches leaves memory, what is hot stays."""
    monitor = monitor_of(context_of(Scheme(action="pageout", access_pattern=COLD)))
    for _ in range(30):
        monitor.step(monitor.next_us or 0)
    applied = monitor.schemes.states[0].stats.sz_applied
    assert 0.9 * 800 * PAGE <= applied <= 800 * PAGE


def test_actions_reset_ages_before_publication() -> None:
    """The published snapshot shows the ages that schemes have reset (core 4.4)."""
    plain = monitor_of(context_of()).step(5 * AGGR_US)[-1]
    acted = monitor_of(context_of(Scheme(action="pageout"))).step(5 * AGGR_US)[-1]
    assert plain.age.max() > 0
    assert acted.age.max() == 0


def test_schemes_that_only_count_change_nothing() -> None:
    """With a scheme that only counts, snapshots are the same to the byte."""
    plain = monitor_of(context_of()).step(8 * AGGR_US)
    counted = monitor_of(context_of(Scheme(access_pattern=COLD))).step(8 * AGGR_US)
    for one, other in zip(plain, counted, strict=True):
        assert (one.start == other.start).all()
        assert (one.age == other.age).all()


def test_same_result_however_steps_fall() -> None:
    """With schemes, too, late steps and single ticks give the same snapshots."""
    scheme = Scheme(action="pageout", access_pattern=COLD, quotas=Quotas(sz_bytes=64 * PAGE))
    late = monitor_of(context_of(scheme)).step(10 * AGGR_US)
    ticked = monitor_of(context_of(scheme))
    snapshots = [each for now in range(0, 10 * AGGR_US + 1, SAMPLE_US) for each in ticked.step(now)]
    for one, other in zip(late, snapshots, strict=True):
        assert (one.start == other.start).all()
        assert (one.nr_accesses == other.nr_accesses).all()
        assert (one.age == other.age).all()


def test_regions_cover_the_same_after_cuts() -> None:
    """Quotas cut regions, and all memory stays covered."""
    quotas = Quotas(sz_bytes=37 * PAGE, reset_interval_ms=100)
    monitor = monitor_of(context_of(Scheme(action="pageout", quotas=quotas)))
    for snapshot in monitor.step(20 * AGGR_US):
        assert snapshot.total_bytes == NR_PAGES * PAGE
        assert (snapshot.start[1:] == snapshot.end[:-1]).all()


def test_watermarks_stop_monitoring() -> None:
    """While all schemes are inactive no tick passes and nothing is looked at."""
    marks = Watermarks("free_mem_rate", 1_000_000, 400, 300, 100)
    monitor = monitor_of(context_of(Scheme(watermarks=marks)), Gauge(500))
    assert monitor.is_asleep
    assert monitor.next_us == 1_000_000
    assert monitor.step(5 * AGGR_US) == []
    assert monitor.schedule.passed == 0


def test_watermarks_wake_monitoring() -> None:
    """A scheme that becomes active has monitoring begin where time is then."""
    gauge = Gauge(500)
    marks = Watermarks("free_mem_rate", 1_000_000, 400, 300, 100)
    monitor = monitor_of(context_of(Scheme(watermarks=marks)), gauge)
    gauge.free_permil = 200
    monitor.step(1_000_000)
    assert not monitor.is_asleep
    [snapshot] = monitor.step(1_000_000 + AGGR_US)
    assert snapshot.end_ns == (1_000_000 + AGGR_US) * 1000


def test_watermarks_are_looked_at_again_each_interval() -> None:
    """Asleep, watermarks are looked at once per interval of theirs."""
    gauge = Gauge(500)
    marks = Watermarks("free_mem_rate", 1_000_000, 400, 300, 100)
    monitor = monitor_of(context_of(Scheme(watermarks=marks)), gauge)
    monitor.step(3_500_000)
    assert gauge.asked_at == [0, 1_000_000, 2_000_000, 3_000_000]


def test_calls_are_heard_in_sleep() -> None:
    """A call made while all schemes are inactive is run at once, and may change that."""
    marks = Watermarks("free_mem_rate", 60_000_000, 400, 300, 100)
    monitor = monitor_of(context_of(Scheme(watermarks=marks)), Gauge(500))
    call = monitor.call(lambda m: m.commit(context_of(Scheme())), now_us=2_000_000)
    assert monitor.next_us == 2_000_000
    monitor.step(2_000_000)
    assert call.done
    assert not monitor.is_asleep


def test_one_active_scheme_keeps_monitoring_awake() -> None:
    """Monitoring goes on while any scheme is active; inactive ones do nothing."""
    marks = Watermarks("free_mem_rate", 1_000_000, 400, 300, 100)
    monitor = monitor_of(context_of(Scheme(watermarks=marks), Scheme()), Gauge(500))
    monitor.step(2 * AGGR_US)
    tried = [state.stats.nr_tried > 0 for state in monitor.schemes.states]
    assert tried == [False, True]


def user_action(request: ActionRequest) -> None:
    """Stand for a function of the user; tests answer for it."""


def test_user_action_is_asked_for() -> None:
    """For an action of the user the iteration stops until somebody answers."""
    monitor = monitor_of(context_of(Scheme(action=user_action)))
    assert monitor.step(3 * AGGR_US) == []
    request = monitor.request
    assert isinstance(request, ActionRequest)
    assert request.action is user_action
    assert int(request.sizes.sum()) == NR_PAGES * PAGE
    assert monitor.next_us == AGGR_US


def test_answer_goes_on() -> None:
    """An answer lets the iteration end, with the snapshot it was about to publish."""
    monitor = monitor_of(context_of(Scheme(action=user_action)))
    monitor.step(AGGR_US)
    request = monitor.request
    assert isinstance(request, ActionRequest)
    [snapshot] = monitor.answer(Applied(request.sizes, request.sizes, 5_000))
    assert snapshot.end_ns == AGGR_US * 1000
    assert monitor.request is None
    assert monitor.schemes.states[0].stats.sz_applied == NR_PAGES * PAGE


def test_answer_without_request() -> None:
    """An answer that nobody asked for is refused."""
    monitor = monitor_of(context_of(Scheme()))
    with pytest.raises(InvalidError, match="nothing was asked, so there is nothing to answer"):
        monitor.answer(Measured(1))


def test_end_while_a_request_is_pending() -> None:
    """A monitor that is finished while a function of the user runs forgets the request."""
    monitor = monitor_of(context_of(Scheme(action=user_action)))
    monitor.step(AGGR_US)
    monitor.finish()
    assert monitor.request is None
    assert monitor.step(2 * AGGR_US) == []


def user_metric(now_us: int) -> int:
    """Stand for a metric of the user; tests answer for it."""
    return now_us


def test_user_watermark_is_asked_for() -> None:
    """A watermark metric of the user is asked for before the first tick."""
    marks = Watermarks(user_metric, 1_000_000, 400, 300, 100)
    monitor = monitor_of(context_of(Scheme(watermarks=marks)))
    assert isinstance(monitor.request, MetricRequest)
    monitor.answer(Measured(500))
    assert monitor.is_asleep


def test_walk_shows_tried_regions() -> None:
    """A walk shows every region that an action was asked for on, for one round."""
    monitor = monitor_of(context_of(Scheme(access_pattern=COLD)))
    seen: list[Tried] = []
    walk = monitor.schemes.walk(seen.append)
    monitor.step(3 * AGGR_US)
    assert not walk.is_pending
    assert sum(int((each.ranges[:, 1] - each.ranges[:, 0]).sum()) for each in seen) > 0


def test_walk_is_cancelled_at_the_end() -> None:
    """A walk still pending when the monitor ends is cancelled."""
    monitor = monitor_of(context_of(Scheme()))
    walk = monitor.schemes.walk(lambda tried: None)
    monitor.finish()
    assert isinstance(walk.exception(), CanceledError)


def test_walk_is_cancelled_by_a_pause() -> None:
    """A pause cancels a pending walk (core 4.7)."""
    context = context_of(Scheme())
    monitor = monitor_of(context.model_copy(update={"pause": True}))
    walk = monitor.schemes.walk(lambda tried: None)
    monitor.step(AGGR_US)
    assert isinstance(walk.exception(), CanceledError)


def test_commit_keeps_statistics() -> None:
    """A commit of schemes while running keeps their statistics (core 2.7)."""
    context = context_of(Scheme())
    monitor = monitor_of(context)
    monitor.step(2 * AGGR_US)
    tried = monitor.schemes.states[0].stats.sz_tried
    schemes = (Scheme(action="pageout", access_pattern=COLD), Scheme())
    monitor.call(lambda m: m.commit(context.model_copy(update={"schemes": schemes})))
    monitor.step(2 * AGGR_US + SAMPLE_US)
    assert [state.stats.sz_tried for state in monitor.schemes.states] == [tried, 0]
    assert monitor.schemes.states[0].scheme.action is Action.PAGEOUT


def test_commit_of_intervals_plans_schemes_anew() -> None:
    """Other intervals change when schemes without an apply interval are applied."""
    context = context_of(Scheme())
    monitor = monitor_of(context)
    intervals = context.intervals.model_copy(update={"aggr_us": 200_000})
    monitor.call(lambda m: m.commit(context.model_copy(update={"intervals": intervals})))
    monitor.step(SAMPLE_US)
    monitor.step(3 * AGGR_US)
    assert monitor.schemes.states[0].stats.nr_snapshots == 1


def test_removed_target_clears_the_pointer() -> None:
    """P19: a charge pointer into a target that a commit removes is forgotten."""
    spaces = [Still(mapped=[(0, 100), (200, 300), (400, 500)]) for _ in range(2)]
    targets = [Target(space=space) for space in spaces]
    quotas = Quotas(sz_bytes=150 * PAGE, reset_interval_ms=10_000)
    context = Context(targets=targets, schemes=[Scheme(quotas=quotas)])
    monitor = monitor_of(context)
    monitor.step(3 * AGGR_US)
    quota = monitor.schemes.states[0].quota
    quota.charge_target = 1
    monitor.call(lambda m: m.commit(context.model_copy(update={"targets": tuple(targets[:1])})))
    monitor.step(3 * AGGR_US + SAMPLE_US)
    assert quota.charge_target is None


def test_trace_events_are_heard() -> None:
    """A listener hears of regions before an action, of statistics, and of aggregations."""
    events: list[TraceEvent] = []
    monitor = monitor_of(context_of(Scheme()), events=events)
    [snapshot] = monitor.step(AGGR_US)
    kinds = [type(event) for event in events]
    assert kinds.count(DamonAggregated) == snapshot.nr_regions
    assert kinds.index(DamosBeforeApply) < kinds.index(DamosStat) < kinds.index(DamonAggregated)


def test_free_memory_of_a_machine_drives_watermarks() -> None:
    """With a real machine, schemes sleep as long as enough memory is free."""
    space = Still(mapped=[(0, NR_PAGES)])
    machine = Machine([Process(1, space)])
    target = Target(
        regions=[AddressRange(BASE, BASE + NR_PAGES * PAGE)], space=PhysicalMemory(machine)
    )
    marks = Watermarks("free_mem_rate", 1_000_000, 150, 100, 50)
    context = Context(ops="paddr", targets=[target], schemes=[Scheme(watermarks=marks)])
    assert monitor_of(context, MachineMetrics(machine)).is_asleep


def test_space_without_actions_is_only_counted_on() -> None:
    """On a space that cannot act an action is tried, and does nothing."""
    target = Target(space=Still(mapped=[(0, 100), (200, 300), (400, 500)]))
    monitor = monitor_of(Context(targets=[target], schemes=[Scheme(action="pageout")]))
    monitor.step(AGGR_US)
    stats = monitor.schemes.states[0].stats
    assert (stats.nr_applied, stats.sz_tried > 0) == (0, True)
