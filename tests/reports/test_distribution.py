"""Percentiles of one number per snapshot."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.reports.distribution import (
    Distribution,
    SortBy,
    in_order,
    percentile_lines,
    percentile_range,
)


@pytest.mark.parametrize(
    ("percentile", "value"), [(0, 1), (9, 1), (10, 2), (50, 6), (99, 10), (100, 10)]
)
def test_percentile(percentile: int, value: int) -> None:
    """A percentile is the element at that share of the length, the last one at 100."""
    assert Distribution("0", range(1, 11)).at(percentile) == value


def test_mean() -> None:
    """The mean is cut off, and that of nothing is 0."""
    assert Distribution("0", [1, 2, 2]).mean == 1
    assert Distribution("0", []).mean == 0


@pytest.mark.parametrize("percentile", [-1, 101])
def test_no_such_percentile(percentile: int) -> None:
    """Percentiles below 0 or above 100 are refused."""
    with pytest.raises(InvalidError, match=r"there is no percentile .* of 1 snapshots"):
        Distribution("0", [1]).at(percentile)


def test_percentile_of_nothing() -> None:
    """Nothing has no percentiles."""
    with pytest.raises(InvalidError, match="there is no percentile 50 of 0 snapshots"):
        Distribution("0", []).at(50)


def test_orders() -> None:
    """By size percentiles are as usual, by time they are moments."""
    assert in_order([3, 1, 2], SortBy.SIZE) == [1, 2, 3]
    assert in_order([3, 1, 2], SortBy.TIME) == [3, 1, 2]


def test_lines() -> None:
    """Numbers are right-aligned, and bars are parts of the largest."""
    lines = percentile_lines(Distribution("0", [10, 30, 59]), (0, 50, 100), str, nr_cols_bar=59)
    assert lines == [
        "# avr:\t33",
        f"  0              10 |{'*' * 10}{' ' * 49}|",
        f" 50              30 |{'*' * 30}{' ' * 29}|",
        f"100              59 |{'*' * 59}|",
    ]


def test_no_bars() -> None:
    """Without room for bars there are none."""
    lines = percentile_lines(Distribution("0", [10]), (100,), str, nr_cols_bar=0)
    assert lines == ["# avr:\t10", "100              10"]


def test_bars_of_zeros() -> None:
    """Zeros have empty bars."""
    lines = percentile_lines(Distribution("0", [0]), (50,), str, nr_cols_bar=5)
    assert lines[1] == " 50               0 |     |"


def test_lines_of_nothing() -> None:
    """Nothing is told to be nothing."""
    assert percentile_lines(Distribution("0", []), (0,), str, nr_cols_bar=9) == ["# no snapshot"]


def test_range() -> None:
    """Percentiles are a range like Python's."""
    assert list(percentile_range((0, 101, 25))) == [0, 25, 50, 75, 100]
    assert list(percentile_range((100, -1, -50))) == [100, 50, 0]


@pytest.mark.parametrize("numbers", [(0, 201, 50), (0, 101, 0), (5, 5, 1), (-1, 9, 1)])
def test_wrong_range(numbers: tuple[int, int, int]) -> None:
    """Ranges beyond 0 to 100, or of nothing, are refused."""
    with pytest.raises(InvalidError, match="are no percentiles; give START STOP STEP"):
        percentile_range(numbers)


@given(values=st.lists(st.integers(0, 10**15), min_size=1), width=st.integers(0, 99))
def test_bars_fit(values: list[int], width: int) -> None:
    """Bars are never wider than their room."""
    distribution = Distribution("0", sorted(values))
    for line in percentile_lines(distribution, (0, 50, 100), str, nr_cols_bar=width)[1:]:
        assert len(line) == 3 + 1 + max(15, len(line.split()[1])) + (width + 3 if width else 0)
