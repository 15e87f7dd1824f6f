"""
Time as something that is handed in.

Instants are whole microseconds since the clock began. What kdamonds and users
need of a clock is ``Clock``; ``RealClock`` follows the machine, and the virtual
clock, in a file of its own, jumps from one instant at which somebody wakes to
the next.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .alarms import Alarm, AlarmQueue, Rank
from .holding import TimeHold, TimePasses
from .parking import Loop, Timer, Waiter, running_loop

US_PER_S = 1_000_000
"""Microseconds per second."""


class Clock(ABC):
    """
    What tells the time and wakes sleepers; serves one event loop at a time.

    Users need ``now_us``, the ways to sleep, and ``hold``. The rest is for
    kdamonds: one alarm each, and one timer of the event loop for all of them.
    """

    def __init__(self) -> None:
        self._queue = AlarmQueue()
        self._loop: Loop | None = None

    @abstractmethod
    def now_us(self) -> int:
        """The time, in microseconds since the clock began."""

    # -- For everybody -------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        """
        Wait until *seconds* have passed; rounded to microseconds.

        Returns after others have had their turn, also if there is nothing to
        wait for. Cancelling it leaves nothing behind.
        """
        await self.sleep_us(round(seconds * US_PER_S))

    async def sleep_us(self, duration_us: int) -> None:
        """Wait until *duration_us* microseconds have passed, as ``sleep`` does."""
        await self.sleep_until(self.now_us() + duration_us)

    async def sleep_until(self, deadline_us: int) -> None:
        """
        Wait until the time is at least *deadline_us*, as ``sleep`` does.

        At one instant kdamonds go first: whoever wakes at the end of an
        aggregation finds its snapshot published.
        """
        alarm = Alarm(Rank.TASK)
        with TimePasses():
            try:
                await self.set_alarm(alarm, deadline_us)
            finally:
                # Cancelled, it must not be where virtual time jumps to.
                self.take_back(alarm)

    @contextmanager
    def hold(self, name: str = "a user") -> Iterator[None]:
        """
        Keep virtual time where it is for the length of a ``with`` block.

        Time passes all the same while the task itself, or one it started in the
        block, waits for the engine: sleeps on the clock, commits, stops. A real
        clock cannot be held, so there nothing happens.

        Args:
            name: Who holds, for the warning if it takes long.
        """
        hold = TimeHold(self, name)
        hold.take_over()
        try:
            yield
        finally:
            hold.close()

    # -- For kdamonds --------------------------------------------------------

    @abstractmethod
    def settle(self) -> None:
        """Let tasks that were just woken run before virtual time moves on."""

    def open_alarm(self) -> Alarm:
        """
        Return the alarm of a kdamond that is about to run.

        Virtual time stands still while a kdamond neither sleeps nor has closed
        its alarm.
        """
        return Alarm(Rank.KDAMOND)

    def close_alarm(self, alarm: Alarm) -> None:
        """Take note that the kdamond with this alarm, opened once, is gone."""
        self._queue.discard(alarm)

    def set_alarm(self, alarm: Alarm, deadline_us: int) -> Waiter:
        """
        Queue *alarm*.

        Returns:
            What to await at once: it is done when the time is at least
            *deadline_us* or the alarm was rung, and never before the loop has
            had a turn.
        """
        # Compared each time and not told once: a clock may be made before any loop
        # runs, and outlive one.
        loop = running_loop()
        if loop is not self._loop:
            self._bind(loop)
        self._queue.add(alarm, deadline_us)
        waiter = alarm.set()
        self._alarm_was_set(alarm)
        return waiter

    def hasten(self, alarm: Alarm, deadline_us: int) -> None:
        """Move the deadline of a sleep under way, if any, forward to *deadline_us*."""
        # Moving the entry is cheaper than to wake the sleeper, and whoever is awake
        # asks for a new deadline before it sleeps anyway.
        if alarm.is_set and deadline_us < alarm.deadline_us:
            self._queue.discard(alarm)
            self._queue.add(alarm, deadline_us)
            self._deadline_came_closer()

    def ring(self, alarm: Alarm) -> None:
        """End a sleep under way, if any, at once."""
        if alarm.is_set:
            self._queue.discard(alarm)
            self._wake(alarm)

    def take_back(self, alarm: Alarm) -> None:
        """Forget a sleep that was cancelled."""
        self._queue.discard(alarm)

    # -- For holds -----------------------------------------------------------

    @abstractmethod
    def hold_began(self, hold: TimeHold) -> None:
        """Take note that *hold* stops time from now on."""

    @abstractmethod
    def hold_ended(self, hold: TimeHold) -> None:
        """Take note that *hold* does not stop time any more."""

    # -- For the two kinds of clock ------------------------------------------

    def _bind(self, loop: Loop) -> None:
        """Serve *loop*; whatever slept on another one is gone with it."""
        self._loop = loop
        # Cleared and not made anew: a sleeper of the old loop may still take its alarm
        # back, when it is collected as garbage.
        self._queue.clear()

    def _wake(self, alarm: Alarm) -> None:
        """Wake whoever sleeps on *alarm*, which has left the queue."""
        alarm.go_off()

    @abstractmethod
    def _alarm_was_set(self, alarm: Alarm) -> None:
        """See to it that *alarm*, just queued, goes off."""

    @abstractmethod
    def _deadline_came_closer(self) -> None:
        """See to it that an alarm that was moved forward goes off in time."""


class RealClock(Clock):
    """
    The time of the machine.

    Deadlines are absolute, so being late once does not make anybody late for
    good; who was late is told by the kdamonds. One timer of the event loop
    serves all sleepers.

    Args:
        start_us: What the clock shows when it is made.

        monotonic_ns: Where time comes from, in nanoseconds; never goes back.
    """

    def __init__(
        self,
        start_us: int = 0,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__()
        self._monotonic_ns = monotonic_ns
        self._origin_ns = monotonic_ns() - 1000 * start_us
        self._timer: Timer | None = None
        self._timer_us = 0

    def __repr__(self) -> str:
        return f"<RealClock at {self.now_us()} us, {len(self._queue)} asleep>"

    def now_us(self) -> int:
        """The time, in microseconds since the clock began."""
        return (self._monotonic_ns() - self._origin_ns) // 1000

    def settle(self) -> None:
        """Do nothing: nobody can make time wait."""

    def hold_began(self, hold: TimeHold) -> None:
        """Do nothing, likewise."""

    def hold_ended(self, hold: TimeHold) -> None:
        """Do nothing, likewise."""

    def _bind(self, loop: Loop) -> None:
        super()._bind(loop)
        # Not cancelled: it belongs to a loop that may be closed.
        self._timer = None

    def _alarm_was_set(self, alarm: Alarm) -> None:
        # Most deadlines lie behind the first one, and need no timer of the loop.
        if self._timer is None or alarm.deadline_us < self._timer_us:
            self._start_timer()

    def _deadline_came_closer(self) -> None:
        self._start_timer()

    def _start_timer(self) -> None:
        """Have the loop call when the first alarm is due."""
        next_us = self._queue.next_us()
        if next_us is None or self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        # Due in the past means due at the loop's next turn, not at once: a
        # kdamond that is always late must not starve everybody else.
        delay_us = max(0, next_us - self.now_us())
        self._timer = self._loop.call_later(delay_us / US_PER_S, self._fire)
        self._timer_us = next_us

    def _fire(self) -> None:
        """Wake whoever is due. Loops may call a little early: then nobody is."""
        self._timer = None
        # Read once: whoever becomes due while others are woken has the next turn.
        now_us = self.now_us()
        while (alarm := self._queue.pop_due(now_us)) is not None:
            self._wake(alarm)
        self._start_timer()
