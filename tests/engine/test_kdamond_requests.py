"""What can be asked of a kdamond: calls, commits, pauses, and stops from inside."""

from __future__ import annotations

import asyncio
import errno

import pytest

from damon_async.engine.engine import Damon
from damon_async.engine.life import KdamondState
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import CanceledError, ParametersError, SelfStopError
from damon_async.monitor.monitor import Monitor
from damon_async.params.monitoring import Intervals, Target

from .worlds import AGGR_US, Memory, endless, over_at_once, turns, watched


async def test_call_runs_at_the_next_tick() -> None:
    """A call runs within one sampling interval and returns what the function returned."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        await damon.clock.sleep_us(7_000)
        assert await kdamond.call(lambda monitor: monitor.schedule.passed) == 2
        assert damon.clock.now_us() == 10_000


async def test_call_does_not_act_in_the_past() -> None:
    """A call runs at a tick after it was made, though nothing before had to be looked at."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([watched()])
        await damon.clock.sleep_us(AGGR_US - 7_000)
        await kdamond.commit(watched(intervals=Intervals(20_000, 200_000)))
        assert (kdamond.statistics().nr_ticks, damon.clock.now_us()) == (19, 95_000)


async def test_memory_that_breaks_during_a_call() -> None:
    """If catching up for a call finds the memory broken, the kdamond fails as ever."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([watched(Memory(fails_at_us=12_000))])
        await damon.clock.sleep_us(50_000)
        with pytest.raises(CanceledError, match="the kdamond ended"):
            await kdamond.call(lambda monitor: None)
        assert kdamond.state is KdamondState.FAILED
        assert str(kdamond.error) == "this memory is broken"


async def test_memory_that_is_found_gone_by_a_call() -> None:
    """If catching up for a call finds every target gone, the kdamond ends by itself."""
    async with Damon(clock=VirtualClock()) as damon:
        memory = Memory()
        [kdamond] = await damon.start([watched(memory)])
        await damon.clock.sleep_us(50_000)
        memory.lifetime = 30_000
        with pytest.raises(CanceledError, match="was canceled"):
            await kdamond.call(lambda monitor: None)
        await kdamond.wait()
        assert kdamond.state is KdamondState.FINISHED


async def test_call_from_a_call() -> None:
    """A call may make another one, which runs at the tick after."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        ticks: list[int] = []

        def note(monitor: Monitor) -> None:
            ticks.append(monitor.schedule.passed)
            if len(ticks) < 3:
                kdamond.call_nowait(note)

        kdamond.call_nowait(note)
        await damon.clock.sleep(1)
        assert ticks == [1, 2, 3]


async def test_call_that_raises() -> None:
    """What a call raises is raised where it was made; the kdamond goes on."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])

        def fail(monitor: Monitor) -> None:
            msg = "no such thing"
            raise LookupError(msg)

        with pytest.raises(LookupError, match="no such thing"):
            await kdamond.call(fail)
        assert kdamond.state is KdamondState.RUNNING


async def test_repeated_call_runs_every_tick() -> None:
    """A repeated call runs at every tick until the end, which cancels it."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        ticks: list[int] = []
        call = kdamond.call_nowait(
            lambda monitor: ticks.append(monitor.schedule.passed), repeat=True
        )
        await damon.clock.sleep_us(50_000)
        assert ticks == list(range(1, 11))
        await damon.stop([kdamond])
        assert call.canceled


async def test_call_after_the_end_is_canceled() -> None:
    """A call to a kdamond that has ended is refused at once with ECANCELED."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([over_at_once()])
        await kdamond.wait()
        with pytest.raises(CanceledError, match="the call was canceled") as refusal:
            await kdamond.call(lambda monitor: None)
        assert refusal.value.errno == errno.ECANCELED
        with pytest.raises(CanceledError, match="was canceled"):
            await kdamond.commit(endless())


async def test_call_that_races_with_the_end_is_canceled() -> None:
    """A call that is pending when the kdamond ends is answered, not forgotten (P4)."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        call = asyncio.create_task(kdamond.call(lambda monitor: None))
        await asyncio.sleep(0)
        kdamond.stop_nowait()
        with pytest.raises(CanceledError, match="the kdamond ended"):
            await call


