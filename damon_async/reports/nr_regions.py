"""
The report of how many regions there are.

Source:
    Output of damo 3.4.3; spec damo 1.4.
    Differs: with 20 snapshots or fewer, which are all left out, it says so;
    damo divides by zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidError
from ..records.record import Record, joined
from .distribution import DEFAULT_RANGE, Distribution, SortBy, in_order, percentile_range


@dataclass(frozen=True, slots=True)
class NrRegionsOptions:
    """Choices of the report; the names are those of damo's options."""

    range: Sequence[int] = DEFAULT_RANGE
    """First percentile, where to stop, and the step."""

    sortby: SortBy = SortBy.SIZE
    """In which order percentiles are taken."""

    # damo leaves out 20 as well, but has no option for it (spec damo 1.4).
    exclude_samples: int = 20
    """How many snapshots at the beginning do not count: regions still settle."""


def nr_regions_report(records: Sequence[Record], options: NrRegionsOptions | None = None) -> str:
    """
    Report how many regions the snapshots have.

    Raises:
        InvalidError: If there are no records, or the percentiles make no sense.
    """
    options = options or NrRegionsOptions()
    percentiles = percentile_range(options.range)
    lines = ["# <percentile> <# regions>"]
    for each in region_counts(records, options):
        lines.append(f"# target_id\t{each.label}")
        lines += _lines(each, percentiles)
    return "\n".join(lines)


def region_counts(
    records: Sequence[Record], options: NrRegionsOptions | None = None
) -> list[Distribution]:
    """
    Count the regions of each snapshot.

    Returns:
        One distribution per target.

    Raises:
        InvalidError: If there are no records.
    """
    options = options or NrRegionsOptions()
    # Polled snapshots lie in a record each; percentiles are over all of a
    # target.
    whole = joined(records)
    if not whole:
        msg = "there is no record to report"
        raise InvalidError(msg)
    return [
        Distribution(
            str(record.target_id),
            in_order(
                [each.nr_regions for each in record.snapshots[options.exclude_samples :]],
                options.sortby,
            ),
        )
        for record in whole
    ]


def _lines(each: Distribution, percentiles: Sequence[int]) -> list[str]:
    if not each.values:
        # As the report of working sets says it.
        return ["# no snapshot"]
    # Tabs and no bars, other than for working sets: damo's layout.
    told = [f"{percentile}\t{each.at(percentile)}" for percentile in percentiles]
    return [f"# avr:\t{each.mean}", *told]
