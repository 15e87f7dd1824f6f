"""What DAMON_RECLAIM and DAMON_LRU_SORT have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Final, Self

from pydantic import AliasChoices, Field

from ..engine.kdamond import Kdamond
from ..errors import Problem
from ..params.base import Bytes, Count, Flag, Parameters, Permil, TimeMs, TimeUs
from ..params.intervals import AGGR_US_MAX, U32_MAX, Intervals, IntervalsGoal
from ..params.keywords import WatermarkMetric
from ..params.monitoring import Context, NrRegions, Ops, Target
from ..params.patterns import AgeBounds, AgeUnit
from ..params.quotas import Watermarks
from ..params.ranges import AddressRange
from ..params.schemes import Scheme
from ..schemes.schemes import Schemes
from ..spaces.space import Space
from .enabled import EnabledModule
from .physical import chosen_range, min_region_sz, range_of
from .rules import USUAL, Rules

TUNED: Final = Intervals(
    sample_us=5_000,
    aggr_us=100_000,
    update_us=0,
    intervals_goal=IntervalsGoal(access_bp=40, aggrs=3, min_sample_us=5_000, max_sample_us="10s"),
)
"""What replaces the intervals if they are to be tuned."""


def kernel_name(name: str) -> AliasChoices:
    """Let a field, whose name ends in its unit, be given by the kernel's name as well."""
    return AliasChoices(f"{name}_us", name)


