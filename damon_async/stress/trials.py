"""
Ten kinds of faults, each put into a running engine at random, and what must hold all the same.

In most of them something goes wrong with one kdamond, and beside it runs a sound
one: whatever happens, that must find exactly what a plain loop without an engine
finds.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import anyio
import numpy as np
from structlog.testing import capture_logs

from ..engine.clock import Clock, RealClock
from ..engine.engine import Damon
from ..engine.gate import AdmissionGate
from ..engine.kdamond import Kdamond
from ..engine.life import KdamondState
from ..engine.recorder import Recorder, Recording
from ..engine.virtual_clock import VirtualClock
from ..errors import DamonError
from ..monitor import state as monitor_state
from ..monitor.monitor import Monitor
from ..params.monitoring import Context, NrRegions
from ..params.quotas import Goal, Quotas, Watermarks
from ..params.schemes import Scheme
from ..records.fragments import Fragment
from ..records.snapshot import Snapshot
from ..records.writer import RecordWriter
from ..testing.faults import (
    InjectedError,
    JumpingTime,
    Trouble,
    Troubled,
    bad_action,
    bad_metric,
    bad_subscriber,
    failing,
)
from ..testing.oracles import must, watching
from ..testing.seeded import SeededLoop
from ..testing.sweeps import Means, cancelled_at
from .engine_scenarios import EMPTY
from .slab import AGGR_US, Slab, quiet_damon, slab
from .tree_scenarios import K, control_tree, say

NR_AGGREGATIONS: Final = 4
"""How long a sound kdamond is watched."""

Trial: TypeAlias = Callable[[Random], Coroutine[Any, Any, None]]
"""Something that goes wrong in one of several ways; raises if a rule is broken."""

During: TypeAlias = Callable[[Damon, Kdamond], Coroutine[Any, Any, None]]
"""What else is done while a kdamond is in trouble."""


class Fault(StrEnum):
    """What goes wrong."""

    ACTION = "action raises, hangs or returns short"
    OPERATIONS = "operations raise"
    CLOCK = "clock jumps"
    SUBSCRIBER = "subscribers are slow or dead"
    DISK = "disk is full"
    CLIENT = "control client dies"
    TARGET = "target vanishes"
    METRIC = "metric is NaN"
    LOOP = "loop is closed"
    MEMORY = "memory is refused"


async def beside(
    victim: Context, during: During | None = None, *, clock: Clock | None = None
) -> Kdamond:
    """
    Run *victim* beside a sound kdamond, which must not notice.

    Returns:
        What became of the victim.
    """
    async with quiet_damon(clock) as damon:
        broken, sound = await damon.start([victim, slab()])
        # Lossless: of the sound one nothing may be missing.
        recorder = Recorder(sound)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(recorder.run)
            if during is not None:
                tasks.start_soon(during, damon, broken)
            # The last aggregation ends at this instant, and kdamonds go first.
            await damon.clock.sleep_until(NR_AGGREGATIONS * AGGR_US)
            sound.stop_nowait()
            broken.stop_nowait()
            await broken.wait()
        must(sound.state is KdamondState.STOPPED, "the sound one was stopped")
        must(len(recorder.snapshots) == NR_AGGREGATIONS, "every aggregation is published")
        must(_digest(recorder.snapshots) == _expected(), "the sound one noticed nothing")
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")
    return broken


def _digest(snapshots: list[Snapshot]) -> list[bytes]:
    """Return all that snapshots say, to compare it."""
    return [
        np.concatenate([[each.end_ns], each.start, each.end, each.nr_accesses, each.age]).tobytes()
        for each in snapshots
    ]


def _expected() -> list[bytes]:
    """Return what the sound one must find, by a plain loop."""
    # The second of two that were started: each has a stream of its own.
    _, seed = np.random.SeedSequence(0).spawn(2)
    context = slab()
    monitor = Monitor(context, Slab(), np.random.default_rng(seed))
    # No engine, no clock, no task: nothing of what is tested.
    monitor.begin(0)
    return _digest(monitor.step(NR_AGGREGATIONS * AGGR_US))


def _quota(rng: Random) -> Quotas:
    return Quotas(sz_bytes=rng.choice([0, 4096, 1 << 16]), reset_interval_ms=200)


async def _action(rng: Random) -> None:
    clock = VirtualClock()
    scheme = Scheme(bad_action(rng, clock), quotas=_quota(rng))
    broken = await beside(slab(schemes=[scheme] * rng.randint(1, 2)), clock=clock)
    must(broken.state is KdamondState.STOPPED, "actions harm nobody but their scheme")


async def _operations(rng: Random) -> None:
    trouble = Trouble(rng.choice(["prepare", "check", "apply"]), rng.randint(1, 8))
    # Tick by tick or a window at a time.
    memory = Troubled(Slab(pure=rng.random() < 0.5), trouble)
    broken = await beside(slab(memory, schemes=[Scheme("pageout")], intervals=_often(rng)))
    must(broken.error is trouble.error, "the one in trouble says why")
    state = KdamondState.STOPPED if trouble.error is None else KdamondState.FAILED
    must(broken.state is state, f"it is {state.value}")


def _often(rng: Random) -> dict[str, int]:
    # Ranges are asked for again and again.
    return {"sample_us": 25_000, "aggr_us": 100_000, "ops_update_us": rng.choice([0, 50_000])}


async def _clock(rng: Random) -> None:
    loop = asyncio.get_running_loop()
    time = JumpingTime(rng, lambda: round(loop.time() * 1e9), 3 * AGGR_US * 1000)
    async with quiet_damon(RealClock(monotonic_ns=time)) as damon:
        [kdamond] = await damon.start([slab()])
        recorder = Recorder(kdamond)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(recorder.run)
            # Of the loop: this one does not jump.
            await asyncio.sleep(2)
            await damon.clock.sleep_us(rng.randrange(AGGR_US))
            await damon.stop([kdamond])
        # Nothing can be said of how many there are: time went where it liked.
        ends = [each.end_ns for each in recorder.snapshots]
        starts = [each.start_ns for each in recorder.snapshots]
        must(starts[1:] == ends[:-1], "aggregations follow each other, whatever the clock says")
        must(kdamond.error is None, "it never failed")


async def _subscriber(rng: Random) -> None:
    async def subscribe(damon: Damon, kdamond: Kdamond) -> None:
        for each in (kdamond, *damon.kdamonds):
            with suppress(InjectedError):
                await bad_subscriber(rng, each, damon.clock)

    broken = await beside(slab(), subscribe)
    must(broken.state is KdamondState.STOPPED, "subscribers harm nobody but themselves")


async def _disk(rng: Random) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    form = rng.choice(["json", "json_compressed", "perf_script"])
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "damon.data")
        # While recording, or when all is put together at the end.
        refused = rng.choice(["add", "copy_to"])
        owner = RecordWriter if refused == "add" else Fragment
        writer = RecordWriter(path, form)
        recording = Recording(
            [slab(), slab()],
            duration_us=2 * AGGR_US,
            seed=0,
            sink=lambda index, each: writer.add(each, kdamond_idx=index),
        )
        with capture_logs(), failing(owner, refused, full, at=rng.randint(1, 4)) as calls:
            try:
                with writer:
                    await recording.run()
            except OSError as error:
                must(error is full, "the recording says why it ended")
        left = os.listdir(name)  # noqa: PTH208 - nobody else is kept waiting here
        must(left in ([], [path.name]), "no half a file is left")
        must(left != [] or calls[0] > 0, "there is a file unless it was refused")
    must(all(not each.kdamond.is_running for each in recording.recorders), "nothing runs on")


async def _client(rng: Random) -> None:
    words = ("commit", "update_schemes_stats", "update_schemes_tried_regions", "off")
    async with quiet_damon() as damon:
        tree = control_tree(damon)
        await say(tree, "on")
        for _ in range(3):
            word = rng.choice(words)
            means = rng.choice(list(Means))
            # In the middle of a word, at any of its awaits.
            await cancelled_at(say(tree, word), rng.randint(1, 3), means, rng.randint(1, 2))
            must(not tree.lock.is_held, "a client that died has no lock")
        await say(tree, "off", "on", "commit")
        must(tree.read(f"{K}/state") == b"on\n", "the next client is served")
        await say(tree, "off")
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")


async def _target(rng: Random) -> None:
    memory = Slab(pure=rng.random() < 0.5)
    at_us = rng.randrange(NR_AGGREGATIONS * AGGR_US)

    async def vanish(damon: Damon, kdamond: Kdamond) -> None:
        await damon.clock.sleep_until(at_us)
        # As if the process had been killed: nobody told anybody.
        memory.end_us = damon.clock.now_us()
        # It may be over before its turn.
        with suppress(DamonError):
            await kdamond.call(lambda monitor: monitor.context)
        await kdamond.wait()

    broken = await beside(slab(memory, nr_targets=rng.randint(1, 2)), vanish)
    ended = {KdamondState.FINISHED, KdamondState.STOPPED}
    must(broken.state in ended, "without targets it is over")


async def _metric(rng: Random) -> None:
    measure = bad_metric(rng)
    quotas = Quotas(goals=[Goal(measure, 100)], reset_interval_ms=100)
    # One function for both: what is nonsense to one may wake the other.
    marks = Watermarks(measure, AGGR_US // 2, 900, 500, 100)
    schemes = [Scheme("stat", quotas=quotas), Scheme("pageout", watermarks=marks)]
    broken = await beside(slab(schemes=schemes[:: rng.choice([-1, 1])]))
    must(broken.state is KdamondState.STOPPED, "metrics harm nobody but their scheme")


async def _memory(rng: Random) -> None:
    # By their bounds one is told from the other.
    bound = NrRegions(3, 11)

    def is_victim(*_: object, max_nr_regions: int, **__: object) -> bool:
        return max_nr_regions == bound.max

    at = rng.randint(1, NR_AGGREGATIONS + 1)
    with failing(monitor_state, "split_regions", MemoryError, at=at, when=is_victim):
        broken = await beside(slab(nr_regions=bound))
    is_refused = at <= NR_AGGREGATIONS
    state = KdamondState.FAILED if is_refused else KdamondState.STOPPED
    must(broken.state is state, f"it is {state.value}")
    must(isinstance(broken.error, MemoryError) == is_refused, "it says why")


def _closed(rng: Random, seed: int) -> None:
    """Close a loop under a running engine; another one takes clock and contexts over."""
    clock, contexts = VirtualClock(), [slab(), slab()]
    exclusive = rng.random() < 0.5

    async def leave_open() -> AdmissionGate:
        damon = quiet_damon(clock)
        await damon.__aenter__()
        await damon.start(contexts, exclusive=exclusive)
        await damon.clock.sleep_us(rng.randrange(2 * AGGR_US))
        return damon.gate

    loop = SeededLoop(seed)
    gate = loop.run_until_complete(leave_open())
    if rng.random() < 0.5:
        # As asyncio.run does. Without it no code of ours is ever called again.
        left = [task for task in loop.tasks if not task.done()]
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.wait(left))
        must(gate.statistics() == EMPTY, "a loop that shuts down returns all places")
    for task in loop.tasks:
        # Meant to happen; nobody needs to be told.
        task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 - there is no other way
    loop.close()

    async def go_on() -> None:
        began_us = clock.now_us()
        async with quiet_damon(clock) as damon:
            kdamonds = await damon.start(contexts, exclusive=exclusive)
            await clock.sleep_us(AGGR_US)
            must(clock.now_us() == began_us + AGGR_US, "time goes on")
            must("2 asleep" in repr(clock), "those of the closed loop are forgotten")
            await damon.stop(kdamonds)

    _run(go_on, seed)


TRIALS: Final[Mapping[Fault, Trial]] = MappingProxyType(
    {
        Fault.ACTION: _action,
        Fault.OPERATIONS: _operations,
        Fault.CLOCK: _clock,
        Fault.SUBSCRIBER: _subscriber,
        Fault.DISK: _disk,
        Fault.CLIENT: _client,
        Fault.TARGET: _target,
        Fault.METRIC: _metric,
        Fault.MEMORY: _memory,
    }
)
"""All but the closed loop, which does not happen inside of one."""


def inject(fault: Fault, seed: int) -> None:
    """
    Put one fault into a new engine, on a loop of random order, and see what comes of it.

    Args:
        fault: What goes wrong.

        seed: Says how and when, and which schedule it meets.

    Raises:
        OracleError: If a rule is broken.
    """
    # A text is hashed the same in every process.
    rng = Random(f"{fault.name}/{seed}")  # noqa: S311 - nothing is secret
    if fault is Fault.LOOP:
        _closed(rng, seed)
    else:
        _run(lambda: TRIALS[fault](rng), seed)


def _run(trial: Callable[[], Coroutine[Any, Any, None]], seed: int) -> None:
    """Run *trial* with all oracles on, on a loop that it must leave empty."""
    # Each on a loop of its own, so that nothing is left for the next one.
    loop = SeededLoop(seed)
    try:
        with watching():
            loop.run_until_complete(trial())
        must(not asyncio.all_tasks(loop), "no task is left")
    finally:
        loop.close()
