"""A task group that one task may open and another one close."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import CORO_CREATED, getcoroutinestate
from typing import Any

import anyio
from anyio.abc import TaskGroup

from ..errors import CanceledError, InvalidError
from .parking import Task, new_waiter, start_task, wake


class Crew:
    """
    The tasks of an engine: one anyio task group in a task of its own.

    anyio wants a group to be closed by the task that opened it. Test fixtures and
    exit stacks cannot promise that, so the group lives in a task that does.
    """

    def __init__(self) -> None:
        self._host: Task | None = None
        self._group: TaskGroup | None = None
        self._opened = anyio.Event()
        self._closing = anyio.Event()
        self._new: list[Coroutine[Any, Any, None]] = []

    @property
    def is_open(self) -> bool:
        """Whether tasks can be started."""
        # The host may be gone without having been asked: cancelled, as all tasks are
        # when a loop shuts down.
        is_alive = self._host is not None and not self._host.done()
        return is_alive and self._group is not None and not self._closing.is_set()

    async def open(self) -> None:
        """
        Open the group; once. Cancelled, it leaves nothing behind.

        Raises:
            InvalidError: If it was opened before.
        """
        if self._host is not None:
            msg = "a Damon scope can be entered once; make a new one"
            raise InvalidError(msg)
        self._host = start_task(self._run(), name="damon")
        try:
            await self._opened.wait()
        # Whoever was cancelled here never comes to close it.
        except BaseException:
            await self.close()
            raise

    def start_soon(self, function: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """
        Start a task that calls *function*.

        Raises:
            InvalidError: If the group has not been opened.

            CanceledError: If it is closed or closing.
        """
        self.check_open()
        if self._group is not None:
            coroutine = function()
            # Those that have begun are the group's alone.
            self._new = [each for each in self._new if getcoroutinestate(each) == CORO_CREATED]
            self._new.append(coroutine)
            self._group.start_soon(lambda: coroutine, name=name)

    def check_open(self) -> None:
        """Refuse, as ``start_soon`` does, if no task can be started."""
        if self._host is None:
            msg = "contexts start inside the scope: async with Damon(...) as damon"
            raise InvalidError(msg)
        if not self.is_open:
            raise CanceledError("the start", "the Damon scope has ended")

    async def close(self) -> None:
        """
        Wait until all tasks have ended, whatever happens meanwhile.

        Cancelled, it cancels them, and waits on: they end without waiting.
        """
        self._closing.set()
        if self._host is None:
            return
        try:
            await _ended(self._host)
        except BaseException:
            # Whoever is in such a hurry shall not wait for tasks that wait.
            self._host.cancel()
            # Again, and if need be again: nobody may find the scope over before it is.
            await self.close()
            raise

    async def _run(self) -> None:
        """Be the task in which the group lives."""
        try:
            async with anyio.create_task_group() as self._group:
                self._opened.set()
                # The group itself waits for its tasks; this only keeps it open for more.
                await self._closing.wait()
        finally:
            # A task that is cancelled before its first turn never has one, as when a
            # program is interrupted. Python would complain that nobody awaited it.
            for coroutine in self._new:
                coroutine.close()


async def _ended(task: Task) -> None:
    """Wait until *task* is done, in spite of anyio scopes; it is never cancelled by this."""
    if task.done():
        return
    waiter = new_waiter()

    def wake_me(_: Task) -> None:
        wake(waiter)

    # Awaiting the task itself would cancel it when the waiter is cancelled.
    task.add_done_callback(wake_me)
    try:
        with anyio.CancelScope(shield=True):
            await waiter
    finally:
        task.remove_done_callback(wake_me)
