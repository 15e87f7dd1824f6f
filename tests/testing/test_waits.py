from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Generator

import anyio

from damon_async.testing.loops import VirtualTimeLoop
from damon_async.testing.waits import describe, steady_repr, waits_for, where


async def looked_at(awaitable: Awaitable[object]) -> tuple[str, str, str]:
    """Return what is told of a task that awaits *awaitable*, and cancel it."""

    async def look() -> None:
        await awaitable

    task = asyncio.create_task(look(), name="it")
    before = where(task)
    await asyncio.sleep(0)
    text = describe(task)
    task.cancel()
    await asyncio.wait([task])
    return before, text, where(task)


def played(awaitable: Awaitable[object]) -> tuple[str, str, str]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(looked_at(awaitable))


def test_life_of_a_task() -> None:
    """Of a task is told where it will begin, where it is, and how it ended."""
    before, text, after = played(asyncio.sleep(5))
    assert before.startswith("testing/test_waits.py:")
    assert before.endswith("in look: async def look() -> None:")
    assert text.startswith("it: testing/test_waits.py:")
    assert "in look: await awaitable; waits for " in text
    assert after == "cancelled"


def test_ends_of_tasks() -> None:
    """A task that returned has ended, and of one that raised the exception is told."""

    async def program() -> list[str]:
        async def divide(divisor: int) -> float:
            return 1 / divisor

        tasks = [asyncio.create_task(divide(divisor)) for divisor in (1, 0)]
        await asyncio.wait(tasks)
        told = [where(task) for task in tasks]
        # Being looked at does not count as being asked for.
        assert getattr(tasks[1], "_log_traceback", True)
        tasks[1].exception()
        return told

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        told = runner.run(program())
    assert told == ["ended", "raised ZeroDivisionError('division by zero')"]


def test_its_turn() -> None:
    """A task that could run waits for its turn."""

    async def program() -> str:
        task = asyncio.create_task(asyncio.sleep(0))
        told = waits_for(task)
        await task
        return told

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(program()) == "its turn"


class Old:
    """Something to await that is made of a generator."""

    def __await__(self) -> Generator[object, None, None]:
        yield from asyncio.Event().wait().__await__()

    def __repr__(self) -> str:
        return "<Old at 0x7f00>"


def test_generators_are_followed() -> None:
    """The stack is followed into generators, as far as Python lets anybody look."""
    text = played(Old())[1]
    assert "in __await__: yield from asyncio.Event().wait().__await__(); waits for <Fut" in text


def test_context_managers_are_followed() -> None:
    """The line of an ``async with`` is told while what it calls waits."""

    @contextlib.asynccontextmanager
    async def door() -> AsyncIterator[None]:
        await anyio.Event().wait()
        yield

    async def program() -> None:
        async with door():
            pass

    text = played(program())[1]
    assert "in program: async with door():" in text or "in look: await awaitable" in text


def test_wrappers_can_hide() -> None:
    """A wrapper that hides from pytest hides here as well."""

    async def inner() -> None:
        await asyncio.Event().wait()

    async def program() -> str:
        async def wrapper() -> None:
            __tracebackhide__ = True
            await hidden()

        task = asyncio.create_task(wrapper())
        await asyncio.sleep(0)
        told = where(task)
        task.cancel()
        await asyncio.wait([task])
        return told

    async def hidden() -> None:
        await inner()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(program()).endswith("in inner: await asyncio.Event().wait()")


def test_reprs_are_steady() -> None:
    """Addresses are left out, and a repr that fails does no harm."""

    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    assert steady_repr(Old()) == "<Old>"
    assert steady_repr(object()) == "<object object>"
    assert steady_repr(Broken()) == "<Broken>"
