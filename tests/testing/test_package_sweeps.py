"""All public coroutines of engine and control are cancelled at each of their awaits."""

from __future__ import annotations

import ast
from collections.abc import Coroutine, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import damon_async
from damon_async.errors import DamonError
from damon_async.testing.loops import VirtualTimeLoop
from damon_async.testing.oracles import watching
from damon_async.testing.sweeps import Means, sweep

from .asked import ASKED, place

ROOT = Path(damon_async.__file__).parent


@pytest.fixture(autouse=True)
def _no_logs() -> Iterator[None]:
    with capture_logs():
        yield


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in virtual time, in which nothing is waited for in vain."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("means", list(Means), ids=lambda each: each.name.lower())
def test_every_await(name: str, means: Means) -> None:
    """Cancelled at any await, once or twice, a request leaves no task, place, lock or hold."""
    with watching():
        nr = run(sweep(place, ASKED[name], means=[means], allowed=(DamonError,)))
    assert nr >= 1


class Spied:
    """Awaits a coroutine, and notes whose awaits those are."""

    def __init__(self, coroutine: Coroutine[Any, Any, object], seen: set[str]) -> None:
        self.coroutine = coroutine
        self.seen = seen

    def __await__(self) -> Generator[Any, Any, None]:
        awaits = self.coroutine.__await__()
        try:
            future = awaits.send(None)
            while True:
                self.note(self.coroutine)
                try:
                    answer = yield future
                except BaseException as error:  # noqa: BLE001 - handed on
                    future = awaits.throw(error)
                else:
                    future = awaits.send(answer)
        except StopIteration:
            return

    def note(self, awaited: Any) -> None:
        while awaited is not None:
            code = getattr(awaited, "cr_code", None)
            if code is not None and Path(code.co_filename).is_relative_to(ROOT):
                self.seen.add(code.co_qualname)
            awaited = getattr(awaited, "cr_await", None)


def waiting_coroutines() -> Iterator[str]:
    """List the public coroutines of engine and control that contain an await."""
    files = [*(ROOT / "engine").glob("*.py"), ROOT / "control/live.py", ROOT / "control/tree.py"]
    for file in files:
        for owner in ast.parse(file.read_text()).body:
            if isinstance(owner, ast.ClassDef):
                yield from (f"{owner.name}.{each.name}" for each in _waiting(owner.body))
            yield from (each.name for each in _waiting([owner]))


def _waiting(nodes: Iterable[ast.AST]) -> Iterator[ast.AsyncFunctionDef]:
    waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    for node in nodes:
        if (
            isinstance(node, ast.AsyncFunctionDef)
            and (not node.name.startswith("_") or node.name.startswith("__a"))
            and any(isinstance(each, waits) for each in ast.walk(node))
        ):
            yield node


def test_none_is_left_out() -> None:
    """Every public coroutine of engine and control that waits is among those swept."""
    seen: set[str] = set()

    async def ask_all() -> None:
        for ask in ASKED.values():
            async with place() as it:
                await Spied(ask(it), seen)

    run(ask_all())
    # Run in a task of their own, or never waiting although they await.
    inner = {"Kdamond.run", "UserFunctions.answer", "TreePortal.__aenter__"}
    assert set(waiting_coroutines()) - seen - inner == set()
