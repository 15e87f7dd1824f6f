"""
Estimate and truth of one record, compared in one pass: figures and heatmaps.

Both heatmaps have the same axes and the same scale, the share of sampling
intervals in which a page was touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..arrays import FloatArray, IntArray
from ..errors import InvalidError
from ..records.record import Record
from ..records.snapshot import Snapshot
from ..spaces.space import Space
from .accuracy import HOT_RATE, Accuracy, TrueRates, accuracy_of
from .grid import Axes, HeatGrid
from .heatmap import BasedRange
from .ranges import hottest_range, mapped_ranges
from .rows import sorted_by_address

TEXT_RESOLUTION: Final = (30, 38)
"""Rows and columns of each heatmap on a terminal; two fit side by side."""

FINE_RESOLUTION: Final = (300, 300)
"""Rows and columns of each heatmap of a picture."""


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """What is compared, and how finely."""

    rate: float = HOT_RATE
    """From what share of its sampling intervals on, above 0 and at most 1, memory is hot."""

    every: int = 1
    """Look only at every so many-th snapshot, where the truth is dear; at least 1."""

    exclude_samples: int = 20
    """
    How many snapshots at the beginning do not count: regions still settle. If a
    record has no more than that, all count.
    """

    resol: tuple[int, int] = TEXT_RESOLUTION
    """Rows and columns of each heatmap."""

    address_range: BasedRange | None = None
    """Addresses of the heatmaps; None for those with the most accesses per byte."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """
    How an estimate compares with the truth.

    Heat is in percent of the sampling intervals.
    """

    record: Record
    """What was compared."""

    options: ComparisonOptions
    """How."""

    nr_excluded: int
    """How many snapshots at the beginning were left out of the figures."""

    figures: Accuracy
    """Of each snapshot that was looked at and not left out."""

    estimate: HeatGrid
    """What the regions say, from the first snapshot on."""

    truth: HeatGrid
    """What really happened."""

    @property
    def difference(self) -> FloatArray:
        """Estimate minus truth; NaN where either is not known."""
        return np.subtract(self.estimate.heat, self.truth.heat)


def compare(record: Record, space: Space, options: ComparisonOptions | None = None) -> Comparison:
    """
    Compare a record with the truth it was made of.

    Args:
        record: Of one target; its time is the time of *space*.

        space: What was monitored.

        options: What to compare.

    Raises:
        InvalidError: If the record has nothing to compare or does not know its
            intervals, or if an option is out of range.
    """
    options = options or ComparisonOptions()
    record = replace(record, snapshots=sorted_by_address(record.snapshots))
    # The same cells for both, or they could not be subtracted.
    axes = _axes(record, options)
    estimate, truth = HeatGrid(axes), HeatGrid(axes)
    # A snapshot that is looked at stands for those up to the next one.
    # A step out of range is refused by accuracy_of, and must not fail before.
    seen = list(record.snapshots[:: max(1, options.every)])
    stands_until = _ends(seen, record.end_ns)

    # Both grids grow while the figures are worked out: the truth is dear to ask
    # for, so it is asked for once.
    def see(snapshot: Snapshot, rates: TrueRates) -> None:
        until_ns = stands_until[snapshot.start_ns]
        shares = snapshot.nr_accesses / snapshot.max_nr_accesses
        _add(estimate, snapshot, until_ns, (snapshot.start, snapshot.end), shares)
        _add(truth, snapshot, until_ns, (rates.starts, rates.ends), rates.rates)

    figures = accuracy_of(record, space, options.rate, every=options.every, see=see)
    nr_excluded = _nr_excluded(record, options)
    return Comparison(
        record, options, nr_excluded, _without(figures, record, nr_excluded), estimate, truth
    )


def _axes(record: Record, options: ComparisonOptions) -> Axes:
    ranges = mapped_ranges(record.snapshots)
    if not ranges:
        msg = "the record holds no regions to compare"
        raise InvalidError(msg)
    # One range, as the usual heatmap: two maps have to fit side by side.
    addresses = hottest_range(record.snapshots, ranges)
    if options.address_range is not None:
        addresses = options.address_range.within(addresses)
    # From the first snapshot on: of the time before it only ages tell, and no truth.
    return Axes.over((record.start_ns, record.end_ns), addresses, *options.resol)


def _ends(seen: Sequence[Snapshot], end_ns: int) -> dict[int, int]:
    starts = [snapshot.start_ns for snapshot in seen]
    return dict(zip(starts, [*starts[1:], end_ns], strict=True))


def _add(
    grid: HeatGrid,
    snapshot: Snapshot,
    until_ns: int,
    bounds: tuple[IntArray, IntArray],
    shares: FloatArray,
) -> None:
    since_ns = np.full(len(bounds[0]), snapshot.start_ns)
    grid.add(since_ns, until_ns, *bounds, shares * 100)


def _nr_excluded(record: Record, options: ComparisonOptions) -> int:
    # A short record compared as it is says more than one compared not at all.
    if len(record.snapshots) <= options.exclude_samples:
        return 0
    return max(0, options.exclude_samples)


def _without(figures: Accuracy, record: Record, nr_excluded: int) -> Accuracy:
    """Leave the first snapshots of the record out of the figures."""
    # By time, because with a step the indices of figures are not those of snapshots.
    last_ns = record.snapshots[nr_excluded - 1].end_ns if nr_excluded else -1
    kept = figures.time_ns > last_ns
    return Accuracy(
        figures.rate,
        figures.time_ns[kept],
        figures.estimated[kept],
        figures.true[kept],
        figures.common[kept],
        figures.estimated_used[kept],
        figures.true_used[kept],
    )
