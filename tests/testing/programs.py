"""What tests run on loops of virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from damon_async.testing.explore import ScheduleFailure, replay
from damon_async.testing.loops import VirtualTimeLoop

Program = Callable[[], Coroutine[Any, Any, object]]


def played(program: Program) -> tuple[Any, float]:
    """Run *program* on a new loop; return its result and what time it is then."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(program())
        return result, runner.get_loop().time()


def failure_of(program: Program, **options: Any) -> BaseException:
    """Return what is wrong with *program* under first come, first served."""
    try:
        replay(program, "", **options)
    except ScheduleFailure as failure:
        return failure.error
    msg = "it did not fail"
    raise AssertionError(msg)
