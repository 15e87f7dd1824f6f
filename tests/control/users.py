"""Everybody who can run something on one engine, each with the door that it uses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from damon_async.control.dbgfs import dbgfs_tree
from damon_async.control.dbgfs_behavior import DEPRECATED_SINCE
from damon_async.control.live import live_tree
from damon_async.control.module_tree import module_tree
from damon_async.control.pids import Pids
from damon_async.control.profiles import NEXT, SEED, Profile, Release
from damon_async.control.tree import Tree
from damon_async.control.world import World
from damon_async.engine.engine import Admission, Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.params.monitoring import Context, Ops

from .consoles import Memory, quiet

SYSFS: Final = "sysfs"
SYSFS_2: Final = "sysfs, second kdamond"
DEBUGFS: Final = "debugfs"
RECLAIM: Final = "damon_reclaim"
LRU_SORT: Final = "damon_lru_sort"
STAT: Final = "damon_stat"
EXCLUSIVE: Final = "exclusive group"
GROUP: Final = "group"
GROUP_2: Final = "second group"

USERS: Final = (SYSFS, SYSFS_2, DEBUGFS, RECLAIM, LRU_SORT, STAT, EXCLUSIVE, GROUP, GROUP_2)
"""Who may ask to run."""

HALF_DEBUGFS: Final = "debugfs, one context left"
HALF_EXCLUSIVE: Final = "exclusive group, one context left"

HALVES: Final = (HALF_DEBUGFS, HALF_EXCLUSIVE)
"""What is left of two contexts that were started together."""

MODULES: Final = (RECLAIM, LRU_SORT, STAT)

IN_PROCESS: Final = (EXCLUSIVE, GROUP, GROUP_2, HALF_EXCLUSIVE)
"""Those that no kernel has, and so no profile."""

SPANS: Final = {
    DEBUGFS: (SEED, Release(6, 12)),
    HALF_DEBUGFS: (SEED, Release(6, 12)),
    LRU_SORT: (Release(6, 0), NEXT),
    STAT: (Release(6, 17), NEXT),
}
"""First and last release of those that not all profiles have."""

ENDS_US: Final = 100_000
"""When the process of the first context of a half ends, after its start."""


def profile_of(name: str, wanted: Profile) -> Profile:
    """Return the profile nearest to a wanted one that has a user."""
    first, last = SPANS.get(name, (SEED, NEXT))
    profiles = list(Profile)
    at = profiles.index(wanted)
    fitting = [each for each in profiles if first <= each.release <= last]
    return min(fitting, key=lambda each: abs(profiles.index(each) - at))


@dataclass(slots=True)
class Stage:
    """
    An engine in virtual time, and what there is to be monitored.

    Attributes:
        damon: The engine.

        clock: Stands still unless somebody waits.

        memory: Of the machine.

        processes: By pid; 1 and 2 are always there.

        pids: Names kdamonds, whoever starts them.
    """

    damon: Damon
    clock: VirtualClock
    memory: Memory = field(default_factory=Memory)
    processes: dict[int, Memory] = field(default_factory=lambda: {1: Memory(), 2: Memory()})
    pids: Pids = field(default_factory=Pids)

    @property
    def world(self) -> World:
        return World(process=self.processes.get, memory=self.memory)


@asynccontextmanager
async def open_stage(admission: Admission = Admission.CLASSIC) -> AsyncIterator[Stage]:
    """Open an engine on which nothing runs."""
    clock = VirtualClock()
    with quiet(), clock.hold("the trial"):
        async with Damon(clock=clock, seed=7, admission=admission) as damon:
            yield Stage(damon, clock)


class User(ABC):
    """Somebody who starts and stops; what is refused is an exception with an errno."""

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    async def stop(self) -> None: ...

    @abstractmethod
    def is_running(self) -> bool: ...


class SysfsUser(User):
    """One kdamond of a sysfs tree, for a process."""

    def __init__(self, tree: Tree, number: int) -> None:
        self.tree = tree
        self._kdamond = f"kdamonds/{number}"
        self._pid = str(number + 1)

    async def start(self) -> None:
        base = f"{self._kdamond}/contexts"
        if not self.is_running():
            self.tree.write(f"{base}/nr_contexts", "1")
            self.tree.write(f"{base}/0/targets/nr_targets", "1")
            self.tree.write(f"{base}/0/targets/0/pid_target", self._pid)
        await self.tree.write_async(f"{self._kdamond}/state", "on")

    async def stop(self) -> None:
        await self.tree.write_async(f"{self._kdamond}/state", "off")

    def is_running(self) -> bool:
        return self.tree.read(f"{self._kdamond}/state") == b"on\n"


class DebugfsUser(User):
    """The root context of a debugfs tree, for a process."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        is_old = tree.profile.release < DEPRECATED_SINCE
        self._switch = "monitor_on" if is_old else "monitor_on_DEPRECATED"

    async def start(self) -> None:
        # An end takes the targets along.
        if self.tree.read("target_ids") == b"\n":
            self.tree.write("target_ids", "1")
        await self.tree.write_async(self._switch, "on")

    async def stop(self) -> None:
        await self.tree.write_async(self._switch, "off")

    def is_running(self) -> bool:
        # The switch tells whether anybody runs; a process id is its own.
        return self.tree.read("kdamond_pid") != b"none\n"


