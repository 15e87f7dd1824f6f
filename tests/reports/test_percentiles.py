"""Percentiles weighted by bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.reports.percentiles import (
    percentiles_of,
    recency_percentiles,
    temperature_percentiles,
    weighted_percentiles,
)
from damon_async.reports.rows import DEFAULT_WEIGHTS, Weights

from ..records.makers import snapshot

ONE = snapshot([(0, 100, 5, 3), (100, 300, 7, 7), (300, 400, 0, 2)])


def test_weighted_percentiles() -> None:
    """A percentile is the smallest value that so many bytes do not exceed."""
    values, sizes = np.array([70, -20, 30]), np.array([200, 100, 100])
    chosen = weighted_percentiles(values, sizes, (0, 1, 25, 26, 50, 51, 100))
    assert chosen == [-20, -20, -20, 30, 30, 70, 70]


def test_temperatures() -> None:
    """Temperatures are told with bars from the coldest to the hottest."""
    lines = temperature_percentiles(ONE, DEFAULT_WEIGHTS).splitlines()
    assert lines[0] == "<percentile> <temperature (weights: [0, 100, 100])>"
    assert lines[1] == "  0  -20,000,000  |                    |"
    assert lines[4] == " 50   30,002,500  |***********         |"
    assert lines[7] == "100   70,003,500  |********************|"


def test_idle_times() -> None:
    """Idle times are told in units of time."""
    one = snapshot([(0, 210, 0, 3), (210, 1210, 0, 9)])
    lines = recency_percentiles(one, (0, 25)).splitlines()
    assert lines == [
        "<percentile> <idle time>",
        " 0  400 ms  |                    |",
        "25     1 s  |********************|",
    ]


def test_plain_numbers() -> None:
    """Plain idle times say that they are microseconds."""
    text = recency_percentiles(ONE, (100,), raw=True)
    assert text == "<percentile> <idle time (us)>\n100  300000  |                    |"


def test_no_regions() -> None:
    """Without regions there is nothing to tell."""
    empty = snapshot([])
    assert recency_percentiles(empty) == "<percentile> <idle time>\nno region in snapshot"
    assert temperature_percentiles(empty, DEFAULT_WEIGHTS).endswith("no region in snapshot")


def test_title_tells_all_weights() -> None:
    """The title tells all weights, though that of sizes does not count."""
    text = temperature_percentiles(ONE, Weights(1, 2.5, 3), (0,))
    assert text.startswith("<percentile> <temperature (weights: [1, 2.5, 3])>")


@pytest.mark.parametrize(
    ("numbers", "chosen"),
    [
        ((3,), (0, 1, 2)),
        ((50, 53), (50, 51, 52)),
        ((0, 101, 50), (0, 50, 100)),
        ((1, 2, 3, 99), (1, 2, 3, 99)),
    ],
)
def test_choice(numbers: tuple[int, ...], chosen: tuple[int, ...]) -> None:
    """Up to three numbers are a range, more are a list."""
    assert percentiles_of(numbers) == chosen


@pytest.mark.parametrize("numbers", [(), (0,), (5, 3), (0, 200, 50), (-1, 2, 3, 4)])
def test_wrong_choice(numbers: tuple[int, ...]) -> None:
    """Percentiles below 0 or above 100, or none at all, are refused."""
    with pytest.raises(InvalidError, match="are no percentiles; give numbers from 0 to 100"):
        percentiles_of(numbers)


@given(
    pairs=st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 100)), min_size=1, max_size=8),
    percentile=st.integers(0, 100),
)
def test_like_repeated_values(pairs: list[tuple[int, int]], percentile: int) -> None:
    """Weighing by bytes is the same as telling every byte by itself."""
    values, sizes = map(np.array, zip(*pairs, strict=True))
    [chosen] = weighted_percentiles(values, sizes, (percentile,))
    repeated = np.sort(np.repeat(values, sizes))
    share = [np.count_nonzero(repeated <= value) * 100 for value in repeated]
    enough = [v for v, s in zip(repeated, share, strict=True) if s >= percentile * len(repeated)]
    assert chosen == enough[0]
