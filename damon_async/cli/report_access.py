"""`damon-async report access`: what was accessed how often, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter

from ..errors import InvalidError
from ..reports.access import access_lines
from ..reports.access_json import access_json
from ..reports.access_options import AccessOptions
from ..reports.colors import ColorSet
from ..reports.percentiles import DEFAULT_PERCENTILES, percentiles_of
from ..reports.raw_form import raw_lines
from ..reports.rows import DEFAULT_WEIGHTS, Weights
from ..reports.styles import AccessStyle, SortKey
from .quantities import Count, NumberTriple, WholeNumbers, choice_of, choices_of
from .report_common import DEFAULT_INPUT, Inputs, emit, has_colors, load_records
from .report_filters import NO_FILTERS, FilterOptions

LAYOUT: Final = Group("Layout", sort_key=2)


@Parameter(name="*", group=LAYOUT)
@dataclass(frozen=True, kw_only=True)
class LayoutOptions:
    """
    How a report of accesses looks.

    Source:
        spec damo 1.4.
    """

    style: Annotated[AccessStyle, choice_of(AccessStyle)] = AccessStyle.DETAILED
    """Which ready-made report."""

    sort_regions_by: Annotated[tuple[SortKey, ...], choices_of(SortKey)] = ()
    """Keys to sort regions by; the last one decides first. Default: as the style
    does, else by address."""

    sort_regions_dsc: Annotated[tuple[SortKey, ...], choices_of(SortKey)] = ()
    """Keys whose largest value comes first."""

    temperature_weights: Annotated[NumberTriple, Parameter(metavar="SIZE RATE AGE")] = (
        DEFAULT_WEIGHTS
    )
    """What makes a region hot: weight per byte, per percent of its access rate,
    and per microsecond of its age."""

    percentiles_range: WholeNumbers = ()
    """Percentiles to show: START STOP STEP, or a list of four or more.
    Default: 0 1 25 50 75 99 100."""

    hist_ranges: WholeNumbers = ()
    """Ascending borders of histogram bins. Default: ten even ones."""

    hist_logscale: bool = False
    """Make each bin of a histogram twice as wide as the one before."""

    hist_cumulate: bool = False
    """Count in each bin of a histogram all before it too."""

    format: Annotated[
        tuple[str, ...],
        Parameter(consume_multiple=True, metavar="set|append PLACE TEXT ...", show_default=False),
    ] = ()
    """Change a text of the style: "set" or "append", the place (record_head,
    snapshot_head, region, snapshot_tail, record_tail), and the text. Words such
    as `<size>` in it are filled in; they are those of damo."""

    snapshot_heatmap_width: Count = 80
    """Columns of a snapshot's heatmap."""

    snapshot_heatmap_colorset: Annotated[ColorSet, choice_of(ColorSet)] = ColorSet.GRAY
    """Colours of a snapshot's heatmap, on a terminal."""

    region_box_colorset: Annotated[ColorSet, choice_of(ColorSet)] = ColorSet.EMOTION
    """Colours of boxes, on a terminal."""

    # The opposite of damo's --dont_merge_regions, which has no effect on files.
    merge_regions: bool = False
    """Join neighbours with equal counts and ages."""

    total_sz_only: bool = False
    """Print only the total size of each snapshot."""

    raw_number: bool = False
    """Print plain numbers, without units."""

    def options(self, filters: FilterOptions) -> AccessOptions:
        """
        Return the options of the report.

        Raises:
            InvalidError: If a text or percentile makes no sense, or a filter
                keeps nothing.
        """
        # Names differ where damo's own are taken by more than one thing.
        return AccessOptions(
            style=self.style,
            keep=filters.keep(),
            sort_regions_by=self.sort_regions_by,
            sort_regions_dsc=self.sort_regions_dsc,
            weights=Weights(*self.temperature_weights),
            percentiles=percentiles_of(self.percentiles_range)
            if self.percentiles_range
            else DEFAULT_PERCENTILES,
            # Empty is not given; no histogram has no bins.
            hist_ranges=self.hist_ranges or None,
            hist_logscale=self.hist_logscale,
            hist_cumulate=self.hist_cumulate,
            formats=_triples(self.format),
            total_sz_only=self.total_sz_only,
            merge_regions=self.merge_regions,
            raw_number=self.raw_number,
            is_colored=has_colors(),
            region_box_colorset=self.region_box_colorset,
            snapshot_heatmap_width=self.snapshot_heatmap_width,
            snapshot_heatmap_colorset=self.snapshot_heatmap_colorset,
        )


def access(
    *,
    input: Inputs = (DEFAULT_INPUT,),
    json: Annotated[bool, Parameter(group=LAYOUT)] = False,
    raw_form: Annotated[bool, Parameter(group=LAYOUT)] = False,
    layout: LayoutOptions = LayoutOptions(),
    filters: FilterOptions = NO_FILTERS,
) -> None:
    """
    Show what was accessed how often, and since when.

    Args:
        input: Records, of any form that damo writes.

        json: Print JSON in the shape of record files.

        raw_form: Print counts as they were recorded, addresses in hexadecimal.

        layout: How the report looks.

        filters: What it is about.
    """
    # damo would quietly take the first.
    if json and raw_form:
        raise InvalidError("--json and --raw_form are two forms; choose one")
    options = layout.options(filters)
    records = load_records(input)
    if json:
        emit([access_json(records, options)])
    elif raw_form:
        # Line by line, like the usual form: a long record makes a long report.
        emit(raw_lines(records, options))
    else:
        emit(access_lines(records, options))


def _triples(words: Sequence[str]) -> list[tuple[str, str, str]]:
    # The parser takes any number, so that several changes fit one option.
    if len(words) % 3:
        raise InvalidError(
            f"--format takes three words at a time, not {len(words)}: "
            "set or append, a place, and a text"
        )
    return [
        (action, place, text)
        for action, place, text in zip(words[::3], words[1::3], words[2::3], strict=True)
    ]
