"""Trace events: names and lines as the kernel prints them."""

from __future__ import annotations

import dataclasses

import pytest

from damon_async.operations.events import (
    DamonAggregated,
    DamosBeforeApply,
    DamosEsz,
    DamosStat,
    IntervalsTuned,
    TraceEvent,
)

EVENTS: list[tuple[TraceEvent, str, str]] = [
    (
        DamonAggregated(9, 0, 3, 4096, 8192, 7, 12),
        "damon_aggregated",
        "target_id=0 nr_regions=3 4096-8192: 7 12",
    ),
    (
        DamosBeforeApply(9, 1, 2, 3, 4096, 8192, 7, 12),
        "damos_before_apply",
        "ctx_idx=0 scheme_idx=1 target_idx=2 nr_regions=3 4096-8192: 7 12",
    ),
    (IntervalsTuned(9, 7727), "damon_monitor_intervals_tune", "sample_us=7727"),
    (DamosEsz(9, 0, 1, 4096), "damos_esz", "ctx_idx=0 scheme_idx=1 esz=4096"),
    (
        DamosStat(9, 0, 1, 2, 3, 4, 5, 6, 7, 8),
        "damos_stat_after_apply_interval",
        (
            "ctx_idx=0 scheme_idx=1 nr_tried=2 sz_tried=3 nr_applied=4 sz_applied=5 "
            "sz_ops_filter_passed=6 qt_exceeds=7 nr_snapshots=8"
        ),
    ),
]
"""The five events of spec core 9."""


@pytest.mark.parametrize(("event", "name", "line"), EVENTS, ids=[name for _, name, _ in EVENTS])
def test_lines(event: TraceEvent, name: str, line: str) -> None:
    """Each event has the kernel's name and fields, in the kernel's order."""
    assert (event.event, event.line, event.time_us) == (name, line, 9)


def test_events_are_values() -> None:
    """Equal events are equal, and none changes."""
    assert DamosEsz(9, 0, 1, 4096) == DamosEsz(9, 0, 1, 4096) != DamosEsz(9, 0, 1, 4097)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'esz'"):
        DamosEsz(9, 0, 1, 4096).esz = 5  # type: ignore[misc] # that is the point
