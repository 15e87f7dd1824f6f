"""
What reports work out of the regions of a snapshot.

Source:
    spec damo 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from ..arrays import FloatArray, IntArray
from ..params.intervals import Intervals
from ..records.record import Record
from ..records.snapshot import Snapshot


class Weights(NamedTuple):
    """How much each property of a region makes it hot or cold."""

    size: float = 0
    """Per byte."""

    access_rate: float = 100
    """Per percent."""

    age: float = 100
    """Per microsecond."""


DEFAULT_WEIGHTS: Final = Weights()
"""Those of damo: ages are microseconds and so decide nearly alone."""


def nr_samples(snapshot: Snapshot) -> float:
    """
    Tell how many samples an aggregation has.

    Not rounded, as damo has it: of 23.3 samples 5 are 21 percent. At least 1.
    """
    return max(1.0, snapshot.aggr_us / max(1, snapshot.sample_us))


def percents(snapshot: Snapshot) -> IntArray:
    """
    Tell in how many percent of the samples each region was accessed.

    Returns:
        int64, shape (nr_regions,), cut off to whole percents.
    """
    return np.asarray(snapshot.nr_accesses * 100 / nr_samples(snapshot), dtype=np.int64)


def access_hz(snapshot: Snapshot) -> FloatArray:
    """Tell how often per second each region was found accessed."""
    return np.asarray(snapshot.nr_accesses / (snapshot.aggr_us / 1_000_000), dtype=np.float64)


def max_hz(snapshot: Snapshot) -> float:
    """Tell the frequency of a region that every sample found accessed."""
    return nr_samples(snapshot) / (snapshot.aggr_us / 1_000_000)


def ages_us(snapshot: Snapshot) -> IntArray:
    """
    Tell how long each region has been accessed as it is, in microseconds.

    Unknown ages count as 0.

    Source:
        spec damo 5. Differs: with tuned intervals an age counts the snapshot's
        own aggregations, not those that recording began with.
    """
    return np.maximum(snapshot.age, 0) * snapshot.aggr_us


def idle_us(snapshot: Snapshot) -> IntArray:
    """Tell how long each region has not been accessed, in microseconds; 0 if it is."""
    # spec damo 5: an age of 0 is already one aggregation without an access.
    idle = ages_us(snapshot) + snapshot.aggr_us
    # By percent and not by samples, as damo: less than one percent is idle.
    return np.where(percents(snapshot) == 0, idle, 0)


def temperatures(snapshot: Snapshot, weights: Weights = DEFAULT_WEIGHTS) -> FloatArray:
    """
    Tell how hot each region is: above 0 hotter, below 0 colder the longer it stays.

    Returns:
        float64, shape (nr_regions,), without a unit.
    """
    rates = percents(snapshot)
    heat = (
        snapshot.sizes * weights.size
        + rates * weights.access_rate
        + ages_us(snapshot) * weights.age
    )
    # 0 - heat and not -heat: minus zero would be printed.
    result: FloatArray = np.where(rates == 0, 0 - heat, heat).astype(np.float64)
    return result


def bandwidth(snapshot: Snapshot) -> int:
    """
    Estimate bytes accessed per second: each hit as a touch of the whole region.

    Returns:
        0 if the aggregation interval is not known.
    """
    if not snapshot.aggr_us:
        return 0
    return int(touched_bytes(snapshot) / (snapshot.aggr_us / 1_000_000))


def touched_bytes(snapshot: Snapshot) -> int:
    """Add up size times accesses of all regions, in bytes."""
    # Python's integers, because bytes times samples can exceed 64 bits.
    return sum(map(int.__mul__, snapshot.sizes.tolist(), snapshot.nr_accesses.tolist()))


def with_assumed_intervals(record: Record) -> Record:
    """
    Take the intervals of a record without any from the times of its snapshots.

    Every snapshot is taken for one aggregation, and the largest count anywhere
    for all of its samples.
    """
    if record.intervals is not None or not record.snapshots:
        return record
    # The true number of samples is at least this, and nothing else is known of it.
    most = max((int(each.nr_accesses.max(initial=1)) for each in record.snapshots), default=1)
    snapshots = [_with_duration(each, max(1, most)) for each in record.snapshots]
    # One from the middle: the first and the last may be cut short.
    usual = snapshots[len(snapshots) // 2]
    intervals = Intervals(sample_us=usual.sample_us, aggr_us=usual.aggr_us)
    return replace(record, intervals=intervals, snapshots=snapshots)


def _with_duration(snapshot: Snapshot, nr_samples: int) -> Snapshot:
    sample_us = max(1, (snapshot.end_ns - snapshot.start_ns) // 1000 // nr_samples)
    # Not the duration itself: the two intervals have to fit each other exactly.
    return replace(snapshot, sample_us=sample_us, aggr_us=sample_us * nr_samples)


def merged(snapshot: Snapshot) -> Snapshot:
    """Join neighbouring regions with equal counts and ages."""
    if snapshot.nr_regions < 2:
        return snapshot
    is_same = (
        (snapshot.end[:-1] == snapshot.start[1:])
        & (np.diff(snapshot.nr_accesses) == 0)
        & (np.diff(snapshot.age) == 0)
    )
    # Rows that begin something new; all others belong to the one above.
    first = np.flatnonzero(np.concatenate(([True], ~is_same)))
    last = np.append(first[1:], snapshot.nr_regions) - 1
    return replace(snapshot.take(first), end=snapshot.end[last])


def sorted_by_address(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Put the regions of each snapshot in the order of their addresses."""
    return [
        # Files have them in order nearly always, and then nothing is copied.
        each if bool((np.diff(each.start) >= 0).all()) else each.take(np.argsort(each.start))
        for each in snapshots
    ]
