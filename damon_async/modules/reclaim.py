"""DAMON_RECLAIM: page out what was not touched for long, if memory is short but not too short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pydantic import Field

from ..params.base import Bytes, Count, Flag, Permil, TimeUs
from ..params.filters import Filter
from ..params.keywords import Action, FilterType, GoalMetric
from ..params.patterns import AccessBounds, AccessPattern, AccessUnit, SizeBounds
from ..params.quotas import GOAL_BP, Goal, Quotas, Weights
from ..params.schemes import Scheme
from ..schemes.schemes import Schemes
from ..units import Quantity
from .parameters import ModuleParameters, ages_from, kernel_name
from .physical import min_region_sz
from .rules import USUAL, Rules

NEVER_ACCESSED: Final = AccessBounds(min=0, max=0, unit=AccessUnit.SAMPLES)


class Reclaim(ModuleParameters, frozen=True):
    """
    Proactive reclaim of all physical memory.

    Source:
        spec interfaces 5.2.
        Differs: where an address is more than a byte, the smallest region it looks at
        is a page all the same.
    """

    min_age_us: TimeUs = Field(default=120_000_000, validation_alias=kernel_name("min_age"))
    """For how long memory must not have been touched, in microseconds."""

    quota_sz: Bytes = 128 << 20
    """Bytes that may be paged out per reset interval; 0 is no limit."""

    quota_mem_pressure_us: Count = 0
    """
    Time that somebody shall wait for memory per reset interval, in microseconds:
    the quota is tuned for it. 0 does not.
    """

    quota_autotune_feedback: Count = 0
    """How good things are in the user's eyes; 10,000 is as wanted. 0 does not tune."""

    skip_anon: Flag = False
    """Whether anonymous memory is left alone."""

    wmarks_high: Permil = 500
    """If more of the memory than this is free it becomes inactive; permil."""

    wmarks_mid: Permil = 400
    """If less of the memory than this is free it becomes active; permil."""

    wmarks_low: Permil = 200
    """If less of the memory than this is free it becomes inactive; permil."""

    if TYPE_CHECKING:
        # Names of two kinds, and texts: what type checkers make of the fields knows neither.
        def __init__(self, **parameters: Quantity | bool) -> None: ...

    def schemes(self, rules: Rules = USUAL) -> tuple[Scheme, ...]:
        """Return the one scheme."""
        del rules
        pattern = AccessPattern(
            sz_bytes=SizeBounds(min=min_region_sz(self.addr_unit)),
            nr_accesses=NEVER_ACCESSED,
            age=ages_from(self.min_age_us, self.intervals.aggr_us),
        )
        scheme = Scheme(
            Action.PAGEOUT,
            pattern,
            quotas=Quotas(
                self.quota_ms,
                self.quota_sz,
                self.quota_reset_interval_ms,
                weights=Weights(0, 0, 1),
                goals=tuple(self._goals()),
            ),
            filters=(Filter(FilterType.ANON),) if self.skip_anon else (),
            name="reclaim",
        )
        # Copied in, because marks in any order are taken.
        return (scheme.model_copy(update={"watermarks": self.watermarks}),)

    def statistics(self, schemes: Schemes) -> Mapping[str, int]:
        """Return its statistics by the kernel's names."""
        stats = schemes.states[0].stats
        return {
            "nr_reclaim_tried_regions": stats.nr_tried,
            "bytes_reclaim_tried_regions": stats.sz_tried,
            "nr_reclaimed_regions": stats.nr_applied,
            "bytes_reclaimed_regions": stats.sz_applied,
            "nr_quota_exceeds": stats.qt_exceeds,
        }

    def _goals(self) -> Iterator[Goal]:
        if self.quota_mem_pressure_us:
            yield Goal(GoalMetric.SOME_MEM_PSI_US, self.quota_mem_pressure_us)
        if self.quota_autotune_feedback:
            yield Goal(GoalMetric.USER_INPUT, GOAL_BP, self.quota_autotune_feedback)
