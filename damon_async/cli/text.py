"""Sentences that several commands print, and where they print them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from .. import units
from ..engine.clock import US_PER_S

PROGRAM: Final = "damon-async"
"""What it is called where it is installed."""


def say(line: str) -> None:
    """Tell the user something that is no data: a line on stderr."""
    # One write: lines of several processes must not mix.
    sys.stderr.write(f"damon-async: {line}\n")
    sys.stderr.flush()


def rounded_time(time_us: int) -> str:
    """Print a time for people: what follows the milliseconds of seconds is noise."""
    return units.format_time_us(round(time_us, -3) if time_us >= US_PER_S else time_us)


def speed(elapsed_us: int, wall_s: float) -> str:
    """Say how many times faster than real time *elapsed_us* microseconds went by."""
    # A clock that is too coarse may show no time at all.
    return units.format_number(round(elapsed_us / US_PER_S / max(wall_s, 1e-6)))


def own_command(program: str, *, is_on_path: bool) -> str:
    """
    Return what to type to run this program again from here.

    Args:
        program: How it was started: ``sys.argv[0]``.

        is_on_path: Whether the plain name would find it.
    """
    # `make demo` runs it out of a virtual environment that is not active.
    if is_on_path or Path(program).name != PROGRAM:
        return PROGRAM
    return os.path.relpath(program)
