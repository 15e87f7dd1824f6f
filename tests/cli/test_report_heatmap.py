"""`damon-async report heatmap`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from damon_async.cli.report_ranges import address_range_of, time_range_of
from damon_async.errors import InvalidError
from damon_async.reports.heatmap import Base, BasedRange

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def hottest_columns(text: str) -> list[int]:
    """Return for each row of digits in which quarter most of its heat is."""
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    quarters = []
    for row in rows:
        step = len(row) // 4
        heats = [sum(map(int, row[i * step : (i + 1) * step])) for i in range(4)]
        quarters.append(heats.index(max(heats)))
    return quarters


def test_stairs_are_seen(cli: Cli, stairs: Path) -> None:
    """In six seconds the heat climbs four steps and begins again."""
    words = ["--resol", "6", "40", "--time_range", "0", "6s"]
    out = cli("report", "heatmap", "-i", stairs, *words).out

    assert hottest_columns(out) == [0, 1, 2, 3, 0, 1]


def test_usual_size(cli: Cli, stairs: Path) -> None:
    """Text has 40 rows of 80 columns and four lines that explain it."""
    lines = cli("report", "heatmap", "-i", stairs).out.splitlines()

    assert [len(line) for line in lines[:40]] == [80] * 40
    assert [line.split(":")[0] for line in lines[40:]] == [
        "# access_frequency",
        "# x-axis",
        "# y-axis",
        "# resolution",
    ]


def test_raw(cli: Cli, stairs: Path) -> None:
    """Raw output is a line per cell, counted from the corner or from zero."""
    words = ["report", "heatmap", "-i", stairs, "--output", "raw", "--resol", 2, 3]
    lines = [line.split("\t") for line in cli(*words).out.splitlines()]
    absolute = [line.split("\t") for line in cli(*words, "--abs_addr").out.splitlines()]

    assert len(lines) == 6
    assert lines[0][:2] == ["0", "0"]
    assert int(absolute[0][1]) > 2**46


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "jpg"])
def test_pictures(cli: Cli, stairs: Path, ending: str) -> None:
    """The ending of the name chooses what kind of picture it is."""
    outcome = cli("report", "heatmap", "-i", stairs, "--output", f"x.{ending}", "--resol", 20, 20)

    head = Path(f"x.{ending}").read_bytes()[:200]
    marks = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF", "jpg": b"\xff\xd8"}
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert marks[ending] in head
    assert [each.name for each in Path().iterdir()] == [f"x.{ending}"]


def test_guides(cli: Cli, stairs: Path) -> None:
    """A guide tells what there is to draw, plainly or with units."""
    plain = cli("report", "heatmap", "-i", stairs, "--guide").out
    human = cli("report", "heatmap", "-i", stairs, "--guide_human").out

    assert "(67108864)" in plain
    assert "(64.000 MiB)" in human


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["--address_range", "0", "16M", "guided"], "(16.000 MiB)"),
        (["--time_range", "1s", "3s"], "time [1 s, 3 s) (2 s)"),
        (["--time_range", "-2000000000", "0", "guided_end"], "time [4 s, 6 s) (2 s)"),
        (["--draw_range", "all"], "(307.969 KiB)"),
        (["--resol", "2", "4"], "# resolution: 4x2 "),
        (["--tid", "0", "--kdamond_idx", "0", "--context_idx", "0"], "# resolution: 80x40 "),
    ],
)
def test_what_is_drawn(cli: Cli, stairs: Path, words: list[str], seen: str) -> None:
    """Times, addresses, cells and records are chosen by options."""
    outcome = cli("report", "heatmap", "-i", stairs, *words)

    assert outcome.code == 0
    assert seen in outcome.out


def test_targets_are_chosen(cli: Cli, pair: Path) -> None:
    """Each target has a map of its own."""
    first = cli("report", "heatmap", "-i", pair, "--tid", 0).out
    second = cli("report", "heatmap", "-i", pair, "--tid", 1).out

    assert "(16.000 MiB)" in first
    assert "(1024.000 MiB)" in second


def test_legend_can_be_left_out(cli: Cli, stairs: Path) -> None:
    """The line of sample digits is optional."""
    out = cli("report", "heatmap", "-i", stairs, "--stdout_skip_colorset_example").out

    assert "access_frequency" not in out
    assert "# x-axis" in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--output", "x.gif"], "cannot draw x.gif; its name should end in png, "),
        (["--output", "missing/x.png"], "cannot write missing/x.png: "),
        (["--output", "picture"], "cannot draw picture; its name should end in png, "),
        (["--tid", "7"], "no record of target_id 7; there is: kdamond 0, context 0, "),
        (["--tid", "x"], "Invalid value for --tid: 'x' is not a number; "),
        (["--resol", "0", "80"], "a heatmap of 0 x 80 cells cannot be drawn; "),
        (["--resol", "40"], 'Command "report heatmap" parameter --resol requires 2 '),
        (["--time_range", "1s"], 'Command "report heatmap" parameter --time_range '),
        (["--time_range", "1s", "soon"], "--time_range: 'soon' is not a time; "),
        (["--time_range", "3s", "1s"], "--time_range 3s 1s is empty: the smaller comes first"),
        (["--address_range", "0", "4k"], "--address_range: '4k' is not a size; "),
        (["--address_range", "0", "4K", "there"], "--address_range: 'there' is no base; use "),
        (["--draw_range", "some"], 'Invalid value "some" for --draw_range. Choose from: '),
        (["--stdout_colorset", "pink"], 'Invalid value "pink" for --stdout_colorset. '),
    ],
)
def test_bad_input_is_one_line(cli: Cli, stairs: Path, words: list[str], line: str) -> None:
    """Whatever cannot be is refused with one line and code 2, and leaves no file."""
    outcome = cli("report", "heatmap", "-i", stairs, *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], None),
        (["1s", "2s"], BasedRange(10**9, 2 * 10**9)),
        (["5", "7", "absolute"], BasedRange(5, 7)),
        (["-1 m", "-5", "guided_end"], BasedRange(-60 * 10**9, -5, Base.GUIDED_END)),
    ],
)
def test_time_ranges(words: list[str], expected: BasedRange | None) -> None:
    """Bare numbers are nanoseconds; ends may lie before what they count from."""
    assert time_range_of(words) == expected


def test_address_ranges() -> None:
    """Sizes of damo's text forms, from zero or from the hottest range."""
    assert address_range_of(["4K", "1M"]) == BasedRange(4096, 2**20)
    assert address_range_of(["0", "1M", "guided"]) == BasedRange(0, 2**20, Base.GUIDED)
    with pytest.raises(InvalidError, match=r"^--address_range 1M 1M is empty"):
        address_range_of(["1M", "1M"])
