"""The same parameters of modules through two doors: in process, and through a mount."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from damon_async.control.module_behavior import Modules
from damon_async.control.mount import mounted
from damon_async.control.profiles import Profile

from ..modules.worlds import Console, open_console
from .doors import Door, MountedFiles


@dataclass
class MountedModules(Console):
    """
    A console whose files are mounted, and whose engine is in another thread.

    Time stands still while a module runs, except while a write waits, or the test.

    Attributes:
        files: The mounted ones.

        room: The thread of the engine.
    """

    files: MountedFiles
    room: BlockingPortal | None = field(default=None, repr=False)

    def text(self, module: str, name: str) -> str:
        return self.files.read(f"{module}/parameters/{name}").decode().removesuffix("\n")

    def names(self, module: str) -> list[str]:
        return self.files.listdir(f"{module}/parameters")

    def put(self, module: str, /, **values: object) -> None:
        for name, value in values.items():
            self.files.write(f"{module}/parameters/{name}", str(value))

    async def write(self, module: str, name: str, data: str) -> None:
        await self.files.write_async(f"{module}/parameters/{name}", data)

    async def refuses(self, module: str, name: str, data: str, number: int) -> None:
        # The kernel passes numbers on, and no sentences.
        before = self.text(module, name)
        with pytest.raises(OSError, match=r"^\[Errno") as raised:
            await self.write(module, name, data)
        assert raised.value.errno == number, raised.value
        assert self.text(module, name) == before

    async def passes(self, duration_us: int) -> None:
        assert self.room is not None
        await to_thread.run_sync(self.room.call, self._passes, duration_us)

    async def _passes(self, duration_us: int) -> None:
        behavior = self.tree.behavior
        assert isinstance(behavior, Modules)
        behavior._let_time_pass()
        try:
            await self.clock.sleep_us(duration_us)
        finally:
            behavior._hold_or_not()


@asynccontextmanager
async def _served(profile: Profile, top: Path) -> AsyncIterator[MountedModules]:
    """Mount a tree of modules; in the thread of the engine."""
    async with (
        open_console(profile, holds_time=True) as made,
        mounted(made.tree, top),
    ):
        yield MountedModules(**vars(made), files=MountedFiles(top))


class OpenModules:
    """
    Opens trees of modules at one door.

    Args:
        door: Which one.

        top: A directory to mount on.
    """

    def __init__(self, door: Door, top: Path) -> None:
        self.door = door
        self._top = top

    @asynccontextmanager
    async def __call__(self, profile: Profile = Profile.V6_18) -> AsyncIterator[Console]:
        """Open a tree on a machine with 30 % of its memory free; see ``worlds.open_console``."""
        if self.door is Door.IN_PROCESS:
            async with open_console(profile) as console:
                yield console
            return
        # An event loop of its own: this thread waits in system calls.
        with (
            start_blocking_portal() as room,
            room.wrap_async_context_manager(_served(profile, self._top)) as mounted_console,
        ):
            mounted_console.room = room
            yield mounted_console
