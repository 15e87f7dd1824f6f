"""Real damo reads what the command line writes, and prints the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Damo

REPORTS = (
    ["heatmap"],
    ["heatmap", "--resol", "6", "40", "--time_range", "0", "3000000000"],
    ["heatmap", "--output", "raw", "--resol", "2", "3"],
    ["heatmap", "--guide"],
    ["wss"],
    ["wss", "--range", "0", "101", "10", "--raw_number"],
    ["nr_regions"],
    ["record_info"],
    ["access"],
    ["access", "--raw_form"],
    ["access", "--style", "simple-boxes"],
    ["access", "--style", "temperature-percentiles", "--snapshot_idx", "3", "7"],
)


@pytest.mark.parametrize("words", REPORTS, ids=" ".join)
def test_reports_are_the_same(damo: Damo, cli: Cli, stairs: Path, words: list[str]) -> None:
    """Of a record of ours, damo's report and ours are equal to the character."""
    theirs = damo("report", *words, "-i", str(stairs))
    ours = cli("report", *words, "-i", stairs)

    assert ours.code == 0
    assert ours.out.rstrip("\n") == theirs.rstrip("\n")


@pytest.mark.parametrize("form", ["json_compressed", "perf_script"])
def test_forms_are_read(damo: Damo, cli: Cli, form: str) -> None:
    """Real damo reads both forms, to the same working set."""
    cli("record", "stairs:size=64M,steps=4,step=1s", "--timeout", 6, "--output_type", form)

    theirs = damo("report", "wss", "-i", "damon.data")
    ours = cli("report", "wss").out

    assert ours.rstrip("\n") == theirs.rstrip("\n")


def test_damo_finds_the_record_valid(damo: Damo, stairs: Path) -> None:
    """The check of lengths, counts and order that damo has passes."""
    words = ["--input", str(stairs), "--aggr", "75000", "125000", "--nr_regions", "3", "1200"]

    damo("validate", *words, "--nr_accesses", "0", "24")


def test_damo_takes_the_parameters(damo: Damo, cli: Cli) -> None:
    """What lies beside a record is what damo writes for the same options."""
    words = ["--ops", "paddr", "--regions", "4G-5G", "--monitoring_intervals", "1ms", "20ms", "2s"]
    more = ["--monitoring_nr_regions_range", "20", "200"]
    cli("record", "uniform:layout=flat", "--timeout", 1, *words, *more)
    Path("damo.json").write_text(damo("args", "damon", *words, *more, "--format", "json"))

    outcome = cli(
        "record", "uniform:layout=flat", "--timeout", 1, "--kdamonds", "damo.json", "-o", "y"
    )

    assert outcome.code == 0
    assert Path("y.kdamonds").read_text() == Path("damon.data.kdamonds").read_text()
    assert Path("y").read_bytes() == Path("damon.data").read_bytes()
