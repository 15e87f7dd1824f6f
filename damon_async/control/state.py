"""
The file ``state``: its words, on the real engine.

Source:
    spec interfaces 2 and 3.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from ..engine.engine import Damon
from ..engine.holding import TimeHold
from ..engine.kdamond import Kdamond
from ..errors import CanceledError, DamonError
from ..monitor.calls import Call
from ..monitor.monitor import Monitor
from .behavior import Behavior
from .commands import STRICT_SINCE, WALKS, Commands
from .node import Branch, File
from .pids import PidOf, Pids
from .profiles import NEXT, SEED, Profile, Release
from .results import clear_tried_regions, show_effective_quotas, show_intervals, show_stats
from .values import Value, refusal
from .world import World

CANCELED_SINCE: Final = Release(7, 0)
"""From here on commands to a kdamond that was stopped are ECANCELED."""


@dataclass(slots=True)
class _Run:
    """
    What a successful ``on`` leaves behind.

    Attributes:
        kdamond: Running or not.

        pid: What ``pid`` shows while it runs.

        refresh: The call that refreshes files; None if nothing is to be refreshed.

        refreshed_us: When it last did, in microseconds.
    """

    kdamond: Kdamond
    pid: int
    refresh: Call[None] | None = field(default=None, repr=False)
    refreshed_us: int = 0


class State(Behavior):
    """
    What stands behind a tree with an engine.

    Args:
        damon: Runs what is started through the tree; must be open by then.

        profile: Whose rules are followed.

        world: Whom the files can be about.

        holds_time: Whether virtual time stands still except while a command waits.
            Real clocks cannot be held.

        pids: Names kdamonds; by default numbers of its own.

    Source:
        spec interfaces 2.
        Differs: the statistics of a running kdamond are handled at its next
        sampling in 5.18, too, not at once.
    """

    def __init__(
        self,
        damon: Damon,
        profile: Profile = Profile.V6_18,
        world: World | None = None,
        *,
        holds_time: bool = False,
        pids: PidOf | None = None,
    ) -> None:
        super().__init__()
        self._damon = damon
        self._release = profile.release
        self._world = world or World()
        self._commands = Commands(damon.clock, self._world, profile.release)
        self._pids = pids or Pids()
        # By the directory: where that is made anew, nothing is left of the old one.
        self._runs: WeakKeyDictionary[Branch, _Run] = WeakKeyDictionary()
        self._is_pending = False
        self._hold = (
            TimeHold(damon.clock, "the control tree", is_meant=True) if holds_time else None
        )
        self._nr_waiting = 0

    def __repr__(self) -> str:
        nr_running = sum(run.kdamond.is_running for run in self._runs.values())
        return f"<State {self._release}, {nr_running} running>"

    def close(self) -> None:
        """Let virtual time pass for good; kdamonds go on."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    # -- Files ---------------------------------------------------------------

    def read(self, branch: Branch, file: File) -> Value:
        """Return what a live file shows now."""
        if file.name == "avail_operations":
            return "\n".join(self._world.operations)
        run = self._runs.get(branch)
        is_running = run is not None and run.kdamond.is_running
        if file.name == "state":
            return "on" if is_running else "off"
        return run.pid if run is not None and is_running else -1

    def kdamond(self, branch: Branch) -> Kdamond | None:
        """Return the kdamond last started through the directory *branch*, running or not."""
        run = self._runs.get(branch)
        return None if run is None else run.kdamond

    def check_renewal(self, branch: Branch) -> None:
        """Refuse to make kdamonds anew while one of them runs."""
        if branch.shape.declared.counter != "nr_kdamonds":
            return
        if self._is_anything_running:
            raise refusal(errno.EBUSY, "a kdamond is running")
        self._runs.clear()

    def told(self, branch: Branch, file: File) -> None:
        """Begin to refresh, if ``refresh_ms`` says so now."""
        del file
        run = self._runs.get(branch)
        if run is not None:
            self._plan_refresh(branch, run)

    async def write(self, branch: Branch, file: File, value: Value) -> None:
        """
        Carry out a word written to ``state``.

        Raises:
            OSError: As the interface documents for each word.
        """
        # There is only one file of this kind.
        del file
        word = str(value)
        contexts = branch.below("contexts")
        if word != "off" and contexts.nr_children != 1:
            raise refusal(errno.EINVAL, f"nr_contexts is {contexts.nr_children}, not 1")
        if word == "on":
            await self._on(branch)
        elif word == "off":
            await self._off(branch)
        elif word == "clear_schemes_tried_regions" and self._release >= STRICT_SINCE:
            clear_tried_regions(branch.below("contexts/0"))
        else:
            await self._command(branch, word)

    # -- On and off ----------------------------------------------------------

    async def _on(self, branch: Branch) -> None:
        """
        Build a context and start it.

        Source:
            spec interfaces 2.4.
        """
        run = self._runs.get(branch)
        if run is not None and run.kdamond.is_running:
            raise refusal(errno.EBUSY, f"{run.kdamond.name} is running already")
        # Whatever comes of it, the last run is history.
        self._runs.pop(branch, None)
        context = self._commands.context(branch)
        if self._release >= NEXT and any(target.obsolete for target in context.targets):
            raise refusal(errno.EINVAL, "an obsolete target cannot be started")
        if self._hold is not None:
            self._hold.take()
        try:
            (kdamond,) = await self._damon.start([context])
            run = self._runs[branch] = _Run(kdamond, self._pids(kdamond))
        except DamonError as error:
            raise refusal(error.errno, str(error)) from None
        finally:
            self._hold_if_idle()
        self._plan_refresh(branch, run)

    async def _off(self, branch: Branch) -> None:
        """
        Stop the kdamond and wait for its end.

        Source:
            spec interfaces 2.5.
        """
        run = self._runs.get(branch)
        if run is None:
            raise refusal(errno.EINVAL, "it was never started")
        if not run.kdamond.is_running:
            if self._release < NEXT:
                raise refusal(errno.EPERM, f"{run.kdamond.name} has ended already")
            return
        run.kdamond.stop_nowait()
        with self._time_passes():
            await run.kdamond.wait()

    # -- Commands to a running kdamond ---------------------------------------

    async def _command(self, branch: Branch, word: str) -> None:
        """
        Have the running kdamond do something, and wait for it.

        Source:
            spec interfaces 2.7.
        """
        run = self._runs.get(branch)
        if run is None:
            raise refusal(errno.EINVAL, "it was never started")
        if not run.kdamond.is_running:
            self._command_ended(branch, run)
            return
        if self._is_pending:
            raise refusal(errno.EBUSY, "another command is not answered yet")
        is_lent = self._release < STRICT_SINCE and word not in WALKS
        lending: AbstractContextManager[None] = self.lock.lent() if is_lent else nullcontext()
        self._is_pending = True
        try:
            with lending, self._time_passes():
                await self._commands.carry_out(word, branch, run.kdamond)
        except CanceledError as error:
            # Before, it was told that all is well, and nothing was updated.
            if self._release >= STRICT_SINCE:
                raise refusal(error.errno, str(error)) from None
        except DamonError as error:
            raise refusal(error.errno, str(error)) from None
        finally:
            self._is_pending = False

    def _command_ended(self, branch: Branch, run: _Run) -> None:
        """Answer a command to a kdamond that has ended."""
        if self._release > SEED:
            number = errno.ECANCELED if self._release >= CANCELED_SINCE else errno.EINVAL
            raise refusal(number, f"{run.kdamond.name} has ended")
        # The seed has one command only, and keeps the last context for it.
        show_stats(branch.below("contexts/0"), run.kdamond.schemes)

    # -- Refreshing ----------------------------------------------------------

    def _plan_refresh(self, branch: Branch, run: _Run) -> None:
        """
        See to it that files are refreshed, if they are to be and are not yet.

        Source:
            spec interfaces 3.4.
        """
        if run.refresh is None and branch.number("refresh_ms") and run.kdamond.is_running:
            run.refreshed_us = self._damon.clock.now_us()
            # At every tick, which costs: so only while there is anything to refresh.
            run.refresh = run.kdamond.call_nowait(
                lambda monitor: self._refresh(branch, run, monitor), repeat=True
            )

    def _refresh(self, branch: Branch, run: _Run, monitor: Monitor) -> None:
        """Refresh statistics, quotas and tuned intervals, if it is time."""
        refresh_us = branch.number("refresh_ms") * 1000
        if not refresh_us and run.refresh is not None:
            run.refresh.cancel()
            run.refresh = None
        if not refresh_us or monitor.tick_us - run.refreshed_us < refresh_us:
            return
        run.refreshed_us = monitor.tick_us
        contexts = branch.below("contexts")
        if self.lock.is_held or contexts.nr_children != 1:
            return
        for context in contexts.children():
            show_stats(context, monitor.schemes)
            show_effective_quotas(context, monitor.schemes)
            show_intervals(context, monitor.context.intervals)

    # -- Time ----------------------------------------------------------------

    @contextmanager
    def _time_passes(self) -> Iterator[None]:
        """Let virtual time pass while a command waits, if the tree holds it."""
        if self._hold is not None:
            self._hold.release()
        self._nr_waiting += 1
        try:
            yield
        finally:
            self._nr_waiting -= 1
            self._hold_if_idle()

    def _hold_if_idle(self) -> None:
        """Hold virtual time, if asked to, while something runs and nobody waits for it."""
        if self._hold is None:
            return
        if self._is_anything_running and not self._nr_waiting:
            self._hold.take()
        else:
            self._hold.release()

    @property
    def _is_anything_running(self) -> bool:
        """Whether time would run away without anybody asking."""
        return any(run.kdamond.is_running for run in self._runs.values())
