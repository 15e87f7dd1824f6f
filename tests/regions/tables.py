"""Building and reading tables of regions, in pages; and drawing them at random."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from damon_async.regions.table import RegionTable

PAGE = 4096

Row = tuple[int, int, int, int, int]
"""Start, end, nr_accesses, last_nr_accesses and age of a region."""


def table_of(*rows: Row, target: int = 0, unit: int = PAGE) -> RegionTable:
    """Return a table of one target; addresses are multiples of *unit*."""
    cells = [(target, start * unit, end * unit, *counters) for start, end, *counters in rows]
    return RegionTable(np.array(cells, np.int64).reshape(-1, 6).T.copy())


def fresh_table(*bounds: tuple[int, int], target: int = 0, unit: int = PAGE) -> RegionTable:
    """Return a table of regions nothing is known of; bounds are multiples of *unit*."""
    return table_of(*((start, end, 0, 0, 0) for start, end in bounds), target=target, unit=unit)


def rows_of(table: RegionTable, unit: int = PAGE) -> list[Row]:
    """Return the regions of a table; addresses are multiples of *unit*."""
    return [
        (start // unit, end // unit, nr_accesses, last, age)
        for _, start, end, nr_accesses, last, age in table.cells.T.tolist()
    ]


def bounds_of(table: RegionTable, unit: int = PAGE) -> list[tuple[int, int]]:
    """Return start and end of each region, as multiples of *unit*."""
    return [(start, end) for start, end, *_ in rows_of(table, unit)]


def covered(table: RegionTable) -> list[tuple[int, int, int]]:
    """Return target, start and end of what is monitored, whatever the regions."""
    spans: list[tuple[int, int, int]] = []
    for target, start, end in table.cells[:3].T.tolist():
        touches = spans and spans[-1][0] == target and spans[-1][2] == start
        first = spans.pop()[1] if touches else start
        spans.append((target, first, end))
    return spans


def assert_sound(table: RegionTable, unit: int = PAGE) -> None:
    """Check what holds for every table: sorted, disjoint, aligned, never negative."""
    cells = table.cells
    assert cells.dtype == np.int64
    assert cells.shape == (6, len(table))
    assert (cells >= 0).all()
    assert (table.start < table.end).all()
    assert not (table.start % unit).any()
    assert not (table.end % unit).any()
    assert (np.diff(table.target) >= 0).all()
    same = table.target[1:] == table.target[:-1]
    assert (table.start[1:] >= table.end[:-1])[same].all()


@st.composite
def tables(
    draw: st.DrawFn,
    max_nr_accesses: int = 20,
    max_size: int = 30,
    max_targets: int = 3,
) -> RegionTable:
    """Draw a table of several targets, with gaps and without."""
    counts = st.integers(0, max_nr_accesses)
    region = st.tuples(
        st.sampled_from([0, 0, 0, 1, 5]),
        st.one_of(st.integers(1, 4), st.integers(1, 1000)),
        counts,
        counts,
        st.integers(0, 50),
    )
    parts = []
    for target in range(draw(st.integers(0, max_targets))):
        position = draw(st.integers(0, 10))
        rows: list[Row] = []
        for gap, size, nr_accesses, last, age in draw(st.lists(region, max_size=max_size)):
            start = position + gap
            position = start + size
            rows.append((start, position, nr_accesses, last, age))
        parts.append(table_of(*rows, target=target))
    return RegionTable.joined(parts)
