"""Access patterns as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from damon_async.records.json_read import parse_json
from damon_async.records.record import Record
from damon_async.records.snapshot import SnapshotExtras
from damon_async.reports.access_json import access_json
from damon_async.reports.access_options import AccessOptions
from damon_async.reports.filters import AccessFilter

from ..records.makers import INTERVALS, record, rows_of, snapshot, worked

ROWS = [(4096, 2_000_000, 5, 21)]


def only(one: Record, options: AccessOptions | None = None) -> dict[str, Any]:
    """Return the tree of a record."""
    trees: list[dict[str, Any]] = json.loads(access_json([one], options))
    assert len(trees) == 1
    return trees[0]


def test_heads() -> None:
    """A record has the keys of damo, in its order."""
    tree = only(worked())
    assert list(tree) == [
        "kdamond_idx",
        "context_idx",
        "intervals",
        "scheme_idx",
        "target_id",
        "scheme_filters",
        "snapshots",
        "data_source",
    ]
    assert tree["intervals"]["aggr_us"] == "100 ms"


def test_regions() -> None:
    """A region is told in texts, with percent and times worked out."""
    [region] = only(record(ROWS))["snapshots"][0]["regions"]
    assert region == {
        "start": "4,096",
        "end": "2,000,000",
        "nr_accesses": {"samples": 5, "percent": 25},
        "age": {"usec": "2 s 100 ms", "aggr_intervals": "21"},
        "probe_hits": [],
        "sz_filter_passed": "0 B",
    }


def test_plain_numbers() -> None:
    """Numbers can be plain throughout."""
    tree = only(record(ROWS), AccessOptions(raw_number=True))
    [one] = tree["snapshots"]
    assert (one["start_time"], one["total_bytes"]) == ("1000000000", "1995904")
    assert one["regions"][0]["age"] == {"usec": "2100000", "aggr_intervals": "21"}
    assert one["regions"][0]["end"] == "2000000"
    assert tree["intervals"]["sample_us"] == "5000"


def test_without_intervals() -> None:
    """Without intervals neither percent nor times are told, and unknown ages are null."""
    tree = only(record([(0, 10, 5, -1)], intervals=None))
    [region] = tree["snapshots"][0]["regions"]
    assert tree["intervals"] is None
    assert region["nr_accesses"] == {"samples": 5, "percent": None}
    assert region["age"] == {"usec": None, "aggr_intervals": None}


def test_statistics() -> None:
    """Statistics are completed with what older kernels do not count."""
    extras = SnapshotExtras(None, {"nr_tried": 1000, "sz_tried": 4096}, np.array([512]))
    one = Record(0, [snapshot(ROWS, extras=extras)], INTERVALS)
    [tree] = only(one)["snapshots"]
    assert tree["damos_stats"]["nr_tried"] == "1,000"
    assert tree["damos_stats"]["sz_tried"] == "4.000 KiB"
    assert tree["damos_stats"]["max_nr_snapshots"] == "0"
    assert tree["regions"][0]["sz_filter_passed"] == "512 B"


def test_filtered() -> None:
    """Only what is kept is told."""
    options = AccessOptions(keep=AccessFilter(addresses=[(4096, 8192)]))
    [tree] = only(record(ROWS), options)["snapshots"]
    assert [(each["start"], each["end"]) for each in tree["regions"]] == [("4,096", "8,192")]


def test_can_be_read_again() -> None:
    """The printed texts are a record file themselves."""
    [read] = parse_json(access_json([worked()]))
    assert [rows_of(each) for each in read.snapshots] == [
        rows_of(each) for each in worked().snapshots
    ]
    assert read.intervals == worked().intervals
