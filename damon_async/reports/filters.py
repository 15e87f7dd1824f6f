"""
Which snapshots and regions a report is about.

Source:
    spec damo 1.5, and the output of damo 3.4.3: sizes, rates and ages leave the
    told total as it is, addresses and temperatures make a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..records.record import Record
from ..records.snapshot import Snapshot, SnapshotExtras
from .rows import DEFAULT_WEIGHTS, Weights, ages_us, percents, temperatures

Range: TypeAlias = tuple[float, float]
"""Smallest and largest, both inclusive."""


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """What is kept; None keeps everything."""

    sz_region: Range | None = None
    """Size of a region, in bytes."""

    access_rate: Range | None = None
    """Access rate of a region, in percent."""

    age: Range | None = None
    """Age of a region, in microseconds."""

    addresses: Sequence[tuple[int, int]] = ()
    """Address ranges ``[start, end)``; regions are cut to them. Empty keeps all."""

    temperature: Range | None = None
    """Temperature of a region."""

    sz_snapshot: Range | None = None
    """Total size of a snapshot, in bytes."""

    snapshot_time: Range | None = None
    """When a snapshot must have begun and ended, in nanoseconds."""

    snapshot_idx: Range | None = None
    """Index of a snapshot in its record, from 0."""


KEEP_ALL: Final = AccessFilter()
"""Leaves nothing out."""


def filtered(record: Record, keep: AccessFilter, weights: Weights = DEFAULT_WEIGHTS) -> Record:
    """
    Keep what a filter says.

    Args:
        record: With intervals, if rates, ages or temperatures are asked for.

        keep: What to keep.

        weights: Of temperatures.

    Returns:
        A record of the snapshots that are left; those may have no regions.
    """
    snapshots = [
        _kept_regions(each, keep, weights)
        for index, each in enumerate(record.snapshots)
        if _inside(index, keep.snapshot_idx) and _is_in_time(each, keep.snapshot_time)
    ]
    # After regions were cut, because it is the size of what is left that counts.
    if keep.sz_snapshot is not None:
        snapshots = [each for each in snapshots if _inside(each.total_bytes, keep.sz_snapshot)]
    return replace(record, snapshots=snapshots)


def _kept_regions(snapshot: Snapshot, keep: AccessFilter, weights: Weights) -> Snapshot:
    # In damo's order, which decides what the totals are of.
    if keep.sz_region or keep.access_rate or keep.age:
        snapshot = _of_pattern(snapshot, keep)
    if keep.addresses:
        snapshot = _cut(snapshot, keep.addresses)
    if keep.temperature is not None:
        snapshot = snapshot.take(_between(temperatures(snapshot, weights), keep.temperature))
    return snapshot


def _of_pattern(snapshot: Snapshot, keep: AccessFilter) -> Snapshot:
    rows = (
        _between(snapshot.sizes, keep.sz_region)
        & _between(percents(snapshot), keep.access_rate)
        & _between(ages_us(snapshot), keep.age)
    )
    kept = snapshot.take(rows)
    # What is left out still counts as monitored here, other than where
    # addresses are cut; see the head of this file.
    extras = replace(kept.extras or SnapshotExtras(), total_bytes=snapshot.total_bytes)
    return replace(kept, extras=extras)


def _cut(snapshot: Snapshot, ranges: Sequence[tuple[int, int]]) -> Snapshot:
    """Cut the regions to address ranges; one that lies in two comes twice."""
    rows, starts, ends = [], [], []
    for low, high in ranges:
        # Counts and ages stay those of the whole region: it is assumed to be
        # uniform.
        start, end = np.maximum(snapshot.start, low), np.minimum(snapshot.end, high)
        inside = np.flatnonzero(start < end)
        rows.append(inside)
        starts.append(start[inside])
        ends.append(end[inside])
    start = np.concatenate(starts)
    # The ranges may come in any order; regions of a report ascend.
    order = np.argsort(start, kind="stable")
    kept = snapshot.take(np.concatenate(rows)[order])
    return replace(kept, start=start[order], end=np.concatenate(ends)[order])


def _between(values: IntArray | FloatArray, limits: Range | None) -> BoolArray:
    if limits is None:
        return np.ones(len(values), dtype=np.bool_)
    # Compared as Python numbers where NumPy's would not hold "max".
    low, high = limits
    return np.asarray((values >= float(low)) & (values <= float(high)), dtype=np.bool_)


def _inside(value: float, limits: Range | None) -> bool:
    return limits is None or limits[0] <= value <= limits[1]


def _is_in_time(snapshot: Snapshot, limits: Range | None) -> bool:
    # Wholly inside: half a snapshot would be told with the counts of all of it.
    return limits is None or (limits[0] <= snapshot.start_ns and snapshot.end_ns <= limits[1])
