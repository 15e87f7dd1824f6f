"""`damon-async report wss`, `nr_regions` and `record_info`."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import Parameter

from ..reports.distribution import DEFAULT_RANGE, SortBy
from ..reports.distribution_plot import plot_nr_regions, plot_wss
from ..reports.nr_regions import NrRegionsOptions, nr_regions_report
from ..reports.record_info import record_info as record_info_report
from ..reports.wss import WssOptions, wss_report
from .quantities import Bytes, Count, PercentileRange, TimeUs, choice_of
from .report_common import DEFAULT_INPUT, Input, Inputs, emit, load_records

# -s is --sample elsewhere, but reports have no intervals; so it is with damo.
Order = Annotated[SortBy, choice_of(SortBy), Parameter(alias="-s")]
"""In which order percentiles are taken."""

Plot = Annotated[str | None, Parameter(alias="-p", metavar="FILE")]
"""A picture to be drawn."""

EXCLUDE_SAMPLES: Final = 20
"""Snapshots at the beginning that do not count, as with damo."""


def wss(
    *,
    input: Input = DEFAULT_INPUT,
    range: PercentileRange = DEFAULT_RANGE,
    exclude_samples: Count = EXCLUDE_SAMPLES,
    acc_thres: Annotated[Count, Parameter(alias="-t")] = 1,
    sz_thres: Bytes = 1,
    work_time: TimeUs = 1,
    sortby: Order = SortBy.SIZE,
    nr_cols_bar: Count = 59,
    raw_number: bool = False,
    all_wss: bool = False,
    per_target: bool = False,
    plot: Plot = None,
) -> None:
    """
    Show how large the working set was: bytes in regions that were accessed.

    Args:
        input: The record.

        range: PercentileRange to show: the first, where to stop, and the step.

        exclude_samples: How many snapshots at the beginning do not count, while
            regions still settle.

        acc_thres: Fewest accesses of a region that counts, in samples.

        sz_thres: Smallest region that counts, in bytes.

        work_time: How long one unit of work takes; snapshots are joined to that.
            Bare numbers are microseconds.

        sortby: Percentiles of the sizes, or moments in time.

        nr_cols_bar: Columns of the bars; 0 draws none.

        raw_number: Print plain numbers, without units.

        all_wss: Print the size of every snapshot instead of percentiles.

        per_target: Tell each target by itself instead of all together.

        plot: Draw a picture (.png, .svg, .pdf or .jpg) instead.
    """
    # One to one: the names of the model are damo's, like those of the options.
    options = WssOptions(
        range=range,
        exclude_samples=exclude_samples,
        acc_thres=acc_thres,
        sz_thres=sz_thres,
        work_time=work_time,
        sortby=sortby,
        nr_cols_bar=nr_cols_bar,
        raw_number=raw_number,
        all_wss=all_wss,
        per_target=per_target,
    )
    # A picture comes instead of the table, not with it.
    if plot is not None:
        plot_wss(load_records(input), plot, options)
    else:
        emit([wss_report(load_records(input), options)])


def nr_regions(
    *,
    input: Input = DEFAULT_INPUT,
    range: PercentileRange = DEFAULT_RANGE,
    sortby: Order = SortBy.SIZE,
    exclude_samples: Count = EXCLUDE_SAMPLES,
    plot: Plot = None,
) -> None:
    """
    Show how many regions the snapshots have.

    Args:
        input: The record.

        range: PercentileRange to show: the first, where to stop, and the step.

        sortby: Percentiles of the numbers, or moments in time.

        exclude_samples: How many snapshots at the beginning do not count.

        plot: Draw a picture (.png, .svg, .pdf or .jpg) instead.
    """
    # damo has no --exclude_samples here and always leaves out 20.
    options = NrRegionsOptions(range=range, sortby=sortby, exclude_samples=exclude_samples)
    if plot is not None:
        plot_nr_regions(load_records(input), plot, options)
    else:
        emit([nr_regions_report(load_records(input), options)])


def record_info(*, input: Inputs = (DEFAULT_INPUT,), raw_numbers: bool = False) -> None:
    """
    Show whose a record is, when it was made, and what was monitored.

    Args:
        input: The records.

        raw_numbers: Print plain numbers, without units.
    """
    emit([record_info_report(load_records(input), raw_numbers=raw_numbers)])
