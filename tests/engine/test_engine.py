from __future__ import annotations

import asyncio
import contextlib
import gc

import anyio
import pytest

from damon_async.engine.clock import RealClock
from damon_async.engine.engine import Admission, Damon
from damon_async.engine.gate import GateStatistics
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.life import KdamondState
from damon_async.engine.recorder import record
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import InvalidError, NotRunningError
from damon_async.params.monitoring import NrRegions

from .worlds import Memory, endless, turns, watched


def other_tasks() -> set[str]:
    """Return the names of all tasks but the one this runs in."""
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_defaults() -> None:
    """Without more words an engine runs in real time and admits like the founding kernels."""
    damon = Damon()
    assert isinstance(damon.clock, RealClock)
    assert damon.admission is Admission.CLASSIC
    assert (damon.nr_running, damon.running_exclusive, damon.kdamonds) == (0, False, ())


def test_bad_arguments_are_refused() -> None:
    """A negative seed and an unknown way to admit are refused with what would be right."""
    with pytest.raises(InvalidError, match="seed is -1; at least 0"):
        Damon(seed=-1)
    with pytest.raises(InvalidError, match="'modem' is no way to admit; use one of classic, mod"):
        Damon(admission="modem")
    assert Damon(admission="modern").admission is Admission.MODERN


async def test_scope_stops_what_runs() -> None:
    """Leaving the scope stops all kdamonds and leaves no task behind."""
    async with Damon(clock=VirtualClock()) as damon:
        kdamonds = await damon.start([endless(), endless()], exclusive=True)
        assert other_tasks() == {"damon", "kdamond.0", "kdamond.1"}
    assert [kdamond.state for kdamond in kdamonds] == [KdamondState.STOPPED] * 2
    assert other_tasks() == set()
    assert damon.gate.statistics() == GateStatistics(0, False, 0, 0)


async def test_body_that_raises() -> None:
    """What the body raises comes out as it is, after all kdamonds have ended."""
    kdamonds: list[Kdamond] = []

    async def fail() -> None:
        async with Damon(clock=VirtualClock()) as damon:
            kdamonds.extend(await damon.start([endless()]))
            msg = "the body is broken"
            raise OSError(msg)

    with pytest.raises(OSError, match="the body is broken"):
        await fail()
    assert kdamonds[0].state is KdamondState.STOPPED
    assert other_tasks() == set()


async def test_body_that_is_cancelled_natively() -> None:
    """Cancelling the task of the body ends all kdamonds and comes out as a cancellation."""
    kdamonds: list[Kdamond] = []

    async def live() -> None:
        async with Damon(clock=VirtualClock()) as damon:
            kdamonds.extend(await damon.start([endless()]))
            await asyncio.Event().wait()

    task = asyncio.create_task(live())
    await turns()
    task.cancel()
    with pytest.raises(asyncio.CancelledError, match=r"^$"):
        await task
    assert not kdamonds[0].is_running
    assert other_tasks() == set()


async def test_body_that_is_cancelled_by_a_scope() -> None:
    """Cancelling an anyio scope around the engine ends all kdamonds in it."""
    with anyio.CancelScope() as scope:
        async with Damon(clock=VirtualClock()) as damon:
            [kdamond] = await damon.start([endless()])
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert not kdamond.is_running
    assert other_tasks() == set()


async def test_scope_across_tasks() -> None:
    """One task may enter the scope and another leave it, as test fixtures do."""
    damon = Damon(clock=VirtualClock())
    await asyncio.create_task(damon.__aenter__())
    [kdamond] = await damon.start([endless()])
    await asyncio.create_task(damon.__aexit__(None, None, None))
    assert not kdamond.is_running
    assert other_tasks() == set()


async def test_scopes_nest() -> None:
    """Engines are independent: exclusive in one says nothing about another."""
    async with Damon(clock=VirtualClock()) as outer, Damon(clock=outer.clock) as inner:
        await outer.start([endless()], exclusive=True)
        await inner.start([endless()], exclusive=True)
        await outer.clock.sleep(1)
        assert (outer.nr_running, inner.nr_running) == (1, 1)


async def test_stop_takes_contexts_and_kdamonds() -> None:
    """What to stop may be named by its kdamond or by the context it was started with."""
    async with Damon(clock=VirtualClock()) as damon:
        context = endless()
        first, second = await damon.start([context, endless()])
        await damon.stop([second, context])
        assert not first.is_running
        with pytest.raises(NotRunningError, match=r"^kdamond.1 is not running$"):
            await damon.stop([second])
        with pytest.raises(NotRunningError, match=r"^context 0 of the group is not running$"):
            await damon.stop([context])


async def test_kdamond_of_another_engine() -> None:
    """An engine does not stop what another one runs, not even the same context."""
    context = endless()
    async with Damon(clock=VirtualClock()) as one, Damon(clock=VirtualClock()) as other:
        [theirs] = await other.start([context])
        [ours] = await one.start([context])
        with pytest.raises(NotRunningError, match=r"kdamond.0 is not running"):
            await one.stop([theirs])
        assert (ours.is_running, theirs.is_running) == (True, True)


