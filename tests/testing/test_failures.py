"""What counts as a failure of a scenario."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from damon_async.testing.explore import ScheduleFailure, always, explore, replay
from damon_async.testing.loops import DeadlockError
from damon_async.testing.runs import LeftoverError, UnhandledError
from damon_async.testing.seeded import LivelockError

from .programs import failure_of


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


def test_groups_are_opened() -> None:
    """Of a group of exceptions the message tells what is in it."""

    async def scenario() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail("x"))
            tasks.create_task(fail("y"))

    async def fail(what: str) -> None:
        raise ValueError(what)

    with pytest.raises(ScheduleFailure, match=r"under a replay: ValueError: x; ValueError: y\n"):
        replay(scenario, "")


def test_leftovers_of_task_factories() -> None:
    """Tasks that a factory of the user made are cleaned up after as well."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(lambda loop, coro, **kwargs: asyncio.Task(coro, loop=loop, **kwargs))
        await leaves_a_task()

    assert isinstance(failure_of(scenario), LeftoverError)
    assert global_tasks[0].cancelled()


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
