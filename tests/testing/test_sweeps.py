"""Sweeps come to every await, by every means, and notice what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from damon_async.testing.sweeps import Cut, Means, SweepError, cancelled_at, sweep

every_way = pytest.mark.parametrize("means", list(Means))


@asynccontextmanager
async def notes() -> AsyncIterator[list[str]]:
    """Open an empty list."""
    yield []


async def three(into: list[str]) -> None:
    """Wait three times."""
    for word in ("one", "two", "three"):
        await asyncio.sleep(0)
        into.append(word)


@every_way
async def test_every_await(means: Means) -> None:
    """Each await is come to once, and then the coroutine runs through."""
    seen: list[list[str]] = []

    def check(into: list[str], cut: Cut) -> None:
        seen.append(into)
        assert cut.was_cancelled == (not cut.has_completed)

    assert await sweep(notes, three, check, means=[means], times=[1]) == 3
    assert seen == [[], ["one"], ["one", "two"], ["one", "two", "three"]]


async def test_every_way() -> None:
    """By default all means are tried, once and twice."""
    cuts: list[Cut] = []
    assert await sweep(notes, three, lambda _, cut: cuts.append(cut)) == 3
    assert len(cuts) == len(Means) * 2 * 4


async def test_no_awaits() -> None:
    """A coroutine without awaits has nothing to sweep."""

    async def nothing(_: list[str]) -> None:
        """Do nothing."""

    assert await sweep(notes, nothing) == 0


@pytest.mark.parametrize("means", [Means.TASK, Means.LATE])
async def test_native_cut(means: Means) -> None:
    """A native cancellation ends the task by CancelledError."""
    cut = await cancelled_at(asyncio.sleep(0.001), 1, means)
    assert (cut.was_cancelled, cut.has_completed) == (True, False)
    assert isinstance(cut.error, asyncio.CancelledError)


async def test_scope_cut() -> None:
    """A scope catches the cancellation that it caused."""
    assert await cancelled_at(anyio.sleep(1), 1, Means.SCOPE) == Cut(True, False)


async def test_late_cut() -> None:
    """A late cancellation finds what the coroutine waited for done."""
    event: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen: list[bool] = []

    async def wait() -> None:
        try:
            await event
        except asyncio.CancelledError:
            seen.append(event.done() and not event.cancelled())
            raise

    # A turn later: it has to be waited for by then.
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, event.set_result, None)
    await cancelled_at(wait(), 1, Means.LATE)
    assert seen == [True]


@every_way
async def test_twice(means: Means) -> None:
    """Cancelled twice, a coroutine is cancelled again at the next await of its cleaning up."""
    ends: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ends.append("begins")
            await asyncio.sleep(0)
            ends.append("is done")

    await cancelled_at(stubborn(), 1, means, times=2)
    assert ends == ["begins"]


async def test_result_of_awaits() -> None:
    """What is awaited gives its result to the coroutine, and what it raises."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def work() -> None:
        assert await asyncio.sleep(0, "x") == "x"
        with pytest.raises(ZeroDivisionError, match=r"^$"):
            await asyncio.ensure_future(fail())

    assert await cancelled_at(work(), 9) == Cut(False, True)


async def test_task_that_is_left() -> None:
    """A task that outlives its setting is named, with where the cancellation was."""
    left: list[asyncio.Task[bool]] = []

    async def leak(_: list[str]) -> None:
        left.append(asyncio.create_task(asyncio.Event().wait(), name="straggler"))
        await asyncio.sleep(0)

    with pytest.raises(SweepError, match="tasks are left: straggler") as raised:
        await sweep(notes, leak)
    assert raised.value.__notes__ == [f"cancelled at await 1, 1 times, {Means.TASK.value}"]
    for task in left:
        task.cancel()


def raising(error: Exception) -> Callable[[list[str]], Coroutine[Any, Any, None]]:
    """Return a request that turns its cancellation into *error*."""

    async def request(_: list[str]) -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            raise error from None

    return request


async def test_other_errors() -> None:
    """An exception instead of the cancellation is told, unless it is allowed."""
    with pytest.raises(SweepError, match="it raised KeyError"):
        await sweep(notes, raising(KeyError("x")), means=[Means.TASK])
    request = raising(KeyError("x"))
    assert await sweep(notes, request, means=[Means.TASK], allowed=(LookupError,)) == 1


async def test_check_that_fails() -> None:
    """What a check raises comes out with where the cancellation was."""

    def check(_: list[str], __: Cut) -> None:
        raise AssertionError("no")

    with pytest.raises(AssertionError, match="no") as raised:
        await sweep(notes, three, check, times=[2])
    assert raised.value.__notes__ == [f"cancelled at await 1, 2 times, {Means.TASK.value}"]
