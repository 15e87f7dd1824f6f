"""
Write the JSON form of records, piece by piece.

The text is put together by hand: the standard encoder takes many times longer,
and all that varies is integers.

Source:
    spec damo 4.1. Differs: ``aggr_interval_us`` of a snapshot is ours; damo
    skips it.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from ..params.intervals import Intervals
from .record import Record
from .snapshot import Snapshot, SnapshotExtras

# Both keys of an age are required, though one says it all (spec damo 4.1).
_REGION: Final = (
    '{"start":%d,"end":%d,"nr_accesses":{"samples":%d},"age":{"usec":null,"aggr_intervals":%d}}'
)
_REGION_PASSED: Final = _REGION[:-1] + ',"sz_filter_passed":%d}'

RECORD_TAIL: Final = "]}"
"""What closes a record after its last snapshot."""


def record_head(record: Record) -> str:
    """Write the beginning of a record, up to its first snapshot."""
    tree = {
        "kdamond_idx": record.kdamond_idx,
        "context_idx": record.context_idx,
        "intervals": None if record.intervals is None else _intervals_tree(record.intervals),
        "scheme_idx": record.scheme_idx,
        "target_id": record.target_id,
        "scheme_filters": list(record.scheme_filters),
        "data_source": record.data_source,
    }
    # The closing brace is left off; RECORD_TAIL brings it.
    return json.dumps(tree, separators=(",", ":"))[:-1] + ',"snapshots":['


def snapshot_text(snapshot: Snapshot, intervals: Intervals | None) -> str:
    """
    Write one snapshot.

    Args:
        snapshot: Of one target.

        intervals: Those of the record; the snapshot's own are written only
            where they differ or may be tuned.
    """
    rest = _own_intervals(snapshot, intervals) | _extras_tree(snapshot.extras)
    tail = "," + json.dumps(rest, separators=(",", ":"))[1:] if rest else "}"
    times = f'{{"start_time":{snapshot.start_ns},"end_time":{snapshot.end_ns}'
    return f'{times},"regions":[{_regions_text(snapshot)}]{tail}'


def _regions_text(snapshot: Snapshot) -> str:
    columns = [snapshot.start, snapshot.end, snapshot.nr_accesses, snapshot.age]
    each = _REGION
    if snapshot.extras is not None and snapshot.extras.sz_filter_passed is not None:
        columns.append(snapshot.extras.sz_filter_passed)
        each = _REGION_PASSED
    # One format for all regions of a snapshot: one call into C instead of one per region.
    numbers = tuple(np.stack(columns, axis=1).ravel().tolist())
    text = ",".join([each] * snapshot.nr_regions) % numbers
    # Ages of a record without ages; a real one is never negative.
    return text.replace('"aggr_intervals":-1', '"aggr_intervals":null')


def _intervals_tree(intervals: Intervals) -> dict[str, Any]:
    goal = intervals.intervals_goal
    return {
        "sample_us": intervals.sample_us,
        "aggr_us": intervals.aggr_us,
        "ops_update_us": intervals.update_us,
        "intervals_goal": {
            "access_bp": goal.access_bp,
            "aggrs": goal.aggrs,
            "min_sample_us": goal.min_sample_us,
            "max_sample_us": goal.max_sample_us,
        },
    }


def _own_intervals(snapshot: Snapshot, intervals: Intervals | None) -> dict[str, int]:
    # Without the record's intervals a reader would not know what to do with them.
    if intervals is None or not snapshot.sample_us:
        return {}
    own: dict[str, int] = {}
    # With tuning always: readers that find none infer it from durations.
    if intervals.intervals_goal.aggrs or snapshot.sample_us != intervals.sample_us:
        own["sample_interval_us"] = snapshot.sample_us
    # Readers take the ratio of the record's intervals for granted.
    expected_us = snapshot.sample_us * intervals.aggr_us // max(1, intervals.sample_us)
    if snapshot.aggr_us != expected_us:
        own["aggr_interval_us"] = snapshot.aggr_us
    return own


def _extras_tree(extras: SnapshotExtras | None) -> dict[str, Any]:
    if extras is None:
        return {}
    told = {"total_bytes": extras.total_bytes, "damos_stats": extras.damos_stats}
    return {key: value for key, value in told.items() if value is not None}
