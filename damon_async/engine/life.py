"""What can be said about a kdamond: where it is in its life, and its counters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
