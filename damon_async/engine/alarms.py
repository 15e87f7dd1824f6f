"""Who sleeps on a clock, and until when."""

from __future__ import annotations

from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import TypeAlias

from .parking import Waiter, new_waiter, wake


class Rank(IntEnum):
    """Who goes first among those who are due at the same instant."""

    KDAMOND = 0
    """A kdamond: by the time others look, the instant's work has been done."""

    TASK = 1
    """A task of the user."""


class Alarm:
    """
    One sleeper's place in the queue of a clock; sleeps many times, one at a time.

    Args:
        rank: Its precedence among those due at the same instant.

    Attributes:
        deadline_us: When the sleep under way ends, in microseconds.

        sequence: Number of the entry in the queue that is this sleep's; 0 while
            it does not sleep. Set by the queue.
    """

    __slots__ = ("_waiter", "deadline_us", "rank", "sequence")

    def __init__(self, rank: Rank) -> None:
        self.rank = rank
        self.deadline_us = 0
        self.sequence = 0
        self._waiter: Waiter | None = None

    def __repr__(self) -> str:
        state = f"until {self.deadline_us} us" if self.is_set else "not set"
        return f"<Alarm of a {self.rank.name.lower()}, {state}>"

    @property
    def is_set(self) -> bool:
        """Whether somebody sleeps on it."""
        return self.sequence > 0

    def set(self) -> Waiter:
        """Return what to await; the clock has queued the alarm or is about to."""
        self._waiter = new_waiter()
        return self._waiter

    def go_off(self) -> None:
        """Wake the sleeper."""
        if self._waiter is not None:
            wake(self._waiter)
            self._waiter = None


Entry: TypeAlias = tuple[int, int, int, Alarm]
"""Instant, rank and sequence number, which is unique: alarms are never compared."""

NR_STALE_KEPT = 64
"""Below this many, entries of alarms that were taken back are not swept up."""


class AlarmQueue:
    """
    Alarms in the order in which they go off: by instant, rank, sequence number.

    A heap. Adding, taking back and popping are O(log n), amortised: an alarm
    that is taken back leaves its entry behind, which is skipped when it comes to
    the front and swept up if such entries outnumber the others.
    """

    __slots__ = ("_heap", "_nr_stale", "_sequence")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._sequence = 0
        self._nr_stale = 0

    def __len__(self) -> int:
        return len(self._heap) - self._nr_stale

    def add(self, alarm: Alarm, deadline_us: int) -> None:
        """Queue *alarm*, which is not queued, to go off at *deadline_us*."""
        # Grows for ever, so that equal instants keep the order in which they came.
        self._sequence += 1
        alarm.sequence = self._sequence
        alarm.deadline_us = deadline_us
        heappush(self._heap, (deadline_us, alarm.rank, self._sequence, alarm))

    def discard(self, alarm: Alarm) -> None:
        """Take *alarm* back if it is queued."""
        if not alarm.sequence:
            return
        # Its entry does not carry the alarm's number any more, and so is stale.
        alarm.sequence = 0
        self._nr_stale += 1
        if self._nr_stale > NR_STALE_KEPT and 2 * self._nr_stale > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[3].sequence == entry[2]]
            heapify(self._heap)
            self._nr_stale = 0

    def clear(self) -> None:
        """Forget all alarms, which will not go off; to discard one later does nothing."""
        for _, _, sequence, alarm in self._heap:
            if alarm.sequence == sequence:
                alarm.sequence = 0
        self._heap = []
        self._nr_stale = 0

    def next_us(self) -> int | None:
        """Return when the next alarm goes off, None if none is queued."""
        first = self._first()
        return None if first is None else first[0]

    def pop_due(self, now_us: int) -> Alarm | None:
        """Take the first alarm that is due at *now_us*, None if none is."""
        first = self._first()
        if first is None or first[0] > now_us:
            return None
        alarm = heappop(self._heap)[3]
        alarm.sequence = 0
        return alarm

    def pop_instant(self) -> list[Alarm]:
        """Take the first alarm and all that share its instant and its rank."""
        alarms: list[Alarm] = []
        first = self._first()
        key = first[:2] if first else None
        while first is not None and first[:2] == key:
            alarm = heappop(self._heap)[3]
            alarm.sequence = 0
            alarms.append(alarm)
            first = self._first()
        return alarms

    def _first(self) -> Entry | None:
        """Return the entry of the next alarm, dropping stale ones before it."""
        heap = self._heap
        while heap:
            entry = heap[0]
            if entry[3].sequence == entry[2]:
                return entry
            heappop(heap)
            self._nr_stale -= 1
        return None
