"""What a running kdamond has found, put into files."""

from __future__ import annotations

from typing import Final

from ..params.intervals import Intervals
from ..schemes.schemes import Schemes
from ..schemes.tried import Tried
from .node import Branch

STATS: Final = (
    "nr_tried",
    "sz_tried",
    "nr_applied",
    "sz_applied",
    "sz_ops_filter_passed",
    "qt_exceeds",
    "nr_snapshots",
)
"""Files in ``stats``; our statistics have the same names."""


def show_stats(context: Branch, schemes: Schemes) -> None:
    """
    Copy the statistics of *schemes* to the files in *context*.

    Schemes without a directory, and directories without a scheme, are passed over.

    Source:
        spec interfaces 3.2.
    """
    for branch, s in zip(context.below("schemes").children(), schemes.states, strict=False):
        stats = branch.below("stats")
        for name in STATS:
            stats.set_value(name, getattr(s.stats, name))


def show_effective_quotas(context: Branch, schemes: Schemes) -> None:
    """Copy the effective quotas of *schemes*, in bytes, to the files in *context*."""
    for branch, s in zip(context.below("schemes").children(), schemes.states, strict=False):
        branch.below("quotas").set_value("effective_bytes", s.quota.esz)


def show_intervals(context: Branch, intervals: Intervals) -> None:
    """Have the files in *context* say which intervals are in use."""
    files = context.below("monitoring_attrs/intervals")
    files.set_value("sample_us", intervals.sample_us)
    files.set_value("aggr_us", intervals.aggr_us)


def clear_tried_regions(context: Branch, nr_schemes: int | None = None) -> None:
    """
    Remove tried regions from the files in *context*.

    Args:
        context: A directory ``contexts/0``.

        nr_schemes: Of how many schemes; None for all.
    """
    for index, branch in enumerate(context.below("schemes").children()):
        if nr_schemes is None or index < nr_schemes:
            tried = branch.below("tried_regions")
            tried.renew_children(0)
            tried.set_value("total_bytes", 0)


class TriedRegions:
    """
    Collects tried regions, to be shown once there are all.

    Args:
        is_bytes_only: Whether only their total size is wanted.
    """

    def __init__(self, *, is_bytes_only: bool) -> None:
        self._is_bytes_only = is_bytes_only
        self._rows: dict[int, list[dict[str, int]]] = {}
        self._total_bytes: dict[int, int] = {}

    def visit(self, tried: Tried) -> None:
        """Take regions that an action was just tried on."""
        sz = int((tried.ranges[:, 1] - tried.ranges[:, 0]).sum())
        self._total_bytes[tried.scheme_idx] = self._total_bytes.get(tried.scheme_idx, 0) + sz
        if self._is_bytes_only:
            return
        columns = (tried.ranges[:, 0], tried.ranges[:, 1], tried.nr_accesses, tried.age)
        self._rows.setdefault(tried.scheme_idx, []).extend(
            {"start": start, "end": end, "nr_accesses": nr, "age": age, "sz_filter_passed": passed}
            for start, end, nr, age, passed in zip(
                *(column.tolist() for column in (*columns, tried.passed)), strict=True
            )
        )

    def show(self, context: Branch, *, is_count_shared: bool) -> None:
        """
        Make directories of all that was collected.

        Args:
            context: A directory ``contexts/0``. Schemes whose directory was
                removed meanwhile are passed over.

            is_count_shared: Whether the names of a scheme's regions go on where
                those of the scheme before ended.
        """
        first = 0
        for index, branch in enumerate(context.below("schemes").children()):
            rows = self._rows.get(index, [])
            tried = branch.below("tried_regions")
            tried.renew_children(len(rows), first=first, rows=rows)
            tried.set_value("total_bytes", self._total_bytes.get(index, 0))
            first += len(rows) if is_count_shared else 0
