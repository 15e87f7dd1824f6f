"""Small machines for modules, and a tree of their parameters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from structlog.testing import capture_logs

from damon_async.arrays import BoolArray, IntArray
from damon_async.control.module_behavior import Modules
from damon_async.control.module_tree import module_tree
from damon_async.control.profiles import Profile, read_release
from damon_async.control.tree import Tree
from damon_async.engine.engine import Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.modules.enabled import Running
from damon_async.params.keywords import GoalMetric, WatermarkMetric
from damon_async.spaces.space import Mapping as Mapped, Truth

MIB = 1 << 20
GIB = 1 << 30
AGGR_US = 100_000

RECLAIM = "damon_reclaim"
LRU_SORT = "damon_lru_sort"
STAT = "damon_stat"

HONEST = [profile for profile in Profile if profile.release >= read_release("6.2")]
"""Profiles whose ``enabled`` says what went wrong."""


@dataclass
class Ram:
    """
    Physical memory in two parts, the first 8 MiB of the bigger one being hot.

    Attributes:
        parts: Start and end of each range.
    """

    parts: Sequence[tuple[int, int]] = ((MIB, 16 * MIB), (GIB, GIB + 64 * MIB))

    is_pure = True
    lifetime_us = None

    def mappings(self, now_us: int) -> list[Mapped]:
        del now_us
        return [Mapped(start, end) for start, end in self.parts]

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        hot: BoolArray = (addresses >= GIB) & (addresses < GIB + 8 * MIB) & (until_us > since_us)
        return hot

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        raise NotImplementedError


@dataclass
class Gauge:
    """
    Metrics with a hand that tests may move.

    Attributes:
        free_permil: Free memory.
    """

    free_permil: int = 300

    def value(
        self,
        metric: GoalMetric | WatermarkMetric,
        *,
        nid: int | None,
        memcg_path: str | None,
        now_us: int,
    ) -> int:
        del nid, memcg_path, now_us
        return self.free_permil if metric is WatermarkMetric.FREE_MEM_RATE else 0

    def sz_on_nodes(self, ranges: IntArray) -> Mapping[int, int]:
        return {0: int(np.diff(ranges).sum())}


@dataclass
class Console:
    """
    What a user of the parameters has, and a clock on the wall.

    Attributes:
        tree: The files.

        damon: The engine.

        clock: Stands still unless a test lets time pass.

        gauge: What watermarks ask.

        ram: What is monitored.
    """

    tree: Tree
    damon: Damon
    clock: VirtualClock
    gauge: Gauge
    ram: Ram

    def text(self, module: str, name: str) -> str:
        """Return what a parameter says, without the newline."""
        return self.tree.read(f"{module}/parameters/{name}").decode().removesuffix("\n")

    def number(self, module: str, name: str) -> int:
        return int(self.text(module, name))

    def names(self, module: str) -> list[str]:
        return self.tree.listdir(f"{module}/parameters")

    def put(self, module: str, /, **values: object) -> None:
        """Write parameters that only store."""
        for name, value in values.items():
            self.tree.write(f"{module}/parameters/{name}", str(value))

    async def write(self, module: str, name: str, data: str) -> None:
        """Write to a parameter, and wait for what it does."""
        await self.tree.write_async(f"{module}/parameters/{name}", data)

    async def enable(self, module: str) -> None:
        await self.write(module, "enabled", "Y")

    async def disable(self, module: str) -> None:
        await self.write(module, "enabled", "N")

    async def refuses(self, module: str, name: str, data: str, number: int) -> None:
        """Have a write refused with an errno, and what was there be kept."""
        before = self.text(module, name)
        with pytest.raises(OSError, match=":") as raised:
            await self.write(module, name, data)
        assert raised.value.errno == number, raised.value
        assert self.text(module, name) == before

    async def passes(self, duration_us: int) -> None:
        """Let virtual time pass."""
        await self.clock.sleep_us(duration_us)

    def running(self, module: str) -> Running:
        """Return what was enabled."""
        behavior = self.tree.behavior
        assert isinstance(behavior, Modules)
        running = behavior.running(module)
        assert running is not None
        return running

    @property
    def kdamond(self) -> Kdamond:
        """The one that runs."""
        (kdamond,) = self.damon.kdamonds
        return kdamond


@asynccontextmanager
async def open_console(
    profile: Profile | str = Profile.V6_18, *, ram: Ram | None = None, holds_time: bool = False
) -> AsyncIterator[Console]:
    """Open a tree of modules on a machine with 30 % of its memory free."""
    clock, gauge, ram = VirtualClock(), Gauge(), ram or Ram()
    # Logs are drawn at length, which takes longer than any test.
    with capture_logs():
        async with Damon(clock=clock, seed=7, metrics=gauge) as damon:
            memory = ram if ram.parts else None
            tree = module_tree(damon, profile, memory, holds_time=holds_time)
            yield Console(tree, damon, clock, gauge, ram)
