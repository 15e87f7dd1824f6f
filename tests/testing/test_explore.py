from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, strategies as st

from damon_async.testing.explore import Mode, ScheduleFailure, always, explore, replay
from damon_async.testing.loops import DeadlockError
from damon_async.testing.runs import LeftoverError, UnhandledError
from damon_async.testing.seeded import LivelockError
from damon_async.testing.tape import TapeError

Scenario = Callable[[], Coroutine[Any, Any, None]]
MODES: tuple[Mode, ...] = ("random", "pct", "exhaustive")


async def lost_update() -> None:
    """Adds twice; loses one if the second begins while the first is at it."""
    total = 0

    async def add() -> None:
        nonlocal total
        seen = total
        await asyncio.sleep(0)
        total = seen + 1

    async def add_later() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await add()

    await asyncio.gather(add(), add_later())
    assert total == 2


async def lost_update_of_anyio() -> None:
    """The same, written for anyio."""
    total, limiter = 0, anyio.CapacityLimiter(2)

    async def add(nr_naps: int) -> None:
        nonlocal total
        for _ in range(nr_naps):
            await anyio.lowlevel.checkpoint()
        async with limiter:
            seen = total
            await anyio.sleep(0.5)
            total = seen + 1

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add, 0)
            await anyio.sleep(0.5)
            tasks.start_soon(add, 2)
    assert total == 2


async def locked_update() -> None:
    """Adds five times, under a lock of anyio or asyncio in turns."""
    total, lock, other = 0, asyncio.Lock(), anyio.Lock()

    async def add(nr: int) -> None:
        nonlocal total
        async with lock, other if nr % 2 else anyio.create_task_group():
            seen = total
            await asyncio.sleep(0)
            total = seen + 1

    async with anyio.create_task_group() as tasks:
        for nr in range(5):
            tasks.start_soon(add, nr)
    assert total == 5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", [lost_update, lost_update_of_anyio])
def test_lost_updates_are_found(scenario: Scenario, mode: Mode) -> None:
    """Each mode finds a lost update that first come, first served never shows."""
    replay(scenario, "")
    with pytest.raises(
        ScheduleFailure, match=f"^{scenario.__name__} fails under schedule"
    ) as caught:
        explore(scenario, mode=mode, preemptions=4)
    assert isinstance(caught.value.__cause__, AssertionError)
    assert caught.value.error is caught.value.__cause__
    assert caught.value.seed == 0


@pytest.mark.parametrize("mode", MODES)
def test_correct_code_passes(mode: Mode) -> None:
    """Correct code of asyncio and anyio passes in each mode, and is counted."""
    found = explore(locked_update, mode=mode, schedules=100, seed=3)
    assert (found.mode, found.seed, found.nr_schedules) == (mode, 3, 100)
    assert not found.is_complete
    assert found.nr_steps > 100 * 6
    assert found.schedules_per_s == pytest.approx(100 / found.seconds)


def test_message() -> None:
    """A failure shows the steps, marks those out of turn, and says how to repeat it."""

    async def scenario() -> None:
        log: list[str] = []

        async def put(name: str) -> None:
            log.append(name)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(put("a"), name="first")
            tasks.create_task(put("b"), name="second")
        if log != ["a", "b"]:
            raise ValueError(log)

    with pytest.raises(ScheduleFailure, match=r"^scenario fails") as caught:
        explore(scenario, mode="exhaustive")
    line = scenario.__code__.co_firstlineno + 6
    awaited = (
        f"testing/test_explore.py:{line} in scenario: async with asyncio.TaskGroup() as tasks:"
    )
    assert str(caught.value).splitlines() == [
        "scenario fails under schedule 1 of seed 0 (exhaustive): ValueError: ['b', 'a']",
        "step by step, * where a task was out of turn:",
        f"    0  main -> {awaited}",
        "*   1  second before first -> ended",
        "    2  first -> ended",
        "    3  main -> raised ValueError(['b', 'a'])",
        'replay(scenario, "1:1")',
    ]


def test_replay_line() -> None:
    """The last line of a failure is Python that repeats it to the byte."""
    with pytest.raises(ScheduleFailure, match=r"replay\(lost_update, ") as caught:
        explore(lost_update, seed=5)
    line = str(caught.value).splitlines()[-1]
    with pytest.raises(ScheduleFailure, match=r"^lost_update fails under a replay: ") as again:
        eval(line)
    assert again.value.trace == caught.value.trace
    assert again.value.tape == caught.value.tape
    assert str(again.value).splitlines()[1:] == str(caught.value).splitlines()[1:]


