"""One run of a scenario under one order: what happened, and what went wrong."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .loops import DeadlockError
from .orders import Order
from .seeded import MAX_CALLS, Check, LivelockError, SeededLoop, Task
from .tape import Tape
from .waits import describe, label_of, where

Scenario: TypeAlias = Callable[[], Coroutine[Any, Any, object]]
"""What is run again and again: a coroutine function without arguments."""


class LeftoverError(RuntimeError):
    """
    Tasks outlived the scenario that started them.

    Args:
        tasks: One sentence for each: its name, where it is, what it waits for.
    """

    def __init__(self, tasks: Iterable[str]) -> None:
        self.tasks = tuple(tasks)
        super().__init__(self.tasks)

    def __str__(self) -> str:
        return "\n  ".join([f"{len(self.tasks)} tasks outlived the scenario", *self.tasks])


class UnhandledError(RuntimeError):
    """
    The loop was told of something that nobody handled.

    Args:
        message: What the loop was told.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return f"nobody handled it: {self.message}"


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What counts as a failure.

    Attributes:
        oracle: Called after each step; raises if what must hold does not.

        allow_leftovers: Whether tasks may outlive the scenario. They are cancelled
            and awaited in either case.

        max_calls: How many steps and callbacks may run before it is a livelock.
    """

    oracle: Check | None = None
    allow_leftovers: bool = False
    max_calls: int = MAX_CALLS


@dataclass(slots=True)
class Trace:
    """
    Who took which step, in lines to read.

    Attributes:
        lines: One for each step: its number, the virtual time if it is not 0, the
            task, whom it overtook, and the line at which it is now.
    """

    lines: list[str] = field(default_factory=list)

    def step_ended(self, loop: SeededLoop, task: Task, overtaken: Sequence[Task]) -> None:
        """Write down a step."""
        names = ", ".join(label_of(each) for each in overtaken)
        at = f" at {loop.time():g} s" if loop.time() else ""
        before = f" before {names}" if names else ""
        mark = "*" if names else " "
        line = f"{mark}{loop.nr_steps - 1:4}{at}  {label_of(task)}{before} -> {where(task)}"
        self.lines.append(line)


@dataclass(frozen=True, slots=True)
class Run:
    """
    What a run came to.

    Attributes:
        tape: The order, as deviations from first come, first served.

        widths: How many tasks were runnable, by step.

        nr_calls: How many steps and callbacks ran.

        error: What went wrong, None if nothing did.
    """

    tape: Tape
    widths: tuple[int, ...]
    nr_calls: int
    error: BaseException | None


def leaves(error: BaseException) -> Iterator[BaseException]:
    """List what went wrong: *error*, or what is in it if it is a group."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def run(scenario: Scenario, order: Order, rules: Rules, trace: Trace | None = None) -> Run:
    """
    Run *scenario* on a loop of its own, and clean up after it.

    Args:
        scenario: What to run.

        order: Who is next.

        rules: What counts as a failure.

        trace: Where to write down the steps.
    """
    with _no_collection():
        # A new loop is a quarter of the cost of a small scenario, but nothing that a run left
        # behind can reach the next one.
        loop = SeededLoop(order=order, max_calls=rules.max_calls, observer=trace)
        if rules.oracle is not None:
            loop.watch(rules.oracle)
        unhandled: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        try:
            error = _run_scenario(loop, scenario)
            # Before cleaning up, whose steps are not part of the schedule.
            tape, widths, nr_calls = loop.tape, tuple(loop.widths), loop.nr_calls
            leftover = _clean_up(loop)
        finally:
            loop.close()
        if error is None and leftover is not None and not rules.allow_leftovers:
            error = leftover
        # Asked for in any case, so that no task complains when it is collected.
        other = _unhandled(loop, unhandled)
        return Run(tape, widths, nr_calls, error or other)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from running finalizers at a step of its own choice."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _run_scenario(loop: SeededLoop, scenario: Scenario) -> BaseException | None:
    """Run *scenario* and return what it raised, or what the loop found."""
    # Interrupts pass: whoever presses Ctrl-C wants the exploration to end.
    try:
        loop.run_until_complete(loop.create_task(scenario(), name="main"))
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  any failure is one
        return error
    return None


def _clean_up(loop: SeededLoop) -> BaseException | None:
    """
    End whatever is left, first come, first served.

    Returns:
        The error to report of it, if there was any.
    """
    loop.relax()
    left = [task for task in loop.tasks if not task.done()]
    error = LeftoverError(map(describe, left)) if left else None
    # In the order in which they were made: all_tasks is a set, and forgets it.
    for task in left:
        task.cancel()
    try:
        if left:
            loop.run_until_complete(asyncio.wait(left))
        if loop.has_more_to_close:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
    except (DeadlockError, LivelockError):
        # Tasks that do not let themselves be cancelled are left behind. Which they
        # are has been said.
        pass
    return error


def _unhandled(loop: SeededLoop, contexts: Sequence[dict[str, Any]]) -> BaseException | None:
    """Return the first error that the loop was told of, or that a task kept to itself."""
    errors = [
        context.get("exception") or UnhandledError(context["message"]) for context in contexts
    ]
    # The garbage collector would tell the loop, in the middle of a later run.
    kept = [each for each in loop.tasks if getattr(each, "_log_traceback", False)]
    errors += [task.exception() for task in kept if not task.cancelled()]
    return errors[0] if errors else None
