"""What can be said about a kdamond: where it is in its life, and its counters."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from structlog.typing import FilteringBoundLogger


class KdamondState(Enum):
    """Where a kdamond is in its life."""

    STARTING = "starting"
    """Made, but its task has not begun."""

    RUNNING = "running"
    """Monitoring, or pausing."""

    STOPPING = "stopping"
    """Asked to stop."""

    STOPPED = "stopped"
    """Ended because it was asked to."""

    FINISHED = "finished"
    """Ended by itself: no target was left."""

    FAILED = "failed"
    """Ended by an exception; see ``error``."""

    CANCELED = "canceled"
    """Ended because its task was cancelled, as when the event loop shuts down."""


@dataclass(frozen=True, slots=True)
class KdamondStatistics:
    """
    Counters of one kdamond since it began.

    Attributes:
        nr_ticks: Sampling intervals that passed.

        nr_wakes: Times it woke and stepped its monitor.

        nr_snapshots: Snapshots published, one per aggregation interval.

        nr_dropped: Snapshots that slow subscribers did not get to see.

        nr_subscribers: Subscriptions that are open.

        nr_overruns: Times its work was not done before more was due.

        max_late_us: Longest time it woke after its deadline, in microseconds.

        nr_lost_ticks: Sampling intervals that were looked at together with others
            because it was late and the space keeps no history.
    """

    nr_ticks: int
    nr_wakes: int
    nr_snapshots: int
    nr_dropped: int
    nr_subscribers: int
    nr_overruns: int
    max_late_us: int
    nr_lost_ticks: int


class Turn(Enum):
    """
    What a kdamond that is late catches up with in one go, at least, in microseconds.

    One whose work takes longer than the time it is about would otherwise have more to
    do each time, and nobody could even stop it any more.
    """

    OWN = 100_000
    """When it wakes."""

    ASKED = 1_000_000
    """When somebody asks for something that is to be true now."""

    def end_us(self, now_us: int, due_us: int | None, aggr_us: int) -> int:
        """
        Return up to when to work.

        Args:
            now_us: The time, in microseconds.

            due_us: When it should have worked next; None if it does not matter.

            aggr_us: How long its aggregations are; no part of one is left over.
        """
        if due_us is None:
            return now_us
        return min(now_us, due_us + max(aggr_us, self.value) - 1)


def note(log: FilteringBoundLogger, what: str, **details: object) -> None:
    """Log an event of a kdamond; a logger that raises is no reason for it to end."""
    # Applications put processors of their own into structlog, and those may fail.
    event = f"kdamond {what}"
    with suppress(Exception):
        log.info(event, **details)


def note_end(
    log: FilteringBoundLogger, state: KdamondState, error: Exception | None, nr_snapshots: int
) -> None:
    """Log how a kdamond ended."""
    if error is None:
        note(log, state.value, nr_snapshots=nr_snapshots)
    else:
        with suppress(Exception):
            log.error("kdamond failed", exc_info=error)
