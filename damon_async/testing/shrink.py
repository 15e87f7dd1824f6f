"""From a tape that fails to one that fails with the fewest deviations."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from .runs import Run, leaves
from .tape import Tape

MAX_RUNS: Final = 1000
"""About how many runs may be spent on the simplest schedule that fails."""

MAX_CALLS: Final = 1_000_000
"""How many steps and callbacks; runs without an end are stopped late."""

Play = Callable[[Tape], Run]
"""Runs a scenario with a tape."""


def schedules_of(play: Play, max_deviations: int) -> Iterator[Run]:
    """
    Run every schedule with at most *max_deviations* once, those with fewer first.

    A run tells how many tasks were runnable at each of its steps, and so which
    other runs there are that differ from it later than it differs itself.

    Args:
        play: How to run.

        max_deviations: From first come, first served.
    """
    # Each run has one parent, the tape without the last deviation: so none comes twice.
    first = play(())
    yield first
    todo = deque([first] if max_deviations > 0 else [])
    while todo:
        before = todo.popleft()
        for tape in _children(before):
            run = play(tape)
            yield run
            # The last generation, by far the largest, need not be remembered.
            if len(tape) < max_deviations:
                todo.append(run)


def _children(before: Run) -> Iterator[Tape]:
    """List the tapes with one more deviation, after the last one."""
    begin = before.tape[-1][0] + 1 if before.tape else 0
    for step in range(begin, len(before.widths)):
        for overtaken in range(1, before.widths[step]):
            yield (*before.tape, (step, overtaken))


class Shrinker:
    """
    Looks for smaller tapes that fail in the same way.

    Args:
        play: How to run.

        failed: The run to begin with.

        max_runs: After how many runs to be content.

        max_calls: After how many steps and callbacks of all runs together.

    Attributes:
        best: The failed run with the fewest deviations so far.
    """

    def __init__(
        self, play: Play, failed: Run, max_runs: int = MAX_RUNS, max_calls: int = MAX_CALLS
    ) -> None:
        self._play = play
        self._nr_runs_left = max_runs
        self._nr_calls_left = max_calls
        self.best = failed

    def shrink(self) -> Run:
        """
        Return a failed run none of whose deviations can be left out.

        If the limits allow, there is none with fewer deviations at all.
        """
        self._leave_out()
        if self.best.tape:
            self._search()
        return self.best

    def _fails(self, tape: Tape) -> bool:
        """Tell whether *tape* fails too; if it is smaller, it is the best now."""
        return not self._is_content and self._keep(self._play(tape))

    @property
    def _is_content(self) -> bool:
        return self._nr_runs_left <= 0 or self._nr_calls_left <= 0

    def _keep(self, run: Run) -> bool:
        """Take note of *run*; tell whether it is the best now."""
        self._nr_runs_left -= 1
        self._nr_calls_left -= run.nr_calls
        is_same = _kinds(run.error) == _kinds(self.best.error)
        # A tape may turn out otherwise than it says, if fewer tasks are runnable.
        if is_same and _size(run.tape) < _size(self.best.tape):
            self.best = run
            return True
        return False

    def _leave_out(self) -> None:
        """Leave out halves, quarters and at last single deviations, until none can be."""
        size = len(self.best.tape)
        while size := min(size, len(self.best.tape)):
            # Large parts first: most deviations of a restless schedule do not matter.
            if not self._leave_out_any(size):
                size //= 2

    def _leave_out_any(self, size: int) -> bool:
        """Try to leave out *size* neighbouring deviations."""
        tape = self.best.tape
        # From the end: what is left out there changes nothing before it.
        starts = range(len(tape) - size, -1, -size)
        return any(self._fails(tape[:start] + tape[start + size :]) for start in starts)

    def _search(self) -> None:
        """Look through all schedules with fewer deviations, as far as the limits go."""
        for run in schedules_of(self._play, len(self.best.tape) - 1):
            if self._keep(run) or self._is_content:
                return


def _kinds(error: BaseException | None) -> frozenset[type]:
    """Return what kinds of errors are in *error*; how many tasks had them does not matter."""
    return frozenset() if error is None else frozenset(map(type, leaves(error)))


def _size(tape: Tape) -> tuple[int, int]:
    """Order tapes by number of deviations, then by how many tasks are overtaken."""
    return len(tape), sum(overtaken for _, overtaken in tape)
