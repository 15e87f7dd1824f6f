"""The worked examples of spec core 11 about counts, frequencies and ticks."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.monitor.schedule import Schedule, nr_ticks
from damon_async.params.intervals import Intervals
from damon_async.regions.rates import (
    convert_results,
    converted_counts,
    frequency,
    max_nr_accesses,
    moving_sum_bp,
)

from ..regions.tables import table_of


@pytest.mark.parametrize(
    ("nr_samples", "last", "start_bp", "found", "sums"),
    [
        (20, 6, 60000, (1, 1, 0, 0, 1), [67000, 74000, 71000, 68000, 75000]),
        (3, 2, 20000, (1, 0, 1), [23334, 16668, 20002]),
    ],
    ids=["E18", "E19"],
)
def test_e18_e19_moving_sum(
    nr_samples: int, last: int, start_bp: int, found: tuple[int, ...], sums: list[int]
) -> None:
    """E18, E19: the older kernels' sum moves by a share of the last count, remainders included."""
    seen = []
    for accessed in found:
        start_bp = moving_sum_bp(start_bp, last, nr_samples, accessed=bool(accessed))
        seen.append(start_bp)
    assert seen == sums


@pytest.mark.parametrize(
    ("nr_accesses", "last", "left", "nr_samples", "expected"),
    [(3, 10, 12, 20, 9), (0, 10, 20, 20, 10), (7, 10, 0, 20, 7), (1, 1, 1, 3, 1), (2, 5, 2, 3, 5)],
)
def test_e20_frequency(
    nr_accesses: int, last: int, left: int, nr_samples: int, expected: int
) -> None:
    """E20: what is still to come of an aggregation is filled from the previous one."""
    found = frequency(np.array([nr_accesses]), np.array([last]), left, nr_samples)
    assert found.tolist() == [expected]


@pytest.mark.parametrize(
    ("count", "old_max", "new_max", "expected"),
    [
        (7, 20, 100, 35),
        (7, 20, 30, 10),
        (1, 30, 30, 0),
        (29, 30, 30, 28),
        (1, 3, 3, 0),
        (3, 20, 20, 3),
    ],
)
def test_e27_counts(count: int, old_max: int, new_max: int, expected: int) -> None:
    """E27: counts are converted by way of basis points, truncated twice."""
    assert converted_counts(np.array([count]), old_max, new_max).tolist() == [expected]


def test_e27_age() -> None:
    """E27: an age of nine aggregations is four of twice the length."""
    table = table_of((0, 1, 0, 0, 9))
    convert_results(table, (5_000, 100_000), (5_000, 200_000), is_aggregating=False)
    assert table.age.tolist() == [4]


def test_e38_ticks() -> None:
    """E38: intervals are due after as many ticks as fit them."""
    schedule = Schedule.at_start(Intervals("5ms", "100ms", "1s"))
    assert (schedule.next_aggregation, schedule.next_ops_update) == (20, 200)


@pytest.mark.parametrize(("interval_us", "ticks"), [(30_000, 6), (3_000, 0)])
def test_e38_apply_intervals(interval_us: int, ticks: int) -> None:
    """E38: an interval shorter than a tick is due at every one."""
    assert nr_ticks(interval_us, 5_000) == ticks


def test_p25_sampling_interval_of_zero() -> None:
    """P25: a sampling interval of 0 counts as 1 in divisions."""
    assert max_nr_accesses(0, 100) == 100
    assert nr_ticks(100, 0) == 100
