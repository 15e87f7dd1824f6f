"""
Our reports beside those of real damo, to the character.

Each test makes a record file, lets both read it, and compares. Where ours differ
on purpose, the difference is described at the report, and not looked for here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from damon_async.params.intervals import Intervals, IntervalsGoal
from damon_async.records.files import read_records, write_records
from damon_async.records.record import Record
from damon_async.reports.access import access_report
from damon_async.reports.access_json import access_json
from damon_async.reports.access_options import AccessOptions
from damon_async.reports.colors import ColorSet
from damon_async.reports.distribution import SortBy
from damon_async.reports.filters import AccessFilter
from damon_async.reports.heatmap import (
    Base,
    BasedRange,
    DrawRange,
    HeatmapOptions,
    heatmap_guide,
    heatmap_raw,
    heatmap_text,
)
from damon_async.reports.nr_regions import NrRegionsOptions, nr_regions_report
from damon_async.reports.raw_form import raw_form
from damon_async.reports.record_info import record_info
from damon_async.reports.rows import Weights
from damon_async.reports.styles import AccessStyle, SortKey
from damon_async.reports.wss import WssOptions, wss_report

from ..records.makers import worked
from .histories import HIGH, LOW, PAGE, history

Damo = Callable[..., str]
NO_LIMIT = float("inf")
ODD = Intervals(3_000, 70_000, 1_000_000)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of three records."""
    made = [
        history(3, seed=2),
        history(3, 6, seed=3, target_id=1),
        history(1, 4, seed=4, kdamond_idx=1, intervals=ODD),
    ]
    return written(tmp_path_factory, made)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of one record of thirty snapshots."""
    return written(tmp_path_factory, [history()])


@pytest.fixture(scope="module")
def untimed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of one record without intervals."""
    return written(tmp_path_factory, [history(26, seed=6, intervals=None)])


def written(factory: pytest.TempPathFactory, records: list[Record]) -> Path:
    """Write a record file."""
    path = factory.mktemp("records") / "damon.data"
    write_records(path, records)
    return path


ACCESS = [
    ([], AccessOptions()),
    (["--raw_number"], AccessOptions(raw_number=True)),
    (["--total_sz_only"], AccessOptions(total_sz_only=True)),
    *[(["--style", style.value], AccessOptions(style=style)) for style in AccessStyle],
    (
        ["--style", "temperature-sz-hist", "--hist_logscale", "--raw_number"],
        AccessOptions(style=AccessStyle.TEMPERATURE_SZ_HIST, hist_logscale=True, raw_number=True),
    ),
    (
        ["--style", "recency-sz-hist", "--hist_cumulate"],
        AccessOptions(style=AccessStyle.RECENCY_SZ_HIST, hist_cumulate=True),
    ),
    (
        ["--style", "temperature-percentiles", "--percentiles_range", "0", "101", "20"],
        AccessOptions(style=AccessStyle.TEMPERATURE_PERCENTILES, percentiles=range(0, 101, 20)),
    ),
    (
        ["--style", "hot", "--temperature_weights", "1", "10", "3"],
        AccessOptions(style=AccessStyle.HOT, weights=Weights(1, 10, 3)),
    ),
    (
        ["--sort_regions_by", "access_rate", "age", "--sort_regions_dsc", "age"],
        AccessOptions(
            sort_regions_by=(SortKey.ACCESS_RATE, SortKey.AGE), sort_regions_dsc=(SortKey.AGE,)
        ),
    ),
    (["--snapshot_heatmap_width", "33"], AccessOptions(snapshot_heatmap_width=33)),
    (
        ["--sz_region", "5000", "max", "--access_rate", "5%", "100%", "--age", "0", "1s"],
        AccessOptions(
            keep=AccessFilter(sz_region=(5000, NO_LIMIT), access_rate=(5, 100), age=(0, 1e6))
        ),
    ),
    (
        ["--address", str(LOW + PAGE), str(LOW + 99 * PAGE), "--address", str(HIGH), str(2**47)],
        AccessOptions(keep=AccessFilter(addresses=[(LOW + PAGE, LOW + 99 * PAGE), (HIGH, 2**47)])),
    ),
    (
        ["--temperature", "-30000000", "200000000"],
        AccessOptions(keep=AccessFilter(temperature=(-3e7, 2e8))),
    ),
    (["--snapshot_idx", "0", "1"], AccessOptions(keep=AccessFilter(snapshot_idx=(0, 1)))),
]


@pytest.mark.parametrize(("arguments", "options"), ACCESS)
def test_access(damo: Damo, several: Path, arguments: list[str], options: AccessOptions) -> None:
    """Access patterns are reported as damo does."""
    ours = access_report(read_records(several), options)
    assert ours == damo("access", "--input", several, *arguments)


