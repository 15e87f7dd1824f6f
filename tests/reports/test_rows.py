"""The arithmetic of spec damo 5: rates, frequencies, ages, temperatures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from damon_async.params.intervals import Intervals
from damon_async.records.record import Record
from damon_async.records.snapshot import Snapshot
from damon_async.reports.rows import (
    Weights,
    access_hz,
    ages_us,
    bandwidth,
    idle_us,
    max_hz,
    merged,
    nr_samples,
    percents,
    sorted_by_address,
    temperatures,
    touched_bytes,
    with_assumed_intervals,
)

from ..records.makers import AGGR_NS, Row, record, rows, rows_of, snapshot


def odd(*regions: Row) -> Snapshot:
    """Return a snapshot of intervals that do not fit: 70 ms has 23.3 samples of 3 ms."""
    return snapshot(regions, sample_us=3_000, aggr_us=70_000)


@pytest.mark.parametrize(
    ("count", "percent"), [(0, 0), (1, 4), (5, 21), (7, 30), (23, 98), (24, 102)]
)
def test_percent_is_cut_off(count: int, percent: int) -> None:
    """Percent are of the samples that fit, not rounded, and cut off: of 23.3 samples 5 are 21 %."""
    assert percents(odd((0, 1, count, 0))).tolist() == [percent]


def test_frequencies() -> None:
    """A frequency is samples per aggregation interval in seconds."""
    one = snapshot([(0, 1, 20, 0), (1, 2, 7, 0)])
    assert access_hz(one).tolist() == [200, 70]
    assert max_hz(one) == 200
    assert max_hz(odd()) == pytest.approx(1000 / 3)


def test_number_of_samples() -> None:
    """At least one sample is taken, whatever the intervals."""
    assert nr_samples(odd()) == pytest.approx(70 / 3)
    assert nr_samples(snapshot([], sample_us=0, aggr_us=0)) == 1


def test_ages() -> None:
    """Ages count aggregations of the snapshot, unknown ones are 0."""
    one = snapshot([(0, 1, 0, 3), (1, 2, 0, -1)], sample_us=10_000, aggr_us=200_000)
    assert ages_us(one).tolist() == [600_000, 0]


def test_idle_times() -> None:
    """A region of age 7 at 100 ms has been idle for 800 ms, one that is accessed not at all."""
    one = snapshot([(0, 1, 0, 7), (1, 2, 0, 0), (2, 3, 1, 9)])
    assert idle_us(one).tolist() == [800_000, 100_000, 0]


def test_temperatures() -> None:
    """Rate and age make hot; what is not accessed is colder the longer it is not."""
    one = snapshot([(4096, 8192, 20, 3), (8192, 16384, 0, 7), (16384, 20480, 10, 0)])
    assert temperatures(one).tolist() == [30_010_000, -70_000_000, 5_000]


def test_weights() -> None:
    """Each property counts with its weight, sizes as well."""
    one = snapshot([(0, 100, 10, 3), (100, 300, 0, 1)])
    assert temperatures(one, Weights(1, 2, 0)).tolist() == [200, -200]


def test_no_temperature_is_zero() -> None:
    """What is just not accessed any more is neither hot nor cold, and never minus zero."""
    [heat] = temperatures(snapshot([(0, 100, 0, 0)])).tolist()
    assert str(heat) == "0.0"


def test_bandwidth() -> None:
    """Each hit is taken for a touch of the whole region (spec damo 4.1)."""
    one = snapshot([(4096, 8192, 20, 3), (8192, 16384, 0, 7)])
    assert touched_bytes(one) == 81_920
    assert bandwidth(one) == 819_200
    assert bandwidth(snapshot([(0, 1, 1, 1)], sample_us=0, aggr_us=0)) == 0


def test_large_bandwidth() -> None:
    """Bytes times samples may exceed 64 bits."""
    assert touched_bytes(snapshot([(0, 2**60, 1000, 0)])) == 1000 * 2**60


def test_assumed_intervals() -> None:
    """Without intervals a snapshot's length and the largest count of all stand for them."""
    untimed = record([(0, 1, 5, 1)], [(0, 1, 25, 1)], intervals=None)
    made = with_assumed_intervals(untimed)
    assert made.intervals == Intervals(4_000, 100_000)
    assert [(each.sample_us, each.aggr_us) for each in made.snapshots] == [(4_000, 100_000)] * 2
    assert access_hz(made.snapshots[0]).tolist() == [50]


def test_known_intervals_are_not_assumed() -> None:
    """Intervals that are known stay, and without snapshots none can be assumed."""
    timed, empty = record([(0, 1, 5, 1)]), Record(0, [])
    assert with_assumed_intervals(timed) is timed
    assert with_assumed_intervals(empty) is empty


def test_assumed_intervals_of_idle_memory() -> None:
    """Memory that nobody touches has one sample per snapshot, however short that was."""
    idle = record([(0, 1, 0, 1)], intervals=None)
    idle = Record(0, [snapshot([(0, 1, 0, 1)], 0, 0, sample_us=0, aggr_us=0)], None)
    [one] = with_assumed_intervals(idle).snapshots
    assert (one.sample_us, one.aggr_us) == (1, 1)


def test_merged() -> None:
    """Neighbours with equal counts and ages are joined, across gaps they are not."""
    made = merged(
        snapshot([(0, 10, 5, 3), (10, 20, 5, 3), (20, 30, 5, 4), (30, 40, 6, 4), (50, 60, 6, 4)])
    )
    assert rows_of(made) == [(0, 20, 5, 3), (20, 30, 5, 4), (30, 40, 6, 4), (50, 60, 6, 4)]


@given(drawn=rows())
def test_merging_keeps_bytes(drawn: list[Row]) -> None:
    """Merging changes neither what is covered nor how often it was touched."""
    before = snapshot(drawn)
    after = merged(before)
    assert after.sizes.sum() == before.sizes.sum()
    assert touched_bytes(after) == touched_bytes(before)
    assert rows_of(merged(after)) == rows_of(after)


def test_sorted_by_address() -> None:
    """Regions are put in the order of addresses; those that are stay as they are."""
    ordered, mixed = snapshot([(0, 1, 1, 1), (5, 6, 2, 2)]), snapshot([(5, 6, 2, 2), (0, 1, 1, 1)])
    first, second = sorted_by_address([ordered, mixed])
    assert first is ordered
    assert rows_of(second) == rows_of(ordered)


def test_length_of_makers() -> None:
    """Snapshots made for tests are one aggregation long."""
    one = snapshot([])
    assert one.end_ns - one.start_ns == AGGR_NS == one.aggr_us * 1000
    assert np.issubdtype(one.start.dtype, np.int64)
