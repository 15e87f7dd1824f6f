"""`damon-async report heatmap`: when was which part of memory how hot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter

from ..reports.colors import ColorSet
from ..reports.heatmap import (
    DrawRange,
    HeatmapOptions,
    heatmap_guide,
    heatmap_raw,
    heatmap_text,
)
from ..reports.heatmap_plot import plot_heatmap
from .quantities import Count, CountPair, choice_of
from .report_common import DEFAULT_INPUT, STDOUT, Inputs, colors_if_any, emit, load_records
from .report_ranges import RangeWords, address_range_of, time_range_of

WHAT: Final = Group("What to draw", sort_key=2)
LOOK: Final = Group("Layout", sort_key=3)

RAW: Final = "raw"


@Parameter(name="*", group=WHAT)
@dataclass(frozen=True, kw_only=True)
class RangeOptions:
    """
    Which record, times and addresses are drawn.

    Source:
        spec damo 1.4.
    """

    time_range: RangeWords = ()
    """Times to draw, such as 1s 5s; bare numbers are nanoseconds. They count from
    time zero, or with a BASE of "guided" or "guided_end" from the beginning or the
    end of the record. Default: all."""

    address_range: RangeWords = ()
    """Addresses to draw, such as 4G 5G; with a BASE of "guided" they count from the
    beginning of the hottest range. Default: what --draw_range says."""

    draw_range: Annotated[DrawRange, choice_of(DrawRange)] = DrawRange.HOTTEST
    """Draw the range of addresses with the most accesses per byte, or each by itself."""

    # damo's name, though everything else calls it a target's index.
    tid: Count | None = None
    """Which target, by its number. Default: the first."""

    kdamond_idx: Count | None = None
    """Which kdamond. Default: the first."""

    context_idx: Count | None = None
    """Which of its contexts. Default: the first."""

    scheme_idx: Count | None = None
    """Regions that this scheme tried. Default: the first record, of a scheme or not."""


@Parameter(name="*", group=LOOK)
@dataclass(frozen=True, kw_only=True)
class LookOptions:
    """How a heatmap looks."""

    resol: Annotated[CountPair | None, Parameter(metavar="ROWS COLUMNS")] = None
    """Cells for time and addresses. Default: 40 80 as text, else 500 500."""

    stdout_colorset: Annotated[ColorSet, choice_of(ColorSet)] = ColorSet.GRAY
    """Colours of the digits, on a terminal."""

    stdout_skip_colorset_example: bool = False
    """Leave out the line that shows what the digits mean."""

    abs_time: bool = False
    """Count times in raw output and pictures from time zero."""

    abs_addr: bool = False
    """Count addresses in raw output and pictures from address zero."""


def heatmap(
    *,
    input: Inputs = (DEFAULT_INPUT,),
    output: Annotated[str, Parameter(group=LOOK, metavar="stdout|raw|FILE")] = STDOUT,
    guide: Annotated[bool, Parameter(group=WHAT)] = False,
    guide_human: Annotated[bool, Parameter(group=WHAT)] = False,
    ranges: RangeOptions = RangeOptions(),
    look: LookOptions = LookOptions(),
) -> None:
    """
    Show when which part of memory was how hot: rows are times, columns addresses.

    Args:
        input: The records; one of them is drawn.

        output: Where to: text on stdout, raw numbers on stdout, or a picture
            (.png, .svg, .pdf or .jpg).

        guide: Tell what there is to draw instead of drawing it.

        guide_human: The same with units.

        ranges: What is drawn.

        look: How it looks.
    """
    # Options first: they are checked without reading a long record.
    options = _options(ranges, look)
    records = load_records(input)
    # As with damo a guide wins over any output.
    if guide or guide_human:
        emit([heatmap_guide(records, is_human=guide_human)])
    elif output == STDOUT:
        emit([heatmap_text(records, options)])
    elif output == RAW:
        emit([heatmap_raw(records, options)])
    else:
        # Whatever is no known word is a file; its ending is checked when drawing.
        plot_heatmap(records, output, options)


def _options(ranges: RangeOptions, look: LookOptions) -> HeatmapOptions:
    # Colours are for text alone; pictures have a scale of their own.
    return HeatmapOptions(
        resol=look.resol,
        time_range=time_range_of(ranges.time_range),
        address_range=address_range_of(ranges.address_range),
        draw_range=ranges.draw_range,
        abs_time=look.abs_time,
        abs_addr=look.abs_addr,
        target_id=ranges.tid,
        kdamond_idx=ranges.kdamond_idx,
        context_idx=ranges.context_idx,
        scheme_idx=ranges.scheme_idx,
        colors=colors_if_any(look.stdout_colorset),
        has_legend=not look.stdout_skip_colorset_example,
    )