def test_access_keywords(damo: Damo, several: Path) -> None:
    """Texts with keywords are filled as damo does."""
    head = "<total bytes>|<duration>|<start time>|<abs end time>|<number of regions>"
    region = "<index>|<start address>|<end address>|<size>|<access rate>|<temperature>|<box>"
    tail = "<positive access samples ratio>|<intervals tuning status>|<region box description>"
    formats = [
        ("set", "record_head", "<kdamond index>|<target id>|<duration>|<intervals goal>"),
        ("set", "snapshot_head", head),
        ("set", "region", region),
        ("append", "snapshot_tail", tail),
    ]
    arguments = [part for each in formats for part in ("--format", *each)]
    ours = access_report(read_records(several), AccessOptions(formats=formats))
    assert ours == damo("access", "--input", several, *arguments)


def test_access_colors(damo: Damo, several: Path) -> None:
    """Colours are those of damo."""
    options = AccessOptions(style=AccessStyle.COLD, is_colored=True)
    theirs = damo("access", "--input", several, "--style", "cold", keep_colors=True)
    assert access_report(read_records(several), options) == theirs


@pytest.mark.parametrize("name", ["several", "untimed"])
def test_raw_form(damo: Damo, request: pytest.FixtureRequest, name: str) -> None:
    """Counts are listed as damo does, with intervals or without."""
    path = request.getfixturevalue(name)
    ours = raw_form(read_records(path)).rstrip("\n")
    assert ours == damo("access", "--input", path, "--raw_form")


@pytest.mark.parametrize("name", ["several", "untimed"])
def test_json(damo: Damo, request: pytest.FixtureRequest, name: str) -> None:
    """JSON has the shape and the texts of damo."""
    path = request.getfixturevalue(name)
    assert access_json(read_records(path)) == damo("access", "--input", path, "--json")


HEATMAPS = [
    ([], HeatmapOptions()),
    (["--resol", "7", "33"], HeatmapOptions(resol=(7, 33))),
    (
        ["--draw_range", "all", "--resol", "4", "30"],
        HeatmapOptions(None, None, None, DrawRange.ALL),
    ),
    (["--stdout_skip_colorset_example"], HeatmapOptions(has_legend=False)),
    (
        ["--time_range", "0", "700000000", "guided"],
        HeatmapOptions(time_range=BasedRange(0, 700_000_000, Base.GUIDED)),
    ),
    (
        ["--address_range", str(HIGH), str(HIGH + 1000 * PAGE)],
        HeatmapOptions(address_range=BasedRange(HIGH, HIGH + 1000 * PAGE)),
    ),
    (
        ["--address_range", "4096", "9000000", "guided"],
        HeatmapOptions(address_range=BasedRange(4096, 9_000_000, Base.GUIDED)),
    ),
]


@pytest.mark.parametrize("name", ["long", "untimed"])
@pytest.mark.parametrize(("arguments", "options"), HEATMAPS)
def test_heatmap(
    damo: Damo,
    request: pytest.FixtureRequest,
    name: str,
    arguments: list[str],
    options: HeatmapOptions,
) -> None:
    """Heatmaps have the digits and the legend of damo."""
    path = request.getfixturevalue(name)
    if options.draw_range is DrawRange.ALL:
        options = HeatmapOptions(resol=(4, 30), draw_range=DrawRange.ALL)
    assert heatmap_text(read_records(path), options) == damo("heatmap", "--input", path, *arguments)


@pytest.mark.parametrize("colors", list(ColorSet))
def test_heatmap_colors(damo: Damo, long: Path, colors: ColorSet) -> None:
    """Colours of heatmaps without blank cells are those of damo."""
    arguments = ("--resol", 5, 20, "--time_range", 10**9, 4 * 10**9, "--stdout_colorset", colors)
    theirs = damo("heatmap", "--input", long, *arguments, keep_colors=True)
    times = BasedRange(10**9, 4 * 10**9)
    options = HeatmapOptions(resol=(5, 20), time_range=times, colors=colors)
    assert heatmap_text(read_records(long), options) == theirs


@pytest.mark.parametrize("is_absolute", [False, True])
def test_heatmap_numbers(damo: Damo, long: Path, is_absolute: bool) -> None:
    """Cells of a heatmap are the same numbers to the last digit."""
    arguments = ["--output", "raw", "--resol", "23", "31"]
    arguments += ["--abs_time", "--abs_addr"] * is_absolute
    options = HeatmapOptions(resol=(23, 31), abs_time=is_absolute, abs_addr=is_absolute)
    assert heatmap_raw(read_records(long), options) == damo("heatmap", "--input", long, *arguments)


