"""One view of all regions of a context, as published at an aggregation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import IntArray


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

        age: Aggregation intervals since the access pattern changed.

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

    @property
    def nr_regions(self) -> int:
        """How many regions the snapshot holds, over all targets."""
        return len(self.start)

    @property
    def total_bytes(self) -> int:
        """The monitored size, in bytes."""
        return int((self.end - self.start).sum())

    @property
    def max_nr_accesses(self) -> int:
        """The count of a region touched in every sampling interval; at least 1."""
        return max(1, self.aggr_us // max(1, self.sample_us))

    def of_target(self, index: int) -> Snapshot:
        """Return the rows of the target at *index* only."""
        low, high = np.searchsorted(self.target, [index, index + 1])
        rows = slice(int(low), int(high))
        return Snapshot(
            self.start_ns,
            self.end_ns,
            self.sample_us,
            self.aggr_us,
            self.target[rows],
            self.start[rows],
            self.end[rows],
            self.nr_accesses[rows],
            self.age[rows],
        )
