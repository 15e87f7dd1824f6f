"""Run a scenario under many schedules, and show the simplest one that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Final, Literal, TypeVar, get_args

from .loops import running_loop_or_none
from .orders import FirstCome, Played, Priorities, RandomWalk, seeded
from .runs import Rules, Run, Scenario, Trace, leaves, run
from .seeded import MAX_CALLS, Check, SeededLoop
from .shrink import Shrinker, schedules_of
from .tape import Tape, format_tape, parse_tape
from .waits import ADDRESS

Result = TypeVar("Result")

Mode = Literal["random", "pct", "exhaustive"]
"""How schedules are drawn: at random, by priorities that fall, or all with few deviations."""

SCHEDULES: Final = 1000
"""How many schedules are run if nothing else is said."""

LINES: Final = 200
"""How many steps a failure shows."""


class ScheduleFailure(AssertionError):  # noqa: N818  what fails a test is a failure
    """
    A scenario fails under some schedule; raised from what went wrong.

    Args:
        scenario: The name of the scenario.

        found: Where the schedule came from, e.g. "schedule 17 of seed 0".

        tape: The simplest schedule that was found to fail, as text.

        trace: Who took which step under it, a line each.

        error: What went wrong under it.

        seed: Of the exploration; None for a replay.
    """

    def __init__(
        self,
        scenario: str,
        found: str,
        tape: str,
        trace: tuple[str, ...],
        error: BaseException,
        seed: int | None,
    ) -> None:
        super().__init__(scenario, found, tape, trace, error, seed)
        self.scenario = scenario
        self.found = found
        self.tape = tape
        self.trace = trace
        self.error = error
        self.seed = seed

    def __str__(self) -> str:
        # Addresses would differ from one replay to the next.
        errors = [f"{type(each).__name__}: {each}" for each in leaves(self.error)]
        error = ADDRESS.sub("", "; ".join(errors))
        return "\n".join(
            [
                f"{self.scenario} fails under {self.found}: {error}",
                "step by step, * where a task was out of turn:",
                *self._shown(),
                f'replay({self.scenario}, "{self.tape}")',
            ]
        )

    def _shown(self) -> tuple[str, ...]:
        """Return the trace; of a long one the beginning and the end."""
        nr_hidden = len(self.trace) - LINES
        if nr_hidden <= 0:
            return self.trace
        half = LINES // 2
        return (*self.trace[:half], f"... {nr_hidden} more steps ...", *self.trace[-half:])


@dataclass(frozen=True, slots=True)
class Exploration:
    """
    What an exploration without findings came to.

    Attributes:
        mode: How schedules were drawn.

        seed: Where randomness came from.

        nr_schedules: How many were run.

        nr_steps: How many steps all tasks took under them.

        is_complete: Whether no other schedule has that few preemptions; only ever in
            exhaustive mode.

        seconds: How long it took, in real time.
    """

    mode: Mode
    seed: int
    nr_schedules: int
    nr_steps: int
    is_complete: bool
    seconds: float

    @property
    def schedules_per_s(self) -> float:
        """How fast it was, in schedules per second."""
        return self.nr_schedules / self.seconds if self.seconds else 0.0


def explore(
    scenario: Scenario,
    *,
    mode: Mode = "random",
    schedules: int | None = None,
    seed: int = 0,
    depth: int = 3,
    preemptions: int = 2,
    oracle: Check | None = None,
    allow_leftovers: bool = False,
    max_calls: int = MAX_CALLS,
) -> Exploration:
    """
    Run *scenario* under many schedules until one fails.

    Each run has a loop of its own, with virtual time; the first runnable tasks come
    first, except where the schedule deviates. A run fails if the scenario raises,
    deadlocks or never ends, if an exception is left to the loop's handler, if a
    task keeps one to itself or outlives the scenario, or if *oracle* raises. The
    schedule that failed is run again with fewer and fewer deviations.

    Called where a loop runs already, it blocks that loop, and works in a thread.

    Args:
        scenario: A coroutine function without arguments, of asyncio or anyio. It makes
            all it works with, and depends on nothing but the schedule.

        mode: "random": anybody may be next. "pct": random priorities that change
            *depth* - 1 times. "exhaustive": all schedules with at most *preemptions*
            deviations from first come, first served, those with fewer first.

        schedules: How many to run at most; 1,000 if not given, and as many as there
            are in exhaustive mode. The first is first come, first served.

        seed: Where randomness comes from.

        depth: How many ordering constraints to hit, at least 1; see ``Priorities``.

        preemptions: At most how many deviations, at least 0.

        oracle: Called after each step of a task; raises if what must always hold does
            not. From inside a scenario, use ``always``.

        allow_leftovers: Whether tasks may outlive the scenario. They are cancelled and
            awaited in either case.

        max_calls: How many steps and callbacks a run may take.

    Raises:
        ScheduleFailure: If a run fails.

        ValueError: If *mode* is unknown, or a number is too small.
    """
    _check(mode, schedules, depth, preemptions)
    rules = Rules(oracle, allow_leftovers, max_calls)

    # All of it in one function: the whole may have to move to a thread.
    def explore_here() -> Exploration:
        began_s = time.perf_counter()
        runs = _runs(scenario, rules, mode, seed, depth, preemptions)
        limit = SCHEDULES if schedules is None and mode != "exhaustive" else schedules
        nr_schedules = nr_steps = 0
        for each in runs:
            if each.error is not None:
                found = f"schedule {nr_schedules} of seed {seed} ({mode})"
                failure = _failure(scenario, rules, each, each.error, found, seed)
                raise failure from failure.error
            nr_schedules += 1
            nr_steps += len(each.widths)
            if nr_schedules == limit:
                break
        seconds = time.perf_counter() - began_s
        # Only exhaustive runs come to an end by themselves.
        is_complete = nr_schedules != limit
        return Exploration(mode, seed, nr_schedules, nr_steps, is_complete, seconds)

    return _without_loop(explore_here)


def replay(
    scenario: Scenario,
    tape: str,
    *,
    oracle: Check | None = None,
    allow_leftovers: bool = False,
    max_calls: int = MAX_CALLS,
) -> str:
    """
    Run *scenario* once more under the schedule of *tape*.

    Args:
        scenario: As in ``explore``, and so are the other arguments.

        tape: What a failure printed, e.g. "3:1,17:2"; empty for first come, first
            served. Where fewer tasks are runnable than are to be overtaken, all are.

        oracle: Called after each step.

        allow_leftovers: Whether tasks may outlive the scenario.

        max_calls: How many steps and callbacks the run may take.

    Returns:
        Who took which step, a line each; the same on each run, to the byte.

    Raises:
        ScheduleFailure: If it fails, as it did.

        TapeError: If *tape* is none.
    """
    order = Played(parse_tape(tape))
    rules = Rules(oracle, allow_leftovers, max_calls)

    def replay_here() -> str:
        trace = Trace()
        again = run(scenario, order, rules, trace)
        if again.error is not None:
            raise ScheduleFailure(
                _name(scenario),
                "a replay",
                format_tape(again.tape),
                tuple(trace.lines),
                again.error,
                None,
            ) from again.error
        return "\n".join(trace.lines)

    return _without_loop(replay_here)


def always(check: Check) -> None:
    """
    Have *check* called after each step of the schedule that is running.

    For scenarios that look after what they have made; does nothing on other loops,
    so that a scenario is an ordinary coroutine function as well.

    Args:
        check: Raises if what must always hold does not.
    """
    loop = running_loop_or_none()
    if isinstance(loop, SeededLoop):
        loop.watch(check)


def _check(mode: str, schedules: int | None, depth: int, preemptions: int) -> None:
    """Refuse what cannot be explored."""
    if mode not in get_args(Mode):
        msg = f"{mode!r} is no mode; use one of {', '.join(get_args(Mode))}"
        raise ValueError(msg)
    for name, number, least in (
        ("schedules", schedules, 1),
        ("depth", depth, 1),
        ("preemptions", preemptions, 0),
    ):
        if number is not None and number < least:
            msg = f"{name} is {number}; at least {least}"
            raise ValueError(msg)


def _runs(
    scenario: Scenario, rules: Rules, mode: Mode, seed: int, depth: int, preemptions: int
) -> Iterator[Run]:
    """Run *scenario* for ever, or until all schedules were run."""
    if mode == "exhaustive":
        yield from schedules_of(_play(scenario, rules), preemptions)
        return
    # What fails in the usual order should be told without any deviation; besides, it
    # tells PCT how long the scenario is.
    first = run(scenario, FirstCome(), rules)
    yield first
    for number in count(1):
        # A text, because it is hashed the same everywhere; a generator of its own, so
        # that a schedule depends on its number alone.
        rng = seeded(f"{seed}/{number}")
        order = RandomWalk(rng) if mode == "random" else Priorities(rng, depth, len(first.widths))
        yield run(scenario, order, rules)


def _play(scenario: Scenario, rules: Rules) -> Callable[[Tape], Run]:
    """Return what runs *scenario* with a tape."""
    return lambda tape: run(scenario, Played(tape), rules)


def _failure(
    scenario: Scenario, rules: Rules, failed: Run, error: BaseException, found: str, seed: int
) -> ScheduleFailure:
    """Return what to tell of a run that failed: the simplest one like it."""
    best = Shrinker(_play(scenario, rules), failed).shrink()
    # Once more, because traces cost more than runs and nearly all runs need none.
    trace = Trace()
    again = run(scenario, Played(best.tape), rules, trace)
    if again.error is not None:
        error = again.error
    else:
        found += ", but not again: it depends on more than the schedule"
    # Not the tape that was asked for, but what came of it: the two may differ.
    tape = format_tape(best.tape)
    return ScheduleFailure(_name(scenario), found, tape, tuple(trace.lines), error, seed)


def _name(scenario: Scenario) -> str:
    return getattr(scenario, "__name__", repr(scenario))


def _without_loop(function: Callable[[], Result]) -> Result:
    """Call *function* where no loop runs: here, or in a thread."""
    if running_loop_or_none() is None:
        return function()
    # asyncio refuses a loop inside of another one, but only in the same thread.
    with ThreadPoolExecutor(1, "explore") as pool:
        return pool.submit(function).result()
