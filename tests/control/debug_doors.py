"""The same debugfs console through two doors: in process, and through a mount."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from damon_async.control.mount import mounted
from damon_async.control.profiles import Profile
from damon_async.engine.engine import Damon
from damon_async.engine.holding import TimeHold
from damon_async.engine.virtual_clock import VirtualClock

from .consoles import quiet
from .debug_consoles import DebugConsole, debug_console, open_debug
from .doors import Door, MountedConsole, MountedFiles


@dataclass
class MountedDebug(DebugConsole):
    """
    A console whose files are mounted, and whose engine is in another thread.

    Attributes:
        room: The thread of the engine.

        hold: Has time stand still except while the test sleeps.
    """

    room: BlockingPortal | None = None
    hold: TimeHold | None = None

    async def sleep_us(self, duration_us: int) -> None:
        assert self.room is not None
        await to_thread.run_sync(self.room.call, self._sleep_us, duration_us)

    def reason(self, match: str) -> str:
        """The kernel passes numbers on, and no sentences."""
        return r"^\[Errno"

    async def _sleep_us(self, duration_us: int) -> None:
        assert self.hold is not None
        self.hold.release()
        try:
            await self.clock.sleep_us(duration_us)
        finally:
            self.hold.take()


@asynccontextmanager
async def _served(
    profile: Profile, top: Path, schemes_format: str, *, has_memory: bool
) -> AsyncIterator[MountedDebug]:
    """Mount both trees of ``open_debug``; in the thread of the engine."""
    clock = VirtualClock()
    # Meant, so that nobody is warned of it.
    hold = TimeHold(clock, "the test", is_meant=True)
    hold.take()
    async with Damon(clock=clock, seed=7) as damon:
        made = debug_console(damon, clock, profile, schemes_format, has_memory=has_memory)
        tops = [top / "debugfs", top / "sysfs"]
        for each in tops:
            # A test may open several consoles, one after the other.
            each.mkdir(exist_ok=True)
        door, sysfs_door = (MountedFiles(each) for each in tops)
        made.sysfs = MountedConsole(**vars(made.sysfs) | {"door": sysfs_door})
        async with mounted(made.tree, door.top), mounted(made.sysfs.tree, sysfs_door.top):
            yield MountedDebug(**vars(made) | {"door": door, "hold": hold})


class OpenDebug:
    """
    Opens debugfs consoles at one door.

    Args:
        door: Which one.

        top: A directory to mount in.
    """

    def __init__(self, door: Door, top: Path) -> None:
        self.door = door
        self._top = top

    @asynccontextmanager
    async def __call__(
        self,
        profile: Profile = Profile.V6_12,
        *,
        schemes_format: str = "E",
        has_memory: bool = True,
    ) -> AsyncIterator[DebugConsole]:
        """Open a tree with two processes, 1 and 2; see ``debug_consoles.open_debug``."""
        if self.door is Door.IN_PROCESS:
            async with open_debug(
                profile, schemes_format=schemes_format, has_memory=has_memory
            ) as console:
                yield console
            return
        served = _served(profile, self._top, schemes_format, has_memory=has_memory)
        # An event loop of its own: this thread waits in system calls.
        with (
            quiet(),
            start_blocking_portal() as room,
            room.wrap_async_context_manager(served) as mounted_console,
        ):
            mounted_console.room = room
            yield mounted_console
