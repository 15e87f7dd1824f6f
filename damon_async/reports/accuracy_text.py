"""The report of accuracy: estimate beside truth, as text or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from ..arrays import FloatArray, IntArray
from ..units import format_percent, format_size, format_time_ns
from .accuracy import Accuracy
from .colors import ColorSet, Level, digit, legend, row_of
from .comparison import Comparison
from .grid import HeatGrid
from .heatmap import axes_lines

PERCENTILES: Final = (0, 25, 50, 75, 100)
"""Percentiles over snapshots that are told."""

_LABEL: Final = 24
"""Columns of the names of rows."""

_CELL: Final = 13
"""Columns of each figure."""


def accuracy_text(
    comparison: Comparison,
    *,
    colors: ColorSet | None = None,
    has_heatmaps: bool = True,
    per_snapshot: bool = False,
    raw: bool = False,
) -> str:
    """
    Tell how an estimate compares with the truth.

    Args:
        comparison: What was found.

        colors: Of the heatmaps' digits; None for plain text.

        has_heatmaps: Whether estimate and truth are drawn side by side.

        per_snapshot: Whether every snapshot is told by itself as well.

        raw: Print plain numbers: bytes, nanoseconds, percent.
    """
    # What was compared, and what hot means here, stands above the figures:
    # without it they say little.
    lines = [*_head_lines(comparison), ""]
    if per_snapshot:
        lines += [*_snapshot_lines(comparison.figures, raw), ""]
    lines += [*_size_lines(comparison.figures, raw), "", *_share_lines(comparison.figures, raw)]
    if has_heatmaps:
        lines += ["", *_heatmap_lines(comparison, colors)]
    return "\n".join(lines)


def accuracy_json(comparison: Comparison) -> str:
    """Tell the same as JSON: plain numbers, shares from 0 to 1, null where undefined."""
    figures = comparison.figures
    tree: dict[str, Any] = {
        "rate": figures.rate,
        "every": comparison.options.every,
        "nr_excluded": comparison.nr_excluded,
        "nr_compared": len(figures.time_ns),
        "overall": {
            "precision": _defined(figures.overall_precision),
            "recall": _defined(figures.overall_recall),
            "median_wss_error": _defined(figures.median_used_error),
        },
        "snapshots": _snapshot_trees(figures),
    }
    return json.dumps(tree, indent=4)


def _head_lines(comparison: Comparison) -> Iterator[str]:
    record, figures, every = comparison.record, comparison.figures, comparison.options.every
    yield (
        f"# accuracy of kdamond {record.kdamond_idx} / context {record.context_idx} / "
        f"target {record.target_id}"
    )
    which = f"{len(figures.time_ns)} of {len(record.snapshots)}"
    left_out = f"; the first {comparison.nr_excluded} do not count" * (comparison.nr_excluded > 0)
    steps = f"; of every {every} one was looked at" * (every > 1)
    yield f"# snapshots compared: {which}{left_out}{steps}"
    yield "# working set: touched at least once in a snapshot's time"
    share = format_percent(figures.rate * 100)
    yield f"# hot set: touched in at least {share} of a snapshot's sampling intervals"


def _size_lines(figures: Accuracy, raw: bool) -> Iterator[str]:
    heads = [f"{each} %" for each in PERCENTILES]
    yield _row("<percentile>", [*heads, "average"])
    yield _size_row("working set, estimate", figures.estimated_used, raw)
    yield _size_row("working set, truth", figures.true_used, raw)
    yield _size_row("hot set, estimate", figures.estimated, raw)
    yield _size_row("hot set, truth", figures.true, raw)


def _share_lines(figures: Accuracy, raw: bool) -> Iterator[str]:
    heads = [f"{each} %" for each in PERCENTILES]
    yield _row("<percentile>", [*heads, "overall"])
    # Of sums, so that the last column is not the mean of its row.
    used = _total_error(figures.estimated_used, figures.true_used)
    hot = _total_error(figures.estimated, figures.true)
    yield _share_row("working set, error", figures.used_error, used, raw)
    yield _share_row("hot set, error", figures.size_error, hot, raw)
    yield _share_row("hot set, precision", figures.precision, figures.overall_precision, raw)
    yield _share_row("hot set, recall", figures.recall, figures.overall_recall, raw)
    median = _share_text(figures.median_used_error, raw, signed=True)
    yield f"# the median working set is off by {median}"


def _size_row(name: str, sizes: IntArray, raw: bool) -> str:
    if not len(sizes):
        return _row(name, ["n/a"] * (len(PERCENTILES) + 1))
    # A size that occurred, not one between two.
    chosen = np.percentile(sizes, PERCENTILES, method="inverted_cdf").tolist()
    numbers = [*chosen, float(sizes.mean())]
    return _row(name, [format_size(int(each), raw=raw) for each in numbers])


def _share_row(name: str, shares: FloatArray, overall: float, raw: bool) -> str:
    # A snapshot in which nothing was hot has no recall; that is not a recall of 0.
    defined = shares[~np.isnan(shares)]
    chosen = [math.nan] * len(PERCENTILES)
    if len(defined):
        chosen = np.percentile(defined, PERCENTILES, method="inverted_cdf").tolist()
    # Too much and too little are different mistakes.
    signed = name.endswith("error")
    return _row(name, [_share_text(each, raw, signed=signed) for each in (*chosen, overall)])


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<{_LABEL}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)


def _share_text(share: float, raw: bool, *, signed: bool) -> str:
    if math.isnan(share):
        return "n/a"
    if raw:
        return f"{share * 100:.6f}"
    # Always two decimals, other than elsewhere: figures in a column have to
    # align.
    return f"{share * 100:{'+' if signed else ''}.2f} %"


def _total_error(estimated: IntArray, true: IntArray) -> float:
    total = int(true.sum())
    return (int(estimated.sum()) - total) / total if total else math.nan


def _snapshot_lines(figures: Accuracy, raw: bool) -> Iterator[str]:
    names = ("wss estimate", "wss truth", "hot estimate", "hot truth", "precision", "recall")
    yield _row("<snapshot's end>", names)
    columns = (
        figures.time_ns,
        figures.estimated_used,
        figures.true_used,
        figures.estimated,
        figures.true,
        figures.precision,
        figures.recall,
    )
    for time_ns, *sizes, precision, recall in zip(
        *(each.tolist() for each in columns), strict=True
    ):
        shares = [_share_text(each, raw, signed=False) for each in (precision, recall)]
        cells = [format_size(size, raw=raw) for size in sizes] + shares
        yield _row(format_time_ns(time_ns, raw=raw), cells)


def _snapshot_trees(figures: Accuracy) -> list[dict[str, float | None]]:
    columns = {
        "time_ns": figures.time_ns,
        "wss_estimate": figures.estimated_used,
        "wss_truth": figures.true_used,
        "hot_estimate": figures.estimated,
        "hot_truth": figures.true,
        "hot_common": figures.common,
        "precision": figures.precision,
        "recall": figures.recall,
        "hot_error": figures.size_error,
        "wss_error": figures.used_error,
    }
    rows = zip(*(each.tolist() for each in columns.values()), strict=True)
    return [dict(zip(columns, map(_defined, row), strict=True)) for row in rows]


def _defined(number: float) -> float | None:
    # JSON has no NaN, whatever Python writes.
    return None if math.isnan(number) else number


def _heatmap_lines(comparison: Comparison, colors: ColorSet | None) -> Iterator[str]:
    width = comparison.estimate.axes.nr_columns
    yield f"{'estimate':<{width}} | truth"
    # A tenth per digit, and not damo's levels: both maps need one scale that is known.
    both = zip(_levels(comparison.estimate), _levels(comparison.truth), strict=True)
    for estimate, truth in both:
        yield f"{row_of(estimate, colors)} | {row_of(truth, colors)}"
    yield f"# access rate: {legend(colors)} (0 % to 100 % of sampling intervals, {digit(9)}: >= 90 %)"
    yield from axes_lines(comparison.estimate.axes)


def _levels(grid: HeatGrid) -> list[list[Level]]:
    return [
        # All of the intervals would be a level of its own; it shares the last.
        [None if math.isnan(each) else min(9, max(0, int(each / 10))) for each in row]
        for row in grid.heat.tolist()
    ]
