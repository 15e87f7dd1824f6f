"""DAMON_STAT: tell how idle memory is, with intervals that follow what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..arrays import IntArray
from ..engine.kdamond import Kdamond
from ..errors import InvalidError, NoMemoryError
from ..monitor.monitor import Monitor
from ..params.base import Parameters
from ..params.intervals import Intervals, IntervalsGoal
from ..params.monitoring import Context, NrRegions, Ops, Target
from ..spaces.space import Space
from .enabled import Running
from .idle import NR_PERCENTILES, bandwidth, idle_ms, percentiles
from .physical import chosen_range
from .rules import USUAL, Rules

INTERVALS: Final = Intervals(
    sample_us="5ms",
    aggr_us="100ms",
    update_us="60s",
    intervals_goal=IntervalsGoal(access_bp=400, aggrs=3, min_sample_us="5ms", max_sample_us="10s"),
)

UPDATE_US: Final = 5_000_000
"""Estimates are at least so old before they are made anew, in microseconds."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """
    What DAMON_STAT tells.

    Attributes:
        memory_idle_ms_percentiles: For how long the memory has been idle at each
            percentile of its bytes, in milliseconds; what is in use is negative.

        estimated_memory_bandwidth: Bytes per second.

        aggr_interval_us: The aggregation interval that both were made with.
    """

    memory_idle_ms_percentiles: tuple[int, ...] = (0,) * NR_PERCENTILES
    estimated_memory_bandwidth: int = 0
    aggr_interval_us: int = 0

    @classmethod
    def of_regions(
        cls,
        sizes: IntArray,
        nr_accesses: IntArray,
        age: IntArray,
        aggr_us: int,
        rules: Rules = USUAL,
    ) -> Estimates:
        """
        Estimate from regions at the end of an aggregation.

        Args:
            sizes: int64, shape (nr_regions,), in bytes.

            nr_accesses: int64, shape (nr_regions,).

            age: int64, shape (nr_regions,), in aggregation intervals.

            aggr_us: The aggregation interval, in microseconds.

            rules: Whose module it is.
        """
        idle = idle_ms(nr_accesses, age, aggr_us, signs_busy=rules.signs_busy)
        return cls(percentiles(idle, sizes), bandwidth(nr_accesses, sizes, aggr_us), aggr_us)


class Stat(Parameters, frozen=True):
    """
    Monitoring of all physical memory, without anything to choose.

    Source:
        spec interfaces 5.4.
    """

    def context(self, memory: Space, rules: Rules = USUAL) -> Context:
        """
        Return what the kernel would run.

        Raises:
            NoMemoryError: If there is no memory to be monitored.
        """
        try:
            region = chosen_range(memory, 1, rules)
        except InvalidError:
            # As the kernel reports whatever keeps it from setting up.
            raise NoMemoryError("DAMON_STAT: there is none to be monitored") from None
        return Context(
            ops=Ops.PADDR,
            targets=[Target(regions=[region], space=memory)],
            intervals=INTERVALS,
            nr_regions=NrRegions(10, 1000),
        )

    def enabled(self, kdamond: Kdamond, memory: Space, rules: Rules = USUAL) -> EnabledStat:
        """Return the handle of *kdamond*, and have it make estimates from now on."""
        del memory
        return EnabledStat(kdamond, rules)


class EnabledStat(Running):
    """
    A DAMON_STAT that was enabled.

    Args:
        kdamond: Runs it.

        rules: Whose module it is.

    Attributes:
        estimates: The newest; all 0 for more than five seconds.

    Source:
        spec interfaces 5.4. Differs: estimates are made at the end of an
        aggregation only, where counts are complete.
    """

    def __init__(self, kdamond: Kdamond, rules: Rules = USUAL) -> None:
        super().__init__(kdamond)
        self.estimates = Estimates()
        self._rules = rules
        self._updated_us: int | None = None
        kdamond.call_nowait(self._look)

    def _look(self, monitor: Monitor) -> None:
        """Make estimates if it is time, and come back at the end of an aggregation."""
        now_us, schedule = monitor.tick_us, monitor.schedule
        sample_us = max(1, monitor.context.intervals.sample_us)
        if self._updated_us is None:
            # This is the first tick; time counts from the beginning of it.
            self._updated_us = now_us - schedule.passed * sample_us
        is_time = now_us - self._updated_us > UPDATE_US
        if is_time and schedule.is_aggregation_due:
            self._updated_us = now_us
            self.estimates = self._estimates(monitor)
        left = schedule.nr_ticks_left or monitor.context.intervals.aggr_samples
        next_us = now_us + left * sample_us
        # Not before it can be time: each look cuts the window that it falls into.
        monitor.call(self._look, now_us=max(next_us, self._updated_us + UPDATE_US + 1))

    def _estimates(self, monitor: Monitor) -> Estimates:
        table = monitor.table
        return Estimates.of_regions(
            table.end - table.start,
            table.nr_accesses,
            table.age,
            monitor.context.intervals.aggr_us,
            self._rules,
        )