def test_heatmap_of_a_target(damo: Damo, several: Path) -> None:
    """The record that is drawn can be chosen."""
    options = HeatmapOptions(target_id=1, resol=(5, 20))
    ours = heatmap_text(read_records(several), options)
    assert ours == damo("heatmap", "--input", several, "--tid", 1, "--resol", 5, 20)


def test_guides(damo: Damo, several: Path) -> None:
    """What there is to draw is told as damo does."""
    records = read_records(several)
    assert heatmap_guide(records) == damo("heatmap", "--input", several, "--guide")
    human = heatmap_guide(records, is_human=True)
    assert human == damo("heatmap", "--input", several, "--guide_human")
    assert record_info(records) == damo("record_info", "--input", several)
    raw = record_info(records, raw_numbers=True)
    assert raw == damo("record_info", "--input", several, "--raw_numbers")


WORKING_SETS = [
    ([], WssOptions()),
    (["--raw_number", "--sortby", "time"], WssOptions(raw_number=True, sortby=SortBy.TIME)),
    (["--range", "0", "101", "7"], WssOptions(range=(0, 101, 7))),
    (["--acc_thres", "10", "--sz_thres", "100000"], WssOptions(acc_thres=10, sz_thres=100_000)),
    (
        ["--exclude_samples", "29", "--nr_cols_bar", "10"],
        WssOptions((0, 101, 25), 29, nr_cols_bar=10),
    ),
    (["--exclude_samples", "30"], WssOptions(exclude_samples=30)),
    (["--all_wss", "--nr_cols_bar", "0"], WssOptions(all_wss=True, nr_cols_bar=0)),
    (["--nr_cols_bar", "0", "--per_target"], WssOptions(nr_cols_bar=0, per_target=True)),
]


@pytest.mark.parametrize(("arguments", "options"), WORKING_SETS)
def test_wss(damo: Damo, long: Path, arguments: list[str], options: WssOptions) -> None:
    """Working sets are reported as damo does."""
    assert wss_report(read_records(long), options) == damo("wss", "--input", long, *arguments)


@pytest.mark.parametrize("order", list(SortBy))
def test_nr_regions(damo: Damo, long: Path, order: SortBy) -> None:
    """Region counts are reported as damo does."""
    ours = nr_regions_report(read_records(long), NrRegionsOptions(sortby=order))
    assert ours == damo("nr_regions", "--input", long, "--sortby", order)


def test_text_form(damo: Damo, tmp_path: Path) -> None:
    """A file in text form is read by damo as by us."""
    path = tmp_path / "damon.txt"
    write_records(path, [worked()], "perf_script")
    ours = raw_form(read_records(path)).rstrip("\n")
    assert ours == damo("access", "--input", path, "--raw_form")


def test_only_snapshot_as_text(damo: Damo, tmp_path: Path) -> None:
    """A file in text form with one snapshot is read by damo as by us."""
    path = tmp_path / "damon.txt"
    write_records(path, [history(1)], "perf_script")
    ours = raw_form(read_records(path)).rstrip("\n")
    assert ours == damo("access", "--input", path, "--raw_form")


def test_tuned_intervals(damo: Damo, tmp_path: Path) -> None:
    """A goal of the intervals is told as damo does."""
    goal = IntervalsGoal("4%", 3, "5ms", "10s")
    made = history(2, intervals=Intervals(5_000, 100_000, 1_000_000, goal))
    write_records(tmp_path / "damon.data", [made])
    ours = access_report(read_records(tmp_path / "damon.data"))
    assert ours == damo("access", "--input", tmp_path / "damon.data")


@pytest.mark.parametrize("report", ["heatmap", "wss", "nr_regions", "record_info", "raw"])
def test_real_recording(damo: Damo, shared: Path, report: str) -> None:
    """A real recording is reported as damo does."""
    path = shared / "traces/damo/damon.data"
    make: dict[str, Callable[[list[Record]], str]] = {
        "heatmap": heatmap_text,
        "wss": wss_report,
        "nr_regions": nr_regions_report,
        "record_info": record_info,
        "raw": raw_form,
    }
    ours = make[report](read_records(path)).rstrip("\n")
    arguments = ["access", "--raw_form"] if report == "raw" else [report]
    assert ours == damo(*arguments, "--input", path)


def test_real_snapshot(damo: Damo, shared: Path) -> None:
    """A real snapshot is reported as damo does."""
    path = shared / "traces/damo/damon.data.snapshot.nofilter"
    assert access_report(read_records(path)) == damo("access", "--input", path)
