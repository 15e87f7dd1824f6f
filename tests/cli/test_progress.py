"""How far a run is, on stderr."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from damon_async.cli.progress import RunProgress


class Wall:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def wall() -> Wall:
    """Return a wall clock."""
    return Wall()


def make_console(*, is_terminal: bool) -> tuple[Console, io.StringIO]:
    """Return a console and what is written to it."""
    written = io.StringIO()
    return Console(file=written, force_terminal=is_terminal, width=80), written


@pytest.mark.parametrize("is_terminal", [False, True])
def test_short_runs_say_nothing(wall: Wall, is_terminal: bool) -> None:
    """A run that is over within a second leaves stderr alone."""
    console, written = make_console(is_terminal=is_terminal)

    with RunProgress(60_000_000, console, "recording", wall) as progress:
        for now_us in range(0, 60_000_000, 1_000_000):
            progress.update(now_us)
        wall.now_s += 0.9
        progress.update(60_000_000)

    assert written.getvalue() == ""


def test_terminal_sees_a_bar_that_vanishes(wall: Wall) -> None:
    """After a second a terminal has a bar, and a clean line once it is over."""
    console, written = make_console(is_terminal=True)

    with RunProgress(60_000_000, console, "recording", wall) as progress:
        wall.now_s += 1
        progress.update(15_500_000)
        drawn = written.getvalue()
    erased = written.getvalue()[len(drawn) :]

    assert "recording" in drawn
    assert "15 s of 1 m" in drawn
    # Show the cursor again, and erase the bar's line.
    assert "\x1b[?25h" in erased
    assert erased.endswith("\x1b[2K")


def test_bar_says_what_is_done(wall: Wall) -> None:
    """The words of whoever runs stand before the bar, and nobody else's."""
    console, written = make_console(is_terminal=True)

    with RunProgress(60_000_000, console, "trying schemes", wall) as progress:
        wall.now_s += 1
        progress.update(1_000_000)

    assert "trying schemes" in written.getvalue()
    assert "recording" not in written.getvalue()


def test_bar_is_redrawn_ten_times_a_second_at_most(wall: Wall) -> None:
    """Updates between two drawings cost nothing."""
    console, written = make_console(is_terminal=True)

    with RunProgress(60_000_000, console, "recording", wall) as progress:
        wall.now_s += 1
        progress.update(1_000_000)
        once = written.getvalue()
        wall.now_s += 0.05
        progress.update(2_000_000)
        assert written.getvalue() == once
        wall.now_s += 0.06
        progress.update(3_000_000)
        assert "3 s of 1 m" in written.getvalue()


def test_files_see_a_line_now_and_then(wall: Wall) -> None:
    """Without a terminal there is a plain line every ten seconds."""
    console, written = make_console(is_terminal=False)

    with RunProgress(3_600_000_000, console, "recording", wall) as progress:
        for second in range(25):
            progress.update(second * 60_000_000)
            wall.now_s += 1

    assert written.getvalue().splitlines() == [
        "damon-async: 10 m of 1 h",
        "damon-async: 20 m of 1 h",
    ]


def test_unknown_end(wall: Wall) -> None:
    """A run without an end says how far it is, and no more."""
    console, written = make_console(is_terminal=False)

    with RunProgress(None, console, "recording", wall) as progress:
        wall.now_s += 10
        progress.update(7_000_000)

    assert written.getvalue() == "damon-async: 7 s\n"
