"""Filters: which snapshots and regions are kept, and what becomes of totals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from damon_async.reports.filters import KEEP_ALL, AccessFilter, filtered
from damon_async.reports.rows import Weights

from ..records.makers import AGGR_NS, SECOND_NS, Row, record, rows, rows_of

NO_LIMIT = math.inf
SMALL, LARGE, COLD = (0, 10, 20, 3), (10, 110, 1, 0), (200, 250, 0, 7)


def kept(keep: AccessFilter, *more: list[Row]) -> list[list[Row]]:
    """Return the regions that are left of three, and of further snapshots."""
    one = filtered(record([SMALL, LARGE, COLD], *more), keep)
    return [rows_of(each) for each in one.snapshots]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (KEEP_ALL, [SMALL, LARGE, COLD]),
        (AccessFilter(sz_region=(10, 50)), [SMALL, COLD]),
        (AccessFilter(sz_region=(11, NO_LIMIT)), [LARGE, COLD]),
        (AccessFilter(access_rate=(5, 5)), [LARGE]),
        (AccessFilter(access_rate=(0, 5)), [LARGE, COLD]),
        (AccessFilter(age=(300_000, 700_000)), [SMALL, COLD]),
        (AccessFilter(age=(0, 299_999)), [LARGE]),
        (AccessFilter(temperature=(0, NO_LIMIT)), [SMALL, LARGE]),
        (AccessFilter(temperature=(-70_000_000, 500)), [LARGE, COLD]),
        (AccessFilter(sz_region=(0, 20), age=(0, 0)), []),
    ],
)
def test_regions(keep: AccessFilter, expected: list[Row]) -> None:
    """Regions are kept if every property lies in its range, ends included."""
    assert kept(keep) == [expected]


def test_addresses_cut() -> None:
    """Regions are cut to the wanted addresses."""
    assert kept(AccessFilter(addresses=[(5, 205)])) == [[(5, 10, 20, 3), LARGE, (200, 205, 0, 7)]]


def test_several_address_ranges() -> None:
    """A region in two ranges comes twice, and the order is that of addresses."""
    keep = AccessFilter(addresses=[(100, 105), (0, 20)])
    assert kept(keep) == [[SMALL, (10, 20, 1, 0), (100, 105, 1, 0)]]


def test_addresses_outside() -> None:
    """A range in which nothing lies leaves no regions, but the snapshot."""
    assert kept(AccessFilter(addresses=[(120, 190)])) == [[]]


def test_total_after_patterns() -> None:
    """Sizes, rates and ages leave the total as it was, as with damo."""
    keep = AccessFilter(sz_region=(10, 50))
    [one] = filtered(record([SMALL, LARGE, COLD]), keep).snapshots
    assert one.total_bytes == 160


@pytest.mark.parametrize(
    ("keep", "total"),
    [
        (AccessFilter(addresses=[(5, 205)]), 110),
        (AccessFilter(temperature=(0, NO_LIMIT)), 110),
        (AccessFilter(sz_region=(0, 50), addresses=[(5, 205)]), 10),
    ],
)
def test_total_after_cuts(keep: AccessFilter, total: int) -> None:
    """Addresses and temperatures make a new total, as with damo."""
    [one] = filtered(record([SMALL, LARGE, COLD]), keep).snapshots
    assert one.total_bytes == total


def test_snapshots_by_index() -> None:
    """Snapshots are counted from 0, ends included."""
    assert kept(AccessFilter(snapshot_idx=(1, 2)), [SMALL], [LARGE], [COLD]) == [[SMALL], [LARGE]]


def test_snapshots_by_time() -> None:
    """A snapshot is kept if it began and ended in the wanted time."""
    times = (SECOND_NS + 1, SECOND_NS + 3 * AGGR_NS)
    assert kept(AccessFilter(snapshot_time=times), [SMALL], [LARGE], [COLD]) == [[SMALL], [LARGE]]


def test_snapshots_by_size() -> None:
    """Snapshots are kept by the total after regions were cut."""
    keep = AccessFilter(addresses=[(0, 50)], sz_snapshot=(20, 50))
    assert kept(keep, [SMALL]) == [[SMALL, (10, 50, 1, 0)]]


def test_weights_of_temperatures() -> None:
    """Temperatures are those of the report's own weights."""
    one = record([SMALL, LARGE, COLD])
    keep = AccessFilter(temperature=(100, 100))
    [left] = filtered(one, keep, Weights(1, 0, 0)).snapshots
    assert rows_of(left) == [LARGE]


@given(drawn=rows(), low=st.integers(0, 2**53), size=st.integers(1, 2**40))
def test_cut_regions_lie_inside(drawn: list[Row], low: int, size: int) -> None:
    """What is left of a cut lies inside it and was there before."""
    keep = AccessFilter(addresses=[(low, low + size)])
    [one] = filtered(record(drawn), keep).snapshots
    inside = sum(max(0, min(end, low + size) - max(start, low)) for start, end, *_ in drawn)
    assert one.sizes.sum() == inside
    assert all(low <= start < end <= low + size for start, end, *_ in rows_of(one))
