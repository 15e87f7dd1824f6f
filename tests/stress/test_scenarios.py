"""Every scenario under a thousand schedules, drawn in two ways; nothing is ever found."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from damon_async.stress.engine_scenarios import Scenario
from damon_async.stress.scenarios import SCENARIOS
from damon_async.testing.explore import explore

NR_SCHEDULES = 1000

every_one = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.__name__)


def test_there_are_twelve() -> None:
    """There are twelve scenarios, each with a name and a sentence of its own."""
    assert len({each.__name__ for each in SCENARIOS}) == 12
    assert len({inspect.getdoc(each) for each in SCENARIOS}) == 12


@every_one
def test_many_schedules(scenario: Scenario) -> None:
    """No schedule breaks a scenario: half are random, half have priorities that change."""
    half = NR_SCHEDULES // 2
    for mode in ("random", "pct"):
        found = explore(scenario, mode=mode, schedules=half, seed=6)
        assert found.nr_schedules == half


@every_one
def test_on_an_ordinary_loop(scenario: Scenario) -> None:
    """A scenario is an ordinary coroutine function."""
    asyncio.run(scenario())
