"""Building snapshots and records by hand and at random; comparing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from damon_async.params.intervals import Intervals
from damon_async.records.record import Record
from damon_async.records.snapshot import Snapshot, SnapshotExtras

AGGR_NS = 100_000_000
SECOND_NS = 1_000_000_000
INTERVALS = Intervals(5_000, 100_000, 1_000_000)

Row = tuple[int, int, int, int]
"""Start, end, nr_accesses and age of a region."""


def snapshot(
    rows: Iterable[Row],
    start_ns: int = SECOND_NS,
    end_ns: int | None = None,
    *,
    sample_us: int = 5_000,
    aggr_us: int = 100_000,
    target: int | Sequence[int] = 0,
    extras: SnapshotExtras | None = None,
) -> Snapshot:
    """Return a snapshot of *rows*, by default 100 ms long."""
    start, end, nr_accesses, age = np.array(list(rows), np.int64).reshape(-1, 4).T.copy()
    return Snapshot(
        start_ns,
        start_ns + AGGR_NS if end_ns is None else end_ns,
        sample_us,
        aggr_us,
        np.broadcast_to(np.asarray(target, np.int64), start.shape),
        start,
        end,
        nr_accesses,
        age,
        extras,
    )


def record(
    *snapshots: Iterable[Row],
    start_ns: int = SECOND_NS,
    intervals: Intervals | None = INTERVALS,
    **fields: Any,
) -> Record:
    """Return a record of consecutive snapshots, one per list of rows, of target 0."""
    sample_us, aggr_us = (intervals.sample_us, intervals.aggr_us) if intervals else (0, 0)
    made = [
        snapshot(rows, start_ns + i * AGGR_NS, sample_us=sample_us, aggr_us=aggr_us)
        for i, rows in enumerate(snapshots)
    ]
    return Record(fields.pop("target_id", 0), made, intervals, **fields)


def worked() -> Record:
    """Return the record of spec damo 4.1."""
    return record(
        [(4096, 8192, 20, 3), (8192, 16384, 0, 7)],
        [(4096, 8192, 10, 0), (8192, 16384, 0, 8)],
    )


def tree_of(one: Record) -> dict[str, Any]:
    """Return all that a record says as plain values, to be compared."""
    heads = ("target_id", "intervals", "kdamond_idx", "context_idx", "scheme_idx", "data_source")
    tree = {name: getattr(one, name) for name in heads}
    tree["scheme_filters"] = list(one.scheme_filters)
    tree["snapshots"] = [_snapshot_tree(each) for each in one.snapshots]
    return tree


def trees_of(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return all that records say as plain values."""
    return [tree_of(each) for each in records]


def rows_of(one: Snapshot) -> list[Row]:
    """Return the regions of a snapshot."""
    columns = (one.start, one.end, one.nr_accesses, one.age)
    return list(zip(*(each.tolist() for each in columns), strict=True))


def _snapshot_tree(one: Snapshot) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "times": (one.start_ns, one.end_ns),
        "intervals": (one.sample_us, one.aggr_us),
        "rows": rows_of(one),
        "total": one.total_bytes,
    }
    if one.extras is not None:
        passed = one.extras.sz_filter_passed
        tree["stats"] = one.extras.damos_stats
        tree["passed"] = None if passed is None else passed.tolist()
    return tree


@st.composite
def rows(draw: st.DrawFn, *, max_size: int = 6, unit: int = 4096) -> list[Row]:
    """Draw regions that ascend and do not overlap; some touch, some leave gaps."""
    made: list[Row] = []
    at = draw(st.integers(0, 2**40)) * unit
    for _ in range(draw(st.integers(0, max_size))):
        at += draw(st.sampled_from([0, 0, 1, 7, 100_000])) * unit
        end = at + draw(st.integers(1, 5000)) * unit
        made.append((at, end, draw(st.integers(0, 20)), draw(st.integers(0, 40))))
        at = end
    return made


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Draw a few records of one or two snapshots, no two of the same target."""
    made = []
    for target in range(draw(st.integers(1, 3))):
        layers = draw(st.lists(rows(), min_size=1, max_size=3))
        start_ns = draw(st.integers(0, 10**6)) * 1_000_000
        scheme = draw(st.sampled_from([None, 0, 3]))
        one = record(*layers, start_ns=start_ns, scheme_idx=scheme)
        made.append(Record(target, one.snapshots, one.intervals, scheme_idx=scheme))
    return made