@given(
    st.dictionaries(st.integers(0, 60), st.integers(1, 4)),
    st.sampled_from([lost_update, lost_update_of_anyio, locked_update]),
)
def test_replays_are_equal(deviations: dict[int, int], scenario: Scenario) -> None:
    """Any tape gives the same outcome and trace each time it is played."""
    tape = ",".join(f"{step}:{deviations[step]}" for step in sorted(deviations))
    assert outcome(scenario, tape) == outcome(scenario, tape)


def outcome(scenario: Scenario, tape: str) -> str:
    try:
        return replay(scenario, tape)
    except ScheduleFailure as failure:
        return str(failure)


PROGRAM = """
import asyncio, sys
import anyio
from damon_async.testing.explore import ScheduleFailure, explore, replay

async def scenario():
    log = []
    async def work(name):
        try:
            async with anyio.create_task_group() as tasks:
                for nr in range(3):
                    tasks.start_soon(anyio.sleep, nr)
                log.append(name)
        finally:
            log.append(name)
    try:
        async with asyncio.TaskGroup() as tasks:
            for name in "abcd":
                tasks.create_task(work(name), name=name)
            await asyncio.sleep(0.5)
            raise ValueError
    except ExceptionGroup:
        pass
    assert "".join(log) in {"abcdabcd", "abcddcba"}, "".join(log)

try:
    explore(scenario, mode=sys.argv[1], seed=1)
except ScheduleFailure as failure:
    print(failure)
    print(replay(scenario, "1:2,3:1,9:2") if sys.argv[1] == "none" else "")
"""


@pytest.mark.parametrize("mode", MODES)
def test_hash_seeds_do_not_matter(mode: Mode, tmp_path: Path) -> None:
    """Failure and trace are the same to the byte, whatever PYTHONHASHSEED says."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    outputs = set()
    for seed in ("0", "1", "random"):
        run = subprocess.run(
            [sys.executable, path, mode],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        )
        outputs.add(run.stdout)
    [output] = outputs
    assert 'replay(scenario, "' in output


# -- What counts as a failure ---------------------------------------------------


def failure_of(scenario: Scenario, **options: Any) -> BaseException:
    """Return what was wrong with *scenario* under first come, first served."""
    with pytest.raises(ScheduleFailure, match=r"fails under a replay") as caught:
        replay(scenario, "", **options)
    return caught.value.error


def test_deadlocks() -> None:
    """A deadlock is a failure."""

    async def scenario() -> None:
        await anyio.Event().wait()

    assert isinstance(failure_of(scenario), DeadlockError)


def test_livelocks() -> None:
    """A scenario without an end is a failure, and shrinking it comes to an end."""

    async def scenario() -> None:
        await asyncio.gather(spin(), spin())

    async def spin() -> None:
        for _ in iter(int, 1):
            await asyncio.sleep(0)

    assert isinstance(failure_of(scenario, max_calls=500), LivelockError)
    with pytest.raises(ScheduleFailure, match=r"livelock: no end after 500 ") as caught:
        explore(scenario, max_calls=500, mode="pct")
    assert caught.value.tape == ""
    assert "more steps ..." in str(caught.value)


async def leaves_a_task() -> None:
    global_tasks.append(asyncio.create_task(asyncio.sleep(3600), name="sleeper"))


global_tasks: list[asyncio.Task[None]] = []


@pytest.fixture(autouse=True)
def no_tasks() -> Iterator[None]:
    yield
    global_tasks.clear()


def test_leftovers_are_errors() -> None:
    """A task that outlives the scenario is a failure that names it."""
    error = failure_of(leaves_a_task)
    assert isinstance(error, LeftoverError)
    assert str(error).startswith("1 tasks outlived the scenario\n  sleeper: asyncio/tasks.py:")
    assert global_tasks[0].cancelled()


def test_leftovers_can_be_allowed() -> None:
    """Where leftovers are allowed, they are cancelled and awaited."""
    replay(leaves_a_task, "", allow_leftovers=True)
    assert explore(leaves_a_task, allow_leftovers=True, schedules=2).nr_schedules == 2
    assert all(task.cancelled() for task in global_tasks)


def test_stubborn_leftovers() -> None:
    """A task that does not let itself be cancelled is left behind and told of."""

    async def scenario() -> None:
        global_tasks.append(asyncio.create_task(stubborn(), name="mule"))
        await asyncio.sleep(0)

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    assert "mule: " in str(failure_of(scenario))


def test_exceptions_nobody_asked_for() -> None:
    """An exception that a task kept to itself is a failure of the run it belongs to."""

    async def scenario() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])

    async def fail() -> None:
        msg = "unnoticed"
        raise ValueError(msg)

    error = failure_of(scenario)
    assert (type(error), str(error)) == (ValueError, "unnoticed")


def test_exceptions_of_callbacks() -> None:
    """What a callback raises is a failure, and so is anything else the loop is told."""

    async def raises() -> None:
        asyncio.get_running_loop().call_soon(divmod, 1, 0)
        await asyncio.sleep(0)

    async def tells() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "odd"})

    assert isinstance(failure_of(raises), ZeroDivisionError)
    error = failure_of(tells)
    assert isinstance(error, UnhandledError)
    assert str(error) == "nobody handled it: odd"


def test_handlers_of_users() -> None:
    """A scenario may handle the loop's exceptions itself."""
    contexts = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: contexts.append(context["message"]))
        loop.call_exception_handler({"message": "odd"})

    replay(scenario, "")
    assert contexts == ["odd"]


