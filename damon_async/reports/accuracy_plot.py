"""Estimate beside truth as a picture."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import IntArray
from ..units import format_percent
from .comparison import Comparison
from .plots import HEAT_COLORS, draw_cells, new_figure, save, size_unit, tidy, time_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_accuracy(comparison: Comparison, path: str | os.PathLike[str]) -> None:
    """
    Draw estimate, truth and their difference, and both working sets over time.

    Args:
        comparison: What was found; its grids are drawn as finely as they are.

        path: Its ending chooses the format.

    Raises:
        InvalidError: If nothing can be written there.

        MissingExtraError: If matplotlib is not installed.
    """
    figure = new_figure(13, 7.5)
    record = comparison.record
    figure.suptitle(
        f"Estimate beside truth: kdamond {record.kdamond_idx}, context {record.context_idx}, "
        f"target {record.target_id}"
    )
    grid = figure.add_gridspec(2, 3, height_ratios=(3, 2))
    panels = [figure.add_subplot(grid[0, column]) for column in range(3)]
    _draw_heatmaps(comparison, panels)
    below = grid[1, :].subgridspec(1, 2)
    figures = comparison.figures
    used, hot = (figure.add_subplot(below[0, column]) for column in range(2))
    _draw_sizes(used, figures.time_ns, figures.estimated_used, figures.true_used)
    used.set_title("working set: touched at all")
    _draw_sizes(hot, figures.time_ns, figures.estimated, figures.true)
    hot.set_title(f"hot set: touched in ≥ {format_percent(figures.rate * 100)} of the intervals")
    save(figure, path)


def _draw_heatmaps(comparison: Comparison, panels: list[Axes]) -> None:
    axes = comparison.estimate.axes
    # As far as it goes, but never so far that noise looks like an error.
    most = max(10.0, float(np.nanmax(np.abs(comparison.difference), initial=0.0)))
    # One scale for estimate and truth, or they could not be compared by eye.
    images = [
        draw_cells(panel, heat, axes, limits=limits, colors=colors)
        for panel, heat, limits, colors in (
            (panels[0], comparison.estimate.heat, (0, 100), HEAT_COLORS),
            (panels[1], comparison.truth.heat, (0, 100), HEAT_COLORS),
            # Red is too much, blue too little, white right; so zero has to be
            # in the middle of the scale.
            (panels[2], comparison.difference, (-most, most), "RdBu_r"),
        )
    ]
    titles = ("estimate", "truth", "estimate minus truth")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title)
    for panel in panels[1:]:
        # The same axis three times needs its label once.
        panel.set_ylabel("")
        panel.set_yticklabels([])
    figure = panels[0].figure
    below: dict[str, Any] = {"location": "bottom", "aspect": 40}
    figure.colorbar(images[0], ax=panels[:2], label="sampling intervals touched (%)", **below)
    figure.colorbar(images[2], ax=panels[2], label="percentage points", **below)


def _draw_sizes(axes: Axes, time_ns: IntArray, estimate: IntArray, truth: IntArray) -> None:
    seconds = time_ns / 1e9
    time = time_unit(float(seconds.max(initial=0)))
    largest = int(max(estimate.max(initial=0), truth.max(initial=0)))
    size = size_unit(largest)
    # The truth lies below and is wider, so that it shows where both agree.
    lines = ((truth, "truth", "tab:blue", 2.5), (estimate, "estimate", "tab:orange", 1.0))
    for sizes, name, color, width in lines:
        axes.plot(seconds / time.size, sizes / size.size, color=color, label=name, linewidth=width)
    # Room for the legend.
    axes.set_ylim(0, largest / size.size * 1.25 or 1)
    axes.set_xlabel(f"time ({time.name})")
    axes.set_ylabel(f"size ({size.name})")
    axes.legend(frameon=False, ncols=2, loc="upper right")
    tidy(axes)
