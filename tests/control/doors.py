"""The same console through two doors: in process, and through a mount."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from damon_async.control.live import TreePortal, live_tree
from damon_async.control.mount import mounted
from damon_async.control.profiles import Profile
from damon_async.control.tree import NodeStat
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.operations.metrics import Metrics

from .consoles import Console, Memory, OpenFile, T, open_console, quiet
from .stored import stored

Result = TypeVar("Result")


class Door(StrEnum):
    """How a test comes to the files."""

    IN_PROCESS = "in process"
    MOUNTED = "mounted"


@dataclass
class MountedFile:
    """A file that is open, by its descriptor."""

    descriptor: int

    def read(self) -> bytes:
        return os.pread(self.descriptor, 4096, 0)

    def write(self, data: bytes | str) -> int:
        return os.write(self.descriptor, data.encode() if isinstance(data, str) else data)

    async def write_async(self, data: bytes | str) -> int:
        return await to_thread.run_sync(self.write, data)

    def close(self) -> None:
        os.close(self.descriptor)


@dataclass
class MountedFiles:
    """
    A tree by system calls on its mount, in the thread of the test.

    Attributes:
        top: Where it is mounted.
    """

    top: Path

    def at(self, path: str) -> Path:
        """Return a path below the mount, also if it begins with a slash."""
        return Path(f"{self.top}/{path}")

    def read(self, path: str) -> bytes:
        with self._opened(path, os.O_RDONLY) as descriptor:
            return os.read(descriptor, 4096)

    def write(self, path: str, data: bytes | str) -> int:
        """Open a file, write with one call, and close it."""
        with self._opened(path, os.O_WRONLY | os.O_TRUNC) as descriptor:
            return os.write(descriptor, data.encode() if isinstance(data, str) else data)

    async def write_async(self, path: str, data: bytes | str) -> int:
        return await to_thread.run_sync(self.write, path, data)

    def listdir(self, path: str = "") -> list[str]:
        return [each.name for each in self.at(path).iterdir()]

    def stat(self, path: str) -> NodeStat:
        found = self.at(path).stat()
        is_dir = (found.st_mode & 0o170000) == 0o040000
        return NodeStat(is_dir, found.st_mode & 0o7777, found.st_size)

    def open(self, path: str, *, for_writing: bool = False) -> OpenFile:
        """Open a file; a test has so few that the end of the mount closes them."""
        flags = os.O_RDWR if for_writing else os.O_RDONLY
        return MountedFile(os.open(self.at(path), flags))

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        descriptor = os.open(self.at(path), flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@dataclass
class MountedConsole(Console):
    """
    A console whose files are mounted, and whose engine is in another thread.

    Time stands still except while a command waits, or the test sleeps.

    Attributes:
        room: The thread of the engine.

        portal: Of the tree, for those who come by no mount.
    """

    room: BlockingPortal | None = field(default=None, repr=False)
    portal: TreePortal | None = None

    async def run(
        self, function: Callable[..., Awaitable[Result]], /, *args: object, **options: object
    ) -> Result:
        async def call() -> Result:
            # The task of the test has time in its hand, this one has not.
            with self.state_behind._time_passes():
                return await function(*args, **options)

        assert self.room is not None
        return await to_thread.run_sync(self.room.call, call)

    async def sleep_us(self, duration_us: int) -> None:
        await self.run(self.clock.sleep_us, duration_us)

    def reason(self, match: str) -> str:
        """The kernel passes numbers on, and no sentences."""
        return r"^\[Errno"


@asynccontextmanager
async def _served(
    profile: Profile, top: Path, metrics: Metrics | None, *, has_memory: bool
) -> AsyncIterator[MountedConsole]:
    """Mount a tree like that of ``open_console``; in the thread of the engine."""
    clock = VirtualClock()
    processes = {1: Memory(), 2: Memory()}
    world = World(process=processes.get, memory=Memory() if has_memory else None)
    async with Damon(clock=clock, seed=7, metrics=metrics) as damon:
        tree = live_tree(damon, profile, world, holds_time=True)
        async with TreePortal(tree) as portal, mounted(tree, top, portal=portal):
            yield MountedConsole(tree, damon, clock, processes, MountedFiles(top), portal=portal)


class OpenConsole:
    """
    Opens consoles at one door.

    Args:
        door: Which one.

        top: A directory to mount on.
    """

    def __init__(self, door: Door, top: Path) -> None:
        self.door = door
        self._top = top

    @asynccontextmanager
    async def __call__(
        self,
        profile: Profile = Profile.V6_18,
        *,
        metrics: Metrics | None = None,
        has_memory: bool = True,
    ) -> AsyncIterator[Console]:
        """Open a tree with two processes, 1 and 2; see ``consoles.open_console``."""
        if self.door is Door.MOUNTED:
            with self._mounted(profile, metrics, has_memory=has_memory) as console:
                yield console
        else:
            async with open_console(profile, metrics=metrics, has_memory=has_memory) as console:
                yield console

    @contextmanager
    def stored(self, profile: Profile) -> Iterator[Console]:
        """Open a tree with a context, a target, a region and a scheme; nothing runs."""
        if self.door is Door.IN_PROCESS:
            yield stored(profile)
            return
        with self._mounted(profile, None, has_memory=True) as console:
            console.fresh(nr_schemes=1, nr_targets=1)
            console.put(T, regions__nr_regions=1)
            yield console

    @contextmanager
    def _mounted(
        self, profile: Profile, metrics: Metrics | None, *, has_memory: bool
    ) -> Iterator[Console]:
        # An event loop of its own: this thread waits in system calls.
        with (
            quiet(),
            start_blocking_portal() as room,
            room.wrap_async_context_manager(
                _served(profile, self._top, metrics, has_memory=has_memory)
            ) as console,
        ):
            console.room = room
            yield console
