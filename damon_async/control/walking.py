"""Waiting for one round of all schemes of a running kdamond."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from ..engine.clock import Clock
from ..engine.holding import TimePasses
from ..engine.kdamond import Kdamond
from ..schemes.tried import Tried, Walk


async def walked(kdamond: Kdamond, clock: Clock, visit: Callable[[Tried], object]) -> None:
    """
    Have *visit* called with all regions that an action is tried on, for one round.

    Cancelled, the walk is given up.

    Args:
        kdamond: Has the schemes.

        clock: By which it runs.

        visit: Plain code, called as it happens.

    Raises:
        CanceledError: If the kdamond has ended or ends first, if it has no
            schemes, or if all of them are asleep.

        BusyError: If another walk is under way.

        Exception: Whatever *visit* raised.

    Source:
        spec core 4.6.
    """
    ended = anyio.Event()

    def when_ended(_: Walk) -> None:
        # Whoever waits goes on at the instant of the end.
        clock.settle()
        ended.set()

    walk = await kdamond.call(lambda monitor: monitor.schemes.walk(visit, when_ended))
    try:
        with TimePasses():
            await ended.wait()
    finally:
        walk.cancel("nobody waits for it any more")
    error = walk.exception()
    if error is not None:
        raise error
