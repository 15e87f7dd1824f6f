"""A recording that Ctrl-C and SIGTERM end early, with what it has."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

import anyio
from anyio.abc import TaskStatus

from ..engine.recorder import Recording

ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What ends a recording early: Ctrl-C, and what ``kill`` and ``timeout`` send."""


def run_recording(
    recording: Recording, began: Callable[[], object] = lambda: None
) -> signal.Signals | None:
    """
    Run a recording to its end; the first signal ends it early, the next one hard.

    Args:
        recording: Not yet run.

        began: Called as soon as signals are looked after.

    Returns:
        The signal that ended it; None if none did.

    Raises:
        BaseException: What ended a kdamond, if that was a failure, or what the
            recording itself raises.
    """
    # Asyncio, and not its faster relatives: most of the time goes into arrays.
    watch = _Watch(recording, began)
    with _signals_restored():
        anyio.run(watch.run)
    # The engine keeps what ends a kdamond to itself, lest it take others along.
    for recorder in recording.recorders:
        if recorder.kdamond.error is not None:
            raise recorder.kdamond.error
    return watch.signal


class _Watch:
    """A recording and, beside it, somebody who waits for signals."""

    def __init__(self, recording: Recording, began: Callable[[], object]) -> None:
        self.signal: signal.Signals | None = None
        self._recording = recording
        self._began = began

    async def run(self) -> None:
        try:
            async with anyio.create_task_group() as watchers:
                # Before anything runs, so that no signal falls through.
                await watchers.start(self._stop_on_signal)
                self._began()
                await self._recording.run()
                watchers.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            # Callers handle a full disk or a damaged trace, not a group.
            raise group.exceptions[0] from None

    async def _stop_on_signal(
        self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with ExitStack() as stack:
            try:
                signals = stack.enter_context(anyio.open_signal_receiver(*ENDING_SIGNALS))
            except (NotImplementedError, RuntimeError, ValueError):
                # Another thread than the main one, or another system than Unix.
                task_status.started()
                return
            task_status.started()
            # Only the first: leaving the block gives the next one its old effect.
            self.signal = await anext(signals)
            self._recording.stop_nowait()


@contextmanager
def _signals_restored() -> Iterator[None]:
    """Give signals back their handlers, which the event loop forgets."""
    before = {signum: signal.getsignal(signum) for signum in ENDING_SIGNALS}
    try:
        yield
    finally:
        # Only the main thread may; no other had them taken away.
        with suppress(ValueError):
            for signum, handler in before.items():
                signal.signal(signum, handler)
