"""
An event loop in which time does not pass but jumps, for any asyncio or anyio code.

An hour of sleeping takes no longer than what is done in between, and if nothing
can ever run again, the loop says so instead of hanging.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable
from concurrent.futures import Executor
from contextvars import Context
from enum import Enum
from heapq import heappush
from typing import Any, TypeVar, TypeVarTuple

from .waits import describe

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

PATIENCE_S = 0.05
"""Real time for which those who may act from outside are given a chance, in seconds."""

SILENCE_S = 10.0
"""Real time after which their silence is taken for good, in seconds."""


class DeadlockError(RuntimeError):
    """
    Nothing can run, nothing is scheduled, and yet a result is waited for.

    Args:
        waits: One sentence for each task that is left: its name, the source line
            at which it is, and what it waits for.
    """

    def __init__(self, waits: Iterable[str]) -> None:
        self.waits = tuple(waits)
        super().__init__(self.waits)

    def __str__(self) -> str:
        head = f"deadlock: nothing is runnable or scheduled, and {len(self.waits)} tasks wait"
        return "\n  ".join([head, *self.waits])


class Outside(Enum):
    """Who but the loop itself may make something runnable."""

    NOBODY = "nobody"
    """So time may jump."""

    PERHAPS = "perhaps"
    """A file is watched, or a thread was started that may call back."""

    AT_WORK = "at work"
    """An executor or a child process, which will tell when it is done."""


class Timer(asyncio.TimerHandle):
    """
    A timer that knows its turn among those of the same instant.

    In real time no two timers are due at once, and asyncio does not care which one
    its heap puts first. In virtual time it is the rule, and order must be kept.

    Args:
        number: How many timers were made before.

        when: When it is due.

        call: Callback, arguments, loop and context.
    """

    __slots__ = ("_number",)
    # Whether it is in the heap; the loop counts cancelled ones by it.
    _scheduled: bool

    def __init__(self, number: int, when: float, *call: Any) -> None:
        super().__init__(when, *call)
        self._number = number
        self._scheduled = True

    def __lt__(self, other: asyncio.TimerHandle) -> bool:
        if isinstance(other, Timer) and self.when() == other.when():
            return self._number < other._number
        return self.when() < other.when()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    An event loop whose time jumps to the next timer when nothing is runnable.

    Time begins at 0, and a timer finds exactly the time it was set for. Timers of
    the same instant go off in the order in which they were set; everything else is
    as on any loop of asyncio. The class is a loop factory for ``asyncio.Runner``,
    pytest-asyncio and anyio.

    What happens outside takes real time, so the loop looks before it jumps:

    - While executors work or child processes run, time passes as it really does.
    - While files are watched, or threads run that were started after the loop was
      made, time passes as it really does for *patience_s*, in case they have
      something to say, and then jumps. If there is no timer, silence for
      *silence_s* is a deadlock.
    - Otherwise nobody can call, and time jumps at once.

    Args:
        patience_s: As above, in seconds of real time.

        silence_s: As above, in seconds of real time.

    Raises:
        DeadlockError: From ``run_until_complete``, if nothing is runnable and
            nothing is scheduled. ``run_forever`` waits, as it must on any loop.
    """

    # What asyncio's own loops are made of, from Python 3.11 to 3.14 at least.
    _ready: deque[asyncio.Handle]
    _scheduled: list[Timer]
    _stopping: bool
    _selector: Any
    _internal_fds: int
    _clock_resolution: float
    _asyncgens: Collection[object]
    _default_executor: Executor | None
    _process_events: Callable[[Any], None]

    def __init__(self, *, patience_s: float = PATIENCE_S, silence_s: float = SILENCE_S) -> None:
        super().__init__()
        self._patience_s = patience_s
        self._silence_s = silence_s
        self._is_awaited = False
        self._nr_jobs = 0
        self._nr_timers = 0
        self._children: list[asyncio.SubprocessTransport] = []
        # Threads that were there before, e.g. of a test runner, know nothing of us.
        self._threads_before = frozenset(threading.enumerate())
        self._move_to(0.0)

    def time(self) -> float:
        """Virtual time, in seconds since the loop was made."""
        return self._now_s

    def run_until_complete(
        self, future: Generator[Any, None, Result] | Awaitable[Result]
    ) -> Result:
        """
        Run until *future* is done, and return its result.

        Raises:
            DeadlockError: If it never will be.
        """
        self._is_awaited = True
        try:
            return super().run_until_complete(future)
        finally:
            self._is_awaited = False

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        """Have *func* called in a thread or process, while time passes as it really does."""
        future = super().run_in_executor(executor, func, *args)
        self._nr_jobs += 1
        future.add_done_callback(self._job_ended)
        return future

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """Wait for the threads of the executor; its patience is meant in real time."""
        self._nr_jobs += 1
        try:
            await super().shutdown_default_executor(*args, **options)
        finally:
            self._job_ended()

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Have *callback* called at *when*; of one instant, who asks first is called first."""
        if self.is_closed():
            msg = "Event loop is closed"
            raise RuntimeError(msg)
        self._nr_timers += 1
        timer = Timer(self._nr_timers, when, callback, args, self, context)
        heappush(self._scheduled, timer)
        return timer

    # -- Outside -------------------------------------------------------------

    def _job_ended(self, _: object = None) -> None:
        self._nr_jobs -= 1

    async def _make_subprocess_transport(self, *args: Any, **options: Any) -> Any:
        """Start a child process, and take note of it."""
        transport = await super()._make_subprocess_transport(*args, **options)  # type: ignore[misc]
        self._children.append(transport)
        return transport

    def _outside(self) -> Outside:
        """Return who may make something runnable."""
        if self._children:
            self._children = [each for each in self._children if each.get_returncode() is None]
        if self._nr_jobs or self._children:
            return Outside.AT_WORK
        if len(self._selector.get_map()) > self._internal_fds:
            return Outside.PERHAPS
        is_alone = self._threads_before.issuperset(threading.enumerate())
        return Outside.NOBODY if is_alone else Outside.PERHAPS

    # -- One turn ------------------------------------------------------------

    def _run_once(self) -> None:
        """Do one turn as asyncio does, which finds something to do and never waits."""
        if not (self._ready or self._stopping):
            self._wait()
        super()._run_once()  # type: ignore[misc]

    def _wait(self) -> None:
        """Have something to do: from outside, or by a jump."""
        # What happened already takes no time, e.g. bytes between two sockets of ours.
        self._poll(0)
        while not self._ready:
            timer_s = self._first_timer_s()
            outside = self._outside()
            if self._listen(outside, timer_s):
                continue
            if timer_s is None and outside is not Outside.AT_WORK:
                self._give_up()
                return
            if timer_s is not None:
                # Timers may be set for the past; time does not go there.
                self._move_to(max(self._now_s, timer_s))
                return

    def _listen(self, outside: Outside, timer_s: float | None) -> bool:
        """Give those outside the real time they are due; tell whether they used it."""
        if outside is Outside.NOBODY:
            return False
        left_s = math.inf if timer_s is None else max(0.0, timer_s - self._now_s)
        limit_s = left_s
        if outside is Outside.PERHAPS:
            limit_s = min(left_s, self._silence_s if timer_s is None else self._patience_s)
        began_s = time.monotonic()
        self._poll(None if limit_s == math.inf else limit_s)
        elapsed_s = time.monotonic() - began_s
        # Interrupted is the same as called: whoever comes back will wait again.
        if self._ready or elapsed_s < limit_s:
            self._move_to(self._now_s + min(elapsed_s, left_s))
            return True
        return False

    def _poll(self, timeout_s: float | None) -> None:
        """Wait until a file or another thread has something to say."""
        self._process_events(self._selector.select(timeout_s))

    def _first_timer_s(self) -> float | None:
        """Return when the first timer is due that was not cancelled."""
        scheduled = self._scheduled
        if scheduled and scheduled[0].cancelled():
            # The turn that follows drops them from the front, so this is rare.
            return min((each.when() for each in scheduled if not each.cancelled()), default=None)
        return scheduled[0].when() if scheduled else None

    def _move_to(self, now_s: float) -> None:
        """Let it be *now_s*."""
        self._now_s = now_s
        # asyncio rings timers that are due in less than this: none but those of now.
        # Any more, and code that finds it too early would set its timer again, for ever.
        self._clock_resolution = math.ulp(now_s)

    def _give_up(self) -> None:
        """Tell that nothing will ever happen, if that matters to anybody."""
        if self._is_awaited:
            tasks = sorted(asyncio.all_tasks(self), key=_age)
            raise DeadlockError(describe(task) for task in tasks)


def running_loop_or_none() -> asyncio.AbstractEventLoop | None:
    """Return the loop this runs in, None outside of any."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _age(task: asyncio.Task[object]) -> tuple[int, list[tuple[int, str]]]:
    """Order tasks by number, or else by name, and then Task-9 before Task-10."""
    parts = re.split(r"(\d+)", task.get_name())
    natural = [(int(part) if part.isdigit() else 0, part) for part in parts]
    return getattr(task, "number", 0), natural
