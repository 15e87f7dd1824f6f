"""
Things that go wrong, to be put into a program that should survive them.

Each is a small object of its own, takes its choices from a generator that is
handed in, and can be combined with any other.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

import numpy as np

from ..arrays import BoolArray, IntArray
from ..engine.clock import Clock
from ..engine.kdamond import Kdamond
from ..operations.base import Operations
from ..operations.requests import Acting, ActionRequest, Applied
from ..params.monitoring import Target

Result = TypeVar("Result")


class InjectedError(RuntimeError):
    """What goes wrong because somebody wanted it to."""


@contextmanager
def failing(
    owner: Any,
    name: str,
    error: BaseException | type[BaseException],
    *,
    at: int = 1,
    when: Callable[..., bool] | None = None,
) -> Iterator[list[int]]:
    """
    Have one call of a function or method fail, for the length of a block.

    Args:
        owner: A class, module or object.

        name: Its function or method.

        error: What is raised instead.

        at: Which call fails, from 1.

        when: Which calls count; told their arguments. All if not given.

    Yields:
        A list with how many calls there were.
    """
    # From the dictionary: a method found otherwise may be bound, or inherited.
    real, calls = vars(owner)[name], [0]

    def maybe(*args: Any, **options: Any) -> Any:
        if when is None or when(*args, **options):
            calls[0] += 1
            if calls[0] == at:
                raise error
        return real(*args, **options)

    setattr(owner, name, maybe)
    try:
        yield calls
    finally:
        setattr(owner, name, real)


class Trouble:
    """
    Raises at one of the moments at which an operations set is asked.

    Args:
        where: "prepare", "check" or "apply".

        at: At which time of that kind, from 1.

    Attributes:
        error: What it raised; None as long as it did not.
    """

    def __init__(self, where: str, at: int) -> None:
        self.error: InjectedError | None = None
        self._where = where
        self._nr_left = at

    def __call__(self, where: str) -> None:
        """Raise, if it is time."""
        self._nr_left -= where == self._where
        # Once only, so that what comes after the failure can be seen as well.
        if self._nr_left == 0 and self.error is None:
            self.error = InjectedError(f"{where} goes wrong")
            raise self.error


class Troubled:
    """
    An operations set around another one.

    Args:
        inner: The real one.

        trouble: Called with "prepare", "check" or "apply" before each; may raise.
    """

    def __init__(self, inner: Operations, trouble: Callable[[str], object]) -> None:
        self._inner = inner
        self._trouble = trouble

    @property
    def ends_with_targets(self) -> bool:
        """Whether monitoring is over once every target has vanished."""
        return self._inner.ends_with_targets

    def is_pure(self, target: Target) -> bool:
        """Whether answers depend on the arguments alone."""
        return self._inner.is_pure(target)

    def lifetime_us(self, target: Target) -> int | None:
        """Return when *target* vanishes."""
        return self._inner.lifetime_us(target)

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray | None:
        """Say what should be monitored, unless there is trouble."""
        self._trouble("prepare")
        return self._inner.ranges(target, now_us, min_region_sz)

    def accessed(
        self, target: Target, addresses: IntArray, since_us: IntArray, until_us: IntArray
    ) -> BoolArray:
        """Tell what was touched, unless there is trouble."""
        self._trouble("check")
        return self._inner.accessed(target, addresses, since_us, until_us)

    def apply(self, target: Target, request: ActionRequest) -> Applied:
        """Carry an action out, unless there is trouble."""
        self._trouble("apply")
        if isinstance(self._inner, Acting):
            return self._inner.apply(target, request)
        return Applied.nothing(request)


def bad_action(rng: Random, clock: Clock) -> Callable[[ActionRequest], Any]:
    """Return an action of a user that raises, hangs, or returns short or nonsense; or is fine."""

    async def act(request: ActionRequest) -> object:
        sizes: IntArray = request.sizes
        choice = rng.randrange(8)
        # After it was awaited: a coroutine that fails is not a call that fails.
        if choice == 0:
            raise InjectedError("the action goes wrong")
        if choice == 1:
            # For nothing at all: virtual time stands still, and real time runs out.
            await asyncio.Event().wait()
        if choice == 2:
            # For time to pass, sometimes for longer than is permitted.
            await clock.sleep(rng.random() * 2)
        # Half, too few numbers, too much, no number at all; and what it should be.
        answers: list[object] = [sizes // 2, sizes[:-1], sizes * 3, "nonsense", sizes]
        return answers[max(0, choice - 3)]

    def act_at_once(request: ActionRequest) -> Awaitable[object] | object:
        # Plain code may go wrong as well, before there is anything to wait for.
        if rng.random() < 0.1:
            raise InjectedError("the action goes wrong at once")
        return act(request)

    return act_at_once


def bad_metric(rng: Random) -> Callable[[int], object]:
    """Return a metric of a user that measures NaN, infinity, nonsense; or raises, or is fine."""

    def measure(now_us: int) -> object:
        # What people's own code returns when it divides by what is not there yet.
        values = (math.nan, math.inf, -math.inf, -1, 2**70, "nonsense", None, np.nan, now_us)
        choice = rng.randrange(len(values) + 1)
        if choice == len(values):
            raise InjectedError("the metric goes wrong")
        return values[choice]

    return measure


class JumpingTime:
    """
    A source of real time that jumps both ways, for ``RealClock(monotonic_ns=...)``.

    Args:
        rng: Says when and how far.

        monotonic_ns: The real source.

        most_ns: The longest jump, in nanoseconds.

        every: About every so many looks at the time it jumps.
    """

    def __init__(
        self, rng: Random, monotonic_ns: Callable[[], int], most_ns: int, every: int = 8
    ) -> None:
        self._rng = rng
        self._monotonic_ns = monotonic_ns
        self._most_ns = most_ns
        self._every = every
        self._offset_ns = 0

    def __call__(self) -> int:
        """Return the time, in nanoseconds."""
        # At a look and not at an instant: between looks nobody can tell.
        if self._rng.randrange(self._every) == 0:
            self._offset_ns += self._rng.randint(-self._most_ns, self._most_ns)
        return self._monotonic_ns() + self._offset_ns


async def bad_subscriber(rng: Random, kdamond: Kdamond, clock: Clock) -> None:
    """Subscribe, then read slowly, give up, raise, or never read at all; ends by itself."""
    lossless = rng.random() < 0.5
    choice = rng.randrange(4)
    # Subscribed in any case, so that time may be held for it.
    snapshots = kdamond.snapshots(lossless=lossless)
    if choice == 0:
        # Never read, and dropped without being closed.
        return
    async for _ in snapshots:
        if choice == 1:
            await clock.sleep(rng.random())
        elif choice == 2:
            break
        elif rng.random() < 0.5:
            raise InjectedError("the subscriber goes wrong")
