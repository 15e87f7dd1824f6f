"""
Cancel a coroutine at its first await, at its second, and so on through all of them.

What a coroutine leaves behind if it is cancelled depends on where it was. There
are few such places, so all of them can be tried: ``sweep`` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from enum import Enum
from itertools import count
from typing import Any, Final, NamedTuple, TypeVar

import anyio

Setting = TypeVar("Setting")

TURNS: Final = 30
"""Turns of the loop after which everything that was woken has come to rest."""


class Means(Enum):
    """How a coroutine is cancelled."""

    TASK = "natively, before what it waits for has happened"
    LATE = "natively, after it happened, before the task runs again"
    SCOPE = "through an anyio scope"


class Cut(NamedTuple):
    """What came of a coroutine that was to be cancelled."""

    was_cancelled: bool
    """Whether it came to the await in question."""

    has_completed: bool
    """Whether it returned all the same; it may have been cancelled too late."""

    error: BaseException | None = None
    """What it raised; None also if a scope caught its own cancellation."""


class SweepError(AssertionError):
    """A coroutine that was cancelled left something behind, or raised something else."""


class _Driver:
    """Awaits a coroutine, and has its task cancelled at some of the awaits."""

    def __init__(self, coroutine: Coroutine[Any, Any, object], nr: int, means: Means) -> None:
        self.coroutine = coroutine
        self.first = nr
        self.means = means
        # One per cancellation: a scope can be cancelled once.
        self.scopes: list[anyio.CancelScope] = []
        self.nr_left = 0
        self.was_cancelled = False

    def __await__(self) -> Generator[Any, Any, object]:
        awaits = self.coroutine.__await__()
        nr = 0
        try:
            future = awaits.send(None)
            while True:
                nr += 1
                if nr >= self.first and self.nr_left:
                    self._cancel(future)
                # Everything goes through unchanged, or the task would not know its own awaits.
                try:
                    answer = yield future
                except BaseException as error:  # noqa: BLE001 - handed on to the coroutine
                    future = awaits.throw(error)
                else:
                    future = awaits.send(answer)
        except StopIteration as end:
            return end.value

    def _cancel(self, future: asyncio.Future[object] | None) -> None:
        self.nr_left -= 1
        self.was_cancelled = True
        task = asyncio.current_task()
        if self.means is Means.SCOPE:
            self.scopes[self.nr_left].cancel()
        elif task is not None:
            if self.means is Means.LATE and future is not None:
                # Called before the task's own callback, which is added after this one.
                future.add_done_callback(lambda _: task.cancel())
            else:
                task.cancel()


async def cancelled_at(
    coroutine: Coroutine[Any, Any, object], nr: int, means: Means = Means.TASK, times: int = 1
) -> Cut:
    """
    Run *coroutine* in a task of its own, and cancel that at an await.

    Args:
        coroutine: What is cut short.

        nr: At which of its awaits, from 1.

        means: How.

        times: How many awaits in a row: whoever cleans up may be cancelled
            again while it waits.
    """
    driver = _Driver(coroutine, nr, means)
    driver.nr_left = times
    driver.scopes = [anyio.CancelScope() for _ in range(times)]
    has_completed = False

    async def run() -> None:
        nonlocal has_completed
        with ExitStack() as stack:
            for scope in driver.scopes:
                stack.enter_context(scope)
            await driver
            has_completed = True

    # In a task of its own, or the sweep itself would be cancelled.
    task = asyncio.ensure_future(run())
    await asyncio.wait([task])
    # Taken out in either case: what nobody retrieves is complained about.
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    return Cut(driver.was_cancelled, has_completed, error)


async def sweep(
    setting: Callable[[], AbstractAsyncContextManager[Setting]],
    request: Callable[[Setting], Coroutine[Any, Any, object]],
    check: Callable[[Setting, Cut], object] | None = None,
    *,
    means: Sequence[Means] = tuple(Means),
    times: Sequence[int] = (1, 2),
    allowed: tuple[type[Exception], ...] = (),
) -> int:
    """
    Cancel a coroutine at each of its awaits, by each means, once and twice.

    Args:
        setting: Opens what the coroutine works with; anew for each cancellation.

        request: Returns the coroutine.

        check: Called inside the setting when all has come to rest, with what came
            of the coroutine; raises if something is wrong.

        means: How to cancel.

        times: How often in a row.

        allowed: Exceptions that the coroutine may raise besides being cancelled.

    Returns:
        How many awaits the coroutine has if nobody cancels it.

    Raises:
        SweepError: If a task is left when the setting is closed, or the coroutine
            raises what is not allowed. Notes say where it was cancelled.
    """
    nr_awaits = 0
    for how in means:
        for often in times:
            # Until an await is asked for that it does not come to.
            for nr in count(1):
                try:
                    cut = await _try(setting, request, check, (nr, how, often), allowed)
                except BaseException as error:
                    error.add_note(f"cancelled at await {nr}, {often} times, {how.value}")
                    raise
                if not cut.was_cancelled:
                    nr_awaits = nr - 1
                    break
    return nr_awaits


async def _try(
    setting: Callable[[], AbstractAsyncContextManager[Setting]],
    request: Callable[[Setting], Coroutine[Any, Any, object]],
    check: Callable[[Setting, Cut], object] | None,
    where: tuple[int, Means, int],
    allowed: tuple[type[Exception], ...],
) -> Cut:
    """Cancel once, look, and clean up."""
    # Whoever runs the sweep has tasks as well.
    before = asyncio.all_tasks()
    async with setting() as opened:
        cut = await cancelled_at(request(opened), *where)
        await _rest()
        # A cancellation that comes out is what was asked for.
        if isinstance(cut.error, Exception) and not isinstance(cut.error, allowed):
            raise SweepError(f"it raised {cut.error!r}") from cut.error
        if check is not None:
            check(opened, cut)
    await _rest()
    left = sorted(task.get_name() for task in asyncio.all_tasks() - before)
    if left:
        raise SweepError(f"tasks are left: {', '.join(left)}")
    return cut


async def _rest() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
