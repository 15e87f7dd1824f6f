"""Heat over time and addresses: cells, weights, blanks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.records.snapshot import Snapshot
from damon_async.reports.grid import Axes, HeatGrid, grid_of

from ..records.makers import AGGR_NS, SECOND_NS, Row, record, rows, snapshot, worked


def add(grid: HeatGrid, begin_ns: int, end_ns: int, *regions: tuple[int, int, float]) -> None:
    """Add regions that all begin at the same time."""
    starts, ends, heats = (np.array(column) for column in zip(*regions, strict=True))
    begins = np.full(len(starts), begin_ns)
    grid.add(begins, end_ns, starts, ends, heats.astype(np.float64))


def cells(grid: HeatGrid) -> list[list[float | None]]:
    """Return heat, None where nothing is known."""
    return [[None if math.isnan(each) else each for each in row] for row in grid.heat.tolist()]


class TestAxes:
    def test_whole_units(self) -> None:
        """Cells are whole nanoseconds and bytes, and what is left over is not shown."""
        axes = Axes.over((10, 110), (0, 12288), 7, 40)
        assert (axes.time_unit_ns, axes.end_ns) == (14, 108)
        assert (axes.space_unit, axes.end) == (307, 12280)

    def test_short_ranges(self) -> None:
        """Ranges shorter than the wanted cells have as many as fit."""
        axes = Axes.over((0, 3), (5, 7), 10, 10)
        assert (axes.nr_rows, axes.nr_columns) == (3, 2)

    @pytest.mark.parametrize(("rows", "columns"), [(0, 5), (5, 0), (-1, 5)])
    def test_no_cells(self, rows: int, columns: int) -> None:
        """A grid without cells is refused."""
        with pytest.raises(InvalidError, match=r"cells cannot be drawn; at least 1 x 1"):
            Axes.over((0, 10), (0, 10), rows, columns)

    @pytest.mark.parametrize(("times", "space"), [((5, 5), (0, 9)), ((0, 9), (9, 5))])
    def test_empty_ranges(self, times: tuple[int, int], space: tuple[int, int]) -> None:
        """Ranges in which nothing can lie are refused."""
        with pytest.raises(InvalidError, match=r"nothing lies in . to . ns and addresses . to ."):
            Axes.over(times, space, 1, 1)


class TestHeatGrid:
    def test_exact_cell(self) -> None:
        """What fills a cell gives it its heat; other cells stay unknown."""
        grid = HeatGrid(Axes.over((0, 20), (0, 30), 2, 3))
        add(grid, 10, 20, (10, 20, 7))
        assert cells(grid) == [[None] * 3, [None, 7, None]]

    def test_share_of_a_cell(self) -> None:
        """What fills a part of a cell gives it that part of its heat."""
        grid = HeatGrid(Axes.over((0, 10), (0, 10), 1, 1))
        add(grid, 5, 10, (0, 5, 8))
        assert cells(grid) == [[2]]

    def test_sums_up(self) -> None:
        """Parts of a cell add up."""
        grid = HeatGrid(Axes.over((0, 10), (0, 10), 1, 1))
        add(grid, 0, 10, (0, 5, 8), (5, 10, 4))
        assert cells(grid) == [[6]]

    def test_clipped(self) -> None:
        """What lies outside does not count."""
        grid = HeatGrid(Axes.over((10, 20), (10, 20), 1, 2))
        add(grid, 0, 40, (0, 15, 4))
        assert cells(grid) == [[4, None]]

    def test_before_and_after(self) -> None:
        """What ended before the first row, or begins after the last, leaves no trace."""
        grid = HeatGrid(Axes.over((10, 20), (0, 10), 1, 1))
        add(grid, 0, 10, (0, 10, 4))
        add(grid, 20, 30, (0, 10, 4))
        assert cells(grid) == [[None]]

    def test_touching_is_not_inside(self) -> None:
        """A region that ends where a cell begins does not belong to it."""
        grid = HeatGrid(Axes.over((0, 20), (0, 20), 2, 2))
        add(grid, 0, 10, (0, 10, 4))
        assert cells(grid) == [[4, None], [None, None]]

    def test_different_beginnings(self) -> None:
        """Regions of a snapshot may have begun at different times."""
        grid = HeatGrid(Axes.over((0, 30), (0, 20), 3, 2))
        begins, starts, ends = np.array([0, 20]), np.array([0, 10]), np.array([10, 20])
        grid.add(begins, 30, starts, ends, np.array([6.0, 3.0]))
        assert cells(grid) == [[6, None], [6, None], [6, 3]]

    def test_nothing_to_add(self) -> None:
        """Adding no regions changes nothing."""
        grid = HeatGrid(Axes.over((0, 10), (0, 10), 1, 1))
        empty = np.zeros(0, np.int64)
        grid.add(empty, 10, empty, empty, np.zeros(0))
        assert cells(grid) == [[None]]

    def test_many_regions_in_a_cell(self) -> None:
        """Where many regions share a cell, they are added up at once, to the same mean."""
        grid = HeatGrid(Axes.over((0, 10), (0, 1000), 1, 2))
        bounds = np.arange(0, 1001)
        heats = np.arange(1000, dtype=np.float64)
        grid.add(np.zeros(1000, np.int64), 10, bounds[:-1], bounds[1:], heats)
        assert grid.heat[0] == pytest.approx([249.5, 749.5])

    @given(drawn=rows(), size=st.tuples(st.integers(1, 9), st.integers(1, 9)))
    def test_heat_is_kept(self, drawn: list[Row], size: tuple[int, int]) -> None:
        """The heat of all cells together is that of all regions, however many cells."""
        if not drawn:
            return
        one = snapshot(drawn, 0)
        space = (int(one.start[0]), int(one.end[-1]))
        axes = Axes.over((0, AGGR_NS), space, *size)
        grid = grid_of([one], axes, is_in_hz=False)
        shown = np.nansum(grid.heat) * axes.time_unit_ns * axes.space_unit
        covered = np.minimum(one.end, axes.end) - np.minimum(one.start, axes.end)
        time_ns = axes.end_ns - axes.start_ns
        assert shown == pytest.approx(float((covered * one.nr_accesses).sum()) * time_ns)


def test_worked_cells() -> None:
    """The cells of spec damo 4.1 have their heat, to the last digit."""
    axes = Axes.over((300_000_000, 1_200_000_000), (4096, 16384), 2, 3)
    grid = grid_of(worked().snapshots, axes, is_in_hz=True)
    assert cells(grid) == [[22.22222222222222, 0, 0], [177.77777777777777, 0, 0]]


def test_ages_reach_back() -> None:
    """The first snapshot tells of the time before it, as far as ages reach."""
    one = record([(0, 10, 20, 3), (10, 20, 5, 1)])
    axes = Axes.over((SECOND_NS - 4 * AGGR_NS, SECOND_NS + AGGR_NS), (0, 20), 5, 2)
    grid = grid_of(one.snapshots, axes, is_in_hz=True)
    assert cells(grid) == [[None, None], [200, None], [200, None], [200, 50], [200, 50]]


def test_ages_stop_at_the_snapshot_before() -> None:
    """Later snapshots tell of nothing before the end of the one before them."""
    one = record([(0, 10, 20, 0)], [(0, 10, 0, 30)])
    axes = Axes.over((SECOND_NS, SECOND_NS + 2 * AGGR_NS), (0, 10), 2, 1)
    assert cells(grid_of(one.snapshots, axes, is_in_hz=True)) == [[200], [0]]


def test_ages_fill_pauses() -> None:
    """Where recording paused, ages of the next snapshot reach back into the pause."""
    later = SECOND_NS + 3 * AGGR_NS
    pair: list[Snapshot] = [
        snapshot([(0, 10, 20, 0)], SECOND_NS),
        snapshot([(0, 10, 10, 1)], later),
    ]
    axes = Axes.over((SECOND_NS, later + AGGR_NS), (0, 10), 4, 1)
    assert cells(grid_of(pair, axes, is_in_hz=True)) == [[200], [None], [100], [100]]


def test_samples_without_intervals() -> None:
    """Without intervals heat is samples, and ages reach nowhere."""
    one = record([(0, 10, 20, 3)], intervals=None)
    axes = Axes.over((SECOND_NS - AGGR_NS, SECOND_NS + AGGR_NS), (0, 10), 2, 1)
    assert cells(grid_of(one.snapshots, axes, is_in_hz=False)) == [[None], [20]]


def test_rows_in_the_middle() -> None:
    """Rows that begin in the middle of a record show what happened in them alone."""
    one = record(*([(0, 10, count, 0)] for count in (1, 2, 3, 4)))
    axes = Axes.over((SECOND_NS + 2 * AGGR_NS, SECOND_NS + 4 * AGGR_NS), (0, 10), 2, 1)
    assert cells(grid_of(one.snapshots, axes, is_in_hz=False)) == [[3], [4]]
