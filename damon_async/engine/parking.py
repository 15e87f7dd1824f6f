"""
The event loop's own primitives, for the hot paths of this room.

Whatever is asyncio's stands in this one file: a waiter costs a sixth of anyio's
event, and gate, clocks and subscriptions are made of waiters. For trio another
version of these functions would do; all else in the room is anyio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeAlias

Waiter: TypeAlias = "asyncio.Future[None]"
"""What one task waits on, once. Cancelling the task cancels it at the same instant."""

Loop: TypeAlias = asyncio.AbstractEventLoop
"""The event loop: what calls things soon or later."""

Timer: TypeAlias = asyncio.TimerHandle
"""Something the loop will call later, unless it is cancelled."""

Task: TypeAlias = "asyncio.Task[object]"
"""What runs a coroutine."""

AlreadySettled = asyncio.InvalidStateError
"""Raised by ``Waiter.set_result`` if it was woken or cancelled before."""


def running_loop() -> Loop:
    """
    Return the loop this runs in.

    Raises:
        RuntimeError: If it runs in none.
    """
    return asyncio.get_running_loop()


def running_loop_or_none() -> Loop | None:
    """Return the loop this runs in, None outside of any."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def start_task(coroutine: Coroutine[Any, Any, object], name: str) -> Task:
    """Return a new task that runs *coroutine*, and belongs to nobody yet."""
    return asyncio.create_task(coroutine, name=name)


def new_waiter() -> Waiter:
    """Return something for the current task to wait on."""
    return asyncio.get_running_loop().create_future()


def wake(waiter: Waiter) -> None:
    """Wake whoever waits on *waiter*; nothing happens if it was woken or cancelled."""
    if not waiter.done():
        waiter.set_result(None)


def current_task() -> Task | None:
    """Return the task this runs in, None outside of any."""
    return asyncio.current_task() if running_loop_or_none() else None
