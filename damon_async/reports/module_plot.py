"""Free memory over time, and the watermarks that a module keeps it between, as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ..arrays import FloatArray
from ..params.quotas import Watermarks
from ..whatif.outcome import Outcome
from .plots import new_figure, save, tidy, time_unit

COLORS = ("0.55", "C0")
"""Of a run without the module, and of one with it."""


@dataclass(frozen=True, slots=True)
class FreeMemory:
    """
    How much memory there is, and between which marks it is kept.

    Attributes:
        capacity: All memory, in bytes.

        marks: Of the module.
    """

    capacity: int
    marks: Watermarks

    def percent(self, outcome: Outcome) -> FloatArray:
        """Return the free share at each point of a run: float64, shape (nr_points,)."""
        used = outcome.timeline.resident_bytes.astype(float)
        shares: FloatArray = 100 * (1 - used / self.capacity)
        return shares.clip(min=0)


def plot_free_memory(
    memory: FreeMemory, outcomes: Sequence[Outcome], path: str | os.PathLike[str]
) -> None:
    """
    Draw free memory over time.

    Args:
        memory: How much there is.

        outcomes: A run without the module, and one with it.

        path: Its ending chooses the format.

    Raises:
        InvalidError: If nothing can be written there.

        MissingExtraError: If matplotlib is not installed.
    """
    figure = new_figure(9, 4.5)
    axes = figure.subplots()
    time = time_unit(outcomes[0].duration_us / 1e6)
    for outcome, color in zip(outcomes, COLORS, strict=True):
        seconds = outcome.timeline.time_us / 1e6 / time.size
        axes.plot(seconds, memory.percent(outcome), color=color, label=outcome.name)
    marks = memory.marks
    named = {"high": marks.high_permil, "mid": marks.mid_permil, "low": marks.low_permil}
    for name, permil in named.items():
        axes.axhline(permil / 10, color="C3", linestyle=":", linewidth=1)
        # In the picture, right of the lines: a legend for three alike would not help.
        axes.annotate(name, (1.005, permil / 10), xycoords=("axes fraction", "data"), va="center")
    axes.set_xlim(0, outcomes[0].duration_us / 1e6 / time.size)
    axes.set_ylim(0, 100)
    axes.set_xlabel(f"time ({time.name})")
    axes.set_ylabel("free memory (%)")
    tidy(axes)
    figure.legend(loc="outside upper center", ncols=2)
    save(figure, path)
