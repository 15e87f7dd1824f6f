"""
Who keeps virtual time where it is, and when that is not meant to last.

A consumer that asked for every snapshot holds time back while it works on one.
But what if its work is to commit new parameters, or to sleep? Both take virtual
time, and it would wait for itself. So each taking of a hold is known to the task
that did it and to the tasks it starts meanwhile, and while any of those waits for
something that takes time, the hold is lifted.
"""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Protocol

from .parking import Task, current_task


class HoldLedger(Protocol):
    """What keeps the books: a clock."""

    def hold_began(self, hold: TimeHold) -> None:
        """Take note that *hold* stops time from now on."""

    def hold_ended(self, hold: TimeHold) -> None:
        """Take note that *hold* does not stop time any more."""


# State of tasks, not of this module: each task sees its own value, and those it
# starts a copy. What was taken, with the number of the taking, so that a task
# started long ago does not lift what its parent has taken anew since.
_in_hand: ContextVar[tuple[tuple[TimeHold, int], ...]] = ContextVar(
    "damon_async_time_holds", default=()
)


class TimeHold:
    """
    A reason for virtual time to stand still, which comes and goes.

    Args:
        ledger: The clock. Real ones take no note.

        name: Who holds, for people.

        is_meant: Whether time may stand still for long, so that nobody need be warned.
    """

    __slots__ = ("_is_taken", "_ledger", "_nr_lifted", "_nr_taken", "_owner", "is_meant", "name")

    def __init__(self, ledger: HoldLedger, name: str, *, is_meant: bool = False) -> None:
        self.name = name
        self.is_meant = is_meant
        self._ledger = ledger
        self._is_taken = False
        self._nr_taken = 0
        self._nr_lifted = 0
        self._owner: Task | None = None

    def __repr__(self) -> str:
        state = "free" if not self._is_taken else "lifted" if self._nr_lifted else "taken"
        return f"<TimeHold of {self.name}, {state}>"

    @property
    def is_taken(self) -> bool:
        """Whether somebody has it, lifted or not."""
        return self._is_taken

    def take(self) -> None:
        """Hold time, on behalf of somebody who will say more or ``release``."""
        if not self._is_taken:
            self._is_taken = True
            # A new taking is nobody's yet: waits under way lifted the one before.
            self._nr_taken += 1
            self._nr_lifted = 0
            self._ledger.hold_began(self)

    def take_over(self) -> None:
        """Hold time as the current task, until it releases the hold or ends."""
        self.take()
        mine = (self, self._nr_taken)
        held = _in_hand.get()
        if mine not in held:
            # Those released meanwhile are left out, so that it stays short.
            _in_hand.set((*(each for each in held if each[0].is_in_hand(each[1])), mine))
        # A reader that dies with a snapshot in hand must not stop time for ever. Most
        # takings are by the same task again, and need no new callback.
        task = current_task()
        if task is not self._owner:
            self._disown()
            self._owner = task
            if task is not None:
                task.add_done_callback(self._owner_ended)

    def release(self) -> None:
        """Let time go on; nothing happens if it was not held."""
        if self._is_taken:
            self._is_taken = False
            if not self._nr_lifted:
                self._ledger.hold_ended(self)

    def close(self) -> None:
        """Release it for good."""
        self.release()
        self._disown()

    def is_in_hand(self, taking: int) -> bool:
        """Whether it is taken, and has been since the taking of that number."""
        return self._is_taken and taking == self._nr_taken

    def lift(self, taking: int) -> None:
        """Let time pass until ``lower``, if it is in hand since that *taking*."""
        if self.is_in_hand(taking):
            self._nr_lifted += 1
            if self._nr_lifted == 1:
                self._ledger.hold_ended(self)

    def lower(self, taking: int) -> None:
        """Undo one ``lift``, unless it was released meanwhile."""
        if self.is_in_hand(taking):
            self._nr_lifted -= 1
            if not self._nr_lifted:
                self._ledger.hold_began(self)

    def _disown(self) -> None:
        """Forget the task that had it."""
        if self._owner is not None:
            self._owner.remove_done_callback(self._owner_ended)
            self._owner = None

    def _owner_ended(self, task: Task) -> None:
        """Let time go on, because nobody is left who would."""
        if task is self._owner:
            self._owner = None
            self.release()


class TimePasses:
    """
    Lift what the current task has in hand, for ``with``: it waits for time to pass.

    Every waiting function of this room that may take virtual time is wrapped in it.
    """

    __slots__ = ("_held",)

    def __enter__(self) -> None:
        # Kept, because what is in hand afterwards may be something else.
        self._held = _in_hand.get()
        for hold, taking in self._held:
            hold.lift(taking)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for hold, taking in self._held:
            hold.lower(taking)
