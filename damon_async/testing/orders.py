"""
Orders: who of several runnable tasks takes the next step.

An order is asked only if there is a choice, and answers with the number of tasks
that are overtaken: 0 is first come, first served.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from .tape import Tape

FAIR_STEPS: Final = 100
"""Steps after which a task that is overtaken time and again is let through."""

RESTLESSNESS: Final = (1.0, 0.5, 0.2, 0.05)
"""How often a random order leaves first come, first served: one of these at a time."""


def seeded(seed: str) -> random.Random:
    """Return a generator whose numbers are the same everywhere, whatever the hash seed."""
    return random.Random(seed)  # noqa: S311  nothing to hide


class Order(Protocol):
    """Who is next."""

    def choose(self, step: int, tasks: Sequence[object], /) -> int:
        """
        Return the index of who is next in *tasks*.

        Args:
            step: How many steps all tasks have taken so far.

            tasks: Those that are runnable, at least 2, longest first.
        """
        ...


class FirstCome:
    """First come, first served, as asyncio does."""

    def choose(self, _step: int, _tasks: Sequence[object], /) -> int:
        """Return 0."""
        return 0


class Played:
    """
    The order that a tape says.

    Any tape can be played: where fewer tasks are runnable than it wants to be
    overtaken, all are; where there is no choice, nothing happens.

    Args:
        tape: The deviations.
    """

    def __init__(self, tape: Tape) -> None:
        self._overtaken = dict(tape)

    def choose(self, step: int, tasks: Sequence[object], /) -> int:
        """Return what the tape says for *step*."""
        return min(self._overtaken.get(step, 0), len(tasks) - 1)


class RandomWalk:
    """
    Anybody may be next.

    Args:
        rng: Where randomness comes from.
    """

    def __init__(self, rng: random.Random) -> None:
        self._random = rng.random
        # Orders that shuffle always are nearly all alike: none has a single late
        # task in a long run of quiet. So some are drawn that deviate seldom.
        self._restlessness = RESTLESSNESS[int(rng.random() * len(RESTLESSNESS))]

    def choose(self, _step: int, tasks: Sequence[object], /) -> int:
        """Return any index; more often 0 in some walks than in others."""
        if self._random() >= self._restlessness:
            return 0
        return int(self._random() * len(tasks))


class Priorities:
    """
    PCT: random priorities, which fall at a few random steps.

    A defect that needs *depth* steps of different tasks in a certain order is found
    with a probability of at least 1 / (nr_tasks * nr_steps ** (depth - 1)).

    Args:
        rng: Where randomness comes from.

        depth: How many ordering constraints to hit, at least 1.

        nr_steps: About how many steps the scenario takes.

    Source:
        Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of
        Finding Bugs, ASPLOS 2010.
        Differs: who was overtaken for 100 steps is let through, or tasks that spin
        until another has done something would spin for ever.
    """

    def __init__(self, rng: random.Random, depth: int, nr_steps: int) -> None:
        self._rng = rng
        self._priorities: WeakKeyDictionary[object, float] = WeakKeyDictionary()
        # Each fall leads below all that were before.
        steps = [rng.randrange(max(1, nr_steps)) for _ in range(depth - 1)]
        self._falls = {step: -1.0 - nr for nr, step in enumerate(sorted(steps))}
        self._first: object = None
        self._nr_overtaken = 0

    def choose(self, step: int, tasks: Sequence[object], /) -> int:
        """Return the index of the highest priority."""
        self._count(tasks[0])
        if self._nr_overtaken > FAIR_STEPS:
            return 0
        index = self._highest(tasks)
        # Steps without a choice are not seen here, so a fall is due from its step on.
        for due in [each for each in self._falls if each <= step]:
            self._priorities[tasks[index]] = self._falls.pop(due)
            index = self._highest(tasks)
        return index

    def _highest(self, tasks: Sequence[object]) -> int:
        return max(range(len(tasks)), key=lambda index: self._priority(tasks[index]))

    def _priority(self, task: object) -> float:
        """Return the priority of *task*, drawn when it is first seen."""
        if task not in self._priorities:
            self._priorities[task] = self._rng.random()
        return self._priorities[task]

    def _count(self, first: object) -> None:
        """Count for how long the task at the front has been there."""
        self._nr_overtaken = self._nr_overtaken + 1 if first is self._first else 0
        self._first = first
