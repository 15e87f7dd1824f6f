"""
What must hold at every moment, watched from outside while a program runs.

The oracles know the rules and not the code: they keep books of their own beside
those of the engine, and say where the two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, Final, TypeVar

from ..engine.engine import Damon
from ..engine.gate import AdmissionGate
from ..engine.kdamond import Kdamond
from ..engine.life import KdamondState
from ..monitor.loop import Loop
from ..monitor.state import ContextState
from ..params.monitoring import Context
from .gate_books import GateBooks
from .region_rules import broken_merge, broken_split, broken_table
from .scheme_rules import QuotaBooks, moved_pointers

Result = TypeVar("Result")

LIVING: Final = frozenset({KdamondState.STARTING, KdamondState.RUNNING, KdamondState.STOPPING})
"""States in which a kdamond has a task."""


class OracleError(AssertionError):
    """
    Rules were broken.

    Args:
        findings: One sentence each, in the order in which they were noticed.
    """

    def __init__(self, findings: list[str]) -> None:
        super().__init__(findings)
        self.findings = findings

    def __str__(self) -> str:
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        return f"{self.findings[0]}{more}"


class Watch:
    """
    Books on all gates, monitors and engines that are used while ``watching``.

    Attributes:
        findings: What was wrong, one sentence each.
    """

    def __init__(self) -> None:
        self.findings: list[str] = []
        self._gates: dict[int, GateBooks] = {}
        self._quotas = QuotaBooks(self.findings)
        self._nr_ends: dict[Kdamond, int] = {}

    def check(self) -> None:
        """
        Tell what was wrong until now.

        Raises:
            OracleError: If anything was.
        """
        if self.findings:
            raise OracleError(list(self.findings))

    def books(self, gate: AdmissionGate) -> GateBooks:
        """Return the books on *gate*, begun now if there were none."""
        # By number, as gates cannot be referred to weakly; the books keep them alive.
        books = self._gates.get(id(gate))
        if books is None:
            books = self._gates[id(gate)] = GateBooks(gate, self.findings)
        return books

    # -- What is watched -----------------------------------------------------

    def watch_gate(self, stack: ExitStack) -> None:
        """Watch who is let in, who leaves, and who waits."""

        def admit_nowait(original: Callable[..., None]) -> Callable[..., None]:
            # A refusal raises, and then nobody came.
            def watched(gate: AdmissionGate, n: int = 1, *, exclusive: bool = False) -> None:
                books = self.books(gate)
                original(gate, n, exclusive=exclusive)
                books.came(n, exclusive=exclusive)

            return watched

        def admit(original: Callable[..., Any]) -> Callable[..., Any]:
            async def watched(gate: AdmissionGate, n: int = 1, *, exclusive: bool = False) -> None:
                books = self.books(gate)
                nr_before = books.nr_looks
                await original(gate, n, exclusive=exclusive)
                # Whoever had to wait was let in by somebody who left, and counted then.
                if books.nr_looks == nr_before:
                    books.came(n, exclusive=exclusive)

            return watched

        def leave(original: Callable[..., None]) -> Callable[..., None]:
            def watched(gate: AdmissionGate, n: int = 1) -> None:
                books = self.books(gate)
                waiting = books.waiting()
                original(gate, n)
                books.left(n, waiting)

            return watched

        for name, make in {"admit_nowait": admit_nowait, "admit": admit, "leave": leave}.items():
            _replace(stack, AdmissionGate, name, make)

    def watch_monitors(self, stack: ExitStack) -> None:
        """Watch regions, ages and quotas."""
        findings = self.findings

        def merge(original: Callable[..., None]) -> Callable[..., None]:
            def watched(state: ContextState) -> None:
                # Tables are changed in place.
                before = state.table.copy()
                original(state)
                findings.extend(broken_merge(before, state.table, vars(state)["_sz_limit"]))

            return watched

        def split(original: Callable[..., None]) -> Callable[..., None]:
            def watched(state: ContextState) -> None:
                before = state.table.copy()
                original(state)
                bound = state.context.nr_regions.max
                findings.extend(broken_split(before, state.table, bound))

            return watched

        def commit(original: Callable[..., None]) -> Callable[..., None]:
            def watched(state: ContextState, context: Context, operations: object) -> None:
                # Before, because afterwards nobody knows which targets there were.
                wanted = moved_pointers(state.schemes.states, state.targets, context.targets)
                original(state, context, operations)
                self._quotas.compare_pointers(wanted)

            return watched

        def advance(original: Callable[..., bool]) -> Callable[..., bool]:
            def watched(loop: Loop, now_us: int) -> bool:
                has_more = original(loop, now_us)
                self._look_at_loop(loop)
                return has_more

            return watched

        for name, make in {"merge": merge, "_split": split, "commit": commit}.items():
            _replace(stack, ContextState, name, make)
        _replace(stack, Loop, "advance", advance)

    def _look_at_loop(self, loop: Loop) -> None:
        state: ContextState = vars(loop)["_state"]
        cells = state.table.cells
        # Whoever changes the number of regions makes the cells anew; in between
        # nothing but counts changes.
        if cells is not vars(loop).get("_watched_cells"):
            vars(loop)["_watched_cells"] = cells
            self.findings.extend(broken_table(state.table, len(state.targets)))
        self._quotas.look(state.schemes.states)

    def watch_lives(self, stack: ExitStack) -> None:
        """Watch that every kdamond ends once, and that none outlives its scope."""

        def forget(original: Callable[..., None]) -> Callable[..., None]:
            def watched(damon: Damon, kdamond: Kdamond) -> None:
                # Counted before it happens: the second time it may raise.
                self._nr_ends[kdamond] = self._nr_ends.get(kdamond, 0) + 1
                if self._nr_ends[kdamond] > 1:
                    self.findings.append(f"{kdamond.name} has ended twice")
                original(damon, kdamond)

            return watched

        def new_kdamond(original: Callable[..., Kdamond]) -> Callable[..., Kdamond]:
            def watched(damon: Damon, *args: object) -> Kdamond:
                kdamond = original(damon, *args)
                self._nr_ends[kdamond] = 0
                # Kept with the engine, whose end is when they are looked at.
                vars(damon).setdefault("_watched", []).append(kdamond)
                return kdamond

            return watched

        def leave_scope(original: Callable[..., Any]) -> Callable[..., Any]:
            async def watched(damon: Damon, *args: object) -> None:
                try:
                    await original(damon, *args)
                finally:
                    # Also if that was cancelled: the scope is over all the same.
                    self._look_at_ends(damon)

            return watched

        _replace(stack, Damon, "_forget", forget)
        _replace(stack, Damon, "_new_kdamond", new_kdamond)
        _replace(stack, Damon, "__aexit__", leave_scope)

    def _look_at_ends(self, damon: Damon) -> None:
        for kdamond in vars(damon).get("_watched", ()):
            task = vars(kdamond)["_task"]
            has_task = task is not None and not task.done()
            if has_task or kdamond.state in LIVING:
                self.findings.append(f"{kdamond.name} outlives its scope, {kdamond.state.value}")
            if self._nr_ends[kdamond] != 1:
                self.findings.append(f"{kdamond.name} has ended {self._nr_ends[kdamond]} times")
        if damon.kdamonds:
            self.findings.append(f"{damon!r} has ended and counts {len(damon.kdamonds)} kdamonds")


@contextmanager
def watching() -> Iterator[Watch]:
    """
    Watch all that is done in a ``with`` block, in whatever task.

    Raises:
        OracleError: At the end of the block, if a rule was broken and nothing
            else was raised.
    """
    watch = Watch()
    # Classes and not objects: those that are yet to be made are watched as well.
    with ExitStack() as stack:
        watch.watch_gate(stack)
        watch.watch_monitors(stack)
        watch.watch_lives(stack)
        yield watch
    watch.check()


def watched(
    scenario: Callable[[], Coroutine[Any, Any, Result]],
) -> Callable[[], Coroutine[Any, Any, Result]]:
    """Return *scenario*, a coroutine function without arguments, with all oracles on."""

    @wraps(scenario)
    async def run() -> Result:
        # Traces show where the scenario is, not that it is wrapped.
        __tracebackhide__ = True
        with watching():
            return await scenario()

    return run


def must(holds: bool, rule: str) -> None:
    """
    Insist on a rule; unlike an assertion also where those are switched off.

    Raises:
        OracleError: If it does not hold.
    """
    if not holds:
        raise OracleError([f"it does not hold that {rule}"])


def _replace(
    stack: ExitStack, owner: type, name: str, make: Callable[[Callable[..., Any]], Any]
) -> None:
    """Put something around a method until *stack* is unwound."""
    original = vars(owner)[name]
    # Whatever was there, also something that was put around it before.
    stack.callback(setattr, owner, name, original)
    setattr(owner, name, make(original))
