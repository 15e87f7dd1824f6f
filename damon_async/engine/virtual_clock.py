"""
Time that does not pass but jumps: an hour of monitoring in seconds.

The rule by which it jumps is ``VirtualClock._turn``; all else in this file sees
to it that a turn is planned whenever the rule might hold.
"""

from __future__ import annotations

import structlog

from ..errors import InvalidError
from .alarms import Alarm, Rank
from .clock import Clock
from .holding import TimeHold
from .parking import Loop, running_loop, running_loop_or_none

SETTLE_TURNS = 8
"""Turns of the event loop in which those who were woken may do something else."""

HELD_WARNING_S = 5.0
"""Real time after which a clock that is held warns, in seconds."""


class VirtualClock(Clock):
    """
    Time that jumps to the next instant as soon as everybody sleeps.

    It moves when no kdamond is at work and nobody holds it: to the first
    instant for which anybody sleeps. Those due at the same instant wake in the
    order in which they went to sleep, kdamonds first; so a run is repeatable.

    Tasks of the user get some turns of the event loop before time moves on,
    counted from when the last of them woke or went to sleep. If they need more,
    because they wait for things other than the engine, they should ``hold`` the
    clock or ask for lossless snapshots. Whoever sleeps for nothing in a loop keeps
    time at that instant.

    Args:
        start_us: What the clock shows at first.

        settle_turns: How many turns of the loop they get.
    """

    def __init__(self, start_us: int = 0, *, settle_turns: int = SETTLE_TURNS) -> None:
        super().__init__()
        if settle_turns < 1:
            msg = f"settle_turns is {settle_turns}; whoever is woken needs at least 1"
            raise InvalidError(msg)
        self._now_us = start_us
        self._settle_turns = settle_turns
        self._nr_turns_left = 0
        # A set and not a count: closing an alarm twice, or one of a loop that is
        # gone, must not let time run while a kdamond works.
        self._at_work: set[Alarm] = set()
        # A dict for its order: the warning names holders oldest first.
        self._holds: dict[TimeHold, None] = {}
        self._is_turn_planned = False
        self._is_watched = False

    def __repr__(self) -> str:
        held = f", held by {self._holders()}" if self._holds else ""
        at_work = f", {len(self._at_work)} at work" if self._at_work else ""
        return f"<VirtualClock at {self._now_us} us, {len(self._queue)} asleep{at_work}{held}>"

    def now_us(self) -> int:
        """The time, in microseconds since the clock began."""
        return self._now_us

    def settle(self) -> None:
        """Let tasks that were just woken run before time moves on."""
        self._nr_turns_left = self._settle_turns

    def open_alarm(self) -> Alarm:
        """Return the alarm of a kdamond, which counts as at work from now on."""
        loop = running_loop()
        if loop is not self._loop:
            self._bind(loop)
        alarm = super().open_alarm()
        self._at_work.add(alarm)
        return alarm

    def close_alarm(self, alarm: Alarm) -> None:
        """Take note that a kdamond is gone, asleep or at work."""
        super().close_alarm(alarm)
        self._end_work(alarm)

    def hold_began(self, hold: TimeHold) -> None:
        """Let time stand still."""
        loop = running_loop_or_none()
        if loop is not None and loop is not self._loop:
            self._bind(loop)
        self._holds[hold] = None

    def hold_ended(self, hold: TimeHold) -> None:
        """Let time go on, unless somebody else holds it."""
        self._holds.pop(hold, None)
        if not self._holds:
            self._plan_turn()

    def _bind(self, loop: Loop) -> None:
        super()._bind(loop)
        # What was left of another loop would stop time on this one for ever.
        self._at_work = set()
        self._holds = {}
        self._is_turn_planned = False
        self._is_watched = False

    def _wake(self, alarm: Alarm) -> None:
        # A kdamond tells when it sleeps again, so time need not guess. A task of the
        # user does not, and gets some turns.
        if alarm.rank is Rank.KDAMOND:
            self._at_work.add(alarm)
        else:
            self.settle()
            self._plan_turn()
        super()._wake(alarm)

    def _alarm_was_set(self, alarm: Alarm) -> None:
        if alarm.rank is Rank.KDAMOND:
            self._end_work(alarm)
        else:
            # Others may be about to go to sleep as well, for less long.
            self.settle()
            self._plan_turn()

    def _deadline_came_closer(self) -> None:
        self._plan_turn()

    def _end_work(self, alarm: Alarm) -> None:
        """Take note that one kdamond is not at work; the last one lets time go on."""
        self._at_work.discard(alarm)
        if not self._at_work:
            self._plan_turn()

    def _plan_turn(self) -> None:
        """Have the loop call ``_turn`` after all that is runnable now."""
        loop = self._loop
        # Holds may be released by a garbage collector after the loop is closed.
        if not self._is_turn_planned and loop is not None and not loop.is_closed():
            self._is_turn_planned = True
            loop.call_soon(self._turn)

    def _turn(self) -> None:
        """
        Move time to the next instant and wake who sleeps for it, if all is quiet.

        If not, whoever is not quiet plans the next turn when it is.
        """
        self._is_turn_planned = False
        if self._at_work:
            return
        if self._holds:
            self._watch()
        elif self._nr_turns_left:
            # Loops tell nobody whether anything else is runnable. All that can be
            # done on each of them alike is to go to the back of the line, often.
            self._nr_turns_left -= 1
            self._plan_turn()
        else:
            # Kdamonds of an instant are taken without its tasks: those come in a turn
            # of their own, once all kdamonds sleep again.
            for alarm in self._queue.pop_instant():
                # A deadline may lie in the past; time does not go there.
                self._now_us = max(self._now_us, alarm.deadline_us)
                self._wake(alarm)

    def _watch(self, delay_s: float | None = None) -> None:
        """Warn if time stands where it is for *delay_s*: perhaps everybody waits."""
        if delay_s is None:
            delay_s = HELD_WARNING_S
        if not self._is_watched and self._loop is not None and not self._is_hold_meant:
            # One timer at most, and never cancelled: held time is the common case
            # with lossless readers, and a timer for each snapshot would cost more
            # than the snapshot.
            self._is_watched = True
            self._loop.call_later(delay_s, self._warn_if_still_at, self._now_us, delay_s)

    def _warn_if_still_at(self, then_us: int, delay_s: float) -> None:
        """Warn if time has not moved since *then_us*, for a reason worth a look."""
        self._is_watched = False
        if self._holds and self._now_us == then_us and not self._is_hold_meant:
            structlog.get_logger().warning(
                "virtual time is held",
                now_us=then_us,
                held_by=self._holders(),
                hint="close the subscription, or let the holder wait for the engine only",
            )
            # Less and less often: on a loop whose time jumps, it would never end.
            self._watch(2 * delay_s)

    @property
    def _is_hold_meant(self) -> bool:
        """Whether one of the holders means time to stand still, as a control tree does."""
        return any(hold.is_meant for hold in self._holds)

    def _holders(self) -> str:
        """Name those who hold time."""
        return ", ".join(hold.name for hold in self._holds)
