"""What engine tests monitor, and what keeps them from hanging."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from damon_async.arrays import BoolArray, IntArray
from damon_async.params.monitoring import Context, Ops, Target

AGGR_US = 100_000
"""The default aggregation interval."""

HANG_SECONDS = 30
"""Tests take milliseconds. Whatever takes so long has hung."""


class Hung(SystemExit):
    """
    A test hangs.

    Not an ``Exception``, and not any other one either: event loops hand what
    a signal handler raises to their exception handler and go on hanging.
    """

    def __init__(self) -> None:
        super().__init__(f"hung for {HANG_SECONDS} s")


@contextmanager
def hang_guard() -> Iterator[None]:
    """Raise ``Hung`` in a block that hangs, also if it never yields to the loop."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def endless(**fields: Any) -> Context:
    """Return a context that never ends by itself and costs nothing: paddr without targets."""
    return Context(ops=Ops.PADDR, **fields)


def over_at_once() -> Context:
    """Return a context that ends as soon as it begins: vaddr without targets (A11)."""
    return Context(ops=Ops.VADDR)


@dataclass
class Memory:
    """
    An operations set over 64 MiB, the first eighth of which is hot.

    Attributes:
        lifetime: When it vanishes, in microseconds.

        pure: Whether whole windows may be asked for.

        refuses: Raised when a monitor is made for it.

        fails_at_us: From then on, looking at it raises.

        looks: Called at each look with the instant it is about.

        maps: Called with the instant when its ranges are asked for.
    """

    lifetime: int | None = None
    pure: bool = True
    refuses: BaseException | None = None
    fails_at_us: int | None = None
    looks: list[Callable[[int], object]] = field(default_factory=list)
    maps: list[Callable[[int], object]] = field(default_factory=list)

    ends_with_targets = True

    def is_pure(self, target: Target) -> bool:
        return self.pure

    def lifetime_us(self, target: Target) -> int | None:
        if self.refuses is not None:
            raise self.refuses
        return self.lifetime

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray | None:
        for each in self.maps:
            each(now_us)
        return np.array([[0, 1 << 26]], np.int64)

    def accessed(
        self, target: Target, addresses: IntArray, since_us: IntArray, until_us: IntArray
    ) -> BoolArray:
        until = int(until_us.max())
        for look in self.looks:
            look(until)
        if self.fails_at_us is not None and until >= self.fails_at_us:
            msg = "this memory is broken"
            raise OSError(msg)
        return addresses < (1 << 23)


def watched(memory: Memory | None = None, **fields: Any) -> Context:
    """Return a context with one target in *memory*."""
    return Context(ops=memory or Memory(), targets=[Target()], **fields)


async def turns(nr: int = 30) -> None:
    """Let the event loop turn *nr* times: enough for all that was woken to come to rest."""
    for _ in range(nr):
        await asyncio.sleep(0)
