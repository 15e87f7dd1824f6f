"""Which regions a pattern matches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.params.patterns import COUNT_MAX, ResolvedPattern
from damon_async.schemes.match import matching_rows, region_matches, size_matches

ANY = ResolvedPattern(0, COUNT_MAX, 0, COUNT_MAX, 0, COUNT_MAX)

Triple = tuple[int, int, int]


def rows_of(pattern: ResolvedPattern, regions: list[Triple]) -> list[int]:
    """Return which of some regions (size, frequency, age) match."""
    sizes, frequencies, ages = np.array(regions, np.int64).reshape(-1, 3).T
    found: list[int] = matching_rows(pattern, frequencies, ages, lambda: sizes).tolist()
    return found


def test_everything() -> None:
    """A pattern without bounds matches every region, whatever it says."""
    assert rows_of(ANY, [(1, 0, 0), (COUNT_MAX, 2**32 - 1, 2**32 - 1)]) == [0, 1]
    assert rows_of(ANY, []) == []


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        (ResolvedPattern(2, COUNT_MAX, 0, COUNT_MAX, 0, COUNT_MAX), [1, 2]),
        (ResolvedPattern(0, 2, 0, COUNT_MAX, 0, COUNT_MAX), [0, 1]),
        (ResolvedPattern(0, COUNT_MAX, 2, COUNT_MAX, 0, COUNT_MAX), [1, 2]),
        (ResolvedPattern(0, COUNT_MAX, 0, 2, 0, COUNT_MAX), [0, 1]),
        (ResolvedPattern(0, COUNT_MAX, 0, COUNT_MAX, 2, COUNT_MAX), [1, 2]),
        (ResolvedPattern(0, COUNT_MAX, 0, COUNT_MAX, 0, 2), [0, 1]),
        (ResolvedPattern(2, 2, 2, 2, 2, 2), [1]),
        (ResolvedPattern(3, 3, 2, 2, 2, 2), []),
    ],
)
def test_bounds_are_inclusive(pattern: ResolvedPattern, rows: list[int]) -> None:
    """Every bound is inclusive, and all of them must hold."""
    assert rows_of(pattern, [(1, 1, 1), (2, 2, 2), (3, 3, 3)]) == rows


small = st.integers(0, 5)


@st.composite
def patterns_of(draw: st.DrawFn) -> ResolvedPattern:
    """Draw bounds, some of which exclude nothing."""
    bounds: list[int] = []
    for _ in range(3):
        low, high = sorted([draw(small), draw(small)])
        bounds += [draw(st.sampled_from([0, low])), draw(st.sampled_from([high, COUNT_MAX]))]
    return ResolvedPattern(*bounds)


@given(patterns_of(), st.lists(st.tuples(st.integers(1, 5), small, small), max_size=20))
def test_one_by_one(pattern: ResolvedPattern, regions: list[Triple]) -> None:
    """All at once match as they do one by one."""
    expected = [row for row, region in enumerate(regions) if region_matches(pattern, *region)]
    assert rows_of(pattern, regions) == expected
    for size, frequency, age in regions:
        if region_matches(pattern, size, frequency, age):
            assert size_matches(pattern, size)
