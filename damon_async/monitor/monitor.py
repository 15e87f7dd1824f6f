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
from typing import TypeVar

import numpy as np

from ..arrays import IntArray
from ..errors import CanceledError, InvalidError
from ..operations.base import Operations
from ..params.monitoring import Context, Intervals, Target
from ..records.snapshot import Snapshot
from ..regions.merge import merge_regions
from ..regions.ranges import replace_target, set_regions
from ..regions.rates import convert_results, frequency
from ..regions.split import SplitState, enforce_min_nr_regions, split_regions
from ..regions.table import RegionTable
from ..regions.tuning import access_score, tuned_intervals
from .calls import Call
from .committing import committed_targets, initial_table
from .sampling import Sampler
from .schedule import Schedule

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
        context: The parameters in force; interval tuning and commits change them.

        targets: The targets being monitored.

        table: Their regions.

        schedule: Tick counters.

        nr_overruns: Ticks that were skipped because ``step`` came late and the
            space could not tell any more what happened in them.

    Raises:
        InvalidError: If ranges of a target are empty or overlap once rounded,
            or if the operations set cannot use a target.

    Source:
        spec core 4.4 with the recommended behaviour.
        Differs: a sampling interval of 0 lasts 1 us, so that time goes on.
    """

    def __init__(
        self,
        context: Context,
        operations: Operations,
        rng: np.random.Generator,
    ) -> None:
        self.context = context
        self.targets: tuple[Target, ...] = context.targets
        self.table = initial_table(context.targets, context.min_region_sz)
        self.schedule = Schedule()
        self.nr_overruns = 0
        self._sampler = Sampler(operations, rng)
        self._rng = rng
        self._split_state = SplitState()
        self._sz_limit = 0
        self._calls: list[Call[object]] = []
        self._tick_us = 0
        self._aggr_began_us = 0
        self._has_begun = False
        self._has_ended = False
        # The rest of an iteration that a pause interrupted, None if there is none.
        self._interrupted: Schedule | None = None
        for target in context.targets:
            operations.lifetime_us(target)

    def __repr__(self) -> str:
        """Say how far it is."""
        state = "ended" if self.ended else "running" if self._has_begun else "new"
        return f"<Monitor {state} tick {self.schedule.passed} at {self._tick_us} us {self.table!r}>"

    @property
    def operations(self) -> Operations:
        """The back end in use."""
        return self._sampler.operations

    @property
    def ended(self) -> bool:
        """Whether it is over: finished, or every target has vanished."""
        return self._has_ended

    @property
    def is_paused(self) -> bool:
        """Whether monitoring is held up by ``context.pause``."""
        return self._interrupted is not None

    @property
    def frequencies(self) -> IntArray:
        """
        Access frequency of each region now, in accesses per aggregation interval.

        int64, shape (nr_regions,). Source: spec core 6.1.
        """
        left = self.schedule.nr_ticks_left
        intervals = self.context.intervals
        table = self.table
        return frequency(
            table.nr_accesses, table.last_nr_accesses, left, intervals.max_nr_accesses
        )

    # -- Driving it ----------------------------------------------------------

    def begin(self, now_us: int) -> None:
        """
        Start monitoring: find the regions of targets that have none.

        Args:
            now_us: The time, in microseconds; later calls may not go back.

        Raises:
            InvalidError: If it began before.
        """
        if self._has_begun:
            msg = f"{self!r} has begun already; make a new one"
            raise InvalidError(msg)
        self._has_begun = True
        self._tick_us = self._aggr_began_us = now_us
        self.schedule = Schedule.at_start(self.context.intervals)
        for index in range(len(self.targets)):
            if not len(self.table.of_target(index)):
                self._update_target(index)
        self._enforce_min_nr_regions()

    @property
    def next_us(self) -> int | None:
        """
        When ``step`` has something to do again; None once it has ended.

        Comes closer when a call is made or a commit changes intervals.
        """
        if self._has_ended:
            return None
        sample_us = self._sample_us
        if self.is_paused:
            # Nothing but a call ends a pause, so rounds may be long without one.
            return self._tick_us + (sample_us if self._calls else self.context.intervals.aggr_us)
        return self._tick_us + sample_us * self._nr_window_ticks()

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
        if not self._has_begun:
            msg = f"{self!r} has not begun: call begin() first"
            raise InvalidError(msg)
        published: list[Snapshot] = []
        while self._advance(now_us, published):
            pass
        return published

    def finish(self) -> None:
        """
        End it: drop targets and regions, cancel pending calls. Idempotent.

        Source:
            spec core 3.4 step 1.
        """
        self._has_ended = True
        self.targets = ()
        self.table = RegionTable()
        calls, self._calls = self._calls, []
        for call in calls:
            call.cancel()

    # -- Requests ------------------------------------------------------------

    def call(self, fn: Callable[[Monitor], Result], *, repeat: bool = False) -> Call[Result]:
        """
        Have *fn* called with this monitor at its next tick, after merging.

        Args:
            fn: Plain code; may read anything and may commit.

            repeat: Call it at every tick until the end.

        Raises:
            CanceledError: If the monitor has ended.

        Source:
            spec core 4.6.
        """
        if self._has_ended:
            raise CanceledError("the call", "the monitor has ended")
        call = Call(fn, repeat=repeat)
        self._calls.append(call)  # type: ignore[arg-type] # a list of calls of any result
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
            spec core 2.7. The interval setter is skipped when intervals are
            the same, so that an unrelated commit drops no partial counts (P12).
        """
        new_operations = operations or self.operations
        targets, table = committed_targets(
            self.targets, context.targets, self.table, context.min_region_sz
        )
        for target in targets:
            new_operations.lifetime_us(target)
        # Nothing below can fail: the real context is never left half changed.
        self.targets, self.table = targets, table
        self._sampler.operations = new_operations
        self._sampler.forget()
        if context.intervals != self.context.intervals:
            self._set_intervals(context.intervals)
        self.context = context.model_copy(update={"targets": targets})
        self._sz_limit = enforce_min_nr_regions(
            self.table, context.nr_regions.min, context.min_region_sz
        )

    # -- One iteration -------------------------------------------------------

    @property
    def _sample_us(self) -> int:
        """How long a tick lasts."""
        return max(1, self.context.intervals.sample_us)

    def _nr_window_ticks(self) -> int:
        """Return how many ticks may pass before anything can look or change."""
        if self._calls or not all(map(self.operations.is_pure, self.targets)):
            return 1
        nr_ticks = self.schedule.nr_ticks_until_due
        end_us = self._end_us()
        if end_us is None:
            return nr_ticks
        return max(1, min(nr_ticks, -(-(end_us - self._tick_us) // self._sample_us)))

    def _end_us(self) -> int | None:
        """Return when the last target vanishes, None if never."""
        if not self.operations.ends_with_targets:
            return None
        ends = [self.operations.lifetime_us(target) for target in self.targets]
        known = [end for end in ends if end is not None]
        # Without targets there is nothing to wait for: over from the beginning.
        return max(known, default=0) if len(known) == len(ends) else None

    def _advance(self, now_us: int, published: list[Snapshot]) -> bool:
        """Do one window, or one round of a pause; tell whether there may be more."""
        if self._has_ended:
            return False
        end_us = self._end_us()
        if end_us is not None and self._tick_us >= end_us:
            self.finish()
            return False
        if self._interrupted is not None:
            return self._pause_round(now_us, published)
        nr_due = (now_us - self._tick_us) // self._sample_us
        if nr_due < 1:
            return False
        due = Schedule(0, self.schedule.next_aggregation, self.schedule.next_ops_update)
        self._sample(min(nr_due, self._nr_window_ticks()), nr_due)
        self._after_check(due, published)
        return True

    def _sample(self, nr_ticks: int, nr_due: int) -> None:
        """Let *nr_ticks* pass and check every region in each of them."""
        sample_us = self._sample_us
        length_us = sample_us
        if nr_due > 1 and not all(map(self.operations.is_pure, self.targets)):
            # The space only knows what happened until now: one long interval
            # instead of many that would all get the same answer.
            length_us = sample_us * nr_due
            self.nr_overruns += nr_due - 1
        since = self._tick_us + sample_us * np.arange(nr_ticks, dtype=np.int64)[:, None]
        self._sampler.sample(self.table, self.targets, since, since + length_us)
        self._tick_us += length_us * nr_ticks
        self.schedule.passed += nr_ticks

    def _after_check(self, due: Schedule, published: list[Snapshot]) -> None:
        """Merge if an aggregation ends here, run calls, and go on unless paused."""
        if self.schedule.passed >= due.next_aggregation:
            self._merge()
        self._run_calls()
        if self.context.pause:
            self._interrupted = due
        else:
            self._finish_iteration(due, published)

    def _pause_round(self, now_us: int, published: list[Snapshot]) -> bool:
        """Let one sampling interval of a pause go by; run calls, they may end it."""
        nr_due = (now_us - self._tick_us) // self._sample_us
        if nr_due < 1 or self._interrupted is None:
            return False
        self._tick_us += self._sample_us * (1 if self._calls else nr_due)
        self._run_calls()
        if not self.context.pause:
            due, self._interrupted = self._interrupted, None
            self._finish_iteration(due, published)
        return True

    def _finish_iteration(self, due: Schedule, published: list[Snapshot]) -> None:
        """Do what follows hooks and schemes: tune, publish, reset, split, update."""
        if self.schedule.passed >= due.next_aggregation:
            self._tune_intervals(due)
            intervals = self.context.intervals
            self.schedule.next_aggregation = due.next_aggregation + max(
                1, intervals.aggr_us // self._sample_us
            )
            published.append(self._publish())
            self._split()
        if self.schedule.passed >= due.next_ops_update:
            self.schedule.next_ops_update = due.next_ops_update + (
                self.context.intervals.update_us // self._sample_us
            )
            for index in range(len(self.targets)):
                self._update_target(index)

    def _run_calls(self) -> None:
        """Run every pending call once; repeated ones stay."""
        if not self._calls:
            return
        calls, self._calls = self._calls, []
        for call in calls:
            if not call.done:
                call.run(self)
        # Calls made by calls wait for the next tick, behind the repeated ones.
        self._calls = [call for call in calls if not call.done] + self._calls

    # -- Regions -------------------------------------------------------------

    def _merge(self) -> None:
        """Merge similar regions, then cut those that are too large."""
        nr_regions = self.context.nr_regions
        merge_regions(
            self.table,
            max_nr_accesses=self.context.intervals.max_nr_accesses,
            max_nr_regions=nr_regions.max,
            sz_limit=self._sz_limit,
        )
        self._enforce_min_nr_regions()

    def _enforce_min_nr_regions(self) -> None:
        """Cut regions that are too large, and remember the size limit."""
        self._sz_limit = enforce_min_nr_regions(
            self.table, self.context.nr_regions.min, self.context.min_region_sz
        )

    def _split(self) -> None:
        """Cut regions at random for the next aggregation."""
        split_regions(
            self.table,
            self._rng,
            self._split_state,
            max_nr_regions=self.context.nr_regions.max,
            min_region_sz=self.context.min_region_sz,
        )

    def _update_target(self, index: int) -> None:
        """Ask what should be monitored of a target, and make its regions cover that."""
        context = self.context
        ranges = self.operations.ranges(self.targets[index], self._tick_us, context.min_region_sz)
        if ranges is None:
            return
        regions = set_regions(self.table.of_target(index), ranges, context.min_region_sz)
        self.table = replace_target(self.table, index, regions)

    # -- Attributes and results ----------------------------------------------

    def _set_intervals(self, intervals: Intervals) -> None:
        """
        Switch to other intervals: reschedule, and convert results to them.

        Source:
            spec core 2.1 (setter side effects) and 2.6.
        """
        old = self.context.intervals
        is_aggregating = self.schedule.is_aggregating
        self.schedule.restart(intervals)
        if intervals.intervals_goal != old.intervals_goal:
            self.schedule.restart_tuning(intervals)
        convert_results(
            self.table,
            (old.sample_us, old.aggr_us),
            (intervals.sample_us, intervals.aggr_us),
            is_aggregating=is_aggregating,
        )
        self.context = self.context.model_copy(update={"intervals": intervals})

    def _tune_intervals(self, due: Schedule) -> None:
        """
        Tune intervals if a tuning step ends with this aggregation.

        Source:
            spec core 8. The tick counts as not aggregating, so the counts about
            to be published are converted, not dropped.
        """
        intervals = self.context.intervals
        goal = intervals.intervals_goal
        if not goal.aggrs or self.schedule.passed < self.schedule.next_tuning:
            return
        aggr_samples = intervals.aggr_samples
        self.schedule.next_tuning += aggr_samples * goal.aggrs
        tuned = tuned_intervals(
            access_score(self.table, aggr_samples, goal.access_bp),
            intervals.sample_us,
            aggr_samples,
            (goal.min_sample_us, goal.max_sample_us),
        )
        if tuned.sample_us == intervals.sample_us:
            return
        self.schedule.next_aggregation = due.next_aggregation
        update = {"sample_us": tuned.sample_us, "aggr_us": tuned.aggr_us}
        self._set_intervals(intervals.model_copy(update=update))

    def _publish(self) -> Snapshot:
        """Return what was found, and reset the counts for the next aggregation."""
        intervals = self.context.intervals
        cells = self.table.cells.copy()
        cells.flags.writeable = False
        target, start, end, nr_accesses, _, age = cells
        snapshot = Snapshot(
            self._aggr_began_us * 1000,
            self._tick_us * 1000,
            intervals.sample_us,
            intervals.aggr_us,
            target,
            start,
            end,
            nr_accesses,
            age,
        )
        self._aggr_began_us = self._tick_us
        self.table.last_nr_accesses[:] = self.table.nr_accesses
        self.table.nr_accesses[:] = 0
        return snapshot
