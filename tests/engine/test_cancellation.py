"""Every await of every request is cut short, in three ways; the gate is always returned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeAlias

import pytest

from damon_async.engine.engine import Admission, Damon
from damon_async.engine.gate import GateStatistics
from damon_async.engine.recorder import Recording
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.testing.sweeps import Cut, Means, cancelled_at

from .worlds import AGGR_US, Memory, endless, turns, watched

Request: TypeAlias = Callable[[Damon], Coroutine[Any, Any, object]]
"""What is cut short, made anew for each await."""

Check: TypeAlias = Callable[[Damon, Cut], object]
"""What must hold afterwards, inside the scope."""

EMPTY = GateStatistics(0, False, 0, 0)

every_way = pytest.mark.parametrize("when", list(Means))
both = pytest.mark.parametrize("admission", list(Admission))


async def sweep(
    prepare: Callable[[Damon], Coroutine[Any, Any, object]],
    request: Request,
    check: Check,
    when: Means,
    admission: Admission = Admission.CLASSIC,
) -> int:
    """
    Cut *request* short at its first await, then at its second, and so on.

    Each time in a new engine that was *prepare*-d, and that must be empty when its
    scope is over.

    Returns:
        How many awaits it has.
    """
    for nr in count(1):
        async with Damon(clock=VirtualClock(), admission=admission) as damon:
            await prepare(damon)
            outcome = await cancelled_at(request(damon), nr, when)
            await turns()
            check(damon, outcome)
        assert damon.gate.statistics() == EMPTY
        assert damon.kdamonds == ()
        assert [task.get_name() for task in asyncio.all_tasks() if "damon" in task.get_name()] == []
        if not outcome.was_cancelled:
            return nr - 1
    raise AssertionError


async def nothing(damon: Damon) -> None:
    """Prepare nothing."""


async def one_runs(damon: Damon) -> None:
    """Have one kdamond run."""
    await damon.start([endless()])


async def one_will_end(damon: Damon) -> None:
    """Have one kdamond run exclusively for a while."""
    await damon.start([watched(Memory(lifetime=AGGR_US))], exclusive=True)


@both
@every_way
async def test_start(when: Means, admission: Admission) -> None:
    """A start cut short at any await leaves nothing running and the gate open."""

    def check(damon: Damon, outcome: Cut) -> None:
        expected = GateStatistics(3, True, 0, 0) if outcome.has_completed else EMPTY
        assert damon.gate.statistics() == expected

    def start(damon: Damon) -> Coroutine[Any, Any, object]:
        return damon.start([endless() for _ in range(3)], exclusive=True)

    assert await sweep(nothing, start, check, when, admission) >= 3


@every_way
async def test_waiting_start(when: Means) -> None:
    """A start that waits for admission and is cut short gives its place in the queue back."""

    def check(damon: Damon, outcome: Cut) -> None:
        now = damon.gate.statistics()
        assert now.nr_waiting == 0
        assert now.nr_running <= 1 or outcome.has_completed

    def start(damon: Damon) -> Coroutine[Any, Any, object]:
        return damon.start([endless(), endless()], wait=True)

    assert await sweep(one_will_end, start, check, when) >= 3


@both
@every_way
async def test_start_that_fails(when: Means, admission: Admission) -> None:
    """A start that fails half-way and is cut short meanwhile returns what it must."""

    def check(damon: Damon, _: Cut) -> None:
        now = damon.gate.statistics()
        assert now.nr_running == len(damon.kdamonds) <= 2
        assert now.running_exclusive == (now.nr_running > 0)

    async def start(damon: Damon) -> None:
        broken = watched(Memory(refuses=ZeroDivisionError()))
        with pytest.raises(ZeroDivisionError, match=r"^$"):
            await damon.start([endless(), endless(), broken, endless()], exclusive=True)

    awaits = await sweep(nothing, start, check, when, admission)
    assert awaits >= 2 if admission is Admission.CLASSIC else awaits == 0


@both
@every_way
async def test_stop(when: Means, admission: Admission) -> None:
    """A stop cut short at any await leaves running what it had not come to, and no more."""

    def check(damon: Damon, outcome: Cut) -> None:
        nr_running = len(damon.kdamonds)
        assert damon.nr_running == nr_running
        assert nr_running == 1 if outcome.was_cancelled and not outcome.has_completed else True

    async def two_run(damon: Damon) -> None:
        await damon.start([endless(), endless()])

    def stop(damon: Damon) -> Coroutine[Any, Any, object]:
        return damon.stop(damon.kdamonds[:1])

    assert await sweep(two_run, stop, check, when, admission) >= 1


@every_way
async def test_commit(when: Means) -> None:
    """A commit cut short is carried out or not, and the kdamond runs on."""

    def check(damon: Damon, _: Cut) -> None:
        [kdamond] = damon.kdamonds
        assert kdamond.is_running
        assert kdamond.context.intervals.aggr_us in {AGGR_US, 2 * AGGR_US}

    def commit(damon: Damon) -> Coroutine[Any, Any, object]:
        context = endless(intervals={"aggr_us": 2 * AGGR_US})
        return damon.commit(damon.kdamonds[0], context)

    assert await sweep(one_runs, commit, check, when) >= 1


@every_way
async def test_pause_and_resume(when: Means) -> None:
    """A pause or resume cut short leaves a kdamond that can still be stopped."""

    async def pause_and_resume(damon: Damon) -> None:
        await damon.kdamonds[0].pause()
        await damon.kdamonds[0].resume()

    def check(damon: Damon, _: Cut) -> None:
        assert damon.nr_running == 1

    assert await sweep(one_runs, pause_and_resume, check, when) >= 2


@pytest.mark.parametrize("lossless", [False, True])
@every_way
async def test_subscription(when: Means, *, lossless: bool) -> None:
    """A reader cut short at any await leaves no subscription behind, and time goes on."""

    async def read(damon: Damon) -> None:
        async with damon.kdamonds[0].snapshots(lossless=lossless) as snapshots:
            for _ in range(3):
                await anext(snapshots)
                await damon.clock.sleep_us(AGGR_US // 2)

    def check(damon: Damon, _: Cut) -> None:
        [kdamond] = damon.kdamonds
        assert kdamond.statistics().nr_subscribers == 0
        assert kdamond.is_running
        assert "held" not in repr(damon.clock)

    assert await sweep(one_runs, read, check, when) >= 6


@every_way
async def test_wait_and_sleep(when: Means) -> None:
    """Waiting and sleeping cut short leave nothing behind."""

    async def wait(damon: Damon) -> None:
        await damon.clock.sleep_us(AGGR_US // 2)
        await damon.kdamonds[0].wait()

    def check(damon: Damon, _: Cut) -> None:
        assert damon.nr_running == len(damon.kdamonds)

    assert await sweep(one_will_end, wait, check, when) >= 2


@every_way
async def test_whole_scope(when: Means) -> None:
    """A scope cut short at any await, entering and leaving included, leaves nothing."""

    async def live(_: Damon) -> None:
        async with Damon(clock=VirtualClock()) as inner:
            await inner.start([endless(), endless()], exclusive=True)
            await inner.clock.sleep_us(AGGR_US)

    def check(_: Damon, __: Cut) -> None:
        assert sum(task.get_name() == "damon" for task in asyncio.all_tasks()) == 1

    assert await sweep(nothing, live, check, when) >= 4


@every_way
async def test_recording(when: Means) -> None:
    """A recording cut short at any await keeps what was published, without a gap."""
    recordings: list[Recording] = []

    async def run(_: Damon) -> None:
        recordings.append(Recording([watched(), watched()], duration_us=2 * AGGR_US, seed=1))
        await recordings[-1].run()

    def check(_: Damon, outcome: Cut) -> None:
        for recorder in recordings[-1].recorders:
            assert not recorder.kdamond.is_running
            nr = len(recorder.snapshots)
            assert nr == recorder.kdamond.statistics().nr_snapshots
            assert nr == 2 or outcome.was_cancelled

    assert await sweep(nothing, run, check, when) >= 5


@both
@pytest.mark.parametrize("times", [2, 3])
async def test_cancelled_again_while_cleaning_up(times: int, admission: Admission) -> None:
    """A request that is cancelled again while it cleans up still returns the gate."""

    async def live(_: Damon) -> None:
        async with Damon(clock=VirtualClock(), admission=admission) as inner:
            inners.append(inner)
            kdamonds = await inner.start([endless(), endless()], exclusive=True)
            await inner.stop(kdamonds[:1])
            await kdamonds[1].call(lambda _: None)

    inners: list[Damon] = []
    for nr in count(1):
        outcome = await cancelled_at(live(Damon()), nr, Means.TASK, times)
        await turns()
        assert all(inner.gate.statistics() == EMPTY for inner in inners)
        assert len(asyncio.all_tasks()) == 1
        if not outcome.was_cancelled:
            break
    assert len(inners) >= 4