class HalfDebugfs(DebugfsUser):
    """Two contexts of a debugfs tree, of which the first ends by itself."""

    def __init__(self, stage: Stage, tree: Tree) -> None:
        super().__init__(tree)
        self._stage = stage

    async def start(self) -> None:
        began_us = self._stage.clock.now_us()
        self._stage.processes.update({3: Memory(began_us + ENDS_US), 4: Memory(2**60)})
        if "foo" not in self.tree.listdir():
            self.tree.write("mk_contexts", "foo")
        self.tree.write("target_ids", "3")
        self.tree.write("foo/target_ids", "4")
        await super().start()
        await self._stage.clock.sleep_us(2 * ENDS_US)

    async def stop(self) -> None:
        # The switch would stop at the context that does not run.
        self._stage.processes[4].lifetime_us = self._stage.clock.now_us()
        await self._stage.clock.sleep_us(ENDS_US)

    def is_running(self) -> bool:
        return self.tree.read("foo/kdamond_pid") != b"none\n"


class ModuleUser(User):
    """A module, through its parameters."""

    def __init__(self, tree: Tree, name: str) -> None:
        self.tree = tree
        self._enabled = f"{name}/parameters/enabled"

    async def start(self) -> None:
        await self.tree.write_async(self._enabled, "Y")

    async def stop(self) -> None:
        await self.tree.write_async(self._enabled, "N")

    def is_running(self) -> bool:
        return self.tree.read(self._enabled) == b"Y\n"


class GroupUser(User):
    """A group of contexts in the program."""

    def __init__(self, damon: Damon, *, exclusive: bool, nr_contexts: int = 1) -> None:
        self._damon = damon
        self._exclusive = exclusive
        self._contexts = [Context(ops=Ops.PADDR) for _ in range(nr_contexts)]
        self._kdamonds: Sequence[Kdamond] = ()

    async def start(self) -> None:
        self._kdamonds = await self._damon.start(self._contexts, exclusive=self._exclusive)

    async def stop(self) -> None:
        await self._damon.stop([each for each in self._kdamonds if each.is_running])

    def is_running(self) -> bool:
        return any(each.is_running for each in self._kdamonds)


class HalfGroup(GroupUser):
    """An exclusive group of two in the program, of which the first has ended."""

    def __init__(self, damon: Damon) -> None:
        super().__init__(damon, exclusive=True, nr_contexts=2)

    async def start(self) -> None:
        await super().start()
        await self._damon.stop(self._kdamonds[:1])


def users_of(stage: Stage, wanted: Profile) -> dict[str, User]:
    """Make everybody, with trees of the wanted profile or the nearest one that has them."""
    world, pids, damon = stage.world, stage.pids, stage.damon
    sysfs = live_tree(damon, profile_of(SYSFS, wanted), world, pids=pids)
    sysfs.write("kdamonds/nr_kdamonds", "2")
    debugfs = dbgfs_tree(damon, profile_of(DEBUGFS, wanted), world, pids=pids)
    return {
        SYSFS: SysfsUser(sysfs, 0),
        SYSFS_2: SysfsUser(sysfs, 1),
        DEBUGFS: DebugfsUser(debugfs),
        **{name: _module(stage, name, wanted) for name in MODULES},
        EXCLUSIVE: GroupUser(damon, exclusive=True),
        GROUP: GroupUser(damon, exclusive=False),
        GROUP_2: GroupUser(damon, exclusive=False),
        HALF_DEBUGFS: HalfDebugfs(stage, debugfs),
        HALF_EXCLUSIVE: HalfGroup(damon),
    }


def _module(stage: Stage, name: str, wanted: Profile) -> ModuleUser:
    profile = profile_of(name, wanted)
    return ModuleUser(module_tree(stage.damon, profile, stage.memory, pids=stage.pids), name)
