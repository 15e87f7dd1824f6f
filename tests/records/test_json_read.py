"""JSON records: all that the format allows, and words for what it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from damon_async.errors import InvalidError
from damon_async.records.json_read import parse_json
from damon_async.records.snapshot import Snapshot

from .makers import rows_of, tree_of, worked

INTERVALS = {"sample_us": 5000, "aggr_us": 100000, "ops_update_us": 1000000}
GOAL = {"access_bp": 400, "aggrs": 3, "min_sample_us": 5000, "max_sample_us": 10_000_000}
TUNED = INTERVALS | {"intervals_goal": GOAL}
REGION = {
    "start": 4096,
    "end": 8192,
    "nr_accesses": {"samples": 20, "percent": None},
    "age": {"usec": None, "aggr_intervals": 3},
}


def text(regions: Any = (), head: dict[str, Any] | None = None, **snapshot: object) -> str:
    """Return a document of one record with one snapshot."""
    one = {"start_time": 0, "end_time": 100_000_000, "regions": regions} | snapshot
    record = {"target_id": 0, "intervals": INTERVALS} | (head or {}) | {"snapshots": [one]}
    return json.dumps([record])


def only(document: str) -> Snapshot:
    """Return the only snapshot of a document."""
    [record] = parse_json(document)
    [snapshot] = record.snapshots
    return snapshot


def region(**changes: object) -> dict[str, object]:
    """Return a region with some keys changed, or left out if None is given."""
    return {key: value for key, value in (REGION | changes).items() if value is not None}


def test_worked_record() -> None:
    """The smallest verified file of spec damo 4.1 is read."""
    document = (
        '[{"target_id":0,"intervals":{"sample_us":5000,"aggr_us":100000,"ops_update_us":1000000},'
        '"snapshots":[{"start_time":1000000000,"end_time":1100000000,"regions":['
        '{"start":4096,"end":8192,"nr_accesses":{"samples":20},'
        '"age":{"usec":null,"aggr_intervals":3}},'
        '{"start":8192,"end":16384,"nr_accesses":{"samples":0},'
        '"age":{"usec":null,"aggr_intervals":7}}]},'
        '{"start_time":1100000000,"end_time":1200000000,"regions":['
        '{"start":4096,"end":8192,"nr_accesses":{"samples":10},'
        '"age":{"usec":null,"aggr_intervals":0}},'
        '{"start":8192,"end":16384,"nr_accesses":{"samples":0},'
        '"age":{"usec":null,"aggr_intervals":8}}]}]}]'
    )
    [record] = parse_json(document)
    assert tree_of(record) == tree_of(worked())


@pytest.mark.parametrize(
    "changes",
    [
        {"start": "4,096", "end": "8,192"},
        {"start": "4096", "end": "8 KiB"},
        {"nr_accesses": {"samples": "20", "percent": None}},
        {"nr_accesses": {"samples": None, "percent": "100 %"}},
        {"nr_accesses": {"percent": 100}},
        {"age": {"usec": None, "aggr_intervals": "3"}},
        {"age": {"usec": "300 ms", "aggr_intervals": None}},
        {"age": {"usec": 300_000, "aggr_intervals": None}},
        {"probe_hits": [], "sz_filter_passed": "0 B"},
    ],
)
def test_forms_of_a_region(changes: dict[str, object]) -> None:
    """Numbers may be texts, accesses percent and ages times."""
    assert rows_of(only(text([REGION | changes]))) == [(4096, 8192, 20, 3)]


def test_percent_is_cut_off() -> None:
    """A percentage becomes the count that it reaches, not the next one."""
    one = only(text([region(nr_accesses={"percent": 52})]))
    assert one.nr_accesses.tolist() == [10]


def test_region_of_addresses_only() -> None:
    """A region without a count tells addresses alone."""
    one = only(text([region(nr_accesses=None, age=None)]))
    assert rows_of(one) == [(4096, 8192, 0, -1)]


def test_unknown_age() -> None:
    """An age that is null in both units is not known."""
    nothing = {"usec": None, "aggr_intervals": None}
    assert only(text([region(age=nothing)])).age.tolist() == [-1]
    assert only(text([region(age=nothing, start="4,096")])).age.tolist() == [-1]


def test_time_in_microseconds_without_intervals() -> None:
    """An age in microseconds means nothing without intervals."""
    odd = region(age={"usec": 5, "aggr_intervals": None})
    assert only(text([odd], {"intervals": None})).age.tolist() == [-1]


@pytest.mark.parametrize(
    ("start", "end"), [("1 s", "1 s 100 ms"), ("1000000000", 1_100_000_000), ("1s", "1100ms")]
)
def test_forms_of_times(start: object, end: object) -> None:
    """Times are nanoseconds or texts with units."""
    one = only(text(start_time=start, end_time=end))
    assert (one.start_ns, one.end_ns) == (1_000_000_000, 1_100_000_000)


def test_numbers_of_a_record() -> None:
    """Missing and null numbers of a record are kdamond 0, context 0, no scheme, no target."""
    head = {"target_id": None, "kdamond_idx": None, "scheme_idx": None, "data_source": None}
    [record] = parse_json(text([], head))
    assert record.identity == (0, 0, -1, -1)
    assert record.data_source == "unknown"


def test_large_target_id() -> None:
    """A target may be called by any 64-bit number, as old traces do."""
    [record] = parse_json(text([], {"target_id": 18446623438842320000}))
    assert record.target_id == 18446623438842320000


def test_head_of_a_record() -> None:
    """Scheme, filters and source of a record are kept."""
    filters = [{"filter_type": "anon", "matching": True}]
    head = {"scheme_idx": 2, "scheme_filters": filters, "data_source": "damon_stat"}
    [record] = parse_json(text([], head))
    assert record.scheme_idx == 2
    assert list(record.scheme_filters) == filters
    assert record.data_source == "damon_stat"


def test_no_intervals() -> None:
    """Without intervals a snapshot knows none."""
    one = only(text([REGION], {"intervals": None}))
    assert (one.sample_us, one.aggr_us) == (0, 0)


def test_intervals_after_snapshots() -> None:
    """Intervals count even where they stand behind the snapshots that need them."""
    document = json.loads(text([region(nr_accesses={"percent": 50})]))
    intervals = document[0].pop("intervals")
    document[0]["intervals"] = intervals
    one = only(json.dumps(document))
    assert (one.nr_accesses.tolist(), one.sample_us) == ([10], 5000)


@pytest.mark.parametrize(
    ("keys", "intervals", "expected"),
    [
        ({}, INTERVALS, (5_000, 100_000)),
        ({"end_time": 300_000_000}, INTERVALS, (5_000, 100_000)),
        ({"sample_interval_us": 10_000}, INTERVALS, (10_000, 200_000)),
        ({"sample_interval_us": "10 ms"}, TUNED, (10_000, 200_000)),
        ({"sample_interval_us": None, "end_time": 200_000_000}, TUNED, (10_000, 200_000)),
        ({"end_time": 109_000_000}, TUNED, (5_000, 100_000)),
        ({"sample_interval_us": 8_000, "aggr_interval_us": 80_000}, TUNED, (8_000, 80_000)),
    ],
)
def test_tuned_intervals(
    keys: dict[str, object], intervals: dict[str, object], expected: tuple[int, int]
) -> None:
    """A snapshot's own interval counts, else, if tuned, how long it took (spec damo 5)."""
    one = only(text([], {"intervals": intervals}, **keys))
    assert (one.sample_us, one.aggr_us) == expected


