"""What a monitor knows of its context, and what each step does to that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..operations.base import Operations
from ..params.monitoring import Context, Intervals, Target
from ..records.snapshot import Snapshot
from ..regions.merge import merge_regions
from ..regions.ranges import replace_target, set_regions
from ..regions.rates import convert_results
from ..regions.split import SplitState, enforce_min_nr_regions, split_regions
from ..regions.table import RegionTable
from ..regions.tuning import access_score, tuned_intervals
from .committing import committed_targets, initial_table
from .sampling import Sampler
from .schedule import Schedule


class ContextState:
    """
    Parameters, targets, regions and counters of one context.

    Each method is one step of an iteration; which comes when is the
    ``Monitor``'s to know.

    Args:
        context: What to monitor, and how.

        operations: The back end its targets are asked through.

        rng: Where sampling addresses and split points come from.

    Attributes:
        context: The parameters in force; interval tuning and commits change them.

        targets: The targets being monitored.

        table: Their regions.

        schedule: Tick counters.

        tick_us: When the running tick began.

        is_pure: Whether windows of ticks may be asked about at once.

    Raises:
        InvalidError: If ranges of a target are empty or overlap once rounded,
            or if the operations set cannot use a target.
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
        self.tick_us = 0
        self.is_pure = _check_targets(operations, context.targets)
        self._aggr_began_us = 0
        self._sampler = Sampler(operations, rng)
        self._rng = rng
        self._split_state = SplitState()
        self._sz_limit = 0

    @property
    def operations(self) -> Operations:
        """The back end in use."""
        return self._sampler.operations

    @property
    def sample_us(self) -> int:
        """How long a tick lasts; 1 us at least, so that time goes on."""
        return max(1, self.context.intervals.sample_us)

    @property
    def end_us(self) -> int | None:
        """When the last target vanishes and monitoring with it, None if never."""
        if not self.operations.ends_with_targets:
            return None
        ends = [self.operations.lifetime_us(target) for target in self.targets]
        known = [end for end in ends if end is not None]
        # Without targets there is nothing to wait for: over from the beginning.
        return max(known, default=0) if len(known) == len(ends) else None

    def begin(self, now_us: int) -> None:
        """Set the counters, and find the regions of targets that have none."""
        self.tick_us = self._aggr_began_us = now_us
        self.schedule = Schedule.at_start(self.context.intervals)
        self.find_missing_regions()
        self.enforce_min_nr_regions()

    def drop(self) -> None:
        """Forget targets and regions."""
        self.targets = ()
        self.table = RegionTable()

    def sample(self, nr_ticks: int, tick_length_us: int) -> None:
        """Let *nr_ticks* pass, each of the given length, and check every region in each."""
        since = self.tick_us + tick_length_us * np.arange(nr_ticks, dtype=np.int64)[:, None]
        self._sampler.sample(self.table, self.targets, since, since + tick_length_us)
        self.tick_us += tick_length_us * nr_ticks
        self.schedule.passed += nr_ticks

    # -- Regions -------------------------------------------------------------

    def merge(self) -> None:
        """Merge similar regions, then cut those that are too large."""
        merge_regions(
            self.table,
            max_nr_accesses=self.context.intervals.max_nr_accesses,
            max_nr_regions=self.context.nr_regions.max,
            sz_limit=self._sz_limit,
        )
        self.enforce_min_nr_regions()

    def enforce_min_nr_regions(self) -> None:
        """Cut regions that are too large, and remember the size limit."""
        self._sz_limit = enforce_min_nr_regions(
            self.table, self.context.nr_regions.min, self.context.min_region_sz
        )

    def split(self) -> None:
        """Cut regions at random for the next aggregation."""
        split_regions(
            self.table,
            self._rng,
            self._split_state,
            max_nr_regions=self.context.nr_regions.max,
            min_region_sz=self.context.min_region_sz,
        )

    def update_targets(self) -> None:
        """Ask for every target what is to be monitored now, and cover that."""
        for index in range(len(self.targets)):
            self._update_target(index)

    def find_missing_regions(self) -> None:
        """Do as ``update_targets`` for targets without any region."""
        for index in range(len(self.targets)):
            rows = self.table.rows(index)
            if rows.start == rows.stop:
                self._update_target(index)

    def _update_target(self, index: int) -> None:
        unit = self.context.min_region_sz
        ranges = self.operations.ranges(self.targets[index], self.tick_us, unit)
        if ranges is not None:
            regions = set_regions(self.table.of_target(index), ranges, unit)
            self.table = replace_target(self.table, index, regions)

    # -- Attributes and results ----------------------------------------------

    def commit(self, context: Context, operations: Operations) -> None:
        """
        Replace the parameters; a failure leaves everything as it was.

        Args:
            context: All parameters, not only those that change.

            operations: The back end from now on.

        Raises:
            ParametersError: If an obsolete target has no counterpart.

            InvalidError: If ranges are empty or overlap once rounded, or if the
                operations set cannot use a target.

        Source:
            spec core 2.7. The interval setter is skipped when intervals are
            the same, so that an unrelated commit drops no partial counts (P12).
        """
        targets, table = committed_targets(
            self.targets, context.targets, self.table, context.min_region_sz
        )
        is_pure = _check_targets(operations, targets)
        # Nothing below can fail: the real context is never left half changed.
        self.targets, self.table, self.is_pure = targets, table, is_pure
        self._sampler.operations = operations
        self._sampler.forget()
        if context.intervals != self.context.intervals:
            self.set_intervals(context.intervals)
        self.context = context.model_copy(update={"targets": targets})
        self.enforce_min_nr_regions()

    def set_intervals(self, intervals: Intervals) -> None:
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

    def tune_intervals(self, aggregation: int) -> None:
        """
        Tune intervals if a tuning step ends with the aggregation due at that tick.

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
        if tuned.sample_us != intervals.sample_us:
            self.schedule.next_aggregation = aggregation
            update = {"sample_us": tuned.sample_us, "aggr_us": tuned.aggr_us}
            self.set_intervals(intervals.model_copy(update=update))

    def publish(self) -> Snapshot:
        """Return what was found, and reset the counts for the next aggregation."""
        intervals = self.context.intervals
        cells = self.table.cells.copy()
        cells.flags.writeable = False
        target, start, end, nr_accesses, _, age = cells
        snapshot = Snapshot(
            self._aggr_began_us * 1000,
            self.tick_us * 1000,
            intervals.sample_us,
            intervals.aggr_us,
            target,
            start,
            end,
            nr_accesses,
            age,
        )
        self._aggr_began_us = self.tick_us
        self.table.last_nr_accesses[:] = nr_accesses
        self.table.nr_accesses[:] = 0
        return snapshot


def _check_targets(operations: Operations, targets: Sequence[Target]) -> bool:
    """
    Tell whether windows of ticks may be asked about at once, for all targets.

    Raises:
        InvalidError: If the operations set cannot use a target.
    """
    for target in targets:
        operations.lifetime_us(target)
    return all(map(operations.is_pure, targets))
