from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

import anyio
import pytest
from hypothesis import given, strategies as st

from damon_async.testing.loops import DeadlockError
from damon_async.testing.orders import Played
from damon_async.testing.seeded import LivelockError, SeededLoop, Task
from damon_async.testing.tape import Tape

from .test_tape import TAPES

Log = list[str]
SHORT_TAPES = st.dictionaries(st.integers(0, 30), st.integers(1, 4)).map(
    lambda deviations: tuple(sorted(deviations.items()))
)


class Last:
    """Whoever became runnable last is next."""

    def choose(self, step: int, tasks: Sequence[object], /) -> int:
        return len(tasks) - 1


def played(program: Callable[[Log], Awaitable[object]], loop: SeededLoop | None = None) -> Log:
    """Run *program* with a log to write to, and return the log."""
    log: Log = []
    loop = loop or SeededLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_awaited(program(log)))
    return log


async def _awaited(awaitable: Awaitable[object]) -> None:
    await awaitable


async def walkers(log: Log, names: str = "abc", nr_steps: int = 2) -> None:
    """Tasks that take some steps each, with callbacks and timers in between."""
    loop = asyncio.get_running_loop()

    async def walk(name: str) -> None:
        for step in range(nr_steps):
            log.append(f"{name}{step}")
            loop.call_soon(log.append, f"soon {name}{step}")
            loop.call_later(0, log.append, f"later {name}{step}")
            await asyncio.sleep(0)

    await asyncio.gather(*map(walk, names))


def test_without_order_it_is_asyncio() -> None:
    """First come, first served runs everything in the order of asyncio's own loop."""
    log: Log = []
    asyncio.run(walkers(log))
    loop = SeededLoop()
    assert played(walkers, loop) == log
    assert loop.tape == ()


def test_tasks_change_places() -> None:
    """Another order lets tasks take their steps in another order."""
    log = [each for each in played(walkers, SeededLoop(order=Last())) if " " not in each]
    assert log == ["c0", "c1", "b0", "b1", "a0", "a1"]


@given(SHORT_TAPES)
def test_callbacks_keep_their_places(tape: Tape) -> None:
    """Under any schedule callbacks run in the order in which they were scheduled."""
    log = played(walkers, SeededLoop(order=Played(tape)))
    steps = [each for each in log if " " not in each]
    assert sorted(steps) == ["a0", "a1", "b0", "b1", "c0", "c1"]
    assert [each[5:] for each in log if each.startswith("soon ")] == steps
    for step in steps:
        assert log.index(step) < log.index(f"soon {step}")


@given(SHORT_TAPES)
def test_nobody_overtakes_callbacks(tape: Tape) -> None:
    """A task that was made runnable after a callback was scheduled runs after it."""

    async def program(log: Log) -> None:
        loop = asyncio.get_running_loop()

        async def child(name: str) -> None:
            log.append(f"task {name}")

        children = []
        for name in "abc":
            loop.call_soon(log.append, name)
            children.append(loop.create_task(child(name)))
        await asyncio.gather(*children)

    log = played(program, SeededLoop(order=Played(tape)))
    assert all(log.index(name) < log.index(f"task {name}") for name in "abc")


@given(SHORT_TAPES)
def test_tapes_say_what_happened(tape: Tape) -> None:
    """Playing what the loop wrote down gives the same run and the same tape."""
    first = SeededLoop(order=Played(tape))
    log = played(walkers, first)
    second = SeededLoop(order=Played(first.tape))
    assert played(walkers, second) == log
    assert (second.tape, second.widths) == (first.tape, first.widths)


@given(st.integers(0, 1000))
def test_seeds_repeat(seed: int) -> None:
    """The same seed gives the same run, and its tape gives it too."""
    first, second = SeededLoop(seed), SeededLoop(seed)
    log = played(walkers, first)
    assert played(walkers, second) == log
    assert played(walkers, SeededLoop(order=Played(first.tape))) == log


def test_seeds_differ() -> None:
    """Different seeds give many different runs."""
    assert len({tuple(played(walkers, SeededLoop(seed))) for seed in range(100)}) > 30


def test_methods_of_tasks_are_callbacks() -> None:
    """A scheduled ``task.cancel`` is a callback and not a step of the task."""

    async def program(log: Log) -> None:
        async def child() -> None:
            try:
                await asyncio.sleep(1)
            finally:
                log.append("cancelled")

        task = asyncio.create_task(child())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(task.cancel)
        asyncio.get_running_loop().call_soon(log.append, "callback")
        await asyncio.wait([task])

    assert played(program, SeededLoop(order=Last())) == ["callback", "cancelled"]


