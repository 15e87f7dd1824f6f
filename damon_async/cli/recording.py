"""
One recording: an engine, its kdamonds, and where their snapshots go.

Snapshots are handed on as they come and not kept: an hour of them must not
have to fit into memory.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Final, TypeAlias

import anyio
import structlog
from anyio.abc import TaskStatus

from ..engine.clock import Clock
from ..engine.engine import Damon
from ..engine.kdamond import Kdamond
from ..engine.subscription import Subscription
from ..params.monitoring import Context
from ..records.snapshot import Snapshot

ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What ends a recording early: Ctrl-C, and what ``kill`` and ``timeout`` send."""

Sink: TypeAlias = Callable[[int, Snapshot], object]
"""Gets the index of a kdamond and what it published."""

Tell: TypeAlias = Callable[[int], object]
"""Told how much time has passed since the start, in microseconds."""


class Recording:
    """
    A run of some contexts, from start to end; call ``run`` once.

    The first SIGINT or SIGTERM ends it early, with all that was published up to
    then handed on; the next one has its ordinary effect.

    Args:
        contexts: Started together.

        clock: What time it is.

        seed: Of the engine.

        duration_us: How long at most, in microseconds of the clock; None until
            all kdamonds end by themselves.

        sink: What is done with each snapshot.

        began: Called when everything runs and signals are looked after.

        tell: Called after each snapshot.

    Attributes:
        signal: Which one ended it; None if none did.

        elapsed_us: How long it ran, in microseconds of the clock.
    """

    def __init__(
        self,
        contexts: Iterable[Context],
        *,
        clock: Clock,
        seed: int,
        duration_us: int | None,
        sink: Sink,
        began: Callable[[], object] = lambda: None,
        tell: Tell = lambda _: None,
    ) -> None:
        self.signal: signal.Signals | None = None
        self.elapsed_us = 0
        self._contexts = tuple(contexts)
        self._clock = clock
        self._seed = seed
        self._duration_us = duration_us
        self._sink = sink
        self._began = began
        self._tell = tell
        self._start_us = 0
        self._log = structlog.get_logger().bind()

    async def run(self) -> None:
        """
        Record until it is over.

        Raises:
            BaseException: What ended a kdamond, if that was a failure, or what
                *sink* raised.
        """
        async with Damon(clock=self._clock, seed=self._seed) as damon:
            self._start_us = self._clock.now_us()
            kdamonds = await damon.start(self._contexts)
            try:
                await self._watch(kdamonds)
            except BaseExceptionGroup as group:
                # Callers handle a full disk, not a group.
                raise _first_of(group) from None
        for kdamond in kdamonds:
            if kdamond.error is not None:
                raise kdamond.error

    async def _watch(self, kdamonds: Sequence[Kdamond]) -> None:
        """Hand snapshots on until all kdamonds have ended; see to it that they do."""
        # All of them before anything else has a turn: the first snapshot counts.
        subscriptions = [each.snapshots(lossless=True) for each in kdamonds]
        async with anyio.create_task_group() as watchers:
            await watchers.start(self._stop_on_signal, kdamonds)
            if self._duration_us is not None:
                watchers.start_soon(self._stop_at, self._start_us + self._duration_us, kdamonds)
            self._began()
            async with anyio.create_task_group() as collectors:
                for index, subscription in enumerate(subscriptions):
                    collectors.start_soon(self._collect, index, subscription)
            self.elapsed_us = self._clock.now_us() - self._start_us
            watchers.cancel_scope.cancel()

    async def _collect(self, index: int, subscription: Subscription) -> None:
        async with subscription:
            async for snapshot in subscription:
                self._log.debug("snapshot", kdamond=index, nr_regions=snapshot.nr_regions)
                self._sink(index, snapshot)
                self._tell(snapshot.end_ns // 1000 - self._start_us)

    async def _stop_at(self, end_us: int, kdamonds: Sequence[Kdamond]) -> None:
        await self._clock.sleep_until(end_us)
        _stop(kdamonds)

    async def _stop_on_signal(
        self,
        kdamonds: Sequence[Kdamond],
        *,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        with ExitStack() as stack:
            try:
                signals = stack.enter_context(anyio.open_signal_receiver(*ENDING_SIGNALS))
            except (NotImplementedError, RuntimeError, ValueError):
                # Another thread than the main one, or another system than Unix.
                task_status.started()
                return
            task_status.started()
            self.signal = await anext(signals)
            _stop(kdamonds)


@contextmanager
def signals_restored() -> Iterator[None]:
    """Give signals back their handlers, which the event loop forgets."""
    try:
        before = {signum: signal.getsignal(signum) for signum in ENDING_SIGNALS}
        yield
    finally:
        with suppress(ValueError):
            for signum, handler in before.items():
                signal.signal(signum, handler)


def _stop(kdamonds: Iterable[Kdamond]) -> None:
    for kdamond in kdamonds:
        kdamond.stop_nowait()


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