class ModuleParameters(Parameters, frozen=True):
    """
    The parameters of a module that acts.

    Named as in the kernel, with ``_us`` behind names that hide their unit; the
    kernel's own spelling is taken, too.

    Source:
        spec interfaces 5.1.
        Differs: ``sample_interval`` may not be above ``aggr_interval`` in any
        release; ages that do not fit 32 bits are the largest one.
    """

    quota_ms: TimeMs = 10
    """Time that actions may take per reset interval, in milliseconds; 0 is no limit."""

    quota_reset_interval_ms: TimeMs = 1_000
    """After how long a quota is there anew, in milliseconds."""

    wmarks_interval_us: TimeUs = Field(
        default=5_000_000, validation_alias=kernel_name("wmarks_interval")
    )
    """How long it sleeps between two looks at the free memory while it is inactive."""

    wmarks_high: Permil = 0
    """If more of the memory than this is free it becomes inactive; permil."""

    wmarks_mid: Permil = 0
    """If less of the memory than this is free it becomes active; permil."""

    wmarks_low: Permil = 0
    """
    If less of the memory than this is free it becomes inactive; permil. As in the
    kernel, nobody checks the order of the three: crossed ones never let it act.
    """

    sample_interval_us: TimeUs = Field(
        default=5_000, validation_alias=kernel_name("sample_interval")
    )
    """Sampling interval, in microseconds."""

    aggr_interval_us: TimeUs = Field(default=100_000, validation_alias=kernel_name("aggr_interval"))
    """Aggregation interval, in microseconds."""

    min_nr_regions: Count = 10
    """Fewest regions, at least 3."""

    max_nr_regions: Count = 1_000
    """Most regions, at least as many as fewest."""

    monitor_region_start: Bytes = 0
    """Where the monitored range begins, in address units; if 0 and 0, one is chosen."""

    monitor_region_end: Bytes = 0
    """Where it ends."""

    addr_unit: Bytes = 1
    """Bytes per address unit; 4096 divided by it must be a power of two, or 0."""

    autotune_monitoring_intervals: Flag = False
    """Whether the intervals follow what is found, instead of being as above."""

    @classmethod
    def kernel_names(cls) -> Mapping[str, str]:
        """Return the names of all parameters: the kernel's, and ours."""
        aliases = {name: info.validation_alias for name, info in cls.model_fields.items()}
        return {
            str(alias.choices[1]) if isinstance(alias, AliasChoices) else name: name
            for name, alias in aliases.items()
        }

    @abstractmethod
    def schemes(self, rules: Rules = USUAL) -> tuple[Scheme, ...]:
        """Return what is done about the memory."""

    @abstractmethod
    def statistics(self, schemes: Schemes) -> Mapping[str, int]:
        """Return statistics of running schemes by the kernel's names."""

    @property
    def intervals(self) -> Intervals:
        """How often it looks; physical memory needs no updates, but the kernel has them at 0."""
        if self.autotune_monitoring_intervals:
            return TUNED
        return Intervals(self.sample_interval_us, self.aggr_interval_us, update_us=0)

    @property
    def watermarks(self) -> Watermarks:
        """When it is active."""
        return Watermarks.model_construct(
            metric=WatermarkMetric.FREE_MEM_RATE,
            interval_us=self.wmarks_interval_us,
            high_permil=self.wmarks_high,
            mid_permil=self.wmarks_mid,
            low_permil=self.wmarks_low,
        )

    def region(self, memory: Space, rules: Rules = USUAL) -> AddressRange:
        """
        Return the range that is monitored, in address units.

        Raises:
            InvalidError: If it is empty, or if there is no memory to choose from.
        """
        start, end = self.monitor_region_start, self.monitor_region_end
        if start or end:
            return range_of(start, end, self.addr_unit)
        return chosen_range(memory, self.addr_unit, rules)

    def context(self, memory: Space, rules: Rules = USUAL) -> Context:
        """
        Return what the kernel would run for these parameters.

        Args:
            memory: The physical memory.

            rules: Whose module it is.

        Raises:
            InvalidError: If the range is empty, or if there is no memory.
        """
        return Context(
            ops=Ops.PADDR,
            targets=[Target(regions=[self.region(memory, rules)], space=memory)],
            intervals=self.intervals,
            nr_regions=NrRegions(self.min_nr_regions, self.max_nr_regions),
            addr_unit=self.addr_unit,
            min_region_sz=min_region_sz(self.addr_unit),
            schemes=self.schemes(rules),
        )

    def enabled(self, kdamond: Kdamond, memory: Space, rules: Rules = USUAL) -> EnabledModule[Self]:
        """Return the handle of *kdamond*, which runs these parameters."""
        return EnabledModule(self, kdamond, memory, rules)

    def _problems(self) -> Iterator[Problem]:
        if self.min_nr_regions < 3:
            yield Problem("min_nr_regions", f"{self.min_nr_regions} is too few; at least 3")
        if self.max_nr_regions < self.min_nr_regions:
            why = f"{self.max_nr_regions} is below min_nr_regions, {self.min_nr_regions}"
            yield Problem("max_nr_regions", why)
        if self.monitor_region_start > self.monitor_region_end:
            yield Problem("monitor_region_start", "begins behind monitor_region_end")
        if self.addr_unit < 1 or min_region_sz(self.addr_unit).bit_count() != 1:
            why = f"{self.addr_unit} does not divide a page of 4096 bytes into a power of two"
            yield Problem("addr_unit", why)
        yield from self._interval_problems()

    def _interval_problems(self) -> Iterator[Problem]:
        sample_us, aggr_us = self.sample_interval_us, self.aggr_interval_us
        # Even where other intervals replace it: ages and rates are divided by it.
        if aggr_us < 1:
            yield Problem("aggr_interval", "0 is too short; at least 1 us")
        if sample_us > aggr_us:
            yield Problem("sample_interval", f"{sample_us} us is above aggr_interval, {aggr_us} us")
        if aggr_us > AGGR_US_MAX:
            yield Problem("aggr_interval", f"{aggr_us} us is longer than {AGGR_US_MAX} us")


def ages_from(min_age_us: int, aggr_us: int) -> AgeBounds:
    """Return the ages from *min_age_us* on, in aggregation intervals of *aggr_us*."""
    least = min(min_age_us // aggr_us, U32_MAX)
    return AgeBounds(min=least, max=U32_MAX, unit=AgeUnit.AGGR_INTERVALS)
