"""The plugin's fixtures that wait; run by pytest-asyncio, or by anyio's plugin."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..control.tree import Tree
    from ..control.world import World
    from ..engine.engine import Damon
    from ..engine.virtual_clock import VirtualClock


def _fixture(function: Callable[..., Any]) -> Any:
    """Mark a fixture as pytest-asyncio wants it in strict mode, if that is in use."""
    # Not imported for this: who does not have it loaded has another plugin.
    plugin = sys.modules.get("pytest_asyncio")
    return pytest.fixture(function) if plugin is None else plugin.fixture(function)


@_fixture
async def damon(virtual_clock: VirtualClock, damon_seed: int) -> AsyncIterator[Damon]:
    """Open an engine of virtual time; the oracles watch it until the end of the test."""
    from ..engine.engine import Damon
    from .oracles import watching

    # Outside, so that leaving the scope is watched as well.
    with watching():
        async with Damon(clock=virtual_clock, seed=damon_seed) as damon:
            yield damon


@_fixture
async def control_tree(damon: Damon, control_world: World) -> Tree:
    """Return the files of a 6.18 kernel, with that engine behind them."""
    from ..control.live import live_tree

    return live_tree(damon, world=control_world)
