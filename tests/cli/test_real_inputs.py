"""Real traces and recordings, end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from damon_async.records.files import read_records

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def traces(shared: Path) -> Path:
    """Return the folder of real traces."""
    return shared / "traces"


def median_wss(cli: Cli, *words: object) -> int:
    """Return the median of the estimated working set, in bytes."""
    lines = cli("report", "wss", "--raw_number", *words).out.splitlines()
    (row,) = [line.split() for line in lines if line.split()[0] == "50"]
    return int(row[1])


def test_stairs_are_seen(cli: Cli, traces: Path) -> None:
    """After ten seconds of noise the ten steps go down, one every five seconds."""
    outcome = cli("record", "--workload", traces / "masim/stairs.cfg", "-o", "damon.data")
    words = ["--resol", 10, 60, "--time_range", "10s", "1 m", "--stdout_skip_colorset_example"]
    rows = cli("report", "heatmap", "-i", "damon.data", *words).out.splitlines()[:10]

    assert outcome.code == 0
    hottest = [
        max(range(10), key=lambda step: sum(map(int, row[step * 6 : step * 6 + 6]))) for row in rows
    ]
    assert hottest == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_working_set_of_stairs(cli: Cli, traces: Path) -> None:
    """The median working set is within a tenth of the truth, and of damo's own bounds."""
    cli("record", traces / "masim/stairs.cfg")

    overall = json.loads(cli("report", "accuracy", "--json", "--every", 5).out)["overall"]

    assert abs(overall["median_wss_error"]) < 0.1
    assert 9_000_000 <= median_wss(cli) <= 11_000_000


@pytest.mark.parametrize(
    "name", ["default", "demo.cfg", "hint_test", "mem_perf.cfg", "stairs_30secs.cfg"]
)
def test_all_configurations(cli: Cli, traces: Path, name: str) -> None:
    """Every masim configuration is recorded to its end."""
    outcome = cli("record", traces / "masim" / name, "-s", "20ms", "-a", "400ms")

    assert outcome.code == 0
    assert read_records("damon.data")[0].snapshots


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("spec/swim.trace.gz", []),
        ("spec/gzip.trace.gz", ["-s", "20ms", "-a", "400ms"]),
        ("spec/twolf.trace.gz", ["-s", "20ms", "-a", "400ms"]),
        ("cloudphysics/cloudPhysicsIO.csv.xz", ["-s", "1s", "-a", "20s", "-u", "60s"]),
        ("mooncake/conversation.jsonl.xz", ["-s", "1s", "-a", "20s", "-u", "60s"]),
        ("damo/damon.data", ["-s", "20ms", "-a", "400ms"]),
    ],
)
def test_replay(cli: Cli, traces: Path, name: str, words: list[str]) -> None:
    """A real trace is monitored to its end, reported, and compared with its truth."""
    recorded = cli("record", traces / name, *words)
    overall = json.loads(cli("report", "accuracy", "--json", "--every", 20).out)["overall"]

    assert recorded.code == 0
    assert "times real time" in recorded.err
    assert cli("report", "heatmap").code == 0
    assert set(overall) == {"precision", "recall", "median_wss_error"}


@pytest.mark.parametrize("name", ["access", "heatmap", "wss", "nr_regions", "record_info"])
@pytest.mark.parametrize("record", ["damon.data", "damon.data.snapshot.nofilter"])
def test_reports_of_a_real_recording(cli: Cli, traces: Path, name: str, record: str) -> None:
    """Recordings of a real kernel are reported like ours."""
    outcome = cli("report", name, "-i", traces / "damo" / record)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out


def test_recording_is_replayed_faithfully(cli: Cli, traces: Path) -> None:
    """A real recording that is monitored again has the same working set."""
    recording = traces / "damo/damon.data"
    cli("record", recording)

    assert median_wss(cli) == pytest.approx(median_wss(cli, "-i", recording), rel=0.1)
