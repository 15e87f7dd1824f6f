"""The JSON text of records is what the reader understands, and damo."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from hypothesis import given

from damon_async.params.intervals import Intervals, IntervalsGoal
from damon_async.records.json_read import parse_json
from damon_async.records.json_write import RECORD_TAIL, record_head, snapshot_text
from damon_async.records.record import Record
from damon_async.records.snapshot import SnapshotExtras

from .makers import INTERVALS, record, records, snapshot, tree_of, trees_of, worked

TUNED = Intervals(5_000, 100_000, 1_000_000, IntervalsGoal(400, 3, 5_000, 10_000_000))
ROWS = [(4096, 8192, 20, 3), (8192, 12288, 0, 7)]


def written(one: Record) -> str:
    """Return a record as a JSON list of one."""
    texts = ",".join(snapshot_text(each, one.intervals) for each in one.snapshots)
    return f"[{record_head(one)}{texts}{RECORD_TAIL}]"


@given(made=records())
def test_round_trip(made: list[Record]) -> None:
    """What is written is read back the same."""
    read = [parse_json(written(each))[0] for each in made]
    assert trees_of(read) == trees_of(made)


def test_keys_of_a_region() -> None:
    """A region has the keys that damo requires, and no others."""
    [tree] = json.loads(snapshot_text(snapshot(ROWS[:1]), INTERVALS))["regions"]
    assert tree == {
        "start": 4096,
        "end": 8192,
        "nr_accesses": {"samples": 20},
        "age": {"usec": None, "aggr_intervals": 3},
    }


def test_keys_of_a_record() -> None:
    """A record has the keys of spec damo 4.1."""
    [tree] = json.loads(written(worked()))
    assert tree["intervals"] == {
        "sample_us": 5000,
        "aggr_us": 100000,
        "ops_update_us": 1000000,
        "intervals_goal": {"access_bp": 0, "aggrs": 0, "min_sample_us": 0, "max_sample_us": 0},
    }
    assert [tree[key] for key in ("kdamond_idx", "context_idx", "scheme_idx")] == [0, 0, None]
    assert (tree["target_id"], tree["data_source"]) == (0, "unknown")


def test_usual_intervals_are_not_repeated() -> None:
    """A snapshot made with the record's intervals does not tell them again."""
    assert set(json.loads(snapshot_text(snapshot(ROWS), INTERVALS))) == {
        "start_time",
        "end_time",
        "regions",
    }


def test_tuned_intervals_are_told() -> None:
    """Under a goal each snapshot tells its sampling interval, the aggregation follows."""
    one = snapshot(ROWS, sample_us=10_000, aggr_us=200_000)
    tree = json.loads(snapshot_text(one, TUNED))
    assert tree["sample_interval_us"] == 10_000
    assert "aggr_interval_us" not in tree


def test_committed_intervals_are_told() -> None:
    """Intervals of another ratio, as a commit brings them, survive the way through a file."""
    one = replace(record(intervals=INTERVALS), snapshots=[snapshot([], sample_us=1, aggr_us=50)])
    assert tree_of(parse_json(written(one))[0]) == tree_of(one)


def test_without_intervals() -> None:
    """A record without intervals says null, and its snapshots nothing."""
    one = record(ROWS, intervals=None)
    [tree] = json.loads(written(one))
    assert tree["intervals"] is None
    assert "sample_interval_us" not in tree["snapshots"][0]
    assert tree_of(parse_json(written(one))[0]) == tree_of(one)


def test_unknown_ages() -> None:
    """An age that is not known is null, one of 1 or 10 is not."""
    one = record([(0, 1, 2, -1), (1, 2, 2, 1), (2, 3, 2, 10)])
    ages = [each["age"] for each in json.loads(written(one))[0]["snapshots"][0]["regions"]]
    assert [age["aggr_intervals"] for age in ages] == [None, 1, 10]
    assert tree_of(parse_json(written(one))[0]) == tree_of(one)


def test_extras() -> None:
    """Told totals, statistics and passed bytes survive the way through a file."""
    extras = SnapshotExtras(999, {"nr_tried": 4}, np.array([512, 0]))
    one = replace(record(), snapshots=[snapshot(ROWS, extras=extras)])
    assert tree_of(parse_json(written(one))[0]) == tree_of(one)


def test_no_regions() -> None:
    """A snapshot without regions is written and read."""
    one = record([])
    assert tree_of(parse_json(written(one))[0]) == tree_of(one)


def test_large_addresses() -> None:
    """Addresses up to 2^63 - 1 survive."""
    one = record([(2**63 - 4097, 2**63 - 1, 2**40, 2**40)])
    assert tree_of(parse_json(written(one))[0]) == tree_of(one)
