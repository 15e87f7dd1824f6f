"""The report of heatmaps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.records.record import Record
from damon_async.reports.heatmap import (
    Base,
    BasedRange,
    DrawRange,
    HeatmapOptions,
    heatmap_guide,
    heatmap_raw,
    heatmap_text,
    levels_of,
)
from damon_async.reports.record_info import record_info

from ..records.makers import record, worked

TWO_RANGES = record([(0, 10, 1, 0), (1000, 1010, 20, 0)], [(0, 10, 0, 0), (1000, 1010, 10, 0)])


def test_worked_text() -> None:
    """The heatmap of spec damo 4.1 is drawn to the character."""
    assert heatmap_text([worked()], HeatmapOptions(resol=(4, 24))).splitlines() == [
        "        0000000000000000",
        "111111110000000000000000",
        "888888880000000000000000",
        "666666660000000000000000",
        "# access_frequency: 0123456789 (0.000-200.000 hz)",
        "# x-axis: space [4.000000 KiB, 16.000000 KiB) (12.000 KiB)",
        "# y-axis: time [300 ms, 1.200 s) (900 ms)",
        "# resolution: 24x4 (512 B and 225 ms for each character)",
    ]


def test_worked_numbers() -> None:
    """The cells of spec damo 4.1 are printed to the last digit."""
    assert heatmap_raw([worked()], HeatmapOptions(resol=(2, 3))).splitlines() == [
        "0\t0\t22.22222222222222",
        "0\t4096\t0.0",
        "0\t8192\t0.0",
        "450000000\t0\t177.77777777777777",
        "450000000\t4096\t0.0",
        "450000000\t8192\t0.0",
    ]


def test_worked_guide() -> None:
    """The guide of spec damo 4.1 tells time and regions."""
    assert heatmap_guide([worked()]).splitlines() == [
        "kdamond_idx: 0",
        "context_idx: 0",
        "target_id: 0",
        "time: [300000000, 1200000000) (900000000)",
        "region\t 0: [4096, 16384) (12288)",
    ]


def test_absolute_numbers() -> None:
    """Times and addresses may count from zero, and blanks are not numbers."""
    options = HeatmapOptions(resol=(4, 4), abs_time=True, abs_addr=True)
    lines = heatmap_raw([worked()], options).splitlines()
    assert lines[:2] == ["300000000\t4096\tNaN", "300000000\t7168\t0.0"]


def test_default_resolutions() -> None:
    """Text has 40 rows of 80, numbers 500 times 500."""
    lines = heatmap_text([worked()]).splitlines()
    assert len(lines) == 44
    assert {len(line) for line in lines[:40]} == {80}
    assert len(heatmap_raw([worked()]).splitlines()) == 250_000


def test_samples() -> None:
    """Without intervals heat is samples."""
    one = record([(0, 100, 7, 1)], intervals=None)
    assert "(7.000-7.000 samples)" in heatmap_text([one], HeatmapOptions(resol=(1, 1)))


def test_hottest_range() -> None:
    """Only the hottest range is drawn, unless all are wanted."""
    short = HeatmapOptions(resol=(2, 2))
    assert heatmap_text([TWO_RANGES], short).splitlines()[:2] == ["88", "00"]
    all_ranges = HeatmapOptions(resol=(2, 2), draw_range=DrawRange.ALL)
    lines = heatmap_text([TWO_RANGES], all_ranges).splitlines()
    assert (len(lines), lines[:2], lines[6:8]) == (12, ["88", "00"], ["88", "00"])


@pytest.mark.parametrize(
    ("base", "start", "end"),
    [(Base.ABSOLUTE, 5, 9), (Base.GUIDED, 105, 109), (Base.GUIDED_END, 205, 209)],
)
def test_bases(base: Base, start: int, end: int) -> None:
    """Ranges count from zero, or from an end of what there is."""
    assert BasedRange(5, 9, base).within((100, 200)) == (start, end)


def test_chosen_ranges() -> None:
    """Times and addresses can be chosen, also beyond what was recorded."""
    options = HeatmapOptions(
        (3, 3),
        BasedRange(-100_000_000, 200_000_000, Base.GUIDED),
        BasedRange(0, 18, Base.GUIDED),
    )
    lines = heatmap_text([TWO_RANGES], options).splitlines()
    assert lines[:3] == ["   ", "84 ", "20 "]
    assert lines[4] == "# x-axis: space [1000 B, 1018 B) (18 B)"


def test_chosen_record() -> None:
    """The record that is drawn can be chosen by target, kdamond, context and scheme."""
    records = [
        Record(0, worked().snapshots, worked().intervals),
        record([(0, 10, 20, 0)], target_id=1, kdamond_idx=2, context_idx=3, scheme_idx=4),
    ]
    short = HeatmapOptions(resol=(1, 1))
    for name, value in {
        "target_id": 1,
        "kdamond_idx": 2,
        "context_idx": 3,
        "scheme_idx": 4,
    }.items():
        chosen: dict[str, Any] = {name: value}
        assert "space [0 B, 10 B)" in heatmap_text(records, replace(short, **chosen))
    assert "space [4.0" in heatmap_text(records, short)


def test_no_such_record() -> None:
    """A choice that fits no record tells which there are."""
    wrong = "no record of target_id 7; there is: kdamond 0, context 0, scheme None, target 0"
    with pytest.raises(InvalidError, match=wrong):
        heatmap_text([worked()], HeatmapOptions(target_id=7))


def test_no_records() -> None:
    """Nothing to choose from is told."""
    with pytest.raises(InvalidError, match="no record of anything; there is: nothing"):
        heatmap_text([])


def test_nothing_to_draw() -> None:
    """A record without regions cannot be drawn."""
    with pytest.raises(InvalidError, match="the record holds no regions to draw"):
        heatmap_text([record([])])


def test_all_blank() -> None:
    """Where nothing was monitored the map is blank, not an error."""
    options = HeatmapOptions((2, 2), None, BasedRange(5000, 6000, Base.GUIDED))
    lines = heatmap_text([TWO_RANGES], options).splitlines()
    assert lines[:3] == ["  ", "  ", "# access_frequency: 0123456789 (0.000-0.000 hz)"]


def test_snapshots_in_records_of_their_own() -> None:
    """Snapshots that were polled one by one are drawn together."""
    first, second = worked().snapshots
    apart = [Record(0, [each], worked().intervals) for each in (second, first)]
    assert heatmap_text(apart) == heatmap_text([worked()])


def test_guides_in_order_of_time() -> None:
    """Records are told in the order in which they began."""
    late, early = worked(), record([(0, 10, 1, 0)], start_ns=5, target_id=1)
    assert heatmap_guide([late, early]).splitlines()[2] == "target_id: 1"


def test_guide_of_a_scheme() -> None:
    """The scheme is told where there is one, and a missing target is not."""
    one = record([(0, 10, 1, 0)], scheme_idx=3, target_id=None)
    assert heatmap_guide([one]).splitlines()[2:4] == [
        "scheme_idx: 3",
        "time: [1000000000, 1100000000) (100000000)",
    ]


def test_record_info() -> None:
    """What a record holds is told in units, or plainly."""
    assert record_info([worked()]).splitlines()[3:] == [
        "time: [300 ms, 1.200 s) (900 ms)",
        "region\t 0: [4.000000 KiB, 16.000000 KiB) (12.000 KiB)",
    ]
    assert record_info([worked()], raw_numbers=True) == heatmap_guide([worked()])


@pytest.mark.parametrize(
    ("heat", "level"), [(0, 0), (22.3, 0), (22.4, 1), (111, 4), (200, 8), (201, 9), (500, 9)]
)
def test_levels(heat: float, level: int) -> None:
    """A level is a ninth of the range up to one above the highest, at most 9 (spec damo 5)."""
    assert levels_of(np.array([[heat]]), (0, 200)) == [[level]]


@given(heats=st.lists(st.floats(0, 1e6), min_size=1, max_size=9))
def test_levels_are_digits(heats: list[float]) -> None:
    """Levels are digits, grow with heat, and begin at 0."""
    [levels] = levels_of(np.array([sorted(heats)]), (min(heats), max(heats)))
    known = [level for level in levels if level is not None]
    assert known == sorted(known)
    assert known[0] == 0
    assert known[-1] <= 9
