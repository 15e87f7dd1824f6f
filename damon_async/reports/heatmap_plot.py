"""Heatmaps as pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..records.record import Record
from .heatmap import FINE_RESOLUTION, Heatmap, HeatmapOptions, chosen_record, heatmaps_of
from .plots import draw_cells, new_figure, save


def plot_heatmap(
    records: Sequence[Record], path: str | os.PathLike[str], options: HeatmapOptions | None = None
) -> None:
    """
    Draw heatmaps into a picture file, one below the other.

    Args:
        records: One of them is drawn.

        path: Its ending chooses the format.

        options: Which, and how.

    Raises:
        InvalidError: If there is nothing to draw, or nothing can be written.

        MissingExtraError: If matplotlib is not installed.
    """
    options = options or HeatmapOptions()
    maps = heatmaps_of(records, options, FINE_RESOLUTION)
    record = chosen_record(records, options)
    # Many ranges share what fits on a screen or two.
    figure = new_figure(9, 1.5 + len(maps) * max(1.2, min(3.5, 28 / len(maps))))
    figure.suptitle(_title(record))
    low, high = _limits(maps)
    # Unsqueezed, one map is a list of maps as well.
    all_axes = figure.subplots(len(maps), squeeze=False)[:, 0]
    # Addresses grow upwards, from the lowest range at the bottom.
    for axes, heatmap in zip(reversed(all_axes), maps, strict=True):
        image = draw_cells(
            axes,
            heatmap.grid.heat,
            heatmap.axes,
            limits=(low, high),
            is_absolute=(options.abs_time, options.abs_addr),
        )
    for axes in all_axes[:-1]:
        # The same axis below says it.
        axes.set_xlabel("")
    unit = {"hz": "accesses per second (hz)", "samples": "accesses per aggregation (samples)"}
    figure.colorbar(image, ax=all_axes, label=unit[maps[0].unit], aspect=25 * len(maps))
    save(figure, path)


def _limits(maps: Sequence[Heatmap]) -> tuple[float, float]:
    high = max(each.bounds[1] for each in maps)
    # From zero: the darkest colour should mean that nothing happened.
    return 0.0, high or 1.0


def _title(record: Record) -> str:
    scheme = "" if record.scheme_idx is None else f", scheme {record.scheme_idx}"
    return (
        f"Access frequency: kdamond {record.kdamond_idx}, context {record.context_idx}{scheme}, "
        f"target {record.target_id}"
    )
