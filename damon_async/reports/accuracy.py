"""
Estimate beside truth: how well regions say where memory is hot.

A page's true rate in a window is the share of the window's sampling intervals
in which it was touched; its estimated rate is ``nr_accesses`` of its region in
parts of the largest possible count. Nothing here looks at single pages: both
sides are runs of equal rates, however large the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidError
from ..records.record import Record
from ..records.snapshot import Snapshot
from ..spaces.space import Space
from .ranges import contiguous_spans

HOT_RATE: Final = 0.5
"""A page is hot if it is touched in every second sampling interval."""


class TrueRates(NamedTuple):
    """True rates of what a snapshot covers, as runs."""

    starts: IntArray
    """int64, shape (nr_runs,): first bytes, ascending."""

    ends: IntArray
    """int64, shape (nr_runs,): one past the last bytes."""

    rates: FloatArray
    """float64, shape (nr_runs,): share of the sampling intervals, 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Accuracy:
    """
    How an estimate compares with the truth, snapshot by snapshot.

    Arrays are int64, shape (nr_snapshots,), in bytes unless said otherwise.

    Attributes:
        rate: From what rate on, 0 to 1, memory counts as hot.

        time_ns: When each snapshot ended, in nanoseconds.

        estimated: What was said to be hot.

        true: What was hot.

        common: What was both.

        estimated_used: What was said to be touched at all.

        true_used: What was touched at all.
    """

    rate: float
    time_ns: IntArray
    estimated: IntArray
    true: IntArray
    common: IntArray
    estimated_used: IntArray
    true_used: IntArray

    @property
    def precision(self) -> FloatArray:
        """Share of what was said to be hot that was; NaN where nothing was said to be."""
        return _share(self.common, self.estimated)

    @property
    def recall(self) -> FloatArray:
        """Share of what was hot that was said to be; NaN where nothing was hot."""
        return _share(self.common, self.true)

    @property
    def size_error(self) -> FloatArray:
        """By what part the size of the hot set is off, signed; NaN where nothing was hot."""
        return _share(self.estimated - self.true, self.true)

    @property
    def used_error(self) -> FloatArray:
        """By what part the size of the working set is off, signed; NaN where it was empty."""
        return _share(self.estimated_used - self.true_used, self.true_used)

    @property
    def overall_precision(self) -> float:
        """Precision over all snapshots together; NaN if nothing was said to be hot."""
        # Of sums of bytes, not a mean of shares: a snapshot with one hot page
        # must not count like one with a gigabyte.
        return _total_share(self.common, self.estimated)

    @property
    def overall_recall(self) -> float:
        """Recall over all snapshots together; NaN if nothing was hot."""
        return _total_share(self.common, self.true)

    @property
    def median_used_error(self) -> float:
        """By what part the median working set is off, signed; NaN if it was empty."""
        # The median, because that is what the official test judges working sets
        # by (spec damo 6.5).
        true = float(np.median(self.true_used)) if len(self.true_used) else 0.0
        return float(np.median(self.estimated_used)) / true - 1 if true else float("nan")


def accuracy_of(
    record: Record,
    space: Space,
    rate: float = HOT_RATE,
    *,
    every: int = 1,
    see: Callable[[Snapshot, TrueRates], None] | None = None,
) -> Accuracy:
    """
    Compare a record with the truth it was made of.

    Args:
        record: Of one target; its time is the time of *space*.

        space: What was monitored.

        rate: From what rate on memory counts as hot, above 0, at most 1.

        every: Look only at every so many-th snapshot, where the truth is dear.

        see: Called with each snapshot looked at and its true rates.

    Raises:
        InvalidError: If *rate* or *every* is out of range, or if a snapshot does
            not know its intervals.
    """
    # At 0 all memory would be hot, and every estimate perfect.
    if not 0 < rate <= 1:
        raise InvalidError(f"a hot rate of {rate:g} is out of range; above 0, at most 1")
    if every < 1:
        raise InvalidError(f"every {every}th snapshot cannot be looked at; at least 1")
    rows: list[tuple[int, ...]] = []
    for snapshot in record.snapshots[::every]:
        truth = true_rates(snapshot, space)
        rows.append((snapshot.end_ns, *_compare(snapshot, truth, rate)))
        # Handed on at once: the truth of a whole record may not fit into
        # memory.
        if see is not None:
            see(snapshot, truth)
    # Shaped by hand, so that no snapshots are six empty columns.
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    return Accuracy(rate, *columns)


def true_rates(snapshot: Snapshot, space: Space) -> TrueRates:
    """
    Return the true rates of all that a snapshot's regions cover.

    Raises:
        InvalidError: If the snapshot does not know its intervals.
    """
    instants = sampling_instants(snapshot)
    truths = [space.truth(low, high, instants) for low, high in contiguous_spans(snapshot)]
    # NumPy joins at least one array.
    if not truths:
        return TrueRates(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    starts = np.concatenate([truth.bounds[:-1] for truth in truths])
    ends = np.concatenate([truth.bounds[1:] for truth in truths])
    counts = np.concatenate([truth.counts for truth in truths])
    return TrueRates(starts, ends, counts / (len(instants) - 1))


def sampling_instants(snapshot: Snapshot) -> IntArray:
    """
    Return the instants between which a snapshot's samples were taken.

    The counts of a tuned snapshot are in units of its new intervals, but as many
    samples as fit an aggregation were really taken, evenly, while it lasted.

    Returns:
        int64, shape (nr_samples + 1,), in microseconds.

    Raises:
        InvalidError: If the snapshot does not know its intervals.
    """
    if not snapshot.aggr_us:
        msg = "the record does not say its intervals; truth needs to know when samples were taken"
        raise InvalidError(msg)
    bounds = snapshot.start_ns // 1000, snapshot.end_ns // 1000
    return np.linspace(*bounds, snapshot.max_nr_accesses + 1).astype(np.int64)


def _compare(snapshot: Snapshot, truth: TrueRates, rate: float) -> tuple[int, ...]:
    """Return bytes estimated hot, truly hot, both, estimated used and truly used."""
    # Between two neighbouring borders of either side both rates are constant,
    # so that pages need not be looked at.
    bounds = np.unique(np.concatenate([snapshot.start, snapshot.end, truth.starts, truth.ends]))
    if not len(bounds):
        return (0, 0, 0, 0, 0)
    sizes = np.diff(bounds)
    estimates = snapshot.nr_accesses / snapshot.max_nr_accesses
    estimate = _at(bounds[:-1], snapshot.start, snapshot.end, estimates)
    true = _at(bounds[:-1], truth.starts, truth.ends, truth.rates)
    hot, truly_hot = estimate >= rate, true >= rate
    return tuple(
        int(sizes[chosen].sum())
        for chosen in (hot, truly_hot, hot & truly_hot, estimate > 0, true > 0)
    )


def _at(addresses: IntArray, starts: IntArray, ends: IntArray, rates: FloatArray) -> FloatArray:
    """Return the rate at each address, 0 where no run is."""
    # Before the first run this is -1, which is the last one to NumPy; the mask
    # takes care of that.
    run = np.searchsorted(starts, addresses, "right") - 1
    inside: BoolArray = (run >= 0) & (addresses < ends[run])
    return np.where(inside, rates[run], 0.0)


def _share(part: IntArray, whole: IntArray) -> FloatArray:
    # Not 0 and not 1: where nothing was hot, nothing was found or missed.
    shares = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def _total_share(part: IntArray, whole: IntArray) -> float:
    total = int(whole.sum())
    return int(part.sum()) / total if total else float("nan")
