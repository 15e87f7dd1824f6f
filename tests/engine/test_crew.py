from __future__ import annotations

import asyncio
import gc
import warnings

import anyio
import pytest

from damon_async.engine.crew import Crew
from damon_async.errors import CanceledError, InvalidError
from damon_async.testing.sweeps import Means, cancelled_at

from .worlds import turns


class Work:
    """A task that goes on until it is told to stop, or is cancelled."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.ended = False

    async def run(self) -> None:
        try:
            await self.stop.wait()
        finally:
            self.ended = True


async def crew_at(work: Work) -> Crew:
    """Return a crew with one task."""
    crew = Crew()
    await crew.open()
    crew.start_soon(work.run, "work")
    await turns(3)
    return crew


async def test_close_waits_for_the_tasks() -> None:
    """Closing returns when the last task has ended, and not before."""
    work = Work()
    crew = await crew_at(work)
    closing = asyncio.create_task(crew.close())
    await turns()
    assert not closing.done()
    assert not crew.is_open
    work.stop.set()
    await closing
    assert work.ended


async def test_life_of_a_crew() -> None:
    """Tasks start while the crew is open, neither before nor after."""
    crew = Crew()
    work = Work()
    with pytest.raises(InvalidError, match="contexts start inside the scope"):
        crew.start_soon(work.run, "early")
    await crew.open()
    crew.check_open()
    await crew.close()
    with pytest.raises(CanceledError, match="the Damon scope has ended"):
        crew.start_soon(work.run, "late")
    with pytest.raises(InvalidError, match="can be entered once"):
        await crew.open()


async def test_cancelled_close_cancels_the_tasks() -> None:
    """If closing is cancelled, the tasks are too, and none is left when it is over."""
    work = Work()
    crew = await crew_at(work)
    closing = asyncio.create_task(crew.close())
    await turns(3)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError, match=r"^$"):
        await closing
    assert work.ended
    assert len(asyncio.all_tasks()) == 1


async def test_close_in_a_cancelled_scope_waits() -> None:
    """In an anyio scope that is cancelled, closing waits for the tasks all the same."""
    work = Work()
    crew = await crew_at(work)
    with anyio.CancelScope() as scope:
        scope.cancel()
        asyncio.get_running_loop().call_soon(work.stop.set)
        await crew.close()
        assert work.ended


async def test_cancelled_open_leaves_nothing() -> None:
    """If opening is cancelled, no task is left."""
    for when in Means:
        crew = Crew()
        outcome = await cancelled_at(crew.open(), 1, when)
        assert outcome.was_cancelled
        if outcome.has_completed:
            await crew.close()
        await turns(3)
        assert len(asyncio.all_tasks()) == 1


async def test_tasks_without_a_turn() -> None:
    """A task that is cancelled before its first turn is not complained about."""
    work = Work()
    crew = await crew_at(work)
    crew.start_soon(work.run, "late")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await crew.close()
        del crew, task
        gc.collect()
    assert [str(each.message) for each in caught] == []
