"""However ticks are cut into windows and steps, the result is the same to the byte."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given, strategies as st

from damon_async.monitor import state
from damon_async.monitor.monitor import Monitor
from damon_async.params.intervals import Intervals, IntervalsGoal
from damon_async.params.monitoring import Context, NrRegions
from damon_async.records.snapshot import Snapshot

from .doubles import (
    AGGR_US,
    SAMPLE_US,
    Blinking,
    Still,
    Touched,
    context_of,
    drive,
    fingerprint,
    monitor_of,
    target_of,
    watch,
)

END_US = 8 * AGGR_US

GOAL = IntervalsGoal(access_bp=400, aggrs=2, min_sample_us=1_000, max_sample_us=40_000)


def plain_context() -> Context:
    """Return one blinking target, the default intervals."""
    return context_of(target_of(Blinking(), (0, 9000)))


def busy_context() -> Context:
    """Return several targets, odd intervals, frequent updates and interval tuning."""
    growing = Blinking(mapped=[(0, 300), (900, 2000), (9000, 9100)])
    return context_of(
        target_of(growing),
        target_of(Blinking(lifetime_us=333_333), (0, 500)),
        ops="vaddr",
        intervals=Intervals(5_000, 52_000, 70_000, GOAL),
        nr_regions=NrRegions(10, 60),
    )


contexts = pytest.mark.parametrize(
    "context", [plain_context(), busy_context()], ids=["plain", "busy"]
)


@contexts
@pytest.mark.parametrize("step_us", [1_000, SAMPLE_US, 7_000, AGGR_US, 3 * AGGR_US, END_US])
def test_steps_do_not_matter(context: Context, step_us: int) -> None:
    """Windows, single ticks and late steps publish the same to the byte."""
    windowed = drive(monitor_of(context), END_US)
    assert len(windowed) >= 4
    stepped = drive(monitor_of(context), END_US, step_us=step_us)
    assert fingerprint(stepped) == fingerprint(windowed)


@given(steps=st.lists(st.integers(1, 60_000), min_size=1, max_size=60))
def test_random_steps_do_not_matter(steps: list[int]) -> None:
    """Stepping at any instants publishes what stepping on time does."""
    monitor = monitor_of(plain_context())
    instants = list(accumulate(steps))
    stepped = [each for now_us in instants for each in monitor.step(now_us)]
    windowed = drive(monitor_of(plain_context()), instants[-1])
    assert fingerprint(stepped) == fingerprint(windowed)


def test_other_seed_other_result() -> None:
    """Another seed samples and splits elsewhere."""
    one, other = (drive(monitor_of(plain_context(), seed=seed), END_US) for seed in (1, 2))
    assert fingerprint(one) != fingerprint(other)


@contexts
def test_long_windows_are_cut(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows too long for one array step are done in parts, with the same result."""
    whole = drive(monitor_of(context), END_US)
    monkeypatch.setattr(state, "CHECKS_AT_ONCE", 70)
    assert fingerprint(drive(monitor_of(context), END_US)) == fingerprint(whole)


def test_parts_of_windows_are_bounded() -> None:
    """No array step has more checks than are allowed at once."""
    space = Still()
    intervals = Intervals(1, 50_000)
    context = context_of(target_of(space, (0, 1000)), intervals=intervals)
    drive(monitor_of(context), 50_000)
    assert sum(map(len, space.asked)) == 50_000
    assert max(map(len, space.asked)) == state.CHECKS_AT_ONCE // 10


def committing_run(step_us: int | None) -> list[Snapshot]:
    """Commit other parameters at odd instants while memory blinks."""
    monitor = monitor_of(plain_context())
    snapshots = drive(monitor, 237_000, step_us=step_us)
    other = plain_context().model_copy(update={"intervals": Intervals(4_000, 60_000)})
    monitor.call(lambda monitor: monitor.commit(other), now_us=237_000)
    snapshots += drive(monitor, 411_000, step_us=step_us)
    pausing = other.model_copy(update={"pause": True})
    monitor.call(lambda monitor: monitor.commit(pausing), now_us=411_000)
    snapshots += drive(monitor, 498_000, step_us=step_us)
    monitor.call(lambda monitor: monitor.commit(other), now_us=498_000)
    return snapshots + drive(monitor, 900_000, step_us=step_us)


@pytest.mark.parametrize("step_us", [1_000, 5_000, 50_000])
def test_steps_do_not_matter_to_calls(step_us: int) -> None:
    """Calls take effect at the tick of their instant, however steps fall."""
    assert fingerprint(committing_run(step_us)) == fingerprint(committing_run(None))


