"""Sentences that several commands print."""

from __future__ import annotations

import pytest

from damon_async.cli.text import own_command, rounded_time, say, speed


def test_command_on_the_path() -> None:
    """Where the plain name finds the program, it is what to type."""
    assert own_command("/usr/bin/damon-async", is_on_path=True) == "damon-async"


def test_command_off_the_path(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does not, the way there from here is what to type."""
    monkeypatch.chdir(str(tmp_path))
    program = f"{tmp_path}/.venv/bin/damon-async"
    assert own_command(program, is_on_path=False) == ".venv/bin/damon-async"


def test_command_that_is_a_module() -> None:
    """Started in another way, the plain name is the best there is to say."""
    assert own_command("/x/damon_async/__main__.py", is_on_path=False) == "damon-async"


def test_time_is_rounded() -> None:
    """Of seconds, what follows the milliseconds is left out."""
    assert rounded_time(1_234_567) == "1.235 s"
    assert rounded_time(1_234) == "1.234 ms"


def test_speed_of_no_time() -> None:
    """A run too short for the clock does not divide by zero."""
    assert speed(1_000_000, 0.0) == "1,000,000"


def test_lines_say_who_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no data goes to stderr, with the program's name in front."""
    say("done")
    assert capsys.readouterr().err == "damon-async: done\n"
