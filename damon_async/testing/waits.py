"""Where a task is and what it waits for, in words that are the same on every run."""

from __future__ import annotations

import asyncio
import linecache
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

ADDRESS: Final = re.compile(r" (?:at )?0x[0-9a-fA-F]+")
"""What of a repr depends on the run."""

STDLIB: Final = str(Path(os.__file__).parent)
"""Where Python's own modules are."""

FIELDS: Final = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
"""Where coroutines, generators and asynchronous generators keep frame and what they await."""


def steady_repr(thing: object) -> str:
    """Return the repr of *thing* without addresses; its type if the repr fails."""
    # Objects of users are shown while something is wrong with them already.
    try:
        return ADDRESS.sub("", repr(thing))
    except Exception:  # noqa: BLE001
        return f"<{type(thing).__name__}>"


def frames(awaited: object) -> Iterator[FrameType]:
    """List the frames of a coroutine that does not run, outermost first."""
    # Python's own stack of a task shows the same, but neither generators nor objects.
    while awaited is not None:
        fields = next((each for each in FIELDS if hasattr(awaited, each[0])), None)
        if fields is None:
            return
        frame = getattr(awaited, fields[0])
        if frame is not None:
            yield frame
        awaited = getattr(awaited, fields[1])


def own_frame(stack: list[FrameType]) -> FrameType | None:
    """
    Return the frame that tells its author most: the last in the file where *stack* began.

    Frames of libraries do not count as beginnings, because anyio wraps what it
    starts; nor do those that hide from pytest by a local ``__tracebackhide__``.
    """
    own = next((frame for frame in stack if not _is_wrapper(frame)), None)
    if own is None:
        return stack[0] if stack else None
    file = own.f_code.co_filename
    return next(frame for frame in reversed(stack) if frame.f_code.co_filename == file)


def line_of(frame: FrameType) -> str:
    """Return where *frame* is and the source line, e.g. ``a/b.py:7 in f: await g()``."""
    code = frame.f_code
    # Two parts are enough to find it, and do not depend on where the project lies.
    file = "/".join(Path(code.co_filename).parts[-2:])
    source = linecache.getline(code.co_filename, frame.f_lineno).strip()
    return f"{file}:{frame.f_lineno} in {code.co_name}" + (f": {source}" if source else "")


def label_of(task: asyncio.Task[object]) -> str:
    """Return what to call *task*: its name, unless its loop knows a better one."""
    label: str = getattr(task, "label", "") or task.get_name()
    return label


def where(task: asyncio.Task[object]) -> str:
    """Return the source line at which *task* is, or how it ended."""
    if task.cancelled():
        return "cancelled"
    if task.done():
        # Looking must not count as retrieving: somebody may have to be told later.
        error = getattr(task, "_exception", None)
        return "ended" if error is None else f"raised {steady_repr(error)}"
    frame = own_frame(list(frames(task.get_coro())))
    return "not begun" if frame is None else line_of(frame)


def waits_for(task: asyncio.Task[object]) -> str:
    """
    Return what *task* waits for: the object whose method waits, or what is awaited.

    E.g. ``Lock.acquire of <asyncio.locks.Lock [locked]>``, ``task reader``.
    """
    waiter = getattr(task, "_fut_waiter", None)
    if isinstance(waiter, asyncio.Task):
        return f"task {label_of(waiter)}"
    stack = list(frames(task.get_coro()))
    own = own_frame(stack)
    # Only what was called from the task's own code waits on its behalf.
    for frame in reversed(stack[stack.index(own) + 1 :] if own in stack else []):
        owner = frame.f_locals.get("self")
        if owner is not None:
            return f"{frame.f_code.co_qualname} of {steady_repr(owner)}"
    return "its turn" if waiter is None else steady_repr(waiter)


def describe(task: asyncio.Task[object]) -> str:
    """Return name, source line and what *task* waits for."""
    return f"{label_of(task)}: {where(task)}; waits for {waits_for(task)}"


def _is_wrapper(frame: FrameType) -> bool:
    """Tell whether *frame* belongs to Python, to an installed package, or hides."""
    file = frame.f_code.co_filename
    is_library = file.startswith((STDLIB, "<frozen")) or "site-packages" in file
    return is_library or bool(frame.f_locals.get("__tracebackhide__"))
