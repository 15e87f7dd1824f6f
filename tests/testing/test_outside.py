from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
import time

import anyio
import anyio.to_thread
import pytest

from damon_async.testing.loops import DeadlockError, VirtualTimeLoop

from .programs import played


def test_threads_are_waited_for() -> None:
    """A timeout that is longer than the work of a thread does not fire."""

    async def program() -> str:
        async with asyncio.timeout(60):
            await asyncio.to_thread(time.sleep, 0.02)
            return "done"

    result, time_s = played(program)
    assert result == "done"
    assert 0 < time_s < 60


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
