from __future__ import annotations

from damon_async.monitor.schedule import Schedule
from damon_async.params.intervals import Intervals, IntervalsGoal

DEFAULT = Intervals(5_000, 100_000, 1_000_000)


def schedule_at(passed: int) -> Schedule:
    """Return a default schedule after some ticks of its first aggregation."""
    schedule = Schedule.at_start(DEFAULT)
    schedule.begin_iteration()
    schedule.passed = passed
    return schedule


def test_start() -> None:
    """At the start everything is due one interval later."""
    goal = IntervalsGoal(access_bp=400, aggrs=3, min_sample_us=5_000, max_sample_us=10_000_000)
    schedule = Schedule.at_start(Intervals(5_000, 100_000, 1_000_000, goal))
    assert (schedule.next_aggregation, schedule.next_ops_update) == (20, 200)
    assert schedule.next_tuning == 60


def test_due_when_passed() -> None:
    """An aggregation is due at its tick and remains so."""
    assert not schedule_at(19).is_aggregation_due
    assert schedule_at(20).is_aggregation_due
    assert schedule_at(25).is_aggregation_due


def test_ops_update_due() -> None:
    """An operations update is due at its tick."""
    assert not schedule_at(199).is_ops_update_due
    assert schedule_at(200).is_ops_update_due


def test_ends_are_counted_from_what_was_due() -> None:
    """The next interval begins where the last one was due, not where it was noticed."""
    schedule = schedule_at(23)
    schedule.end_aggregation(DEFAULT)
    assert schedule.next_aggregation == 40
    schedule.end_ops_update(DEFAULT)
    assert schedule.next_ops_update == 400


def test_restart_leaves_the_iteration_alone() -> None:
    """A change of intervals does not change what the running iteration found due."""
    schedule = schedule_at(20)
    schedule.restart(Intervals(5_000, 50_000, 500_000))
    assert schedule.is_aggregation_due
    assert (schedule.next_aggregation, schedule.next_ops_update) == (30, 120)
    schedule.end_aggregation(Intervals(5_000, 50_000, 500_000))
    assert schedule.next_aggregation == 30


def test_ticks_until_due() -> None:
    """A window ends with whatever is due first, and has one tick at least."""
    assert schedule_at(5).nr_ticks_until_due == 15
    assert schedule_at(30).nr_ticks_until_due == 1
    early_update = Schedule.at_start(Intervals(5_000, 100_000, 30_000))
    assert early_update.nr_ticks_until_due == 6


def test_ticks_left() -> None:
    """What is left of an aggregation is never negative."""
    assert schedule_at(5).nr_ticks_left == 15
    assert schedule_at(25).nr_ticks_left == 0


def test_updates_of_interval_zero() -> None:
    """An operations update interval of 0 is due at every tick."""
    schedule = Schedule.at_start(Intervals(5_000, 100_000, 0))
    for tick in range(1, 4):
        schedule.begin_iteration()
        schedule.passed = tick
        assert schedule.is_ops_update_due
        schedule.end_ops_update(Intervals(5_000, 100_000, 0))


def test_p22_tuning_restarts_from_now() -> None:
    """P22: switched on online, the first tuning is a whole step away."""
    schedule = schedule_at(1007)
    goal = IntervalsGoal(access_bp=400, aggrs=3, min_sample_us=5_000, max_sample_us=10_000_000)
    schedule.restart_tuning(Intervals(5_000, 100_000, 1_000_000, goal))
    assert schedule.next_tuning == 1007 + 60
