"""
The report of working sets: how many bytes are in use.

Source:
    Output of damo 3.4.3; spec damo 1.4 and 5.
    Differs: several targets are added up moment by moment, then sorted, where
    damo adds up what it has sorted; a work time adds up the accesses of each
    address, where damo takes the most accessed neighbour for all of a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from ..arrays import IntArray
from ..errors import InvalidError
from ..records.record import Record, joined
from ..records.snapshot import Snapshot
from ..units import format_size
from .distribution import (
    DEFAULT_RANGE,
    Distribution,
    SortBy,
    in_order,
    percentile_lines,
    percentile_range,
)


@dataclass(frozen=True, slots=True)
class WssOptions:
    """Choices of the report; the names are those of damo's options."""

    range: Sequence[int] = DEFAULT_RANGE
    """First percentile, where to stop, and the step."""

    exclude_samples: int = 20
    """How many snapshots at the beginning do not count: regions still settle."""

    acc_thres: int = 1
    """Fewest accesses of what is in the working set, in samples."""

    sz_thres: int = 1
    """Smallest region that is in the working set, in bytes."""

    work_time: int = 1
    """How long one unit of work takes, in microseconds; snapshots are joined to that."""

    sortby: SortBy = SortBy.SIZE
    """In which order percentiles are taken."""

    nr_cols_bar: int = 59
    """Width of the bars; 0 draws none."""

    raw_number: bool = False
    """Whether numbers are printed plainly."""

    all_wss: bool = False
    """Whether all working sets are told, instead of percentiles."""

    per_target: bool = False
    """Whether each target is told by itself, instead of all together."""


def wss_report(records: Sequence[Record], options: WssOptions | None = None) -> str:
    """
    Report working set sizes.

    Raises:
        InvalidError: If there are no records, or the percentiles make no sense.
    """
    options = options or WssOptions()
    percentiles = percentile_range(options.range)
    lines: list[str] = []
    for each in working_sets(records, options):
        lines += [f"# target_id\t{each.label}", "# <percentile> <wss>"]
        lines += _lines(each, percentiles, options)
    return "\n".join(lines)


def working_sets(
    records: Sequence[Record], options: WssOptions | None = None
) -> list[Distribution]:
    """
    Work out the working set size of each snapshot, in bytes.

    Returns:
        One distribution, or one per target.

    Raises:
        InvalidError: If there are no records.
    """
    options = options or WssOptions()
    whole = joined(records)
    if not whole:
        msg = "there is no record to report"
        raise InvalidError(msg)
    sizes = [_sizes(each, options) for each in whole]
    labels = [str(each.target_id) for each in whole]
    if not options.per_target:
        # A target that has ended uses nothing any more.
        sizes = [[sum(moment) for moment in zip_longest(*sizes, fillvalue=0)]]
        # What damo calls the sum of all.
        labels = ["0"]
    return [
        Distribution(label, in_order(each, options.sortby))
        for label, each in zip(labels, sizes, strict=True)
    ]


def _lines(each: Distribution, percentiles: Sequence[int], options: WssOptions) -> list[str]:
    def print_size(size: int) -> str:
        return format_size(size, raw=options.raw_number)

    if options.all_wss and each.values:
        told = [f"{index} {print_size(size)}" for index, size in enumerate(each.values)]
        return [f"# avr:\t{print_size(each.mean)}", *told]
    return percentile_lines(each, percentiles, print_size, nr_cols_bar=options.nr_cols_bar)


def _sizes(record: Record, options: WssOptions) -> list[int]:
    # Left out before they are joined to units of work, so that the option means
    # snapshots whatever the work time.
    snapshots = record.snapshots[options.exclude_samples :]
    return [
        _working_set(sizes, counts, options)
        for sizes, counts in _units_of_work(snapshots, options.work_time)
    ]


def _working_set(sizes: IntArray, counts: IntArray, options: WssOptions) -> int:
    # spec damo 5: both thresholds belong to the working set.
    is_in = (counts >= options.acc_thres) & (sizes >= options.sz_thres)
    return int(sizes[is_in].sum())


def _units_of_work(
    snapshots: Sequence[Snapshot], work_time_us: int
) -> list[tuple[IntArray, IntArray]]:
    """Return sizes and accesses per unit of work; an unfinished one does not count."""
    units: list[tuple[IntArray, IntArray]] = []
    group: list[Snapshot] = []
    for snapshot in snapshots:
        group.append(snapshot)
        # Snapshots are never cut: a unit ends with the one that completes it.
        if snapshot.end_ns - group[0].start_ns >= work_time_us * 1000:
            units.append(_added_up(group))
            group = []
    return units


def _added_up(group: Sequence[Snapshot]) -> tuple[IntArray, IntArray]:
    if len(group) == 1:
        return group[0].sizes, group[0].nr_accesses
    # Between two borders of any snapshot all pages are alike.
    bounds = np.unique(
        np.concatenate([column for each in group for column in (each.start, each.end)])
    )
    counts = np.zeros(len(bounds), dtype=np.int64)
    for each in group:
        # Up where a region begins, down where it ends; the sum in between counts.
        np.add.at(counts, np.searchsorted(bounds, each.start), each.nr_accesses)
        np.subtract.at(counts, np.searchsorted(bounds, each.end), each.nr_accesses)
    return np.diff(bounds), np.cumsum(counts)[:-1]
