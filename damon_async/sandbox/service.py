"""An engine with all its trees: what both a mount and a sandbox serve."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..control.dbgfs import dbgfs_tree
from ..control.live import live_tree
from ..control.module_tree import MODULE, module_tree
from ..control.pids import PidOf, Pids
from ..control.profiles import Profile
from ..control.tree import Tree
from ..control.world import World
from ..engine.clock import RealClock
from ..engine.engine import Damon
from ..engine.virtual_clock import VirtualClock
from ..errors import InvalidError
from ..processes.lookup import Processes
from ..processes.memory import DEFAULT_MEMORY, PhysicalMachine, machine_of
from ..processes.rules import Rule, Rules
from ..spaces.workload import open_workload

DEFAULT_WORKLOAD: Final = "stairs:size=100M"
"""What processes do of which nothing else is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """
    What there is to be monitored, and how time passes.

    Attributes:
        profile: Which kernel's files there are.

        workload: What processes do of which nothing else is known.

        memory: What is done to physical memory; None for a gigabyte with a hot block.

        rules: What processes do, by their names.

        seed: Where all randomness comes from.

        is_virtual: Whether time stands still except while a command waits.

        has_dbgfs: Whether there is a debugfs interface.
    """

    profile: Profile = Profile.V6_18
    workload: str = DEFAULT_WORKLOAD
    memory: str | None = None
    rules: tuple[Rule, ...] = ()
    seed: int = 0
    is_virtual: bool = False
    has_dbgfs: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """
    An open engine, and its trees.

    Attributes:
        damon: The engine.

        machine: The memory of ``paddr``.

        sysfs: The tree of ``/sys/kernel/mm/damon/admin``.

        modules: The tree of ``/sys/module``, as far as it is about DAMON.

        dbgfs: The tree of ``/sys/kernel/debug/damon``; None if there is none.
    """

    damon: Damon
    machine: PhysicalMachine
    sysfs: Tree
    modules: Tree
    dbgfs: Tree | None


def module_names(profile: Profile) -> tuple[str, ...]:
    """Return the modules that a kernel has."""
    return tuple(each.name for each in MODULE.directories if each.since <= profile.release)


@asynccontextmanager
async def serving(
    options: ServiceOptions, registry: Path | None, pids: PidOf | None = None
) -> AsyncIterator[Service]:
    """
    Have an engine and its trees for the length of an ``async with`` block.

    Args:
        options: What is monitored.

        registry: Where processes say what they do; None if they do not.

        pids: Names kdamonds in all trees; by default by numbers.

    Raises:
        DamonError: If a workload cannot be opened.

        InvalidError: If time is virtual and there is a debugfs interface.
    """
    if options.is_virtual and options.has_dbgfs:
        msg = "nothing in debugfs waits for a kdamond, so virtual time would stand still; use the real clock"
        raise InvalidError(msg)
    clock = VirtualClock() if options.is_virtual else RealClock()
    # Opened now even if no process ever needs it: mistakes are told at once.
    open_workload(options.workload, seed=options.seed)
    machine = machine_of(options.memory or DEFAULT_MEMORY, seed=options.seed)
    processes = Processes(
        clock.now_us,
        Rules(options.rules),
        registry,
        options.workload,
        seed=options.seed,
        ends_with_workload=options.is_virtual,
    )
    world = World(process=processes, memory=machine.memory)
    pids = pids or Pids()
    async with Damon(clock=clock, seed=options.seed, metrics=machine.metrics) as damon:
        holds = options.is_virtual
        sysfs = live_tree(damon, options.profile, world, holds_time=holds, pids=pids)
        modules = module_tree(damon, options.profile, machine.memory, holds_time=holds, pids=pids)
        dbgfs = dbgfs_tree(damon, options.profile, world, pids=pids) if options.has_dbgfs else None
        yield Service(damon, machine, sysfs, modules, dbgfs)
