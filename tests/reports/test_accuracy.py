"""Estimates beside the truth, on memory whose truth is known by heart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import BoolArray, IntArray
from damon_async.errors import InvalidError
from damon_async.records.record import Record
from damon_async.records.snapshot import Snapshot
from damon_async.reports.accuracy import accuracy_of, sampling_instants, true_rates
from damon_async.spaces.space import Mapping, Truth

PAGE = 4096


class Halves:
    """Pages below *middle* are touched in every second interval, the others never."""

    is_pure = True
    lifetime_us = None

    def __init__(self, middle: int, nr_pages: int = 100) -> None:
        self.middle = middle * PAGE
        self.end = nr_pages * PAGE

    def mappings(self, now_us: int) -> list[Mapping]:
        return [Mapping(0, self.end)]

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        answers: BoolArray = (addresses < self.middle) & (since_us // 5000 % 2 == 0)
        return answers

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        touched = int(np.count_nonzero(instants_us[:-1] // 5000 % 2 == 0))
        bounds = sorted({start, min(max(start, self.middle), end), end})
        counts = [touched if low < self.middle else 0 for low in bounds[:-1]]
        return Truth(np.array(bounds), np.array(counts), len(instants_us) - 1)


def snapshot(
    regions: list[tuple[int, int, int]], number: int = 0, sample_us: int = 5000
) -> Snapshot:
    """Return a snapshot of (first page, page behind the last, count), 20 samples long."""
    rows = np.array(regions, np.int64).reshape(-1, 3)
    zeros = np.zeros(len(rows), np.int64)
    began_ns = number * 100_000_000
    return Snapshot(
        began_ns,
        began_ns + 100_000_000,
        sample_us,
        20 * sample_us,
        zeros,
        rows[:, 0] * PAGE,
        rows[:, 1] * PAGE,
        rows[:, 2],
        zeros,
    )


def record(*regions: list[tuple[int, int, int]]) -> Record:
    """Return a record with one snapshot per list of regions."""
    return Record(0, [snapshot(each, number) for number, each in enumerate(regions)])


def test_perfect_estimate() -> None:
    """An estimate that says what is true has a precision and a recall of 1."""
    found = accuracy_of(record([(0, 40, 10), (40, 100, 0)]), Halves(40))
    assert found.true.tolist() == found.estimated.tolist() == [40 * PAGE]
    assert (found.precision[0], found.recall[0], found.size_error[0]) == (1, 1, 0)


def test_estimate_too_large() -> None:
    """Cold memory in a hot region costs precision, not recall."""
    found = accuracy_of(record([(0, 50, 10), (50, 100, 0)]), Halves(40))
    assert found.precision[0] == pytest.approx(0.8)
    assert found.recall[0] == 1
    assert found.size_error[0] == pytest.approx(0.25)


def test_estimate_too_small() -> None:
    """Hot memory in a cold region costs recall, not precision."""
    found = accuracy_of(record([(0, 10, 10), (10, 100, 2)]), Halves(40))
    assert found.precision[0] == 1
    assert found.recall[0] == pytest.approx(0.25)


def test_rate_decides_what_is_hot() -> None:
    """Memory touched in half of the intervals is not hot at a rate above one half."""
    found = accuracy_of(record([(0, 40, 10), (40, 100, 0)]), Halves(40), 0.51)
    assert found.true.tolist() == [0]
    assert math.isnan(found.recall[0])
    assert math.isnan(found.overall_recall)


def test_working_set_counts_any_touch() -> None:
    """The working set is all that was touched at all, on both sides."""
    found = accuracy_of(record([(0, 50, 1), (50, 100, 0)]), Halves(40))
    assert found.estimated_used.tolist() == [50 * PAGE]
    assert found.true_used.tolist() == [40 * PAGE]
    assert found.used_error[0] == pytest.approx(0.25)
    assert found.median_used_error == pytest.approx(0.25)


def test_overall_weighs_bytes() -> None:
    """Overall figures are of all bytes together, not means of snapshots."""
    found = accuracy_of(record([(0, 40, 20)], [(0, 100, 20)]), Halves(40))
    assert found.overall_precision == pytest.approx(80 / 140)
    assert found.overall_recall == 1


def test_every_nth_snapshot() -> None:
    """Where the truth is dear, every so many-th snapshot is looked at."""
    regions = [(0, 100, 0)]
    found = accuracy_of(record(regions, regions, regions), Halves(40), every=2)
    assert found.time_ns.tolist() == [100_000_000, 300_000_000]


def test_empty_record() -> None:
    """A record without snapshots compares to nothing, without an error."""
    found = accuracy_of(Record(0, []), Halves(40))
    assert len(found.time_ns) == 0
    assert math.isnan(found.median_used_error)


def test_snapshot_without_regions() -> None:
    """A snapshot without regions is empty on both sides."""
    found = accuracy_of(record([]), Halves(40))
    assert found.true_used.tolist() == [0]


def test_gaps_are_not_looked_at() -> None:
    """What no region covers is no part of the truth asked for."""
    truth = true_rates(snapshot([(0, 10, 0), (60, 80, 0)]), Halves(70))
    assert truth.starts.tolist() == [0, 60 * PAGE, 70 * PAGE]
    assert truth.rates.tolist() == [0.5, 0.5, 0.0]


def test_instants_are_those_of_the_samples() -> None:
    """Instants divide the time of a snapshot into as many samples as were taken."""
    assert sampling_instants(snapshot([])).tolist() == list(range(0, 100_001, 5000))


def test_instants_of_tuned_snapshot() -> None:
    """A snapshot whose units were tuned was still sampled evenly while it lasted."""
    assert len(sampling_instants(snapshot([], sample_us=10_000))) == 21


def test_rate_out_of_range() -> None:
    """A hot rate of 0 would make everything hot, and is refused."""
    with pytest.raises(InvalidError, match="hot rate of 0 is out of range; above 0, at most 1"):
        accuracy_of(record(), Halves(40), 0.0)


def test_every_out_of_range() -> None:
    """Looking at every 0th snapshot is refused."""
    with pytest.raises(InvalidError, match="every 0th snapshot cannot be looked at; at least 1"):
        accuracy_of(record(), Halves(40), every=0)


def test_unknown_intervals() -> None:
    """A record that does not say its intervals cannot be compared."""
    with pytest.raises(InvalidError, match="does not say its intervals"):
        accuracy_of(Record(0, [snapshot([(0, 1, 0)], sample_us=0)]), Halves(40))


@given(
    cuts=st.sets(st.integers(1, 99), max_size=8),
    counts=st.lists(st.integers(0, 20), min_size=9, max_size=9),
    middle=st.integers(0, 100),
)
def test_sets_are_bounded(cuts: set[int], counts: list[int], middle: int) -> None:
    """What is both estimated and true is never more than either, whatever the regions."""
    bounds = [0, *sorted(cuts), 100]
    regions = list(zip(bounds[:-1], bounds[1:], counts[: len(bounds) - 1], strict=True))
    found = accuracy_of(record(regions), Halves(middle))
    assert 0 <= found.common[0] <= min(found.estimated[0], found.true[0])
    assert found.true[0] == middle * PAGE
    estimated = sum(end - start for start, end, count in regions if count >= 10)
    assert found.estimated[0] == estimated * PAGE
