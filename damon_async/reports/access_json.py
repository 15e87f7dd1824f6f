"""
Access patterns as JSON, in the shape of record files.

Source:
    Output of damo 3.4.3; spec damo 4.1. Differs: with raw numbers those of
    regions are raw as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..params.document import to_document
from ..params.intervals import Intervals
from ..params.monitoring import Context, Kdamond
from ..records.record import Record
from ..records.snapshot import Snapshot
from ..units import format_number, format_size, format_time_exact
from .access_options import AccessOptions
from .filters import filtered
from .rows import ages_us, percents

# Kernels before 7.0 do not count the last two.
_STATS: Final = (
    "nr_tried",
    "sz_tried",
    "nr_applied",
    "sz_applied",
    "sz_ops_filter_passed",
    "qt_exceeds",
    "nr_snapshots",
    "max_nr_snapshots",
)


def access_json(records: Sequence[Record], options: AccessOptions | None = None) -> str:
    """
    Print access patterns as a JSON list of records.

    Args:
        records: What to print.

        options: Of these, what to keep, and whether numbers are plain.
    """
    options = options or AccessOptions()
    trees = [
        _record_tree(filtered(each, options.keep, options.weights), options.raw_number)
        for each in records
    ]
    # Indented as by damo, so that the two can be compared line by line.
    return json.dumps(trees, indent=4)


def _record_tree(record: Record, raw: bool) -> dict[str, Any]:
    return {
        "kdamond_idx": record.kdamond_idx,
        "context_idx": record.context_idx,
        "intervals": _intervals_tree(record.intervals, raw),
        "scheme_idx": record.scheme_idx,
        "target_id": record.target_id,
        "scheme_filters": list(record.scheme_filters),
        "snapshots": [_snapshot_tree(each, raw) for each in record.snapshots],
        "data_source": record.data_source,
    }


def _intervals_tree(intervals: Intervals | None, raw: bool) -> object:
    if intervals is None:
        return None
    # Documents know how intervals are written; borrow one.
    document = to_document([Kdamond([Context(intervals=intervals)])], raw=raw)
    return document["kdamonds"][0]["contexts"][0]["intervals"]


def _snapshot_tree(snapshot: Snapshot, raw: bool) -> dict[str, Any]:
    start, end = (
        str(each) if raw else format_time_exact(each)
        for each in (snapshot.start_ns, snapshot.end_ns)
    )
    return {
        "start_time": start,
        "end_time": end,
        "regions": _region_trees(snapshot, raw),
        "total_bytes": format_size(snapshot.total_bytes, raw=raw),
        "damos_stats": _stats_tree(snapshot, raw),
        "sample_interval_us": None,
    }


def _stats_tree(snapshot: Snapshot, raw: bool) -> Mapping[str, str] | None:
    if snapshot.extras is None or snapshot.extras.damos_stats is None:
        return None
    # All keys of damo in its order, whatever the file has.
    stats = dict.fromkeys(_STATS, 0) | dict(snapshot.extras.damos_stats)
    return {
        key: format_size(value, raw=raw) if key.startswith("sz_") else format_number(value, raw=raw)
        for key, value in stats.items()
    }


def _region_trees(snapshot: Snapshot, raw: bool) -> list[dict[str, Any]]:
    # Without intervals neither percent nor microseconds can be told.
    is_timed = snapshot.aggr_us > 0
    columns = zip(
        snapshot.start.tolist(),
        snapshot.end.tolist(),
        snapshot.nr_accesses.tolist(),
        percents(snapshot).tolist(),
        snapshot.age.tolist(),
        ages_us(snapshot).tolist(),
        _passed(snapshot),
        strict=True,
    )
    return [
        {
            "start": format_number(start, raw=raw),
            "end": format_number(end, raw=raw),
            "nr_accesses": {"samples": count, "percent": percent if is_timed else None},
            "age": {
                "usec": _age_text(age_us, raw) if is_timed and age >= 0 else None,
                "aggr_intervals": format_number(age, raw=raw) if age >= 0 else None,
            },
            # damo has the key in every region; there are no probes here.
            "probe_hits": [],
            "sz_filter_passed": format_size(passed, raw=raw),
        }
        for start, end, count, percent, age, age_us, passed in columns
    ]


def _age_text(age_us: int, raw: bool) -> str:
    return str(age_us) if raw else format_time_exact(age_us * 1000)


def _passed(snapshot: Snapshot) -> list[int]:
    extras = snapshot.extras
    if extras is None or extras.sz_filter_passed is None:
        return [0] * snapshot.nr_regions
    told: list[int] = extras.sz_filter_passed.tolist()
    return told
