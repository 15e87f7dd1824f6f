"""Sentences that several commands print, and where they print them."""

from __future__ import annotations

import sys

from .. import units
from ..engine.clock import US_PER_S


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
