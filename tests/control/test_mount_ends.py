"""How mounts begin and end, whatever is going on in them."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import anyio
import pytest
from anyio import to_thread

from damon_async.control.admin import ADMIN
from damon_async.control.live import TreePortal
from damon_async.control.mount import mount_options, mounted
from damon_async.control.mount_points import is_ours
from damon_async.control.profiles import Profile
from damon_async.control.tree import Tree
from damon_async.engine.holding import TimeHold

from .consoles import INTERVALS, K, S
from .doors import Door, MountedConsole, OpenConsole
from .stored import errno_of

SAMPLE = f"{INTERVALS}/sample_us"

pytestmark = pytest.mark.usefixtures("mount_allowed")


@contextmanager
def running(top: Path) -> Iterator[MountedConsole]:
    """Mount a tree with a kdamond that runs."""
    with OpenConsole(Door.MOUNTED, top)._mounted(Profile.V6_18, None, has_memory=True) as console:
        assert isinstance(console, MountedConsole)
        console.fresh_vaddr(nr_schemes=1)
        console.files.write(f"{K}/state", "on")
        yield console


def hold_time(console: MountedConsole) -> TimeHold:
    """Keep time where it is, so that commands wait."""
    assert console.room is not None
    hold = TimeHold(console.clock, "the test")
    console.room.call(hold.take)
    return hold


def wait_for_command(console: MountedConsole) -> None:
    """Look again and again until a command waits."""
    while not console.state_behind._is_pending:
        console.text(SAMPLE)


async def test_mount_comes_and_goes(tmp_path: Path) -> None:
    """The tree is there within the block, again and again, and what was below it after."""
    top = anyio.Path(tmp_path)
    await (top / "below").touch()
    tree = Tree(ADMIN)
    for _ in range(3):
        async with mounted(tree, str(tmp_path)) as point:
            assert point == await top.resolve()
            assert is_ours(tmp_path)
            assert [each.name async for each in top.iterdir()] == ["kdamonds"]
        assert not is_ours(tmp_path)
        assert [each.name async for each in top.iterdir()] == ["below"]


async def test_two_mounts_of_a_tree(tmp_path: Path) -> None:
    """A tree can be mounted twice through one portal, which outlives both."""
    tree = Tree(ADMIN)
    first, second = anyio.Path(tmp_path, "1"), anyio.Path(tmp_path, "2")
    await first.mkdir()
    await second.mkdir()
    async with TreePortal(tree) as portal:
        async with (
            mounted(tree, str(first), portal=portal),
            mounted(tree, str(second), portal=portal),
        ):
            await (first / "kdamonds/nr_kdamonds").write_text("2")
            assert await (second / "kdamonds/nr_kdamonds").read_text() == "2\n"
        assert await to_thread.run_sync(portal.read, "kdamonds/nr_kdamonds") == b"2\n"


async def test_exceptions_come_out_as_they_are(tmp_path: Path) -> None:
    """What is raised in the block ends the mount, and is not wrapped."""
    with pytest.raises(KeyError, match="mine"):
        async with mounted(Tree(ADMIN), tmp_path):
            raise KeyError("mine")
    assert not is_ours(tmp_path)


async def test_nowhere_to_mount(tmp_path: Path) -> None:
    """A directory that is not there is refused before anything is begun."""
    with pytest.raises(FileNotFoundError, match="there is no directory"):
        async with mounted(Tree(ADMIN), tmp_path / "nothing"):
            pass


async def test_unmounted_by_somebody_else(tmp_path: Path) -> None:
    """If somebody else takes the mount away, the block ends as ever."""
    async with mounted(Tree(ADMIN), tmp_path):
        await anyio.run_process(["umount", str(tmp_path)])
        assert not is_ours(tmp_path)


def test_unmounting_with_open_files(tmp_path: Path) -> None:
    """An end does not wait for files that are open, or for who is in a directory."""
    with ExitStack() as stack:
        with running(tmp_path):
            descriptor = os.open(tmp_path / SAMPLE, os.O_RDWR)
            stack.callback(os.close, descriptor)
            shell = subprocess.Popen(
                ["sh", "-c", "echo ready; read line; cat state"],
                cwd=tmp_path / K,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert shell.stdout is not None
            assert shell.stdout.readline() == "ready\n"
        assert not is_ours(tmp_path)
        assert errno_of(lambda: os.pread(descriptor, 10, 0)) == errno.ENOTCONN
        assert errno_of(lambda: os.pwrite(descriptor, b"1", 0)) == errno.ENOTCONN
        _, errors = shell.communicate("\n", timeout=20)
        assert "not connected" in errors


def test_unmounting_while_a_command_waits(tmp_path: Path) -> None:
    """A command that waits at the end is cancelled, and its writer is told."""
    told: list[int] = []

    def write() -> None:
        told.append(errno_of(lambda: console.files.write(f"{K}/state", "update_schemes_stats")))

    with running(tmp_path) as console:
        hold_time(console)
        writer = Thread(target=write)
        writer.start()
        wait_for_command(console)
    writer.join(20)
    # Python tries again by itself after EINTR, and may find the connection gone by then.
    assert told[0] in {errno.ECONNABORTED, errno.EINTR, errno.ENOTCONN}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("word", ["update_schemes_tried_regions", "update_schemes_stats"])
def test_killed_writers(tmp_path: Path, word: str, number: signal.Signals) -> None:
    """Who is killed while a command waits is gone at once, and so is the command."""
    with running(tmp_path) as console:
        hold = hold_time(console)
        shell = subprocess.Popen(["sh", "-c", f"echo {word} > {tmp_path}/{K}/state"])
        wait_for_command(console)
        shell.send_signal(number)
        assert shell.wait(20) == -number
        assert console.room is not None
        console.room.call(hold.release)
        while console.tree.lock.is_held:
            console.text(SAMPLE)
        console.files.write(f"{K}/state", "update_schemes_stats")
        assert console.number(f"{S}/stats/nr_tried") >= 0
        assert console.is_on()


@contextmanager
def served(top: Path) -> Iterator[subprocess.Popen[str]]:
    """Have the command serve a mount; whatever becomes of it, nothing is left."""
    command = [sys.executable, "-m", "damon_async", "mount", str(top)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        assert any("mounted on" in line for line in server.stderr)
        yield server
    finally:
        server.kill()
        server.communicate()
        unmount = ["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]
        subprocess.run([*unmount, str(top)], check=False, capture_output=True)


def test_killed_server(tmp_path: Path) -> None:
    """When the server is killed nobody hangs, and the mount can be taken away."""
    with served(tmp_path) as server:
        descriptor = os.open(tmp_path / "kdamonds/nr_kdamonds", os.O_RDWR)
        server.kill()
        server.wait()
        gone = {errno.ENOTCONN, errno.ECONNABORTED}
        assert errno_of(lambda: os.pread(descriptor, 10, 0)) in gone
        assert errno_of(tmp_path.stat) in gone
        # It is closed all the same.
        assert errno_of(lambda: os.close(descriptor)) in {0, *gone}
    assert list(tmp_path.iterdir()) == []


def test_ended_server(tmp_path: Path) -> None:
    """The command unmounts when it is asked to end, also while a file is open."""
    with served(tmp_path) as server:
        descriptor = os.open(tmp_path / "kdamonds/nr_kdamonds", os.O_RDWR)
        server.terminate()
        assert server.wait(20) == 0
        assert list(tmp_path.iterdir()) == []
        assert errno_of(lambda: os.close(descriptor)) in {0, errno.ENOTCONN}


def test_old_libfuse() -> None:
    """A libfuse that knows no limit of threads is not asked for one."""
    assert "max_threads" not in mount_options((3, 10))
    assert mount_options((3, 12))["max_threads"] == mount_options((3, 10))["max_idle_threads"]
