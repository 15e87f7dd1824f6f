from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, strategies as st

from damon_async.testing.loops import DeadlockError, VirtualTimeLoop

Program = Callable[[], Coroutine[Any, Any, object]]


def played(program: Program) -> tuple[Any, float]:
    """Run *program* on a new loop; return its result and what time it is then."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(program())
        return result, runner.get_loop().time()


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
        with anyio.move_on_at(deadline) as scope:
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


# -- Outside -------------------------------------------------------------------


def test_threads_are_waited_for() -> None:
    """A timeout that is longer than the work of a thread does not fire."""

    async def program() -> str:
        async with asyncio.timeout(60):
            await asyncio.to_thread(time.sleep, 0.02)
            return "done"

    result, time_s = played(program)
    assert result == "done"
    assert 0.02 <= time_s < 60


def test_timeouts_of_threads() -> None:
    """A timeout that is shorter than the work of a thread fires."""
    release = threading.Event()

    async def program() -> None:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.to_thread(release.wait)
        finally:
            release.set()

    with pytest.raises(TimeoutError, match=r"^$"):
        played(program)


def test_threads_of_anyio() -> None:
    """Threads that others start are waited for with patience."""

    async def program() -> str:
        with anyio.fail_after(60):
            return await anyio.to_thread.run_sync(lambda: "done")

    assert played(program)[0] == "done"


def test_threads_before_the_loop_do_not_count() -> None:
    """A thread that was there before the loop does not hold up time."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    loop = VirtualTimeLoop(patience_s=3600, silence_s=3600)
    loop.run_until_complete(asyncio.sleep(5))
    with pytest.raises(DeadlockError, match="0 tasks wait"):
        loop.run_until_complete(loop.create_future())
    loop.close()
    stop.set()
    thread.join()


def test_child_processes() -> None:
    """A child process is waited for, and its pipes work."""

    async def program() -> bytes:
        code = "import time; time.sleep(0.1); print(input()[::-1])"
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=pipe, stdout=pipe
        )
        async with asyncio.timeout(600):
            output, _ = await child.communicate(b"madam\n")
        return output

    assert played(program)[0] == b"madam\n"


def test_child_processes_can_be_ended_by_timers() -> None:
    """A timer fires although a child process that never ends is waited for."""

    async def program() -> int:
        child = await asyncio.create_subprocess_exec("sleep", "1000")
        asyncio.get_running_loop().call_later(0.05, child.terminate)
        return await child.wait()

    assert played(program)[0] == -signal.SIGTERM


def test_sockets() -> None:
    """Two ends of a socket talk, and while both are silent time jumps."""

    async def program() -> float:
        left, right = socket.socketpair()
        reader, far = await asyncio.open_connection(sock=left)
        other, writer = await asyncio.open_connection(sock=right)
        writer.write(b"ping\n")
        assert await reader.readline() == b"ping\n"
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(3600)
        far.write(b"pong\n")
        assert await other.readline() == b"pong\n"
        for each in (far, writer):
            each.close()
            await each.wait_closed()
        return asyncio.get_running_loop().time() - before

    assert played(program)[0] == pytest.approx(3600)


def test_silence_is_a_deadlock() -> None:
    """Whoever waits for a socket on which nobody speaks is told so after a while."""
    left, right = socket.socketpair()
    left.setblocking(False)
    loop = VirtualTimeLoop(silence_s=0.01)
    with pytest.raises(DeadlockError, match=r"deadlock: nothing"):
        loop.run_until_complete(loop.sock_recv(left, 1))
    [task] = asyncio.all_tasks(loop)
    task.cancel()
    with pytest.raises(asyncio.CancelledError, match=r"^$"):
        loop.run_until_complete(task)
    loop.close()
    left.close()
    right.close()


def test_signals() -> None:
    """A signal that has arrived is handled before time jumps."""

    async def program() -> float:
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, came.set)
        signal.raise_signal(signal.SIGUSR1)
        async with asyncio.timeout(1000):
            await came.wait()
        loop.remove_signal_handler(signal.SIGUSR1)
        return loop.time()

    assert played(program)[0] == 0.0


def test_executor_ends_in_its_own_time() -> None:
    """Closing down does not jump to the end of the patience with threads."""
    release = threading.Event()

    async def program() -> None:
        with pytest.raises(TimeoutError, match=r"^$"):
            async with asyncio.timeout(0.01):
                await asyncio.to_thread(release.wait)
        threading.Timer(0.1, release.set).start()

    assert played(program)[1] < 60
