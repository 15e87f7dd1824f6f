"""
Fifteen bugs to be planted, each of a kind that an engine like this one may have.

Each takes a part of the real code away or puts it in the wrong place, and says
which scenario should notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from damon_async.control.behavior import InterfaceLock
from damon_async.engine.crew import Crew
from damon_async.engine.gate import AdmissionGate
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.life import KdamondState
from damon_async.engine.subscription import Mailbox
from damon_async.monitor.calls import CallQueue
from damon_async.monitor.state import ContextState
from damon_async.regions.table import AGE, END, RegionTable
from damon_async.schemes.quotas import QuotaState
from damon_async.stress import engine_scenarios as engine, tree_scenarios as trees
from damon_async.stress.engine_scenarios import Scenario


@dataclass(frozen=True)
class Bug:
    """
    A bug to plant.

    Attributes:
        name: What is wrong.

        owner: The class with the method that is replaced.

        method: Its name.

        broken: Takes the real method, returns the broken one.

        scenario: Which one should notice.
    """

    name: str
    owner: type
    method: str
    broken: Callable[[Callable[..., Any]], Callable[..., Any]]
    scenario: Scenario

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Have it in the code for the length of a block."""
        real = vars(self.owner)[self.method]
        setattr(self.owner, self.method, self.broken(real))
        try:
            yield
        finally:
            setattr(self.owner, self.method, real)


def lost_wake_up(_: Callable[..., Any]) -> Callable[..., Any]:
    """A waiter that is cancelled before it was let in tells nobody."""

    def forget_cancelled(gate: AdmissionGate, waiter: asyncio.Future[None]) -> None:
        waiter.cancel()

    return forget_cancelled


def lost_place(_: Callable[..., Any]) -> Callable[..., Any]:
    """A waiter that is cancelled after it was let in keeps its place."""

    async def admit(gate: AdmissionGate, n: int = 1, *, exclusive: bool = False) -> None:
        if not gate._queue and not (gate._nr_running and (exclusive or gate._is_exclusive)):
            gate._take(n, exclusive=exclusive)
            return
        waiter = asyncio.get_running_loop().create_future()
        gate._queue.append((waiter, n, exclusive))
        gate.leave(0)
        try:
            await waiter
        except BaseException:
            if not waiter.done() or waiter.cancelled():
                gate._forget_cancelled(waiter)
            raise

    return admit


def early_flag(real: Callable[..., Any]) -> Callable[..., Any]:
    """The exclusive flag falls with the first context that leaves."""

    def leave(gate: AdmissionGate, n: int = 1) -> None:
        if n:
            gate._is_exclusive = False
        real(gate, n)

    return leave


def overtaking(_: Callable[..., Any]) -> Callable[..., Any]:
    """Whoever comes while others wait goes in if the gate is open for it."""

    async def admit(gate: AdmissionGate, n: int = 1, *, exclusive: bool = False) -> None:
        if not (gate._nr_running and (exclusive or gate._is_exclusive)):
            gate._take(n, exclusive=exclusive)
            return
        waiter = asyncio.get_running_loop().create_future()
        gate._queue.append((waiter, n, exclusive))
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                gate.leave(n)
            else:
                gate._forget_cancelled(waiter)
            raise

    return admit


def first_only(real: Callable[..., Any]) -> Callable[..., Any]:
    """Of several neighbours who could come in only the first one is let in."""

    def leave(gate: AdmissionGate, n: int = 1) -> None:
        queue = gate._queue
        rest = [queue.pop() for _ in range(len(queue) - 1)]
        real(gate, n)
        queue.extend(reversed(rest))

    return leave


def epilogue_twice(real: Callable[..., Any]) -> Callable[..., Any]:
    """A kdamond that was asked to stop returns its place twice."""

    def end(kdamond: Kdamond, state: KdamondState) -> None:
        real(kdamond, state)
        if state is KdamondState.STOPPED:
            with suppress(KeyError):
                kdamond._on_end(kdamond)

    return end


def epilogue_never(_: Callable[..., Any]) -> Callable[..., Any]:
    """A kdamond whose task never had a turn keeps its place."""

    async def begin_in(kdamond: Kdamond, crew: Crew) -> None:
        crew.start_soon(kdamond.run, name=kdamond.name)
        await kdamond._began.wait()

    return begin_in


def calls_kept(_: Callable[..., Any]) -> Callable[..., Any]:
    """Calls that are pending at the end are forgotten, and not canceled."""

    def cancel(queue: CallQueue) -> None:
        queue._calls = []

    return cancel


