"""
The whole of a kdamond's loop as plain code.

``Monitor.step(now_us)`` does everything that is due and ``next_us`` tells when
to call it again. There is no clock, no task and no await in it: whoever has
those drives it, and a test is a ``for`` loop.

Ticks between two instants at which anything can look or change are one window,
and a window is one array operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from ..arrays import IntArray
from ..errors import CanceledError, InvalidError
from ..operations.base import Operations
from ..operations.events import TraceEvent
from ..operations.metrics import Metrics
from ..operations.requests import Answer, Request
from ..params.monitoring import Context, Target
from ..records.snapshot import Snapshot
from ..regions.table import RegionTable
from ..schemes.schemes import Schemes
from .calls import Call, CallQueue
from .loop import Loop
from .schedule import Schedule
from .state import ContextState

Result = TypeVar("Result")


class Monitor:
    """
    Monitors one context.

    Args:
        context: What to monitor, and how.

        operations: The back end its targets are asked through.

        rng: Where sampling addresses and split points come from. Same generator
            state, same result, to the byte, however the calls to ``step`` fall.

        metrics: The machine that watermarks and goals of schemes ask; None if
            there is none.

        listen: Called with trace events; None if nobody listens.

    Raises:
        InvalidError: If ranges of a target are empty or overlap once rounded,
            or if the operations set cannot use a target.

    Source:
        spec core 4.4 with the recommended behaviour.
        Differs: a sampling interval of 0 lasts 1 us, so that time goes on; a
        target that a commit adds is looked up at once, not at the next update.
    """

    def __init__(
        self,
        context: Context,
        operations: Operations,
        rng: np.random.Generator,
        metrics: Metrics | None = None,
        listen: Callable[[TraceEvent], object] | None = None,
    ) -> None:
        self._state = ContextState(context, operations, rng, metrics)
        self._state.schemes.listen = listen
        self._calls = CallQueue()
        self._loop = Loop(self._state, self._calls, lambda now_us: self._calls.run(self, now_us))

    def __repr__(self) -> str:
        """Say how far it is."""
        state = "ended" if self.ended else "running" if self._state.has_begun else "new"
        tick, now_us = self.schedule.passed, self._state.tick_us
        return f"<Monitor {state} tick {tick} at {now_us} us {self.table!r}>"

    @property
    def context(self) -> Context:
        """The parameters in force; interval tuning and commits change them."""
        return self._state.context

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets being monitored."""
        return self._state.targets

    @property
    def table(self) -> RegionTable:
        """Their regions."""
        return self._state.table

    @property
    def schedule(self) -> Schedule:
        """Tick counters."""
        return self._state.schedule

    @property
    def tick_us(self) -> int:
        """When the running tick began, in microseconds: all before is known."""
        return self._state.tick_us

    @property
    def operations(self) -> Operations:
        """The back end in use."""
        return self._state.operations

    @property
    def ended(self) -> bool:
        """Whether it is over: finished, or every target has vanished."""
        return self._loop.has_ended

    @property
    def is_paused(self) -> bool:
        """Whether monitoring is held up by ``context.pause``."""
        return self._loop.is_paused

    @property
    def is_asleep(self) -> bool:
        """Whether watermarks keep all schemes inactive, and monitoring with them."""
        return self._loop.wake_us is not None

    @property
    def nr_overruns(self) -> int:
        """Ticks skipped because ``step`` came late and the space had forgotten them."""
        return self._loop.nr_overruns

    @property
    def schemes(self) -> Schemes:
        """Its schemes: statistics, charges, and the walk over tried regions."""
        return self._state.schemes

    @property
    def frequencies(self) -> IntArray:
        """
        Access frequency of each region now, in accesses per aggregation interval.

        int64, shape (nr_regions,). Source: spec core 6.1.
        """
        return self._state.frequencies

    # -- Driving it ----------------------------------------------------------

    def begin(self, now_us: int) -> None:
        """
        Start monitoring: find the regions of targets that have none.

        Args:
            now_us: The time, in microseconds; later calls may not go back.

        Raises:
            InvalidError: If it began before.
        """
        if self._state.has_begun:
            msg = f"{self!r} has begun already; make a new one"
            raise InvalidError(msg)
        self._state.begin(now_us)
        self._loop.begin()

    @property
    def request(self) -> Request | None:
        """
        What a function of the user is asked for; None if nothing is.

        Until it is answered, ``step`` does nothing.
        """
        return self._loop.request

    def answer(self, answer: Answer) -> list[Snapshot]:
        """
        Go on with the answer to ``request``.

        Args:
            answer: ``Applied`` to an ``ActionRequest``, ``Measured`` to a
                ``MetricRequest``.

        Returns:
            Snapshots as of ``step``, if an aggregation ended with it.

        Raises:
            InvalidError: If nothing was asked.
        """
        self._loop.answer(answer)
        return self._take_published()

    @property
    def next_us(self) -> int | None:
        """
        When ``step`` has something to do again; None once it has ended.

        Comes closer when a call is made.
        """
        return self._loop.next_us

    def step(self, now_us: int) -> list[Snapshot]:
        """
        Do everything that is due up to *now_us*.

        Args:
            now_us: The time, in microseconds. Coming late is fine: pure spaces
                are asked about the past, for others the missed ticks are
                counted in ``nr_overruns``.

        Returns:
            One snapshot per aggregation that ended, in order.

        Raises:
            InvalidError: If it has not begun.
        """
        if not self._state.has_begun:
            msg = f"{self!r} has not begun: call begin() first"
            raise InvalidError(msg)
        # Late by any number of windows, the rest is done window by window.
        while self._loop.advance(now_us):
            pass
        return self._take_published()

    def finish(self) -> None:
        """
        End it: drop targets and regions, cancel pending calls. Idempotent.

        Source:
            spec core 3.4 step 1.
        """
        self._loop.finish()

    def _take_published(self) -> list[Snapshot]:
        """Return what was published since the last time."""
        published, self._loop.published = self._loop.published, []
        return published

    # -- Requests ------------------------------------------------------------

    def call(
        self, fn: Callable[[Monitor], Result], *, repeat: bool = False, now_us: int = 0
    ) -> Call[Result]:
        """
        Have *fn* called with this monitor at its next tick, after merging.

        Args:
            fn: Plain code; may read anything and may commit.

            repeat: Call it at every tick until the end.

            now_us: The time, in microseconds. A window may be open that began
                long before; it runs when the tick of that instant ends. If left
                out, at the first tick that has not been done.

        Raises:
            CanceledError: If the monitor has ended.

        Source:
            spec core 4.6.
        """
        if self.ended:
            raise CanceledError("the call", "the monitor has ended")
        call = Call(fn, repeat=repeat, since_us=now_us)
        self._calls.add(call)
        return call

    def commit(self, context: Context, operations: Operations | None = None) -> None:
        """
        Replace the parameters; inside a call, or before ``begin``.

        Counters survive where regions do. A failure leaves everything as it was.

        Args:
            context: All parameters, not only those that change.

            operations: Their back end if it is another one.

        Raises:
            ParametersError: If an obsolete target has no counterpart.

            InvalidError: If ranges are empty or overlap once rounded, or if the
                operations set cannot use a target.

        Source:
            spec core 2.7.
        """
        self._state.commit(context, self.operations if operations is None else operations)
