"""All schemes of a context: when they are due, when they are active, what a commit does."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from ..arrays import IntArray
from ..errors import BusyError
from ..operations.events import TraceEvent
from ..operations.metrics import Metrics
from ..operations.requests import Answer, MetricRequest, Request
from ..params.intervals import Intervals
from ..params.keywords import WatermarkMetric
from ..params.schemes import Scheme
from ..regions.table import RegionTable
from .goals import answered
from .moment import Moment
from .state import SchemeState
from .tried import Tried, Walk
from .walk import ApplyRound
from .walked import WalkedRegions
from .watermarks import watched


class Schemes:
    """
    The schemes of one context, in order.

    No clock, no task and no await: whoever has those calls ``apply`` when
    something is due and answers the requests that it yields.

    Args:
        schemes: Their parameters.

        intervals: What frequencies and ages are counted in.

        min_region_sz: The smallest region, in bytes.

        listen: Called with trace events; None if nobody listens.

    Attributes:
        states: One per scheme, in order.

        listen: As above; may be changed at any time.

    Source:
        spec core 7.
    """

    def __init__(
        self,
        schemes: Sequence[Scheme],
        intervals: Intervals,
        min_region_sz: int = 4096,
        listen: Callable[[TraceEvent], object] | None = None,
    ) -> None:
        self.listen = listen
        self._intervals = intervals
        self._min_region_sz = min_region_sz
        self._walk: Walk | None = None
        self.states: list[SchemeState] = []
        self._append(schemes)
        # As if monitoring began now; ``begin`` says when it really does.
        self._plan(self.states, passed=0)

    def __repr__(self) -> str:
        """Say how many there are, and how many are active."""
        nr_active = sum(s.is_active for s in self.states)
        return f"<Schemes {len(self.states)}, {nr_active} active>"

    def __len__(self) -> int:
        """Return the number of schemes."""
        return len(self.states)

    # -- When ----------------------------------------------------------------

    @property
    def has_watermarks(self) -> bool:
        """Whether any scheme may be inactive; if not, ``watch`` needs no calls."""
        return any(s.scheme.watermarks.metric is not WatermarkMetric.NONE for s in self.states)

    def watch(self, now_us: int, metrics: Metrics | None) -> Generator[MetricRequest, Answer, int]:
        """
        Look at all watermarks, and have schemes fall asleep or wake up.

        Args:
            now_us: The time, in microseconds.

            metrics: The machine; without one, schemes are always active (P26).

        Yields:
            Requests to call functions of the user.

        Returns:
            How long nothing is to be done because all schemes are inactive, in
            microseconds; 0 if monitoring goes on.

        Source:
            spec core 4.5 with the recommended behaviour: computed anew in each
            round of a wait.
        """
        waits_us = []
        for s in self.states:
            watermarks = s.scheme.watermarks
            value: int | None = None
            if not isinstance(watermarks.metric, WatermarkMetric):
                request = MetricRequest(s.idx, watermarks.metric, None, now_us)
                value = answered(request, (yield request))
                s.stats.nr_unmeasured += value is None
            elif metrics is None or watermarks.metric is WatermarkMetric.NONE:
                # Nobody to ask means always active, not inactive for ever.
                waits_us.append(0)
                continue
            else:
                value = metrics.value(watermarks.metric, nid=None, memcg_path=None, now_us=now_us)
            s.is_active, wait_us = watched(watermarks, is_active=s.is_active, value=value)
            waits_us.append(wait_us)
        # One active scheme keeps everybody awake: regions are sampled for all.
        return min(waits_us, default=0)

    def is_due(self, passed: int) -> bool:
        """Tell whether ``apply`` would do anything once *passed* sampling intervals passed."""
        next_due = self.next_due
        return next_due is not None and passed >= next_due

    @property
    def next_due(self) -> int | None:
        """
        After how many sampling intervals an active scheme is due; None if none is.

        May have passed already: a scheme that was asleep is due as it wakes up,
        and one without an apply interval to speak of is due at every tick.
        """
        # A list, which is cheaper than a generator for as few as schemes are.
        return min([s.next_apply for s in self.states if s.is_active], default=None)

    # -- What ----------------------------------------------------------------

    def apply(
        self, table: RegionTable, frequencies: IntArray, moment: Moment
    ) -> Generator[Request, Answer, None]:
        """
        Apply all schemes that are due and active; nothing if there are none.

        Args:
            table: The regions: cut where only a part is acted on, and their ages
                reset. Must not change between a request and its answer.

            frequencies: int64, shape (nr_regions,): accesses per aggregation
                interval as of now.

            moment: When it happens.

        Yields:
            Requests; each needs its answer to be sent.

        Source:
            spec core 7.3.
        """
        due = [s for s in self.states if moment.passed >= s.next_apply]
        acting = [s for s in due if s.is_active]
        if not acting:
            # Nothing is planned either: who wakes up late is due at once.
            return
        walk = self._walk
        regions = WalkedRegions(table, frequencies, moment.intervals)
        yield from ApplyRound(regions, moment, self.listen, walk).run(acting)
        # Sleepers are planned with the others, and have had their round as well.
        self._plan(due, moment.passed)
        for s in due:
            if self.listen is not None:
                self.listen(s.stats.event(moment.now_us, s.idx))
            if walk is not None:
                walk.complete(s.idx)

    def walk(
        self, visit: Callable[[Tried], object], when_ended: Callable[[Walk], object] | None = None
    ) -> Walk:
        """
        Have every region shown that an action is asked for on, for one round of each scheme.

        Args:
            visit: Called with the regions of each request.

            when_ended: Called once, when nothing more will happen.

        Raises:
            BusyError: If another walk is pending.

        Source:
            spec core 4.6. Canceled at once if there are no schemes.
        """
        if self._walk is not None and self._walk.is_pending:
            raise BusyError("walk the tried regions", "another walk is pending")
        self._walk = Walk(visit, (s.idx for s in self.states), when_ended)
        # Nobody would ever complete it.
        if not self.states:
            self.cancel_walk("there are no schemes")
        return self._walk

    def cancel_walk(self, why: str) -> None:
        """Give up on the pending walk, if any: asleep, paused, or at the end."""
        if self._walk is not None:
            self._walk.cancel(why)

    # -- Changes -------------------------------------------------------------

    def begin(self, passed: int = 0) -> None:
        """Count apply intervals from now on."""
        self._plan(self.states, passed)

    def set_intervals(self, intervals: Intervals, passed: int) -> None:
        """
        Count in other intervals, and plan all apply rounds anew.

        Source:
            spec core 2.1, setter side effects.
        """
        self._intervals = intervals
        for s in self.states:
            s.set_intervals(intervals)
        self._plan(self.states, passed)

    def commit(
        self, schemes: Sequence[Scheme], passed: int, min_region_sz: int | None = None
    ) -> None:
        """
        Take other parameters; schemes are matched by their places in the list.

        Args:
            schemes: All of them. Statistics, charges and what was measured
                survive; surplus old ones end; every one becomes active.

            passed: Sampling intervals so far. New schemes, and those whose apply
                interval is another one, begin theirs here.

            min_region_sz: The smallest region from now on, in bytes.

        Source:
            spec core 2.7 and P37. Intervals are set first, if they change.
        """
        self._min_region_sz = min_region_sz or self._min_region_sz
        gone, kept = self.states[len(schemes) :], self.states[: len(schemes)]
        for s, scheme in zip(kept, schemes, strict=False):
            # Moving everybody's next round would let frequent commits starve schemes.
            is_same = scheme.apply_interval_us == s.scheme.apply_interval_us
            s.set_scheme(scheme, self._min_region_sz, self._intervals)
            if not is_same:
                self._plan([s], passed)
        # Counted before: the list grows by the new ones.
        # Remembered, because the list of those who are kept is about to grow.
        nr_kept = len(kept)
        self.states = kept
        self._append(schemes[nr_kept:])
        self._plan(self.states[nr_kept:], passed)
        if self._walk is not None:
            # They will never have the round that they owe.
            for s in gone:
                self._walk.complete(s.idx)
        if not schemes:
            self.cancel_walk("there are no schemes")

    def commit_quota_goals(self, schemes: Sequence[Scheme]) -> None:
        """
        Take the quota goals of *schemes*, by their places, and nothing else.

        Source:
            spec core 2.7 on goals; the state word ``commit_schemes_quota_goals``.
        """
        for s, scheme in zip(self.states, schemes, strict=False):
            # Copies without validation: both halves have been validated before.
            quotas = s.scheme.quotas.model_copy(update={"goals": scheme.quotas.goals})
            s.set_goals(s.scheme.model_copy(update={"quotas": quotas}))

    def target_removed(self, index: int) -> None:
        """
        Adapt to a target list that lacks the target at *index* from now on.

        Source:
            spec core 2.7 and P19.
        """
        for s in self.states:
            s.quota.target_removed(index)

    def _append(self, schemes: Sequence[Scheme]) -> None:
        for scheme in schemes:
            idx = len(self.states)
            self.states.append(SchemeState(scheme, idx, self._min_region_sz, self._intervals))

    def _plan(self, states: Sequence[SchemeState], passed: int) -> None:
        """
        Say when schemes are due next.

        Source:
            spec core 7.3 step 3, example E38.
        """
        # 0 ticks, if an interval is shorter than one, are due at every tick.
        sample_us = max(1, self._intervals.sample_us)
        for s in states:
            interval_us = s.scheme.apply_interval_us or self._intervals.aggr_us
            s.next_apply = passed + interval_us // sample_us
