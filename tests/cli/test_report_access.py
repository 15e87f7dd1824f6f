"""`damon-async report access`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from damon_async.reports.styles import AccessStyle, SortKey

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

LAST = ["--snapshot_idx", "59", "59"]
"""Only the last snapshot of the record."""


def region_column(out: str, name: str) -> list[str]:
    """Return what stands behind *name* in the lines of regions."""
    regions = [line for line in out.splitlines() if line[:1].isdigit() and " addr " in line]
    return [line.partition(f" {name} ")[2].split()[0] for line in regions]


def test_usual_layout(cli: Cli, stairs: Path) -> None:
    """A snapshot has a head, a line per region, and a tail."""
    outcome = cli("report", "access", "-i", stairs, *LAST)

    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert lines[0].startswith("heatmap: ")
    assert lines[2] == "intervals: sample 5 ms aggr 100 ms (max access hz 200)"
    assert lines[3].startswith("0   addr 85.333 TiB ")
    assert lines[-2].startswith("total size: 64.")
    assert lines[-1] == "record DAMON intervals: sample 5 ms, aggr 100 ms"


@pytest.mark.parametrize("style", list(AccessStyle))
def test_styles(cli: Cli, stairs: Path, style: AccessStyle) -> None:
    """Every style prints something."""
    outcome = cli("report", "access", "-i", stairs, "--style", style, *LAST)

    assert outcome.code == 0
    assert len(outcome.out.splitlines()) > 3


@pytest.mark.parametrize("key", list(SortKey))
def test_sorting(cli: Cli, stairs: Path, key: SortKey) -> None:
    """Descending is ascending upside down, as far as the key decides."""
    words = ["report", "access", "-i", stairs, "--raw_number", *LAST, "--sort_regions_by", key]
    up, down = cli(*words).out, cli(*words, "--sort_regions_dsc", key).out

    column = {"address": "addr", "size": "size"}.get(key)
    assert sorted(up.split()) == sorted(down.split())
    if column is not None:
        numbers = [int(each) for each in region_column(up, column)]
        assert numbers == sorted(numbers)
        assert [int(each) for each in region_column(down, column)] == numbers[::-1]


def test_json(cli: Cli, stairs: Path) -> None:
    """JSON has the shape of record files."""
    trees: Any = json.loads(cli("report", "access", "-i", stairs, "--json").out)

    assert len(trees) == 1
    assert len(trees[0]["snapshots"]) == 60
    assert trees[0]["snapshots"][0]["regions"][0]["nr_accesses"]["samples"] >= 0


def test_raw_form(cli: Cli, stairs: Path) -> None:
    """The raw form prints counts and hexadecimal addresses."""
    out = cli("report", "access", "-i", stairs, "--raw_form", *LAST).out

    assert "nr_regions: " in out
    assert "555555554000-" in out


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["--total_sz_only"], "64.430 MiB"),
        (["--raw_number"], "addr 93824992231424"),
        (["--format", "set", "region", "<index>:<size>"], "\n0  :308.000 KiB"),
        (["--format", "set", "region", "", "append", "record_tail", "!"], "aggr 100 ms!"),
        (["--style", "recency-percentiles", "--percentiles_range", "0", "101", "50"], "\n 50 "),
        (["--style", "temperature-sz-hist", "--hist_cumulate"], "[-"),
        (["--style", "temperature-sz-hist", "--hist_logscale"], "[-"),
        (["--style", "recency-sz-hist", "--hist_ranges", "0", "1000000", "9000000"], "[0 ns, 1 s)"),
        (["--snapshot_heatmap_width", "10"], "heatmap: "),
        (["--merge_regions"], "total size: "),
        (["--temperature_weights", "1", "0", "0"], "min/max temperatures: "),
    ],
)
def test_layout_options(cli: Cli, stairs: Path, words: list[str], seen: str) -> None:
    """Each option of the layout does its work."""
    usual = cli("report", "access", "-i", stairs, *LAST).out
    changed = cli("report", "access", "-i", stairs, *LAST, *words)

    assert changed.code == 0
    assert seen in changed.out
    if "--merge_regions" not in words:
        assert changed.out != usual


@pytest.mark.parametrize(
    "words",
    [
        ["--sz_region", "1M", "max"],
        ["--access_rate", "50%", "100%"],
        ["--age", "1s", "max"],
        ["--address", "0", "100T"],
        ["--temperature", "min", "0"],
    ],
)
def test_region_filters(cli: Cli, stairs: Path, words: list[str]) -> None:
    """Each filter of regions leaves some out, and keeps some."""
    everything = cli("report", "access", "-i", stairs, *LAST).out
    kept = cli("report", "access", "-i", stairs, *LAST, *words).out

    assert 0 < len(region_column(kept, "addr")) < len(region_column(everything, "addr"))


@pytest.mark.parametrize(
    ("words", "nr_snapshots"),
    [
        (["--snapshot_idx", "10", "19"], 10),
        (["--snapshot_time", "1s", "2s"], 10),
        (["--sz_snapshot", "0", "1M"], 0),
        (["--sz_snapshot", "1M", "max"], 60),
    ],
)
def test_snapshot_filters(cli: Cli, stairs: Path, words: list[str], nr_snapshots: int) -> None:
    """Each filter of snapshots keeps those that fit."""
    out = cli("report", "access", "-i", stairs, *words, "--total_sz_only").out

    assert out.count("64.430 MiB") == nr_snapshots


def test_addresses_may_be_several(cli: Cli, stairs: Path) -> None:
    """Regions are cut to each of the ranges."""
    low, high = 0x5555_5555_4000, 0x7FFF_FFFF_E000
    words = ["--address", low, low + 4096, "--address", high, high + 4096, "--raw_number"]

    out = cli("report", "access", "-i", stairs, *LAST, *words).out

    assert region_column(out, "addr") == [str(low), str(high)]
    assert region_column(out, "size") == ["4096", "4096"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--json", "--raw_form"], "--json and --raw_form are two forms; choose one"),
        (["--format", "set", "region"], "--format takes three words at a time, not 2: "),
        (["--format", "put", "region", "x"], "cannot put region; use set or append, "),
        (["--style", "fancy"], 'Invalid value "fancy" for --style. Choose from: "detailed", '),
        (["--sort_regions_by", "size", "colour"], 'Invalid value "colour" for --sort_regions_by.'),
        (["--sz_region", "2M", "1M"], "--sz_region 2097152 1048576 keeps nothing: the smaller "),
        (["--address", "2M", "1M"], "--address 2097152 1048576 keeps nothing: the smaller "),
        (["--access_rate", "5%"], 'Command "report access" parameter --access_rate requires 2 '),
        (["--age", "young", "old"], "Invalid value for --age: 'young' is not a time; "),
        (["--percentiles_range", "0", "200", "50"], "[0, 200, 50] are no percentiles; "),
        (["--hist_ranges", "x"], "Invalid value for --hist_ranges: 'x' is not a number; "),
        (["--temperature_weights", "a", "b", "c"], "Invalid value for --temperature_weights: "),
    ],
)
def test_bad_input_is_one_line(cli: Cli, stairs: Path, words: list[str], line: str) -> None:
    """Whatever cannot be is refused with one line and code 2."""
    outcome = cli("report", "access", "-i", stairs, *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")
