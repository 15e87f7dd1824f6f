from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.regions.split import (
    SplitState,
    cut_points,
    enforce_min_nr_regions,
    even_pieces,
    plan_split,
    size_limit,
    split_regions,
)
from damon_async.regions.table import RegionTable

from . import plain
from .tables import (
    PAGE,
    assert_sound,
    bounds_of,
    covered,
    fresh_table,
    rows_of,
    table_of,
    tables,
)

seeds = st.integers(0, 2**32)


def split(table: RegionTable, seed: int, max_nr_regions: int = 1000, remembered: int = 0) -> None:
    """Split a table of page-aligned regions."""
    split_regions(
        table,
        np.random.default_rng(seed),
        SplitState(remembered),
        max_nr_regions=max_nr_regions,
        min_region_sz=PAGE,
    )


def pieces_of(size: int, nr_draws: int, *, remembered: int = 0) -> Counter[tuple[int, ...]]:
    """Split a region of *size* pages many times; count the sizes of its pieces, in bytes."""
    found: Counter[tuple[int, ...]] = Counter()
    rng = np.random.default_rng(7)
    for _ in range(nr_draws):
        table = fresh_table((3, 3 + size))
        state = SplitState(remembered)
        split_regions(table, rng, state, max_nr_regions=1000, min_region_sz=PAGE)
        found[tuple(table.sizes.tolist())] += 1
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 20, 1000])
@pytest.mark.parametrize("nr_pieces", [2, 3])
def test_split_makes_every_outcome(size: int, nr_pieces: int) -> None:
    """Splitting one region makes all the pieces that the rules allow, and no others (E9, E10)."""
    # A remembered number of 1 is that of the one region: two pieces did not help.
    found = pieces_of(size, 1500, remembered=nr_pieces - 2)
    assert set(found) == plain.split_outcomes(size * PAGE, nr_pieces, PAGE)


def test_split_points_are_equally_likely() -> None:
    """Each of the nine split points has its fair share."""
    found = pieces_of(1000, 4500)
    assert len(found) == 9
    assert min(found.values()) > 400
    assert max(found.values()) < 600


def test_a_lost_attempt_leaves_another() -> None:
    """Of three pieces, the second cut may still succeed where the first was lost."""
    # Three of nine draws are lost on three pages (E9).
    found = pieces_of(3, 1800, remembered=1)
    assert 150 < found[3 * PAGE,] < 250


def test_pieces_inherit_all_counters() -> None:
    """Every piece has the counters of the region it was cut from (P10)."""
    table = table_of((0, 100, 1, 2, 3), (100, 200, 4, 5, 6))
    split(table, 1)
    assert len(table) == 4
    assert [row[2:] for row in rows_of(table)] == [(1, 2, 3)] * 2 + [(4, 5, 6)] * 2


def test_same_seed_same_pieces() -> None:
    """The same generator state cuts at the same points."""
    first, second = fresh_table((0, 5000)), fresh_table((0, 5000))
    split(first, 3)
    split(second, 3)
    assert np.array_equal(first.cells, second.cells)


def test_states_are_independent() -> None:
    """What one context remembers is nothing to another (P23)."""
    mine, other = SplitState(), SplitState()
    plan_split(100, 1000, mine)
    assert plan_split(100, 1000, other).pieces == 2
    assert plan_split(100, 1000, mine).pieces == 3


def test_full_table_is_left_alone() -> None:
    """Nothing is split once there are as many regions as allowed."""
    table = fresh_table((0, 10), (10, 20), (20, 30))
    split(table, 0, max_nr_regions=3)
    assert bounds_of(table) == [(0, 10), (10, 20), (20, 30)]


def test_empty_table_is_left_alone() -> None:
    """There is nothing to split in an empty table."""
    table = RegionTable()
    split(table, 0)
    assert len(table) == 0


def test_number_is_remembered_before_the_split() -> None:
    """The number to compare with next time is that before this split."""
    state = SplitState()
    table = fresh_table((0, 100))
    rng = np.random.default_rng(0)
    split_regions(table, rng, state, max_nr_regions=1000, min_region_sz=PAGE)
    assert state.remembered == 1


def test_number_is_remembered_when_nothing_is_split() -> None:
    """A full table is remembered as well."""
    state = SplitState()
    plan_split(1000, 1000, state)
    assert state.remembered == 1000


