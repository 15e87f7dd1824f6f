"""
Who may run together: any number of non-exclusive groups, or one exclusive group.

The kernel answers at once, and so does ``admit_nowait``. ``admit`` is for those
who would rather wait: strictly first come, first served.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

from ..errors import BusyError, InvalidError
from .parking import AlreadySettled, Waiter, new_waiter


@dataclass(frozen=True, slots=True)
class GateStatistics:
    """
    What a gate looks like at one instant.

    Attributes:
        nr_running: Contexts that were let in and have not left.

        running_exclusive: Whether they were let in exclusively.

        nr_waiting: Requests in the queue.

        nr_waiting_exclusive: Those of them that are exclusive.
    """

    nr_running: int
    running_exclusive: bool
    nr_waiting: int
    nr_waiting_exclusive: int


Request: TypeAlias = tuple[Waiter, int, bool]
"""A place in the queue: who waits, for how many contexts, whether exclusively."""


class AdmissionGate:
    """
    Counts running contexts and tells who may join them.

    The exclusive flag falls only when the *last* running context leaves: what is
    left of an exclusive group keeps everybody else out.

    Every operation is O(1), amortised over those that were cancelled; none
    awaits while the state is inconsistent. Neither thread-safe nor re-entrant,
    and it has no owner: anybody may call ``leave``.

    Source:
        spec core 3.1 and 3.2.
        Differs: requests may wait. As long as any does, ``admit_nowait`` refuses
        as well, or a stream of non-exclusive requests would starve an exclusive
        one. Where nobody waits, the answers are the kernel's.
    """

    __slots__ = (
        "_hold",
        "_hold_exclusive",
        "_is_exclusive",
        "_nr_cancelled",
        "_nr_running",
        "_queue",
    )

    def __init__(self) -> None:
        self._nr_running = 0
        # Invariants between any two operations: the flag implies that something
        # runs, and the first request of the queue is one that cannot be let in.
        self._is_exclusive = False
        # Cancelled requests stay where they are until they reach the front or
        # outnumber the others: taking one out of the middle would be O(n).
        self._queue: deque[Request] = deque()
        self._nr_cancelled = 0
        # Made once, because a hold is stateless and most are for one context.
        self._hold = Hold(self, 1, exclusive=False)
        self._hold_exclusive = Hold(self, 1, exclusive=True)

    def __repr__(self) -> str:
        now = self.statistics()
        exclusively = " exclusively" if now.running_exclusive else ""
        return f"<AdmissionGate {now.nr_running} running{exclusively}, {now.nr_waiting} waiting>"

    @property
    def nr_running(self) -> int:
        """How many contexts are inside."""
        return self._nr_running

    @property
    def running_exclusive(self) -> bool:
        """Whether those inside keep everybody else out."""
        return self._is_exclusive

    def statistics(self) -> GateStatistics:
        """Return what the gate looks like now; takes a look at each request."""
        waiting = [exclusive for waiter, _, exclusive in self._queue if not waiter.done()]
        return GateStatistics(
            self._nr_running,
            self._is_exclusive,
            len(waiting),
            sum(waiting),
        )

    def admit_nowait(self, n: int = 1, *, exclusive: bool = False) -> None:
        """
        Let *n* contexts in now, or refuse.

        Args:
            n: How many; 0 asks whether a group would be let in, and takes nothing.

            exclusive: Alone, instead of together with other non-exclusive ones.

        Raises:
            BusyError: If an exclusive group is inside, if *exclusive* and anything
                is inside, or if an earlier request is waiting.

            InvalidError: If *n* is negative.

        Source:
            spec core 3.2 step 2; rows A1 to A5.
        """
        if n < 0:
            raise _negative(n)
        if self._queue:
            # A request at the front may have been cancelled an instant ago.
            self.leave(0)
        if self._queue or (self._nr_running and (exclusive or self._is_exclusive)):
            group = "an exclusive group" if exclusive else "a group"
            raise BusyError(f"start {group}", self._obstacle())
        self._take(n, exclusive=exclusive)

    async def admit(self, n: int = 1, *, exclusive: bool = False) -> None:
        """
        Wait until *n* contexts may come in, and let them in.

        Fair: no later request overtakes an earlier one, whatever it is;
        neighbouring non-exclusive requests are let in together. Does not yield to
        the event loop if it need not wait. Cancelled before it was let in, it
        leaves the queue and those behind it move up; cancelled after, its places
        are given back.

        Args:
            n: How many; 0 waits for its turn, and takes nothing.

            exclusive: Alone, instead of together with other non-exclusive ones.

        Raises:
            InvalidError: If *n* is negative.
        """
        if n < 0:
            raise _negative(n)
        if not (self._queue or (self._nr_running and (exclusive or self._is_exclusive))):
            # _take, written out for performance: this is all that most stays cost.
            self._nr_running += n
            if exclusive and n:
                self._is_exclusive = True
            return
        waiter = new_waiter()
        self._queue.append((waiter, n, exclusive))
        # Those in front may all have been cancelled an instant ago.
        self.leave(0)
        try:
            await waiter
        except BaseException:
            # Let in, and cancelled before this task had its turn: the places are
            # ours, and nobody else knows.
            if waiter.done() and not waiter.cancelled():
                self.leave(n)
            else:
                self._forget_cancelled(waiter)
            raise

    def leave(self, n: int = 1) -> None:
        """
        Let *n* contexts out, and in whoever waits and now may come in.

        Args:
            n: How many. They need not have come in together. 0 changes nothing
                but sweeps cancelled requests from the front of the queue.

        Raises:
            InvalidError: If *n* is negative or more than are inside.

        Source:
            spec core 3.4 step 3.
        """
        left = self._nr_running - n
        if n < 0 or left < 0:
            msg = f"{n} contexts cannot leave, {self._nr_running} are running"
            raise InvalidError(msg)
        # In local variables until the end, for performance: this is the hand-over,
        # and with thousands of waiters it is all there is. Waking calls nobody back
        # before the loop's next turn, so nobody sees it half done.
        is_exclusive = self._is_exclusive and left > 0
        queue = self._queue
        while queue:
            # One that was cancelled but is still here does not stop the queue, and
            # is sorted out below.
            if left and (is_exclusive or queue[0][2]) and not queue[0][0].cancelled():
                break
            waiter, size, exclusive = queue.popleft()
            # Cheaper than to look first: almost no request is ever cancelled.
            try:
                waiter.set_result(None)
            except AlreadySettled:
                continue
            left += size
            # Nobody joins an exclusive group, so there is no need to look further;
            # an empty one took nothing (A1), and the next may come in as well.
            if exclusive and size:
                is_exclusive = True
                break
        self._nr_running = left
        self._is_exclusive = is_exclusive

    def hold(self, n: int = 1, *, exclusive: bool = False) -> Hold:
        """
        Return what ``async with`` comes in with, waiting, and leaves with.

        Args:
            n: How many contexts.

            exclusive: Alone, instead of together with other non-exclusive ones.
        """
        if n == 1:
            return self._hold_exclusive if exclusive else self._hold
        return Hold(self, n, exclusive=exclusive)

    def _take(self, n: int, *, exclusive: bool) -> None:
        """Count *n* contexts in; an empty group never sets the flag (A1)."""
        self._nr_running += n
        if exclusive and n:
            self._is_exclusive = True

    def _forget_cancelled(self, waiter: Waiter) -> None:
        """Clean up after a request that was cancelled before it was let in."""
        waiter.cancel()  # closing a coroutine does not cancel what it awaits
        self.leave(0)
        # Counts some that are gone already. It only means cleaning up sooner, and
        # never before as many were cancelled as there are requests to look at.
        self._nr_cancelled += 1
        if 2 * self._nr_cancelled > len(self._queue):
            self._queue = deque(each for each in self._queue if not each[0].cancelled())
            self._nr_cancelled = 0

    def _obstacle(self) -> str:
        """Say what keeps others out."""
        now = self.statistics()
        if now.running_exclusive:
            return f"an exclusive group of {now.nr_running} is running"
        if now.nr_waiting:
            return f"{now.nr_waiting} earlier requests are waiting"
        return f"{now.nr_running} contexts are running"


class Hold:
    """
    A stay inside a gate, for ``async with``; may be used again and shared.

    Made by ``AdmissionGate.hold``.
    """

    __slots__ = ("_exclusive", "_gate", "_n")

    def __init__(self, gate: AdmissionGate, n: int, *, exclusive: bool) -> None:
        self._gate = gate
        self._n = n
        self._exclusive = exclusive

    def __repr__(self) -> str:
        kind = "exclusive" if self._exclusive else "non-exclusive"
        return f"<Hold {self._n} {kind} of {self._gate!r}>"

    def __aenter__(self) -> Coroutine[Any, Any, None]:
        # Not a coroutine of its own around another one, for performance.
        return self._gate.admit(self._n, exclusive=self._exclusive)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._gate.leave(self._n)


def _negative(n: int) -> InvalidError:
    return InvalidError(f"a group of {n} contexts; at least 0")
