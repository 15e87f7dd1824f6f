"""Starting groups: admission, waiting for it, and what is left of a failure."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from damon_async.engine.engine import Damon, started_before
from damon_async.engine.gate import GateStatistics
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import BusyError, CanceledError, InvalidError

from .worlds import AGGR_US, Memory, endless, over_at_once, turns, watched


async def test_start_outside_the_scope() -> None:
    """Before the scope nothing starts, and after it nothing either."""
    damon = Damon(clock=VirtualClock())
    with pytest.raises(InvalidError, match=r"inside the scope: async with Damon\(...\) as damon"):
        await damon.start([endless()])
    async with damon:
        pass
    with pytest.raises(CanceledError, match="the start was canceled: the Damon scope has ended"):
        await damon.start([endless()])
    assert damon.nr_running == 0
    with pytest.raises(InvalidError, match="a Damon scope can be entered once; make a new one"):
        await damon.__aenter__()


async def test_group_is_a_list_of_contexts() -> None:
    """A context that was not put into a list is refused, and so is anything else in one."""
    async with Damon(clock=VirtualClock()) as damon:
        wrong: Any
        for wrong, message in (
            (endless(), r"a group is a list, also if it is a single Context: \[it\]"),
            ([endless(), "vaddr"], "element 1 of the group is 'vaddr', not a Context"),
        ):
            with pytest.raises(InvalidError, match=message):
                await damon.start(wrong)
        assert damon.nr_running == 0
        [kdamond] = await damon.start([endless()])
        for wrong, message in (
            (kdamond, r"also if it is a single Kdamond or Context: \[it\]"),
            ([kdamond, None], "element 1 of the group is None, not a Kdamond or Context"),
        ):
            with pytest.raises(InvalidError, match=message):
                await damon.stop(wrong)
        assert damon.nr_running == 1


async def test_names_of_groups_admitted_together() -> None:
    """Groups let in at once are numbered by what runs, not by what is about to."""
    async with Damon(clock=VirtualClock()) as damon:
        await damon.start([watched(Memory(lifetime=AGGR_US))], exclusive=True)
        starts = (damon.start([endless(), endless()], wait=True) for _ in range(2))
        first, second = await asyncio.gather(*starts)
        assert [each.name for each in (*first, *second)] == [f"kdamond.{nr}" for nr in range(4)]


async def test_start_that_waits_is_admitted_in_turn() -> None:
    """A waiting exclusive start comes next, and no later request overtakes it."""
    async with Damon(clock=VirtualClock()) as damon:
        [first] = await damon.start([watched(Memory(lifetime=300_000))])
        exclusive = asyncio.create_task(
            damon.start([watched(Memory(lifetime=700_000))], exclusive=True, wait=True)
        )
        await turns(3)
        late = asyncio.create_task(damon.start([endless()], wait=True))
        await turns(3)
        with pytest.raises(BusyError, match="2 earlier requests are waiting"):
            await damon.start([endless()])
        [second] = await exclusive
        assert damon.clock.now_us() == 300_000
        assert (first.is_running, damon.running_exclusive) == (False, True)
        [third] = await late
        assert damon.clock.now_us() == 700_000
        assert (second.is_running, third.name, damon.nr_running) == (False, "kdamond.0", 1)


async def test_start_that_waits_when_the_scope_ends() -> None:
    """A start that still waits when the scope ends is canceled, and holds nothing."""
    async with Damon(clock=VirtualClock()) as damon:
        await damon.start([endless()], exclusive=True)
        waiting = [asyncio.create_task(damon.start([endless()], wait=True)) for _ in range(3)]
        await turns(3)
    for start in waiting:
        with pytest.raises(CanceledError, match="the Damon scope has ended"):
            await start
    assert damon.gate.statistics() == GateStatistics(0, False, 0, 0)


async def test_group_begins_at_one_instant() -> None:
    """All contexts of a group begin at the same virtual instant, however many there are."""
    begun: list[int] = []
    async with Damon(clock=VirtualClock(start_us=77)) as damon:
        for kdamond in await damon.start([endless() for _ in range(20)]):
            kdamond.call_nowait(lambda _: begun.append(damon.clock.now_us()))
        await damon.clock.sleep(1)
    assert begun == [5_077] * 20


async def test_time_is_held_during_a_start() -> None:
    """From admission until the last context of a group has begun, time cannot move."""
    seen: list[bool] = []
    async with Damon(clock=VirtualClock()) as damon:
        memory = Memory(maps=[lambda _: seen.append("held by a start" in repr(damon.clock))])
        await damon.start([watched(memory), watched(memory)])
        assert "held" not in repr(damon.clock)
    assert seen == [True, True]


async def test_failed_start_tells_what_runs() -> None:
    """The error of a start that failed half-way names the kdamonds that keep running."""
    async with Damon(clock=VirtualClock()) as damon:
        context = endless()
        with pytest.raises(BusyError, match="cannot start a context twice") as refusal:
            await damon.start([endless(), context, context])
        running = started_before(refusal.value)
        assert running == damon.kdamonds
        assert refusal.value.__notes__ == ["still running: kdamond.0, kdamond.1"]
        await damon.stop(running)
        assert started_before(OSError()) == ()


async def test_broken_operations_set_is_no_error_of_ours() -> None:
    """An exception of the user's own kind comes out of a start as it is."""
    async with Damon(clock=VirtualClock()) as damon:
        broken = watched(Memory(refuses=ZeroDivisionError("mine")))
        with pytest.raises(ZeroDivisionError, match="mine"):
            await damon.start([endless(), broken, endless()])
        assert damon.nr_running == 1


async def test_context_may_run_again() -> None:
    """A context that has ended can be started again, and begins anew."""
    async with Damon(clock=VirtualClock()) as damon:
        context = over_at_once()
        for _ in range(3):
            [kdamond] = await damon.start([context], exclusive=True)
            await kdamond.wait()
            assert kdamond.error is None


async def test_concurrent_starts() -> None:
    """Of many exclusive starts at the same time exactly one is admitted."""
    async with Damon(clock=VirtualClock()) as damon:
        starts = (damon.start([endless()], exclusive=True) for _ in range(10))
        answers = await asyncio.gather(*starts, return_exceptions=True)
        assert [isinstance(answer, BusyError) for answer in answers] == [False] + [True] * 9
        assert damon.nr_running == 1


async def test_start_after_the_tasks_were_cancelled() -> None:
    """If somebody has cancelled all tasks, kdamonds are gone and none can be started."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        for task in asyncio.all_tasks():
            if task.get_name() == "damon":
                task.cancel()
        await kdamond.wait()
        await turns()
        with pytest.raises(CanceledError, match="the Damon scope has ended"):
            await damon.start([endless()])
        assert damon.nr_running == 0
