from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import anyio
import pytest
from hypothesis import given, strategies as st
from structlog.testing import capture_logs

from damon_async.engine import virtual_clock
from damon_async.engine.alarms import Alarm
from damon_async.engine.holding import TimeHold
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import InvalidError
from damon_async.testing.loops import VirtualTimeLoop

from .worlds import turns


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock at 0."""
    return VirtualClock()


async def ticking(clock: VirtualClock, log: list[Any], name: str, *instants_us: int) -> None:
    """Be a kdamond of that name: wake at each of *instants_us*, and note it."""
    alarm = clock.open_alarm()
    try:
        for instant_us in instants_us:
            await clock.set_alarm(alarm, instant_us)
            log.append((clock.now_us(), name))
    finally:
        clock.close_alarm(alarm)


async def sleeping(clock: VirtualClock, log: list[Any], name: str, *instants_us: int) -> None:
    """Be a task of the user: sleep until each of *instants_us*, and note it."""
    for instant_us in instants_us:
        await clock.sleep_until(instant_us)
        log.append((clock.now_us(), name))


async def test_time_jumps(clock: VirtualClock) -> None:
    """Sleeping takes no real time, and afterwards it is exactly that much later."""
    await clock.sleep(3600)
    assert clock.now_us() == 3_600_000_000
    await clock.sleep_us(1)
    assert clock.now_us() == 3_600_000_001


async def test_time_starts_where_it_is_told() -> None:
    """A clock may begin at any instant; deadlines in the past do not turn it back."""
    clock = VirtualClock(start_us=1_000)
    await clock.sleep_until(10)
    assert clock.now_us() == 1_000
    await clock.sleep(1e-6)
    assert clock.now_us() == 1_001


async def test_sleep_yields(clock: VirtualClock) -> None:
    """Even a sleep of nothing lets other tasks run."""
    log: list[str] = []
    asyncio.get_running_loop().call_soon(log.append, "other")
    await clock.sleep(0)
    assert log == ["other"]


async def test_sleepers_wake_in_order(clock: VirtualClock) -> None:
    """Several tasks wake by instant, and at one instant in the order they went to sleep."""
    log: list[Any] = []
    await asyncio.gather(
        sleeping(clock, log, "a", 5, 20, 30),
        sleeping(clock, log, "b", 10, 20),
        sleeping(clock, log, "c", 20, 21),
    )
    assert log == [(5, "a"), (10, "b"), (20, "c"), (20, "a"), (20, "b"), (21, "c"), (30, "a")]


async def test_kdamonds_first(clock: VirtualClock) -> None:
    """At one instant a task of the user wakes after all kdamonds have done their work."""
    log: list[Any] = []
    await asyncio.gather(
        sleeping(clock, log, "user", 10, 20),
        ticking(clock, log, "kdamond.0", 10, 20),
        ticking(clock, log, "kdamond.1", 5, 10, 20),
    )
    assert log == [
        (5, "kdamond.1"),
        (10, "kdamond.0"),
        (10, "kdamond.1"),
        (10, "user"),
        (20, "kdamond.0"),
        (20, "kdamond.1"),
        (20, "user"),
    ]


async def test_working_kdamond_stops_time(clock: VirtualClock) -> None:
    """While a kdamond is awake, for however many turns of the loop, time stands still."""
    alarm = clock.open_alarm()
    sleep = asyncio.create_task(clock.sleep(1))
    await turns(100)
    assert clock.now_us() == 0
    assert repr(clock) == "<VirtualClock at 0 us, 1 asleep, 1 at work>"
    clock.close_alarm(alarm)
    await sleep
    assert clock.now_us() == 1_000_000


async def test_ring_wakes_without_time_passing(clock: VirtualClock) -> None:
    """A kdamond that is rung wakes at the instant it was rung at."""
    alarm = clock.open_alarm()
    sleep = clock.set_alarm(alarm, 1_000)
    clock.ring(alarm)
    await sleep
    assert clock.now_us() == 0
    clock.close_alarm(alarm)
    clock.close_alarm(alarm)
    await clock.sleep_us(2_000)
    assert clock.now_us() == 2_000


async def test_hasten_brings_the_next_instant_closer(clock: VirtualClock) -> None:
    """A deadline that is moved forward is where time jumps to."""
    alarm = clock.open_alarm()
    sleep = clock.set_alarm(alarm, 1_000)
    clock.hasten(alarm, 300)
    await sleep
    assert clock.now_us() == 300
    clock.close_alarm(alarm)


async def test_cancelled_sleeper_does_not_count(clock: VirtualClock) -> None:
    """Time does not jump to where only cancelled sleepers would have woken."""
    log: list[Any] = []
    sleeper = asyncio.create_task(sleeping(clock, log, "gone", 10))
    kdamond = asyncio.create_task(ticking(clock, log, "gone too", 20))
    await asyncio.sleep(0)
    sleeper.cancel()
    kdamond.cancel()
    await sleeping(clock, log, "kept", 30)
    assert log == [(30, "kept")]


async def test_timeout_around_a_sleep(clock: VirtualClock) -> None:
    """An anyio scope ends a virtual sleep, and the clock goes on."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await clock.sleep(10)
    assert scope.cancelled_caught
    before_us = clock.now_us()
    await clock.sleep_us(5)
    assert clock.now_us() == before_us + 5


