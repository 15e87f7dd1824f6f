from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.modules.idle import bandwidth, idle_ms, percentiles

regions = st.lists(
    st.tuples(st.integers(1, 2**50), st.integers(0, 20), st.integers(0, 10**6)), min_size=1
)
"""Sizes, access counts and ages."""


def _columns(rows: list[tuple[int, int, int]]) -> tuple[IntArray, IntArray, IntArray]:
    sizes, counts, ages = np.array(rows, np.int64).T
    return sizes, counts, ages


def _assigned(values: list[int], sizes: list[int]) -> list[int]:
    """Assign percentiles in the words of the interface, region by region (5.4)."""
    total, reached = sum(sizes), 0
    answers: list[int | None] = [None] * 101
    for value, size in sorted(zip(values, sizes, strict=True), key=lambda pair: pair[0]):
        reached += size
        for p in range(101):
            if answers[p] is None and p <= reached * 100 // total:
                answers[p] = value
    return [answer for answer in answers if answer is not None]


@given(regions)
def test_percentiles_as_written(rows: list[tuple[int, int, int]]) -> None:
    """Percentiles are those of the interface's own words, however large the memory."""
    sizes, counts, ages = _columns(rows)
    idle = idle_ms(counts, ages, 100_000)
    expected = _assigned(idle.tolist(), sizes.tolist())
    assert list(percentiles(idle, sizes)) == expected


@given(regions)
def test_percentiles_do_not_fall(rows: list[tuple[int, int, int]]) -> None:
    """There are 101 of them, they never fall, and the last is the largest value."""
    sizes, counts, ages = _columns(rows)
    idle = idle_ms(counts, ages, 100_000)
    found = percentiles(idle, sizes)
    assert len(found) == 101
    assert list(found) == sorted(found)
    assert (found[0], found[-1]) == (idle.min(), idle.max())


@given(regions, st.integers(2, 5))
def test_only_shares_count(rows: list[tuple[int, int, int]], factor: int) -> None:
    """Memory of the same make that is larger has the same percentiles."""
    sizes, counts, ages = _columns(rows)
    idle = idle_ms(counts, ages, 100_000)
    assert percentiles(idle, sizes * factor) == percentiles(idle, sizes)


@given(regions)
def test_cut_regions_count_alike(rows: list[tuple[int, int, int]]) -> None:
    """A region cut in two equal parts changes nothing."""
    sizes, counts, ages = _columns(rows)
    idle = idle_ms(counts, ages, 100_000)
    halves = np.concatenate([sizes, sizes])
    assert percentiles(np.concatenate([idle, idle]), halves) == percentiles(idle, sizes)


def test_no_regions() -> None:
    """Of nothing all percentiles are 0."""
    nothing = np.array([], np.int64)
    assert percentiles(nothing, nothing) == (0,) * 101
    assert bandwidth(nothing, nothing, 100_000) == 0


def test_idle_times() -> None:
    """Idle is (age + 1) aggregations in milliseconds, negative in use, 0 before 6.18 (5.4)."""
    counts, ages = np.array([0, 3, 0]), np.array([0, 1, 99])
    assert idle_ms(counts, ages, 100_000).tolist() == [100, -200, 10_000]
    assert idle_ms(counts, ages, 100_000, signs_busy=False).tolist() == [100, 0, 10_000]


def test_bandwidth() -> None:
    """Bytes times accesses per aggregation are brought to a second (5.4)."""
    assert bandwidth(np.array([20, 0]), np.array([4096, 2**40]), 100_000) == 20 * 4096 * 10


@given(regions)
def test_bandwidth_is_exact(rows: list[tuple[int, int, int]]) -> None:
    """No sum is too large for it."""
    sizes, counts, _ = _columns(rows)
    expected = sum(size * nr for size, nr, _ in rows) * 1_000_000 // 3
    assert bandwidth(counts, sizes, 3) == expected
