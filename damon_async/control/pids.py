"""Process ids of kdamonds, which are tasks and have none."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final, TypeAlias

from ..engine.kdamond import Kdamond

FIRST_PID: Final = 2**22 + 1
"""No process of a real Linux has it."""

PidOf: TypeAlias = Callable[[Kdamond], int]
"""Returns the process id to be shown for a kdamond; asked once, when that was started."""


class Pids:
    """
    Numbers kdamonds in the order in which they are asked for.

    Trees and modules on one engine share one, so that no two kdamonds have the same
    number. Where real processes stand in for kdamonds, their owner takes its place.
    """

    def __init__(self) -> None:
        self._numbers = count(FIRST_PID)

    def __call__(self, kdamond: Kdamond) -> int:
        """Return the next number."""
        del kdamond
        return next(self._numbers)
