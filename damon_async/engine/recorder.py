"""Keeping what kdamonds find: from one of them, or a whole run from start to end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

import anyio

from ..params.monitoring import Context
from ..records.snapshot import Snapshot
from .clock import Clock
from .engine import Damon
from .kdamond import Kdamond
from .virtual_clock import VirtualClock

Sink: TypeAlias = Callable[[Snapshot], object]
"""What is done with each snapshot, e.g. a writer's method."""

IndexedSink: TypeAlias = Callable[[int, Snapshot], object]
"""The same for several contexts; told the index of the one whose snapshot it is."""

Progress: TypeAlias = Callable[[int, int | None], object]
"""Told how much time has passed, and of how much; microseconds, None if open-ended."""


class Recorder:
    """
    Collects every snapshot of one kdamond, from the moment it is made.

    ``run`` it in a task beside the kdamond. Whatever ends it, ``snapshots`` holds
    all that the kdamond had published.

    Args:
        kdamond: Whose snapshots.

        sink: Also called with each; what it raises ends the recorder, not the
            kdamond.

        keep: False leaves them to the sink; a long recording need not fit into
            memory.

    Attributes:
        kdamond: Whose snapshots.

        context: The parameters at the beginning.

        snapshots: In order of time; none unless kept.
    """

    def __init__(self, kdamond: Kdamond, *, sink: Sink | None = None, keep: bool = True) -> None:
        self.kdamond = kdamond
        self.context = kdamond.context
        self.snapshots: list[Snapshot] = []
        self._sink = sink
        self._is_keeping = keep
        # Here and not in run: the task may get its first turn a snapshot too late.
        self._subscription = kdamond.snapshots(lossless=True)

    def __repr__(self) -> str:
        return f"<Recorder {len(self.snapshots)} snapshots of {self.kdamond!r}>"

    async def run(self) -> None:
        """Collect until the kdamond ends; cancelled, until then."""
        async with self._subscription as subscription:
            try:
                async for snapshot in subscription:
                    self._take(snapshot)
            finally:
                # Published, but this task was cancelled before its turn.
                for snapshot in subscription.drain():
                    self._take(snapshot)

    def _take(self, snapshot: Snapshot) -> None:
        if self._is_keeping:
            self.snapshots.append(snapshot)
        if self._sink is not None:
            self._sink(snapshot)


class Recording:
    """
    One run from start to end: an engine of its own, and a recorder per context.

    Args:
        contexts: Started together.

        duration_us: How long, in microseconds of the clock; None until all
            kdamonds end by themselves or somebody stops it.

        seed: Of the engine.

        clock: Of the engine; a virtual one if not given.

        sink: Called with each snapshot and the index of its context. What it
            raises ends the recording.

        keep: False leaves snapshots to the sink; see ``Recorder``.

        progress: Called after each snapshot, for a progress bar.

    Attributes:
        recorders: What was found, in the order of the contexts; empty before
            ``run``, and there to be read however that ends.

        elapsed_us: How long it ran, in microseconds of the clock; 0 until it is over.
    """

    def __init__(
        self,
        contexts: Iterable[Context],
        *,
        duration_us: int | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
        sink: IndexedSink | None = None,
        keep: bool = True,
        progress: Progress | None = None,
    ) -> None:
        self.recorders: list[Recorder] = []
        self.elapsed_us = 0
        self._contexts = tuple(contexts)
        self._duration_us = duration_us
        self._seed = seed
        self._clock = clock or VirtualClock()
        self._sink = sink
        self._is_keeping = keep
        self._progress = progress
        self._start_us = 0
        self._is_stopped = False

    def __repr__(self) -> str:
        return f"<Recording {self.recorders!r}>"

    async def run(self) -> None:
        """
        Start, record, stop. Call it once.

        A snapshot that is due at the very end is still recorded. Cancelled, it
        stops all kdamonds and keeps what there is.

        Raises:
            InvalidError: If a context cannot be monitored as it is.

            BusyError: If a context is given twice.
        """
        async with Damon(clock=self._clock, seed=self._seed) as damon:
            for index, kdamond in enumerate(await damon.start(self._contexts)):
                sink = partial(self._hand_on, index)
                self.recorders.append(Recorder(kdamond, sink=sink, keep=self._is_keeping))
            # Not earlier: in real time, starting takes some.
            self._start_us = self._clock.now_us()
            if self._is_stopped:
                return
            try:
                await self._watch()
            except BaseExceptionGroup as group:
                # What callers handle is a full disk or a broken pipe, not a group.
                raise _first_of(group) from None
            finally:
                self.elapsed_us = self._clock.now_us() - self._start_us

    def stop_nowait(self) -> None:
        """End it early, e.g. from a signal handler; ``run`` returns soon after."""
        self._is_stopped = True
        for recorder in self.recorders:
            recorder.kdamond.stop_nowait()

    async def _watch(self) -> None:
        """Run the recorders until all kdamonds have ended, at the latest on time."""
        # Two groups, because the timer must not keep the recording open: if all
        # kdamonds end by themselves, time would run on to the end for nobody.
        async with anyio.create_task_group() as timer:
            if self._duration_us is not None:
                timer.start_soon(self._stop_at, self._start_us + self._duration_us)
            async with anyio.create_task_group() as tasks:
                for recorder in self.recorders:
                    tasks.start_soon(recorder.run)
            timer.cancel_scope.cancel()

    async def _stop_at(self, end_us: int) -> None:
        """Wait for the end and stop all kdamonds."""
        # At one instant kdamonds go first, so the last snapshot has been published.
        await self._clock.sleep_until(end_us)
        self.stop_nowait()

    def _hand_on(self, index: int, snapshot: Snapshot) -> None:
        """Pass *snapshot* on, and tell how far it is."""
        if self._sink is not None:
            self._sink(index, snapshot)
        if self._progress is not None:
            elapsed_us = snapshot.end_ns // 1000 - self._start_us
            self._progress(elapsed_us, self._duration_us)


def _first_of(error: BaseException) -> BaseException:
    """Return the first exception of a group of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def record(
    contexts: Iterable[Context],
    *,
    duration_us: int | None = None,
    seed: int | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> list[Recorder]:
    """
    Record *contexts* from start to end; see ``Recording``, whose arguments these are.

    Returns:
        One recorder per context. ``recorder.kdamond.error`` tells whether one
        failed.
    """
    recording = Recording(
        contexts, duration_us=duration_us, seed=seed, clock=clock, progress=progress
    )
    await recording.run()
    return recording.recorders
