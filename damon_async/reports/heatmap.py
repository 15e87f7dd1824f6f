"""
The report of heatmaps: when was which part of memory how hot.

Source:
    Output of damo 3.4.3; spec damo 1.4, 4.1 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from ..arrays import FloatArray
from ..errors import InvalidError
from ..records.record import Record, joined
from ..units import format_size
from .colors import ColorSet, Level, legend, row_of
from .grid import Axes, HeatGrid, grid_of
from .ranges import hottest_range, mapped_ranges, time_range
from .rows import sorted_by_address
from .text import signed_time_ns, span, time_span

TEXT_RESOLUTION: Final = (40, 80)
"""Rows and columns of a heatmap on a terminal."""

FINE_RESOLUTION: Final = (500, 500)
"""Rows and columns of a heatmap as numbers or as a picture."""


class DrawRange(StrEnum):
    """Which address ranges are drawn."""

    HOTTEST = "hottest"
    """The one with the most accesses per byte."""

    ALL = "all"
    """Each by itself."""


class Base(StrEnum):
    """What the ends of a range are counted from."""

    ABSOLUTE = "absolute"
    """Zero."""

    GUIDED = "guided"
    """The beginning of what there is to see."""

    GUIDED_END = "guided_end"
    """The end of what there is to see."""


@dataclass(frozen=True, slots=True)
class BasedRange:
    """A half-open range that the user chose."""

    start: int
    """Nanoseconds or bytes from the base; may be negative."""

    end: int
    """Nanoseconds or bytes from the base."""

    base: Base = Base.ABSOLUTE
    """What both are counted from."""

    def within(self, guided: tuple[int, int]) -> tuple[int, int]:
        """Return the range itself, given what there is to see."""
        # Not clipped to what there is: cells outside of it stay blank, and the
        # axes are those that were asked for.
        zero = {Base.ABSOLUTE: 0, Base.GUIDED: guided[0], Base.GUIDED_END: guided[1]}[self.base]
        return zero + self.start, zero + self.end


@dataclass(frozen=True, slots=True)
class HeatmapOptions:
    """Choices of a heatmap; the names are those of damo's options."""

    resol: tuple[int, int] | None = None
    """Rows and columns; None for what suits the output."""

    time_range: BasedRange | None = None
    """Times to draw, in nanoseconds; None for all."""

    address_range: BasedRange | None = None
    """Addresses to draw; None for what *draw_range* says."""

    draw_range: DrawRange = DrawRange.HOTTEST
    """Which address ranges are drawn."""

    abs_time: bool = False
    """Whether numbers of raw output and pictures count from time zero."""

    abs_addr: bool = False
    """Whether numbers of raw output and pictures count from address zero."""

    target_id: int | None = None
    """Which target; None for that of the first record that fits."""

    kdamond_idx: int | None = None
    """Which kdamond; None as above."""

    context_idx: int | None = None
    """Which context; None as above."""

    scheme_idx: int | None = None
    """Which scheme; None as above."""

    colors: ColorSet | None = None
    """Colours of digits; None for plain text."""

    has_legend: bool = True
    """Whether text ends with what the digits mean."""


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A heatmap of one address range."""

    grid: HeatGrid
    """Its cells."""

    unit: str
    """What heat is: ``hz`` or ``samples``."""

    @property
    def axes(self) -> Axes:
        """Where its cells lie."""
        return self.grid.axes

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest heat; 0 and 0 if all is blank."""
        heat = self.grid.heat
        # NumPy warns about the smallest of nothing.
        if np.isnan(heat).all():
            return 0.0, 0.0
        return float(np.nanmin(heat)), float(np.nanmax(heat))


def heatmap_text(records: Sequence[Record], options: HeatmapOptions | None = None) -> str:
    """
    Draw heatmaps as digits: rows are times, columns addresses.

    Raises:
        InvalidError: If there is nothing to draw.
    """
    options = options or HeatmapOptions()
    # spec damo 1.4: 40 x 80 for a terminal, 500 x 500 for all else.
    maps = heatmaps_of(records, options, TEXT_RESOLUTION)
    return "\n".join(line for each in maps for line in text_lines(each, options))


def heatmap_raw(records: Sequence[Record], options: HeatmapOptions | None = None) -> str:
    """
    Print heatmaps as numbers: time, address and heat of each cell, tab separated.

    Raises:
        InvalidError: If there is nothing to print.
    """
    options = options or HeatmapOptions()
    maps = heatmaps_of(records, options, FINE_RESOLUTION)
    return "\n".join(line for each in maps for line in _raw_lines(each, options))


def heatmap_guide(records: Sequence[Record], *, is_human: bool = False) -> str:
    """
    Tell what there is to draw of each record, the earliest first.

    Args:
        records: Each of them is told; those of the same target count as one.

        is_human: Print units.
    """
    ordered = _by_time(records)
    return "\n".join(line for each in ordered for line in guide_lines(each, raw=not is_human))


def guide_lines(record: Record, *, raw: bool) -> Iterator[str]:
    """Tell whose a record is, when it was made, and what was monitored."""
    for name in ("kdamond_idx", "context_idx", "scheme_idx", "target_id"):
        # Records of all that was monitored have no scheme.
        if getattr(record, name) is not None:
            yield f"{name}: {getattr(record, name)}"
    yield f"time: {time_span(*time_range(record), raw=raw)}"
    # Sorted first: ranges are told by what touches in the order of addresses.
    for index, (start, end) in enumerate(mapped_ranges(sorted_by_address(record.snapshots))):
        yield f"region\t{index:>2}: {span(start, end, raw=raw)}"


