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
from .parking import Loop, Waiter, new_waiter, running_loop, wake


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
        # A full deque drops its oldest by itself.
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
        # Nobody waits: the reader is at work on an earlier one, or is no more.
        if self.waiter is not None:
            self._wake(self.waiter)
        return nr_dropped

    def finish(self) -> None:
        """Take note that there will be no more."""
        self.is_open = False
        # A reader may be at work on the last one. Nothing it could miss comes after.
        self.hold.close()
        if self.waiter is not None:
            wake(self.waiter)

    def close(self) -> None:
        """Take note that nobody reads any more. Idempotent."""
        self.finish()
        # Whoever read until now may want to stop the kdamond before time moves on.
        self._clock.settle()
        self._forget(self)

    def _wake(self, waiter: Waiter) -> None:
        """Wake the subscriber and see that it runs before time moves on."""
        if not self.is_lossless:
            self._clock.settle()
        elif not waiter.done():
            # Taken for it already now: between waking and running is time to lose.
            self.hold.take()
        wake(waiter)


class Subscription(AsyncIterator[Snapshot]):
    """
    The snapshots of one kdamond, for ``async for``, ideally inside ``async with``.

    Ends when the kdamond has ended and all that was kept has been read. One that
    is dropped without being closed closes itself.

    Lossless in virtual time: from the moment a snapshot is handed out until the
    next one is asked for, time stands still, unless whoever works on it waits for
    the engine or the kdamond has ended. Lossless in real time: nothing can be
    held, so what is not read is kept, without a limit; see ``nr_buffered``.
    Otherwise only the newest are kept, and ``nr_dropped`` counts the rest.

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
        # Without it, whoever leaves a loop over snapshots by break would hold time
        # for ever. Garbage may be collected in any thread, and after the loop is gone.
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
        # Whoever comes for the next one is done with the one before.
        mailbox.hold.release()
        if not mailbox.buffer and mailbox.is_open:
            await self._wait(mailbox)
        if not mailbox.buffer:
            raise StopAsyncIteration
        # Known to this task from now on, so that its own waits lift the hold.
        if mailbox.is_lossless and mailbox.is_open:
            mailbox.hold.take_over()
        # Taken out only now, after the last await: a cancelled wait loses nothing.
        return mailbox.buffer.popleft()

    async def _wait(self, mailbox: Mailbox) -> None:
        """Wait until there is a snapshot or there will be none."""
        mailbox.waiter = new_waiter()
        try:
            # A reader of two kdamonds has a snapshot of the other one in hand.
            with TimePasses():
                await mailbox.waiter
        except BaseException:
            # Taken on its behalf as it was woken; it will not come for it.
            mailbox.hold.release()
            raise
        finally:
            mailbox.waiter = None


class Publisher:
    """
    Hands the snapshots of one kdamond to all who subscribed.

    Args:
        clock: The kdamond's.

        name: The kdamond's.

    Attributes:
        nr_snapshots: How many were published.

        nr_dropped: How many slow subscribers, all together, did not get to see.
    """

    def __init__(self, clock: Clock, name: str) -> None:
        self.nr_snapshots = 0
        self.nr_dropped = 0
        self._clock = clock
        self._name = name
        self._has_finished = False
        # A dict for its order: snapshots go to the oldest subscription first, and
        # the order in which tasks wake must be the same in each run.
        self._mailboxes: dict[Mailbox, None] = {}

    @property
    def nr_subscribers(self) -> int:
        """How many subscriptions are open."""
        return len(self._mailboxes)

    def subscribe(self, *, lossless: bool, buffer: int | None) -> Subscription:
        """
        Return a new subscription, over at once if there will be no more snapshots.

        Args:
            lossless: Keep everything.

            buffer: Otherwise, keep so many of the newest; None means 1.

        Raises:
            InvalidError: If *buffer* is below 1, or given although *lossless*.
        """
        capacity = _capacity(lossless=lossless, buffer=buffer)
        # Asked for before anything is made: outside of a loop nothing is left half done.
        loop = running_loop()
        mailbox = Mailbox(self._clock, capacity, self._name, self._forget)
        if self._has_finished:
            mailbox.finish()
        else:
            self._mailboxes[mailbox] = None
        # The mailbox alone is kept here. The subscription is the reader's, so that
        # one who drops it is noticed.
        return Subscription(mailbox, loop)

    def publish(self, *snapshots: Snapshot) -> None:
        """Put *snapshots*, in order, into every mailbox."""
        self.nr_snapshots += len(snapshots)
        for mailbox in self._mailboxes:
            for snapshot in snapshots:
                self.nr_dropped += mailbox.put(snapshot)

    def finish(self) -> None:
        """Tell all subscribers that there will be no more."""
        self._has_finished = True
        for mailbox in self._mailboxes:
            mailbox.finish()
        self._mailboxes.clear()

    def _forget(self, mailbox: Mailbox) -> None:
        """Hand out nothing more to *mailbox*."""
        self._mailboxes.pop(mailbox, None)


def _capacity(*, lossless: bool, buffer: int | None) -> int | None:
    """
    Return how many snapshots a mailbox keeps, None for all.

    Raises:
        InvalidError: If *buffer* is below 1, or given although *lossless*.
    """
    # Not ignored: whoever gives both expects something that does not happen.
    if lossless and buffer is not None:
        msg = "a lossless subscription keeps everything; leave buffer out"
        raise InvalidError(msg)
    if buffer is not None and buffer < 1:
        msg = f"buffer is {buffer}; at least 1"
        raise InvalidError(msg)
    return None if lossless else buffer or 1
