from __future__ import annotations

from collections.abc import Sequence
from itertools import count, pairwise

import pytest
from hypothesis import given, strategies as st

from damon_async.testing.orders import (
    FAIR_STEPS,
    FirstCome,
    Order,
    Played,
    Priorities,
    RandomWalk,
    seeded,
)


class Someone:
    """A task that is compared and hashed like any object."""


def choices(order: Order, tasks: Sequence[object], nr_steps: int) -> list[int]:
    return [order.choose(step, tasks) for step in range(nr_steps)]


def test_first_come() -> None:
    """First come, first served overtakes nobody."""
    assert choices(FirstCome(), [Someone(), Someone()], 3) == [0, 0, 0]


def test_played() -> None:
    """A tape says at which steps how many are overtaken, all of them if there are fewer."""
    assert choices(Played(((1, 1), (3, 7))), [Someone(), Someone(), Someone()], 5) == [
        0,
        1,
        0,
        2,
        0,
    ]


def test_seeds_are_steady() -> None:
    """The same seed gives the same numbers everywhere."""
    assert [int(1000 * seeded("0/1").random()), int(1000 * seeded("7").random())] == [755, 712]


@given(st.text(), st.integers(2, 6))
def test_random_walks_stay_inside(seed: str, nr_tasks: int) -> None:
    """A random walk chooses among those who are runnable."""
    tasks = [Someone() for _ in range(nr_tasks)]
    assert set(choices(RandomWalk(seeded(seed)), tasks, 50)) <= set(range(nr_tasks))


def test_random_walks_differ_in_restlessness() -> None:
    """Some walks leave first come, first served often, and some seldom."""
    tasks = [Someone(), Someone()]
    shares = {
        round(sum(choices(RandomWalk(seeded(str(seed))), tasks, 2000)) / 200) for seed in range(60)
    }
    # Two tasks: half of the times it leaves, it comes back to the first.
    assert {5, 1, 0} <= shares


@given(st.text(), st.integers(2, 6))
def test_priorities_hold(seed: str, nr_tasks: int) -> None:
    """With depth 1 priorities never change: the same task is preferred wherever it stands."""
    tasks = [Someone() for _ in range(nr_tasks)]
    order = Priorities(seeded(seed), 1, 100)
    first = tasks[order.choose(0, tasks)]
    for turn in range(nr_tasks):
        turned = tasks[turn:] + tasks[:turn]
        assert turned[order.choose(turn + 1, turned)] is first


@given(st.text(), st.integers(2, 5), st.integers(1, 50))
def test_priorities_fall(seed: str, depth: int, nr_steps: int) -> None:
    """With depth d the preferred task changes at most d - 1 times while all are runnable."""
    tasks = [Someone() for _ in range(depth)]
    order = Priorities(seeded(seed), depth, nr_steps)
    chosen = [order.choose(step, _turned(tasks, step)) for step in range(nr_steps)]
    who = [_turned(tasks, step)[index] for step, index in enumerate(chosen)]
    assert sum(a is not b for a, b in pairwise(who)) <= depth - 1


def _turned(tasks: list[Someone], step: int) -> list[Someone]:
    # Turned around, so that nobody stands at the front for long.
    return tasks[step % len(tasks) :] + tasks[: step % len(tasks)]


def test_every_fall_is_used() -> None:
    """Falls at steps without a choice come into force at the next choice."""
    tasks = [Someone(), Someone()]
    for seed in range(20):
        order = Priorities(seeded(str(seed)), 2, 10)
        before = order.choose(-1, tasks)
        assert order.choose(100, tasks) == 1 - before


def test_priorities_are_fair_in_the_end() -> None:
    """A task that is overtaken time and again is let through in the end."""
    first, spinning = Someone(), Someone()
    order = next(
        order
        for seed in count()
        if (order := Priorities(seeded(str(seed)), 1, 1)).choose(0, [first, spinning]) == 1
    )
    overtaken = choices(order, [first, spinning], 2 * FAIR_STEPS)
    assert overtaken == [1] * FAIR_STEPS + [0] * FAIR_STEPS


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_priorities_find_each_order(depth: int) -> None:
    """Any order of three tasks is drawn sooner or later."""
    seen = set()
    for seed in range(200):
        order, left, path = Priorities(seeded(str(seed)), depth, 3), [*"abc"], ""
        for step in range(2):
            path += left.pop(order.choose(step, [KEYS[each] for each in left]))
        seen.add(path)
    assert len(seen) == 6


KEYS = {name: Someone() for name in "abc"}
