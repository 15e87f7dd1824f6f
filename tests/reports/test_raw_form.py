"""Access patterns as they were recorded."""

from __future__ import annotations

from damon_async.records.record import Record
from damon_async.reports.access_options import AccessOptions
from damon_async.reports.filters import AccessFilter
from damon_async.reports.raw_form import raw_form

from ..records.makers import record, worked


def test_worked_form() -> None:
    """The raw form of spec damo 4.1 is made to the character."""
    lines = raw_form([worked()]).split("\n")
    assert lines[:12] == [
        "base_time_absolute: 1 s",
        "data source: unknown",
        "",
        "monitoring_start:                0 ns",
        "monitoring_end:                100 ms",
        "monitoring_duration:           100 ms",
        "target_id: 0",
        "nr_regions: 2",
        "# start_addr     end_addr        length  nr_accesses   age",
        "000000001000-000000002000 (   4.000 KiB)          20     3",
        "000000002000-000000004000 (   8.000 KiB)           0     7",
        "",
    ]
    assert lines[-1] == ""


def test_plain_numbers() -> None:
    """Sizes and times can be plain numbers."""
    lines = raw_form([worked()], AccessOptions(raw_number=True)).split("\n")
    assert lines[4] == "monitoring_end:             100000000"
    assert lines[9] == "000000001000-000000002000 (        4096)          20     3"


def test_unknown_age_and_target() -> None:
    """An unknown age is -1, an unknown target None."""
    lines = raw_form([record([(0, 10, 1, -1)], target_id=None, intervals=None)]).split("\n")
    assert lines[6] == "target_id: None"
    assert lines[9] == "000000000000-00000000000a (        10 B)           1    -1"


def test_several_records() -> None:
    """Records follow each other, each with its own beginning; empty ones are left out."""
    text = raw_form([worked(), Record(5, []), record([(0, 10, 1, 1)], start_ns=0)])
    assert text.count("base_time_absolute") == 2
    assert "base_time_absolute: 0 ns" in text


def test_filtered() -> None:
    """Only what is kept is told, counted from the first snapshot that is left."""
    keep = AccessFilter(snapshot_idx=(1, 1), access_rate=(50, 50))
    lines = raw_form([worked()], AccessOptions(keep=keep)).split("\n")
    assert lines[0] == "base_time_absolute: 1.100 s"
    assert lines[3].endswith(" 0 ns")
    assert lines[9] == "000000001000-000000002000 (   4.000 KiB)          10     0"
