"""`damon-async report wss`, `nr_regions` and `record_info`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PNG = b"\x89PNG"


def rows(text: str) -> dict[str, list[str]]:
    """Return the words behind the percentile of each line."""
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {first: rest for first, *rest in lines}


def test_working_set_of_stairs(cli: Cli, stairs: Path) -> None:
    """A quarter of 64 MiB is in use; the median says so within a tenth."""
    out = cli("report", "wss", "-i", stairs, "--raw_number").out

    table = rows(out)
    assert list(table) == ["0", "25", "50", "75", "100"]
    assert int(table["50"][0]) == pytest.approx(16 * 2**20, rel=0.1)


@pytest.mark.parametrize(
    ("words", "percentiles"),
    [
        (["--range", "0", "101", "50"], ["0", "50", "100"]),
        (["-r", "90", "100", "3"], ["90", "93", "96", "99"]),
    ],
)
@pytest.mark.parametrize("name", ["wss", "nr_regions"])
def test_percentiles(
    cli: Cli, stairs: Path, name: str, words: list[str], percentiles: list[str]
) -> None:
    """The percentiles that are asked for are shown."""
    assert list(rows(cli("report", name, "-i", stairs, *words).out)) == percentiles


def test_options_of_wss(cli: Cli, stairs: Path) -> None:
    """Each option changes what the report says."""
    usual = cli("report", "wss", "-i", stairs).out

    for words in (
        ["--exclude_samples", "0"],
        ["--acc_thres", "20"],
        ["-t", "20"],
        ["--sz_thres", "16M"],
        ["--work_time", "1s"],
        ["--sortby", "time"],
        ["-s", "time"],
        ["--nr_cols_bar", "0"],
        ["--raw_number"],
        ["--all_wss"],
    ):
        changed = cli("report", "wss", "-i", stairs, *words)
        assert changed.code == 0
        assert changed.out != usual, words


def test_targets_apart(cli: Cli, pair: Path) -> None:
    """Targets are told together, or each by itself."""
    together = cli("report", "wss", "-i", pair).out
    apart = cli("report", "wss", "-i", pair, "--per_target").out

    assert together.count("# target_id") == 1
    assert apart.count("# target_id") == 2


@pytest.mark.parametrize("name", ["wss", "nr_regions"])
@pytest.mark.parametrize("option", ["--plot", "-p"])
def test_picture(cli: Cli, stairs: Path, name: str, option: str) -> None:
    """A picture replaces the text."""
    outcome = cli("report", name, "-i", stairs, option, "x.png")

    assert (outcome.code, outcome.out) == (0, "")
    assert Path("x.png").read_bytes().startswith(PNG)


def test_bounds_of_region_counts(cli: Cli, stairs: Path) -> None:
    """There are never fewer regions than asked for, nor more."""
    numbers = [int(row[0]) for row in rows(cli("report", "nr_regions", "-i", stairs).out).values()]

    assert numbers == sorted(numbers)
    assert all(10 <= number <= 1000 for number in numbers)


def test_record_info(cli: Cli, stairs: Path) -> None:
    """Whose record it is, when it was made, and the three ranges of the process."""
    out = cli("report", "record_info", "-i", stairs).out
    raw = cli("report", "record_info", "-i", stairs, "--raw_numbers").out

    assert "target_id: 0\ntime: [" in out
    assert out.count("region\t") == 3
    assert "(64.000 MiB)" in out
    assert "(67108864)" in raw


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["wss", "--range", "0", "200", "25"], "0 200 25 are no percentiles; give START STOP STEP"),
        (["nr_regions", "--range", "0", "50", "0"], "0 50 0 are no percentiles"),
        (["wss", "--range", "0", "50"], 'Command "report wss" parameter --range requires 3 '),
        (["wss", "--range", "a", "b", "c"], "Invalid value for --range: 'a' is not a number"),
        (["wss", "--sz_thres", "4k"], "Invalid value for --sz_thres: '4k' is not a size; "),
        (["wss", "--sortby", "colour"], 'Invalid value "colour" for --sortby. Choose from: '),
        (["wss", "-p", "x.gif"], "cannot draw x.gif; its name should end in png, "),
        (["wss", "-p", "missing/x.png"], "cannot write missing/x.png: "),
        (["nr_regions", "-p", "x"], "cannot draw x; its name should end in png, "),
    ],
)
def test_bad_input_is_one_line(cli: Cli, stairs: Path, words: list[str], line: str) -> None:
    """Whatever cannot be is refused with one line and code 2."""
    outcome = cli("report", *words, "-i", stairs)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")
    assert not list(Path().iterdir())
