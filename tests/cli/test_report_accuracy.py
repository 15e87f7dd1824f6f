"""`damon-async report accuracy`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from damon_async.records.side_files import workload_path

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def figures(cli: Cli, *words: object) -> Any:
    """Return the report as JSON."""
    outcome = cli("report", "accuracy", "--json", *words)
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_stairs_are_found(cli: Cli, stairs: Path) -> None:
    """Of a simple pattern nearly all is found, and its working set is right within a tenth."""
    overall = figures(cli, "-i", stairs)["overall"]

    assert overall["precision"] > 0.9
    assert overall["recall"] > 0.9
    assert abs(overall["median_wss_error"]) < 0.1


def test_text_has_both_sides(cli: Cli, stairs: Path) -> None:
    """Heatmaps stand side by side below the figures."""
    outcome = cli("report", "accuracy", "-i", stairs, "--resol", 6, 20)

    lines = outcome.out.splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("estimate "))
    assert (outcome.code, outcome.err) == (0, "")
    assert lines[head].split() == ["estimate", "|", "truth"]
    for line in lines[head + 1 : head + 7]:
        estimate, truth = line.split(" | ")
        assert len(estimate) == len(truth) == 20
    assert "hot set, precision" in outcome.out


def test_truth_is_found_from_any_folder(cli: Cli, tmp_path: Path) -> None:
    """The file beside a record leads back to its workload, wherever it is read from."""
    Path("sub").mkdir()
    Path("two.trace").write_text("".join(f"l {0x10000 * (i % 7 + 1):#x} 9\n" for i in range(99)))
    cli("record", "two.trace,duration=4s", "-o", "sub/x.data")
    shutil.move("sub/x.data.workload", "moved")
    shutil.move("moved", "sub/x.data.workload")

    assert figures(cli, "-i", tmp_path / "sub/x.data")["nr_compared"] > 0


@pytest.mark.parametrize(
    "words", [["--seed", "1"], ["--workload", "noisy:size=64M", "--seed", "1"]]
)
def test_other_seed_is_other_truth(cli: Cli, words: list[str]) -> None:
    """With the wrong seed the truth is another, and the estimate looks worse."""
    cli("record", "noisy:size=64M,blocks=8", "--timeout", 4)
    right = figures(cli)["overall"]
    wrong = figures(cli, *words)["overall"]

    assert right["precision"] > 0.9 > wrong["precision"]


def test_workload_by_name(cli: Cli, stairs: Path) -> None:
    """Without the file beside it, the workload is named by hand."""
    shutil.copy(stairs, "x.data")

    by_hand = figures(cli, "-i", "x.data", "--workload", "stairs:size=64M,steps=4,step=1s")

    assert by_hand == figures(cli, "-i", stairs)


def test_targets_follow_each_other(cli: Cli, pair: Path) -> None:
    """Each target is compared with its own workload, all or one of them."""
    both = figures(cli, "-i", pair)
    second = figures(cli, "-i", pair, "--tid", 1)
    text = cli("report", "accuracy", "-i", pair, "--skip_heatmap").out

    assert len(both) == 2
    assert both[1] == second
    assert all(each["overall"]["recall"] > 0.8 for each in both)
    assert text.count("# accuracy of kdamond 0") == 2


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["--hot_rate", "5%"], "rate", 0.05),
        (["--every", "10"], "nr_compared", 4),
        (["--exclude_samples", "0"], "nr_compared", 60),
        ([], "nr_compared", 40),
    ],
)
def test_what_is_compared(cli: Cli, stairs: Path, words: list[str], key: str, value: float) -> None:
    """Rate, steps and beginning are chosen by options."""
    assert figures(cli, "-i", stairs, *words)[key] == value


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["--per_snapshot"], "<snapshot's end>"),
        (["--raw_number"], "16777216"),
        (["--address_range", "0", "16M", "guided"], "(16.000 MiB)"),
    ],
)
def test_layout(cli: Cli, stairs: Path, words: list[str], seen: str) -> None:
    """The layout follows its options."""
    out = cli("report", "accuracy", "-i", stairs, "--every", 5, *words).out

    assert seen in out


def test_heatmaps_can_be_left_out(cli: Cli, stairs: Path) -> None:
    """Figures alone are fine."""
    out = cli("report", "accuracy", "-i", stairs, "--every", 5, "--skip_heatmap").out

    assert "estimate " not in out.splitlines()[-1]
    assert "# resolution" not in out


def test_picture(cli: Cli, stairs: Path) -> None:
    """A picture shows the same."""
    words = ["--output", "x.png", "--every", 10, "--resol", 20, 20]
    outcome = cli("report", "accuracy", "-i", stairs, *words)

    assert (outcome.code, outcome.out) == (0, "")
    assert Path("x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--hot_rate", "0"], "a hot rate of 0 is out of range; above 0, at most 1"),
        (["--hot_rate", "200"], "a hot rate of 2 is out of range"),
        (["--hot_rate", "hot"], "Invalid value for --hot_rate: 'hot' is not a share; "),
        (["--every", "0"], "every 0th snapshot cannot be looked at; at least 1"),
        (["--tid", "9"], "there is no such target; choose one of --kdamond_idx 0 --tid 0"),
        (["--workload", "nowhere.cfg"], "no workload '"),
        (["--output", "x.gif", "--every", "20"], "cannot draw x.gif; "),
        (["--address_range", "0"], 'Command "report accuracy" parameter --address_range '),
    ],
)
def test_bad_input_is_one_line(cli: Cli, stairs: Path, words: list[str], line: str) -> None:
    """Whatever cannot be is refused with one line and code 2."""
    outcome = cli("report", "accuracy", "-i", stairs, *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")
    assert not list(Path().iterdir())


def test_without_the_file_beside(cli: Cli, stairs: Path) -> None:
    """If nothing says what was recorded, that is said, and how to name it."""
    shutil.copy(stairs, "x.data")

    assert cli("report", "accuracy", "-i", "x.data").line == (
        "damon-async: nothing beside x.data says what was recorded: "
        "there is no x.data.workload; name it with --workload"
    )


def test_file_beside_of_another_record(cli: Cli, stairs: Path, pair: Path) -> None:
    """A list of workloads that does not fit the targets is not guessed at."""
    shutil.copy(pair, "x.data")
    shutil.copy(workload_path(stairs), "x.data.workload")

    assert cli("report", "accuracy", "-i", "x.data").line.startswith(
        "damon-async: x.data.workload names 1 workloads, but x.data has 2 targets; "
    )


def test_picture_of_several_targets(cli: Cli, pair: Path) -> None:
    """A picture has room for one target."""
    outcome = cli("report", "accuracy", "-i", pair, "--output", "x.png")

    assert outcome.code == 2
    assert outcome.line == (
        "damon-async: a picture shows one target; choose one of "
        "--kdamond_idx 0 --tid 0; --kdamond_idx 0 --tid 1"
    )
