"""How far a long run is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .. import units
from ..engine.clock import US_PER_S

QUIET_S: Final = 1.0
"""Runs up to so many seconds are over before a bar could be read."""

REFRESH_S: Final = 0.1
"""Seconds between two drawings of the bar."""

LINE_S: Final = 10.0
"""Seconds between two lines where there is no terminal."""


class RunProgress:
    """
    Tells how far a run is; a context manager.

    Args:
        total_us: When the run will be over, in microseconds of its own clock;
            None if nobody knows.

        console: Where to tell.

        doing: What the bar says is being done.

        seconds: The wall clock.
    """

    def __init__(
        self,
        total_us: int | None,
        console: Console,
        doing: str,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total_us = total_us
        self._console = console
        self._doing = doing
        self._seconds = seconds
        self._bar: Progress | None = None
        self._task = TaskID(0)
        # Everything before this instant is too early to tell.
        self._next_s = 0.0

    def __enter__(self) -> Self:
        """Start the wall clock."""
        self._next_s = self._seconds() + (QUIET_S if self._console.is_terminal else LINE_S)
        return self

    def __exit__(self, *exc: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def update(self, now_us: int, total_us: int | None = None) -> None:
        """
        Say how far the run is; cheap, may be called often.

        Args:
            now_us: How much of it is over, in microseconds of its own clock.

            total_us: Not looked at; callers of this kind give it.
        """
        # Known from the start, and a bar whose end moves is no bar.
        del total_us
        now_s = self._seconds()
        if now_s < self._next_s:
            return
        if self._console.is_terminal:
            self._next_s = now_s + REFRESH_S
            self._draw(now_us)
        else:
            self._next_s = now_s + LINE_S
            # Plain lines, for logs of batch jobs.
            self._console.print(f"damon-async: {self._far(now_us)}", highlight=False)

    def _far(self, now_us: int) -> str:
        done = units.format_time_us(_whole_seconds(now_us))
        if self._total_us is None:
            return done
        return f"{done} of {units.format_time_us(_whole_seconds(self._total_us))}"

    def _draw(self, now_us: int) -> None:
        if self._bar is None:
            self._bar = self._start_bar()
        self._bar.update(self._task, completed=now_us, far=self._far(now_us), refresh=True)

    def _start_bar(self) -> Progress:
        # Drawn by ourselves between two snapshots: no thread beside the event loop.
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[far]}"),
            TimeRemainingColumn(),
            console=self._console,
            auto_refresh=False,
            # The summary that follows says all that the bar said.
            transient=True,
        )
        self._task = bar.add_task(self._doing, total=self._total_us, far="")
        bar.start()
        return bar


def _whole_seconds(time_us: int) -> int:
    # Fractions would flicker, and make the line jump.
    return time_us // US_PER_S * US_PER_S
