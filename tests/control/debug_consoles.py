"""A debugfs tree with an engine and some processes, for tests that drive it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest

from damon_async.control.dbgfs import dbgfs_tree
from damon_async.control.dbgfs_behavior import Dbgfs
from damon_async.control.dbgfs_text import SchemesFormat
from damon_async.control.live import live_tree
from damon_async.control.pids import Pids
from damon_async.control.profiles import Profile, Release
from damon_async.control.tree import Tree
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock

from .consoles import Console, Memory, quiet

PROFILES: Final = [Profile.V5_18, Profile.V6_1, Profile.V6_12]
"""Those that have the interface."""

MATCH_ALL: Final = "0 18446744073709551615 0 4294967295 0 4294967295"

STAT_ALL: Final = f"{MATCH_ALL} 5 0 0 0 0 0 0 0 0 0 0 0"
"""A scheme that counts everything, in the usual format."""

every_profile = pytest.mark.parametrize("profile", PROFILES)


@dataclass
class DebugConsole:
    """
    What a user of debugfs has.

    Attributes:
        tree: The debugfs files.

        sysfs: The sysfs files of the same engine.

        damon: The engine.

        clock: Stands still unless somebody waits.

        processes: Who is there, by pid.
    """

    tree: Tree
    sysfs: Console
    damon: Damon
    clock: VirtualClock
    processes: dict[int, Memory] = field(default_factory=dict)

    @property
    def switch(self) -> str:
        """The name of the file that starts and stops."""
        is_old = self.tree.profile.release < Release(6, 9)
        return "monitor_on" if is_old else "monitor_on_DEPRECATED"

    @property
    def behavior(self) -> Dbgfs:
        assert isinstance(self.tree.behavior, Dbgfs)
        return self.tree.behavior

    def text(self, path: str) -> str:
        """Return what a file says, newlines included."""
        return self.tree.read(path).decode()

    def put(self, **files: str) -> None:
        """Write files; two underscores stand for a slash."""
        for name, text in files.items():
            assert self.tree.write(name.replace("__", "/"), text) == len(text)

    def refuses(self, path: str, text: str | bytes, number: int, match: str = ":") -> None:
        """Have a write refused with an errno."""
        with pytest.raises(OSError, match=match) as raised:
            self.tree.write(path, text)
        assert raised.value.errno == number, raised.value

    def cannot_read(self, path: str, number: int) -> None:
        """Have a read refused with an errno."""
        with pytest.raises(OSError, match=":") as raised:
            self.tree.read(path)
        assert raised.value.errno == number, raised.value

    async def turn(self, word: str) -> None:
        """Write a word to the switch."""
        await self.tree.write_async(self.switch, word)

    async def cannot_turn(self, word: str, number: int, match: str = ":") -> None:
        """Have a word refused by the switch."""
        with pytest.raises(OSError, match=match) as raised:
            await self.turn(word)
        assert raised.value.errno == number, raised.value

    def is_on(self) -> bool:
        return self.text(self.switch) == "on\n"


@asynccontextmanager
async def open_debug(
    profile: Profile = Profile.V6_12,
    *,
    schemes_format: str = "E",
    has_memory: bool = True,
    holds_time: bool = False,
) -> AsyncIterator[DebugConsole]:
    """Open both trees on one engine, with processes 1 and 2."""
    clock = VirtualClock()
    processes = {1: Memory(), 2: Memory()}
    world = World(process=processes.get, memory=Memory() if has_memory else None)
    pids = Pids()
    with quiet(), clock.hold("the test"):
        async with Damon(clock=clock, seed=7) as damon:
            tree = dbgfs_tree(
                damon,
                profile,
                world,
                schemes_format=SchemesFormat(schemes_format),
                holds_time=holds_time,
                pids=pids,
            )
            sysfs = live_tree(damon, profile, world, pids=pids)
            console = Console(sysfs, damon, clock, processes)
            yield DebugConsole(tree, console, damon, clock, processes)