async def test_cancelled_call_does_not_run() -> None:
    """A call whose caller gave up before its turn is not carried out."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        ran: list[object] = []
        with damon.clock.hold("the test"):
            call = asyncio.create_task(kdamond.call(ran.append))
            await turns(2)
            call.cancel()
            await turns(2)
        await damon.clock.sleep(1)
        assert ran == []


async def test_commit_changes_what_is_in_force() -> None:
    """After a commit the new parameters are in force, and it still counts as the same run."""
    async with Damon(clock=VirtualClock()) as damon:
        context = endless()
        [kdamond] = await damon.start([context])
        await kdamond.commit(endless(intervals=Intervals(1_000, 10_000)))
        assert kdamond.context.intervals.sample_us == 1_000
        assert kdamond.started_context is context
        begun_us = damon.clock.now_us()
        snapshot = await anext(kdamond.snapshots())
        assert snapshot.end_ns // 1000 == begun_us + 10_000


async def test_commit_that_does_not_fit() -> None:
    """A commit that is refused leaves the parameters as they were."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        before = kdamond.context
        with pytest.raises(ParametersError, match="obsolete"):
            await damon.commit(kdamond, endless(targets=[Target(obsolete=True)]))
        assert kdamond.context == before
        assert kdamond.is_running


async def test_pause_and_resume() -> None:
    """A paused kdamond runs but publishes nothing until it is resumed."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        await kdamond.pause()
        assert (kdamond.is_paused, kdamond.is_running) == (True, True)
        snapshots = kdamond.snapshots(lossless=True)
        await damon.clock.sleep(10)
        assert snapshots.nr_buffered == 0
        await kdamond.resume()
        assert (kdamond.is_paused, kdamond.is_running) == (False, True)
        await damon.clock.sleep(1)
        assert snapshots.nr_buffered == 10
        await kdamond.pause()
    assert not kdamond.is_paused


def stop_from_inside(damon: Damon, log: list[str]) -> None:
    """Try to stop and to wait for all kdamonds without leaving the task one is in."""
    for request in (damon.stop(damon.kdamonds), damon.kdamonds[0].wait()):
        try:
            request.send(None)
        except SelfStopError as error:
            log.append(str(error))


async def test_stop_from_inside_is_refused() -> None:
    """A stop or a wait from inside the kdamond itself is refused instead of hanging (P36)."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        log: list[str] = []
        await kdamond.call(lambda monitor: stop_from_inside(damon, log))
        assert log == 2 * [
            "kdamond.0 cannot be stopped from inside itself; stop it from another task"
        ]
        assert kdamond.state is KdamondState.RUNNING


async def test_refused_stop_stops_nobody() -> None:
    """A kdamond that asks to stop a group with itself in it stops nobody."""
    async with Damon(clock=VirtualClock()) as damon:
        _, second = await damon.start([endless(), endless()])
        log: list[str] = []
        await second.call(lambda monitor: stop_from_inside(damon, log))
        assert log[0].startswith("kdamond.1 cannot be stopped from inside itself")
        assert damon.nr_running == 2


async def test_stop_from_a_step_in_another_task() -> None:
    """Also a step that a caller's task does to catch up is inside the kdamond (P36)."""
    async with Damon(clock=VirtualClock()) as damon:
        log: list[str] = []
        memory = Memory(looks=[lambda _: stop_from_inside(damon, log)])
        [kdamond] = await damon.start([watched(memory)])
        await damon.clock.sleep_us(AGGR_US // 2)
        kdamond.call_nowait(lambda _: None)
        assert len(log) == 2
        assert kdamond.state is KdamondState.RUNNING


async def test_callback_may_start_a_task_that_stops() -> None:
    """A task that a call starts is outside the kdamond and may stop it."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        stop = await kdamond.call(lambda _: asyncio.create_task(damon.stop([kdamond])))
        await stop
        assert kdamond.state is KdamondState.STOPPED


async def test_asking_to_end_from_inside() -> None:
    """From inside, a kdamond can be asked to end without waiting for it."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        kdamond.call_nowait(lambda monitor: kdamond.stop_nowait())
        await kdamond.wait()
        assert (kdamond.state, damon.clock.now_us()) == (KdamondState.STOPPED, 5_000)
