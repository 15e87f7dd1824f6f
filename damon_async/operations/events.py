"""
What the kernel's tracepoints would report, as records.

Nobody makes them unless somebody listens.

Source:
    spec core 9.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Event:
    """
    One line of a trace.

    Attributes:
        time_us: When, in microseconds of the clock.
    """

    event: ClassVar[str]
    """The kernel's name of it."""

    time_us: int

    @property
    def line(self) -> str:
        """The fields as the kernel prints them: ``name=value`` with spaces between."""
        # Fields stand in the kernel's order; the time is in front of every line.
        own = [field.name for field in fields(self) if field.name != "time_us"]
        return " ".join(f"{name}={getattr(self, name)}" for name in own)


@dataclass(frozen=True, slots=True)
class DamonAggregated(Event):
    """
    A region at the end of an aggregation interval, before its count is reset.

    Attributes:
        target_id: Index of the target.

        nr_regions: How many regions that target has.

        start: First byte.

        end: One past the last byte.

        nr_accesses: Samples found accessed.

        age: Aggregations with the same pattern, after schemes have acted.
    """

    event = "damon_aggregated"
    target_id: int
    nr_regions: int
    start: int
    end: int
    nr_accesses: int
    age: int

    @property
    def line(self) -> str:
        """The fields as the kernel prints them."""
        head = f"target_id={self.target_id} nr_regions={self.nr_regions}"
        return f"{head} {self.start}-{self.end}: {self.nr_accesses} {self.age}"


@dataclass(frozen=True, slots=True)
class DamosBeforeApply(Event):
    """
    A region that an action is about to be applied to.

    Attributes:
        scheme_idx: Index of the scheme.

        target_idx: Index of the target.

        nr_regions: How many regions that target has.

        start: First byte, after all cuts.

        end: One past the last byte.

        nr_accesses: Accesses per aggregation interval, as of now.

        age: Aggregations with the same pattern, before the action resets it.

        ctx_idx: Index of the context; always 0.
    """

    event = "damos_before_apply"
    scheme_idx: int
    target_idx: int
    nr_regions: int
    start: int
    end: int
    nr_accesses: int
    age: int
    # Last, because there is only one: a kdamond runs one context.
    ctx_idx: int = 0

    @property
    def line(self) -> str:
        """The fields as the kernel prints them."""
        head = f"ctx_idx={self.ctx_idx} scheme_idx={self.scheme_idx} target_idx={self.target_idx}"
        region = f"{self.start}-{self.end}: {self.nr_accesses} {self.age}"
        return f"{head} nr_regions={self.nr_regions} {region}"


@dataclass(frozen=True, slots=True)
class IntervalsTuned(Event):
    """
    Auto-tuning has changed the intervals.

    Attributes:
        sample_us: The sampling interval from now on, in microseconds.
    """

    event = "damon_monitor_intervals_tune"
    sample_us: int


@dataclass(frozen=True, slots=True)
class DamosEsz(Event):
    """
    A charge window has begun with another effective quota.

    Attributes:
        ctx_idx: Index of the context; always 0.

        scheme_idx: Index of the scheme.

        esz: Bytes that may be charged in the window.
    """

    event = "damos_esz"
    ctx_idx: int
    scheme_idx: int
    esz: int


@dataclass(frozen=True, slots=True)
class DamosStat(Event):
    """
    The counters of a scheme at the end of an apply interval.

    Attributes:
        ctx_idx: Index of the context; always 0.

        scheme_idx: Index of the scheme.

        nr_tried: Regions that the action was tried on.

        sz_tried: Bytes of them.

        nr_applied: Regions in which it did something.

        sz_applied: Bytes that it did something to.

        sz_ops_filter_passed: Bytes that passed the back end's filters.

        qt_exceeds: Charge windows that ended with the quota used up.

        nr_snapshots: Completed walks over all regions.
    """

    event = "damos_stat_after_apply_interval"
    ctx_idx: int
    scheme_idx: int
    nr_tried: int
    sz_tried: int
    nr_applied: int
    sz_applied: int
    sz_ops_filter_passed: int
    qt_exceeds: int
    nr_snapshots: int


TraceEvent: TypeAlias = DamonAggregated | DamosBeforeApply | IntervalsTuned | DamosEsz | DamosStat
"""Any of them."""