def test_extras() -> None:
    """Totals, statistics and passed bytes are kept where they say something."""
    stats = {"nr_tried": "1,000", "sz_tried": 5}
    one = only(text([region(sz_filter_passed="1 KiB")], total_bytes="8 KiB", damos_stats=stats))
    assert one.extras is not None
    assert one.total_bytes == 8192
    assert one.extras.damos_stats == {"nr_tried": 1000, "sz_tried": 5}
    assert one.extras.sz_filter_passed is not None
    assert one.extras.sz_filter_passed.tolist() == [1024]


def test_total_that_regions_tell() -> None:
    """A total that is the sum of the regions is nothing extra."""
    assert only(text([REGION], total_bytes=4096)).extras is None


def test_white_space_everywhere() -> None:
    """Blanks and newlines between the parts of a document do not matter."""
    plain = text([REGION])
    spread = json.dumps(json.loads(plain), indent=3).replace(":", " :\n ")
    assert tree_of(parse_json(f"\n {spread} \n")[0]) == tree_of(parse_json(plain)[0])


def test_empty_lists() -> None:
    """Lists without anything in them are read as such."""
    assert parse_json("[ ]") == []
    [record] = parse_json('[{"target_id": 1, "snapshots": []}]')
    assert list(record.snapshots) == []


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ("", "not a record: the file is empty"),
        ("17", "not a record: expected a JSON list of records"),
        ("{", "not a record: expected a JSON list of records"),
        ('{"a": 1}', "not a record: expected a JSON list of records"),
        ('{"kdamonds": []}', "a parameter document, not a record"),
        ('[{"contexts": []}]', r"\[0\]: the parameters of a kdamond, not a record"),
        ("[1]", r"\[0\]: must be a record object"),
        ("[{}]", r"\[0\]\.target_id: missing, but required in a record"),
        ('[{"target_id": 0}]', r"\[0\]\.snapshots: missing, but required in a record"),
        ('[{"target_id": 0, "snapshots": 3}]', r"\[0\]\.snapshots: must be a list"),
        ('[{"target_id": 0, "snapshots": [3]}]', r"\[0\]\.snapshots\[0\]: must be a snapshot"),
        ('[{"target_id": "x", "snapshots": []}]', r"\[0\]\.target_id: 'x' is not a number"),
        ('[{"target_id": 1.5, "snapshots": []}]', r"\[0\]\.target_id: 1.5 is not a count"),
        ('[{"target_id": 0, "snapshots": []}', "truncated: .* breaks off after 34 characters"),
        ('[{"target_id": 0, "snap', "truncated: .* breaks off after 23 characters"),
        ('[{"target_id": 0, "snapshots": []}] 7', "not JSON: Extra data at line 1, column 37"),
        ('[{"target_id": 0 "snapshots": []}]', "not JSON: Expecting ',' or '}' at line 1"),
        ("[{3: 4}]", "not JSON: Expecting a key in double quotes at line 1, column 3"),
        ("[[[", r"\[0\]: must be a record object"),
    ],
)
def test_what_is_no_record(document: str, wrong: str) -> None:
    """What is no list of records is told from one in a clear sentence."""
    with pytest.raises(InvalidError, match=wrong):
        parse_json(document)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"start": "4x"}, r"regions\[0\]\.start: '4x' is not a size"),
        ({"start": None}, r"regions\[0\]\.start: missing, but required"),
        ({"start": True}, r"regions\[0\]\.start: True is not a size"),
        ({"start": -4}, r"regions\[0\]\.start: must not be negative"),
        ({"start": 9000}, r"regions\[0\]\.end: must not be below start"),
        ({"end": 2**63}, r"regions\[0\]\.end: 9223372036854775808 is above the largest"),
        ({"end": "1_000_000"}, r"regions\[0\]\.end: '1_000_000' is not a size"),
        ({"nr_accesses": 3}, r"regions\[0\]\.nr_accesses: must be an object"),
        ({"nr_accesses": {}}, r"regions\[0\]\.nr_accesses: must have samples or percent"),
        ({"nr_accesses": {"samples": 1.5}}, r"nr_accesses\.samples: 1.5 is not a count"),
        ({"nr_accesses": {"samples": -1}}, r"regions\[0\]\.nr_accesses: must not be negative"),
        ({"nr_accesses": {"percent": "5 per"}}, r"nr_accesses\.percent: '5 per' is not a share"),
        ({"age": None}, r"regions\[0\]\.age: must be an object"),
        ({"age": {"usec": None, "aggr_intervals": -2}}, r"regions\[0\]\.age: must not be neg"),
        ({"age": {"usec": "x", "aggr_intervals": None}}, r"age\.usec: 'x' is not a time"),
        ({"sz_filter_passed": "y"}, r"regions\[0\]: 'y' is not a size"),
    ],
)
def test_wrong_regions(changes: dict[str, object], wrong: str) -> None:
    """The first thing wrong with a region is told, and where it stands."""
    document = text([region(**changes) if None in changes.values() else REGION | changes])
    with pytest.raises(InvalidError, match=wrong):
        parse_json(document)