def test_the_first_error_counts() -> None:
    """What the scenario raises counts before what it leaves behind."""

    async def scenario() -> None:
        await leaves_a_task()
        raise KeyError("mine")

    assert isinstance(failure_of(scenario), KeyError)


def test_cancelling_oneself() -> None:
    """A scenario that ends cancelled has failed."""

    async def scenario() -> None:
        raise asyncio.CancelledError

    assert isinstance(failure_of(scenario), asyncio.CancelledError)


def test_interrupts_pass_through() -> None:
    """Ctrl-C ends an exploration at once."""

    async def scenario() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        explore(scenario)


def test_generators_are_closed() -> None:
    """Asynchronous generators that were left half-way are closed in their own run."""
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(1)
            closed.append(1)

    async def scenario() -> None:
        kept.append(numbers())
        await anext(kept[-1])

    kept: list[AsyncIterator[int]] = []
    explore(scenario, schedules=3)
    assert closed == [1, 1, 1]


def test_threads_of_scenarios() -> None:
    """A scenario may use threads, and they end with it."""

    async def scenario() -> None:
        assert await asyncio.to_thread(lambda: 7) == 7

    before = threading.active_count()
    explore(scenario, schedules=3)
    assert threading.active_count() == before


def test_oracles() -> None:
    """An oracle is asked after each step, and what it raises is the failure."""
    inside = 0

    async def scenario() -> None:
        nonlocal inside
        inside = 0
        await asyncio.gather(visit(), visit())

    async def visit() -> None:
        nonlocal inside
        inside += 1
        await asyncio.sleep(0)
        inside -= 1

    def alone() -> None:
        assert inside < 2, f"{inside} are inside"

    with pytest.raises(ScheduleFailure, match=r"AssertionError: 2 are inside") as caught:
        explore(scenario, oracle=alone)
    assert caught.value.tape == ""
    # The last step shown is the one after which it did not hold.
    assert len(caught.value.trace) == 3


