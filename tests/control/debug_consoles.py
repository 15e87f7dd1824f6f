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

from .consoles import Console, Files, Memory, quiet

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

        door: The debugfs files, if they are not to be had from the tree itself.
    """

    tree: Tree
    sysfs: Console
    damon: Damon
    clock: VirtualClock
    processes: dict[int, Memory] = field(default_factory=dict)
    door: Files | None = None

    @property
    def files(self) -> Files:
        """The debugfs files."""
        return self.door or self.tree

    async def sleep_us(self, duration_us: int) -> None:
        """Let time pass."""
        await self.clock.sleep_us(duration_us)

    def reason(self, match: str) -> str:
        """Return what refusals say whose sentence matches *match*."""
        return match

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
        return self.files.read(path).decode()

    def put(self, **files: str) -> None:
        """Write files; two underscores stand for a slash."""
        for name, text in files.items():
            assert self.files.write(name.replace("__", "/"), text) == len(text)

    def refuses(self, path: str, text: str | bytes, number: int, match: str = ":") -> None:
        """Have a write refused with an errno."""
        with pytest.raises(OSError, match=self.reason(match)) as raised:
            self.files.write(path, text)
        assert raised.value.errno == number, raised.value

    def cannot_read(self, path: str, number: int) -> None:
        """Have a read refused with an errno."""
        with pytest.raises(OSError, match=self.reason(":")) as raised:
            self.files.read(path)
        assert raised.value.errno == number, raised.value

    async def turn(self, word: str) -> None:
        """Write a word to the switch."""
        await self.files.write_async(self.switch, word)

    async def cannot_turn(self, word: str, number: int, match: str = ":") -> None:
        """Have a word refused by the switch."""
        with pytest.raises(OSError, match=self.reason(match)) as raised:
            await self.turn(word)
        assert raised.value.errno == number, raised.value

    def is_on(self) -> bool:
        return self.text(self.switch) == "on\n"


def debug_console(
    damon: Damon,
    clock: VirtualClock,
    profile: Profile,
    schemes_format: str = "E",
    *,
    has_memory: bool = True,
    holds_time: bool = False,
) -> DebugConsole:
    """Return both trees on one engine, with processes 1 and 2."""
    processes = {1: Memory(), 2: Memory()}
    world = World(process=processes.get, memory=Memory() if has_memory else None)
    pids = Pids()
    tree = dbgfs_tree(
        damon,
        profile,
        world,
        schemes_format=SchemesFormat(schemes_format),
        holds_time=holds_time,
        pids=pids,
    )
    sysfs = Console(live_tree(damon, profile, world, pids=pids), damon, clock, processes)
    return DebugConsole(tree, sysfs, damon, clock, processes)


@asynccontextmanager
async def open_debug(
    profile: Profile = Profile.V6_12,
    *,
    schemes_format: str = "E",
    has_memory: bool = True,
    holds_time: bool = False,
) -> AsyncIterator[DebugConsole]:
    """Open both trees in process; see ``debug_console``."""
    clock = VirtualClock()
    with quiet(), clock.hold("the test"):
        async with Damon(clock=clock, seed=7) as damon:
            yield debug_console(
                damon,
                clock,
                profile,
                schemes_format,
                has_memory=has_memory,
                holds_time=holds_time,
            )
