"""How `report access` is to be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .colors import ColorSet
from .filters import KEEP_ALL, AccessFilter
from .percentiles import DEFAULT_PERCENTILES
from .rows import DEFAULT_WEIGHTS, Weights
from .styles import AccessStyle, SortKey


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """Choices of a report; the names are those of damo's options."""

    style: AccessStyle = AccessStyle.DETAILED
    """Which ready-made report."""

    keep: AccessFilter = KEEP_ALL
    """What it is about."""

    sort_regions_by: Sequence[SortKey] = ()
    """Keys to sort regions by; the last one decides first. Empty: as the style does."""

    sort_regions_dsc: Sequence[SortKey] = ()
    """Keys whose largest value comes first."""

    weights: Weights = DEFAULT_WEIGHTS
    """Of temperatures."""

    percentiles: Sequence[int] = DEFAULT_PERCENTILES
    """Which percentiles are told."""

    hist_ranges: Sequence[int] | None = None
    """Ascending borders of histogram bins; None for ten even ones."""

    hist_logscale: bool = False
    """Whether each bin of a histogram is twice as wide as the one before."""

    hist_cumulate: bool = False
    """Whether each bin of a histogram contains all before it."""

    formats: Sequence[tuple[str, str, str]] = ()
    """Changes to the texts of the style: set or append, the place, the text."""

    total_sz_only: bool = False
    """Whether only the total size of each snapshot is told."""

    merge_regions: bool = False
    """
    Whether neighbours with equal counts and ages are joined. damo 3.4.3 joins
    none of a file, whatever its help says.
    """

    raw_number: bool = False
    """Whether numbers are printed plainly."""

    is_colored: bool = False
    """Whether digits are coloured, for terminals."""

    region_box_colorset: ColorSet = ColorSet.EMOTION
    """Colours of boxes."""

    snapshot_heatmap_width: int = 80
    """Columns of a snapshot's heatmap, gaps not counted; at least 1."""

    snapshot_heatmap_colorset: ColorSet = ColorSet.GRAY
    """Colours of a snapshot's heatmap."""
