"""
damo's parameter options, as one group that commands share.

Options keep None until they are given: a parameter document and single options
exclude each other, so it must be known which were.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Final, Literal

from cyclopts import Group, Parameter

from ..errors import InvalidError
from ..params.document import DEFAULT_INTERVALS
from ..params.intervals import Intervals, IntervalsGoal
from ..params.monitoring import NrRegions
from .quantities import Bytes, Count, CountPair, GoalQuadruple, Ranges, TimeMs, TimeTriple, TimeUs

GROUP: Final = Group("Monitoring parameters", sort_key=10)

AUTOTUNE_GOAL: Final = IntervalsGoal("4%", 3, "5ms", "10s")
"""What ``--monitoring_intervals_autotune`` stands for. Source: spec damo 1.1."""


@Parameter(name="*", group=GROUP)
@dataclass(frozen=True, kw_only=True)
class ParameterOptions:
    """
    How to monitor, in damo's names and text forms.

    Source:
        spec damo 1.1.
    """

    # A Literal and not Ops: of an enum, cyclopts takes the names of members.
    ops: Literal["vaddr", "fvaddr", "paddr"] | None = None
    """Operations set. Default: fvaddr with --regions; else vaddr if the
    workload's mappings have the three ranges of a process, else fvaddr over
    its mappings."""

    regions: Annotated[Ranges | None, Parameter(alias="-r")] = None
    """Address ranges to monitor, as one word: "4G-8G 9G-10G". Default: what the
    workload maps."""

    monitoring_intervals: TimeTriple | None = None
    """Sampling, aggregation and operations update interval; bare numbers are
    microseconds. Default: 5ms 100ms 1s."""

    sample: Annotated[TimeUs | None, Parameter(alias="-s")] = None
    """Sampling interval alone. Default: 5ms."""

    aggr: Annotated[TimeUs | None, Parameter(alias="-a")] = None
    """Aggregation interval alone. Default: 100ms."""

    updr: Annotated[TimeUs | None, Parameter(alias="-u")] = None
    """Operations update interval alone. Default: 1s."""

    monitoring_intervals_goal: GoalQuadruple | None = None
    """Tune the intervals: wanted share of positive checks (basis points or
    percent), aggregations between two tunings (0 turns tuning off), shortest and
    longest sampling interval. Default: 0% 0 0us 0us."""

    # None like the others, though a flag: given() must see it.
    monitoring_intervals_autotune: bool | None = None
    """The goal 4% 3 5ms 10s."""

    monitoring_nr_regions_range: CountPair | None = None
    """Fewest and most regions. Default: 10 1000."""

    minr: Annotated[Count | None, Parameter(alias="-n")] = None
    """Fewest regions alone, at least 3. Default: 10."""

    maxr: Annotated[Count | None, Parameter(alias="-m")] = None
    """Most regions alone. Default: 1000."""

    damon_addr_unit: Bytes | None = None
    """Bytes per address of a region; only paddr takes more than 1. Default: 1."""

    refresh_stat: TimeMs | None = None
    """How often published statistics renew themselves; kept in the parameter
    file beside the record. Default: 0, never."""

    def given(self) -> tuple[str, ...]:
        """Return the names of the options that were given, with their dashes."""
        # A zero and an empty tuple are given; only None is not.
        return tuple(f"--{f.name}" for f in fields(self) if getattr(self, f.name) is not None)

    def intervals(self) -> Intervals:
        """
        Return the intervals that the options ask for.

        Raises:
            InvalidError: If a goal and the automatic one are both given.

            ParametersError: If the intervals do not go together.
        """
        sample, aggr, update = self.monitoring_intervals or (
            DEFAULT_INTERVALS.sample_us,
            DEFAULT_INTERVALS.aggr_us,
            DEFAULT_INTERVALS.update_us,
        )
        # The pinpoint form wins, wherever it stands: damo does the same.
        return Intervals(
            sample if self.sample is None else self.sample,
            aggr if self.aggr is None else self.aggr,
            update if self.updr is None else self.updr,
            self._goal(),
        )

    def nr_regions(self) -> NrRegions:
        """
        Return the bounds that the options ask for.

        Raises:
            ParametersError: If the bounds do not go together.
        """
        default = NrRegions()
        low, high = self.monitoring_nr_regions_range or (default.min, default.max)
        return NrRegions(
            low if self.minr is None else self.minr, high if self.maxr is None else self.maxr
        )

    def _goal(self) -> IntervalsGoal:
        goal = self.monitoring_intervals_goal
        # Without any goal the model's own zeros stand, which turn tuning off.
        if not self.monitoring_intervals_autotune:
            return IntervalsGoal(*(goal or ()))
        if goal is not None:
            raise InvalidError(
                "--monitoring_intervals_autotune is itself a goal; leave out one of it and "
                "--monitoring_intervals_goal"
            )
        return AUTOTUNE_GOAL


NO_PARAMETERS: Final = ParameterOptions()
"""What stands for damo's defaults."""
