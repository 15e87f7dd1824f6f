"""Where and when there is something to see."""

from __future__ import annotations

from hypothesis import given, strategies as st

from damon_async.records.record import Record
from damon_async.reports.ranges import hottest_range, mapped_ranges, time_range

from ..records.makers import AGGR_NS, SECOND_NS, Row, record, rows, snapshot


def test_ranges_of_a_snapshot() -> None:
    """Regions that touch are one range, gaps part them."""
    one = snapshot([(0, 10, 1, 1), (10, 20, 1, 1), (30, 40, 1, 1)])
    assert mapped_ranges([one]) == [(0, 20), (30, 40)]


def test_ranges_over_time() -> None:
    """What was monitored at any time belongs to a range."""
    layers = [[(0, 10, 1, 1), (30, 40, 1, 1)], [(8, 20, 1, 1)], [], [(30, 50, 1, 1)]]
    assert mapped_ranges([snapshot(each) for each in layers]) == [(0, 20), (30, 50)]


def test_no_ranges() -> None:
    """Nothing monitored is no range."""
    assert mapped_ranges([]) == []
    assert mapped_ranges([snapshot([])]) == []


@given(layers=st.lists(rows(), max_size=4))
def test_ranges_cover_everything(layers: list[list[Row]]) -> None:
    """Ranges ascend, do not touch, and cover every region."""
    ranges = mapped_ranges([snapshot(each) for each in layers])
    flat = [bound for each in ranges for bound in each]
    assert flat == sorted(set(flat))
    for start, end, *_ in (row for each in layers for row in each):
        assert any(low <= start and end <= high for low, high in ranges)


def test_hottest_range() -> None:
    """The hottest range has the most accesses per byte."""
    made = [snapshot([(0, 10, 5, 0), (20, 120, 4, 0), (200, 210, 0, 0)])]
    assert hottest_range(made, mapped_ranges(made)) == (0, 10)


def test_hottest_range_over_time() -> None:
    """All snapshots count alike, whatever is mapped in them."""
    made = [snapshot([(0, 10, 5, 0), (20, 30, 4, 0)]), snapshot([(20, 30, 4, 0)])]
    assert hottest_range(made, mapped_ranges(made)) == (20, 30)


def test_first_of_equals() -> None:
    """Of equally hot ranges the first is the hottest, even of cold ones."""
    made = [snapshot([(0, 10, 0, 0), (20, 30, 0, 0)])]
    assert hottest_range(made, mapped_ranges(made)) == (0, 10)


def test_time_reaches_back() -> None:
    """With intervals a record begins where the ages of its first snapshot reach."""
    one = record([(0, 10, 1, 3), (10, 20, 1, 30)], [(0, 10, 1, 90)])
    assert time_range(one) == (SECOND_NS - 30 * AGGR_NS, SECOND_NS + 2 * AGGR_NS)


def test_time_without_intervals() -> None:
    """Without intervals a record begins with its first snapshot."""
    one = record([(0, 10, 1, 3)], intervals=None)
    assert time_range(one) == (SECOND_NS, SECOND_NS + AGGR_NS)


def test_time_of_nothing() -> None:
    """A record without snapshots, or one without regions, has no past."""
    assert time_range(Record(0, [])) == (0, 0)
    assert time_range(record([])) == (SECOND_NS, SECOND_NS + AGGR_NS)
