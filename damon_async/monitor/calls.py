"""Requests that a monitor carries out at its next tick."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, TypeVar, cast

from ..errors import CanceledError, InvalidError

Result = TypeVar("Result")


class CallState(Enum):
    """Where a call stands."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


class Call(Generic[Result]):
    """
    A function to be run by the monitor, between merging and schemes.

    Args:
        fn: Called with the monitor.

        repeat: Run it at every tick until the monitor ends, instead of once.

        since_us: When it was made; ticks that ended before are over.

    Attributes:
        state: What became of it; a repeated call stays pending until the end.

    Source:
        spec core 4.6.
    """

    __slots__ = ("_callbacks", "_exception", "_result", "fn", "repeat", "since_us", "state")

    def __init__(
        self, fn: Callable[[Any], Result], *, repeat: bool = False, since_us: int = 0
    ) -> None:
        self.fn = fn
        self.repeat = repeat
        self.since_us = since_us
        self.state = CallState.PENDING
        self._result: Result | None = None
        self._exception: BaseException | None = None
        self._callbacks: list[Callable[[Call[Result]], None]] = []

    def __repr__(self) -> str:
        """Say what is called and where it stands."""
        name = getattr(self.fn, "__qualname__", repr(self.fn))
        return f"<Call {name} {self.state.value}>"

    @property
    def done(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state is not CallState.PENDING

    @property
    def canceled(self) -> bool:
        """Whether the monitor ended before it was this call's turn."""
        return self.state is CallState.CANCELED

    def result(self) -> Result:
        """
        Return what the function returned.

        Raises:
            InvalidError: If it is not done; a repeated call never returns anything.

            CanceledError: If the monitor ended first.

            Exception: Whatever the function raised.
        """
        if not self.done:
            raise InvalidError(f"{self!r} has no result yet")
        if self._exception is not None:
            raise self._exception
        # Done and not failed: the function returned this, even if it is None.
        return cast("Result", self._result)

    def exception(self) -> BaseException | None:
        """Return what ``result`` would raise, None if nothing."""
        return self._exception

    def add_done_callback(self, callback: Callable[[Call[Result]], None]) -> None:
        """Have *callback* called with this call when it is done, at once if it is."""
        if self.done:
            callback(self)
        else:
            self._callbacks.append(callback)

    def run(self, monitor: object) -> None:
        """Run the function once unless done; an exception is kept for whoever asks."""
        # Whoever waited may have given up since it was queued.
        if self.done:
            return
        try:
            self._result = self.fn(monitor)
        except Exception as error:  # noqa: BLE001 - the caller's fault is the caller's to see
            self._exception = error
            self._finish(CallState.FAILED)
        else:
            if not self.repeat:
                self._finish(CallState.DONE)

    def cancel(self) -> None:
        """Give up on it; whoever waits gets ``CanceledError``."""
        if not self.done:
            self._exception = CanceledError(repr(self), "the kdamond ended")
            self._finish(CallState.CANCELED)

    def _finish(self, state: CallState) -> None:
        """Settle the state and tell those who wait, unless the function did by itself."""
        # A function that ends the monitor cancels the call it is run by.
        if self.done:
            return
        self.state = state
        # Let go of them first: they may hold on to what waits for this call.
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)


class CallQueue:
    """The calls that a monitor has yet to carry out, in the order they were made."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: list[Call[Any]] = []

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._calls)

    @property
    def first_us(self) -> int | None:
        """When the earliest one was made, in microseconds; None if there is none."""
        return min((call.since_us for call in self._calls), default=None)

    def add(self, call: Call[Any]) -> None:
        """Append a call."""
        self._calls.append(call)

    def run(self, monitor: object, now_us: int) -> None:
        """Run every call made until *now_us* once; repeated ones stay."""
        if not self._calls:
            return
        # A copy: calls made by calls wait for the next tick.
        for call in list(self._calls):
            if call.since_us <= now_us:
                call.run(monitor)
        self._calls = [call for call in self._calls if not call.done]

    def cancel(self) -> None:
        """Give up on all of them."""
        calls, self._calls = self._calls, []
        for call in calls:
            call.cancel()
