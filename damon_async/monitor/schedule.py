"""When things are due, counted in ticks."""

from __future__ import annotations

from dataclasses import dataclass

from ..params.intervals import Intervals


def nr_ticks(interval_us: int, sample_us: int) -> int:
    """
    Return how many sampling intervals fit *interval_us*.

    0 if none does: what is due every 0 ticks is due at every tick.

    Source:
        spec core 4.1, example E38.
    """
    return interval_us // max(1, sample_us)


@dataclass(slots=True)
class Schedule:
    """
    Tick counters of a monitor: how many passed, and what is due at which.

    Attributes:
        passed: Sampling intervals since the monitor began.

        next_aggregation: Due once *passed* is at least this.

        next_ops_update: Likewise, for re-reading what is mapped.

        next_tuning: Likewise, for interval auto-tuning.

        due_aggregation: ``next_aggregation`` as the running iteration found it.
            Changes of intervals inside an iteration leave it alone.

        due_ops_update: Likewise, of ``next_ops_update``.

    Source:
        spec core 2.2 and 4.1, the counters of 6.7 and later.
    """

    passed: int = 0
    next_aggregation: int = 0
    next_ops_update: int = 0
    next_tuning: int = 0
    due_aggregation: int = 0
    due_ops_update: int = 0

    @classmethod
    def at_start(cls, intervals: Intervals) -> Schedule:
        """Return the schedule of a monitor that begins now."""
        schedule = cls()
        # Counters begin at 0 with the monitor, not with the clock (P5).
        schedule.restart(intervals)
        schedule.restart_tuning(intervals)
        return schedule

    def restart(self, intervals: Intervals) -> None:
        """Begin aggregation and update intervals anew, after an attribute change."""
        sample_us = intervals.sample_us
        self.next_aggregation = self.passed + nr_ticks(intervals.aggr_us, sample_us)
        self.next_ops_update = self.passed + nr_ticks(intervals.update_us, sample_us)

    def restart_tuning(self, intervals: Intervals) -> None:
        """
        Begin a tuning step anew.

        Source:
            P22: also when tuning is switched on online, where the kernel tunes
            at every aggregation until its counter catches up.
        """
        # From now, as a step begins now; from 0 it would be long overdue.
        per_step = intervals.aggr_samples * intervals.intervals_goal.aggrs
        self.next_tuning = self.passed + per_step

    def begin_iteration(self) -> None:
        """Settle what the iteration that begins now may find due."""
        self.due_aggregation = self.next_aggregation
        self.due_ops_update = self.next_ops_update

    def end_aggregation(self, intervals: Intervals) -> None:
        """Plan the aggregation behind the one that was due."""
        # Behind where it was due, not where it was noticed: no drift.
        length = nr_ticks(intervals.aggr_us, intervals.sample_us)
        self.next_aggregation = self.due_aggregation + length

    def end_ops_update(self, intervals: Intervals) -> None:
        """Plan the operations update behind the one that was due."""
        length = nr_ticks(intervals.update_us, intervals.sample_us)
        self.next_ops_update = self.due_ops_update + length

    @property
    def is_aggregation_due(self) -> bool:
        """
        Whether the running iteration ends an aggregation.

        If not, its counts are partial: what 2.6 calls aggregating. Differs: the
        kernel asks ``next_aggregation``, which an earlier change of intervals in
        the same iteration has moved; a second one would drop complete counts.
        """
        return self.passed >= self.due_aggregation

    @property
    def is_ops_update_due(self) -> bool:
        """Whether the running iteration re-reads what is mapped."""
        return self.passed >= self.due_ops_update

    @property
    def nr_ticks_left(self) -> int:
        """Ticks of the running aggregation that are still to come."""
        return max(0, self.next_aggregation - self.passed)

    @property
    def nr_ticks_until_due(self) -> int:
        """Ticks until anything is due; at least 1, as things are due after a tick."""
        return max(1, min(self.next_aggregation, self.next_ops_update) - self.passed)
