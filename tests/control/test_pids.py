from __future__ import annotations

from damon_async.control.live import live_tree
from damon_async.control.pids import FIRST_PID, Pids
from damon_async.control.world import World
from damon_async.engine.kdamond import Kdamond

from .consoles import Console, K, open_console


async def test_trees_share_numbers() -> None:
    """Two trees on one engine that share what names kdamonds never show the same number."""
    async with open_console() as console:
        pids = Pids()
        world = World(process=console.processes.get)
        seen = []
        for _ in range(2):
            tree = live_tree(console.damon, world=world, pids=pids)
            other = Console(tree, console.damon, console.clock)
            await other.start_vaddr()
            seen.append(other.number(f"{K}/pid"))
        assert seen == [FIRST_PID, FIRST_PID + 1]


async def test_somebody_else_may_name_them() -> None:
    """Whoever runs stand-ins for kdamonds is asked once for each that was started."""
    asked: list[Kdamond] = []

    def pid_of(kdamond: Kdamond) -> int:
        asked.append(kdamond)
        return 100 + len(asked)

    async with open_console() as console:
        world = World(process=console.processes.get)
        tree = live_tree(console.damon, world=world, pids=pid_of)
        other = Console(tree, console.damon, console.clock)
        for pid in (101, 102):
            await other.start_vaddr()
            assert other.number(f"{K}/pid") == other.number(f"{K}/pid") == pid
            assert asked[-1] is console.kdamond
            await other.state("off")