def heatmaps_of(
    records: Sequence[Record], options: HeatmapOptions, usual_resolution: tuple[int, int]
) -> list[Heatmap]:
    """
    Work out heatmaps.

    Args:
        records: One of them is drawn.

        options: Which, and how.

        usual_resolution: Rows and columns if *options* say nothing.

    Returns:
        One, or one per address range.

    Raises:
        InvalidError: If there is nothing to draw.
    """
    record = chosen_record(records, options)
    ranges = mapped_ranges(record.snapshots)
    if not ranges:
        msg = "the record holds no regions to draw"
        raise InvalidError(msg)
    # What is guided starts from what would be drawn if nothing was asked for.
    guided_ns, hottest = time_range(record), hottest_range(record.snapshots, ranges)
    times_ns = options.time_range.within(guided_ns) if options.time_range else guided_ns
    if options.address_range is not None:
        ranges = [options.address_range.within(hottest)]
    elif options.draw_range is DrawRange.HOTTEST:
        ranges = [hottest]
    # Each range is divided anew: a heap and a stack lie terabytes apart, and in
    # one map both would be less than a column.
    rows, columns = options.resol or usual_resolution
    # Without intervals nobody knows how long an aggregation took; what is left
    # are its samples.
    is_in_hz = record.intervals is not None
    return [
        Heatmap(
            grid_of(record.snapshots, Axes.over(times_ns, each, rows, columns), is_in_hz=is_in_hz),
            "hz" if is_in_hz else "samples",
        )
        for each in ranges
    ]


def chosen_record(records: Sequence[Record], options: HeatmapOptions) -> Record:
    """
    Choose what is drawn: the earliest record that fits.

    Returns:
        Its snapshots' regions are in the order of addresses.

    Raises:
        InvalidError: If none fits.
    """
    wanted = {
        "kdamond_idx": options.kdamond_idx,
        "context_idx": options.context_idx,
        "scheme_idx": options.scheme_idx,
        "target_id": options.target_id,
    }
    ordered = _by_time(records)
    for record in ordered:
        if all(value in {None, getattr(record, name)} for name, value in wanted.items()):
            return replace(record, snapshots=sorted_by_address(record.snapshots))
    # With four indices to choose by, the error has to say what there is.
    asked = ", ".join(f"{name} {value}" for name, value in wanted.items() if value is not None)
    there = "; ".join(
        f"kdamond {each.kdamond_idx}, context {each.context_idx}, scheme {each.scheme_idx}, "
        f"target {each.target_id}"
        for each in ordered
    )
    msg = f"no record of {asked or 'anything'}; there is: {there or 'nothing'}"
    raise InvalidError(msg)


def _by_time(records: Sequence[Record]) -> list[Record]:
    # Joined, because polled snapshots lie in a record each (spec damo 1.3), and
    # one snapshot is hardly a map.
    return sorted(joined(records), key=lambda each: each.start_ns)


def levels_of(heat: FloatArray, bounds: tuple[float, float]) -> list[list[Level]]:
    """
    Turn heat into levels from 0 to 9; what is not known has none.

    Args:
        heat: float64, shape (nr_rows, nr_columns); NaN where nothing is known.

        bounds: Lowest and highest heat of the scale.
    """
    low, high = bounds
    # One more than the highest, so that equal heats are level 0, as with damo.
    unit = (high + 1 - low) / 9
    return [
        [None if math.isnan(each) else min(9, max(0, int((each - low) / unit))) for each in row]
        for row in heat.tolist()
    ]


def text_lines(heatmap: Heatmap, options: HeatmapOptions) -> Iterator[str]:
    """Draw one heatmap as digits, with the lines that explain it."""
    for row in levels_of(heatmap.grid.heat, heatmap.bounds):
        yield row_of(row, options.colors)
    if options.has_legend:
        low, high = heatmap.bounds
        digits = legend(options.colors)
        yield f"# access_frequency: {digits} ({low:.3f}-{high:.3f} {heatmap.unit})"
    # Without a legend, too: digits alone do not say where they are.
    yield from axes_lines(heatmap.axes)


def axes_lines(axes: Axes) -> Iterator[str]:
    """Explain where the cells of a grid lie."""
    yield f"# x-axis: space {span(axes.start, axes.end)}"
    yield f"# y-axis: time {time_span(axes.start_ns, axes.end_ns)}"
    size, duration = format_size(axes.space_unit), signed_time_ns(axes.time_unit_ns)
    cells = f"{axes.nr_columns}x{axes.nr_rows}"
    yield f"# resolution: {cells} ({size} and {duration} for each character)"


def _raw_lines(heatmap: Heatmap, options: HeatmapOptions) -> Iterator[str]:
    axes = heatmap.axes
    # From the corner of the map, as damo: distances are short numbers.
    first_ns = axes.start_ns if options.abs_time else 0
    first_byte = axes.start if options.abs_addr else 0
    for row, heats in enumerate(heatmap.grid.heat.tolist()):
        time_ns = first_ns + row * axes.time_unit_ns
        for column, heat in enumerate(heats):
            # In damo's spelling; str gives as many digits as it takes.
            shown = "NaN" if math.isnan(heat) else str(heat)
            yield f"{time_ns}\t{first_byte + column * axes.space_unit}\t{shown}"
