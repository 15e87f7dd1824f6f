"""DAMON_LRU_SORT: tell the lists by which memory is reclaimed what is hot and what is cold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pydantic import Field

from ..errors import Problem
from ..params.base import Bp, Flag, Permil, TimeUs
from ..params.filters import Filter
from ..params.intervals import U32_MAX
from ..params.keywords import Action, FilterType, GoalMetric
from ..params.patterns import AccessBounds, AccessPattern, AccessUnit, AgeBounds, SizeBounds
from ..params.quotas import GOAL_BP, Goal, Quotas, Weights
from ..params.schemes import Scheme
from ..schemes.schemes import Schemes
from ..schemes.stats import SchemeStats
from ..units import Quantity
from .parameters import ModuleParameters, ages_from, kernel_name
from .physical import min_region_sz
from .rules import USUAL, Rules

NEVER_ACCESSED: Final = AccessBounds(min=0, max=0, unit=AccessUnit.SAMPLES)

SLACK_BP: Final = 2
"""By how much the goals of both schemes together are above all memory, in basis points."""


class LruSort(ModuleParameters, frozen=True):
    """
    Proactive sorting of the lists of all physical memory.

    Source:
        spec interfaces 5.3.
        Differs: ``active_mem_bp`` above 10,000 is refused, because it would mean
        less than no inactive memory.
    """

    hot_thres_access_freq: Permil = 500
    """From which access frequency on memory is hot; permil of the samples."""

    cold_min_age_us: TimeUs = Field(
        default=120_000_000, validation_alias=kernel_name("cold_min_age")
    )
    """For how long memory must not have been touched to be cold, in microseconds."""

    active_mem_bp: Bp = 0
    """Share of the memory that shall be active: quotas are tuned for it; 0 does not."""

    filter_young_pages: Flag = False
    """Whether pages are looked at one by one: only young ones are hot, only old ones cold."""

    wmarks_high: Permil = 200
    """If more of the memory than this is free it becomes inactive; permil."""

    wmarks_mid: Permil = 150
    """If less of the memory than this is free it becomes active; permil."""

    wmarks_low: Permil = 50
    """If less of the memory than this is free it becomes inactive; permil."""

    if TYPE_CHECKING:
        # Names of two kinds, and texts: what type checkers make of the fields knows neither.
        def __init__(self, **parameters: Quantity | bool) -> None: ...

    def schemes(self, rules: Rules = USUAL) -> tuple[Scheme, ...]:
        """Return both schemes: for hot memory, and for cold memory."""
        return (self._hot(rules), self._cold(rules))

    def statistics(self, schemes: Schemes) -> Mapping[str, int]:
        """Return its statistics by the kernel's names."""
        hot, cold = (state.stats for state in schemes.states)
        return {**_statistics(hot, "hot"), **_statistics(cold, "cold")}

    def _hot(self, rules: Rules) -> Scheme:
        intervals = self.intervals
        # Divided in this order, as the kernel does.
        least = intervals.aggr_us // intervals.sample_us * self.hot_thres_access_freq // 1000
        bounds = AccessBounds(min=min(least, U32_MAX), max=U32_MAX, unit=AccessUnit.SAMPLES)
        goal = Goal(GoalMetric.ACTIVE_MEM_BP, self.active_mem_bp) if self.active_mem_bp else None
        return self._scheme(Action.LRU_PRIO, bounds, AgeBounds(), goal, rules)

    def _cold(self, rules: Rules) -> Scheme:
        ages = ages_from(self.cold_min_age_us, self.intervals.aggr_us)
        goal = None
        if self.active_mem_bp:
            # Overlapping by a little, so that there is always one who has more to do.
            rest = GOAL_BP - self.active_mem_bp + SLACK_BP
            goal = Goal(GoalMetric.INACTIVE_MEM_BP, rest)
        return self._scheme(Action.LRU_DEPRIO, NEVER_ACCESSED, ages, goal, rules)

    def _scheme(
        self, action: Action, bounds: AccessBounds, ages: AgeBounds, goal: Goal | None, rules: Rules
    ) -> Scheme:
        """Return one of the two; all but what is given is the same for both."""
        is_hot = action is Action.LRU_PRIO
        # Rejects what is not young from being hot, and what is young from being cold.
        young = Filter(FilterType.YOUNG, matching=not is_hot)
        scheme = Scheme(
            action,
            AccessPattern(SizeBounds(min=min_region_sz(self.addr_unit)), bounds, ages),
            quotas=Quotas(
                self.quota_ms // 2,
                reset_interval_ms=self.quota_reset_interval_ms,
                weights=Weights(0, 1, int(rules.weighs_age)),
                goals=(goal,) if goal is not None else (),
            ),
            filters=(young,) if self.filter_young_pages else (),
            name="hot" if is_hot else "cold",
        )
        # Copied in, because marks in any order are taken.
        return scheme.model_copy(update={"watermarks": self.watermarks})

    def _problems(self) -> Iterator[Problem]:
        yield from super()._problems()
        # Divided by; elsewhere 0 counts as 1.
        if not self.sample_interval_us:
            yield Problem("sample_interval", "0 is too short; at least 1 us")
        if self.active_mem_bp > GOAL_BP:
            yield Problem("active_mem_bp", f"{self.active_mem_bp} is more than all; at most 10000")


def _statistics(stats: SchemeStats, kind: str) -> dict[str, int]:
    return {
        f"nr_lru_sort_tried_{kind}_regions": stats.nr_tried,
        f"bytes_lru_sort_tried_{kind}_regions": stats.sz_tried,
        f"nr_lru_sorted_{kind}_regions": stats.nr_applied,
        f"bytes_lru_sorted_{kind}_regions": stats.sz_applied,
        f"nr_{kind}_quota_exceeds": stats.qt_exceeds,
    }
