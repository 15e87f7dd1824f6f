from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.monitor.committing import (
    committed_targets,
    initial_table,
    joined_ranges,
    ranges_of,
    updated_table,
)
from damon_async.operations.vaddr import Vaddr
from damon_async.params.monitoring import Target
from damon_async.regions.table import RegionTable

from ..regions.tables import assert_sound, covered, rows_of, table_of
from .doubles import PAGE, Still, target_of


def test_ranges_of_a_target() -> None:
    """The ranges of a target are an array, also if there are none."""
    assert ranges_of(target_of(None, (1, 2), (5, 9), unit=1)).tolist() == [[1, 2], [5, 9]]
    assert ranges_of(Target()).shape == (0, 2)


@pytest.mark.parametrize(
    ("ranges", "joined"),
    [
        ([], []),
        ([[0, 5]], [[0, 5]]),
        ([[0, 5], [5, 9], [9, 10]], [[0, 10]]),
        ([[0, 5], [6, 9], [9, 10]], [[0, 5], [6, 10]]),
    ],
)
def test_touching_ranges_are_joined(ranges: list[list[int]], joined: list[list[int]]) -> None:
    """Ranges that touch become one."""
    assert joined_ranges(np.array(ranges, np.int64).reshape(-1, 2)).tolist() == joined


def test_initial_table_keeps_touching_ranges_apart() -> None:
    """Every range that the user gave is a region at first."""
    table = initial_table(
        [target_of(None, (0, 2), (2, 5)), Target(), target_of(None, (0, 1))], PAGE
    )
    assert table.target.tolist() == [0, 0, 2]
    assert rows_of(table) == [(0, 2, 0, 0, 0), (2, 5, 0, 0, 0), (0, 1, 0, 0, 0)]


def test_initial_table_checks_ranges() -> None:
    """Ranges that overlap once rounded are refused."""
    with pytest.raises(InvalidError, match="range 1 starts at 0, inside the one before it"):
        initial_table([target_of(None, (0, 10), (20, 30), unit=1)], PAGE)


def test_updating_leaves_the_table_alone() -> None:
    """An update makes a new table."""
    table = table_of((0, 10, 1, 2, 3))
    target = Target(space=Still(mapped=[(0, 5), (20, 30), (50, 60)]))
    updated = updated_table(table, Vaddr(), [target], 0, PAGE)
    assert rows_of(table) == [(0, 10, 1, 2, 3)]
    assert rows_of(updated) == [(0, 5, 1, 2, 3), (20, 30, 0, 0, 0), (50, 60, 0, 0, 0)]


def test_only_missing_regions_are_looked_up() -> None:
    """Targets with regions may be left out of an update."""
    target = Target(space=Still(mapped=[(0, 5), (20, 30), (50, 60)]))
    table = table_of((0, 10, 1, 2, 3), target=1)
    updated = updated_table(table, Vaddr(), [target, target], 0, PAGE, only_missing=True)
    assert updated.target.tolist() == [0, 0, 0, 1]
    assert rows_of(updated)[-1] == (0, 10, 1, 2, 3)


ranges = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 50)), max_size=3)
committed = st.lists(st.tuples(ranges, st.booleans()), max_size=4)


def drawn_target(spans: list[tuple[int, int]], *, obsolete: bool = False) -> Target:
    """Return a target with ranges made of gaps and sizes."""
    position, bounds = 0, []
    for gap, size in spans:
        bounds.append((position + gap, position + gap + size))
        position += gap + size
    return target_of(None, *bounds).model_copy(update={"obsolete": obsolete})


@given(old=st.lists(ranges, max_size=4), new=committed)
def test_commits_cover_what_they_say(
    old: list[list[tuple[int, int]]], new: list[tuple[list[tuple[int, int]], bool]]
) -> None:
    """After any commit each target covers its ranges, or those it had if it brings none."""
    before = [drawn_target(spans) for spans in old]
    table = initial_table(before, PAGE)
    cells = table.cells.copy()
    after = [
        drawn_target(spans, obsolete=obsolete and index < len(old))
        for index, (spans, obsolete) in enumerate(new)
    ]
    targets, result = committed_targets(before, after, table, PAGE)
    assert_sound(result)
    assert np.array_equal(table.cells, cells)
    kept = [(index, target) for index, target in enumerate(after) if not target.obsolete]
    assert targets == tuple(target for _, target in kept)
    for position, (index, target) in enumerate(kept):
        inherited = before[index] if index < len(before) else Target()
        wanted = ranges_of(target if target.regions else inherited)
        expected = RegionTable.from_ranges(wanted, position)
        assert covered(result.of_target(position)) == covered(expected)
