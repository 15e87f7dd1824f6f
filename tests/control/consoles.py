"""A tree with an engine and some processes, for tests that drive it through its files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import pytest
from structlog.testing import capture_logs

from damon_async.arrays import BoolArray, IntArray
from damon_async.control.live import live_tree
from damon_async.control.profiles import Profile, read_release
from damon_async.control.state import State
from damon_async.control.tree import NodeStat, Tree
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.operations.metrics import Metrics
from damon_async.spaces.space import Mapping, Truth

Result = TypeVar("Result")

K = "kdamonds/0"
C = f"{K}/contexts/0"
T = f"{C}/targets/0"
S = f"{C}/schemes/0"
INTERVALS = f"{C}/monitoring_attrs/intervals"
NR_REGIONS = f"{C}/monitoring_attrs/nr_regions"

MIB = 1 << 20
HEAP = 0x1000_0000
SAMPLE_US = 5_000


def since(text: str, before: str = "99.0") -> list[Profile]:
    """Return the profiles from a release on, and before another one."""
    first, end = read_release(text), read_release(before)
    return [profile for profile in Profile if first <= profile.release < end]


@dataclass
class Memory:
    """Three mappings, of which the first 8 MiB are hot."""

    lifetime_us: int | None = None
    is_pure: bool = True

    def mappings(self, now_us: int) -> list[Mapping]:
        del now_us
        starts = [(HEAP, 64), (0x7F00_0000_0000, 4), (0x7FF0_0000_0000, 1)]
        return [Mapping(start, start + sz * MIB) for start, sz in starts]

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        is_hot = (addresses >= HEAP) & (addresses < HEAP + 8 * MIB)
        alive: BoolArray = np.asarray(until_us > since_us)
        return is_hot & alive

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        raise NotImplementedError


class OpenFile(Protocol):
    """A file that is open."""

    def read(self) -> bytes: ...

    def write(self, data: bytes | str) -> int: ...

    async def write_async(self, data: bytes | str) -> int: ...


class Files(Protocol):
    """The files of a tree, through whatever door."""

    def read(self, path: str) -> bytes: ...

    def write(self, path: str, data: bytes | str) -> int: ...

    async def write_async(self, path: str, data: bytes | str) -> int: ...

    def listdir(self, path: str = "") -> list[str]: ...

    def stat(self, path: str) -> NodeStat: ...

    def open(self, path: str, *, for_writing: bool = False) -> OpenFile: ...


@dataclass
class Console:
    """
    What a user has: the files, and a clock on the wall.

    Attributes:
        tree: What the files are of.

        damon: The engine.

        clock: Stands still unless somebody waits.

        processes: Who is there, by pid.

        door: The files, if they are not to be had from the tree itself.
    """

    tree: Tree
    damon: Damon
    clock: VirtualClock
    processes: dict[int, Memory] = field(default_factory=dict)
    door: Files | None = None

    @property
    def files(self) -> Files:
        """The files."""
        return self.door or self.tree

    async def run(
        self, function: Callable[..., Awaitable[Result]], /, *args: object, **options: object
    ) -> Result:
        """Have the engine do something, where that is."""
        return await function(*args, **options)

    async def sleep_us(self, duration_us: int) -> None:
        """Let time pass."""
        await self.clock.sleep_us(duration_us)

    def reason(self, match: str) -> str:
        """Return what refusals say whose sentence matches *match*."""
        return match

    def text(self, path: str) -> str:
        """Return what a file says, without the newline."""
        return self.files.read(path).decode().removesuffix("\n")

    def number(self, path: str) -> int:
        return int(self.text(path))

    def put(self, base: str = "", /, **files: object) -> None:
        """Write files of a directory; two underscores stand for a slash."""
        for name, value in files.items():
            self.files.write(f"{base}/{name.replace('__', '/')}", str(value))

    async def state(self, word: str, number: int = 0) -> None:
        """Write a word to ``state`` of a kdamond."""
        await self.files.write_async(f"kdamonds/{number}/state", word)

    def is_on(self, number: int = 0) -> bool:
        return self.text(f"kdamonds/{number}/state") == "on"

    def fresh(self, nr_schemes: int = 0, nr_targets: int = 0) -> None:
        """Make one kdamond with one context."""
        self.put("kdamonds", nr_kdamonds=1)
        self.put(K, contexts__nr_contexts=1)
        self.put(C, targets__nr_targets=nr_targets, schemes__nr_schemes=nr_schemes)

    def fresh_vaddr(self, nr_schemes: int = 0, pid: int = 1) -> None:
        """Make one kdamond for a process that is there, with schemes that match all."""
        self.fresh(nr_schemes, 1)
        self.put(T, pid_target=pid)
        for index in range(nr_schemes):
            self.match_all(index)

    def match_all(self, index: int) -> None:
        for name in ("sz", "nr_accesses", "age"):
            pattern = f"{C}/schemes/{index}/access_pattern/{name}"
            self.put(pattern, min=0, max=2**32 - 1 if name != "sz" else 2**64 - 1)

    def put_regions(self, ranges: list[tuple[int, int]]) -> None:
        """Give the first target some ranges."""
        self.put(T, regions__nr_regions=len(ranges))
        for index, (start, end) in enumerate(ranges):
            self.put(f"{T}/regions/{index}", start=start, end=end)

    async def start_vaddr(self, nr_schemes: int = 0) -> None:
        self.fresh_vaddr(nr_schemes)
        await self.state("on")

    async def fails(self, word: str, number: int, match: str = ":") -> None:
        """Have a word refused with an errno."""
        with pytest.raises(OSError, match=self.reason(match)) as raised:
            await self.state(word)
        assert raised.value.errno == number, raised.value

    def refuses(self, path: str, data: str | bytes, number: int) -> None:
        """Have a write refused with an errno, and what was there be kept."""
        before = self.files.read(path)
        with pytest.raises(OSError, match=self.reason(":")) as raised:
            self.files.write(path, data)
        assert raised.value.errno == number, raised.value
        assert self.files.read(path) == before

    @property
    def state_behind(self) -> State:
        """What stands behind the tree."""
        behavior = self.tree.behavior
        assert isinstance(behavior, State)
        return behavior

    @property
    def kdamond(self) -> Kdamond:
        """The one that runs."""
        (kdamond,) = self.damon.kdamonds
        return kdamond

    def tried(self, index: int = 0) -> list[tuple[int, int]]:
        """Return the tried regions of a scheme, by their names."""
        base = f"{C}/schemes/{index}/tried_regions"
        names = sorted(int(name) for name in self.files.listdir(base) if name.isdigit())
        return [
            (self.number(f"{base}/{name}/start"), self.number(f"{base}/{name}/end"))
            for name in names
        ]


@contextmanager
def quiet() -> Iterator[None]:
    """Draw no logs: tracebacks at length take longer than any test."""
    with capture_logs():
        yield


@asynccontextmanager
async def open_console(
    profile: Profile = Profile.V6_18,
    *,
    metrics: Metrics | None = None,
    has_memory: bool = True,
) -> AsyncIterator[Console]:
    """Open a tree with two processes, 1 and 2, and physical memory if it is to be monitored."""
    clock = VirtualClock()
    processes = {1: Memory(), 2: Memory()}
    world = World(process=processes.get, memory=Memory() if has_memory else None)
    with quiet(), clock.hold("the test"):
        async with Damon(clock=clock, seed=7, metrics=metrics) as damon:
            yield Console(live_tree(damon, profile, world), damon, clock, processes)
