"""
The engine: starts and stops kdamonds, as many or as few as the gate lets in.

``Damon`` is the scope in which kdamonds live. Whatever happens inside, none of
them is left when it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeVar

import anyio
import numpy as np
import structlog

from ..errors import BusyError, InvalidError, NoMemoryError, NotRunningError
from ..monitor.monitor import Monitor
from ..operations.metrics import Metrics
from ..operations.registry import operations_for
from ..params.monitoring import Context
from ..spaces.space import Space
from .clock import Clock, RealClock
from .crew import Crew
from .gate import AdmissionGate
from .group import checked, ops_name
from .holding import TimeHold, TimePasses
from .kdamond import Kdamond
from .observing import Observers
from .presets import Preset
from .user_functions import DEADLINE_US

Enabled = TypeVar("Enabled")


class Admission(StrEnum):
    """Which kernel's rules a start and a stop follow; who may run with whom is the same."""

    CLASSIC = "classic"
    """
    5.18 to 7.1. If a context of a group cannot start, those before it go on
    running; a stop ends at the first context that does not run.
    """

    MODERN = "modern"
    """
    Later. All contexts are checked before any starts, and a group starts as a
    whole or not at all; a stop passes over contexts that do not run.
    """


class Damon:
    """
    A scope in which contexts are monitored, one task each; use ``async with``.

    Leaving the scope, in whatever way, stops what still runs and waits for it.
    Exceptions of the body come out as they are, not in a group: kdamonds have
    none to add.

    Args:
        clock: What time it is; the machine's if not given.

        seed: Where all randomness comes from: same seed, same starts in the same
            order, same virtual time, same result, to the byte. If not given, it
            is different each time.

        admission: Which kernel's rules to follow, also as text.

        metrics: The machine that watermarks and goals of schemes ask; without
            one, watermarks keep every scheme active.

        user_deadline_us: After how long an action or metric of the user is
            cancelled, in microseconds of the clock; in real time as well.

    Attributes:
        clock: As above.

        admission: As above.

        gate: Who runs, and who waits to.

    Raises:
        InvalidError: If *seed* is negative or *admission* is unknown.

    Source:
        spec core 3.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        admission: Admission | str = Admission.CLASSIC,
        metrics: Metrics | None = None,
        user_deadline_us: int = DEADLINE_US,
    ) -> None:
        if seed is not None and seed < 0:
            msg = f"seed is {seed}; at least 0"
            raise InvalidError(msg)
        if admission not in Admission.__members__.values():
            msg = f"{admission!r} is no way to admit; use one of {', '.join(Admission)}"
            raise InvalidError(msg)
        # Made here and not in the signature, where it would begin at import.
        self.clock = clock or RealClock()
        self.admission = Admission(admission)
        self._metrics = metrics
        self._user_deadline_us = user_deadline_us
        self.gate = AdmissionGate()
        self._seeds = np.random.SeedSequence(seed)
        self._log = structlog.get_logger()
        # By the identity of the context: two contexts that say the same are two.
        self._running: dict[int, Kdamond] = {}
        self.observers = Observers()
        # The kernel's lock around a start. The gate needs none, and the end of a
        # kdamond must not wait for one.
        self._start_lock = anyio.Lock()
        self._crew = Crew()

    def __repr__(self) -> str:
        state = "open" if self._crew.is_open else "not open"
        return f"<Damon {state}, {self.admission}, {self.gate!r}, {self.clock!r}>"

    async def __aenter__(self) -> Self:
        await self._crew.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Asked to stop, not cancelled: it makes no difference to when they end, but
        # to what they say of themselves. No await may come before the crew closes,
        # or a start under way would add one that nobody asked.
        for kdamond in self.kdamonds:
            kdamond.stop_nowait()
        with TimePasses():
            await self._crew.close()

    @property
    def kdamonds(self) -> tuple[Kdamond, ...]:
        """Those that run, in the order in which they were started."""
        return tuple(self._running.values())

    @property
    def nr_running(self) -> int:
        """How many contexts run; those of a start under way count already."""
        return self.gate.nr_running

    @property
    def running_exclusive(self) -> bool:
        """Whether what runs keeps everybody else out."""
        return self.gate.running_exclusive

    # -- Requests ------------------------------------------------------------

    async def start(
        self,
        contexts: Iterable[Context],
        *,
        exclusive: bool = False,
        wait: bool = False,
    ) -> list[Kdamond]:
        """
        Start one kdamond per context, and wait until each has begun.

        Cancelled, it stops what it has started and gives all places back.

        Args:
            contexts: The group. Each object runs once at a time.

            exclusive: Alone, instead of together with other non-exclusive groups.

            wait: Wait for admission, first come, first served, instead of being
                refused.

        Returns:
            The kdamonds, in the order of their contexts.

        Raises:
            BusyError: If the gate does not let the group in, or one of its
                contexts runs already.

            CanceledError: If the scope has ended.

            InvalidError: If a context cannot be monitored as it is, or something is
                not a context.

            NoMemoryError: If there is no memory for one.

            Whatever stopped a group half-way tells what keeps running: see
            ``started_before``. With modern admission nothing does.

        Source:
            spec core 3.2 and 3.5; rows A1 to A11.
        """
        self._crew.check_open()
        group = checked(contexts, Context)
        monitors: list[Monitor] = []
        # Before admission: an invalid context is EINVAL even if all would be EBUSY.
        if self.admission is Admission.MODERN:
            monitors = [self._new_monitor(context) for context in group]
        # Outside of the lock: who waits here must not keep others from being refused.
        if wait:
            with TimePasses():
                await self.gate.admit(len(group), exclusive=exclusive)
        is_admitted = wait
        started: list[Kdamond] = []
        try:
            async with self._start_lock:
                # All places at once: in the kernel nobody can look in between.
                if not is_admitted:
                    self.gate.admit_nowait(len(group), exclusive=exclusive)
                    is_admitted = True
                await self._start_admitted(group, monitors, started)
        except BaseException as error:
            # Those of contexts that did not start; the others go with their kdamonds,
            # so that of an exclusive group a part keeps the flag up (A8).
            if is_admitted:
                self.gate.leave(len(group) - len(started))
            await self._fail_start(started, error)
            raise
        return started

    async def enable(
        self, preset: Preset[Enabled], memory: Space, *, wait: bool = False
    ) -> Enabled:
        """
        Start a preset, such as a module, alone: exclusively, as the kernel's modules.

        Args:
            preset: Knows what is to be monitored, and what is done about it.

            memory: The physical memory.

            wait: As of ``start``.

        Returns:
            What the preset gives its users to hold.

        Raises:
            InvalidError: If the preset makes no sense for *memory*; as of ``start``
                otherwise.
        """
        context = preset.context(memory)
        [kdamond] = await self.start([context], exclusive=True, wait=wait)
        return preset.enabled(kdamond, memory)

    async def stop(self, group: Iterable[Kdamond | Context]) -> None:
        """
        Stop kdamonds one by one, and wait until each has ended.

        Cancelled, it leaves those it has not come to running; the one it waits
        for ends all the same.

        Args:
            group: What to stop: kdamonds, or the contexts they were started with.

        Raises:
            NotRunningError: If one does not run. Those before it were stopped,
                those after it go on running. Never with modern admission.

            SelfStopError: If called from inside one of them; nothing was stopped.

            InvalidError: If something is neither a kdamond nor a context.

        Source:
            spec core 3.3 and 3.5, P36.
        """
        asked = checked(group, Kdamond, Context)
        # All of them first. To notice it half-way would leave others stopped because
        # of a mistake in the program.
        for each in asked:
            kdamond = self._find(each)
            if kdamond is not None:
                kdamond.check_not_inside()
        # One after the other, looked up when it is its turn: whoever runs by then.
        for index, each in enumerate(asked):
            kdamond = self._find(each)
            if kdamond is not None:
                kdamond.stop_nowait()
                await kdamond.wait()
            elif self.admission is Admission.CLASSIC:
                name = each.name if isinstance(each, Kdamond) else f"context {index} of the group"
                raise NotRunningError(name)

    async def commit(self, kdamond: Kdamond, context: Context) -> None:
        """Replace the parameters of *kdamond*; see ``Kdamond.commit``."""
        await kdamond.commit(context)

    # -- Starting ------------------------------------------------------------

    async def _start_admitted(
        self,
        group: Sequence[Context],
        monitors: Sequence[Monitor],
        started: list[Kdamond],
    ) -> None:
        """
        Start a group whose places the gate has given.

        Args:
            group: Its contexts.

            monitors: Theirs if they have been made already, else empty.

            started: Grows by each kdamond as soon as its place is its own.
        """
        # A group begins at one instant, however many turns of the loop it takes.
        hold = TimeHold(self.clock, "a start")
        hold.take()
        try:
            for index, context in enumerate(group):
                kdamond = self._new_kdamond(context, monitors[index] if monitors else None)
                # Before the await: from now on its place is returned by its epilogue.
                started.append(kdamond)
                await kdamond.begin_in(self._crew)
        finally:
            # The caller may subscribe before time moves on.
            self.clock.settle()
            hold.close()

    def _new_kdamond(self, context: Context, monitor: Monitor | None) -> Kdamond:
        """
        Make a kdamond that counts as running from now on.

        Raises:
            BusyError: If *context* runs already (A9, A10).
        """
        self._crew.check_open()
        other = self._running.get(id(context))
        if other is not None:
            raise BusyError("start a context twice", f"{other.name} runs it")
        # Not what the gate says: that counts places of groups that are waiting for
        # this one to have started.
        name = f"kdamond.{len(self._running)}"
        log = self._log.bind(kdamond=name, context=ops_name(context))
        monitor = monitor or self._new_monitor(context)
        kdamond = Kdamond(
            name, context, monitor, self.clock, log, self._forget, self._user_deadline_us
        )
        self._running[id(context)] = kdamond
        self.observers.began(kdamond)
        return kdamond

    def _new_monitor(self, context: Context) -> Monitor:
        """Make what monitors *context*; this is all there is to validate (3.5)."""
        # One stream each, so that what one context draws changes no other's result.
        (seed,) = self._seeds.spawn(1)
        try:
            rng = np.random.default_rng(seed)
            return Monitor(context, operations_for(context), rng, self._metrics)
        except MemoryError:
            raise NoMemoryError("the regions of a context") from None

    async def _fail_start(self, started: Sequence[Kdamond], error: BaseException) -> None:
        """Stop what a start that failed has started, or tell that it goes on running."""
        is_cancelled = not isinstance(error, Exception)
        if is_cancelled or self.admission is Admission.MODERN:
            # Asked all, then waited for all: they end in one turn of the loop.
            for kdamond in started:
                kdamond.stop_nowait()
            # When a start raises, the gate is as it was; also if it was cancelled.
            with anyio.CancelScope(shield=True):
                for kdamond in started:
                    await kdamond.wait()
        elif started:
            # Set on whatever was raised, also if it is an exception of the user.
            vars(error)["started"] = tuple(started)
            error.add_note(f"still running: {', '.join(each.name for each in started)}")

    # -- Bookkeeping ---------------------------------------------------------

    def _find(self, each: Kdamond | Context) -> Kdamond | None:
        """Return the kdamond that is meant if it runs here."""
        context = each.started_context if isinstance(each, Kdamond) else each
        kdamond = self._running.get(id(context))
        return None if isinstance(each, Kdamond) and kdamond is not each else kdamond

    def _forget(self, kdamond: Kdamond) -> None:
        """Take note that *kdamond* does not run any more (3.4 steps 2 and 3)."""
        del self._running[id(kdamond.started_context)]
        self.gate.leave()
        self.observers.ended(kdamond)


def started_before(error: BaseException) -> tuple[Kdamond, ...]:
    """
    Return the kdamonds that go on running although a start failed with *error*.

    Source:
        spec core 3.2, row A6. Differs: the kernel's caller sees only the error (P2).
    """
    started: tuple[Kdamond, ...] = vars(error).get("started", ())
    return started