def test_wrong_region_in_the_middle() -> None:
    """The path of a mistake counts records, snapshots and regions."""
    document = json.loads(text([REGION, REGION | {"end": "?"}]))
    with pytest.raises(InvalidError, match=r"^\[1\]\.snapshots\[0\]\.regions\[1\]\.end: '\?'"):
        parse_json(json.dumps([*json.loads(text([REGION])), *document]))


def test_percent_without_intervals() -> None:
    """Percent cannot be counted in samples without intervals."""
    document = text([region(nr_accesses={"percent": 5})], {"intervals": None})
    with pytest.raises(InvalidError, match=r"percent: needs the intervals of the record"):
        parse_json(document)


def test_no_time_to_aggregate() -> None:
    """An aggregation interval of 0 is refused: frequencies would divide by it."""
    document = text([REGION], {"intervals": INTERVALS | {"sample_us": 0, "aggr_us": 0}})
    with pytest.raises(InvalidError, match=r"\[0\]\.intervals\.aggr_us: 0 is too short"):
        parse_json(document)


@pytest.mark.parametrize(
    ("snapshot", "wrong"),
    [
        ({"start_time": "soon"}, r"\[0\]\.snapshots\[0\]\.start_time: 'soon' is not a time"),
        ({"end_time": None}, r"end_time: None is not a time"),
        ({"start_time": 200_000_000}, r"end_time: 100000000 ns is before start_time"),
        ({"regions": {}}, r"\.regions: must be a list of regions"),
        ({"regions": [4]}, r"\.regions\[0\]: must be a region object"),
        ({"total_bytes": "lots"}, r"\.total_bytes: 'lots' is not a size"),
        ({"damos_stats": [1]}, r"\.damos_stats: must be an object"),
        ({"damos_stats": {"nr_tried": "?"}}, r"\.damos_stats\.nr_tried: '\?' is not a number"),
        ({"sample_interval_us": "x"}, r"\.sample_interval_us: 'x' is not a time"),
    ],
)
def test_wrong_snapshots(snapshot: dict[str, Any], wrong: str) -> None:
    """The first thing wrong with a snapshot is told, and where it stands."""
    with pytest.raises(InvalidError, match=wrong):
        parse_json(text(**snapshot))


