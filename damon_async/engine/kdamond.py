"""
The task that monitors one context.

All it does is sleep, step its monitor, hand out what that found, and obey. What
monitoring means stands in ``monitor``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
from structlog.typing import FilteringBoundLogger

from ..errors import SelfStopError
from ..monitor.calls import Call
from ..monitor.monitor import Monitor
from ..operations.registry import operations_for
from ..params.monitoring import Context
from ..schemes.schemes import Schemes
from .carrying_out import carried_out
from .clock import Clock
from .crew import Crew
from .holding import TimePasses
from .life import KdamondState, KdamondStatistics, Turn, note, note_end
from .parking import Task, current_task
from .subscription import Publisher, Subscription
from .user_functions import DEADLINE_US, UserFunctions

Result = TypeVar("Result")


class Kdamond:
    """
    A running context: the handle users hold, and its task.

    Made by ``Damon.start``. An exception in the monitor, its operations set or
    its space ends this kdamond and nothing else: it is logged and kept in
    ``error``.

    Args:
        name: ``kdamond.N``, N being how many ran when it was made. Not unique
            for ever, as in the kernel.

        context: What was started; its identity tells whether a context runs.

        monitor: Does the work.

        clock: Tells when.

        log: Bound to this kdamond and context.

        on_end: Called exactly once, with this, without an await between that
            and the moment it does not count as running any more.

        deadline_us: After how long functions of the user in schemes are cancelled.

    Attributes:
        name: Also the name of its task.

        started_context: The *context*, whatever was committed since.

        error: What ended it, if it failed.

    Source:
        spec core 3.2 to 3.4 and 4.1.
        Differs: a stop ends it at once, without the rest of the tick.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        monitor: Monitor,
        clock: Clock,
        log: FilteringBoundLogger,
        on_end: Callable[[Kdamond], None],
        deadline_us: int = DEADLINE_US,
    ) -> None:
        self.name = name
        self.started_context = context
        self.error: Exception | None = None
        self._monitor = monitor
        self._clock = clock
        self._log = log
        self._on_end = on_end
        self._state = KdamondState.STARTING
        # From here on it counts as at work: time waits until it sleeps or has ended.
        self._alarm = clock.open_alarm()
        self._task: Task | None = None
        self._is_stepping = False
        self._began, self._ended = anyio.Event(), anyio.Event()
        self._publisher = Publisher(clock, name)
        self._functions = UserFunctions(clock, self._alarm, log, deadline_us)
        self._nr_wakes = self._nr_overruns = self._max_late_us = 0

    def __repr__(self) -> str:
        error = f", {self.error!r}" if self.error else ""
        return f"<Kdamond {self.name} {self._state.value}{error}, {self._monitor!r}>"

    # -- What it is doing ----------------------------------------------------

    @property
    def state(self) -> KdamondState:
        """Where it is in its life."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether it counts as running: from being made to the end of its epilogue."""
        return not self._ended.is_set()

    @property
    def is_paused(self) -> bool:
        """Whether it runs, but looks at nothing until it is resumed."""
        return self.is_running and self._monitor.is_paused

    @property
    def context(self) -> Context:
        """The parameters in force; commits and the tuning of intervals change them."""
        return self._monitor.context

    @property
    def schemes(self) -> Schemes:
        """Its schemes: ``states`` with statistics and quotas, and the ``walk`` of regions."""
        return self._monitor.schemes

    def statistics(self) -> KdamondStatistics:
        """Return its counters, as of when it woke last."""
        return KdamondStatistics(
            nr_ticks=self._monitor.schedule.passed,
            nr_wakes=self._nr_wakes,
            nr_snapshots=self._publisher.nr_snapshots,
            nr_dropped=self._publisher.nr_dropped,
            nr_subscribers=self._publisher.nr_subscribers,
            nr_overruns=self._nr_overruns,
            max_late_us=self._max_late_us,
            nr_lost_ticks=self._monitor.nr_overruns,
        )

    def snapshots(self, *, lossless: bool = False, buffer: int | None = None) -> Subscription:
        """
        Subscribe to what it finds, from now on.

        Args:
            lossless: Get every snapshot: in virtual time, time waits for whoever
                works on one; in real time everything is kept until it is read.

            buffer: Otherwise, how many of the newest snapshots to keep for a slow
                reader; 1 if not given. Those dropped are counted.

        Raises:
            InvalidError: If *buffer* is below 1, or given although *lossless*.
        """
        return self._publisher.subscribe(lossless=lossless, buffer=buffer)

    # -- Requests ------------------------------------------------------------

    def stop_nowait(self) -> None:
        """
        Ask it to end, also from inside; it does not sleep to the end of its tick.

        Nothing happens if it is not running.
        """
        if self._state in {KdamondState.STARTING, KdamondState.RUNNING}:
            self._state = KdamondState.STOPPING
        # No virtual time passes until it ends, not even if time is held.
        self._clock.ring(self._alarm)

    async def wait(self) -> None:
        """
        Wait until it has ended, epilogue included.

        Cancelling it changes nothing.

        Raises:
            SelfStopError: If called from inside itself.
        """
        self.check_not_inside()
        with TimePasses():
            await self._ended.wait()

    def check_not_inside(self) -> None:
        """
        Refuse to be waited for by itself.

        Raises:
            SelfStopError: If called from inside itself (P36).
        """
        # A step may also run in the task of somebody who makes a call. Tasks that
        # a callback starts are outside: they may stop it, as nobody waits for them.
        is_own_task = self._task is not None and current_task() is self._task
        if self._is_stepping or (is_own_task and self.is_running):
            raise SelfStopError(self.name)

    def call_nowait(self, fn: Callable[[Monitor], Result], *, repeat: bool = False) -> Call[Result]:
        """
        Have *fn* called with the monitor at the next tick, without waiting.

        Args:
            fn: Plain code; may read anything and may commit.

            repeat: Call it at every tick until the end.

        Raises:
            CanceledError: If it has ended.

        Source:
            spec core 4.6.
        """
        if self._state is KdamondState.RUNNING and not self._is_stepping:
            # The monitor may lag behind by a window. Its next tick must be one
            # that is still to come, or the call would act in the past.
            self._catch_up()
        call = self._monitor.call(fn, repeat=repeat)
        next_us = self._monitor.next_us
        if next_us is not None:
            self._clock.hasten(self._alarm, next_us)
        return call

    async def call(self, fn: Callable[[Monitor], Result]) -> Result:
        """
        Have *fn* called with the monitor at the next tick, and wait for it.

        Takes up to one sampling interval. Cancelled before its turn, *fn* is not
        called.

        Raises:
            CanceledError: If the kdamond has ended, or ends first.

            SelfStopError: If called from inside itself.

            Exception: Whatever *fn* raises; the kdamond goes on.

        Source:
            spec core 4.6.
        """
        self.check_not_inside()
        return await carried_out(self.call_nowait(fn), self._clock)

    async def commit(self, context: Context) -> None:
        """
        Replace the parameters at the next tick, and wait for it.

        Counters survive where regions do. A failure leaves all as it was. It is
        still the context it was started with that counts as running.

        Args:
            context: All parameters, not only those that change.

        Raises:
            InvalidError: If the parameters do not fit what runs.

            CanceledError: If the kdamond has ended, or ends first.

        Source:
            spec core 2.7.
        """
        # Made out here: what is wrong with it is the caller's to see at once.
        operations = operations_for(context)
        await self.call(lambda monitor: monitor.commit(context, operations))
        note(self._log, "committed", intervals=str(context.intervals))

    async def pause(self) -> None:
        """Stop looking at the next tick, keeping everything, and wait for that."""
        await self._set_pause(pause=True)

    async def resume(self) -> None:
        """Look again from the next tick on, and wait for that."""
        await self._set_pause(pause=False)

    async def _set_pause(self, *, pause: bool) -> None:
        """Commit what is in force at that tick, with another *pause*."""

        def change(monitor: Monitor) -> None:
            # Read there and then: a commit or a tuning may have come in between.
            monitor.commit(monitor.context.model_copy(update={"pause": pause}))

        await self.call(change)

    # -- Its task ------------------------------------------------------------

    async def run(self) -> None:
        """Be the task; for the engine, once. Never raises an ``Exception``."""
        if not self.is_running:
            # Whoever started it gave up before the task had its first turn.
            return
        self._task = current_task()
        # What it will have been if nothing below gets to say better.
        ending = KdamondState.CANCELED
        try:
            # Nothing that may fail or wait stands before this: start waits for it,
            # and from here on the epilogue is this task's own to run.
            self._began.set()
            with self._kept_error():
                # A stop may have come first; then it begins and ends (P1).
                if self._state is KdamondState.STARTING:
                    self._state = KdamondState.RUNNING
                note(self._log, "began", nr_targets=len(self.context.targets))
                self._monitor.begin(self._clock.now_us())
                await self._monitor_until_end()
                stopping = self._state is KdamondState.STOPPING
                ending = KdamondState.STOPPED if stopping else KdamondState.FINISHED
        finally:
            self._end(ending)

    async def begin_in(self, crew: Crew) -> None:
        """
        Start the task and wait until it has begun; for the engine, once.

        If that is cut short before the task has had a turn, the kdamond ends here
        and now: a task that is cancelled before its first turn never runs, and
        nobody else would ever return its place in the gate (P1).
        """
        try:
            crew.start_soon(self.run, name=self.name)
            await self._began.wait()
        finally:
            # The task may still get its turn later. It will see that it is late.
            if not self._began.is_set():
                self._end(KdamondState.CANCELED)

    async def _monitor_until_end(self) -> None:
        """Step, hand out, sleep; until it is over or somebody asks to stop."""
        clock, alarm = self._clock, self._alarm
        while self._state is KdamondState.RUNNING and self.error is None:
            self._nr_wakes += 1
            self._step()
            while (request := self._monitor.request) is not None and self.error is None:
                answer = await self._functions.answer(request)
                if self.state is not KdamondState.RUNNING:
                    return
                self._publisher.publish(*self._monitor.answer(answer))
            deadline_us = self._monitor.next_us
            # Looked at again, because a call may have asked to stop. No await may
            # come between this and the sleep, or a stop in between would ring an
            # alarm that is not set.
            if deadline_us is None or self._state is not KdamondState.RUNNING:
                return
            if deadline_us <= clock.now_us():
                self._nr_overruns += 1
            await clock.set_alarm(alarm, deadline_us)
            # Of the alarm, not of the variable: a call may have moved it forward.
            self._max_late_us = max(self._max_late_us, clock.now_us() - alarm.deadline_us)

    def _step(self, turn: Turn = Turn.OWN) -> None:
        """Do what is due now, and hand out what was found."""
        aggr_us = self.context.intervals.aggr_us
        until_us = turn.end_us(self._clock.now_us(), self._monitor.next_us, aggr_us)
        self._is_stepping = True
        try:
            snapshots = self._monitor.step(until_us)
        finally:
            self._is_stepping = False
        self._publisher.publish(*snapshots)

    def _catch_up(self) -> None:
        """Step in somebody else's task; what goes wrong is the kdamond's all the same."""
        with self._kept_error():
            self._step(Turn.ASKED)
        # Its own task finds out when it wakes, and ends.
        if self.error is not None or self._monitor.ended:
            self._clock.ring(self._alarm)

    @contextmanager
    def _kept_error(self) -> Iterator[None]:
        """Keep what the block raises in ``error``, the first if there are several."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it may not reach the others
            self.error = self.error or error

    def _end(self, state: KdamondState) -> None:
        """
        Release everything; one stretch without an await, effective once.

        Source:
            spec core 3.4. Steps 2 and 3 are one here, as recommended.
        """
        if not self.is_running:
            return
        try:
            # Tells callers that their calls are cancelled, in callbacks of theirs.
            with self._kept_error():
                self._monitor.finish()
        finally:
            # The place in the gate comes first of what must happen. Nothing from
            # here to the end of the block runs code of users.
            self._state = KdamondState.FAILED if self.error else state
            self._ended.set()
            self._on_end(self)
            self._clock.close_alarm(self._alarm)
            # Those who were told of the end may act on it before time moves on.
            self._clock.settle()
            self._publisher.finish()
        note_end(self._log, self._state, self.error, self._publisher.nr_snapshots)
