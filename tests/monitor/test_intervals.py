"""Other intervals online: by a commit, and by tuning themselves."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.arrays import BoolArray, IntArray
from damon_async.monitor.monitor import Monitor
from damon_async.params.intervals import AGGR_US_MAX, Intervals, IntervalsGoal
from damon_async.records.snapshot import Snapshot
from damon_async.regions.table import RegionTable

from .doubles import (
    AGGR_US,
    PAGE,
    SAMPLE_US,
    Blinking,
    Still,
    context_of,
    drive,
    monitor_of,
    target_of,
    watch,
)

MIB = 256
"""Pages in a MiB."""

HOT = [(0, 100)]

E33_GOAL = IntervalsGoal(access_bp=400, aggrs=1, min_sample_us=5_000, max_sample_us=10_000_000)


def change(monitor: Monitor, now_us: int, intervals: Intervals) -> None:
    """Ask for a commit of other intervals."""
    context = monitor.context.model_copy(update={"intervals": intervals})
    monitor.call(lambda monitor: monitor.commit(context), now_us=now_us)


def change_at(monitor: Monitor, now_us: int, intervals: Intervals) -> list[Snapshot]:
    """Drive a monitor to an instant and commit other intervals there."""
    snapshots = drive(monitor, now_us - 1)
    change(monitor, now_us, intervals)
    return snapshots + drive(monitor, now_us)


def hot_monitor() -> Monitor:
    """Return a monitor of which half is hot."""
    return watch(target_of(Still(hot=[(0, 50)]), (0, 100)))


def test_change_restarts_the_schedule() -> None:
    """Intervals that change in a tick count from that tick on."""
    monitor = hot_monitor()
    change_at(monitor, 135_000, Intervals(5_000, 50_000, 500_000))
    assert monitor.schedule.passed == 27
    assert monitor.schedule.next_aggregation == 37
    assert monitor.schedule.next_ops_update == 127
    (snapshot,) = drive(monitor, 185_000)
    assert snapshot.nr_accesses.max() == 10
    assert (snapshot.sample_us, snapshot.aggr_us) == (5_000, 50_000)


def test_p11_change_drops_partial_counts() -> None:
    """P11: the counts of a broken-off aggregation are dropped, the last ones converted."""
    monitor = hot_monitor()
    change_at(monitor, 135_000, Intervals(5_000, 50_000, 500_000))
    assert not monitor.table.nr_accesses.any()
    assert set(monitor.table.last_nr_accesses.tolist()) == {0, 10}
    assert set(monitor.frequencies.tolist()) == {0, 10}


def test_change_converts_ages() -> None:
    """Ages become those of as much time in the new aggregation interval."""
    monitor = hot_monitor()
    drive(monitor, 8 * AGGR_US)
    assert monitor.table.age.max() == 8
    change_at(monitor, 835_000, Intervals(5_000, 200_000))
    assert monitor.table.age.max() == 4


def test_change_at_the_end_of_an_aggregation() -> None:
    """Complete counts are converted and published in the new intervals."""
    monitor = hot_monitor()
    (snapshot,) = change_at(monitor, AGGR_US, Intervals(5_000, 200_000))
    assert set(snapshot.nr_accesses.tolist()) == {0, 40}
    assert snapshot.aggr_us == 200_000
    assert monitor.schedule.next_aggregation == 60


def test_two_changes_at_the_end_of_an_aggregation() -> None:
    """A second change in the same tick does not take complete counts for partial ones."""
    monitor = hot_monitor()
    drive(monitor, AGGR_US - 1)
    change(monitor, AGGR_US, Intervals(5_000, 200_000))
    change(monitor, AGGR_US, Intervals(5_000, 50_000))
    (snapshot,) = drive(monitor, AGGR_US)
    assert set(snapshot.nr_accesses.tolist()) == {0, 10}


def test_change_of_the_tick() -> None:
    """Another sampling interval is that of the next tick."""
    space = Still()
    monitor = watch(target_of(space, (0, 100)))
    change_at(monitor, 10_000, Intervals(1_000, 20_000))
    monitor.step(12_000)
    asked = [interval for window in space.asked for interval in window]
    assert asked == [(0, 5_000), (5_000, 10_000), (10_000, 11_000), (11_000, 12_000)]


def test_change_of_the_update_interval_only() -> None:
    """Any other interval restarts the aggregation, as the kernel's setter does."""
    monitor = hot_monitor()
    change_at(monitor, 50_000, Intervals(5_000, 100_000, 777_000))
    assert drive(monitor, 145_000) == []
    assert len(drive(monitor, 150_000)) == 1


