"""Real damo reads what the command line writes, and prints the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

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


@pytest.fixture(scope="module")
def damo() -> str:
    """Return real damo, which asks file(1) what a record is; skip without them."""
    found = shutil.which("damo", path=sysconfig.get_path("scripts"))
    if found is None or shutil.which("file") is None:
        pytest.skip("needs damo 3.4.3 (extra 'test') and file(1)")
    return found


def run_damo(damo: str, *words: str) -> str:
    """Return what damo prints, without colours."""
    done = subprocess.run([damo, *words], capture_output=True, text=True, check=True)
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


@pytest.mark.parametrize("words", REPORTS, ids=" ".join)
def test_reports_are_the_same(damo: str, cli: Cli, stairs: Path, words: list[str]) -> None:
    """Of a record of ours, damo's report and ours are equal to the character."""
    theirs = run_damo(damo, "report", *words, "-i", str(stairs))
    ours = cli("report", *words, "-i", stairs)

    assert ours.code == 0
    assert ours.out.rstrip("\n") == theirs.rstrip("\n")


@pytest.mark.parametrize("form", ["json_compressed", "perf_script"])
def test_forms_are_read(damo: str, cli: Cli, form: str) -> None:
    """Real damo reads both forms, to the same working set."""
    cli("record", "stairs:size=64M,steps=4,step=1s", "--timeout", 6, "--output_type", form)

    theirs = run_damo(damo, "report", "wss", "-i", "damon.data")
    ours = cli("report", "wss").out

    assert ours.rstrip("\n") == theirs.rstrip("\n")


def test_damo_finds_the_record_valid(damo: str, stairs: Path) -> None:
    """The check of lengths, counts and order that damo has passes."""
    words = ["--input", str(stairs), "--aggr", "75000", "125000", "--nr_regions", "3", "1200"]

    run_damo(damo, "validate", *words, "--nr_accesses", "0", "24")


def test_damo_takes_the_parameters(damo: str, cli: Cli) -> None:
    """What lies beside a record is what damo writes for the same options."""
    words = ["--ops", "paddr", "--regions", "4G-5G", "--monitoring_intervals", "1ms", "20ms", "2s"]
    more = ["--monitoring_nr_regions_range", "20", "200"]
    cli("record", "uniform:layout=flat", "--timeout", 1, *words, *more)
    Path("damo.json").write_text(run_damo(damo, "args", "damon", *words, *more, "--format", "json"))

    outcome = cli(
        "record", "uniform:layout=flat", "--timeout", 1, "--kdamonds", "damo.json", "-o", "y"
    )

    assert outcome.code == 0
    assert Path("y.kdamonds").read_text() == Path("damon.data.kdamonds").read_text()
    assert Path("y").read_bytes() == Path("damon.data").read_bytes()


def test_demo_is_read(damo: str, cli: Cli) -> None:
    """Real damo shows the record that the demo leaves."""
    words = cli("demo").out.partition("  damo ")[2].split("   ")[0].split()

    for report in (words[1:], ["access", "-i", "damon.data"], ["wss", "-i", "damon.data"]):
        assert run_damo(damo, "report", *report)
