"""The example of docs/explorer.md: a defect of a peer that first come, first served hides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiorwlock import RWLock

from damon_async.engine.gate import AdmissionGate
from damon_async.testing.explore import Mode, ScheduleFailure, explore, replay
from damon_async.testing.loops import DeadlockError

Door = Callable[[], Any]
"""Makes something for ``async with``."""


async def meet(read: Door, write: Door) -> None:
    """Two readers meet inside, while a writer queues and gives up."""
    has_met = asyncio.Event()

    async def wait_inside() -> None:
        async with read():
            await has_met.wait()

    async def come_in() -> None:
        async with read():
            has_met.set()

    async def change() -> None:
        async with write():
            pass

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wait_inside(), name="host")
        tasks.create_task(come_in(), name="guest")
        writer = tasks.create_task(change(), name="writer")
        await asyncio.sleep(0.1)
        writer.cancel()


async def meet_behind_rwlock() -> None:
    """The scenario with aiorwlock."""
    lock = RWLock()
    await meet(lambda: lock.reader, lambda: lock.writer)


async def meet_behind_gate() -> None:
    """The scenario with our gate."""
    gate = AdmissionGate()
    await meet(gate.hold, lambda: gate.hold(exclusive=True))


def test_first_come_first_served_hides_it() -> None:
    """In the order in which asyncio runs tasks, nothing is wrong."""
    asyncio.run(meet_behind_rwlock())
    replay(meet_behind_rwlock, "")


@pytest.mark.parametrize("mode", ["random", "pct", "exhaustive"])
def test_aiorwlock_forgets_readers(mode: Mode) -> None:
    """Each mode finds that readers behind a cancelled writer are left waiting (aiorwlock 1.5.1)."""
    with pytest.raises(ScheduleFailure, match=r"DeadlockError: deadlock: nothing") as caught:
        explore(meet_behind_rwlock, mode=mode)
    assert isinstance(caught.value.error, DeadlockError)
    # One deviation is enough: the writer queues before the guest.
    assert caught.value.tape == "2:1"
    assert [line for line in caught.value.trace if line.startswith("*")] == [
        line for line in caught.value.trace if "writer before guest -> " in line
    ]


def test_who_is_left_waiting() -> None:
    """The failure names who waits for what: the guest for the lock, and the host for the guest."""
    with pytest.raises(ScheduleFailure, match=r"guest: ") as caught:
        replay(meet_behind_rwlock, "2:1")
    assert isinstance(caught.value.error, DeadlockError)
    _, host, guest = caught.value.error.waits
    assert "async with read():; waits for _RWLockCore.acquire_read of <" in guest
    assert "await has_met.wait(); waits for Event.wait of <asyncio.locks.Event" in host


@pytest.mark.parametrize("mode", ["random", "pct"])
def test_gate_lets_them_in(mode: Mode) -> None:
    """Behind our gate the same scenario passes under every schedule that is drawn."""
    assert explore(meet_behind_gate, mode=mode).nr_schedules == 1000


def test_gate_lets_them_in_always() -> None:
    """Behind our gate the same scenario passes under all schedules there are."""
    assert explore(meet_behind_gate, mode="exhaustive", preemptions=99).is_complete
