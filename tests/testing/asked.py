"""Every public coroutine of engine and control, as something to be asked of a small world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from damon_async.control.live import TreePortal
from damon_async.control.tree import Tree
from damon_async.engine.engine import Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.recorder import Recorder, Recording, record
from damon_async.modules.reclaim import Reclaim
from damon_async.operations.requests import ActionRequest
from damon_async.params.schemes import Scheme
from damon_async.spaces.workload import open_workload
from damon_async.stress.engine_scenarios import EMPTY
from damon_async.stress.slab import AGGR_US, idle, quiet_damon, slab
from damon_async.stress.tree_scenarios import K, control_tree
from damon_async.testing.oracles import must

WORDS = (
    "on",
    "off",
    "commit",
    "commit_schemes_quota_goals",
    "update_schemes_stats",
    "update_schemes_effective_quotas",
    "update_schemes_tried_regions",
    "update_schemes_tried_bytes",
    "clear_schemes_tried_regions",
    "update_tuned_intervals",
)
"""All that may be written to ``state``."""


@dataclass
class Place:
    """
    A small world.

    Attributes:
        damon: An engine.

        kdamond: What runs in it; it has a scheme.

        tree: A control tree on the same engine.
    """

    damon: Damon
    kdamond: Kdamond
    tree: Tree

    async def say(self, *words: str) -> None:
        """Write words to ``state``; nothing is said of refusals."""
        for word in words:
            with suppress(OSError):
                await self.tree.write_async(f"{K}/state", word)


Ask: TypeAlias = Callable[[Place], Coroutine[Any, Any, object]]
"""What is asked."""


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """Open a small world, and see that nothing is left of it."""
    async with quiet_damon() as damon:
        [kdamond] = await damon.start([slab(schemes=[Scheme("pageout")])])
        tree = control_tree(damon)
        yield Place(damon, kdamond, tree)
        must(not tree.lock.is_held, "nobody has the lock")
        must("held" not in repr(damon.clock), "nobody holds time")
        must(damon.nr_running == len(damon.kdamonds), "places belong to kdamonds")
        must(damon.gate.statistics().nr_waiting == 0, "nobody waits")
    must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")


async def live(_: Place) -> None:
    """Open a scope, start, and leave it."""
    async with quiet_damon() as damon:
        await damon.start([idle(), slab()], exclusive=True)
        await damon.clock.sleep_us(AGGR_US)


async def start_and_stop(it: Place) -> None:
    """Start a group at once, and stop it."""
    await it.damon.stop(await it.damon.start([idle(), slab()]))


async def start_waiting(it: Place) -> None:
    """Wait to be let in."""
    it.damon.clock.settle()
    it.kdamond.stop_nowait()
    await it.damon.start([idle(), idle()], exclusive=True, wait=True)


async def enable(it: Place) -> None:
    """Enable a module, and disable it."""
    it.kdamond.stop_nowait()
    memory = open_workload("hotspot:size=1M,hot=64K")
    enabled = await it.damon.enable(Reclaim(), memory, wait=True)
    await enabled.commit(Reclaim())
    await enabled.disable()


async def hold(it: Place) -> None:
    """Come in, wait inside, and leave; twice."""
    gate = it.damon.gate
    it.kdamond.stop_nowait()
    await gate.admit(2, exclusive=True)
    gate.leave(2)
    async with gate.hold(), gate.hold(2):
        await it.damon.clock.sleep(0)


async def wait(it: Place) -> None:
    """Sleep in all ways, and wait for the end."""
    await it.damon.clock.sleep(0.1)
    await it.damon.clock.sleep_us(1)
    await it.damon.clock.sleep_until(AGGR_US)
    it.kdamond.stop_nowait()
    await it.kdamond.wait()


async def change(it: Place) -> None:
    """Commit, in both ways, call, pause and resume."""
    await it.damon.commit(it.kdamond, slab(it.kdamond.context.ops))  # type: ignore[arg-type] # a Slab
    await it.kdamond.commit(idle())
    await it.kdamond.call(lambda monitor: monitor.tick_us)
    await it.kdamond.pause()
    await it.kdamond.resume()


async def read(it: Place) -> None:
    """Read some snapshots, lossless and not."""
    for lossless in (False, True):
        async with it.kdamond.snapshots(lossless=lossless) as snapshots:
            async for _ in snapshots:
                await it.damon.clock.sleep_us(AGGR_US // 2)
                await anext(snapshots)
                break


async def keep(it: Place) -> None:
    """Record what runs, until it ends."""
    recorder = Recorder(it.kdamond)
    it.kdamond.call_nowait(lambda _: it.kdamond.stop_nowait())
    await recorder.run()


async def record_all(_: Place) -> None:
    """Record from start to end, in both ways."""
    await Recording([slab()], duration_us=AGGR_US, seed=1).run()
    await record([slab()], duration_us=AGGR_US, seed=1)


async def act(_: Place) -> None:
    """Have a function of the user be waited for."""
    async with quiet_damon() as damon:

        async def act(request: ActionRequest) -> int:
            await damon.clock.sleep_us(1000)
            return int(request.sizes.sum())

        [kdamond] = await damon.start([slab(schemes=[Scheme(act)])])
        async with kdamond.snapshots() as snapshots:
            await anext(snapshots)


async def look(it: Place) -> None:
    """Open the tree for other threads, and read."""
    async with TreePortal(it.tree):
        await it.tree.read_async(f"{K}/state")
        await it.tree.open(f"{K}/state", for_writing=True).write_async("on")


def saying(word: str) -> Ask:
    """Return what writes *word* to ``state`` of a kdamond that is on."""

    async def say(it: Place) -> None:
        await it.say("on", word)

    return say


ASKED: Mapping[str, Ask] = MappingProxyType(
    {
        **{
            each.__name__: each
            for each in (
                live,
                start_and_stop,
                start_waiting,
                enable,
                hold,
                wait,
                change,
                read,
                keep,
                record_all,
                act,
                look,
            )
        },
        **{word: saying(word) for word in WORDS},
    }
)
"""What is asked, by name."""
