"""`damon-async demo`, the newcomer's one command."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from damon_async.cli import main as entry
from damon_async.records.files import read_records
from damon_async.records.side_files import read_workloads

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Damo

HEAT = {".": 0.0} | {str(level): 2.0**level for level in range(10)}
"""What a cell stands for, as a number that can be added up."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the demo leaves its record."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    """Return what the demo prints."""
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        assert entry.main(["demo"]) == 0
    structlog.reset_defaults()
    return printed.getvalue()


@pytest.fixture(scope="module")
def scenes(told: str) -> list[str]:
    """Return what it prints of each scene, without introduction and end."""
    return re.split(r"^\d\. .*\n=+$", told, flags=re.MULTILINE)[1:]


def maps(scene: str) -> list[tuple[str, str]]:
    """Return the rows of a scene's heatmaps: estimate and truth."""
    return re.findall(r"^([.\d]{38}) \| ([.\d]{38})$", scene, re.MULTILINE)


def share(scene: str, name: str) -> int:
    """Return a figure of a scene, in percent."""
    found = re.search(rf"(\d+)% of .*\({name}\)", scene)
    assert found is not None
    return int(found[1])


def test_fits_an_ordinary_terminal(told: str) -> None:
    """No line is longer than 80 columns."""
    assert max(map(len, told.splitlines())) <= 80


def test_has_two_scenes(scenes: list[str]) -> None:
    """A real program and a pattern, each with two heatmaps, working set, figures and speed."""
    assert len(scenes) == 2
    for scene in scenes:
        assert "what DAMON says" in scene
        assert len(maps(scene)) >= 10
        assert len(re.findall(r"^  (?:DAMON says|truth) +.*iB$", scene, re.MULTILINE)) == 2
        assert re.search(r"looked at \d+ of [\d,]+ pages at a time", scene)
        assert re.search(r"[\d,]+ times faster than real time", scene)


def test_program_is_recognised(scenes: list[str]) -> None:
    """Most of what is said to be hot is, and most of what is hot is found."""
    assert share(scenes[0], "precision") >= 70
    assert share(scenes[0], "recall") >= 70


def test_pattern_is_recognised(scenes: list[str]) -> None:
    """Of a clear pattern nearly everything is right."""
    assert share(scenes[1], "precision") >= 90
    assert share(scenes[1], "recall") >= 90


def test_zigzag_is_seen(scenes: list[str]) -> None:
    """The hottest cells go up and come back, in the estimate as in the truth."""
    for side in (0, 1):
        places = []
        for row in maps(scenes[1]):
            heats = [HEAT[cell] for cell in row[side]]
            middle = sum(place * heat for place, heat in enumerate(heats)) / sum(heats)
            places.append(round(middle))
        assert places[:8] == sorted(places[:8])
        assert places[7:] == sorted(places[7:], reverse=True)
        assert places[7] - places[0] > 25


def test_maps_of_the_program_agree(scenes: list[str]) -> None:
    """Where one heatmap is hottest, the other one is hot too."""
    rows = maps(scenes[0])
    agreed = [
        HEAT[estimate[truth.index(max(truth))]] > 0 for estimate, truth in rows if max(truth) > "4"
    ]

    assert sum(agreed) > 0.8 * len(agreed)


def test_leaves_a_record(told: str, folder: Path) -> None:
    """The record of the program lies there, and says what it is of."""
    (record,) = read_records(folder / "damon.data")

    assert len(record.snapshots) == 200
    assert read_workloads(folder / "damon.data")[0].spec.endswith("sqlite.trace.xz")
    assert "damon.data holds the record" in told


def test_real_damo_reads_it(damo: Damo, told: str, folder: Path) -> None:
    """Real damo shows the heap that the demo suggests to look at, and the working set."""
    suggestion = next(line for line in told.splitlines() if line.startswith("  damo "))
    words = shlex.split(suggestion.split("   (")[0])[1:]
    record = str(folder / "damon.data")

    heatmap = damo(*(record if word == "damon.data" else word for word in words))

    assert "# x-axis: space [64.000000 MiB, " in heatmap
    assert "# target_id" in damo("report", "wss", "-i", record)


def test_suggestions_work(
    told: str, folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the demo suggests can be typed as it stands."""
    monkeypatch.chdir(folder)
    lines = [line.strip() for line in told.splitlines() if line.startswith("  damon-async ")]
    commands = [shlex.split(line.partition(" | ")[0])[1:] for line in lines]

    assert len(commands) >= 4
    for words in commands:
        # One of them draws every snapshot; a few are as good.
        few = ["--every", "40"] if "accuracy" in words else []
        assert cli(*words, *few).code == 0


def test_other_name(cli: Cli) -> None:
    """The record goes where it is asked for, and the suggestions name it."""
    outcome = cli("demo", "-o", "other.data")

    assert outcome.code == 0
    assert Path("other.data").exists()
    assert "report access -i other.data" in outcome.out


def test_only_for_the_eye(cli: Cli, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """With a dash there is no record and no word of one; terminals see the digits in colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")

    outcome = cli("demo", "-o", "-")

    plain = re.sub(r"\x1b\[[0-9;]*m", "", outcome.out)
    assert outcome.code == 0
    assert not list(Path().iterdir())
    assert "holds the record" not in plain
    assert "\x1b[48;5;" in outcome.out
    assert maps(plain) == maps(told)


def test_impossible_place(cli: Cli) -> None:
    """A record that cannot be written is one line, before anything runs."""
    outcome = cli("demo", "-o", "missing/x.data")

    assert outcome.code == 2
    assert outcome.line.startswith("damon-async: cannot write missing/x.data: ")
