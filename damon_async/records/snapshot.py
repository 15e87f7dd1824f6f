"""One view of all regions of a context, as published at an aggregation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotExtras:
    """
    What a record file may tell of a snapshot beyond its regions.

    Source:
        spec damo 4.1. Differs: ``probe_hits`` are not kept, because there are
        no probes yet.
    """

    total_bytes: int | None = None
    """The monitored size as the file gives it, in bytes; None if it gives none."""

    damos_stats: Mapping[str, int] | None = None
    """Counters of the scheme whose regions these are."""

    sz_filter_passed: IntArray | None = None
    """int64, shape (nr_regions,): bytes of each region that passed the filters."""


# Without equality: an array compared with another has no single truth value.
@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """
    What a kdamond publishes once per aggregation interval; immutable.

    Arrays are int64, shape (nr_regions,), read-only, ordered by target and then
    by start.

    Attributes:
        start_ns: When the aggregation began, in nanoseconds of the clock.

        end_ns: When it was published.

        sample_us: Sampling interval it was made with, 0 if not known.

        aggr_us: Aggregation interval it was made with, 0 if not known.

        target: Index of the target each region belongs to.

        start: First byte of each region.

        end: One past the last byte of each region.

        nr_accesses: Sampling intervals found accessed, at most
            ``aggr_us // sample_us``.

        age: Aggregation intervals since the access pattern changed; -1 where a
            file does not say.

        extras: What only files tell; None for snapshots of an engine.

    Source:
        spec core 9, damon_aggregated.
    """

    start_ns: int
    end_ns: int
    sample_us: int
    aggr_us: int
    target: IntArray
    start: IntArray
    end: IntArray
    nr_accesses: IntArray
    age: IntArray
    extras: SnapshotExtras | None = None

    @property
    def nr_regions(self) -> int:
        """How many regions the snapshot holds, over all targets."""
        return len(self.start)

    # Worked out where it is asked for: most snapshots are written and never asked.
    @property
    def sizes(self) -> IntArray:
        """Bytes of each region; int64, shape (nr_regions,)."""
        return self.end - self.start

    @property
    def total_bytes(self) -> int:
        """The monitored size, in bytes; what a file said where it did."""
        if self.extras is not None and self.extras.total_bytes is not None:
            return self.extras.total_bytes
        return int(self.sizes.sum())

    @property
    def max_nr_accesses(self) -> int:
        """The count of a region touched in every sampling interval; at least 1."""
        return max(1, self.aggr_us // max(1, self.sample_us))

    def take(self, rows: slice | IntArray | BoolArray) -> Snapshot:
        """Return the given rows only, in the given order; a told total is forgotten."""
        extras = self.extras
        if extras is not None:
            passed = extras.sz_filter_passed
            passed = None if passed is None else passed[rows]
            extras = replace(extras, total_bytes=None, sz_filter_passed=passed)
        return replace(
            self,
            target=self.target[rows],
            start=self.start[rows],
            end=self.end[rows],
            nr_accesses=self.nr_accesses[rows],
            age=self.age[rows],
            extras=extras,
        )

    def of_target(self, index: int) -> Snapshot:
        """Return the rows of the target at *index* only."""
        # Rows are ordered by target, so those of one are a slice and need no copy.
        low, high = np.searchsorted(self.target, [index, index + 1])
        return self.take(slice(int(low), int(high)))
