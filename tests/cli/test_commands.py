"""Commands that are imported when somebody calls them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from cyclopts import App

from damon_async.cli.commands import COMMANDS, GROUPS, Command, add_commands

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

HEAVY = frozenset({"numpy", "pydantic", "damon_async.engine.engine", "damon_async.control.tree"})
"""What takes long to import."""


def every_command() -> Iterator[tuple[tuple[str, ...], Command]]:
    """Yield all commands, and what is typed to call each."""
    for command in COMMANDS:
        yield (command.name,), command
    for group in GROUPS:
        for command in group.members:
            yield (group.name, command.name), command


ALL = list(every_command())
NAMES = [" ".join(words) for words, _ in ALL]


def function_of(command: Command) -> Callable[..., object]:
    """Return the function that a command is."""
    file, _, name = command.place.partition(":")
    found: Callable[..., object] = getattr(import_module(f"damon_async.cli.{file}"), name)
    return found


def imported_by(*words: str) -> frozenset[str]:
    """Return the heavy modules that a process has imported after a command line."""
    code = (
        "import sys\n"
        "from damon_async.cli.main import main\n"
        f"main({list(words)!r})\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(("words", "command"), ALL, ids=NAMES)
def test_summary_is_the_first_sentence(words: tuple[str, ...], command: Command) -> None:
    """What lists say about a command is how its own help begins."""
    text = function_of(command).__doc__ or ""

    assert words[-1] == command.name
    assert " ".join(text.strip().split("\n\n")[0].split()) == command.summary


@pytest.mark.parametrize(("words", "command"), ALL, ids=NAMES)
def test_own_help_is_whole(cli: Cli, words: tuple[str, ...], command: Command) -> None:
    """The page of a command holds all of its text and its options, not the summary alone."""
    page = " ".join(cli(*words, "--help").out.split())
    paragraphs = (function_of(command).__doc__ or "").split("Args:")[0].split("\n\n")

    for paragraph in paragraphs:
        # Marks of the format are not printed.
        assert " ".join(paragraph.replace("`", "").split()) in page
    assert "Every command" in page


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_groups_are_told_apart(cli: Cli, group: object) -> None:
    """A group lists its own commands; without a word it says what it is for."""
    name, summary, members = (getattr(group, each) for each in ("name", "summary", "members"))
    page = " ".join(cli(name).out.replace("│", " ").split())

    assert summary in page
    for command in members:
        assert command.summary in page


def test_own_options_stand_by_themselves(cli: Cli) -> None:
    """Options of a command without a group are not mixed with those of all commands."""
    lines = cli("demo", "--help").out.splitlines()

    (own,) = (number for number, line in enumerate(lines) if "--out -o" in line)
    (common,) = (number for number, line in enumerate(lines) if "Every command" in line)
    assert own < common


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["report"], ["tree", "--help"]])
def test_lists_import_next_to_nothing(words: list[str]) -> None:
    """Who asks which commands there are waits for none of them."""
    assert imported_by(*words) == set()


def test_commands_import_their_own_needs() -> None:
    """A command that monitors nothing brings no engine."""
    assert "damon_async.engine.engine" not in imported_by("workloads")
    assert "damon_async.engine.engine" not in imported_by("report", "wss", "--help")


def test_all_words_are_commands() -> None:
    """An application has every command of the table, the second words in their groups."""
    app = App()
    add_commands(app, [])

    assert {words[0] for words, _ in ALL} <= set(app)
    for group in GROUPS:
        assert {command.name for command in group.members} <= set(app[group.name])
