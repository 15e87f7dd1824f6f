"""Waiting for what a monitor was asked to do."""

from __future__ import annotations

from typing import TypeVar

from ..monitor.calls import Call
from .clock import Clock
from .holding import TimePasses
from .parking import new_waiter, wake

Result = TypeVar("Result")


async def carried_out(call: Call[Result], clock: Clock) -> Result:
    """
    Wait until *call* is done; cancelled before, it is not carried out.

    Args:
        call: Made to a monitor that is being driven.

        clock: By which that is.

    Returns:
        What the function returned.

    Raises:
        CanceledError: If the monitor ended first.

        Exception: Whatever the function raised.
    """
    waiter = new_waiter()

    def wake_caller(_: Call[Result]) -> None:
        # The caller goes on at the instant at which the call was carried out.
        clock.settle()
        wake(waiter)

    call.add_done_callback(wake_caller)
    try:
        # The next tick is still to come, so a caller that holds time must not.
        with TimePasses():
            await waiter
    except BaseException:
        # Nobody wants it any more; the monitor passes over it.
        call.cancel()
        raise
    return call.result()