def test_width() -> None:
    """The loop tells among how many tasks there was a choice at each step."""
    loop = SeededLoop()
    played(lambda log: walkers(log, "ab", 1), loop)
    # The main task, both walkers, their second steps, and the main task again; then
    # the runner closes generators and threads.
    assert loop.widths[:6] == [1, 2, 1 + 1, 1 + 1, 1, 1]
    assert loop.nr_steps == len(loop.widths)


def test_names_are_steady() -> None:
    """Tasks without a name are called after their coroutine, and numbered per loop."""

    async def program(log: Log) -> None:
        log += [
            task.get_name() for task in (asyncio.create_task(nap()), asyncio.create_task(nap()))
        ]
        log.append(asyncio.create_task(nap(), name="x").get_name())

    async def nap() -> None: ...

    assert played(program) == played(program) == ["nap-1", "nap-2", "x"]


def test_labels_are_unique() -> None:
    """Tasks of the same name have labels that differ, and short ones."""
    loop = SeededLoop()

    async def program(log: Log) -> None:
        async def nap() -> None: ...

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(nap)
            tasks.start_soon(nap)

    played(program, loop)
    assert [getattr(task, "label", None) for task in loop.tasks[:3]] == [
        "_awaited-0",
        "nap",
        "nap-2",
    ]


def test_task_groups_cancel_in_order() -> None:
    """Sets of tasks have the order of their numbers, on every run."""

    async def program(log: Log) -> None:
        async def child(name: str) -> None:
            try:
                await asyncio.sleep(1)
            finally:
                log.append(name)

        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError

        try:
            async with asyncio.TaskGroup() as tasks:
                for name in "abcdef":
                    tasks.create_task(child(name))
                tasks.create_task(fail())
        except ExceptionGroup:
            pass

    assert played(program) == [*"abcdef"]


def test_task_factories_are_respected() -> None:
    """A task factory of the user makes the tasks, which are scheduled all the same."""

    async def program(log: Log) -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(lambda loop, coro, **kwargs: asyncio.Task(coro, loop=loop, **kwargs))
        await walkers(log)

    log = [each for each in played(program, SeededLoop(order=Last())) if " " not in each]
    assert log == ["c0", "c1", "b0", "b1", "a0", "a1"]


def test_checks() -> None:
    """A check is made after each step of a task, and what it raises ends the run."""
    log: Log = []
    loop = SeededLoop()
    loop.watch(lambda: log.append("check"))

    async def program() -> None:
        log.append("step")
        await asyncio.sleep(0)
        log.append("step")
        loop.watch(fail)

    def fail() -> None:
        msg = "the sky fell"
        raise ValueError(msg)

    with pytest.raises(ValueError, match=r"^the sky fell$"):
        loop.run_until_complete(program())
    loop.close()
    assert log == ["step", "check", "step", "check"]


def test_observers() -> None:
    """An observer is told who took each step, and who was overtaken."""
    seen: list[tuple[str, list[str]]] = []

    class Seen:
        def step_ended(self, loop: SeededLoop, task: Task, overtaken: Sequence[Task]) -> None:
            seen.append((task.get_name(), [each.get_name() for each in overtaken]))

    loop = SeededLoop(order=Played(((1, 1),)), observer=Seen())
    played(lambda log: walkers(log, "ab", 0), loop)
    assert seen[:4] == [
        ("_awaited-0", []),
        ("walk-2", ["walk-1"]),
        ("walk-1", []),
        ("_awaited-0", []),
    ]


def test_livelock() -> None:
    """A run that does not end is ended, and its tasks are named."""

    async def program(log: Log) -> None:
        for _ in count():
            await asyncio.sleep(0)

    loop = SeededLoop(max_calls=100)
    with pytest.raises(LivelockError, match=r"after 100 steps and callbacks\n  program-0: "):
        loop.run_until_complete(program([]))
    loop.relax()
    for task in loop.tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(list(loop.tasks)))
    loop.close()


def test_deadlock() -> None:
    """A deadlock is told with labels."""
    loop = SeededLoop()

    async def program() -> None:
        await asyncio.gather(asyncio.Event().wait(), asyncio.Event().wait())

    with pytest.raises(DeadlockError, match=r"program-0: .*\n  wait-1: .*\n  wait-2: "):
        loop.run_until_complete(program())
    for task in loop.tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(list(loop.tasks)))
    loop.close()


@given(TAPES)
def test_any_tape_can_be_played(tape: Tape) -> None:
    """A tape made for something else only deviates where it can."""
    loop = SeededLoop(order=Played(tape))
    played(walkers, loop)
    assert {step for step, _ in loop.tape} <= {step for step, _ in tape}
    assert all(overtaken < loop.widths[step] for step, overtaken in loop.tape)