async def test_woken_tasks_have_some_turns(clock: VirtualClock) -> None:
    """Between two instants, tasks that were woken may do things that take some turns."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    seen: list[tuple[int, int]] = []

    async def consumer() -> None:
        while True:
            seen.append((await queue.get(), clock.now_us()))

    task = asyncio.create_task(consumer())
    ticker = asyncio.create_task(sleeping(clock, [], "ticker", *range(1, 30)))
    for _ in range(3):
        await clock.sleep_us(10)
        await asyncio.sleep(0)
        queue.put_nowait(clock.now_us())
    await turns()
    await ticker
    task.cancel()
    assert seen == [(10, 10), (20, 20), (30, 30)]


def test_at_least_one_turn() -> None:
    """A clock that gives nobody a turn is refused."""
    with pytest.raises(InvalidError, match="settle_turns is 0; whoever is woken needs at least 1"):
        VirtualClock(settle_turns=0)


async def test_held_time_stands_still(clock: VirtualClock) -> None:
    """As long as somebody holds the clock, no time passes, however long that takes."""
    sleep = asyncio.create_task(clock.sleep(1))
    with clock.hold("a test"):
        await turns(100)
        assert clock.now_us() == 0
        assert repr(clock) == "<VirtualClock at 0 us, 1 asleep, held by a test>"
    await sleep
    assert clock.now_us() == 1_000_000


async def test_two_holds(clock: VirtualClock) -> None:
    """Time goes on when the last of several holds is released."""
    sleep = asyncio.create_task(clock.sleep(1))
    with clock.hold("one"):
        with clock.hold("two"):
            await turns()
        await turns()
        assert clock.now_us() == 0
    await sleep


async def test_holder_may_sleep(clock: VirtualClock) -> None:
    """Whoever holds time and sleeps himself lets it pass, and holds it again after."""
    with clock.hold("a test"):
        await clock.sleep(1)
        assert clock.now_us() == 1_000_000
        stranger = asyncio.create_task(turns(50))
        await stranger
        assert clock.now_us() == 1_000_000


async def test_child_of_the_holder_may_sleep(clock: VirtualClock) -> None:
    """A task that the holder starts and waits for lifts the hold when it sleeps."""
    with clock.hold("a test"):
        await asyncio.wait_for(asyncio.gather(clock.sleep(1), clock.sleep(2)), timeout=20)
    assert clock.now_us() == 2_000_000


async def test_stranger_does_not_lift(clock: VirtualClock) -> None:
    """The sleep of a task that has nothing to do with the holder lifts nothing."""
    stranger = asyncio.create_task(sleeping(clock, [], "stranger", 5, 10))
    await turns(2)
    with clock.hold("a test"):
        await turns(50)
        assert clock.now_us() == 0
    await stranger


async def test_old_child_does_not_lift_anew(clock: VirtualClock) -> None:
    """A task started under one hold does not lift what its parent takes later."""
    with clock.hold("first"):
        child = asyncio.create_task(sleeping(clock, [], "child", *range(10, 1000, 10)))
        await clock.sleep_us(15)
    with clock.hold("second"):
        before = clock.now_us()
        await turns(200)
        assert clock.now_us() == before
    await child


async def test_holder_that_ends_releases(clock: VirtualClock) -> None:
    """A task that is gone holds nothing, even if it never left its block properly."""
    blocks = []

    async def forgetful() -> None:
        block = clock.hold("forgetful")
        block.__enter__()
        blocks.append(block)  # or its generator would be closed, and release

    await asyncio.create_task(forgetful())
    await clock.sleep(1)
    assert clock.now_us() == 1_000_000


async def test_time_held_for_long_is_warned_about(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If time stands still for some seconds, a warning names who holds it."""
    monkeypatch.setattr(virtual_clock, "HELD_WARNING_S", 0.0)
    sleep = asyncio.create_task(clock.sleep(1))
    with capture_logs() as logs, clock.hold("a careless test"):
        await turns(100)
    assert logs[0]["event"] == "virtual time is held"
    assert logs[0]["held_by"] == "a careless test"
    assert logs[0]["log_level"] == "warning"
    await sleep