def test_aggregations_stay_in_step() -> None:
    """Aggregations follow each other without a gap after a change."""
    monitor = hot_monitor()
    snapshots = change_at(monitor, 135_000, Intervals(5_000, 50_000))
    snapshots += drive(monitor, 400_000)
    assert [each.start_ns for each in snapshots[1:]] == [each.end_ns for each in snapshots[:-1]]
    assert snapshots[1].end_ns == 185_000_000


def tuned_monitor(
    sample_us: int, goal: IntervalsGoal = E33_GOAL, *, nr_samples: int = 20
) -> Monitor:
    """Return a monitor of still memory whose intervals tune themselves."""
    intervals = Intervals(sample_us, sample_us * nr_samples, 60_000_000, goal)
    return monitor_of(context_of(target_of(Still(), (0, 110 * MIB)), intervals=intervals))


def find(monitor: Monitor, *rows: tuple[int, int, int]) -> None:
    """Make the next aggregation find exactly these regions: start, end and count."""

    def plant(monitor: Monitor) -> None:
        cells = np.zeros((6, len(rows)), np.int64)
        cells[1:4] = np.array(rows).T
        cells[1:3] *= PAGE
        monitor.table.cells = RegionTable(cells).cells

    end_us = monitor.tick_us + monitor.context.intervals.aggr_us
    monitor.call(plant, now_us=end_us)


def run_aggregation(monitor: Monitor) -> Snapshot:
    """Drive a monitor to the end of the running aggregation."""
    (snapshot,) = drive(monitor, monitor.tick_us + monitor.context.intervals.aggr_us)
    return snapshot


def test_e33_tuning() -> None:
    """E33: with half of the wanted accesses, intervals become about half as long again."""
    monitor = tuned_monitor(5_000)
    find(monitor, (0, 100 * MIB, 0), (100 * MIB, 110 * MIB, 4))
    snapshot = run_aggregation(monitor)
    assert (snapshot.sample_us, snapshot.aggr_us) == (7_727, 154_540)
    assert monitor.context.intervals.sample_us == 7_727
    assert monitor.schedule.next_aggregation == 40


@pytest.mark.parametrize(
    ("count", "sample_us", "tuned_us"),
    [(0, 100_000, 200_000), (20, 100_000, 50_000), (1, 100_000, 87_500), (20, 5_000, 5_000)],
)
def test_e34_tuning(count: int, sample_us: int, tuned_us: int) -> None:
    """E34: intervals follow the accesses found, within their bounds."""
    monitor = tuned_monitor(sample_us)
    find(monitor, (0, 110 * MIB, count))
    run_aggregation(monitor)
    assert monitor.context.intervals.sample_us == tuned_us
    assert monitor.context.intervals.aggr_us == 20 * tuned_us


def test_tuning_converts_what_is_published() -> None:
    """Counts about to be published are converted, not dropped."""
    monitor = tuned_monitor(5_000)
    find(monitor, (0, 100 * MIB, 0), (100 * MIB, 110 * MIB, 4))
    snapshot = run_aggregation(monitor)
    # 4 of 20 is exactly 2000 bp: nothing is lost in the same ratio.
    assert snapshot.nr_accesses.tolist() == [0, 4]
    assert set(monitor.table.last_nr_accesses.tolist()) == {0, 4}
    assert not monitor.table.nr_accesses.any()


def test_tuning_converts_ages() -> None:
    """What has been idle for a while is as old in fewer, longer aggregations."""
    goal = E33_GOAL.model_copy(update={"aggrs": 4})
    monitor = tuned_monitor(100_000, goal)
    snapshots = [run_aggregation(monitor) for _ in range(4)]
    assert [int(each.age.max()) for each in snapshots] == [1, 2, 3, 2]
    assert snapshots[-1].aggr_us == 4_000_000


def test_tuning_waits_for_its_aggregations() -> None:
    """Intervals are tuned once per so many aggregations."""
    goal = E33_GOAL.model_copy(update={"aggrs": 3})
    monitor = tuned_monitor(5_000, goal)
    lengths = [run_aggregation(monitor).sample_us for _ in range(7)]
    assert lengths == [5_000, 5_000, 10_000, 10_000, 10_000, 20_000, 20_000]


