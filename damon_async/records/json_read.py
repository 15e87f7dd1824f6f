"""
Read the JSON form of records.

Source:
    spec damo 4.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InvalidError, ParametersError
from ..params.base import parse_count
from ..params.intervals import Intervals
from ..units import parse_size, parse_time_ns, parse_time_us
from .json_cursor import Cursor
from .json_fields import read_optional, read_required, read_value, wrong
from .json_regions import Columns, read_regions, read_sz_filter_passed
from .record import Record
from .snapshot import Snapshot, SnapshotExtras


def parse_json(text: str) -> list[Record]:
    """
    Read a JSON list of records.

    Raises:
        InvalidError: If it is not JSON, ends early, or holds something else; the
            sentence says where.
    """
    cursor = Cursor(text)
    if cursor.peek() != "[":
        raise InvalidError(_what_else(cursor))
    try:
        # Each record is built before the next is decoded: the text is large enough.
        records = [_record(cursor, f"[{index}]") for index in cursor.items()]
        cursor.finish()
    except json.JSONDecodeError as error:
        raise InvalidError(_broken(error)) from None
    except RecursionError:
        msg = "not a record: nested too deeply"
        raise InvalidError(msg) from None
    return records


def _what_else(cursor: Cursor) -> str:
    if not cursor.peek():
        return "not a record: the file is empty"
    try:
        found = cursor.value()
    except (json.JSONDecodeError, RecursionError):
        # Whatever else it is, it is no list.
        found = None
    if isinstance(found, Mapping) and "kdamonds" in found:
        return "a parameter document, not a record"
    return "not a record: expected a JSON list of records"


def _broken(error: json.JSONDecodeError) -> str:
    # The decoder blames the beginning of a text that is never closed.
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
        return f"truncated: the JSON text breaks off after {len(error.doc)} characters"
    return f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"


def _record(cursor: Cursor, path: str) -> Record:
    if cursor.peek() != "{":
        raise wrong(path, "must be a record object")
    known: dict[str, Any] = {}
    snapshots: list[Snapshot] | None = None
    later: int | None = None
    for key in cursor.members():
        if key != "snapshots":
            known[key] = cursor.value()
        elif "intervals" in known:
            snapshots = _snapshots(cursor, known, path)
        else:
            # The intervals may still follow, and snapshots are read with them.
            later = cursor.at
            cursor.value()
    if later is not None:
        end, cursor.at = cursor.at, later
        snapshots = _snapshots(cursor, known, path)
        cursor.at = end
    return _build(known, snapshots, path)


def _build(known: Mapping[str, Any], snapshots: list[Snapshot] | None, path: str) -> Record:
    if "contexts" in known:
        # What lies beside a record and is easily named instead of it.
        raise wrong(path, "the parameters of a kdamond, not a record")
    for key, is_missing in (
        ("target_id", "target_id" not in known),
        ("snapshots", snapshots is None),
    ):
        if is_missing:
            raise wrong(f"{path}.{key}", "missing, but required in a record")
    # Kept as they are: they describe a scheme that ran elsewhere.
    filters = known.get("scheme_filters") or []
    if not isinstance(filters, list):
        raise wrong(f"{path}.scheme_filters", "must be a list")
    return Record(
        target_id=read_optional(parse_count, known, "target_id", path),
        snapshots=snapshots or [],
        intervals=_intervals(known, path),
        # Without them, and with null, 0, 0 and no scheme are meant (spec damo
        # 4.1).
        kdamond_idx=read_optional(parse_count, known, "kdamond_idx", path) or 0,
        context_idx=read_optional(parse_count, known, "context_idx", path) or 0,
        scheme_idx=read_optional(parse_count, known, "scheme_idx", path),
        data_source=str(known.get("data_source") or "unknown"),
        scheme_filters=filters,
    )


def _intervals(known: Mapping[str, Any], path: str) -> Intervals | None:
    value = known.get("intervals")
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise wrong(f"{path}.intervals", "must be an object")
    try:
        # Records spell intervals as documents do, text forms included (spec
        # damo 4.1).
        intervals = Intervals(**value)
    except ParametersError as error:
        # The first is enough: other than documents, records are not edited by
        # hand.
        msg = f"{path}.intervals.{error.problems[0]}"
        raise InvalidError(msg) from None
    if not intervals.aggr_us:
        # Nothing can be counted in no time, and every frequency divides by it.
        raise wrong(f"{path}.intervals.aggr_us", "0 is too short; at least 1 us")
    return intervals


def _snapshots(cursor: Cursor, known: Mapping[str, Any], path: str) -> list[Snapshot]:
    intervals = _intervals(known, path)
    path = f"{path}.snapshots"
    if cursor.peek() != "[":
        raise wrong(path, "must be a list")
    snapshots = [_snapshot(cursor.value(), intervals, f"{path}[{i}]") for i in cursor.items()]
    # Only ends must ascend; damo gives the first snapshot of a trace a guessed beginning.
    for i in range(1, len(snapshots)):
        if snapshots[i].end_ns < snapshots[i - 1].end_ns:
            raise wrong(f"{path}[{i}].end_time", "must not be before that of the snapshot above")
    return snapshots


def _snapshot(tree: object, intervals: Intervals | None, path: str) -> Snapshot:
    if not isinstance(tree, Mapping):
        raise wrong(path, "must be a snapshot object")
    start_ns = read_required(parse_time_ns, tree, "start_time", path)
    end_ns = read_required(parse_time_ns, tree, "end_time", path)
    if end_ns < start_ns:
        raise wrong(f"{path}.end_time", f"{end_ns} ns is before start_time, {start_ns} ns")
    if "regions" not in tree:
        raise wrong(f"{path}.regions", "missing, but required")
    columns = read_regions(tree["regions"], intervals, f"{path}.regions")
    return Snapshot(
        start_ns,
        end_ns,
        *_own_intervals(tree, end_ns - start_ns, intervals, path),
        np.zeros(len(columns.start), dtype=np.int64),
        *columns,
        _extras(tree, columns, path),
    )


def _own_intervals(
    tree: Mapping[str, Any], duration_ns: int, intervals: Intervals | None, path: str
) -> tuple[int, int]:
    """Tell the sampling and aggregation interval of one snapshot, 0 if not known."""
    if intervals is None:
        return 0, 0
    sample_us = read_optional(parse_time_us, tree, "sample_interval_us", path)
    # Only files of this package have it; damo tells of the sampling interval
    # alone.
    aggr_us = read_optional(parse_time_us, tree, "aggr_interval_us", path)
    if sample_us is None:
        sample_us = _tuned_sample_us(duration_ns, intervals)
    if aggr_us is None:
        # Tuning keeps the ratio of the two (spec core 8).
        aggr_us = sample_us * intervals.aggr_us // max(1, intervals.sample_us)
    return sample_us, aggr_us


def _tuned_sample_us(duration_ns: int, intervals: Intervals) -> int:
    """Infer the sampling interval of a tuned context from how long a snapshot took."""
    usual_ns = intervals.aggr_us * 1000
    # spec damo 5: a tenth off is the noise of a real clock, not tuning.
    if not intervals.intervals_goal.aggrs or abs(duration_ns - usual_ns) * 10 <= usual_ns:
        return intervals.sample_us
    # A snapshot is one aggregation, and how many samples it has never changes.
    return duration_ns * intervals.sample_us // usual_ns


def _extras(tree: Mapping[str, Any], columns: Columns, path: str) -> SnapshotExtras | None:
    total = read_optional(parse_size, tree, "total_bytes", path)
    # A total that the regions tell anyway would only outlive a filter.
    if total == int((columns.end - columns.start).sum()):
        total = None
    passed = read_sz_filter_passed(tree["regions"], f"{path}.regions")
    stats = _stats(tree.get("damos_stats"), f"{path}.damos_stats")
    # Hardly any snapshot has extras, and None is cheaper than an empty object for each.
    if total is None and passed is None and stats is None:
        return None
    return SnapshotExtras(total, stats, passed)


def _stats(tree: object, path: str) -> dict[str, int] | None:
    if tree is None:
        return None
    if not isinstance(tree, Mapping):
        raise wrong(path, "must be an object")
    return {str(k): read_value(parse_count, v, f"{path}.{k}") for k, v in tree.items()}
