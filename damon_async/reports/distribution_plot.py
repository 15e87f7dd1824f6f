"""Working sets and region counts as pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InvalidError
from ..records.record import Record
from ..units import format_number, format_size
from .distribution import Distribution, SortBy
from .nr_regions import NrRegionsOptions, region_counts
from .plots import new_figure, save, size_unit, tidy
from .wss import WssOptions, working_sets

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_wss(
    records: Sequence[Record], path: str | os.PathLike[str], options: WssOptions | None = None
) -> None:
    """
    Draw working set sizes into a picture file.

    Args:
        records: What to report.

        path: Its ending chooses the format.

        options: As those of the text.

    Raises:
        InvalidError: If there is nothing to draw, or nothing can be written.

        MissingExtraError: If matplotlib is not installed.
    """
    options = options or WssOptions()
    distributions = working_sets(records, options)
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    unit = size_unit(max((max(each.values, default=0) for each in distributions), default=0))
    _draw(axes, distributions, options.sortby, unit.size)
    axes.set_ylabel(f"working set size ({unit.name})")
    middle = ", ".join(format_size(each.at(50)) for each in distributions)
    axes.set_title(f"Working set size: {_of(options.sortby)}{middle}")
    save(figure, path)


def plot_nr_regions(
    records: Sequence[Record], path: str | os.PathLike[str], options: NrRegionsOptions | None = None
) -> None:
    """Draw region counts into a picture file; arguments and errors as above."""
    options = options or NrRegionsOptions()
    distributions = region_counts(records, options)
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    _draw(axes, distributions, options.sortby, 1)
    axes.set_ylabel("number of regions")
    middle = ", ".join(format_number(each.at(50)) for each in distributions)
    axes.set_title(f"Number of regions: {_of(options.sortby)}{middle}")
    save(figure, path)


def _draw(axes: Axes, distributions: Sequence[Distribution], order: SortBy, unit: float) -> None:
    if not all(each.values for each in distributions):
        msg = "no snapshot is left to draw; the first ones are left out, see --exclude_samples"
        raise InvalidError(msg)
    for each in distributions:
        # Percent of the way: the same for sorted numbers and for moments.
        places, values = np.linspace(0, 100, len(each.values)), np.divide(each.values, unit)
        # Steps, because a slope between two snapshots would claim what nobody
        # measured.
        axes.plot(places, values, drawstyle="steps-mid", label=f"target {each.label}")
        # Areas of several targets would cover each other.
        if len(distributions) == 1:
            axes.fill_between(places, values, step="mid", alpha=0.15)
    if len(distributions) > 1:
        axes.legend(frameon=False)
    axes.set_xlim(0, 100)
    # From zero, or small changes look like large ones.
    axes.set_ylim(bottom=0)
    is_sorted = order is SortBy.SIZE
    axes.set_xlabel("percentile of snapshots" if is_sorted else "time (percent of the recording)")
    tidy(axes)


def _of(order: SortBy) -> str:
    return "median " if order is SortBy.SIZE else "halfway "
