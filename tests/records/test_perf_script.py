"""The text form of records: DAMON's trace as perf script prints it."""

from __future__ import annotations

import pytest
from hypothesis import given

from damon_async.errors import InputFileError
from damon_async.records.perf_script import end_mark, parse_script, script_text
from damon_async.records.record import Record

from .makers import AGGR_NS, Row, record, records, rows_of, worked

HEAD = "kdamond.0 42 [000]"
EVENT = "damon:damon_aggregated:"
LOW, HIGH = "4096-8192: 20 3", "8192-16384: 0 7"


def line(seconds: str, region: str, target: object = 0, nr_regions: int = 2) -> str:
    """Return a line of the trace."""
    return f"{HEAD} {seconds}: {EVENT} target_id={target} nr_regions={nr_regions} {region}"


def parsed(*lines: str) -> list[Record]:
    """Read lines."""
    return parse_script(lines, "trace.txt")


def rows(*texts: str) -> list[list[Row]]:
    """Read lines of one target and return the regions of its snapshots."""
    [one] = parsed(*texts)
    return [rows_of(each) for each in one.snapshots]


def text_of(one: Record) -> list[str]:
    """Write a record as lines."""
    return "".join(script_text(each, one) for each in one.snapshots).splitlines()


def test_written_lines() -> None:
    """Lines are those of spec damo 4.2."""
    head = "kdamond.0 0 [000] 1.100000: damon:damon_aggregated: target_id=0 nr_regions=2"
    assert text_of(worked())[:2] == [f"{head} 4096-8192: 20 3", f"{head} 8192-16384: 0 7"]


def test_worked_lines() -> None:
    """The lines of spec damo 4.2 are one snapshot of two regions."""
    assert rows(line("1.100000", LOW), line("1.100000", HIGH)) == [
        [(4096, 8192, 20, 3), (8192, 16384, 0, 7)]
    ]


def test_times() -> None:
    """A snapshot begins where the one before ended, the first one has the average length."""
    texts = [line(seconds, LOW, nr_regions=1) for seconds in ("1.1", "1.200001", "1.4")]
    [one] = parsed(*texts)
    times = [(each.start_ns, each.end_ns) for each in one.snapshots]
    assert times == [
        (950_000_000, 1_100_000_000),
        (1_100_000_000, 1_200_001_000),
        (1_200_001_000, 1_400_000_000),
    ]
    assert one.intervals is None


def test_time_of_a_group() -> None:
    """A snapshot ends when its first region was printed."""
    texts = [line("1.1", LOW), line("1.100005", HIGH), line("1.2", LOW), line("1.200009", HIGH)]
    [one] = parsed(*texts)
    assert [each.end_ns for each in one.snapshots] == [1_100_000_000, 1_200_000_000]


def test_only_snapshot() -> None:
    """An only snapshot has the length that the mark behind it tells."""
    one = record([(4096, 8192, 20, 3)])
    [read] = parsed(*text_of(one), end_mark(one.snapshots[0], one))
    [snapshot] = read.snapshots
    assert (snapshot.start_ns, snapshot.end_ns) == (10**9, 10**9 + AGGR_NS)
    assert rows_of(snapshot) == [(4096, 8192, 20, 3)]


def test_only_snapshot_without_mark() -> None:
    """An only snapshot without a mark is read, with no length."""
    [one] = parsed(line("1.1", LOW, nr_regions=1))
    assert one.start_ns == one.end_ns == 1_100_000_000


def test_missing_ages() -> None:
    """Ages may be missing, as before 5.16, and are then written so."""
    assert rows(line("1.1", "4096-8192: 20", nr_regions=1)) == [[(4096, 8192, 20, -1)]]
    assert text_of(record([(4096, 8192, 20, -1)]))[0].endswith("4096-8192: 20")


def test_skipped_lines() -> None:
    """Comments, blank lines and events without regions are skipped."""
    texts = [
        "# a comment",
        "",
        f"{HEAD} 1.0: damon:damon_monitor_intervals_tune: sample_us=5000",
        line("1.1", LOW, nr_regions=1),
    ]
    assert len(rows(*texts)) == 1


def test_damo_own_lines() -> None:
    """Lines that damo converted are read: no numbers for pid and CPU, targets called None."""
    text = f"kdamond.x xxxx xxxx 1.100000: {EVENT} target_id=None nr_regions=1 {LOW}"
    [one] = parsed(text)
    assert one.target_id is None


def test_large_target() -> None:
    """A target may be called by its 64-bit address."""
    [one] = parsed(line("1.1", LOW, target=18446623438842320000, nr_regions=1))
    assert one.target_id == 18446623438842320000


def test_interleaved_targets() -> None:
    """Lines of two targets become two records."""
    texts = [line("1.1", LOW, 0, 1), line("1.1", HIGH, 1, 1), line("1.2", LOW, 0, 1)]
    assert [(each.target_id, len(each.snapshots)) for each in parsed(*texts)] == [(0, 2), (1, 1)]


def test_several_workers() -> None:
    """Workers are numbered as they appear, whatever the kernel's number is."""
    texts = [line("1.1", LOW, 0, 1).replace("kdamond.0", name) for name in ("kdamond.7", "k.9")]
    assert [each.kdamond_idx for each in parsed(*texts)] == [0, 1]


def test_tried_regions() -> None:
    """Regions that a scheme tried are grouped by their addresses, not their number."""
    event = "damon:damos_before_apply: ctx_idx=0 scheme_idx=1 target_idx=0 nr_regions=9"
    texts = [
        f"{HEAD} {seconds}: {event} {region}"
        for seconds, region in [("1.1", LOW), ("1.1", HIGH), ("1.2", LOW)]
    ]
    [one] = parsed(*texts)
    assert (one.context_idx, one.scheme_idx, one.target_id) == (0, 1, 0)
    assert [each.nr_regions for each in one.snapshots] == [2, 1]


@given(made=records())
def test_round_trip(made: list[Record]) -> None:
    """Regions, ends and owners survive the way through text; beginnings do not."""
    for one in made:
        if any(not each.nr_regions for each in one.snapshots):
            continue
        [read] = parsed(*text_of(one))
        assert (read.target_id, read.scheme_idx) == (one.target_id, one.scheme_idx)
        ends = [each.end_ns for each in one.snapshots]
        if one.scheme_idx is None:
            assert [each.end_ns for each in read.snapshots] == ends
            assert list(map(rows_of, read.snapshots)) == list(map(rows_of, one.snapshots))


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (["hello world"], "trace.txt, line 1: not a line of DAMON's trace"),
        ([line("1.1", LOW), "?"], "trace.txt, line 2: not a line of DAMON's trace"),
        ([line("x", LOW)], "line 1: not a line of DAMON's trace"),
        ([line("1.1", "4096: 3")], "line 1: cannot read the fields of the event damon_aggr"),
        ([f"{HEAD} 1.1: damon:other: a=1"], "cannot read the fields of the event other"),
        ([line("1.1", "9-4: 1 1")], "line 1: region 9-4 ends before it starts"),
        ([line("1.1", f"0-{2**63}: 1 1")], "9223372036854775808 is above the largest number"),
        ([line("1.1", LOW)], "line 1: truncated: 1 regions of the last snapshot of target 0"),
        (
            [line("1.2", LOW, nr_regions=1), line("1.1", LOW, nr_regions=1)],
            "line 2: time goes back, from 1200000000 ns to 1100000000 ns",
        ),
    ],
)
def test_wrong_lines(lines: list[str], wrong: str) -> None:
    """What is wrong with a trace is told with the line."""
    with pytest.raises(InputFileError, match=wrong):
        parsed(*lines)
