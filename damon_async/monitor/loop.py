"""
What comes when: the iterations of a monitor, one after the other.

An iteration is: let a window of ticks pass and check every region in each; merge
if an aggregation ends; run calls; pause if asked to; apply schemes that are due;
tune, publish, reset and split if an aggregation ends; re-read what is mapped if
that is due; look at watermarks. The order is normative (spec core 4.4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import InvalidError
from ..operations.requests import Answer, Request
from ..records.snapshot import Snapshot
from .acting import Driven
from .calls import CallQueue
from .state import ContextState


class Loop:
    """
    Advances the state of a context through iterations, as far as time has come.

    Args:
        state: What is known of the context.

        calls: Functions that wait for their tick.

        run_calls: Runs those made until an instant.

    Attributes:
        published: Snapshots that nobody has taken yet.

        nr_overruns: Ticks that could not be looked at one by one any more.

        has_ended: Whether it is over.

        is_paused: Whether ``context.pause`` holds monitoring up.

        wake_us: Until when watermarks keep all schemes inactive, and monitoring
            with them; None if they do not.

    Source:
        spec core 4.4 to 4.7. Differs: watermarks are looked at once per window,
        at most an aggregation interval apart, not at every tick; while all
        schemes are inactive, calls are run at once.
    """

    def __init__(
        self, state: ContextState, calls: CallQueue, run_calls: Callable[[int], None]
    ) -> None:
        self.published: list[Snapshot] = []
        self.nr_overruns = 0
        self.has_ended = False
        self.is_paused = False
        self.wake_us: int | None = None
        self._state = state
        self._calls = calls
        self._run_calls = run_calls
        self._driven: Driven[Any] | None = None

    @property
    def request(self) -> Request | None:
        """What the user's functions are asked for; until it is answered, nothing goes on."""
        return self._driven.request if self._driven is not None else None

    @property
    def next_us(self) -> int | None:
        """When ``advance`` has something to do again; None once it has ended."""
        if self.has_ended:
            return None
        state = self._state
        end_us = state.end_us
        if self.request is not None or (end_us is not None and state.tick_us >= end_us):
            return state.tick_us
        if self.wake_us is not None:
            first_us = self._calls.first_us
            if first_us is None:
                return self.wake_us
            return min(self.wake_us, max(state.tick_us, first_us))
        if self.is_paused:
            # Nothing but a call ends a pause, so rounds may be long without one.
            pause_us = state.sample_us if self._calls else state.context.intervals.aggr_us
            return state.tick_us + max(1, pause_us)
        return state.tick_us + state.sample_us * self._nr_window_ticks(end_us)

    def begin(self) -> None:
        """Look at watermarks for the first time."""
        self._look_at_watermarks()

    def finish(self) -> None:
        """End it; what schemes were about to do is not done."""
        # First of all, so that whoever is told of the end finds it ended (P4).
        self.has_ended = True
        driven, self._driven = self._driven, None
        if driven is not None:
            driven.close()
        self._state.schemes.cancel_walk("the monitor has ended")
        self._state.drop()
        self._calls.cancel()

    def answer(self, answer: Answer) -> None:
        """
        Go on with the answer to the pending request.

        Raises:
            InvalidError: If none is pending.
        """
        if self._driven is None:
            msg = "nothing was asked, so there is nothing to answer"
            raise InvalidError(msg)
        self._driven.answer(answer)

    def advance(self, now_us: int) -> bool:
        """Do one window, or one round of a pause or of sleep; tell whether there may be more."""
        if self.has_ended or self.request is not None:
            return False
        state = self._state
        end_us = state.end_us
        # At the head of an iteration only: the last tick is done to its end.
        if end_us is not None and state.tick_us >= end_us:
            self.finish()
            return False
        if self.wake_us is not None:
            return self._sleep_round(self.wake_us, now_us)
        nr_due = (now_us - state.tick_us) // state.sample_us
        if nr_due < 1:
            return False
        if self.is_paused:
            # Nothing but a call ends a pause, so one round may be long without any.
            state.tick_us += state.sample_us * (1 if self._calls else nr_due)
        else:
            self._run_window(nr_due, self._nr_window_ticks(end_us))
        self._run_calls(state.tick_us)
        # A call may have ended everything.
        if not self.has_ended:
            self._pause_or_go_on()
        return True

    # -- Stages of an iteration ----------------------------------------------

    def _nr_window_ticks(self, end_us: int | None) -> int:
        """Return how many ticks may pass before anything can look or change."""
        state = self._state
        # A pause begins with the end of a tick, whatever is due.
        if state.context.pause or not state.is_pure:
            return 1
        nr_ticks = state.nr_ticks_until_due
        if end_us is not None:
            nr_ticks = min(nr_ticks, state.nr_ticks_until(end_us))
        first_us = self._calls.first_us
        if first_us is not None:
            nr_ticks = min(nr_ticks, state.nr_ticks_until(first_us))
        return max(1, nr_ticks)

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

    def _pause_or_go_on(self) -> None:
        """Hold the iteration up if asked to, else apply schemes."""
        state = self._state
        self.is_paused = state.context.pause
        if self.is_paused:
            state.schemes.cancel_walk("monitoring is paused")
        elif len(state.schemes) and state.schemes.is_due(state.schedule.passed):
            self._drive(Driven(state.apply_schemes(), state.act, self._finish_iteration))
        else:
            self._finish_iteration(None)

    def _finish_iteration(self, _: None) -> None:
        """Do what follows schemes: tune, publish, reset, split, update, look at watermarks."""
        state = self._state
        self._driven = None
        # The order is normative: publishing shows what tuning rescaled, and splits
        # come after it, for the next aggregation to tell the pieces apart.
        if state.schedule.is_aggregation_due:
            self.published.append(state.end_aggregation())
        if state.schedule.is_ops_update_due:
            state.update_targets()
        self._look_at_watermarks()

    def _look_at_watermarks(self) -> None:
        """Find out whether there is anything to do until further notice."""
        self.wake_us = None
        if self._state.schemes.has_watermarks:
            self._drive(Driven(self._state.watch(), self._state.act, self._sleep_for))

    def _sleep_for(self, wait_us: int) -> None:
        """Stop monitoring for a while if all schemes are inactive."""
        self._driven = None
        if wait_us:
            self.wake_us = self._state.tick_us + wait_us
            self._state.schemes.cancel_walk("all schemes are inactive")

    def _sleep_round(self, wake_us: int, now_us: int) -> bool:
        """Sleep on, unless it is time to look again or somebody calls."""
        first_us = self._calls.first_us
        is_called = first_us is not None and first_us <= now_us
        if now_us < wake_us and not is_called:
            return False
        # No tick passes: nothing was monitored.
        self._state.tick_us = wake_us if now_us >= wake_us else max(now_us, self._state.tick_us)
        self._run_calls(now_us)
        if not self.has_ended:
            self._look_at_watermarks()
        return True

    def _drive(self, driven: Driven[Any]) -> None:
        """Remember what waits for a function of the user; what is done has gone on already."""
        if driven.request is not None:
            self._driven = driven