@pytest.mark.parametrize("key", ["start_time", "end_time", "regions"])
def test_missing_keys(key: str) -> None:
    """A snapshot must have times and regions."""
    document = json.loads(text())
    del document[0]["snapshots"][0][key]
    with pytest.raises(InvalidError, match=rf"snapshots\[0\]\.{key}: missing, but required"):
        parse_json(json.dumps(document))


@pytest.mark.parametrize(
    ("head", "wrong"),
    [
        ({"intervals": 5}, r"\[0\]\.intervals: must be an object"),
        ({"intervals": INTERVALS | {"sample_us": "x"}}, r"\[0\]\.intervals\.sample_us: 'x' is"),
        ({"intervals": INTERVALS | {"aggr_us": 1}}, r"\[0\]\.intervals\.sample_us: 5000 us is"),
        ({"scheme_filters": 3}, r"\[0\]\.scheme_filters: must be a list"),
    ],
)
def test_wrong_heads(head: dict[str, object], wrong: str) -> None:
    """The first thing wrong with a record's head is told, and where it stands."""
    with pytest.raises(InvalidError, match=wrong):
        parse_json(text([], head))


def test_deep_nesting() -> None:
    """A document nested as deep as no record ever is, is refused, not a crash."""
    with pytest.raises(InvalidError, match="not a record: nested too deeply"):
        parse_json('[{"x": ' + "[" * 200_000)


def test_time_that_goes_back() -> None:
    """Snapshots must ascend in time."""
    document = json.loads(text())
    first = document[0]["snapshots"][0]
    document[0]["snapshots"] = [first | {"end_time": 200_000_000}, first]
    with pytest.raises(InvalidError, match=r"snapshots\[1\]\.end_time: must not be before"):
        parse_json(json.dumps(document))
