"""Filters for whole regions: order, defaults, and where regions are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.params.filters import Filter
from damon_async.schemes.filters import ALLOWED, PASSED, REJECTED, CoreFilters

UNIT = 4


def addr(start: int, end: int, *, matching: bool = True, allow: bool = False) -> Filter:
    """Return a filter for addresses."""
    return Filter("addr", matching, allow, address_range={"start": start, "end": end})


def target(index: int, *, matching: bool = True, allow: bool = False) -> Filter:
    """Return a filter for a target."""
    return Filter("target", matching, allow, damon_target_idx=index)


def verdict_of(filters: list[Filter], start: int, end: int, index: int = 0) -> int:
    """Return what becomes of a region that is inside or outside of every range."""
    verdicts = CoreFilters(filters, UNIT).verdicts(
        np.array([index]), np.array([start]), np.array([end])
    )
    return int(verdicts[0])


@pytest.mark.parametrize(
    ("filters", "inside", "outside"),
    [
        ([], PASSED, PASSED),
        ([addr(8, 16)], REJECTED, PASSED),
        ([addr(8, 16, matching=False)], PASSED, REJECTED),
        ([addr(8, 16, allow=True)], ALLOWED, REJECTED),
        ([addr(8, 16, matching=False, allow=True)], REJECTED, ALLOWED),
        ([addr(8, 16, allow=True), Filter("anon")], ALLOWED, PASSED),
        ([Filter("anon", allow=True), addr(8, 16, allow=True)], ALLOWED, PASSED),
        ([addr(8, 16, allow=True), addr(0, 64)], ALLOWED, REJECTED),
        ([addr(0, 64), addr(8, 16, allow=True)], REJECTED, REJECTED),
        ([Filter("anon", allow=True)], PASSED, PASSED),
    ],
)
def test_first_hit_decides(filters: list[Filter], inside: int, outside: int) -> None:
    """The first filter that hits decides; else the last one of the list says what is meant."""
    assert verdict_of(filters, 8, 16) == verdict_of(filters, 12, 16) == inside
    assert verdict_of(filters, 16, 20) == verdict_of(filters, 0, 8) == outside


def test_targets() -> None:
    """A filter for a target knows nothing of addresses."""
    only_second = [target(1, matching=False)]
    assert [verdict_of(only_second, 0, 4, index) for index in range(3)] == [0, 1, 0]
    assert verdict_of([target(1, allow=True)], 0, 4, 1) == ALLOWED


def test_bounds_are_rounded_down() -> None:
    """Bounds of ranges are rounded down to where regions can be cut."""
    assert verdict_of([addr(11, 19)], 8, 16) == REJECTED
    assert verdict_of([addr(11, 19)], 16, 20) == PASSED


def test_range_of_nothing() -> None:
    """A range that rounding leaves nothing of holds nothing."""
    filters = CoreFilters([addr(9, 11, allow=True)], UNIT)
    pieces = list(filters.pieces(0, 0, 16, lambda _: True))
    assert {piece.verdict for piece in pieces} == {REJECTED}


def test_bool() -> None:
    """Only filters for regions make work."""
    assert not CoreFilters([Filter("anon")], UNIT)
    assert CoreFilters([target(0)], UNIT)


def test_straddling() -> None:
    """A region straddles a range if a bound lies inside of it, not on its edge."""
    filters = CoreFilters([addr(8, 16)], UNIT)
    starts = np.array([0, 0, 8, 8, 12, 16])
    ends = np.array([8, 12, 16, 12, 20, 20])
    assert filters.straddling(starts, ends).tolist() == [False, True, False, False, True, False]
    assert not CoreFilters([target(0)], UNIT).straddling(starts, ends).any()


def test_rest_must_match() -> None:
    """What remains behind a cut is a region of its own, and too small a one is left alone."""
    filters = CoreFilters([addr(8, 16)], UNIT)
    pieces = list(filters.pieces(0, 4, 20, lambda size: size >= 12))
    assert [tuple(piece) for piece in pieces] == [
        (4, 8, PASSED),
        (8, 16, REJECTED),
        (16, 20, REJECTED),
    ]
    pieces = list(filters.pieces(0, 4, 20, lambda size: size >= 16))
    assert [tuple(piece) for piece in pieces] == [(4, 8, PASSED), (8, 20, REJECTED)]


rules = st.lists(
    st.builds(
        lambda start, size, matching, allow: addr(
            start * UNIT, (start + size) * UNIT, matching=matching, allow=allow
        ),
        st.integers(0, 12),
        st.integers(1, 6),
        st.booleans(),
        st.booleans(),
    )
    | st.builds(
        lambda index, matching, allow: target(index, matching=matching, allow=allow),
        st.integers(0, 1),
        st.booleans(),
        st.booleans(),
    ),
    max_size=4,
)


@given(rules, st.integers(0, 10), st.integers(1, 10), st.integers(0, 1))
def test_pieces_are_what_units_are(
    filters: list[Filter], start: int, size: int, index: int
) -> None:
    """Pieces cover their region in order, and fare as each of their units would alone."""
    core = CoreFilters(filters, UNIT)
    low, high = start * UNIT, (start + size) * UNIT
    pieces = list(core.pieces(index, low, high, lambda _: True))
    assert [piece.start for piece in pieces] == [low, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == high
    for piece in pieces:
        for unit in range(piece.start, piece.end, UNIT):
            assert verdict_of(filters, unit, unit + UNIT, index) == piece.verdict
    if not core.straddling(np.array([low]), np.array([high])).any():
        assert len(pieces) == 1
