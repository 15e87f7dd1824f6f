"""Trees with nothing running, for tests of the files alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from damon_async.control.live import live_tree
from damon_async.control.profiles import Profile
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock

from .consoles import Console, Files, Memory, T


def stored(profile: Profile) -> Console:
    """Return a tree with one kdamond, context, target, region and scheme."""
    clock = VirtualClock()
    damon = Damon(clock=clock, seed=1)
    tree = live_tree(damon, profile, World(memory=Memory()))
    console = Console(tree, damon, clock)
    console.fresh(nr_schemes=1, nr_targets=1)
    console.put(T, regions__nr_regions=1)
    return console


def every_path(tree: Files, base: str = "") -> Iterator[str]:
    """Go through the paths of all files below *base*."""
    for name in tree.listdir(base):
        path = f"{base}/{name}".lstrip("/")
        if tree.stat(path).is_dir:
            yield from every_path(tree, path)
        else:
            yield path


def errno_of(operation: Callable[[], object]) -> int:
    """Return the errno that *operation* fails with; 0 if it does not."""
    try:
        operation()
    except OSError as error:
        return error.errno or -1
    return 0
