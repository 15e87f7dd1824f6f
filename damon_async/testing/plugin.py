"""
The pytest plugin: fixtures for those who ask for them, and nothing for the others.

- ``virtual_clock``: a new clock of virtual time.
- ``damon``: an open engine on that clock, watched by the oracles.
- ``control_tree``: a control tree on that engine, over ``control_world``, which is
  a fixture to be overridden.
- ``explore``: runs a scenario under many schedules, watched by the oracles.

Nothing of the engine is imported before a test asks for one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from ..control.world import World
    from ..engine.virtual_clock import VirtualClock
    from .explore import Exploration

# No type of ours, because tests should not have to import any of it either.
Explore: TypeAlias = "Callable[..., Exploration]"
"""What the fixture ``explore`` is: ``explore`` itself, with its options."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that repeats a run."""
    # A group of its own in --help.
    group = parser.getgroup("damon_async")
    group.addoption(
        "--damon-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of engines and explored schedules",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Provide the async fixtures, in the way that the plugin that runs them wants."""
    # Imported here and not above: it imports pytest-asyncio, if that is there.
    from . import async_fixtures

    config.pluginmanager.register(async_fixtures, "damon_async_fixtures")


@pytest.fixture
def damon_seed(pytestconfig: pytest.Config) -> int:
    """Return what ``--damon-seed`` says; 0 if nothing."""
    seed: int = pytestconfig.getoption("--damon-seed")
    return seed


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """Return a clock on which an hour takes seconds."""
    from ..engine.virtual_clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def control_world() -> World:
    """Return one process, 1, and as much physical memory; override it for others."""
    from ..control.world import World
    from ..spaces.workload import open_workload

    # Small, hot in one place, and there for ever.
    space = open_workload("hotspot:size=16M,hot=1M")
    return World(process={1: space}.get, memory=space)


@pytest.fixture
def explore(damon_seed: int) -> Explore:
    """Return what runs a scenario under many schedules; see ``testing.explore.explore``."""
    from .explore import explore
    from .oracles import watched

    def run(scenario: Callable[[], Coroutine[Any, Any, object]], **options: Any) -> Exploration:
        return explore(watched(scenario), **{"seed": damon_seed} | options)

    return run
