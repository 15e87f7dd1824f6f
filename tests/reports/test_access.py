"""The report of access patterns as a whole."""

from __future__ import annotations

import math

import pytest

from damon_async.errors import InvalidError
from damon_async.params.intervals import Intervals, IntervalsGoal
from damon_async.records.record import Record
from damon_async.reports.access import access_lines, access_report
from damon_async.reports.access_options import AccessOptions
from damon_async.reports.filters import AccessFilter
from damon_async.reports.styles import FORMATS, AccessStyle, Format, SortKey, TimeShown

from ..records.makers import record, snapshot, worked

GOAL = Intervals(5_000, 100_000, 1_000_000, IntervalsGoal("4%", 3, "5ms", "10s"))


def without_padding(text: str) -> list[str]:
    """Return the lines of a report, blanks at their ends cut off."""
    return [line.rstrip() for line in text.splitlines()]


def test_worked_report() -> None:
    """The report of spec damo 4.1 is made to the character."""
    one = worked()
    first = Record(0, one.snapshots, one.intervals)
    lines = access_report([first]).splitlines()
    assert lines[:8] == [
        "snapshot time: [0 ns, 100 ms] (100 ms)",
        "heatmap: " + "9" * 26 + "5" + "0" * 53,
        "# min/max temperatures: -70,000,000, 30,009,999, column size: 153 B",
        "intervals: sample 5 ms aggr 100 ms (max access hz 200)",
        "0   addr 4.000 KiB    size 4.000 KiB   access 200 hz age 300 ms       ",
        "1   addr 8.000 KiB    size 8.000 KiB   access 0 hz   age 700 ms       ",
        "memory bw estimate: 800.000 KiB per second",
        "total size: 12.000 KiB",
    ]
    assert lines[8:10] == ["", "snapshot time: [100 ms, 200 ms] (100 ms)"]
    assert lines[-1] == "record DAMON intervals: sample 5 ms, aggr 100 ms"


def test_one_snapshot_has_no_time() -> None:
    """The time of a snapshot is told only if there are several."""
    one = record([(0, 4096, 1, 1)])
    assert access_report([one]).startswith("heatmap: ")
    assert access_report([one, worked()]).splitlines()[1].startswith("snapshot time: ")


def test_several_records() -> None:
    """Of several records each is told whose it is."""
    heads = [
        line
        for line in access_lines([worked(), record([(0, 10, 1, 1)], kdamond_idx=1, scheme_idx=2)])
        if line.startswith("kdamond")
    ]
    assert heads == [
        "kdamond 0 / context 0 / scheme None / target id 0 / recorded for 200 ms from 1 s",
        "kdamond 1 / context 0 / scheme 2 / target id 0 / recorded for 100 ms from 1 s",
    ]


def test_goal() -> None:
    """A goal of the intervals is told at the end."""
    last = access_report([record([(0, 10, 1, 1)], intervals=GOAL)]).splitlines()[-1]
    assert last == "# target 4 % accesses per 3 aggrs, [5 ms, 10 s] sampling interval"


def test_without_intervals() -> None:
    """A record without intervals is reported with what its times tell, and says so."""
    lines = without_padding(access_report([record([(0, 10, 20, -1)], intervals=None)]))
    assert lines[2] == "intervals: sample 5 ms aggr 100 ms (max access hz 200)"
    assert lines[3] == "0   addr 0 B          size 10 B        access 200 hz age n/a"
    assert lines[-1] == (
        "record DAMON intervals: sample 5 ms, aggr 100 ms "
        "(not recorded; taken from the times of snapshots)"
    )


def test_without_intervals_and_snapshots() -> None:
    """A record of nothing at all is reported, too."""
    assert access_report([Record(0, [])]) == "record DAMON intervals: unknown"


def test_no_regions() -> None:
    """A snapshot without regions has nothing to draw and a size of zero."""
    assert access_report([record([])]).splitlines() == [
        "heatmap: n/a (no region)",
        "intervals: sample 5 ms aggr 100 ms (max access hz 200)",
        "memory bw estimate: 0 B per second",
        "total size: 0 B",
        "record DAMON intervals: sample 5 ms, aggr 100 ms",
    ]


def test_no_records() -> None:
    """Nothing to report is an error."""
    with pytest.raises(InvalidError, match="there is no record to report"):
        access_report([])


def test_filtered() -> None:
    """Only what is kept is reported, numbered anew."""
    keep = AccessFilter(access_rate=(0, 0), snapshot_idx=(1, 1))
    lines = without_padding(access_report([worked()], AccessOptions(keep=keep)))
    assert lines[3] == "0   addr 8.000 KiB    size 8.000 KiB   access 0 hz   age 800 ms"
    assert lines[5] == "total size: 12.000 KiB"


def test_merged() -> None:
    """Equal neighbours are joined if that is asked for."""
    one = record([(0, 4096, 5, 1), (4096, 8192, 5, 1)])
    assert len(access_report([one]).splitlines()) == 8
    merged = access_report([one], AccessOptions(merge_regions=True))
    assert without_padding(merged)[3].startswith("0   addr 0 B          size 8.000 KiB")


