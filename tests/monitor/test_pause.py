from __future__ import annotations

import numpy as np
import pytest

from damon_async.monitor.monitor import Monitor

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


def set_pause(monitor: Monitor, *, pause: bool, now_us: int) -> None:
    """Ask for a commit that only changes the pause."""

    def change(monitor: Monitor) -> None:
        monitor.commit(monitor.context.model_copy(update={"pause": pause}))

    monitor.call(change, now_us=now_us)


def paused(at_us: int) -> Monitor:
    """Return a monitor that is paused since an instant."""
    monitor = watch(target_of(Still(hot=[(0, 50)]), (0, 100)))
    drive(monitor, at_us - SAMPLE_US)
    set_pause(monitor, pause=True, now_us=at_us)
    drive(monitor, at_us)
    assert monitor.is_paused
    return monitor


def test_no_ticks_pass_in_a_pause() -> None:
    """In a pause time goes on, but no tick passes and regions stay as they are."""
    monitor = paused(40_000)
    before = monitor.table.cells.copy()
    assert drive(monitor, 5 * AGGR_US) == []
    assert monitor.schedule.passed == 8
    assert monitor.tick_us > 4 * AGGR_US
    assert np.array_equal(monitor.table.cells, before)


def test_nobody_is_asked_in_a_pause() -> None:
    """A space is left in peace while monitoring is paused."""
    space = Still()
    monitor = watch(target_of(space, (0, 100)))
    set_pause(monitor, pause=True, now_us=0)
    drive(monitor, 5 * AGGR_US)
    assert space.asked == [[(0, SAMPLE_US)]]


def test_a_pause_needs_few_rounds() -> None:
    """Without a call nothing can end a pause, so it is looked at once per aggregation."""
    monitor = paused(40_000)
    assert monitor.next_us == 40_000 + AGGR_US
    monitor.call(lambda _: None, now_us=70_000)
    assert monitor.next_us == 45_000


def test_resuming_goes_on_where_it_was() -> None:
    """After a pause the aggregation goes on, with the counts it had."""
    monitor = paused(40_000)
    drive(monitor, 300_000)
    set_pause(monitor, pause=False, now_us=300_000)
    drive(monitor, 300_000)
    assert not monitor.is_paused
    (snapshot,) = drive(monitor, 300_000 + 12 * SAMPLE_US)
    assert snapshot.nr_accesses.max() == 20
    assert (snapshot.start_ns, snapshot.end_ns) == (0, 360_000_000)
    assert monitor.schedule.passed == 20


def test_first_interval_after_a_pause_begins_with_its_end() -> None:
    """What was touched during a pause is not looked for afterwards."""
    space = Touched()
    monitor = watch(target_of(space, (0, 1)))
    set_pause(monitor, pause=True, now_us=0)
    drive(monitor, SAMPLE_US)
    space.touch(7_000, 0)
    monitor.step(4 * SAMPLE_US)
    set_pause(monitor, pause=False, now_us=25_000)
    drive(monitor, 30_000)
    assert space.asked == [[(0, 5_000)], [(25_000, 30_000)]]
    assert not monitor.table.nr_accesses.any()


def test_pause_at_the_end_of_an_aggregation() -> None:
    """A pause between merging and publishing holds back the snapshot until its end."""
    monitor = paused(AGGR_US)
    assert monitor.table.nr_accesses.max() == 20
    drive(monitor, 150_000)
    set_pause(monitor, pause=False, now_us=150_000)
    (snapshot,) = drive(monitor, 150_000)
    assert snapshot.nr_accesses.max() == 20
    assert snapshot.end_ns == 150_000_000
    assert monitor.schedule.next_aggregation == 40


def test_paused_from_the_start() -> None:
    """A context that begins with a pause looks once, then waits."""
    space = Still()
    monitor = monitor_of(context_of(target_of(space, (0, 100)), pause=True))
    assert monitor.next_us == SAMPLE_US
    assert drive(monitor, 5 * AGGR_US) == []
    assert monitor.is_paused
    assert space.asked == [[(0, SAMPLE_US)]]


def test_late_steps_find_the_same_pause() -> None:
    """A late step pauses after one tick, as one on time does."""
    monitor = monitor_of(context_of(target_of(Still(), (0, 100)), pause=True))
    monitor.step(5 * AGGR_US)
    assert monitor.schedule.passed == 1


def test_repeated_calls_run_in_a_pause() -> None:
    """A repeated call runs in every round of a pause."""
    monitor = paused(40_000)
    seen: list[int] = []
    monitor.call(lambda monitor: seen.append(monitor.tick_us), repeat=True, now_us=40_000)
    drive(monitor, 60_000)
    assert seen == [45_000, 50_000, 55_000, 60_000]


def test_pause_and_resume_at_once() -> None:
    """A pause that ends in the tick in which it began is none."""
    plain, paused_shortly = (watch(target_of(Blinking(), (0, 5000))) for _ in range(2))
    set_pause(paused_shortly, pause=True, now_us=40_000)
    set_pause(paused_shortly, pause=False, now_us=40_000)
    assert fingerprint(drive(paused_shortly, 500_000)) == fingerprint(drive(plain, 500_000))


def test_resuming_twice_is_harmless() -> None:
    """Clearing a pause that is not set changes nothing."""
    plain, resumed = (watch(target_of(Blinking(), (0, 5000))) for _ in range(2))
    set_pause(resumed, pause=False, now_us=40_000)
    assert fingerprint(drive(resumed, 500_000)) == fingerprint(drive(plain, 500_000))


def test_finishing_in_a_pause() -> None:
    """A paused monitor can be finished, which cancels who waits."""
    monitor = paused(40_000)
    call = monitor.call(lambda _: None)
    monitor.finish()
    assert call.canceled
    assert monitor.next_us is None


def test_vanishing_in_a_pause() -> None:
    """A paused monitor ends when its last target vanishes."""
    monitor = watch(target_of(Still(lifetime_us=200_000), (0, 100)))
    set_pause(monitor, pause=True, now_us=0)
    drive(monitor, 2 * AGGR_US + SAMPLE_US)
    assert monitor.ended


@pytest.mark.parametrize("pause_us", [5_000, 52_000, 100_000, 133_000])
@pytest.mark.parametrize("length_us", [5_000, 61_000, 300_000])
def test_pauses_only_delay(pause_us: int, length_us: int) -> None:
    """Memory that does not depend on time looks the same with a pause and without."""

    def counts(*, pause: bool) -> list[list[int]]:
        monitor = watch(target_of(Still(hot=[(10, 40)]), (0, 100)))
        snapshots = drive(monitor, pause_us)
        set_pause(monitor, pause=pause, now_us=pause_us)
        snapshots += drive(monitor, pause_us + length_us)
        set_pause(monitor, pause=False, now_us=pause_us + length_us)
        while len(snapshots) < 6:
            assert monitor.next_us is not None
            snapshots += monitor.step(monitor.next_us)
        return [each.nr_accesses.tolist() for each in snapshots[:6]]

    assert counts(pause=True) == counts(pause=False)