def test_partial_split_rotates() -> None:
    """Partial splits give every region its turn, one after the other."""
    rng = np.random.default_rng(0)
    state = SplitState()
    grown: set[int] = set()
    for _ in range(10):
        table = fresh_table(*((100 * i, 100 * i + 100) for i in range(90)))
        split_regions(table, rng, state, max_nr_regions=100, min_region_sz=PAGE)
        turn = {start // 100 for start, end in bounds_of(table) if end - start < 100}
        assert len(turn) == 9
        assert not turn & grown
        grown |= turn
    assert grown == set(range(90))


def test_partial_split_cuts_two_pages() -> None:
    """A partial split also cuts regions of two pages, which others leave whole."""
    lengths = set()
    for seed in range(30):
        table = fresh_table((0, 2), (2, 4))
        split(table, seed, max_nr_regions=3)
        lengths.add(len(table))
    assert lengths == {2, 3}


@pytest.mark.parametrize("size", [2**60, 2**62, 2**63 - 1])
@pytest.mark.parametrize("tenths", [1, 5, 9])
def test_cut_points_of_huge_regions(size: int, tenths: int) -> None:
    """Cut points are exact where ten times the size exceeds 63 bits."""
    cuts = cut_points(np.array([size]), np.array([tenths]), PAGE, np.array([True]))
    assert cuts.dtype == np.int64
    assert cuts.tolist() == [plain.cut_point(size, tenths, PAGE)]


@pytest.mark.parametrize(
    ("total", "least", "limit"),
    [(100 * PAGE, 10, 10 * PAGE), (PAGE, 10, PAGE), (0, 10, PAGE), (2**63, 3, 2**63 // 3)],
)
def test_size_limit(total: int, least: int, limit: int) -> None:
    """The limit is an equal share, but never below the smallest region."""
    assert size_limit(total, least, PAGE) == limit


def test_enforcing_counts_all_targets() -> None:
    """The least number of regions is that of all targets together."""
    table = RegionTable.joined([fresh_table((0, 90)), fresh_table((0, 10), target=1)])
    assert enforce_min_nr_regions(table, 10, PAGE) == 10 * PAGE
    assert table.target.tolist() == [0] * 9 + [1]


def test_enforcing_cannot_cut_pages() -> None:
    """Memory of fewer pages than regions wanted is cut into pages."""
    table = fresh_table((0, 4))
    assert enforce_min_nr_regions(table, 10, PAGE) == PAGE
    assert len(table) == 4


def test_enforcing_nothing() -> None:
    """Without memory the limit is the smallest region."""
    table = RegionTable()
    assert enforce_min_nr_regions(table, 10, PAGE) == PAGE
    assert len(table) == 0


@pytest.mark.parametrize(
    ("end", "nr_pieces", "pieces"),
    [
        (10, 0, [[0, 10]]),
        (10, 1, [[0, 10]]),
        (3, 4, [[0, 3]]),
        (8, 3, [[0, 2], [2, 4], [4, 8]]),
    ],
)
def test_even_pieces(end: int, nr_pieces: int, pieces: list[list[int]]) -> None:
    """A range is left whole where pieces would be empty, else the last is the largest."""
    assert (even_pieces(0, end * PAGE, nr_pieces, PAGE) // PAGE).tolist() == pieces


@given(start=st.integers(0, 50), size=st.integers(1, 500), nr_pieces=st.integers(1, 60))
def test_even_pieces_are_as_many_as_asked(start: int, size: int, nr_pieces: int) -> None:
    """Even pieces cover the range and are exactly as many as asked for (P28)."""
    pieces = even_pieces(start * PAGE, (start + size) * PAGE, nr_pieces, PAGE)
    assert len(pieces) == (nr_pieces if size >= nr_pieces else 1)
    assert pieces[0, 0] == start * PAGE
    assert pieces[-1, 1] == (start + size) * PAGE
    assert (pieces[1:, 0] == pieces[:-1, 1]).all()


@given(
    table=tables(),
    seed=seeds,
    max_nr_regions=st.integers(3, 200),
    remembered=st.integers(0, 90),
)
def test_split_keeps_the_bound(
    table: RegionTable, seed: int, max_nr_regions: int, remembered: int
) -> None:
    """Splitting covers the same memory with no more regions than allowed."""
    before = table.copy()
    split(table, seed, max_nr_regions, remembered)
    assert_sound(table)
    assert covered(table) == covered(before)
    assert len(before) <= len(table) <= max(max_nr_regions, len(before))


@given(table=tables(), seed=seeds)
def test_split_keeps_bounds_and_counters(table: RegionTable, seed: int) -> None:
    """No old bound is lost, and every address keeps its counters."""
    before = table.copy()
    split(table, seed)
    old = {tuple(cells): counters for *cells, counters in _by_bounds(before)}
    for target, start, end, counters in _by_bounds(table):
        parents = [key for key in old if key[0] == target and key[1] <= start < key[2]]
        assert len(parents) == 1
        assert end <= parents[0][2]
        assert old[parents[0]] == counters


def _by_bounds(table: RegionTable) -> list[tuple[int, int, int, tuple[int, ...]]]:
    return [(*cells[:3], tuple(cells[3:])) for cells in table.cells.T.tolist()]


@given(table=tables(), min_nr_regions=st.integers(3, 60))
def test_enforcing_follows_the_plain_rules(table: RegionTable, min_nr_regions: int) -> None:
    """Regions are cut as one would cut them one at a time."""
    before = table.copy()
    limit = enforce_min_nr_regions(table, min_nr_regions, PAGE)
    assert plain.plain_of(table) == plain.enforce(plain.plain_of(before), min_nr_regions, PAGE)
    assert_sound(table)
    assert limit % PAGE == 0
    if len(table):
        assert table.sizes.max() <= limit


@given(size=st.integers(1, 10_000), min_nr_regions=st.integers(3, 60))
def test_enforcing_makes_enough(size: int, min_nr_regions: int) -> None:
    """There are as many regions as wanted, up to what rounding to pages costs."""
    table = fresh_table((0, size))
    limit = enforce_min_nr_regions(table, min_nr_regions, PAGE)
    assert len(table) == -(-size * PAGE // limit)
    if size % min_nr_regions == 0 or size < min_nr_regions:
        assert len(table) == min(size, min_nr_regions)
