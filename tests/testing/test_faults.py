"""The injectors do what they say, each on its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from damon_async.engine.virtual_clock import VirtualClock
from damon_async.operations.base import Operations
from damon_async.operations.requests import Acting, ActionRequest
from damon_async.params.keywords import Action
from damon_async.params.monitoring import Context, Target
from damon_async.stress.slab import SLAB, Slab, quiet_damon, slab
from damon_async.testing.faults import (
    InjectedError,
    JumpingTime,
    Trouble,
    Troubled,
    bad_action,
    bad_metric,
    bad_subscriber,
    failing,
)
from damon_async.testing.seeded import SeededLoop


class Counter:
    """Something with a method."""

    def add(self, a: int, *, b: int = 0) -> int:
        return a + b


def test_failing() -> None:
    """One call of a method fails, the ones before and after it do not."""
    counter = Counter()
    with failing(Counter, "add", InjectedError("no"), at=2) as calls:
        assert counter.add(1) == 1
        with pytest.raises(InjectedError, match="no"):
            counter.add(2)
        assert counter.add(3, b=1) == 4
        assert calls == [3]
    assert counter.add(1) == 1
    assert calls == [3]


def test_failing_when() -> None:
    """Calls that do not count do not fail."""
    counter = Counter()
    with failing(Counter, "add", InjectedError, when=lambda _, a, **__: a > 5) as calls:
        assert [counter.add(nr) for nr in range(6)] == list(range(6))
        with pytest.raises(InjectedError, match=r"^$"):
            counter.add(6)
    assert calls == [1]


def request() -> ActionRequest:
    """Return a request for two pages."""
    ranges = np.array([[0, 4096], [8192, 12288]])
    zeros = np.zeros(2, np.int64)
    none = np.zeros(2, np.bool_)
    return ActionRequest(0, Action.STAT, 0, ranges, zeros, zeros, (), none, None, (), 0)


@pytest.mark.parametrize("where", ["prepare", "check", "apply"])
def test_trouble(where: str) -> None:
    """An operations set in trouble raises at its moment, once, and works at all others."""
    trouble = Trouble(where, 2)
    memory = Troubled(Slab(end_us=7), trouble)
    assert isinstance(memory, Operations)
    assert isinstance(memory, Acting)
    target, addresses, now = Target(pid=1), np.array([[1 << 24]]), np.array([[0]])
    assert (memory.is_pure(target), memory.lifetime_us(target)) == (True, 7)
    assert memory.ends_with_targets
    asks: dict[str, Callable[[], object]] = {
        "prepare": lambda: memory.ranges(target, 0, 4096),
        "check": lambda: memory.accessed(target, addresses, now, now),
        "apply": lambda: memory.apply(target, request()),
    }
    for ask in asks.values():
        assert ask() is not None
    with pytest.raises(InjectedError, match=f"{where} goes wrong"):
        asks[where]()
    for ask in asks.values():
        ask()
    assert str(trouble.error) == f"{where} goes wrong"


def test_set_that_cannot_act() -> None:
    """Around a set that cannot act, the action does nothing."""

    class Plain:
        """Has nothing that is called."""

    memory = Troubled(Plain(), lambda _: None)  # type: ignore[arg-type] # nothing is asked of it
    assert memory.apply(Target(), request()).applied.tolist() == [0, 0]


def test_slab() -> None:
    """Memory of a target lies where its number says, and its first quarter is hot."""
    memory = Slab()
    ranges = memory.ranges(Target(pid=2), 0, 4096)
    assert ranges is not None
    assert ranges.tolist() == [[2 << 24, (2 << 24) + SLAB]]
    at = np.array([[2 << 24, (2 << 24) + SLAB // 2]])
    assert memory.accessed(Target(pid=2), at, at, at).tolist() == [[True, False]]
    assert len(slab(nr_targets=3).targets) == 3
    assert isinstance(slab(min_region_sz=8192), Context)


async def test_bad_action() -> None:
    """An action goes wrong in each of its ways, and some of the time not at all."""
    clock, seen = VirtualClock(), set[str]()
    act = bad_action(Random(1), clock)
    for _ in range(200):
        try:
            async with asyncio.timeout(0):
                answer = await act(request())
        except InjectedError as error:
            seen.add(str(error))
        except TimeoutError:
            seen.add("hangs")
        else:
            total = sum(answer.tolist()) if isinstance(answer, np.ndarray) else answer
            seen.add(str(total))
    assert seen == {
        "the action goes wrong",
        "the action goes wrong at once",
        "hangs",
        "nonsense",
        "4096",
        "8192",
        "24576",
    }


def test_bad_metric() -> None:
    """A metric measures NaN and other things that are no use, and raises."""
    measure = bad_metric(Random(1))
    seen: list[object] = []
    for _ in range(200):
        try:
            seen.append(measure(5))
        except InjectedError as error:
            seen.append(str(error))
    assert {5, None, "nonsense", math.inf, -math.inf, "the metric goes wrong"} <= set(seen)
    assert any(isinstance(each, float) and math.isnan(each) for each in seen)


def test_jumping_time() -> None:
    """Time jumps both ways, no farther than it may."""
    time = JumpingTime(Random(1), lambda: 0, 1000, every=2)
    looks = [time() for _ in range(200)]
    steps = [after - before for before, after in pairwise(looks)]
    assert min(steps) < 0 < max(steps)
    assert max(map(abs, steps)) <= 1000
    assert steps.count(0) > 50


def test_bad_subscriber() -> None:
    """A subscriber never reads, reads slowly, gives up or raises; the kdamond runs on."""

    async def run(seed: int) -> str:
        async with quiet_damon() as damon:
            [kdamond] = await damon.start([slab()])
            reader = asyncio.create_task(bad_subscriber(Random(seed), kdamond, damon.clock))
            await damon.clock.sleep(1)
            assert kdamond.is_running
            await damon.stop([kdamond])
            await asyncio.wait([reader])
            return repr(reader.exception())

    ends = set()
    for seed in range(20):
        loop = SeededLoop(seed)
        ends.add(loop.run_until_complete(run(seed)))
        loop.close()
    assert ends == {"None", "InjectedError('the subscriber goes wrong')"}
