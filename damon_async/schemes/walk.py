"""
One apply round: every scheme that is due walks the regions and asks to act.

A generator of requests. It decides, whoever drives it does: acts, measures,
waits, and sends each answer back. Between a request and its answer the regions
must not change; all else is consistent there, so that a round may be abandoned
at any request by closing the generator.

Source:
    spec core 7.3. Differs: scheme after scheme walks all regions, where the
    kernel takes region after region through all schemes. Each region still sees
    schemes in their order, and none of them twice. Core filters come before the
    cut at the end of the quota, so that no region is cut for bytes that are
    filtered out anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from ..arrays import IntArray
from ..operations.events import DamosBeforeApply, DamosEsz, TraceEvent
from ..operations.metrics import Placement
from ..operations.requests import ActionRequest, Answer, Applied, MetricRequest, Request
from ..params.keywords import Action
from ..regions.table import AGE, END, START, TARGET
from .candidates import Candidates, candidates, matching, worth
from .goals import Instruments, goals_score, tuned_esz_bp
from .match import size_matches
from .moment import Moment
from .scores import min_score
from .state import SchemeState
from .sums import running_sums, total
from .tried import Tried, Walk
from .walked import WalkedRegions


class ApplyRound:
    """
    One round of all schemes that are due.

    Args:
        regions: The regions; cut, and their ages reset.

        moment: When it happens.

        listen: Called with trace events; None if nobody listens.

        walk: Who wants to see tried regions; None if nobody does.
    """

    __slots__ = ("_listen", "_moment", "_regions", "_walk")

    def __init__(
        self,
        regions: WalkedRegions,
        moment: Moment,
        listen: Callable[[TraceEvent], object] | None = None,
        walk: Walk | None = None,
    ) -> None:
        self._regions = regions
        self._moment = moment
        self._listen = listen
        self._walk = walk

    def run(self, acting: Sequence[SchemeState]) -> Generator[Request, Answer, None]:
        """
        Apply schemes.

        Args:
            acting: Those that are due and active, in order.

        Yields:
            Requests; each needs its answer to be sent.
        """
        # All quotas first, as the kernel does: what is worth an action is found out
        # before any scheme has reset an age.
        for s in acting:
            if s.quota.is_limited:
                yield from self._adjust(s)
        try:
            for s in acting:
                wanted = self._wanted(s)
                if wanted is not None:
                    has_ended = yield from self._serve(s, wanted)
                    s.stats.nr_snapshots += has_ended
        finally:
            # Also if the driver gives the round up.
            self._regions.join(self._moment.sz_limit)

    # -- Quota ---------------------------------------------------------------

    def _adjust(self, s: SchemeState) -> Generator[MetricRequest, Answer, None]:
        """Begin a charge window if it is time, and find out what is worth an action."""
        quotas, quota, moment = s.scheme.quotas, s.quota, self._moment
        if quota.needs_window(quotas, moment.now_us):
            yield from self._begin_window(s)
        # In every round, not only at the beginning of windows: regions have changed.
        quota.min_score = 0
        if s.scores is not None:
            scores, sizes = worth(s, self._regions, moment)
            quota.min_score = min_score(scores, sizes, quota.esz)

    def _begin_window(self, s: SchemeState) -> Generator[MetricRequest, Answer, None]:
        quotas, quota, moment = s.scheme.quotas, s.quota, self._moment
        is_first = quota.window_start_us is None
        s.stats.qt_exceeds += quota.begin_window(moment.now_us, moment.min_region_sz)
        # Once per window: feedback needs time to show what the last step has done.
        if quotas.goals:
            instruments = Instruments(
                s.idx, moment.now_us, moment.metrics, lambda: self._eligible(s)
            )
            score, nr_unmeasured = yield from goals_score(quotas, s.goals, instruments)
            s.stats.nr_unmeasured += nr_unmeasured
            quota.esz_bp = tuned_esz_bp(quotas, quota.esz_bp, score)
        has_changed = quota.set_esz(quotas, moment.min_region_sz)
        # The first time even if nothing is allowed, lest listeners wait for it.
        if self._listen is not None and (has_changed or is_first):
            self._listen(DamosEsz(moment.now_us, 0, s.idx, quota.esz))

    def _eligible(self, s: SchemeState) -> Mapping[int, int]:
        """Return the bytes that the pattern matches, by node."""
        # Without any knowledge of nodes there is no memory on any of them.
        metrics: object = self._moment.metrics
        if not isinstance(metrics, Placement):
            return {}
        ranges = self._ranges(matching(s, self._regions, self._moment))
        return metrics.sz_on_nodes(ranges * self._moment.addr_unit)

    # -- Walking -------------------------------------------------------------

    def _wanted(self, s: SchemeState) -> Candidates | None:
        """Return what a scheme asks for in this round; None if nothing, and all is noted."""
        quota, moment = s.quota, self._moment
        # A full quota leaves the pointer alone: it is for the next window.
        if s.is_exhausted or quota.is_full(moment.min_region_sz) or not len(self._regions):
            return None
        valid, pointed = moment.valid_targets, quota.charge_target
        if valid is not None and pointed is not None and not valid[pointed]:
            # Nobody will ever come to the end of a target that is gone (P19).
            quota.forget_pointer()
        if isinstance(s.scheme.action, Action) and not moment.can_act:
            self._count_only(s, matching(s, self._regions, moment))
        else:
            wanted = candidates(s, self._regions, moment)
            if wanted is not None:
                return wanted
            # The walk has come to its end without service, and so to the pointer's.
            quota.forget_pointer()
        s.stats.nr_snapshots += 1
        return None

    def _serve(self, s: SchemeState, wanted: Candidates) -> Generator[ActionRequest, Answer, bool]:
        """
        Ask for regions until the quota is used up; cut the one that does not fit.

        Where failures are charged less, it takes the answers to know what is
        left; so only regions that fit in any case are asked for together.

        Returns:
            Whether the walk has come to its end.
        """
        quota, regions, unit = s.quota, self._regions, self._moment.min_region_sz
        is_estimate = s.scheme.quotas.fail_charge_denom > 0
        rows, bypass = wanted
        while len(rows):
            nr, cut = len(rows), 0
            if quota.is_limited:
                sums = running_sums(regions.sizes[rows], wide=regions.is_wide)
                nr, cut = quota.fitting(sums, unit, is_estimate=is_estimate)
            last = int(rows[nr - 1])
            # The left part is in the batch, and later regions move by one place.
            if cut:
                regions.cut(last, cut)
                rows = np.concatenate([rows[:nr], rows[nr:] + 1])
            yield from self._act(s, Candidates(rows[:nr], bypass[:nr]))
            if quota.is_full(unit):
                # The pointer stands where the last request was answered.
                return last == len(regions) - 1
            # What was cut off comes next, as a region of its own.
            rest = nr - 1 if cut and size_matches(s.pattern, regions.size(last + 1)) else nr
            rows, bypass = rows[rest:], bypass[rest:]
            if rest < nr:
                rows[0] = last + 1
        quota.forget_pointer()
        return True

    def _act(self, s: SchemeState, batch: Candidates) -> Generator[ActionRequest, Answer, None]:
        """Ask for regions, target by target, and note what came of it."""
        cells = self._regions.table.cells
        targets = cells[TARGET, batch.rows]
        bounds = [0, len(targets)]
        # Mostly there is one target; comparing all neighbours takes longer than this.
        if targets[0] != targets[-1]:
            bounds[1:1] = ((targets[1:] != targets[:-1]).nonzero()[0] + 1).tolist()
        scheme = s.scheme
        for low, high in pairwise(bounds):
            rows = batch.rows[low:high]
            request = ActionRequest(
                s.idx,
                scheme.action,
                int(targets[low]),
                self._ranges(rows),
                self._regions.frequencies[rows],
                # A copy, as picking rows always is: the ages are reset below.
                cells[AGE, rows],
                s.ops_filters,
                batch.bypass[low:high],
                scheme.target_nid,
                scheme.dests,
                self._moment.now_us,
            )
            self._announce(request)
            self._note(s, request, rows, (yield request))

    def _note(self, s: SchemeState, request: ActionRequest, rows: IntArray, answer: Answer) -> None:
        """
        Count, charge and show what was done, and let its regions begin anew.

        Raises:
            TypeError: If the answer is not one for the request.
        """
        if not isinstance(answer, Applied) or len(answer.applied) != len(request):
            raise TypeError(f"{len(request)} ranges need an Applied as long, not {answer!r}")
        stats, quota, wide = s.stats, s.quota, self._regions.is_wide
        sizes = request.sizes
        asked = total(sizes, wide=wide)
        stats.nr_tried += len(request)
        stats.sz_tried += asked
        stats.nr_applied += int(np.count_nonzero(answer.applied))
        stats.sz_applied += total(answer.applied, wide=wide)
        stats.sz_ops_filter_passed += total(answer.passed, wide=wide)
        stats.nr_failed += answer.has_failed
        # Time counts even without a limit, so that one set later knows the pace.
        quota.charge(s.scheme.quotas, sizes, answer.applied, asked)
        quota.total_charged_ns += answer.elapsed_ns
        # At each answer, so that an abandoned round is not served twice.
        if quota.is_limited:
            quota.point_behind(request.target_idx, int(request.ranges[-1, 1]))
        # Also where nothing was done: the back end has looked at the memory, and
        # whoever waits for age must not try again at once.
        if request.action is not Action.STAT:
            self._regions.reset_ages(rows)
        if self._walk is not None:
            self._walk.show(
                Tried(
                    request.scheme_idx,
                    request.target_idx,
                    request.ranges,
                    request.nr_accesses,
                    request.age,
                    answer.passed,
                )
            )

    def _count_only(self, s: SchemeState, rows: IntArray) -> None:
        """
        Do what is left of applying without an operations set that acts.

        Source:
            spec core 2.10: no cut, no filter, no charge; ages and counters only.
        """
        s.stats.nr_tried += len(rows)
        s.stats.sz_tried += total(self._regions.sizes[rows], wide=self._regions.is_wide)
        if s.scheme.action is not Action.STAT:
            self._regions.reset_ages(rows)

    def _announce(self, request: ActionRequest) -> None:
        """Tell listeners about every region that is about to be acted on."""
        if self._listen is None:
            return
        # Events hold plain numbers, which can be compared, kept and written anywhere.
        span = self._regions.rows(request.target_idx)
        columns = request.ranges.tolist(), request.nr_accesses.tolist(), request.age.tolist()
        for (start, end), nr_accesses, age in zip(*columns, strict=True):
            event = DamosBeforeApply(
                request.now_us,
                request.scheme_idx,
                request.target_idx,
                span.stop - span.start,
                start,
                end,
                nr_accesses,
                age,
            )
            self._listen(event)

    def _ranges(self, rows: IntArray) -> IntArray:
        """Return the bounds of regions; int64, shape (nr_rows, 2)."""
        ranges: IntArray = self._regions.table.cells[START : END + 1].take(rows, axis=1).T
        return ranges