def test_tuning_stops_at_the_longest() -> None:
    """Idle memory makes intervals as long as they may be."""
    goal = E33_GOAL.model_copy(update={"max_sample_us": 31_000})
    monitor = tuned_monitor(5_000, goal)
    assert [run_aggregation(monitor).sample_us for _ in range(5)] == [10_000, 20_000] + [31_000] * 3


def test_tuning_never_outgrows_time() -> None:
    """Without an upper bound, intervals stay within what instants can tell."""
    monitor = tuned_monitor(5_000, E33_GOAL.model_copy(update={"max_sample_us": 2**63}))
    for _ in range(60):
        run_aggregation(monitor)
    assert AGGR_US_MAX - 20 < monitor.context.intervals.aggr_us <= AGGR_US_MAX


def test_tuning_at_its_bound_restarts_nothing() -> None:
    """Where intervals stay as they are, operations updates stay on time."""
    monitor = tuned_monitor(5_000)
    before = monitor.schedule.next_ops_update
    find(monitor, (0, 110 * MIB, 20))
    run_aggregation(monitor)
    assert monitor.schedule.next_ops_update == before


def test_p21_tuning_keeps_the_ratio_in_force() -> None:
    """P21: after a commit of another ratio, tuning keeps to that one."""
    monitor = tuned_monitor(5_000, E33_GOAL.model_copy(update={"aggrs": 2}))
    change_at(monitor, 50_000, Intervals(5_000, 40_000, 60_000_000, monitor_goal(monitor)))
    tuned = [run_aggregation(monitor) for _ in range(5)][-1]
    assert tuned.sample_us > 5_000
    assert tuned.aggr_us == 8 * tuned.sample_us


def test_tuning_is_off_by_default() -> None:
    """Without a goal intervals stay as they are."""
    monitor = watch(target_of(Still(), (0, 110 * MIB)))
    drive(monitor, 10 * AGGR_US)
    assert monitor.context.intervals.sample_us == SAMPLE_US


def test_p22_tuning_switched_on_online() -> None:
    """P22: switched on late, the first tuning is a whole step away, as are the others."""
    monitor = watch(target_of(Still(), (0, 110 * MIB)))
    drive(monitor, 100 * AGGR_US)
    goal = E33_GOAL.model_copy(update={"aggrs": 3})
    change_at(monitor, 100 * AGGR_US + 50_000, Intervals(5_000, 100_000, 60_000_000, goal))
    lengths = [run_aggregation(monitor).sample_us for _ in range(6)]
    assert lengths == [5_000, 5_000, 10_000, 10_000, 10_000, 20_000]


def test_changes_leave_the_tuning_step_alone() -> None:
    """Other intervals with the same goal do not put off the next tuning."""
    monitor = tuned_monitor(5_000, E33_GOAL.model_copy(update={"aggrs": 3}))
    change_at(monitor, 125_000, Intervals(5_000, 50_000, 60_000_000, monitor_goal(monitor)))
    # Due at tick 60, as before; done at the end of the aggregation around it.
    ends = [(monitor.schedule.passed, run_aggregation(monitor).sample_us) for _ in range(4)]
    assert ends == [(25, 5_000), (35, 5_000), (45, 5_000), (55, 10_000)]


def monitor_goal(monitor: Monitor) -> IntervalsGoal:
    """Return the goal in force."""
    return monitor.context.intervals.intervals_goal


def test_tuning_finds_enough_accesses() -> None:
    """Tuned intervals settle where about as many accesses are found as were wanted."""
    goal = IntervalsGoal(access_bp=400, aggrs=2, min_sample_us=100, max_sample_us=10_000_000)
    intervals = Intervals(5_000, 100_000, 60_000_000, goal)
    monitor = monitor_of(context_of(target_of(Seldom(), (0, 4000)), intervals=intervals))
    drive(monitor, 60_000_000)
    snapshots = drive(monitor, 120_000_000)
    shares = [
        ((each.end - each.start) * each.nr_accesses).sum() / each.total_bytes / 20
        for each in snapshots
    ]
    assert 0.02 < np.mean(shares) < 0.08
    assert 40_000 < monitor.context.intervals.sample_us < 160_000


class Seldom(Blinking):
    """Memory that is touched the more likely, the longer one waits: 2 s on average."""

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Touch every page once per two seconds, at an instant of its own."""
        phase = addresses // PAGE * 7_919_191 % 2_000_000
        found: BoolArray = (until_us - phase) // 2_000_000 > (since_us - phase) // 2_000_000
        return found