async def test_two_stops_of_one_kdamond() -> None:
    """Two stops of the same kdamond at the same time both wait and both succeed."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        await asyncio.gather(damon.stop([kdamond]), damon.stop([kdamond]))
        assert damon.nr_running == 0


async def test_sibling_survives_a_crash_loop() -> None:
    """Starting and crashing kdamonds over and over neither closes the gate nor ends others."""
    async with Damon(clock=VirtualClock()) as damon:
        [sound] = await damon.start([watched()])
        for _ in range(20):
            [broken] = await damon.start([watched(Memory(fails_at_us=1))])
            await broken.wait()
            assert (damon.nr_running, broken.state) == (1, KdamondState.FAILED)
        assert sound.state is KdamondState.RUNNING
        await damon.stop([sound])
        await damon.start([endless()], exclusive=True)


def test_loop_that_is_shut_down() -> None:
    """When the loop is shut down around running kdamonds, the gate gets its places back."""
    damon = Damon(clock=VirtualClock())
    kdamonds: list[Kdamond] = []

    async def abandon() -> None:
        await damon.__aenter__()
        kdamonds.extend(await damon.start([endless(), watched()], exclusive=True))

    asyncio.run(abandon())
    assert [kdamond.state for kdamond in kdamonds] == [KdamondState.CANCELED] * 2
    assert damon.gate.statistics() == GateStatistics(0, False, 0, 0)


def test_loop_that_is_shut_down_during_a_start() -> None:
    """When the loop is shut down before a kdamond had its first turn, its place is returned."""
    damon = Damon(clock=VirtualClock())

    async def abandon() -> None:
        await damon.__aenter__()
        start = asyncio.create_task(damon.start([endless(), endless()], exclusive=True))
        for _ in range(20):
            if not damon.kdamonds:
                await asyncio.sleep(0)
        assert damon.kdamonds[0].state is KdamondState.STARTING
        assert not start.done()

    asyncio.run(abandon())
    assert damon.gate.statistics() == GateStatistics(0, False, 0, 0)


@pytest.mark.filterwarnings("ignore:coroutine 'Kdamond.run' was never awaited")
async def test_everything_cancelled_before_the_first_turn() -> None:
    """A kdamond whose task is cancelled before its first turn returns its place (P1)."""
    async with Damon(clock=VirtualClock()) as damon:
        start = asyncio.create_task(damon.start([endless(), endless()], exclusive=True))
        for _ in range(20):
            if not damon.kdamonds:
                await asyncio.sleep(0)
        [kdamond] = damon.kdamonds
        assert repr(kdamond).startswith("<Kdamond kdamond.0 starting")
        for task in asyncio.all_tasks():
            if task.get_name() in {"kdamond.0", start.get_name()}:
                task.cancel()
        await turns()
        assert start.cancelled()
        assert kdamond.state is KdamondState.CANCELED
        assert damon.gate.statistics() == GateStatistics(0, False, 0, 0)
    gc.collect()


async def test_task_that_is_cancelled_from_outside() -> None:
    """Cancelling the task of a kdamond behind the engine's back still runs the epilogue once."""
    async with Damon(clock=VirtualClock()) as damon:
        victim, sibling = await damon.start([endless(), endless()])
        [task] = [task for task in asyncio.all_tasks() if task.get_name() == victim.name]
        task.cancel()
        await victim.wait()
        assert victim.state is KdamondState.CANCELED
        assert (damon.nr_running, sibling.is_running) == (1, True)
        with contextlib.suppress(NotRunningError):
            await damon.stop([victim])
        assert damon.nr_running == 1


async def snapshots_of(seed: int | None) -> list[bytes]:
    """Return what two kdamonds find in two virtual seconds, as bytes."""
    contexts = [watched(nr_regions=NrRegions(10, 50)) for _ in range(2)]
    recorders = await record(contexts, duration_us=2_000_000, seed=seed)
    return [
        array.tobytes()
        for recorder in recorders
        for snapshot in recorder.snapshots
        for array in (snapshot.start, snapshot.end, snapshot.nr_accesses, snapshot.age)
    ]


async def test_same_seed_same_result() -> None:
    """The same seed gives the same result to the byte, another seed another one."""
    first = await snapshots_of(7)
    assert first == await snapshots_of(7)
    assert first != await snapshots_of(8)
    assert await snapshots_of(None) != await snapshots_of(None)
    half = len(first) // 2
    assert first[:half] != first[half:]


def test_event_loops_agree() -> None:
    """Which event loop it runs on does not change the result."""
    uvloop = pytest.importorskip("uvloop")
    assert asyncio.run(snapshots_of(7)) == uvloop.run(snapshots_of(7))


async def test_repr_tells_the_state() -> None:
    """An engine prints whether it is open, who runs, and the time."""
    damon = Damon(clock=VirtualClock())
    rest = "classic, <AdmissionGate 0 running, 0 waiting>, <VirtualClock at 0 us, 0 asleep>>"
    assert repr(damon) == f"<Damon not open, {rest}"
    async with damon:
        assert repr(damon) == f"<Damon open, {rest}"
