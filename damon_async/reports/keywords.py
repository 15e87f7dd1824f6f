"""
What can be said of records, snapshots and regions: one function per keyword.

Source:
    Keywords and output of damo 3.4.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

from ..arrays import FloatArray, IntArray
from ..records.record import Record
from ..records.snapshot import Snapshot
from ..units import (
    format_bp,
    format_hz,
    format_number,
    format_percent,
    format_size,
    format_time_ns,
    format_time_us,
)
from .access_options import AccessOptions
from .boxes import Boxes
from .histograms import recency_histogram, temperature_histogram
from .percentiles import recency_percentiles, temperature_percentiles
from .rows import (
    access_hz,
    ages_us,
    bandwidth,
    max_hz,
    nr_samples,
    percents,
    temperatures,
    touched_bytes,
)
from .strip import strip_text
from .text import mean_size, truncated

# Nothing but lower case words, so that most of a user's own < and > are left
# alone.
_KEYWORD: Final = re.compile(r"<[a-z][a-z -]*>")

Subject = TypeVar("Subject")
Keywords: TypeAlias = Mapping[str, Callable[[Subject], str]]
"""What a keyword stands for, given what is being told of."""


@dataclass(frozen=True)
class RecordView:
    """A record being reported."""

    record: Record
    """As filtered."""

    options: AccessOptions
    """How numbers are printed, and the rest."""

    is_assumed: bool
    """Whether its intervals are only taken from its times."""


@dataclass(frozen=True)
class SnapshotView:
    """A snapshot being reported."""

    snapshot: Snapshot
    """In the order of addresses."""

    of: RecordView
    """Its record."""

    boxes: Boxes
    """Draws regions."""

    @property
    def raw(self) -> bool:
        """Whether numbers are printed plainly."""
        return self.of.options.raw_number

    @property
    def percentiles(self) -> tuple[int, ...]:
        """Which percentiles are told."""
        return tuple(self.of.options.percentiles)


@dataclass(frozen=True)
class RegionRows:
    """The regions of a snapshot as reports tell them, one array per property."""

    snapshot: Snapshot
    """In the order of the report."""

    of: SnapshotView
    """Whose regions."""

    @cached_property
    def rates(self) -> IntArray:
        """Percent."""
        return percents(self.snapshot)

    @cached_property
    def hz(self) -> FloatArray:
        """Accesses per second."""
        return access_hz(self.snapshot)

    @cached_property
    def ages_us(self) -> IntArray:
        """Microseconds."""
        return ages_us(self.snapshot)

    @cached_property
    def heats(self) -> FloatArray:
        """Temperatures."""
        return temperatures(self.snapshot, self.of.of.options.weights)

    @cached_property
    def boxes(self) -> list[str]:
        """Drawings."""
        return self.of.boxes.draw(self.snapshot)


@dataclass(frozen=True)
class RegionView:
    """One region being reported."""

    rows: RegionRows
    """All of them."""

    index: int
    """Which one."""

    @property
    def raw(self) -> bool:
        """Whether numbers are printed plainly."""
        return self.rows.of.raw


def filled(text: str, keywords: Keywords[Subject], subject: Subject) -> str:
    """Put what is told of *subject* in the place of keywords; others stay."""

    def told(match: re.Match[str]) -> str:
        tell = keywords.get(match[0])
        # What is no keyword is the user's own text.
        return match[0] if tell is None else tell(subject)

    return _KEYWORD.sub(told, text)


def _time(view: RecordView, time_ns: int) -> str:
    return format_time_ns(time_ns, raw=view.options.raw_number)


def _intervals(view: RecordView) -> str:
    intervals, raw = view.record.intervals, view.options.raw_number
    if intervals is None:
        return "unknown"
    sample, aggr = (
        format_time_us(each, raw=raw) for each in (intervals.sample_us, intervals.aggr_us)
    )
    # Said openly, or a guess would be quoted as a setting.
    note = " (not recorded; taken from the times of snapshots)" if view.is_assumed else ""
    return f"sample {sample}, aggr {aggr}{note}"


def _intervals_goal(view: RecordView) -> str:
    if view.record.intervals is None:
        return "unknown"
    goal, raw = view.record.intervals.intervals_goal, view.options.raw_number
    low, high = (format_time_us(e, raw=raw) for e in (goal.min_sample_us, goal.max_sample_us))
    share = format_bp(goal.access_bp, raw=raw)
    return f"target {share} accesses per {goal.aggrs} aggrs, [{low}, {high}] sampling interval"


# Tables rather than one function with many branches: a new keyword is a row.
RECORD_KEYWORDS: Final[Keywords[RecordView]] = {
    "<kdamond index>": lambda view: str(view.record.kdamond_idx),
    "<context index>": lambda view: str(view.record.context_idx),
    "<scheme index>": lambda view: str(view.record.scheme_idx),
    "<target id>": lambda view: str(view.record.target_id),
    "<abs start time>": lambda view: _time(view, view.record.start_ns),
    "<duration>": lambda view: _time(view, view.record.end_ns - view.record.start_ns),
    "<intervals>": _intervals,
    "<intervals goal>": _intervals_goal,
    "<data source>": lambda view: view.record.data_source,
}
"""What can be told of a record."""


def _since_start(view: SnapshotView, time_ns: int) -> str:
    # Clocks may count from the boot of a machine; what readers want to know is how
    # far into the record they are.
    return _time(view.of, time_ns - view.of.record.start_ns)


def _heatmap(view: SnapshotView) -> str:
    options = view.of.options
    return strip_text(
        view.snapshot,
        options.weights,
        width=options.snapshot_heatmap_width,
        colors=options.snapshot_heatmap_colorset if options.is_colored else None,
        raw=view.raw,
    )


def _snapshot_intervals(view: SnapshotView) -> str:
    snapshot = view.snapshot
    sample, aggr = (
        format_time_us(each, raw=view.raw) for each in (snapshot.sample_us, snapshot.aggr_us)
    )
    # A file may tell snapshots without intervals, which have no frequencies.
    most = max_hz(snapshot) if snapshot.aggr_us else 0.0
    # The unit stands before the number here.
    hz = format_hz(most, raw=view.raw).removesuffix(" hz")
    return f"sample {sample} aggr {aggr} (max access hz {hz})"


def _positive_ratio(view: SnapshotView) -> str:
    # Of checks, each of which is of one region whatever its size; the share of
    # bytes is told by the tuning status.
    checks = nr_samples(view.snapshot) * max(1, view.snapshot.nr_regions)
    return format_percent(int(view.snapshot.nr_accesses.sum()) / checks * 100, raw=view.raw)


def _bandwidth(view: SnapshotView) -> str:
    return f"{format_size(bandwidth(view.snapshot), raw=view.raw)} per second"


def _tuning(view: SnapshotView) -> str:
    snapshot, raw = view.snapshot, view.raw
    # In bytes times samples, which is what the tuning compares with its goal
    # (spec core 8).
    touched, most = touched_bytes(snapshot), int(snapshot.sizes.sum()) * nr_samples(snapshot)
    share = format_percent(touched / max(1, most) * 100, raw=raw)
    sizes = f"{format_size(touched, raw=raw)} / {mean_size(most, raw=raw)}"
    sample, aggr = (format_time_us(e, raw=raw) for e in (snapshot.sample_us, snapshot.aggr_us))
    return f"{share} ({sizes}) {sample} {aggr}"


def _temperature_histogram(view: SnapshotView) -> str:
    options = view.of.options
    return temperature_histogram(
        view.snapshot,
        options.weights,
        edges=options.hist_ranges,
        is_log=options.hist_logscale,
        is_cumulated=options.hist_cumulate,
        raw=view.raw,
    )


def _recency_histogram(view: SnapshotView) -> str:
    options = view.of.options
    return recency_histogram(
        view.snapshot,
        edges=options.hist_ranges,
        is_log=options.hist_logscale,
        is_cumulated=options.hist_cumulate,
        raw=view.raw,
    )


SNAPSHOT_KEYWORDS: Final[Keywords[SnapshotView]] = {
    "<total bytes>": lambda view: format_size(view.snapshot.total_bytes, raw=view.raw),
    "<duration>": lambda view: _time(view.of, view.snapshot.end_ns - view.snapshot.start_ns),
    "<start time>": lambda view: _since_start(view, view.snapshot.start_ns),
    "<end time>": lambda view: _since_start(view, view.snapshot.end_ns),
    "<abs start time>": lambda view: _time(view.of, view.snapshot.start_ns),
    "<abs end time>": lambda view: _time(view.of, view.snapshot.end_ns),
    "<number of regions>": lambda view: format_number(view.snapshot.nr_regions, raw=view.raw),
    "<temperature-sz histogram>": _temperature_histogram,
    "<recency-sz histogram>": _recency_histogram,
    # Percentiles and histograms are whole texts: damo has keywords of several
    # lines.
    "<recency percentiles>": lambda view: recency_percentiles(
        view.snapshot, view.percentiles, raw=view.raw
    ),
    "<temperature percentiles>": lambda view: temperature_percentiles(
        view.snapshot, view.of.options.weights, view.percentiles, raw=view.raw
    ),
    "<heatmap>": _heatmap,
    "<positive access samples ratio>": _positive_ratio,
    "<estimated memory bandwidth>": _bandwidth,
    "<intervals tuning status>": _tuning,
    "<snapshot intervals>": _snapshot_intervals,
    # From the boxes, because they alone know whether there are colours.
    "<region box colors>": lambda view: view.boxes.legend(),
    "<region box description>": lambda view: view.boxes.description(raw=view.raw),
}
"""What can be told of a snapshot."""


def _size_at(view: RegionView, column: IntArray) -> str:
    return format_size(int(column[view.index]), raw=view.raw)


def _age(view: RegionView) -> str:
    # Not known; 0 would say that it has just changed.
    if view.rows.snapshot.age[view.index] < 0:
        return "n/a"
    return format_time_us(int(view.rows.ages_us[view.index]), raw=view.raw)


def _rate(view: RegionView) -> str:
    return format_percent(int(view.rows.rates[view.index]), raw=view.raw)


# The widths are those that damo pads to.
# Padded on the right only, so that what follows a keyword begins in the same
# column for every region.
REGION_KEYWORDS: Final[Keywords[RegionView]] = {
    "<index>": lambda view: f"{view.index:<3}",
    "<start address>": lambda view: f"{_size_at(view, view.rows.snapshot.start):<12}",
    "<end address>": lambda view: f"{_size_at(view, view.rows.snapshot.end):<11}",
    "<size>": lambda view: f"{_size_at(view, view.rows.snapshot.sizes):<11}",
    "<access rate>": lambda view: f"{_rate(view):<5}",
    "<access hz>": lambda view: f"{format_hz(float(view.rows.hz[view.index]), raw=view.raw):<6}",
    "<age>": lambda view: f"{_age(view):<13}",
    "<temperature>": lambda view: truncated(view.rows.heats[view.index], raw=view.raw),
    # Without a width: a box may have several lines.
    "<box>": lambda view: view.rows.boxes[view.index],
}
"""What can be told of a region."""