async def test_time_that_moves_is_not_warned_about(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold that is released in time leaves no warning behind."""
    monkeypatch.setattr(virtual_clock, "HELD_WARNING_S", 0.0)
    with capture_logs() as logs:
        sleep = asyncio.create_task(clock.sleep(1))
        with clock.hold("a test"):
            await turns(2)
        await sleep
        await turns()
    assert logs == []


async def test_time_that_is_meant_to_stand_still_is_not_warned_about(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds time on purpose, as a control tree between commands, causes no warning."""
    monkeypatch.setattr(virtual_clock, "HELD_WARNING_S", 0.0)
    hold = TimeHold(clock, "a tree", is_meant=True)
    sleep = asyncio.create_task(clock.sleep(1))
    hold.take()
    with capture_logs() as logs:
        await turns(100)
    assert logs == []
    hold.release()
    await sleep


def test_warnings_come_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a loop whose time jumps, a clock held for a day warns some 15 times, not every 5 s."""

    async def hold() -> None:
        clock = VirtualClock()
        sleep = asyncio.create_task(clock.sleep(1))
        with clock.hold("a test"):
            await asyncio.sleep(86_400)
        await sleep

    loop = VirtualTimeLoop()
    with capture_logs() as logs, contextlib.closing(loop):
        loop.run_until_complete(hold())
    assert 5 < len(logs) < 20


def test_clock_serves_one_loop_after_another(clock: VirtualClock) -> None:
    """Sleepers, kdamonds and holds of a loop that is gone do not stop time on the next one."""
    left: list[Alarm] = []
    hold = clock.hold("a loop that is gone")

    async def abandon() -> None:
        left.append(clock.open_alarm())
        clock.set_alarm(clock.open_alarm(), 5)
        hold.__enter__()

    asyncio.run(abandon())
    asyncio.run(clock.sleep(1))
    assert clock.now_us() == 1_000_000
    clock.close_alarm(left[0])
    hold.__exit__(None, None, None)
    asyncio.run(clock.sleep(1))
    assert clock.now_us() == 2_000_000


def test_garbage_of_an_old_loop_is_not_counted(clock: VirtualClock) -> None:
    """A sleeper of a closed loop that takes its alarm back later changes nothing."""

    def run(sleeper: Coroutine[Any, Any, None], taken_back: Alarm | None) -> None:
        loop = asyncio.new_event_loop()

        async def live() -> None:
            sleeper.send(None)
            if taken_back is not None:
                clock.take_back(taken_back)
            assert "1 asleep" in repr(clock)

        loop.run_until_complete(live())
        loop.close()

    old, new = clock.sleep_us(10), clock.sleep_us(5)
    run(old, None)
    [(*_, alarm)] = clock._queue._heap
    run(new, alarm)
    for sleeper in (old, new):
        sleeper.close()
    assert "0 asleep" in repr(clock)


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(0, 40), min_size=1, max_size=8)),
        min_size=1,
        max_size=8,
    )
)
def test_any_sleepers_wake_in_order(sleepers: list[tuple[bool, list[int]]]) -> None:
    """Whoever sleeps for how long, nobody wakes early or late and time never goes back."""
    clock = VirtualClock()
    log: list[Any] = []

    async def sleep_all() -> None:
        bodies = [
            (ticking if is_kdamond else sleeping)(clock, log, f"{index}", *sorted(instants))
            for index, (is_kdamond, instants) in enumerate(sleepers)
        ]
        await asyncio.gather(*bodies)

    asyncio.run(sleep_all())
    for index, (_, instants) in enumerate(sleepers):
        assert [at for at, name in log if name == f"{index}"] == sorted(instants)
    assert [at for at, _ in log] == sorted(at for at, _ in log)
    kdamonds = {f"{index}" for index, (is_kdamond, _) in enumerate(sleepers) if is_kdamond}
    for instant in {at for at, _ in log}:
        ranks = [name not in kdamonds for at, name in log if at == instant]
        # A kdamond may wake twice at one instant; its second wake comes whenever it may.
        firsts = dict.fromkeys(name for at, name in log if at == instant)
        assert ranks[0] is (not any(name in kdamonds for name in firsts))
