"""Pictures: written whole, in the asked format, with readable axes."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from damon_async.errors import InvalidError, MissingExtraError
from damon_async.reports.accuracy_plot import plot_accuracy
from damon_async.reports.comparison import ComparisonOptions, compare
from damon_async.reports.distribution import SortBy
from damon_async.reports.distribution_plot import plot_nr_regions, plot_wss
from damon_async.reports.grid import Axes
from damon_async.reports.heatmap import DrawRange, HeatmapOptions
from damon_async.reports.heatmap_plot import plot_heatmap
from damon_async.reports.nr_regions import NrRegionsOptions
from damon_async.reports.plots import draw_cells, is_picture, new_figure, save, size_unit, time_unit
from damon_async.reports.wss import WssOptions

from ..records.makers import record, worked
from .test_comparison import PERFECT, TOO_LARGE, Lower

BEGINNINGS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "jpg": b"\xff\xd8"}


@pytest.mark.parametrize("ending", BEGINNINGS)
def test_formats(tmp_path: Path, ending: str) -> None:
    """The ending of the name chooses the format, in any case."""
    path = tmp_path / f"map.{ending.upper()}"
    plot_heatmap([worked()], path, HeatmapOptions(resol=(10, 10)))
    assert path.read_bytes().startswith(BEGINNINGS[ending])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.png", True), ("A.PDF", True), ("a.svg", True), ("stdout", False), ("a.data", False)],
)
def test_names_of_pictures(name: str, expected: bool) -> None:
    """A name asks for a picture by its ending."""
    assert is_picture(name) is expected


def test_unknown_format(tmp_path: Path) -> None:
    """An ending of no picture is refused, and nothing is written."""
    with pytest.raises(InvalidError, match=r"cannot draw .*map\.txt; its name should end in png"):
        plot_heatmap([worked()], tmp_path / "map.txt", HeatmapOptions(resol=(2, 2)))
    assert list(tmp_path.iterdir()) == []


def test_nowhere_to_write(tmp_path: Path) -> None:
    """A missing folder is told."""
    with pytest.raises(InvalidError, match="cannot write"):
        save(new_figure(1, 1), tmp_path / "gone" / "map.png")


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib the extra is named that brings it."""
    usual = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> object:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return usual(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"drawing pictures needs the 'plot' extra"):
        new_figure(1, 1)


def test_all_ranges(tmp_path: Path) -> None:
    """Several address ranges are drawn one above the other."""
    one = record([(0, 10, 1, 0), (1000, 1010, 20, 0), (5000, 5010, 3, 0)], intervals=None)
    options = HeatmapOptions(resol=(4, 4), draw_range=DrawRange.ALL, abs_time=True, abs_addr=True)
    plot_heatmap([one], tmp_path / "map.png", options)
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_cold_memory(tmp_path: Path) -> None:
    """Memory that is never touched can be drawn."""
    plot_heatmap([record([(0, 10, 0, 0)])], tmp_path / "map.png", HeatmapOptions(resol=(2, 2)))
    assert (tmp_path / "map.png").exists()


def test_axes_of_cells() -> None:
    """Axes are labelled with units and with where they begin."""
    figure = new_figure(4, 3)
    cells = Axes.over((2 * 10**9, 62 * 10**9), (2**46, 2**46 + 512 * 2**20), 3, 4)
    axes = figure.subplots()
    image = draw_cells(axes, np.full((3, 4), np.nan), cells, limits=(0, 1))
    assert axes.get_xlabel() == "time (s), from 2 s"
    assert axes.get_ylabel() == "address (MiB), from 64.000000 TiB"
    assert tuple(image.get_extent()) == (0, 60, 0, 512)


def test_absolute_axes() -> None:
    """Absolute axes count from zero and say no more."""
    figure = new_figure(4, 3)
    cells = Axes.over((0, 90 * 60 * 10**9), (4096, 8 * 2**30 + 4096), 3, 4)
    axes = figure.subplots()
    draw_cells(axes, np.zeros((3, 4)), cells, limits=(0, 1), is_absolute=(True, True))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (min)", "address (GiB)")


@pytest.mark.parametrize(
    ("largest", "name"),
    [
        (0, "B"),
        (1000, "B"),
        (2000, "B"),
        (2048, "KiB"),
        (2**20, "KiB"),
        (2**44, "TiB"),
        (2**60, "PiB"),
    ],
)
def test_units_of_sizes(largest: int, name: str) -> None:
    """Sizes are told in the unit in which they are short numbers."""
    assert size_unit(largest).name == name


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0, "µs"), (1e-4, "µs"), (0.1, "ms"), (60, "s"), (600, "min"), (7200, "min"), (36_000, "h")],
)
def test_units_of_times(seconds: float, name: str) -> None:
    """Times are told in the unit in which they are short numbers."""
    assert time_unit(seconds).name == name


@pytest.mark.parametrize("order", list(SortBy))
def test_working_sets(tmp_path: Path, order: SortBy) -> None:
    """Working sets are drawn by size and by time, of one target or several."""
    records = [worked(), record([(0, 4096, 1, 0)], target_id=1)]
    for per_target in (False, True):
        options = WssOptions(exclude_samples=0, sortby=order, per_target=per_target)
        path = tmp_path / f"wss{per_target}.png"
        plot_wss(records, path, options)
        assert path.read_bytes().startswith(BEGINNINGS["png"])


def test_region_counts(tmp_path: Path) -> None:
    """Region counts are drawn."""
    plot_nr_regions([worked()], tmp_path / "nr.svg", NrRegionsOptions(exclude_samples=0))
    assert (tmp_path / "nr.svg").read_bytes().startswith(BEGINNINGS["svg"])


def test_no_snapshot_left(tmp_path: Path) -> None:
    """If all snapshots are left out, that is told instead of an empty picture."""
    for plot in (plot_wss, plot_nr_regions):
        with pytest.raises(InvalidError, match="no snapshot is left to draw"):
            plot([worked()], tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_accuracy(tmp_path: Path) -> None:
    """Estimate, truth and difference are drawn with both working sets."""
    options = ComparisonOptions(exclude_samples=0, resol=(2, 4))
    found = compare(record(PERFECT, TOO_LARGE), Lower(), options)
    plot_accuracy(found, tmp_path / "accuracy.png")
    assert (tmp_path / "accuracy.png").read_bytes().startswith(BEGINNINGS["png"])


def test_accuracy_of_nothing(tmp_path: Path) -> None:
    """A comparison in which no snapshot counts is drawn, too."""
    options = ComparisonOptions(exclude_samples=1, every=9, resol=(1, 4))
    found = compare(record(PERFECT, PERFECT), Lower(), options)
    plot_accuracy(found, tmp_path / "accuracy.svg")
    assert (tmp_path / "accuracy.svg").exists()
