"""Scenarios over control trees: several clients, some of which die in the middle of a command."""

from __future__ import annotations

import asyncio
import errno
from typing import Final

from ..control.live import live_tree
from ..control.tree import Tree
from ..control.world import World
from ..engine.engine import Damon
from ..spaces.workload import open_workload
from ..testing.oracles import must, watched
from .engine_scenarios import EMPTY, together
from .slab import quiet_damon

K: Final = "kdamonds/0"
C: Final = f"{K}/contexts/0"

REFUSALS: Final = frozenset(
    {errno.EBUSY, errno.EINVAL, errno.EPERM, errno.ECANCELED, errno.ENOENT, errno.ENODEV}
)
"""With what a command may be refused while others are at work."""


def control_tree(damon: Damon) -> Tree:
    """Return a tree with one kdamond that monitors a process, and one scheme."""
    space = open_workload("hotspot:size=1M,hot=64K")
    tree = live_tree(damon, world=World(process={1: space}.get))
    for path, value in (
        ("kdamonds/nr_kdamonds", 1),
        (f"{K}/contexts/nr_contexts", 1),
        (f"{C}/targets/nr_targets", 1),
        (f"{C}/targets/0/pid_target", 1),
        (f"{C}/monitoring_attrs/nr_regions/max", 12),
        (f"{C}/schemes/nr_schemes", 1),
        (f"{C}/schemes/0/access_pattern/sz/max", 2**63),
        (f"{C}/schemes/0/access_pattern/age/max", 2**31),
    ):
        tree.write(path, str(value))
    return tree


async def say(tree: Tree, *words: str) -> None:
    """Write words to ``state``, one after the other; each may be refused."""
    for word in words:
        # The errnos of an interface that never waits are answers, not failures.
        try:
            await tree.write_async(f"{K}/state", word)
        except OSError as error:
            must(error.errno in REFUSALS, f"{word} is refused with {error!r}")


@watched
async def two_trees() -> None:
    """Two trees of one engine are told different things at once."""
    async with quiet_damon() as damon:
        trees = [control_tree(damon), control_tree(damon)]
        # Two clients of one tree, and one of another on the same gate.
        await together(
            say(trees[0], "on", "update_schemes_stats", "off"),
            say(trees[1], "on", "commit", "off"),
            say(trees[1], "off", "on", "off"),
        )
        # Whoever came last may have said on.
        for tree in trees:
            await say(tree, "off")
            must(tree.read(f"{K}/state") == b"off\n", "what was told off is off")
            must(not tree.lock.is_held, "nobody has the lock of a tree at rest")
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")


@watched
async def clients_that_die() -> None:
    """Clients of a tree are cancelled in the middle of commands; the next ones are served."""
    async with quiet_damon() as damon:
        tree = control_tree(damon)
        await say(tree, "on")
        words = ("commit", "update_schemes_tried_regions", "update_schemes_stats", "off")
        # One turn is enough to have the lock, two to wait for the kdamond.
        for word in words:
            client = asyncio.create_task(say(tree, word))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            client.cancel()
            await asyncio.wait([client])
            must(not tree.lock.is_held, "a client that died has no lock")
        # Not told off by the dead one, or told and not waited for: both are fine.
        await say(tree, "off", "on", "commit", "update_schemes_tried_bytes")
        must(tree.read(f"{K}/state") == b"on\n", "what is on takes commands")
        await say(tree, "off")
        must(damon.gate.statistics() == EMPTY, "the gate is empty in the end")