def commit_half_done(real: Callable[..., Any]) -> Callable[..., Any]:
    """A commit that removes a target leaves its regions."""

    def commit(state: ContextState, context: Any, operations: Any) -> None:
        before = state.table
        real(state, context, operations)
        if len(state.targets) < len(set(before.target.tolist())):
            state.table = before

    return commit


def pointer_not_cleared(_: Callable[..., Any]) -> Callable[..., Any]:
    """A quota goes on pointing at a target that was removed."""
    return lambda *_: None


def charged_twice(real: Callable[..., Any]) -> Callable[..., Any]:
    """What is done is charged twice."""

    def charge(quota: QuotaState, *args: Any) -> None:
        real(quota, *args)
        real(quota, *args)

    return charge


def merge_off_by_one(real: Callable[..., Any]) -> Callable[..., Any]:
    """A merged region ends where its last but one part ended."""

    def merge(state: ContextState) -> None:
        before: RegionTable = state.table.copy()
        real(state)
        heads = before.start.searchsorted(state.table.start).tolist()
        for row, (head, behind) in enumerate(pairwise([*heads, len(before)])):
            if behind - head > 1:
                state.table.cells[END, row] = before.end[behind - 2]

    return merge


def aged_per_pass(real: Callable[..., Any]) -> Callable[..., Any]:
    """Regions age twice at each aggregation."""

    def merge(state: ContextState) -> None:
        real(state)
        state.table.cells[AGE] += state.table.cells[AGE] > 0

    return merge


def snapshot_lost(_: Callable[..., Any]) -> Callable[..., Any]:
    """A reader that is awake already is not told of the next snapshot; it is dropped."""

    def put(mailbox: Mailbox, snapshot: Any) -> int:
        if mailbox.waiter is None or mailbox.waiter.done():
            return 1
        mailbox.buffer.append(snapshot)
        mailbox._wake(mailbox.waiter)
        return 0

    return put


def no_scope(_: Callable[..., Any]) -> Callable[..., Any]:
    """Closing that is cancelled does not wait for the tasks."""

    async def close(crew: Crew) -> None:
        crew._closing.set()
        if crew._host is not None and not crew._host.done():
            await asyncio.wait([crew._host])

    return close


def lock_kept(_: Callable[..., Any]) -> Callable[..., Any]:
    """A client of a tree that dies takes the lock with it."""

    @contextmanager
    def held(lock: InterfaceLock) -> Iterator[None]:
        lock.check()
        lock._owner = object()
        yield
        lock._owner = None

    return held


BUGS = (
    Bug(
        "lost wake-up after a cancellation",
        AdmissionGate,
        "_forget_cancelled",
        lost_wake_up,
        engine.gate_cancellations,
    ),
    Bug(
        "place lost by a late cancellation",
        AdmissionGate,
        "admit",
        lost_place,
        engine.gate_cancellations,
    ),
    Bug("flag dropped early", AdmissionGate, "leave", early_flag, engine.early_ends),
    Bug("later requests overtake", AdmissionGate, "admit", overtaking, engine.gate_cancellations),
    Bug("neighbours left waiting", AdmissionGate, "leave", first_only, engine.early_ends),
    Bug("epilogue run twice", Kdamond, "_end", epilogue_twice, engine.mixed_starts),
    Bug("epilogue never run", Kdamond, "begin_in", epilogue_never, engine.shutdown),
    Bug("pending calls forgotten", CallQueue, "cancel", calls_kept, engine.commits_and_stops),
    Bug("commit half done", ContextState, "commit", commit_half_done, engine.quotas_and_targets),
    Bug(
        "pointer not cleared",
        QuotaState,
        "target_removed",
        pointer_not_cleared,
        engine.quotas_and_targets,
    ),
    Bug("quota charged twice", QuotaState, "charge", charged_twice, engine.quotas_and_targets),
    Bug("merge off by one", ContextState, "merge", merge_off_by_one, engine.subscribers),
    Bug("aged twice", ContextState, "merge", aged_per_pass, engine.crash_in_step),
    Bug("snapshot lost", Mailbox, "put", snapshot_lost, engine.subscribers),
    Bug("scope left early", Crew, "close", no_scope, engine.shutdown),
    Bug("lock kept by the dead", InterfaceLock, "held", lock_kept, trees.clients_that_die),
)
"""What to plant; one more than fifteen."""