def test_windows_are_one_question() -> None:
    """A pure space is asked about a whole aggregation at once."""
    space = Still()
    drive(watch(target_of(space, (0, 100))), 2 * AGGR_US)
    ticks = [(tick * SAMPLE_US, (tick + 1) * SAMPLE_US) for tick in range(40)]
    assert space.asked == [ticks[:20], ticks[20:]]


def test_windows_end_with_updates() -> None:
    """A window ends where mappings are read again."""
    space = Still(mapped=[(0, 10), (20, 30), (40, 50)])
    intervals = Intervals(SAMPLE_US, AGGR_US, 30_000)
    monitor = monitor_of(context_of(target_of(space), ops="vaddr", intervals=intervals))
    drive(monitor, AGGR_US)
    assert list(map(len, space.asked)) == [6, 6, 6, 2]


def test_updates_at_every_tick() -> None:
    """An update interval of 0 reads mappings at every tick."""
    space = Still(mapped=[(0, 10), (20, 30), (40, 50)])
    intervals = Intervals(SAMPLE_US, AGGR_US, 0)
    monitor = monitor_of(context_of(target_of(space), ops="vaddr", intervals=intervals))
    assert len(drive(monitor, AGGR_US)) == 1
    assert list(map(len, space.asked)) == [1] * 20


def test_impure_spaces_are_asked_tick_by_tick() -> None:
    """A space that learns while it runs is asked about every tick when that ends."""
    space = Touched()
    monitor = watch(target_of(space, (0, 100)))
    assert monitor.next_us == SAMPLE_US
    drive(monitor, 3 * SAMPLE_US)
    assert space.asked == [[(0, 5_000)], [(5_000, 10_000)], [(10_000, 15_000)]]
    assert monitor.nr_overruns == 0


def test_one_impure_target_makes_all_step() -> None:
    """Windows are for contexts all of whose targets are pure."""
    pure = Still()
    monitor = watch(target_of(pure, (0, 100)), target_of(Touched(), (0, 100)))
    drive(monitor, 3 * SAMPLE_US)
    assert list(map(len, pure.asked)) == [1, 1, 1]


def test_late_steps_of_impure_spaces_are_overruns() -> None:
    """A late step asks an impure space once, and counts the ticks it missed."""
    space = Touched()
    monitor = watch(target_of(space, (0, 100)))
    monitor.step(27_000)
    assert space.asked == [[(0, 25_000)]]
    assert monitor.nr_overruns == 4
    assert monitor.schedule.passed == 1
    # Deadlines are absolute: the next one does not drift.
    assert monitor.next_us == 30_000


def test_late_steps_of_pure_spaces_are_none() -> None:
    """A pure space can tell the past, so that nothing is missed."""
    monitor = watch(target_of(Still(), (0, 100)))
    monitor.step(27_000)
    assert monitor.nr_overruns == 0
    assert monitor.schedule.passed == 5


def test_touches_are_counted() -> None:
    """What an application touches between ticks is found at the next one."""
    space = Touched()
    monitor = watch(target_of(space, (0, 1)))
    for tick in range(7):
        space.touch(tick * SAMPLE_US + 17, 0)
        monitor.step((tick + 1) * SAMPLE_US)
    snapshot = drive(monitor, AGGR_US)[0]
    assert snapshot.nr_accesses.tolist() == [7]


def frequencies_at(monitor: Monitor, now_us: int) -> list[int]:
    """Return the frequencies after stepping to an instant."""
    monitor.step(now_us)
    frequencies: list[int] = monitor.frequencies.tolist()
    return frequencies


@pytest.mark.parametrize("now_us", [135_000, 199_999, 260_000])
def test_windows_are_open_to_the_curious(now_us: int) -> None:
    """Stepping within a window shows what single ticks would show there."""
    ticked = monitor_of(plain_context())
    drive(ticked, now_us, step_us=SAMPLE_US)
    assert frequencies_at(monitor_of(plain_context()), now_us) == ticked.frequencies.tolist()


def test_fixed_ranges_need_no_updates() -> None:
    """An update interval of 0 leaves windows whole where ranges are never updated."""
    context = context_of(
        target_of(Blinking(), (0, 9000)), ops="paddr", intervals=Intervals(5_000, 100_000, 0)
    )
    assert monitor_of(context).next_us == AGGR_US
    seldom = context.model_copy(update={"intervals": Intervals(5_000, 100_000, 60_000_000)})
    assert fingerprint(drive(monitor_of(context), END_US)) == fingerprint(
        drive(monitor_of(seldom), END_US)
    )
