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
from typing import Any, TypeVar

import numpy as np

from ..arrays import IntArray
from ..errors import CanceledError, InvalidError
from ..operations.base import Operations
from ..params.monitoring import Context, Target
from ..records.snapshot import Snapshot
from ..regions.rates import frequency
from ..regions.table import RegionTable
from .calls import Call
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

    Attributes:
        nr_overruns: Ticks that were skipped because ``step`` came late and the
            space could not tell any more what happened in them.

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
    ) -> None:
        self.nr_overruns = 0
        self._state = ContextState(context, operations, rng)
        self._calls: list[Call[Any]] = []
        self._has_ended = False
        self._is_paused = False

    def __repr__(self) -> str:
        """Say how far it is."""
        state = "ended" if self._has_ended else "running" if self._state.has_begun else "new"
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
        return self._has_ended

    @property
    def is_paused(self) -> bool:
        """Whether monitoring is held up by ``context.pause``."""
        return self._is_paused

    @property
    def frequencies(self) -> IntArray:
        """
        Access frequency of each region now, in accesses per aggregation interval.

        int64, shape (nr_regions,). Source: spec core 6.1.
        """
        # Computed on demand, so that no tick pays for what nobody reads (P10).
        counts, last = self.table.nr_accesses, self.table.last_nr_accesses
        nr_samples = self.context.intervals.max_nr_accesses
        return frequency(counts, last, self.schedule.nr_ticks_left, nr_samples)

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

    @property
    def next_us(self) -> int | None:
        """
        When ``step`` has something to do again; None once it has ended.

        Comes closer when a call is made.
        """
        if self._has_ended:
            return None
        state = self._state
        end_us = state.end_us
        if end_us is not None and state.tick_us >= end_us:
            return state.tick_us
        if self._is_paused:
            # Nothing but a call ends a pause, so rounds may be long without one.
            pause_us = state.sample_us if self._calls else state.context.intervals.aggr_us
            return state.tick_us + max(1, pause_us)
        return state.tick_us + state.sample_us * self._nr_window_ticks(end_us)

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
        published: list[Snapshot] = []
        # Late by any number of windows, the rest is done window by window.
        while self._advance(now_us, published):
            pass
        return published

    def finish(self) -> None:
        """
        End it: drop targets and regions, cancel pending calls. Idempotent.

        Source:
            spec core 3.4 step 1.
        """
        # First of all, so that whoever is told of the end finds it ended (P4).
        self._has_ended = True
        self._state.drop()
        calls, self._calls = self._calls, []
        for call in calls:
            call.cancel()

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
        if self._has_ended:
            raise CanceledError("the call", "the monitor has ended")
        call = Call(fn, repeat=repeat, since_us=now_us)
        self._calls.append(call)
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

    # -- One iteration -------------------------------------------------------

    def _nr_window_ticks(self, end_us: int | None) -> int:
        """Return how many ticks may pass before anything can look or change."""
        state = self._state
        # A pause begins with the end of a tick, whatever is due.
        if state.context.pause or not state.is_pure:
            return 1
        nr_ticks = state.schedule.nr_ticks_until_due
        if end_us is not None:
            nr_ticks = min(nr_ticks, state.nr_ticks_until(end_us))
        if self._calls:
            first_us = min(call.since_us for call in self._calls)
            nr_ticks = min(nr_ticks, state.nr_ticks_until(first_us))
        return max(1, nr_ticks)

    def _advance(self, now_us: int, published: list[Snapshot]) -> bool:
        """Do one window, or one round of a pause; tell whether there may be more."""
        if self._has_ended:
            return False
        state = self._state
        end_us = state.end_us
        # At the head of an iteration only: the last tick is done to its end.
        if end_us is not None and state.tick_us >= end_us:
            self.finish()
            return False
        nr_due = (now_us - state.tick_us) // state.sample_us
        if nr_due < 1:
            return False
        if self._is_paused:
            # Nothing but a call ends a pause, so one round may be long without any.
            state.tick_us += state.sample_us * (1 if self._calls else nr_due)
        else:
            self._run_window(nr_due, self._nr_window_ticks(end_us))
        self._run_calls()
        # A call may have ended everything.
        if not self._has_ended:
            self._is_paused = state.context.pause
            if not self._is_paused:
                self._finish_iteration(published)
        return True

    def _run_window(self, nr_due: int, nr_window: int) -> None:
        """Check as many ticks as are due and may pass at once; merge if it is time."""
        state = self._state
        state.schedule.begin_iteration()
        if nr_due > 1 and not state.is_pure:
            # The space only knows what happened until now: one long interval
            # instead of many that would all get the same answer.
            self.nr_overruns += nr_due - 1
            state.sample(1, nr_due * state.sample_us)
        else:
            state.sample(min(nr_due, nr_window), state.sample_us)
        # Before calls run: those see merged counts that are not yet reset.
        if state.schedule.is_aggregation_due:
            state.merge()

    def _finish_iteration(self, published: list[Snapshot]) -> None:
        """Do what follows calls and schemes: tune, publish, reset, split, update."""
        state = self._state
        # The order is normative: publishing shows what tuning rescaled, and splits
        # come after it, for the next aggregation to tell the pieces apart.
        if state.schedule.is_aggregation_due:
            published.append(state.end_aggregation())
        if state.schedule.is_ops_update_due:
            state.update_targets()

    def _run_calls(self) -> None:
        """Run every call whose turn it is once; repeated ones stay."""
        if not self._calls:
            return
        # A copy: calls made by calls wait for the next tick.
        for call in list(self._calls):
            if call.since_us <= self._state.tick_us:
                call.run(self)
        self._calls = [call for call in self._calls if not call.done]
