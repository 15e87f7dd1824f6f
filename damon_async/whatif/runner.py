"""
Runs a monitor with its schemes over a machine, in virtual time and without any I/O.

The same memory, the same seed and the same instants for every run: what differs
between two of them is what their schemes did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from ..errors import InvalidError
from ..monitor.monitor import Monitor
from ..operations.registry import operations_for
from ..params.monitoring import Context
from ..records.snapshot import Snapshot
from ..schemes.quotas import INT64_MAX
from ..schemes.state import SchemeState
from ..spaces.costs import CostModel, Node
from ..spaces.frames import Process
from ..spaces.machine import Account, Machine
from ..spaces.machine_metrics import MachineMetrics
from .outcome import Outcome, QuotaUse, SchemeOutcome, Timeline

CHECK_NS: Final = 500
"""What looking at one page takes a kernel: find it, read its mark, clear it."""

MOST_POINTS: Final = 400
"""In how many points of a run the machine is looked at, at most."""

SHORTEST_US: Final = 250_000
"""More often than so, in microseconds, a machine is not looked at."""

Sink: TypeAlias = Callable[[int, Snapshot], object]
"""Gets the index of a context and what its monitor published."""

Tell: TypeAlias = Callable[[int], object]
"""Told how far a run is, in microseconds of its clock."""


ContextsOn: TypeAlias = Callable[[Machine], Sequence[Context]]
"""Returns contexts, schemes included, that monitor the memory of a machine."""


@dataclass(frozen=True, slots=True)
class World:
    """
    Memory to try schemes on; any number of runs may share it.

    Attributes:
        processes: Who runs on the machine. Their spaces are pure.

        duration_us: How long a run is, in microseconds.

        nodes: The machine's memory; if empty, a quarter more than is needed.

        costs: How long things take on it.

        is_populated: Whether all memory was touched before the beginning.

        seed: Of the monitors.

        check_ns: What looking at a page takes a monitor, in nanoseconds.
    """

    processes: tuple[Process, ...]
    duration_us: int
    nodes: tuple[Node, ...] = ()
    costs: CostModel = field(default_factory=CostModel)
    is_populated: bool = True
    seed: int = 0
    check_ns: int = CHECK_NS

    def machine(self) -> Machine:
        """Return the machine as it is at the beginning."""
        return Machine(
            self.processes,
            nodes=self.nodes,
            costs=self.costs,
            is_populated=self.is_populated,
        )

    def instants(self) -> Iterator[int]:
        """Yield when a machine is looked at, in microseconds: the same in every run."""
        # Rounded up, so that there are never more points than that. The end is
        # one in any case, for totals are read there.
        every_us = max(SHORTEST_US, -(-self.duration_us // MOST_POINTS))
        yield from range(every_us, self.duration_us, every_us)
        yield self.duration_us


class Run:
    """
    One run in a world; call ``play`` once.

    Args:
        world: Where.

        name: What people call it.

        contexts_on: What monitors and changes the machine. Left out, nothing
            does: that is how the world is when left alone.
    """

    def __init__(self, world: World, name: str, contexts_on: ContextsOn = lambda _: ()) -> None:
        self._world = world
        self._name = name
        self._machine = world.machine()
        # Made for the machine, because contexts hold its spaces, and each run
        # has a machine of its own.
        self._contexts = tuple(contexts_on(self._machine))
        # The beginning is a point as well: averages over time start from it.
        self._accounts: list[Account] = [self._machine.account]
        self._nr_snapshots = self._nr_regions = self._nr_checks = 0

    def __repr__(self) -> str:
        return f"<Run {self._name!r} on {self._machine!r}>"

    @property
    def contexts(self) -> tuple[Context, ...]:
        """What monitors its machine."""
        return self._contexts

    def play(
        self,
        *,
        sink: Sink = lambda *_: None,
        tell: Tell = lambda _: None,
        seconds: Callable[[], float] = lambda: 0.0,
    ) -> Outcome:
        """
        Run it to its end.

        Args:
            sink: Gets every snapshot, with the index of its context.

            tell: Told how far it is.

            seconds: A clock of CPU time, for who wants to know what it took.

        Returns:
            What it came to.

        Raises:
            InvalidError: If a scheme wants a function of the user called:
                nobody answers for it here; use ``engine.engine.Damon``.
        """
        # A clock is handed in, for nothing below the engine may read one.
        began_s = seconds()
        monitors = [self._monitor(context) for context in self._contexts]
        meters = [(each, [_Meter(state) for state in each.schemes.states]) for each in monitors]
        for now_us in self._world.instants():
            self._advance(meters, now_us, sink)
            self._look(now_us)
            tell(now_us)
        schemes = tuple(
            meter.outcome(index) for index, (_, own) in enumerate(meters) for meter in own
        )
        for monitor in monitors:
            monitor.finish()
        return self._outcome(schemes, seconds() - began_s)

    # -- How time passes -----------------------------------------------------

    def _monitor(self, context: Context) -> Monitor:
        monitor = Monitor(
            context,
            operations_for(context),
            # Each as if it were alone: contexts do not change each other's draws.
            np.random.default_rng(self._world.seed),
            MachineMetrics(self._machine),
        )
        monitor.begin(0)
        return monitor

    def _advance(
        self, meters: Sequence[tuple[Monitor, list[_Meter]]], until_us: int, sink: Sink
    ) -> None:
        """Do all that is due up to an instant, whoever is next first."""
        while True:
            due_us = [_next_us(monitor) for monitor, _ in meters]
            next_us = min(due_us, default=until_us + 1)
            if next_us > until_us:
                return
            # Of those that are due at once the first goes first, so that runs
            # can be repeated.
            index = due_us.index(next_us)
            monitor, own = meters[index]
            published = monitor.step(next_us)
            if monitor.request is not None:
                msg = "a what-if run knows built-in actions and metrics only, not functions"
                raise InvalidError(msg)
            # After every step: a window may begin and end between two looks at
            # the machine.
            for meter in own:
                meter.read()
            for snapshot in published:
                self._count(snapshot)
                sink(index, snapshot)

    # -- What is noted -------------------------------------------------------

    def _look(self, now_us: int) -> None:
        self._accounts.append(self._machine.settle(now_us))
        # All that the machine remembers of itself besides is more than is needed.
        self._machine.history.clear()

    def _count(self, snapshot: Snapshot) -> None:
        self._nr_snapshots += 1
        self._nr_regions += snapshot.nr_regions
        # One page per region and sample: what monitoring costs does not grow
        # with the memory (spec core 6).
        self._nr_checks += snapshot.nr_regions * snapshot.max_nr_accesses

    def _outcome(self, schemes: tuple[SchemeOutcome, ...], cpu_s: float) -> Outcome:
        account = self._accounts[-1]
        return Outcome(
            self._name,
            tuple(_without_spaces(context) for context in self._contexts),
            len(self._world.processes),
            self._timeline(),
            schemes,
            account.nr_paged_out,
            account.nr_reclaimed,
            account.nr_faults,
            self._nr_snapshots,
            self._nr_regions / max(1, self._nr_snapshots),
            self._nr_checks,
            self._world.check_ns,
            cpu_s,
        )

    def _timeline(self) -> Timeline:
        return Timeline(
            *(
                np.array([getattr(account, name) for account in self._accounts], np.int64)
                for name in ("time_us", "resident_bytes", "nr_refaults", "stall_ns", "work_ns")
            )
        )


class _Meter:
    """
    Reads off a running scheme what it charged in each window.

    The scheme itself remembers the running window only.
    """

    __slots__ = ("_allowed", "_charged", "_rows", "_spent", "_spent_before", "_start_us", "_state")

    def __init__(self, state: SchemeState) -> None:
        self._state = state
        self._rows: list[tuple[int, int, int, int]] = []
        self._start_us: int | None = None
        # Sums up to the beginning of the window, and the time up to the last reading.
        self._charged = self._spent_before = self._spent = 0
        self._allowed = 0

    def read(self) -> None:
        """Look at the quota; to be called after every step."""
        quota = self._state.quota
        if quota.window_start_us != self._start_us:
            self._close(quota.total_charged_sz)
            self._start_us = quota.window_start_us
        # Only now: what a step took that began a window belongs to that window.
        self._spent = quota.total_charged_ns
        self._allowed = quota.esz

    def outcome(self, context_idx: int) -> SchemeOutcome:
        """Return what the scheme did; it is one of the context with that index."""
        if not self._rows:
            # A window that has not ended may be a part of one; better than nothing.
            quota = self._state.quota
            self._close(quota.total_charged_sz + quota.charged_sz)
        rows = np.array(self._rows, np.int64).reshape(-1, 4)
        use = QuotaUse(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.float64), rows[:, 3])
        state = self._state
        return SchemeOutcome(context_idx, state.scheme, state.stats, use, state.is_active)

    def _close(self, charged: int) -> None:
        """Note the window that ends; *charged* is the sum over all windows, in bytes."""
        if self._start_us is not None:
            spent_ns = self._spent - self._spent_before
            # Where goals allow everything that is more than a column can hold.
            allowed = min(self._allowed, INT64_MAX)
            self._rows.append((self._start_us, charged - self._charged, allowed, spent_ns))
        self._charged, self._spent_before = charged, self._spent


def _next_us(monitor: Monitor) -> int:
    """Return when a monitor has something to do; far away if never again."""
    return INT64_MAX if monitor.next_us is None else monitor.next_us


def _without_spaces(context: Context) -> Context:
    # Outcomes are kept for comparison long after their runs, and a space can be
    # as large as a trace.
    targets = tuple(target.model_copy(update={"space": None}) for target in context.targets)
    return context.model_copy(update={"targets": targets})
