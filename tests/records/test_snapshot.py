"""Snapshots: sizes, totals, rows of a target."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.records.snapshot import SnapshotExtras

from .makers import rows_of, snapshot

ROWS = [(0, 10, 1, 2), (10, 30, 3, 4), (50, 60, 5, 6)]


def test_sizes() -> None:
    """Sizes are ends minus starts, and the total is their sum."""
    one = snapshot(ROWS)
    assert one.sizes.tolist() == [10, 20, 10]
    assert (one.nr_regions, one.total_bytes) == (3, 40)


def test_told_total() -> None:
    """A total that a file told is believed, until rows are taken out."""
    one = snapshot(ROWS, extras=SnapshotExtras(total_bytes=1000))
    assert one.total_bytes == 1000
    assert one.take(slice(0, 2)).total_bytes == 30


@pytest.mark.parametrize(
    ("sample_us", "aggr_us", "most"), [(5_000, 100_000, 20), (3_000, 70_000, 23), (0, 0, 1)]
)
def test_max_nr_accesses(sample_us: int, aggr_us: int, most: int) -> None:
    """The largest count is how often the sampling interval fits, at least 1."""
    assert snapshot([], sample_us=sample_us, aggr_us=aggr_us).max_nr_accesses == most


def test_of_target() -> None:
    """The rows of one target are those with its index."""
    one = snapshot(ROWS, target=[0, 2, 2])
    assert rows_of(one.of_target(2)) == ROWS[1:]
    assert rows_of(one.of_target(1)) == []


def test_take_keeps_what_passed() -> None:
    """Bytes that passed filters go with their rows."""
    extras = SnapshotExtras(sz_filter_passed=np.array([7, 8, 9]))
    taken = snapshot(ROWS, extras=extras).take(np.array([2, 0]))
    assert rows_of(taken) == [ROWS[2], ROWS[0]]
    assert taken.extras is not None
    assert taken.extras.sz_filter_passed is not None
    assert taken.extras.sz_filter_passed.tolist() == [9, 7]
