"""
Calling what users plug into schemes: actions and metrics of their own.

They may be plain or async, slow, hung or broken. Each call runs under a
deadline, and whatever goes wrong becomes an answer; only a kdamond that ends
while one runs cancels it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from dataclasses import dataclass

import anyio
from structlog.typing import FilteringBoundLogger

from ..operations.requests import (
    ActionRequest,
    Answer,
    Applied,
    Measured,
    Request,
    applied_by_user,
    measured,
)
from ..params.keywords import word_or_name
from .alarms import Alarm
from .clock import Clock

DEADLINE_US = 1_000_000
"""How long a function of the user may take unless told otherwise: a second."""


@dataclass(frozen=True, slots=True)
class UserFunctions:
    """
    Calls functions of the user on behalf of one kdamond.

    Attributes:
        clock: Measures how long they take. While one waits for this clock, time
            passes; while it waits for anything else, virtual time stands still.

        alarm: The kdamond's. It sleeps on it meanwhile, so that a stop is heard.

        log: Where failures are reported.

        deadline_us: After how long a call is cancelled, in microseconds of the
            clock, and in real time as well.
    """

    clock: Clock
    alarm: Alarm
    log: FilteringBoundLogger
    deadline_us: int = DEADLINE_US

    async def answer(self, request: Request) -> Answer:
        """
        Call the function that *request* names, and read what it returns.

        Returns:
            What an action did and what a metric measured; if it failed or took
            too long, that nothing was done or known.
        """
        began_us = self.clock.now_us()
        try:
            result = await self._call(request)
        except Exception as error:  # noqa: BLE001 - it may harm nobody but its own scheme
            self._report(request, repr(error))
            result, has_failed = None, True
        else:
            has_failed = False
        elapsed_ns = max(0, self.clock.now_us() - began_us) * 1000
        if isinstance(request, ActionRequest):
            if has_failed:
                return Applied.nothing(request, elapsed_ns=elapsed_ns, has_failed=True)
            return applied_by_user(request, result, elapsed_ns)
        return Measured(None) if has_failed else measured(result)

    async def _call(self, request: Request) -> object:
        """
        Call it, and wait for it if it is async.

        Raises:
            TimeoutError: If it took too long.

            Exception: Whatever it raised.
        """
        if isinstance(request, ActionRequest):
            result = request.action(request)  # type: ignore[operator] # built-in ones come not here
        else:
            result = request.metric(request.now_us)
        if not inspect.isawaitable(result):
            return result
        return await self._wait_for(result)

    async def _wait_for(self, result: Awaitable[object]) -> object:
        """
        Wait for what an async function returns.

        Raises:
            TimeoutError: If it took too long, or the kdamond is to end.

            Exception: Whatever it raised.
        """
        deadline_us = self.clock.now_us() + self.deadline_us
        with anyio.move_on_after(self.deadline_us / 1e6) as scope:
            # Time passes only while the function waits for it: the hold is taken
            # before the kdamond goes to sleep.
            with self.clock.hold("a function of the user"):
                # Rung by a stop, gone off at the deadline: both end the call.
                waiter = self.clock.set_alarm(self.alarm, deadline_us)
                waiter.add_done_callback(lambda _: scope.cancel())
                try:
                    return await result
                finally:
                    waiter.cancel()
                    self.clock.take_back(self.alarm)
        is_late = self.clock.now_us() >= deadline_us or scope.deadline <= anyio.current_time()
        msg = f"it took longer than {self.deadline_us} us" if is_late else "the kdamond is to end"
        raise TimeoutError(msg)

    def _report(self, request: Request, error: str) -> None:
        """Log that a function failed."""
        is_action = isinstance(request, ActionRequest)
        function = request.action if isinstance(request, ActionRequest) else request.metric
        self.log.warning(
            "a function of the user failed",
            scheme=request.scheme_idx,
            kind="action" if is_action else "metric",
            function=word_or_name(function),
            error=error,
        )
