"""
What all pictures share: opening matplotlib, axes with human units, saving.

matplotlib is an extra and slow to load, so it is imported where it is used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ..arrays import FloatArray
from ..errors import InvalidError, MissingExtraError
from ..records.beside import written_beside
from .grid import Axes as Cells
from .text import address

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

FORMATS: Final = ("png", "pdf", "svg", "jpg", "jpeg")
"""Endings of file names that are pictures."""

HEAT_COLORS: Final = "inferno"
"""Dark is cold; readable in gray and by the colour-blind."""

UNKNOWN_COLOR: Final = "0.85"
"""Light gray: nothing was monitored there."""

_SIZE_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_TIME_UNITS: Final = (("h", 3600), ("min", 60), ("s", 1), ("ms", 1e-3), ("µs", 1e-6))


class Unit(NamedTuple):
    """What an axis is labelled in."""

    name: str
    """As printed."""

    size: float
    """Bytes or seconds."""


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file name asks for a picture."""
    return _ending(path) in FORMATS


def new_figure(width: float, height: float) -> Figure:
    """
    Begin a picture.

    Args:
        width: In inches.

        height: In inches.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("plot", "drawing pictures") from None
    # Without pyplot: no window system, no figures that a global list keeps.
    # Constrained: labels outside of the axes are not cut off.
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """
    Write a picture; it appears when it is complete.

    Args:
        figure: The picture.

        path: Its ending chooses the format.

    Raises:
        InvalidError: If the ending is none of a picture, or nothing can be
            written there.
    """
    ending = _ending(path)
    if ending not in FORMATS:
        msg = f"cannot draw {os.fspath(path)}; its name should end in {', '.join(FORMATS)}"
        raise InvalidError(msg)
    # Readable by all, other than records: a picture is made to be shown.
    with written_beside(path, mode=0o644) as out:
        figure.savefig(out, format=ending, dpi=150)


def size_unit(largest: float) -> Unit:
    """Choose the unit in which sizes up to *largest* bytes are short numbers."""
    power = min(int(np.log2(max(1.0, largest)) // 10), len(_SIZE_UNITS) - 1)
    # Up to 2000 of the smaller unit rather than 1.something of the larger.
    if power and largest / 1024**power < 2:
        power -= 1
    return Unit(_SIZE_UNITS[power], 1024.0**power)


def time_unit(largest_s: float) -> Unit:
    """Choose the unit in which times up to *largest_s* seconds are short numbers."""
    for name, seconds in _TIME_UNITS:
        # Two minutes are still 120 s, and two hours 120 min.
        if largest_s > 3 * seconds:
            return Unit(name, seconds)
    return Unit(*_TIME_UNITS[-1])


def draw_cells(
    axes: Axes,
    heat: FloatArray,
    cells: Cells,
    *,
    limits: tuple[float, float],
    colors: str = HEAT_COLORS,
    is_absolute: tuple[bool, bool] = (False, False),
) -> AxesImage:
    """
    Draw a grid: time to the right, addresses upwards.

    Args:
        axes: Where.

        heat: float64, shape (nr_rows, nr_columns), as in a ``HeatGrid``.

        cells: Where its cells lie.

        limits: Heat at the ends of the colour scale.

        colors: Name of a colour map.

        is_absolute: Whether times, and whether addresses, count from zero.
    """
    from matplotlib import colormaps

    # Addresses near 2^47 and times since boot are unreadable; distances are not.
    start_s = cells.start_ns / 1e9 if is_absolute[0] else 0.0
    start = float(cells.start) if is_absolute[1] else 0.0
    duration_s = (cells.end_ns - cells.start_ns) / 1e9
    time, size = time_unit(start_s + duration_s), size_unit(start + cells.end - cells.start)
    extent = (
        start_s / time.size,
        (start_s + duration_s) / time.size,
        start / size.size,
        (start + cells.end - cells.start) / size.size,
    )
    shown = colormaps[colors].with_extremes(bad=UNKNOWN_COLOR)
    image = axes.imshow(
        # Other than in text, where time goes down and a long recording scrolls.
        np.ma.masked_invalid(heat.T),
        origin="lower",
        aspect="auto",
        # Smoothed cells would show heat where there was none.
        interpolation="nearest",
        extent=extent,
        cmap=shown,
        vmin=limits[0],
        vmax=limits[1],
    )
    axes.set_xlabel(
        _from(f"time ({time.name})", "" if is_absolute[0] else _seconds(cells.start_ns))
    )
    axes.set_ylabel(_from(f"address ({size.name})", "" if is_absolute[1] else address(cells.start)))
    return image


def tidy(axes: Axes) -> None:
    """Take away lines that tell nothing, and put a faint grid behind the rest."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)


def _from(label: str, origin: str) -> str:
    return f"{label}, from {origin}" if origin else label


def _seconds(time_ns: int) -> str:
    # Most recordings begin at zero or at any old time since some boot.
    return f"{time_ns / 1e9:g} s" if time_ns else ""


def _ending(path: str | os.PathLike[str]) -> str:
    return Path(path).suffix.lower().lstrip(".")
