"""What a monitor knows of its context, and what each step does to that."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import numpy as np

from ..arrays import BoolArray, IntArray
from ..operations.base import Operations
from ..operations.events import DamonAggregated, IntervalsTuned, TraceEvent
from ..operations.metrics import Metrics
from ..operations.requests import Acting, ActionRequest, Answer, Applied, Request
from ..params.intervals import AGGR_US_MAX, Intervals
from ..params.monitoring import Context, Target
from ..records.snapshot import Snapshot
from ..regions.merge import merge_regions
from ..regions.rates import convert_results, frequency
from ..regions.split import SplitState, enforce_min_nr_regions, split_regions
from ..regions.table import RegionTable
from ..regions.tuning import access_score, tuned_intervals
from ..schemes.moment import Moment
from ..schemes.schemes import Schemes
from .committing import committed_targets, initial_table, removed_targets, updated_table
from .sampling import Sampler
from .schedule import Schedule

CHECKS_AT_ONCE = 2**17
"""Regions times ticks of one array step: a few MiB, however long the window."""


class ContextState:
    """
    Parameters, targets, regions and counters of one context.

    Each method is one step of an iteration; which comes when is the
    ``Monitor``'s to know.

    Args:
        context: What to monitor, and how.

        operations: The back end its targets are asked through.

        rng: Where sampling addresses and split points come from.

        metrics: The machine that watermarks and goals of schemes ask; None if
            there is none.

    Attributes:
        schemes: Its schemes; their listener hears all trace events.

        context: The parameters in force; interval tuning and commits change them.

        targets: The targets being monitored.

        table: Their regions.

        schedule: Tick counters.

        tick_us: When the running tick began.

        has_begun: Whether that time is known.

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
        metrics: Metrics | None = None,
    ) -> None:
        self.context = context
        self.schemes = Schemes(context.schemes, context.intervals, context.min_region_sz)
        self.targets: tuple[Target, ...] = context.targets
        self.table = initial_table(context.targets, context.min_region_sz)
        self.schedule = Schedule()
        self.tick_us = 0
        self.has_begun = False
        self.is_pure = _check_targets(operations, context.targets)
        self._aggr_began_us = 0
        self._sampler = Sampler(operations, rng)
        self._metrics = metrics
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
        # Everything that divides by it, or waits for it, relies on that (P25).
        return max(1, self.context.intervals.sample_us)

    @property
    def end_us(self) -> int | None:
        """When the last target vanishes and monitoring with it, None if never."""
        # Asked anew each time: a space that learns while it runs may be closed.
        if not self.operations.ends_with_targets:
            return None
        ends = [self.operations.lifetime_us(target) for target in self.targets]
        known = [end for end in ends if end is not None]
        # Without targets there is nothing to wait for: over from the beginning.
        return max(known, default=0) if len(known) == len(ends) else None

    @property
    def frequencies(self) -> IntArray:
        """Access frequency of each region now, in accesses per aggregation interval."""
        # Computed on demand, so that no tick pays for what nobody reads (P10).
        counts, last = self.table.nr_accesses, self.table.last_nr_accesses
        nr_samples = self.context.intervals.max_nr_accesses
        return frequency(counts, last, self.schedule.nr_ticks_left, nr_samples)

    @property
    def nr_ticks_until_due(self) -> int:
        """Ticks until an aggregation, an update or an apply round is due; at least 1."""
        # An update of ranges that never change may be late: it does nothing. Without
        # this, an update interval of 0, as modules have it, would make every tick a
        # window of its own.
        is_fixed = getattr(self.operations, "has_fixed_ranges", False)
        schedule = self.schedule
        nr_ticks = max(1, schedule.nr_ticks_left) if is_fixed else schedule.nr_ticks_until_due
        next_apply = self.schemes.next_due
        if next_apply is None:
            return nr_ticks
        return max(1, min(nr_ticks, next_apply - self.schedule.passed))

    def nr_ticks_until(self, instant_us: int) -> int:
        """Return how many ticks must end until *instant_us* is over; may be negative."""
        return -(-(instant_us - self.tick_us) // self.sample_us)

    def begin(self, now_us: int) -> None:
        """Set the counters, and find the regions of targets that have none."""
        self.tick_us = self._aggr_began_us = now_us
        self.has_begun = True
        self.schedule = Schedule.at_start(self.context.intervals)
        self.schemes.begin()
        self._update_table(only_missing=True)
        self.enforce_min_nr_regions()

    def drop(self) -> None:
        """Forget targets and regions."""
        self.targets = ()
        self.table = RegionTable()

    def sample(self, nr_ticks: int, tick_length_us: int) -> None:
        """Let up to *nr_ticks* of the given length pass, and check every region in each."""
        # The caller comes again for the rest.
        nr_ticks = min(nr_ticks, max(1, CHECKS_AT_ONCE // max(1, len(self.table))))
        since = self.tick_us + tick_length_us * np.arange(nr_ticks, dtype=np.int64)[:, None]
        self._sampler.sample(self.table, self.targets, since, since + tick_length_us)
        self.tick_us += tick_length_us * nr_ticks
        self.schedule.passed += nr_ticks

    # -- Regions -------------------------------------------------------------

    def merge(self) -> None:
        """Merge similar regions; none becomes too large."""
        merge_regions(
            self.table,
            max_nr_accesses=self.context.intervals.max_nr_accesses,
            max_nr_regions=self.context.nr_regions.max,
            sz_limit=self._sz_limit,
        )

    def enforce_min_nr_regions(self) -> None:
        """
        Cut regions that are too large, and remember the size limit.

        Called whenever ranges or bounds change: merging keeps to the limit and
        splitting keeps what is covered, so nothing else can make it untrue.

        Source:
            spec core 5.2, P7. Differs: what an operations update adds is cut at
            once, not at the end of the next aggregation.
        """
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

    def update_targets(self) -> None:
        """Plan the next operations update; ask what is to be monitored, and cover that."""
        self.schedule.end_ops_update(self.context.intervals)
        # Next to nothing to do where no target has ranges to tell.
        old = self.table
        self._update_table()
        if self.table is not old:
            self.enforce_min_nr_regions()

    def _update_table(self, *, only_missing: bool = False) -> None:
        unit = self.context.min_region_sz
        self.table = updated_table(
            self.table, self.operations, self.targets, self.tick_us, unit, only_missing=only_missing
        )

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
            Differs: other bounds of ``nr_regions`` are unrelated as well; a new
            target's regions are looked up at once, not at the next update.
        """
        unit = context.min_region_sz
        targets, table = committed_targets(self.targets, context.targets, self.table, unit)
        gone = removed_targets(self.targets, context.targets)
        is_pure = _check_targets(operations, targets)
        if self.has_begun:
            table = updated_table(table, operations, targets, self.tick_us, unit, only_missing=True)
        # Nothing below can fail: the real context is never left half changed.
        self.targets, self.table, self.is_pure = targets, table, is_pure
        self._sampler.operations = operations
        # Targets may have changed although all bounds are the same.
        self._sampler.forget()
        # From the last one on, so that the places of the others stay true.
        for index in reversed(gone):
            self.schemes.target_removed(index)
        if context.intervals != self.context.intervals:
            self.set_intervals(context.intervals)
        self.schemes.commit(context.schemes, self.schedule.passed, unit)
        self.context = context.model_copy(update={"targets": targets})
        self.enforce_min_nr_regions()

    def set_intervals(self, intervals: Intervals) -> None:
        """
        Switch to other intervals: reschedule, and convert results to them.

        Source:
            spec core 2.1 (setter side effects) and 2.6.
        """
        old = self.context.intervals
        self.schedule.restart(intervals)
        # The same goal with other intervals goes on with the step it is in.
        if intervals.intervals_goal != old.intervals_goal:
            self.schedule.restart_tuning(intervals)
        convert_results(
            self.table,
            (old.sample_us, old.aggr_us),
            (intervals.sample_us, intervals.aggr_us),
            is_aggregating=not self.schedule.is_aggregation_due,
        )
        self.context = self.context.model_copy(update={"intervals": intervals})
        self.schemes.set_intervals(intervals, self.schedule.passed)

    # -- Schemes -------------------------------------------------------------

    def apply_schemes(self) -> Generator[Request, Answer, None]:
        """Apply the schemes that are due now; yields what is to be done."""
        operations, targets, now_us = self.operations, self.targets, self.tick_us
        valid: BoolArray | None = None
        if operations.ends_with_targets:
            ends = [operations.lifetime_us(target) for target in targets]
            valid = np.array([end is None or now_us < end for end in ends], np.bool_)
        moment = Moment(
            now_us,
            self.schedule.passed,
            self.context.intervals,
            self.context.min_region_sz,
            self._sz_limit,
            isinstance(operations, Acting),
            self._metrics,
            valid,
            self.context.addr_unit,
        )
        return self.schemes.apply(self.table, self.frequencies, moment)

    def watch(self) -> Generator[Request, Answer, int]:
        """Look at the watermarks of all schemes; returns for how long all are inactive."""
        return (yield from self.schemes.watch(self.tick_us, self._metrics))

    def act(self, request: ActionRequest) -> Applied:
        """Carry out a built-in action through the operations set."""
        operations = self.operations
        if isinstance(operations, Acting):
            return operations.apply(self.targets[request.target_idx], request)
        return Applied.nothing(request)

    def end_aggregation(self) -> Snapshot:
        """Tune intervals if it is time; publish, reset and split; plan the next one."""
        self._tune_intervals()
        self.schedule.end_aggregation(self.context.intervals)
        snapshot = self._publish()
        self._split()
        return snapshot

    def _tune_intervals(self) -> None:
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
        aggr_samples = max(1, intervals.aggr_samples)
        # Only this aggregation counts, not the sum over the step; the kernel's way.
        self.schedule.next_tuning += aggr_samples * goal.aggrs
        tuned = tuned_intervals(
            access_score(self.table, aggr_samples, goal.access_bp),
            intervals.sample_us,
            aggr_samples,
            (goal.min_sample_us, min(goal.max_sample_us, AGGR_US_MAX // aggr_samples)),
        )
        # At a bound nothing changes: no setter, so that no count is truncated.
        if tuned.sample_us != intervals.sample_us:
            update = {"sample_us": tuned.sample_us, "aggr_us": tuned.aggr_us}
            self.set_intervals(intervals.model_copy(update=update))
            if self.schemes.listen is not None:
                self.schemes.listen(IntervalsTuned(self.tick_us, tuned.sample_us))

    def _publish(self) -> Snapshot:
        """Return what was found, and reset the counts for the next aggregation."""
        intervals = self.context.intervals
        # One copy of all columns; views of a read-only array are read-only.
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
        if self.schemes.listen is not None:
            _announce(snapshot, self.schemes.listen)
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
    # Any question would do: this one is cheap, and every set must answer it.
    for target in targets:
        operations.lifetime_us(target)
    return all(map(operations.is_pure, targets))


def _announce(snapshot: Snapshot, listen: Callable[[TraceEvent], object]) -> None:
    """Tell of every region of a snapshot, as the kernel's trace does."""
    time_us = snapshot.end_ns // 1000
    nr_regions = np.bincount(snapshot.target).tolist()
    columns = (snapshot.target, snapshot.start, snapshot.end, snapshot.nr_accesses, snapshot.age)
    for target, *row in zip(*(column.tolist() for column in columns), strict=True):
        listen(DamonAggregated(time_us, target, nr_regions[target], *row))
