"""
Scenarios over gate and engine, for the explorer.

Each is an ordinary coroutine function: it makes all it works with, does several
things at once, and asserts what must be true whoever was first. The oracles
watch it from beginning to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeAlias

import anyio

from ..engine.engine import Damon
from ..engine.gate import AdmissionGate, GateStatistics
from ..engine.kdamond import Kdamond
from ..engine.life import KdamondState
from ..errors import BusyError, CanceledError, NotRunningError
from ..operations.requests import ActionRequest
from ..params.monitoring import Context, Intervals
from ..params.quotas import Quotas
from ..params.schemes import Scheme
from ..testing.faults import Troubled
from ..testing.oracles import must, watched
from .slab import AGGR_US, SAMPLE_US, Slab, idle, quiet_damon, slab

Scenario: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""What the explorer runs."""

EMPTY: Final = GateStatistics(0, False, 0, 0)


async def together(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Run all of them at once, and wait for all."""
    async with anyio.create_task_group() as tasks:
        for coroutine in coroutines:
            tasks.start_soon(_awaited, coroutine)


async def _awaited(coroutine: Coroutine[Any, Any, object]) -> None:
    await coroutine


# -- The gate ------------------------------------------------------------------


@watched
async def gate_cancellations() -> None:
    """Groups of all kinds want in, and some give up at the moment at which they are let in."""
    gate, inside, nr_served = AdmissionGate(), list[bool](), 0

    async def stay(n: int, *, exclusive: bool) -> None:
        nonlocal nr_served
        async with gate.hold(n, exclusive=exclusive):
            # Asked of ourselves and not of the gate: it might be wrong about it.
            must(not any(inside) and not (exclusive and inside), "exclusive means alone")
            inside.append(exclusive)
            nr_served += 1
            # A turn inside, for others to come in where they must not.
            try:
                await asyncio.sleep(0)
            finally:
                inside.remove(exclusive)

    def group(n: int, *, exclusive: bool) -> asyncio.Task[None]:
        return asyncio.create_task(stay(n, exclusive=exclusive))

    async with gate.hold():
        alone, shared = group(2, exclusive=True), group(1, exclusive=False)
        await asyncio.sleep(0)
        alone.cancel()
        # Its neighbour need not wait for anybody then, whoever was first.
        await asyncio.wait([shared])
        # Now let in as the holder leaves, in whatever order they have queued.
        groups = [group(1 + nr % 2, exclusive=nr % 2 == 0) for nr in range(4)]
        await asyncio.sleep(0)
    # Perhaps still waiting, perhaps let in this instant, perhaps inside.
    for task in groups[:2]:
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([alone, *groups])
    must(nr_served >= 3, "who does not give up is served")
    must(gate.statistics() == EMPTY, "the gate is empty in the end")


# -- The engine ----------------------------------------------------------------


@watched
async def mixed_starts() -> None:
    """Exclusive and other groups wait for each other, run and are stopped."""

    async def run(damon: Damon, n: int, *, exclusive: bool) -> None:
        group = [idle() for _ in range(n)]
        kdamonds = await damon.start(group, exclusive=exclusive, wait=True)
        must(all(each.is_running for each in kdamonds), "what was started runs")
        must(not exclusive or damon.nr_running == n, "exclusive means alone")
        # The next one comes in with the end of the last of them.
        await damon.stop(kdamonds)

    async with quiet_damon() as damon:
        await together(*(run(damon, 1 + nr % 2, exclusive=nr % 2 == 1) for nr in range(4)))
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")


@watched
async def refused_starts() -> None:
    """Who is refused at once changes nothing, and the same context runs once."""
    context = idle()

    async def start(damon: Damon, *group: Context, exclusive: bool = False) -> None:
        with suppress(BusyError):
            kdamonds = await damon.start(group, exclusive=exclusive)
            await asyncio.sleep(0)
            # Somebody else may have stopped it.
            with suppress(NotRunningError):
                await damon.stop(kdamonds)

    async with quiet_damon() as damon:
        await together(
            # The same context twice: whoever comes second finds it running.
            start(damon, context),
            start(damon, context, idle()),
            start(damon, idle(), exclusive=True),
            start(damon, idle(), idle(), exclusive=True),
        )
        # A group that could not start as a whole leaves a part running (A6).
        for kdamond in damon.kdamonds:
            await damon.stop([kdamond])
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")


@watched
async def cancelled_starts() -> None:
    """Starts are cancelled while they wait, begin, or clean up."""
    async with quiet_damon() as damon:
        [first] = await damon.start([idle()], exclusive=True)

        async def run(*, exclusive: bool) -> None:
            kdamonds = await damon.start([idle(), idle()], exclusive=exclusive, wait=True)
            must(not exclusive or damon.nr_running == 2, "exclusive means alone")
            # Asked at once: whoever is cancelled later has nothing left to clean up.
            for kdamond in kdamonds:
                kdamond.stop_nowait()
            await kdamonds[0].wait()

        runs = [asyncio.create_task(run(exclusive=nr == 1), name=f"group {nr}") for nr in range(3)]
        await asyncio.sleep(0)
        # From here on the three race with each other and with their cancellation.
        first.stop_nowait()
        for task in runs[:2]:
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait(runs)
        must(not runs[2].cancelled(), "who was not cancelled has run")
        await damon.stop(damon.kdamonds)
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")


@watched
async def early_ends() -> None:
    """A part of an exclusive group ends by itself; others wait for the rest."""
    memory = Slab(end_us=AGGR_US)
    async with quiet_damon() as damon:
        pair = await damon.start([slab(memory), idle()], exclusive=True)

        async def follow() -> None:
            [kdamond] = await damon.start([idle()], wait=True)
            must(not any(each.is_running for each in pair), "exclusive means alone")
            await damon.stop([kdamond])

        async def end() -> None:
            await pair[0].wait()
            must(pair[0].state is KdamondState.FINISHED, "it has ended by itself")
            # Unless the rest has ended since, it still keeps everybody out (3.4).
            must(damon.running_exclusive or not pair[1].is_running, "the rest keeps the flag up")
            pair[1].stop_nowait()
            await pair[1].wait()

        await together(follow(), follow(), end())
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")


@watched
async def commits_and_stops() -> None:
    """Commits, pauses and calls race with stops; each is done or canceled."""
    memory = Slab()
    async with quiet_damon() as damon:
        [kdamond] = await damon.start([slab(memory, nr_targets=2)])

        async def commit(aggr_us: int) -> None:
            with suppress(CanceledError):
                intervals = Intervals(SAMPLE_US, aggr_us)
                await kdamond.commit(slab(memory, nr_targets=2, intervals=intervals))
                # The other commit may have come right behind, but nothing else can.
                aggr = kdamond.context.intervals.aggr_us
                must(aggr in {AGGR_US // 2, 2 * AGGR_US}, "a commit is in force")

        async def pause() -> None:
            with suppress(CanceledError):
                await kdamond.pause()
                await kdamond.resume()

        async def stop() -> None:
            # At a tick: some requests are carried out with it, others come too late.
            await damon.clock.sleep_us(SAMPLE_US)
            with suppress(NotRunningError):
                await damon.stop([kdamond])
            must(not kdamond.is_running, "what was stopped has ended")

        await together(commit(AGGR_US // 2), commit(2 * AGGR_US), pause(), stop(), stop())
        must(kdamond.state is KdamondState.STOPPED, "it was stopped")


@watched
async def crash_in_step() -> None:
    """One kdamond breaks down in the middle of a round; its sibling does not notice."""

    # By the clock, so that it happens at the same place under every schedule.
    def fail(where: str) -> None:
        if where == "check" and damon.clock.now_us() >= AGGR_US:
            msg = "this memory is broken"
            raise OSError(msg)

    async with quiet_damon() as damon:
        broken, sound = await damon.start([slab(Troubled(Slab(), fail)), slab()])
        ends: list[int] = []

        async def read(kdamond: Kdamond) -> None:
            async with kdamond.snapshots(lossless=True) as snapshots:
                ends.extend([snapshot.end_ns async for snapshot in snapshots])

        async def call() -> None:
            with suppress(CanceledError):
                for _ in range(3):
                    await broken.call(lambda monitor: monitor.tick_us)

        async def stop() -> None:
            # The sound one goes on for a round after that.
            await broken.wait()
            await damon.clock.sleep_us(AGGR_US)
            await damon.stop([sound])

        await together(read(broken), read(sound), call(), stop())
        must(broken.state is KdamondState.FAILED, "what broke down has failed")
        must(sound.state is KdamondState.STOPPED, "its sibling has not")
        must(isinstance(broken.error, OSError), "it says why")
        must(len(ends) >= 2, "the sound one is read")


@watched
async def shutdown() -> None:
    """A scope is cancelled, and then all tasks are, as when a program is interrupted."""

    async def live(damon: Damon) -> None:
        async with damon:
            kdamonds = await damon.start([slab(), idle()])
            await damon.stop(kdamonds[:1])
            await damon.clock.sleep_us(AGGR_US)

    engines = [quiet_damon(), quiet_damon()]
    lives = [asyncio.create_task(live(damon)) for damon in engines]
    for _ in range(4):
        await asyncio.sleep(0)
    # Whoever leaves a scope in a hurry is cancelled again while it waits.
    lives[0].cancel()
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.wait(lives)
    for damon in engines:
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")
        must(damon.kdamonds == (), "nothing runs")


@watched
async def subscribers() -> None:
    """Lossless readers miss nothing, others miss what they are too slow for, some give up."""
    async with quiet_damon() as damon:
        [kdamond] = await damon.start([slab()])

        async def read_all() -> None:
            last_ns = 0
            async with kdamond.snapshots(lossless=True) as snapshots:
                async for snapshot in snapshots:
                    must(snapshot.start_ns == last_ns, "nothing is missed")
                    last_ns = snapshot.end_ns
                    # Time passes meanwhile, and two more are kept.
                    await damon.clock.sleep_us(2 * AGGR_US)
            must(last_ns == 3 * AGGR_US * 1000, "the last one is read, too")

        async def read_slowly() -> None:
            # Dropped without being closed: garbage must not hold time.
            async for _ in kdamond.snapshots():
                await damon.clock.sleep_us(AGGR_US * 3 // 2)

        async def read_one() -> None:
            # Gives up at once, or with one in hand.
            with anyio.move_on_after(0):
                async for _ in kdamond.snapshots(lossless=True):
                    break

        async def stop() -> None:
            await damon.clock.sleep_us(3 * AGGR_US)
            await damon.stop([kdamond])

        # Subscribed by the tasks, so they must have had their turn before time moves.
        with damon.clock.hold("the scenario"):
            async with anyio.create_task_group() as tasks:
                for read in (read_all, read_slowly, read_one, stop):
                    tasks.start_soon(read, name=read.__name__)


@watched
async def quotas_and_targets() -> None:
    """An async action works through a quota while targets are removed."""

    async def act(request: ActionRequest) -> int:
        # The round is interrupted here, and others may look at it half done.
        await asyncio.sleep(0)
        return int(request.sizes.sum())

    # A fraction of the memory: each walk goes on where the last one ended.
    quotas = Quotas(sz_bytes="64K", reset_interval_ms=200)
    memory = Slab()

    def context(nr_targets: int) -> Context:
        return slab(memory, nr_targets=nr_targets, schemes=[Scheme(act, quotas=quotas)])

    def without_first() -> Context:
        two = context(2)
        gone, kept = two.targets
        targets = (gone.model_copy(update={"obsolete": True}), kept)
        return two.model_copy(update={"targets": targets})

    async with quiet_damon() as damon:
        [kdamond] = await damon.start([context(2)])

        async def commit() -> None:
            # By then the quota points into the target that goes.
            await damon.clock.sleep_us(2 * AGGR_US)
            with suppress(CanceledError):
                await kdamond.commit(without_first())

        async def look() -> None:
            with suppress(CanceledError):
                for _ in range(3):
                    await kdamond.call(lambda monitor: monitor.schemes.states[0].stats.nr_tried)

        async def stop() -> None:
            await damon.clock.sleep_us(3 * AGGR_US)
            await damon.stop([kdamond])

        await together(commit(), look(), stop())
        must(kdamond.error is None, "it never failed")
