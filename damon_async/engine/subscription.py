"""How snapshots get from a kdamond to those who asked for them."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from ..errors import BusyError, InvalidError
from ..records.snapshot import Snapshot
from .clock import Clock
from .holding import TimeHold, TimePasses
from .parking import Loop, Waiter, new_waiter, wake


class Mailbox:
    """
    What a kdamond knows of one subscriber.

    It never waits for the subscriber and never fails because of it.

    Args:
        clock: Lets subscribers that were woken run before time moves on.

        capacity: Snapshots kept for a slow subscriber; None keeps all.

        name: Whose snapshots these are, for people.

        forget: Called once, when nobody reads the mailbox any more.
    """

    __slots__ = ("_clock", "_forget", "buffer", "hold", "is_open", "nr_dropped", "waiter")

    def __init__(
        self,
        clock: Clock,
        capacity: int | None,
        name: str,
        forget: Callable[[Mailbox], None],
    ) -> None:
        self.buffer: deque[Snapshot] = deque(maxlen=capacity)
        self.hold = TimeHold(clock, f"a subscriber of {name}")
        self.waiter: Waiter | None = None
        self.nr_dropped = 0
        self.is_open = True
        self._clock = clock
        self._forget = forget

    @property
    def is_lossless(self) -> bool:
        """Whether everything is kept, and virtual time held for it."""
        return self.buffer.maxlen is None

    def put(self, snapshot: Snapshot) -> int:
        """Hand *snapshot* over; return how many older ones had to go for it, 0 or 1."""
        nr_dropped = int(len(self.buffer) == self.buffer.maxlen)
        self.nr_dropped += nr_dropped
        self.buffer.append(snapshot)
        if self.waiter is not None:
            self._wake(self.waiter)
        return nr_dropped

    def finish(self) -> None:
        """Take note that there will be no more."""
        self.is_open = False
        if self.waiter is not None:
            wake(self.waiter)

    def close(self) -> None:
        """Take note that nobody reads any more. Idempotent."""
        self.finish()
        self.hold.close()
        self._forget(self)

    def _wake(self, waiter: Waiter) -> None:
        """Wake the subscriber and see that it runs before time moves on."""
        if self.is_lossless and not waiter.done():
            # Taken for it already now: between waking and running is time to lose.
            self.hold.take()
        self._clock.settle()
        wake(waiter)


class Subscription(AsyncIterator[Snapshot]):
    """
    The snapshots of one kdamond, for ``async for``, ideally inside ``async with``.

    Ends when the kdamond has ended and all that was kept has been read. One that
    is dropped without being closed closes itself.

    Lossless in virtual time: from the moment a snapshot is handed out until the
    next one is asked for, time stands still, unless whoever works on it waits for
    the engine, or the kdamond has ended. Lossless in real time: nothing can be held, so what is not read
    is kept, without a limit; see ``nr_buffered``. Otherwise only the newest are
    kept, and ``nr_dropped`` counts the rest.

    Made by ``Kdamond.snapshots``. For one task at a time.
    """

    def __init__(self, mailbox: Mailbox, loop: Loop) -> None:
        self._mailbox = mailbox
        self._loop = loop

    def __repr__(self) -> str:
        kind = "lossless" if self._mailbox.is_lossless else f"{self.nr_dropped} dropped"
        state = "open" if self._mailbox.is_open else "ended"
        return f"<Subscription {state}, {kind}, {self.nr_buffered} buffered>"

    def __del__(self) -> None:
        # Garbage may be collected in any thread, and after the loop is gone.
        if self._mailbox.is_open and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._mailbox.close)

    @property
    def nr_dropped(self) -> int:
        """How many snapshots were dropped because this subscriber was slow."""
        return self._mailbox.nr_dropped

    @property
    def nr_buffered(self) -> int:
        """How many snapshots wait to be read."""
        return len(self._mailbox.buffer)

    def close(self) -> None:
        """
        End the subscription at once; what is buffered can still be drained.

        A task that waits for the next snapshot finds that there is none.
        """
        self._mailbox.close()

    def drain(self) -> list[Snapshot]:
        """Return what is buffered, oldest first, without waiting."""
        snapshots = list(self._mailbox.buffer)
        self._mailbox.buffer.clear()
        return snapshots

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Snapshot:
        """
        Wait for the next snapshot.

        Cancelling it loses nothing: the snapshot stays in the buffer.

        Raises:
            StopAsyncIteration: If the kdamond has ended, or the subscription was
                closed, and the buffer is empty.

            BusyError: If another task is waiting here.
        """
        mailbox = self._mailbox
        if mailbox.waiter is not None:
            raise BusyError("wait for snapshots", "another task waits on the same subscription")
        mailbox.hold.release()
        if not mailbox.buffer and mailbox.is_open:
            await self._wait(mailbox)
        if not mailbox.buffer:
            raise StopAsyncIteration
        if mailbox.is_lossless and mailbox.is_open:
            mailbox.hold.take_over()
        return mailbox.buffer.popleft()

    async def _wait(self, mailbox: Mailbox) -> None:
        """Wait until there is a snapshot or there will be none."""
        mailbox.waiter = new_waiter()
        try:
            with TimePasses():
                await mailbox.waiter
        except BaseException:
            mailbox.hold.release()
            raise
        finally:
            mailbox.waiter = None


def check_capacity(*, lossless: bool, buffer: int | None) -> int | None:
    """
    Return how many snapshots a mailbox keeps, None for all.

    Args:
        lossless: Keep all.

        buffer: Keep so many of the newest; None means 1 unless *lossless*.

    Raises:
        InvalidError: If *buffer* is below 1, or given although *lossless*.
    """
    if lossless and buffer is not None:
        msg = "a lossless subscription keeps everything; leave buffer out"
        raise InvalidError(msg)
    if buffer is not None and buffer < 1:
        msg = f"buffer is {buffer}; at least 1"
        raise InvalidError(msg)
    return None if lossless else buffer or 1
