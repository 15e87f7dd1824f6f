"""
Numbers in the place of addresses, so that sets have the same order on each run.

Task groups keep their tasks in sets, and cancel them in the order of the set. That
is the order of addresses, unless somebody says otherwise.
"""

from __future__ import annotations

import asyncio
import sys
from functools import wraps
from importlib import import_module
from typing import Any

from .loops import running_loop_or_none


class NumberedTask(asyncio.Task[Any]):
    """
    A task whose hash is its number.

    Args:
        coro: What it runs.

        number: How many tasks its loop made before.

        options: Of ``asyncio.Task``.
    """

    def __init__(self, coro: Any, *, number: int, **options: Any) -> None:
        # First, because the constructor of tasks puts them into sets already.
        self.number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number

    @property
    def label(self) -> str:
        """What to call it in traces: the end of its name, and its number if others share it."""
        name = _short(self)
        earlier = getattr(self.get_loop(), "tasks", ())[: self.number]
        # Asked for in traces only, so looking at all of them is cheap enough.
        return f"{name}-{self.number}" if any(_short(each) == name for each in earlier) else name


class InOrder(dict[object, None]):
    """A set that keeps the order in which things were put into it."""

    def add(self, thing: object) -> None:
        """Put *thing* in."""
        self[thing] = None

    def remove(self, thing: object) -> None:
        """Take *thing* out, which must be in it."""
        del self[thing]

    def discard(self, thing: object) -> None:
        """Take *thing* out if it is in it."""
        self.pop(thing, None)


def keep_scopes_in_order(loops: type[asyncio.AbstractEventLoop]) -> None:
    """
    Have anyio cancel nested scopes in the order in which they were entered.

    anyio offers no way to tell it, so the constructor of its scopes is changed, once
    per process. Under other loops, and without anyio, nothing is different.

    Args:
        loops: On which loops to do so.
    """
    if "anyio" not in sys.modules:
        return
    scopes = import_module("anyio._backends._asyncio").CancelScope
    if hasattr(scopes.__init__, "__wrapped__"):
        return

    @wraps(scopes.__init__)
    def init(self: Any, *args: Any, **options: Any) -> None:
        init.__wrapped__(self, *args, **options)
        if isinstance(running_loop_or_none(), loops):
            self._child_scopes = InOrder()

    scopes.__init__ = init


def _short(task: asyncio.Task[Any]) -> str:
    """Return the name of *task* without what anyio puts before it: module and function."""
    return task.get_name().rpartition(".")[2]
