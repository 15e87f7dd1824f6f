"""A record: the snapshots of one target, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..params.intervals import Intervals
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """
    What was recorded of one target of one context, or by one scheme.

    The snapshots of a record hold regions of this target only; their ``target``
    column means nothing here.

    Source:
        spec damo 4.1.
    """

    target_id: int | None
    """Index of the target, or whatever number a file calls it; None if it says none."""

    snapshots: Sequence[Snapshot]
    """Ascending in time."""

    intervals: Intervals | None = None
    """What recording began with; None where a file does not say."""

    kdamond_idx: int = 0
    """Which kdamond."""

    context_idx: int = 0
    """Which of its contexts."""

    scheme_idx: int | None = None
    """Which scheme tried these regions; None if they are all that was monitored."""

    data_source: str = "unknown"
    """What made it, in damo's words."""

    scheme_filters: Sequence[Mapping[str, Any]] = ()
    """Filters of the scheme, as the file has them."""

    @property
    def identity(self) -> tuple[int, int, int, int]:
        """Kdamond, context, scheme and target; what is missing counts as -1."""
        # -1, because None cannot be sorted among numbers.
        scheme = -1 if self.scheme_idx is None else self.scheme_idx
        target = -1 if self.target_id is None else self.target_id
        return (self.kdamond_idx, self.context_idx, scheme, target)

    @property
    def start_ns(self) -> int:
        """Beginning of the first snapshot, in nanoseconds; 0 without snapshots."""
        return self.snapshots[0].start_ns if self.snapshots else 0

    @property
    def end_ns(self) -> int:
        """End of the last snapshot, in nanoseconds; 0 without snapshots."""
        return self.snapshots[-1].end_ns if self.snapshots else 0


def records_of(
    snapshots: Iterable[Snapshot],
    *,
    intervals: Intervals | None = None,
    kdamond_idx: int = 0,
    context_idx: int = 0,
) -> list[Record]:
    """
    Turn what a kdamond published into one record per target.

    Args:
        snapshots: Ascending in time.

        intervals: What the context began with.

        kdamond_idx: Which kdamond it was.

        context_idx: Which of its contexts.

    Returns:
        Ascending by target; a target without regions in a snapshot lacks it.
    """
    by_target: dict[int, list[Snapshot]] = {}
    for snapshot in snapshots:
        for target, part in parts_of(snapshot):
            by_target.setdefault(target, []).append(part)
    return [
        Record(target, parts, intervals, kdamond_idx, context_idx)
        for target, parts in sorted(by_target.items())
    ]


def parts_of(snapshot: Snapshot) -> list[tuple[int, Snapshot]]:
    """Split a snapshot into ``(target, its rows)``, ascending by target."""
    column = snapshot.target
    if not len(column):
        return []
    # Rows are ordered by target, so that the ends of the column tell the range.
    first, last = int(column[0]), int(column[-1])
    # The usual case by far, and it copies nothing.
    if first == last:
        return [(first, snapshot)]
    parts = ((target, snapshot.of_target(target)) for target in range(first, last + 1))
    return [(target, part) for target, part in parts if part.nr_regions]


def joined(records: Iterable[Record]) -> list[Record]:
    """
    Join records of the same target, whose snapshots then ascend in time.

    Recordings that poll snapshots put each of them into a record of its own.
    """
    by_identity: dict[tuple[int, int, int, int], list[Record]] = {}
    for record in records:
        by_identity.setdefault(record.identity, []).append(record)
    return [_join(parts) for parts in by_identity.values()]


def _join(parts: Sequence[Record]) -> Record:
    if len(parts) == 1:
        return parts[0]
    snapshots = [snapshot for part in parts for snapshot in part.snapshots]
    # Sorted, because nothing says in which order files are named on a command line.
    return replace(parts[0], snapshots=sorted(snapshots, key=lambda each: each.end_ns))


def with_intervals(record: Record, intervals: Intervals) -> Record:
    """Give a record intervals that its file does not hold; its own stay."""
    # What a recording knows of itself beats what somebody remembers of it.
    if record.intervals is not None:
        return record
    sample_us, aggr_us = intervals.sample_us, intervals.aggr_us
    snapshots = [replace(each, sample_us=sample_us, aggr_us=aggr_us) for each in record.snapshots]
    return replace(record, intervals=intervals, snapshots=snapshots)
