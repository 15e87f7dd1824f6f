from __future__ import annotations

import asyncio
from itertools import count

import pytest

from damon_async.engine.alarms import Alarm, Rank
from damon_async.engine.clock import RealClock

from .worlds import turns


class Hand:
    """The hand of a clock, moved by the test; in nanoseconds."""

    def __init__(self) -> None:
        self.ns = 5_000_000_000

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def hand() -> Hand:
    """Return what the clock of this test reads."""
    return Hand()


def test_clock_begins_where_it_is_told(hand: Hand) -> None:
    """A real clock counts microseconds from its start, whatever the machine's shows."""
    clock = RealClock(start_us=70, monotonic_ns=hand)
    assert clock.now_us() == 70
    hand.ns += 12_345_999
    assert clock.now_us() == 70 + 12_345


def test_machine_time_passes() -> None:
    """By default it follows the machine, which never goes back."""
    clock = RealClock()
    readings = [clock.now_us() for _ in range(100)]
    assert readings == sorted(readings)
    assert readings[0] >= 0


async def test_past_deadline_yields_once(hand: Hand) -> None:
    """Sleeping until the past returns, but only after others had a turn."""
    clock = RealClock(monotonic_ns=hand)
    log: list[str] = []
    asyncio.get_running_loop().call_soon(log.append, "other")
    await clock.sleep_until(-5)
    await clock.sleep(0)
    assert log == ["other"]


async def test_sleepers_wake_by_deadline(hand: Hand) -> None:
    """Sleepers wake in the order of their deadlines, by one timer of the loop."""
    clock = RealClock(monotonic_ns=hand)
    log: list[int] = []

    async def sleeper(at_us: int) -> None:
        await clock.sleep_until(at_us)
        log.append(at_us)

    tasks = [asyncio.create_task(sleeper(at)) for at in (3000, 1000, 2000)]
    await turns(2)
    hand.ns += 10_000_000
    await asyncio.gather(*tasks)
    assert log == [1000, 2000, 3000]


async def test_timer_that_fires_early_wakes_nobody() -> None:
    """If the loop's timer comes before the deadline by this clock, it is set again."""
    readings = count(0, 200_000)  # each look at the clock takes 0.2 ms
    clock = RealClock(monotonic_ns=lambda: next(readings))
    await clock.sleep_until(2_000)
    assert clock.now_us() > 2_000


async def test_always_late_does_not_starve_others(hand: Hand) -> None:
    """A sleeper whose deadlines are all past lets other tasks run in between."""
    clock = RealClock(monotonic_ns=hand)
    hand.ns += 10_000_000_000
    nr_others = 0

    async def other() -> None:
        nonlocal nr_others
        while True:
            nr_others += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    for deadline_us in range(20):
        await clock.sleep_until(deadline_us)
    task.cancel()
    assert nr_others >= 20


async def test_ring_ends_a_sleep(hand: Hand) -> None:
    """Ringing an alarm wakes its sleeper long before the deadline; twice is harmless."""
    clock = RealClock(monotonic_ns=hand)
    alarm = clock.open_alarm()
    sleep = clock.set_alarm(alarm, 10**12)
    clock.ring(alarm)
    clock.ring(alarm)
    await sleep
    assert not alarm.is_set
    clock.close_alarm(alarm)


async def test_hasten_moves_a_deadline_forward_only(hand: Hand) -> None:
    """A sleep under way can be made shorter, not longer, and not begun."""
    clock = RealClock(monotonic_ns=hand)
    alarm = Alarm(Rank.KDAMOND)
    clock.hasten(alarm, 5)
    assert not alarm.is_set
    sleep = clock.set_alarm(alarm, 10**12)
    clock.hasten(alarm, 10**13)
    assert alarm.deadline_us == 10**12
    clock.hasten(alarm, -1)
    await sleep


async def test_cancelled_sleep_leaves_nothing(hand: Hand) -> None:
    """A sleep that is cancelled leaves no alarm behind."""
    clock = RealClock(monotonic_ns=hand)
    task = asyncio.create_task(clock.sleep(1000))
    await turns(2)
    assert repr(clock) == "<RealClock at 0 us, 1 asleep>"
    task.cancel()
    await turns(2)
    assert repr(clock) == "<RealClock at 0 us, 0 asleep>"


async def test_real_time_cannot_be_held(hand: Hand) -> None:
    """Holding a real clock does nothing, settling it neither."""
    clock = RealClock(monotonic_ns=hand)
    with clock.hold("a test"):
        clock.settle()
        await clock.sleep_until(-1)


def test_clock_serves_one_loop_after_another(hand: Hand) -> None:
    """What slept on a loop that is gone does not disturb sleepers on the next one."""
    clock = RealClock(monotonic_ns=hand)

    async def abandon() -> None:
        clock.set_alarm(Alarm(Rank.TASK), 1_000)

    asyncio.run(abandon())
    hand.ns += 10_000_000
    asyncio.run(clock.sleep_until(500))
    assert repr(clock) == "<RealClock at 10000 us, 0 asleep>"
