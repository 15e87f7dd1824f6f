"""What schemes would do, over time, as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ..arrays import FloatArray, IntArray
from ..whatif.outcome import Outcome, QuotaUse
from .plots import Unit, new_figure, save, size_unit, tidy, time_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASELINE_COLOR: Final = "0.55"
"""Gray: nothing was done."""

NR_STEPS: Final = 60
"""In how many steps of time stalls and quotas are summed up; single windows flicker."""


def plot_whatif(baseline: Outcome, tried: Sequence[Outcome], path: str | os.PathLike[str]) -> None:
    """
    Draw memory in use, refaults, stalls and quotas over time.

    Args:
        baseline: The run without schemes.

        tried: The runs with schemes.

        path: Its ending chooses the format.

    Raises:
        InvalidError: If nothing can be written there.

        MissingExtraError: If matplotlib is not installed.
    """
    figure = new_figure(13, 8)
    figure.suptitle("What the schemes would do")
    memory, refaults, quotas, stalls = figure.subplots(2, 2).T.flat
    time = time_unit(baseline.duration_us / 1e6)
    _draw_memory(memory, baseline, tried, time)
    _draw_refaults(refaults, baseline, tried, time)
    _draw_stalls(stalls, baseline, tried, time)
    _draw_quotas(quotas, tried, time)
    for panel in (memory, refaults, quotas, stalls):
        panel.set_xlim(0, baseline.duration_us / 1e6 / time.size)
        panel.set_xlabel(f"time ({time.name})")
        tidy(panel)
    figure.legend(*memory.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    save(figure, path)


def _draw_memory(axes: Axes, baseline: Outcome, tried: Sequence[Outcome], time: Unit) -> None:
    largest = max(int(run.timeline.resident_bytes.max()) for run in (baseline, *tried))
    size = size_unit(largest)
    for run, color, is_baseline in _lines(baseline, tried):
        axes.plot(
            run.timeline.time_us / 1e6 / time.size,
            run.timeline.resident_bytes / size.size,
            color=color,
            label=run.name,
            linewidth=2.5 if is_baseline else 1.3,
        )
    axes.set_ylim(0, largest / size.size * 1.05 or 1)
    axes.set_title("memory in use")
    axes.set_ylabel(f"size ({size.name})")


def _draw_refaults(axes: Axes, baseline: Outcome, tried: Sequence[Outcome], time: Unit) -> None:
    # As sums: rates of several runs would lie over each other.
    for run, color, _ in _lines(baseline, tried):
        line = run.timeline
        axes.plot(line.time_us / 1e6 / time.size, line.nr_refaults, color=color, linewidth=1.3)
    axes.set_ylim(bottom=0)
    axes.set_title("refaults so far: touches of pages that had been paged out")
    axes.set_ylabel("touches")


def _draw_stalls(axes: Axes, baseline: Outcome, tried: Sequence[Outcome], time: Unit) -> None:
    for run, color, _ in _lines(baseline, tried):
        edges, rates = _rates(run.timeline.time_us, run.timeline.stall_ns)
        # Nanoseconds per second in percent, for each of the programs.
        percent = rates / 1e7 / run.nr_programs
        axes.stairs(percent, edges / time.size, color=color, linewidth=1.3)
    axes.set_ylim(bottom=0)
    axes.set_title("programs waiting for memory")
    axes.set_ylabel("of the time (%)")


def _draw_quotas(axes: Axes, tried: Sequence[Outcome], time: Unit) -> None:
    axes.set_title("quota used, on average")
    axes.set_ylabel("of what was allowed (%)")
    axes.set_ylim(0, 108)
    has_any = False
    for run, color, _ in _lines(None, tried):
        for number, scheme in enumerate(run.schemes):
            if not len(scheme.quota):
                continue
            has_any = True
            seconds, shares = _smooth(scheme.quota)
            axes.plot(
                seconds / time.size,
                shares * 100,
                color=color,
                linewidth=1.3,
                linestyle=("-", "--", ":", "-.")[number % 4],
                marker="." if len(shares) < NR_STEPS else "",
            )
    if not has_any:
        axes.text(0.5, 0.5, "no scheme has a quota", ha="center", transform=axes.transAxes)


def _smooth(use: QuotaUse) -> tuple[FloatArray, FloatArray]:
    """Return when groups of windows begin, in seconds, and which share each group used."""
    size = -(-len(use) // NR_STEPS)
    firsts = np.arange(0, len(use), size)
    counts = np.diff(np.append(firsts, len(use)))
    return use.start_us[firsts] / 1e6, np.add.reduceat(use.shares, firsts) / counts


def _lines(baseline: Outcome | None, tried: Sequence[Outcome]) -> list[tuple[Outcome, str, bool]]:
    """Return runs with their colours, and which is the baseline; it is drawn first."""
    lines = [(run, f"C{number}", False) for number, run in enumerate(tried)]
    return lines if baseline is None else [(baseline, BASELINE_COLOR, True), *lines]


def _rates(time_us: IntArray, sums: IntArray) -> tuple[FloatArray, FloatArray]:
    """
    Return steps of time and how fast a sum grew in each.

    Args:
        time_us: int64, shape (nr_points,), ascending.

        sums: int64, same shape: what there was up to then.

    Returns:
        Edges in seconds, float64, shape (nr_steps + 1,); growth per second,
        shape (nr_steps,).
    """
    # Edges are instants that were looked at: between two of them nothing is known.
    chosen = np.unique(np.linspace(0, len(time_us) - 1, NR_STEPS + 1).astype(np.int64))
    edges = time_us[chosen] / 1e6
    return edges, np.diff(sums[chosen]) / np.diff(edges)