def test_always() -> None:
    """A scenario may have checks of its own made, and is a plain coroutine elsewhere."""

    async def scenario() -> None:
        checks: list[int] = []
        always(lambda: checks.append(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        nr_checks.append(len(checks))

    nr_checks: list[int] = []
    replay(scenario, "")
    asyncio.run(scenario())
    assert nr_checks == [2, 0]


# -- Completeness ---------------------------------------------------------------


def nr_interleavings(nr_tasks: int, nr_steps: int) -> int:
    """Count in how many orders tasks can take their steps."""
    return math.factorial(nr_tasks * nr_steps) // int(math.factorial(nr_steps) ** nr_tasks)


def nr_schedules(queue: tuple[int, ...], preemptions: int) -> int:
    """
    Count the orders with at most so many deviations from a queue.

    Args:
        queue: How many steps each runnable task has left.

        preemptions: How many deviations are left.
    """
    return sum(
        nr_schedules(
            queue[:index] + queue[index + 1 :] + ((left - 1,) if left > 1 else ()),
            preemptions - bool(index),
        )
        for index, left in enumerate(queue)
        if index == 0 or preemptions
    ) or int(not queue)


def walkers(nr_tasks: int, nr_steps: int, seen: list[str]) -> Scenario:
    """Return a scenario of tasks that take so many steps, and write down their order."""

    async def walk(name: str, path: list[str]) -> None:
        for _ in range(nr_steps - 1):
            path.append(name)
            await asyncio.sleep(0)
        path.append(name)

    async def scenario() -> None:
        path: list[str] = []
        await asyncio.gather(*(walk(name, path) for name in "abcdef"[:nr_tasks]))
        seen.append("".join(path))

    return scenario


@pytest.mark.parametrize(("nr_tasks", "nr_steps"), [(2, 1), (2, 3), (2, 5), (3, 2), (4, 1), (5, 1)])
def test_exhaustive_is_complete(nr_tasks: int, nr_steps: int) -> None:
    """With enough preemptions each interleaving there is, is seen exactly once."""
    seen: list[str] = []
    scenario = walkers(nr_tasks, nr_steps, seen)
    found = explore(scenario, mode="exhaustive", preemptions=nr_tasks * nr_steps)
    assert found.is_complete
    assert found.nr_schedules == len(seen) == len(set(seen)) == nr_interleavings(nr_tasks, nr_steps)


@pytest.mark.parametrize("preemptions", [0, 1, 2, 3])
@pytest.mark.parametrize(("nr_tasks", "nr_steps"), [(2, 4), (3, 2), (3, 3), (4, 2)])
def test_preemptions_are_bounded(nr_tasks: int, nr_steps: int, preemptions: int) -> None:
    """Up to k preemptions there are as many schedules as a queue has by itself."""
    seen: list[str] = []
    scenario = walkers(nr_tasks, nr_steps, seen)
    found = explore(scenario, mode="exhaustive", preemptions=preemptions)
    assert found.nr_schedules == nr_schedules((nr_steps,) * nr_tasks, preemptions)
    assert len(set(seen)) == len(seen)


def test_random_walks_see_everything() -> None:
    """Of a small scenario random schedules see each interleaving."""
    seen: list[str] = []
    explore(walkers(3, 2, seen), schedules=3000)
    assert len(set(seen)) == nr_interleavings(3, 2)


def test_first_schedule_is_first_come() -> None:
    """Each exploration begins with first come, first served."""
    for mode in MODES:
        seen: list[str] = []
        explore(walkers(3, 2, seen), mode=mode, schedules=1)
        assert seen == ["abcabc"]


# -- Isolation ------------------------------------------------------------------


def test_runs_do_not_depend_on_runs_before() -> None:
    """The same schedule has the same trace before and after a thousand others."""
    before = replay(locked_update, "2:3,7:1")
    explore(locked_update)
    assert replay(locked_update, "2:3,7:1") == before


def test_loops_are_closed() -> None:
    """Each run has a loop of its own, whose time begins at 0 and which is closed."""
    loops = []

    async def scenario() -> None:
        loops.append(asyncio.get_running_loop())
        assert loops[-1].time() == 0
        await asyncio.sleep(7)

    explore(scenario, schedules=5)
    assert len({id(loop) for loop in loops}) == 5
    assert all(loop.is_closed() for loop in loops)


async def test_under_a_running_loop() -> None:
    """In an async test, explorations and replays work like anywhere else."""
    assert explore(locked_update, schedules=20).nr_schedules == 20
    with pytest.raises(ScheduleFailure, match=r"^lost_update fails"):
        explore(lost_update)
    assert replay(lost_update, "").endswith("main -> ended")


# -- Refusals -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "chaos"}, "'chaos' is no mode; use one of random, pct, exhaustive"),
        ({"schedules": 0}, "schedules is 0; at least 1"),
        ({"depth": 0}, "depth is 0; at least 1"),
        ({"preemptions": -1}, "preemptions is -1; at least 0"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    """What cannot be explored is refused in a sentence."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        explore(lost_update, **options)


def test_tapes_are_checked() -> None:
    """What is no tape is refused before anything runs."""
    with pytest.raises(TapeError, match=r"^'three' is no tape"):
        replay(lost_update, "three")
