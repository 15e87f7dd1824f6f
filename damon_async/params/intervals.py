"""How often a kdamond looks, counts and re-reads the layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import AliasChoices, Field

from ..errors import Problem
from ..units import Quantity
from .base import Bp, Count, Parameters, TimeUs

AGGR_US_MAX: Final = 2**53
"""Longest aggregation interval (285 years): instants must stay exact in int64."""

U32_MAX: Final = 2**32 - 1
"""Access counts have 32 bits in the kernel."""


class IntervalsGoal(Parameters, frozen=True):
    """
    What the auto-tuning of intervals aims at.

    Source:
        spec core 2.1 and 8.
    """

    access_bp: Bp = 0
    """Wanted share of positive access checks, in basis points; 0 always looks more often."""

    aggrs: Count = 0
    """How many aggregations lie between two tunings; 0 turns tuning off."""

    min_sample_us: TimeUs = 0
    """Shortest sampling interval to tune to, in microseconds; 0 sets no bound."""

    max_sample_us: TimeUs = 0
    """Longest sampling interval to tune to, in microseconds; at least *min_sample_us*."""

    if TYPE_CHECKING:

        def __init__(
            self: Self,
            access_bp: Quantity = ...,
            aggrs: Quantity = ...,
            min_sample_us: Quantity = ...,
            max_sample_us: Quantity = ...,
        ) -> None: ...


class Intervals(Parameters, frozen=True):
    """
    How often a kdamond looks, counts and re-reads the layout.

    Source:
        spec core 2.1.
    """

    sample_us: TimeUs = 5_000
    """
    Sampling interval, in microseconds: each region is checked once per interval.
    At most *aggr_us*; 0 never sleeps and counts as 1 in divisions.
    """

    aggr_us: TimeUs = 100_000
    """
    Aggregation interval, in microseconds: accesses are counted over it, then
    published. At most 2^53.
    """

    # The default is the kernel's. damo's is one second; see DEFAULT_INTERVALS
    # of documents, which also spell the name in the kernel's way.
    update_us: TimeUs = Field(
        default=60_000_000,
        validation_alias=AliasChoices("update_us", "ops_update_us"),
    )
    """When mappings are read again, in microseconds; 0 does so at every check."""

    intervals_goal: IntervalsGoal = IntervalsGoal()
    """Auto-tuning of *sample_us* and *aggr_us* together; off by default."""

    if TYPE_CHECKING:

        def __init__(
            self: Self,
            sample_us: Quantity = ...,
            aggr_us: Quantity = ...,
            update_us: Quantity = ...,
            intervals_goal: IntervalsGoal | Mapping[str, Any] = ...,
        ) -> None: ...

    def _problems(self) -> Iterator[Problem]:
        # With tuning off, the other fields of the goal may be anything.
        goal = self.intervals_goal
        low, high = goal.min_sample_us, goal.max_sample_us
        if goal.aggrs and low > high:
            yield Problem(
                "intervals_goal.min_sample_us",
                f"{low} us is above max_sample_us, {high} us",
            )
        # Tuning steps from the interval that is given, so it has to be one that
        # tuning could have chosen (spec core 2.1).
        elif goal.aggrs and not low <= self.sample_us <= high:
            yield Problem(
                "sample_us",
                f"{self.sample_us} us is outside the goal's range of {low} to {high} us",
            )
        # Only the oldest kernels let this pass (spec core 2.1): an aggregation
        # without a sample would find all memory idle.
        if self.sample_us > self.aggr_us:
            yield Problem(
                "sample_us",
                f"{self.sample_us} us is longer than aggr_us, {self.aggr_us} us",
            )
        if self.aggr_us > AGGR_US_MAX:
            yield Problem("aggr_us", f"{self.aggr_us} us is longer than {AGGR_US_MAX} us")

    @property
    def aggr_samples(self) -> int:
        """Sampling intervals per aggregation interval."""
        # spec core 0: an interval of 0 counts as 1 in divisions.
        return self.aggr_us // max(1, self.sample_us)

    @property
    def max_nr_accesses(self) -> int:
        """Largest access count of a region: every check positive. At least 1."""
        # MAXACC of spec core 2.1; at least 1, because shares are divided by it.
        return max(1, min(self.aggr_samples, U32_MAX))
