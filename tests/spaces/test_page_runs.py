from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from damon_async.spaces.page_runs import truth_of_ranges
from damon_async.spaces.space import Truth

Ranges = list[tuple[int, int, int]]


def truth_of(ranges: Ranges, low: int, high: int) -> Truth:
    start, end, count = (np.array(column, dtype=np.int64) for column in _columns(ranges))
    return truth_of_ranges(start, end, count, (low, high), 9)


def _columns(ranges: Ranges) -> list[list[int]]:
    return [[row[n] for row in ranges] for n in range(3)]


def runs(truth: Truth) -> Ranges:
    return list(
        zip(
            truth.bounds[:-1].tolist(),
            truth.bounds[1:].tolist(),
            truth.counts.tolist(),
            strict=True,
        )
    )


def test_what_no_range_covers_counts_nothing() -> None:
    """Holes before, between and behind the ranges are runs of 0."""
    truth = truth_of([(10, 20, 3), (30, 40, 5)], 0, 50)
    assert runs(truth) == [(0, 10, 0), (10, 20, 3), (20, 30, 0), (30, 40, 5), (40, 50, 0)]
    assert truth.nr_intervals == 9


def test_equal_neighbours_are_one_run() -> None:
    """Ranges that touch each other and count the same are put together."""
    assert runs(truth_of([(0, 10, 3), (10, 20, 3), (20, 30, 4)], 0, 30)) == [
        (0, 20, 3),
        (20, 30, 4),
    ]


def test_ranges_are_cut_at_the_bounds() -> None:
    """Only what lies inside the bounds is told."""
    assert runs(truth_of([(0, 10, 3), (20, 30, 4)], 5, 25)) == [
        (5, 10, 3),
        (10, 20, 0),
        (20, 25, 4),
    ]


def test_without_ranges_there_is_one_run() -> None:
    """A range in which nothing was touched is one run of 0."""
    assert runs(truth_of([], 5, 25)) == [(5, 25, 0)]
    assert runs(truth_of([(0, 5, 3), (25, 30, 3)], 5, 25)) == [(5, 25, 0)]


def test_an_empty_range_has_no_runs() -> None:
    """Nothing is told about nothing."""
    truth = truth_of([(0, 10, 3)], 5, 5)
    assert truth.bounds.tolist() == [5]
    assert truth.counts.tolist() == []


@given(
    sizes=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 2)), max_size=8),
    low=st.integers(0, 30),
    length=st.integers(1, 30),
)
def test_runs_say_what_the_ranges_say(
    sizes: list[tuple[int, int, int]], low: int, length: int
) -> None:
    """Byte by byte, the runs cover the bounds, agree with the ranges, and are as few as can be."""
    ranges, at = [], 0
    for hole, size, count in sizes:
        ranges.append((at + hole, at + hole + size, count))
        at += hole + size
    truth = truth_of(ranges, low, low + length)
    said = [count for begin, end, count in runs(truth) for _ in range(begin, end)]
    assert said == [
        next((count for begin, end, count in ranges if begin <= byte < end), 0)
        for byte in range(low, low + length)
    ]
    assert (np.diff(truth.counts) != 0).all()
    assert truth.bounds[0] == low