@pytest.mark.parametrize(
    ("by", "descending", "order"),
    [
        ([SortKey.ADDRESS], [SortKey.ADDRESS], [2, 1, 0]),
        ([SortKey.SIZE], [], [1, 0, 2]),
        ([SortKey.ACCESS_RATE], [], [1, 0, 2]),
        ([SortKey.AGE], [SortKey.AGE], [2, 0, 1]),
        ([SortKey.TEMPERATURE], [], [1, 0, 2]),
        ([SortKey.AGE, SortKey.ACCESS_RATE], [SortKey.ACCESS_RATE], [0, 2, 1]),
    ],
)
def test_sorted(by: list[SortKey], descending: list[SortKey], order: list[int]) -> None:
    """Regions are sorted key after key, so that the last one decides first."""
    one = record([(0, 200, 10, 3), (1000, 1100, 0, 3), (2000, 2400, 10, 7)])
    options = AccessOptions(
        sort_regions_by=by,
        sort_regions_dsc=descending,
        formats=[("set", "region", "<start address>")],
    )
    starts = {"0 B": 0, "1000 B": 1, "1.953 KiB": 2}
    lines = without_padding(access_report([one], options))
    assert [starts[line] for line in lines if line in starts] == order


@pytest.mark.parametrize("style", list(AccessStyle))
def test_styles(style: AccessStyle) -> None:
    """Every style makes a report, of regions and of none, plain and in colours."""
    for one in (worked(), record([])):
        for is_colored in (False, True):
            options = AccessOptions(style=style, is_colored=is_colored)
            text = access_report([one], options)
            assert text.endswith("record DAMON intervals: sample 5 ms, aggr 100 ms")
            assert "<" not in text.replace("<temperature", "").replace("<total size>", "").replace(
                "<percentile>", ""
            ).replace("<idle time", "")


def test_plain_styles_have_no_colors() -> None:
    """Without colours there is no escape sequence in any style."""
    for style in AccessStyle:
        assert "\x1b" not in access_report([worked()], AccessOptions(style=style))


def test_total_sizes_only() -> None:
    """Only sizes are told, one per line, without blank lines."""
    options = AccessOptions(total_sz_only=True, raw_number=True)
    assert access_report([worked()], options).splitlines() == [
        "12288",
        "12288",
        "record DAMON intervals: sample 5000, aggr 100000",
    ]


def test_keywords_of_own_formats() -> None:
    """Texts of one's own are filled in, and what is no keyword stays."""
    formats = [
        ("set", "record_head", "<target id> <nonsense> <data source>"),
        ("set", "snapshot_head", "<abs start time> <number of regions>"),
        ("set", "region", "<index>|<end address>|<access rate>|<temperature>"),
        ("set", "snapshot_tail", ""),
        ("append", "record_tail", "!"),
    ]
    one = record([(4096, 8192, 20, 3)])
    assert without_padding(access_report([one], AccessOptions(formats=formats))) == [
        "0 <nonsense> unknown",
        "1 s 1",
        "0  |8.000 KiB  |100 %|30,010,000",
        "record DAMON intervals: sample 5 ms, aggr 100 ms!",
    ]


def test_empty_texts() -> None:
    """Texts that are empty leave nothing, not a blank line."""
    formats = [("set", place, "") for place in ("snapshot_head", "snapshot_tail", "record_tail")]
    lines = access_report([record([(0, 10, 1, 1)])], AccessOptions(formats=formats)).splitlines()
    assert len(lines) == 1


@pytest.mark.parametrize(("action", "place"), [("put", "region"), ("set", "middle")])
def test_wrong_formats(action: str, place: str) -> None:
    """An action or a place that does not exist is refused, and told what does."""
    options = AccessOptions(formats=[(action, place, "x")])
    wrong = f"cannot {action} {place}; use set or append, and one of record_head, snapshot_head"
    with pytest.raises(InvalidError, match=wrong):
        access_report([worked()], options)


def test_appended_snapshot_head() -> None:
    """What is appended to the usual head comes behind it."""
    changed = Format().changed("append", "snapshot_head", "|more")
    assert changed.snapshot_head is not None
    assert changed.snapshot_head.startswith("snapshot time: ")
    assert changed.snapshot_head.endswith("<snapshot intervals>|more")


def test_appended_record_head() -> None:
    """What is appended to a head that is not there stands alone."""
    assert Format().changed("append", "record_head", "x").record_head == "x"
    assert Format().changed("append", "region", "!").region.endswith("<age>!")


def test_every_style_has_texts() -> None:
    """Every style has its texts, and only boxes always tell the time."""
    assert FORMATS.keys() == set(AccessStyle)
    always = [style for style, texts in FORMATS.items() if texts.time is TimeShown.ALWAYS]
    assert always == [AccessStyle.SIMPLE_BOXES]


def test_boxes_of_all_records() -> None:
    """Boxes are as long as the oldest region of all records lets them be."""
    one, old = record([(0, 10, 1, 3)]), record([(0, 10, 1, 300)], target_id=1)
    options = AccessOptions(style=AccessStyle.SIMPLE_BOXES)
    alone, both = access_report([one, one], options), access_report([one, old], options)
    assert alone.splitlines()[2] == both.splitlines()[2]
    assert both.splitlines()[-4].startswith("|" + "0" * 40)


def test_age_of_a_tuned_snapshot() -> None:
    """Under tuning an age counts the snapshot's own aggregations, where damo takes the first."""
    tuned = snapshot([(0, 4096, 20, 3)], sample_us=10_000, aggr_us=200_000)
    lines = without_padding(access_report([Record(0, [tuned], GOAL)]))
    assert lines[2] == "intervals: sample 10 ms aggr 200 ms (max access hz 100)"
    assert lines[3].endswith("access 100 hz age 600 ms")


def test_unsorted_regions() -> None:
    """Regions that a file holds in any order are reported by address."""
    one = record([(8192, 12288, 0, 7), (4096, 8192, 20, 3)])
    assert access_report([one]).splitlines()[3].startswith("0   addr 4.000 KiB")


def test_limits_without_end() -> None:
    """A limit may be infinite."""
    keep = AccessFilter(sz_region=(5000, math.inf))
    lines = access_report([worked()], AccessOptions(keep=keep)).splitlines()
    assert lines[4].startswith("0   addr 8.000 KiB")
