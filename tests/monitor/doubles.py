"""Small spaces whose answers can be foretold, and the loops that drive a monitor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from damon_async.arrays import BoolArray, IntArray
from damon_async.monitor.monitor import Monitor
from damon_async.operations.base import Operations
from damon_async.operations.registry import operations_for
from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import Context, NrRegions, Target
from damon_async.records.snapshot import Snapshot
from damon_async.spaces.space import Mapping, Truth

PAGE = 4096
SAMPLE_US = 5_000
AGGR_US = 100_000

Bounds = tuple[int, int]


@dataclass
class Still:
    """
    Memory of which some pages are always touched, the others never.

    Attributes:
        hot: Ranges of pages that are touched.

        mapped: Ranges of pages that are mapped; tests may change them.

        lifetime_us: When it vanishes.

        page_size: Bytes that share one accessed mark.

        asked: The intervals of every question so far.
    """

    hot: Sequence[Bounds] = ()
    mapped: Sequence[Bounds] = ()
    lifetime_us: int | None = None
    page_size: int = PAGE
    is_pure: bool = True
    asked: list[list[Bounds]] = field(default_factory=list)

    def mappings(self, now_us: int) -> list[Mapping]:
        """List what is mapped."""
        return [Mapping(start * PAGE, end * PAGE, self.page_size) for start, end in self.mapped]

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Find hot the pages that overlap a hot range, until it vanishes."""
        assert addresses.dtype == since_us.dtype == until_us.dtype == np.int64
        assert addresses.shape[0] == len(since_us) == len(until_us)
        assert (since_us < until_us).all()
        self.asked.append(list(zip(since_us[:, 0].tolist(), until_us[:, 0].tolist(), strict=True)))
        first = addresses - addresses % self.page_size
        found = np.zeros(addresses.shape, np.bool_)
        for start, end in self.hot:
            found |= (first < end * PAGE) & (first + self.page_size > start * PAGE)
        if self.lifetime_us is not None:
            found &= until_us <= self.lifetime_us
        return found

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """Ask page by page."""
        pages = np.arange(start, end, PAGE, dtype=np.int64)
        since, until = instants_us[:-1, None], instants_us[1:, None]
        found = self.accessed(np.tile(pages, (len(since), 1)), since, until)
        return Truth(np.append(pages, end), found.sum(axis=0), len(since))


@dataclass
class Blinking(Still):
    """Memory whose pages are touched in some intervals, as a hash of both says."""

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Hash page and interval; a quarter of the pages is hot most of the time."""
        super().accessed(addresses, since_us, until_us)
        pages = addresses // PAGE
        mixed = pages * 2_654_435_761 + since_us * 40_503 + until_us * 97
        lively = pages // 256 % 4 == 0
        found: BoolArray = (mixed >> 7) % 16 < np.where(lively, 13, 2)
        return found


@dataclass
class Touched(Still):
    """Memory that learns of touches while it runs: not pure."""

    is_pure: bool = False
    touches: list[tuple[int, int]] = field(default_factory=list)

    def touch(self, at_us: int, page: int) -> None:
        """Touch a page at an instant."""
        self.touches.append((at_us, page))

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Find the pages touched in each interval."""
        super().accessed(addresses, since_us, until_us)
        found = np.zeros(addresses.shape, np.bool_)
        for at_us, page in self.touches:
            found |= (addresses // PAGE == page) & (since_us <= at_us) & (at_us < until_us)
        return found


def target_of(space: object, *bounds: Bounds, unit: int = PAGE) -> Target:
    """Return a target with a space, and regions given in units."""
    regions = [f"{start * unit}-{end * unit}" for start, end in bounds]
    return Target(space=space, regions=regions)


def context_of(
    *targets: Target,
    ops: object = "fvaddr",
    intervals: Intervals | None = None,
    nr_regions: NrRegions | None = None,
    pause: bool = False,
) -> Context:
    """Return a context with the default intervals: 20 ticks of 5 ms."""
    return Context(
        ops=ops,
        targets=targets,
        intervals=intervals or Intervals(SAMPLE_US, AGGR_US, 1_000_000),
        nr_regions=nr_regions or NrRegions(),
        pause=pause,
    )


def monitor_of(
    context: Context, *, seed: int = 7, operations: Operations | None = None, begin_us: int = 0
) -> Monitor:
    """Return a monitor that has begun."""
    chosen = operations_for(context) if operations is None else operations
    monitor = Monitor(context, chosen, np.random.default_rng(seed))
    monitor.begin(begin_us)
    return monitor


def watch(*targets: Target, seed: int = 7, ops: object = "fvaddr") -> Monitor:
    """Return a monitor of *targets* with default parameters that has begun."""
    return monitor_of(context_of(*targets, ops=ops), seed=seed)


def drive(monitor: Monitor, until_us: int, *, step_us: int | None = None) -> list[Snapshot]:
    """
    Drive a monitor as far as *until_us*.

    Args:
        monitor: It has begun.

        until_us: The last instant at which it is called.

        step_us: Call it this often, whatever it asks for; None to call it when
            it says.
    """
    if step_us is not None:
        now_us = monitor.tick_us
        instants: Iterable[int] = (*range(now_us, until_us, step_us), until_us)
        return [snapshot for now in instants for snapshot in monitor.step(now)]
    snapshots: list[Snapshot] = []
    while (next_us := monitor.next_us) is not None and next_us <= until_us:
        snapshots += monitor.step(next_us)
    return snapshots


def fingerprint(snapshots: Iterable[Snapshot]) -> list[tuple[object, ...]]:
    """Return everything that snapshots say, for comparison to the byte."""
    return [
        (
            each.start_ns,
            each.end_ns,
            each.sample_us,
            each.aggr_us,
            each.target.tobytes(),
            each.start.tobytes(),
            each.end.tobytes(),
            each.nr_accesses.tobytes(),
            each.age.tobytes(),
        )
        for each in snapshots
    ]


def bounds_of(monitor: Monitor, target: int = 0) -> list[Bounds]:
    """Return the regions of a target, in pages."""
    table = monitor.table.of_target(target)
    pairs = zip((table.start // PAGE).tolist(), (table.end // PAGE).tolist(), strict=True)
    return list(pairs)


def span_of(monitor: Monitor, target: int = 0) -> Bounds:
    """Return the first and last page that is monitored of a target."""
    bounds = bounds_of(monitor, target)
    return bounds[0][0], bounds[-1][1]
