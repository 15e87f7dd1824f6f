from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, strategies as st

from damon_async.testing.loops import DeadlockError, VirtualTimeLoop

from .programs import Program, played


def test_alone() -> None:
    """The loop can be imported without engine, NumPy and anyio."""
    program = (
        "import sys, damon_async.testing.loops, damon_async.testing.explore as e;"
        "print(sorted({'numpy', 'anyio', 'damon_async.engine'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout == b"[]\n"


def test_hour() -> None:
    """An hour takes no time, and is an hour to the last digit."""
    began = time.monotonic()
    assert played(lambda: asyncio.sleep(3600, "over")) == ("over", 3600.0)
    assert time.monotonic() - began < 60


async def log_of_sleepers(*delays: float) -> list[tuple[float, int]]:
    loop, log = asyncio.get_running_loop(), list[tuple[float, int]]()

    async def sleep(index: int, delay: float) -> None:
        await asyncio.sleep(delay)
        log.append((loop.time(), index))

    await asyncio.gather(*(sleep(index, delay) for index, delay in enumerate(delays)))
    return log


@given(st.lists(st.floats(0.001, 1e9), max_size=8))
def test_order_of_sleepers(delays: list[float]) -> None:
    """Sleepers wake in the order of their deadlines, each exactly at its own."""
    log, _ = played(lambda: log_of_sleepers(*delays))
    assert log == sorted((delay, index) for index, delay in enumerate(delays))


@given(st.floats(0, 1e12), st.floats(1e-9, 1e6))
def test_no_timer_is_early(start: float, delay: float) -> None:
    """Whoever sleeps never finds a time before its deadline, however large the numbers."""

    async def program() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(start)
        deadline = loop.time() + delay
        with anyio.CancelScope(deadline=deadline) as scope:
            await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert loop.time() == deadline

    played(program)


async def asyncio_timeout() -> None:
    async with asyncio.timeout(5):
        await asyncio.sleep(10)


async def anyio_timeout() -> None:
    with anyio.fail_after(5):
        await anyio.sleep(10)


@pytest.mark.parametrize("timeout", [asyncio_timeout, anyio_timeout])
def test_timeouts(timeout: Program) -> None:
    """Timeouts of asyncio and anyio fire in virtual time."""

    async def program() -> None:
        with pytest.raises(TimeoutError, match=r"^$"):
            await timeout()

    assert played(program)[1] == 5.0


def test_cancelled_timers_are_passed_over() -> None:
    """Time does not jump to timers that were cancelled."""

    async def program() -> None:
        loop = asyncio.get_running_loop()
        for delay in range(1, 200):
            loop.call_later(delay, pytest.fail).cancel()
        await asyncio.sleep(500)

    assert played(program)[1] == 500.0


def test_timers_of_the_past() -> None:
    """A timer that is set for the past goes off at once, and time does not go back."""

    async def program() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(10)
        rung = asyncio.Event()
        loop.call_at(5, rung.set)
        await rung.wait()

    assert played(program)[1] == 10.0


def test_order_is_that_of_asyncio() -> None:
    """What is runnable runs in the same order as on asyncio's own loop."""

    async def program() -> list[str]:
        log: list[str] = []
        loop = asyncio.get_running_loop()

        async def walk(name: str) -> None:
            for step in range(3):
                log.append(f"{name}{step}")
                loop.call_soon(log.append, f"soon {name}{step}")
                loop.call_later(0, log.append, f"later {name}{step}")
                await asyncio.sleep(0)

        await asyncio.gather(walk("a"), walk("b"))
        await asyncio.sleep(0)
        return log

    assert played(program)[0] == asyncio.run(program())


def test_anyio_runs_on_it() -> None:
    """Run by anyio, the loop is a loop factory like any other."""
    options = {"loop_factory": VirtualTimeLoop}
    time_s = anyio.run(two_naps, backend="asyncio", backend_options=options)
    assert time_s == 11.0


async def two_naps() -> float:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep, 11)
        tasks.start_soon(anyio.sleep, 7)
    return anyio.current_time()


# -- Deadlocks -----------------------------------------------------------------


async def embrace() -> None:
    """Two tasks that wait for each other's lock."""
    first, second = asyncio.Lock(), asyncio.Lock()

    async def hold(one: asyncio.Lock, other: asyncio.Lock) -> None:
        async with one:
            await asyncio.sleep(1)
            async with other:
                pass

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(first, second), name="left")
        tasks.create_task(hold(second, first), name="right")


def test_deadlock_names_tasks() -> None:
    """A deadlock names each task, its source line and what it waits for."""
    with pytest.raises(DeadlockError, match=r"^deadlock: .*, and 3 tasks wait") as caught:
        played(embrace)
    main, left, right = caught.value.waits
    assert "in embrace: async with asyncio.TaskGroup() as tasks:; waits for TaskGroup" in main
    for text, name in ((left, "left"), (right, "right")):
        assert text.startswith(f"{name}: testing/test_loops.py:")
        assert "in hold: async with other:; waits for Lock.acquire of <asyncio.locks.Lock" in text
        assert "0x" not in text


def test_deadlock_under_anyio() -> None:
    """A deadlock of anyio code is told in the same way."""

    async def program() -> None:
        never = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(never.wait, name="waiter")
            await anyio.sleep(5)
            await never.wait()

    with pytest.raises(DeadlockError, match=r"and 2 tasks wait") as caught:
        played(program)
    texts = sorted(caught.value.waits)
    assert "in program: await never.wait(); waits for Event.wait of" in texts[0]
    assert texts[1].startswith("waiter: ")
    assert texts[1].endswith(
        "waits for Event.wait of <asyncio.locks.Event object [unset, waiters:2]>"
    )


def test_deadlock_of_a_future() -> None:
    """Who waits for a future or a task of its own is told so."""

    async def program() -> None:
        future = asyncio.get_running_loop().create_future()

        async def forever() -> None:
            await future

        await asyncio.create_task(forever(), name="child")

    with pytest.raises(DeadlockError, match=r"waits for task child\n  child: .*for <Future pend"):
        played(program)


def test_deadlock_is_seen_after_time_has_passed() -> None:
    """Timers that are left let time jump first."""

    async def program() -> None:
        asyncio.get_running_loop().call_later(50, lambda: None)
        await asyncio.Event().wait()

    loop = VirtualTimeLoop()
    with pytest.raises(DeadlockError, match="1 tasks wait"):
        loop.run_until_complete(program())
    assert loop.time() == 50.0
    # It goes on working, which lets others clean up.
    [task] = asyncio.all_tasks(loop)
    task.cancel()
    with pytest.raises(asyncio.CancelledError, match=r"^$"):
        loop.run_until_complete(task)
    loop.close()


def test_run_forever_waits() -> None:
    """Where nothing is awaited, idling is no deadlock: another thread may call."""
    loop = VirtualTimeLoop()
    thread = threading.Timer(0.01, lambda: loop.call_soon_threadsafe(loop.stop))
    loop.call_soon(thread.start)
    loop.run_forever()
    loop.close()
    thread.join()
