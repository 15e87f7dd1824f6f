"""Which schedules are run, counted in another way as well."""

from __future__ import annotations

import asyncio
import math
from typing import get_args

import pytest

from damon_async.testing.explore import Mode, explore

from .programs import Program


def nr_interleavings(nr_tasks: int, nr_steps: int) -> int:
    """Count in how many orders tasks can take their steps."""
    return math.factorial(nr_tasks * nr_steps) // int(math.factorial(nr_steps) ** nr_tasks)


def nr_schedules(queue: tuple[int, ...], preemptions: int) -> int:
    """
    Count the orders with at most so many deviations from a queue.

    Args:
        queue: How many steps each runnable task has left.

        preemptions: How many deviations are left.
    """
    return sum(
        nr_schedules(
            queue[:index] + queue[index + 1 :] + ((left - 1,) if left > 1 else ()),
            preemptions - bool(index),
        )
        for index, left in enumerate(queue)
        if index == 0 or preemptions
    ) or int(not queue)


def walkers(nr_tasks: int, nr_steps: int, seen: list[str]) -> Program:
    """Return a scenario of tasks that take so many steps, and write down their order."""

    async def walk(name: str, path: list[str]) -> None:
        for _ in range(nr_steps - 1):
            path.append(name)
            await asyncio.sleep(0)
        path.append(name)

    async def scenario() -> None:
        path: list[str] = []
        await asyncio.gather(*(walk(name, path) for name in "abcdef"[:nr_tasks]))
        seen.append("".join(path))

    return scenario


@pytest.mark.parametrize(("nr_tasks", "nr_steps"), [(2, 1), (2, 3), (2, 5), (3, 2), (4, 1), (5, 1)])
def test_exhaustive_is_complete(nr_tasks: int, nr_steps: int) -> None:
    """With enough preemptions each interleaving there is, is seen exactly once."""
    seen: list[str] = []
    scenario = walkers(nr_tasks, nr_steps, seen)
    found = explore(scenario, mode="exhaustive", preemptions=nr_tasks * nr_steps)
    assert found.is_complete
    assert found.nr_schedules == len(seen) == len(set(seen)) == nr_interleavings(nr_tasks, nr_steps)


@pytest.mark.parametrize("preemptions", [0, 1, 2, 3])
@pytest.mark.parametrize(("nr_tasks", "nr_steps"), [(2, 4), (3, 2), (3, 3), (4, 2)])
def test_preemptions_are_bounded(nr_tasks: int, nr_steps: int, preemptions: int) -> None:
    """Up to k preemptions there are as many schedules as a queue has by itself."""
    seen: list[str] = []
    scenario = walkers(nr_tasks, nr_steps, seen)
    found = explore(scenario, mode="exhaustive", preemptions=preemptions)
    assert found.nr_schedules == nr_schedules((nr_steps,) * nr_tasks, preemptions)
    assert len(set(seen)) == len(seen)


def test_random_walks_see_everything() -> None:
    """Of a small scenario random schedules see each interleaving."""
    seen: list[str] = []
    explore(walkers(3, 2, seen), schedules=3000)
    assert len(set(seen)) == nr_interleavings(3, 2)


def test_first_schedule_is_first_come() -> None:
    """Each exploration begins with first come, first served."""
    for mode in get_args(Mode):
        seen: list[str] = []
        explore(walkers(3, 2, seen), mode=mode, schedules=1)
        assert seen == ["abcabc"]
