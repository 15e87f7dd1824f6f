"""Which commands there are, and what all of them take."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
import structlog

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

REPORTS = ("access", "accuracy", "heatmap", "nr_regions", "record_info", "wss")
COMMANDS = (
    ("demo",),
    ("record",),
    ("report",),
    *(("report", name) for name in REPORTS),
    ("workloads",),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help(cli: Cli, words: tuple[str, ...], flag: str) -> None:
    """Help says how to call a command and what it is for, on stdout, in 80 columns."""
    outcome = cli(*words, flag)

    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert lines[0].startswith(f"Usage: damon-async {' '.join(words)} ")
    assert lines[2].strip()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("words", [each for each in COMMANDS if each != ("report",)], ids=" ".join)
def test_every_option_is_explained(cli: Cli, words: tuple[str, ...]) -> None:
    """No option stands there without a word, and its name is in one piece."""
    rows = [line.strip("│ ") for line in cli(*words, "--help").out.splitlines() if "│ --" in line]

    assert rows
    for row in rows:
        name, _, text = row.partition("  ")
        assert text.strip(), f"{name} has no text"


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_commands_are_listed(cli: Cli, words: tuple[str, ...]) -> None:
    """Without a command, the commands are listed."""
    outcome = cli(*words)

    assert outcome.code == 0
    for name in ("demo", "record", "report", "workloads", "Exit codes: "):
        assert name in outcome.out


def test_reports_are_listed(cli: Cli) -> None:
    """The group of reports lists its commands, spelled as damo spells them."""
    outcome = cli("report")

    assert outcome.code == 0
    for name in REPORTS:
        assert f"│ {name} " in outcome.out


def test_version(cli: Cli) -> None:
    """The version is that of the package."""
    outcome = cli("--version")

    assert (outcome.code, outcome.out) == (0, f"{version('damon_async')}\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["recrod"], 'Unknown command "recrod". Did you mean "record"?'),
        (["report", "heatmpa"], 'Unknown command "heatmpa". Did you mean "heatmap"?'),
        (["--frobnicate"], 'Unknown command "--frobnicate".'),
        (["workloads", "--frobnicate"], "Unknown option: --frobnicate."),
        (["workloads", "--no-debug"], "Unknown option: --no-debug."),
        (["workloads", "--log_level", "loud"], 'Invalid value "loud" for --log_level. Choose '),
    ],
)
def test_unknown_words_are_one_line(cli: Cli, words: list[str], line: str) -> None:
    """What is not understood is told in one line, with a guess where there is one."""
    outcome = cli(*words)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")


def test_common_options_stand_anywhere(cli: Cli) -> None:
    """Options of all commands may come before the command or behind it."""
    before = cli("--log_level", "error", "workloads")
    behind = cli("workloads", "--log_level", "error")

    assert before.code == behind.code == 0
    assert before.out == behind.out


@pytest.mark.parametrize(("level", "seen"), [("debug", True), ("info", True), ("warning", False)])
def test_log_level(cli: Cli, level: str, seen: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Events below the level are not printed; those above go to stderr."""
    cli("workloads", "--log_level", level)

    structlog.get_logger().info("something", number=3)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("something" in captured.err) is seen


@pytest.mark.parametrize("is_debugging", [False, True])
def test_exceptions_in_the_log(
    cli: Cli, capsys: pytest.CaptureFixture[str], is_debugging: bool
) -> None:
    """Events with exceptions are shown with --debug only: commands tell those themselves."""
    cli("workloads", *(["--debug"] if is_debugging else []))

    structlog.get_logger().error("failed", exc_info=ValueError("why"))

    captured = capsys.readouterr()
    assert ("ValueError: why" in captured.err) is is_debugging
