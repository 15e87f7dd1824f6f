"""Touches that are computed from hashes instead of being remembered."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import BoolArray
from damon_async.spaces.clocks import scaled
from damon_async.spaces.random_touches import (
    FRACTION_BITS,
    WHOLE_WORDS,
    count_touched,
    is_covered,
    is_touched,
    position_scale,
    salt_of,
)

CELL = 1 << FRACTION_BITS
NR_PAGES = 100_000

positions = st.integers(0, 2**40) | st.integers(0, 300 * CELL)
lengths = st.integers(0, 4 * CELL) | st.integers(0, 200 * CELL)


def touched(
    since: int, until: int, nr_pages: int = 200, salt: int = 7, first: int = 0
) -> BoolArray:
    """Ask all pages about one window."""
    pages = np.arange(first, first + nr_pages)
    same = np.ones(nr_pages, np.int64)
    return is_touched(pages, salt * same, since * same, until * same)


@given(positions, lengths, lengths, st.integers(0, 2**62), st.integers(0, 2**32))
def test_union(since: int, one: int, other: int, salt: int, first: int) -> None:
    """A window is touched exactly where one of its two parts is."""
    middle, until = since + one, since + one + other
    parts = touched(since, middle, salt=salt, first=first) | touched(
        middle, until, salt=salt, first=first
    )
    assert (touched(since, until, salt=salt, first=first) == parts).all()


@given(positions, lengths, lengths, lengths)
def test_monotone(since: int, before: int, length: int, after: int) -> None:
    """What is touched in a window is touched in every window around it."""
    inner = touched(since + before, since + before + length)
    outer = touched(since, since + before + length + after)
    assert not (inner & ~outer).any()


@given(positions)
def test_empty_window(at: int) -> None:
    """Nothing is touched in no time."""
    assert not touched(at, at).any()


@given(positions)
def test_two_words(since: int) -> None:
    """A window of two hash words touches every page, without exception."""
    assert touched(since, since + WHOLE_WORDS).all()


@pytest.mark.parametrize("cells", [0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("since", [0, 5 * CELL + 77, 31 * CELL + CELL // 2, 2**35 + 1])
def test_rate_of_short_windows(cells: float, since: int) -> None:
    """A window of up to one cell touches exactly its share: a quarter of a page per cell."""
    share = touched(since, since + int(cells * CELL), NR_PAGES).mean()
    spread = 4 * (cells / 4 / NR_PAGES) ** 0.5
    assert share == pytest.approx(cells / 4, abs=spread)


@pytest.mark.parametrize("cells", [2, 4, 8, 12, 31, 33])
@pytest.mark.parametrize("since", [0, 30 * CELL + 5])
def test_void_of_long_windows(cells: int, since: int) -> None:
    """A window of n cells leaves 0.75^n of the pages untouched."""
    share = 1 - touched(since, since + cells * CELL, NR_PAGES).mean()
    # Four standard deviations of the count of so many pages.
    spread = 4 * (0.75**cells / NR_PAGES) ** 0.5 + 1e-4
    assert share == pytest.approx(0.75**cells, abs=spread)


@pytest.mark.parametrize("touches", [0.05, 0.3, 1.0, 2.0, 5.0])
def test_close_to_poisson(touches: float) -> None:
    """The share of touched pages is within 0.06 of that of a Poisson process."""
    share = touched(1000, 1000 + int(touches * 4 * CELL), NR_PAGES).mean()
    assert share == pytest.approx(1 - np.exp(-touches), abs=0.06)
    assert share >= 1 - np.exp(-touches) - 0.005


def test_blocks_are_alike() -> None:
    """Neighbouring blocks of 1000 pages are touched in equal measure."""
    blocks = touched(123_456, 123_456 + 2 * CELL, NR_PAGES).reshape(-1, 1000).mean(axis=1)
    assert blocks.min() > 0.36
    assert blocks.max() < 0.52


def test_neighbours_are_independent() -> None:
    """Whether a page is touched says nothing about the next one."""
    hit = touched(0, 4 * CELL, NR_PAGES)
    both = (hit[1:] & hit[:-1]).mean()
    assert both == pytest.approx(hit.mean() ** 2, abs=0.01)


def test_windows_are_independent() -> None:
    """Whether a page is touched now says nothing about later."""
    now, later = touched(0, 4 * CELL, NR_PAGES), touched(40 * CELL, 44 * CELL, NR_PAGES)
    assert (now & later).mean() == pytest.approx(now.mean() * later.mean(), abs=0.01)


def test_salts() -> None:
    """Other salts give other touches, the same salt gives the same."""
    one, two = touched(0, 3 * CELL, 2000, salt=1), touched(0, 3 * CELL, 2000, salt=2)
    assert (one == touched(0, 3 * CELL, 2000, salt=1)).all()
    assert 0.3 < (one != two).mean() < 0.6


def test_instants_differ_between_pages() -> None:
    """Pages are not touched in step: thin slices of a cell are all alike."""
    slices = [touched(at, at + CELL // 8, 8000).mean() for at in range(0, CELL, CELL // 8)]
    assert min(slices) > 0.02
    assert max(slices) < 0.045


@given(
    st.lists(
        st.tuples(positions, st.lists(lengths, min_size=3, max_size=3)), min_size=1, max_size=3
    ),
    st.integers(0, 2**32),
)
def test_count_touched(rows: list[tuple[int, list[int]]], first: int) -> None:
    """Going from touch to touch counts the windows that asking each of them counts."""
    bounds = np.array([list(accumulate(steps, initial=since)) for since, steps in rows])
    nr_pages = 60
    pages, salts = first + np.arange(nr_pages), np.full(nr_pages, 7)
    row = np.arange(nr_pages) % len(rows)
    expected = np.sum(
        [is_touched(pages, salts, bounds[row, at], bounds[row, at + 1]) for at in range(3)], axis=0
    )
    assert count_touched(pages, salts, row, bounds).tolist() == expected.tolist()


def test_touches_at_the_edge() -> None:
    """A touch belongs to the window that begins with it."""
    bounds = np.arange(0, 64 * CELL + 1, CELL // 2)[None, :]
    pages, salts = np.arange(500), np.ones(500, np.int64)
    counts = count_touched(pages, salts, np.zeros(500, np.int64), bounds)
    # Windows of half a cell tell all touches apart: a quarter of 64 cells.
    assert counts.mean() == pytest.approx(16, rel=0.05)


@given(st.integers(1, 2**61), st.integers(0, 2**60))
def test_position_scale(mean: int, progress: int) -> None:
    """A mean distance of progress is four cells, as exactly as the numbers allow."""
    scale = position_scale(mean)
    assert scale.numerator * scale.denominator < 2**63
    exact = progress * 4 * CELL / mean
    if exact < 2**62:
        found = scaled(
            np.array([[progress]]), np.array([scale.numerator]), np.array([scale.denominator])
        )
        assert found[0, 0] == pytest.approx(exact, rel=1e-4, abs=1)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.317, 0.9, 1.0])
def test_is_covered(share: float) -> None:
    """A share of the pages is covered, and always the same pages."""
    pages = np.arange(50_000)
    covered = is_covered(pages, 11, np.full(50_000, share))
    assert covered.mean() == pytest.approx(share, abs=0.01)
    assert (covered == is_covered(pages, 11, np.full(50_000, share))).all()


def test_is_covered_grows() -> None:
    """A page that belongs to a small share belongs to every larger one."""
    pages = np.arange(5000)
    small, large = (is_covered(pages, 3, np.full(5000, share)) for share in (0.2, 0.6))
    assert not (small & ~large).any()


def test_salt_of() -> None:
    """Salts differ with every part, and fit int64."""
    salts = [salt_of(*parts) for parts in [(0,), (1,), (0, 1), (1, 0), (2**64, 5), (0, 1, 2)]]
    assert len(set(salts)) == len(salts)
    assert all(0 <= salt < 2**63 for salt in salts)
    assert salt_of(4, 2) == salt_of(4, 2)
