"""The worked examples of spec core 11 about feedback and interval tuning."""

from __future__ import annotations

import pytest

from damon_async.regions.tuning import (
    TUNING_INPUT,
    TunedIntervals,
    access_score,
    feed,
    tuned_intervals,
)

from ..regions.tables import Row, table_of

U64 = 2**64 - 1
MIB = 256
"""Pages in a MiB."""

BOUNDS_US = (5_000, 10_000_000)


@pytest.mark.parametrize(
    ("value", "score", "expected"),
    [
        (10_000, 0, 20_000),
        (10_000, 5_000, 15_000),
        (10_000, 15_000, 10_000),
        (40_960_000, 7_000, 53_248_000),
        (40_960_000, 13_000, 28_672_000),
        (40_960_000, 20_000, 10_000),
        (40_960_000, 10_000, 40_960_000),
        (1_000_000, 12_500, 750_000),
        (20_000, 9_999, 20_002),
        (U64, 0, U64),
    ],
)
def test_e28_feed(value: int, score: int, expected: int) -> None:
    """E28: the input moves by as large a share as the score is off, within its bounds."""
    assert feed(value, score) == expected


def test_e29_ramp() -> None:
    """E29: an input that achieves nothing doubles, and reaches a page in window 12."""
    value, bytes_allowed = 0, []
    for _ in range(12):
        value = feed(max(value, 10_000), 0)
        bytes_allowed.append(value // 10_000)
    assert bytes_allowed == [2**window for window in range(1, 13)]
    assert bytes_allowed[-1] == 4096


def test_e33_tuning() -> None:
    """E33: too few accesses make both intervals longer, in the same ratio."""
    table = table_of((0, 100 * MIB, 0, 0, 0), (100 * MIB, 110 * MIB, 4, 4, 0))
    score = access_score(table, 20, 400)
    assert score == 4545
    assert feed(TUNING_INPUT, score) // 10_000 == 15455
    assert tuned_intervals(score, 5_000, 20, BOUNDS_US) == TunedIntervals(7727, 154540)


@pytest.mark.parametrize(
    ("nr_accesses", "sample_us", "score", "tuned"),
    [
        (0, 100_000, 0, TunedIntervals(200_000, 4_000_000)),
        (20, 100_000, 250_000, TunedIntervals(50_000, 1_000_000)),
        (1, 100_000, 12_500, TunedIntervals(87_500, 1_750_000)),
        (20, 5_000, 250_000, TunedIntervals(5_000, 100_000)),
    ],
)
def test_e34_tuning(nr_accesses: int, sample_us: int, score: int, tuned: TunedIntervals) -> None:
    """E34: intervals at most double, at most halve, and stay within their bounds."""
    rows: list[Row] = [(0, MIB, nr_accesses, 0, 0), (MIB, 9 * MIB, nr_accesses, 0, 0)]
    table = table_of(*rows)
    assert access_score(table, 20, 400) == score
    assert tuned_intervals(score, sample_us, 20, BOUNDS_US) == tuned
