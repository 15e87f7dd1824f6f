"""DAMON_RECLAIM on a machine that fills up: what it keeps, and what it never does."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from damon_async.arrays import BoolArray, IntArray
from damon_async.modules.reclaim import Reclaim
from damon_async.monitor.monitor import Monitor
from damon_async.operations.events import DamosBeforeApply, TraceEvent
from damon_async.operations.registry import operations_for
from damon_async.spaces.costs import Node
from damon_async.spaces.frames import Process
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_metrics import MachineMetrics
from damon_async.spaces.machine_views import PhysicalMemory
from damon_async.spaces.pages import PAGE, Frames
from damon_async.spaces.workload import open_workload

MIB = 1 << 20
SIZE = 64 * MIB
END_US = 700_000_000
MIN_AGE_US = 8_000_000
AGGR_US = 400_000
QUOTA = 8 * MIB
FILL = MIB // 4

PRESET = Reclaim(
    min_age=MIN_AGE_US,
    sample_interval="20ms",
    aggr_interval=AGGR_US,
    wmarks_interval="1 s",
    quota_sz=QUOTA,
    quota_ms=10,
    quota_reset_interval_ms=1000,
)


class Watched(Machine):
    """A machine that remembers for how long pages had been idle when they were paged out."""

    idle_us: list[IntArray]
    now_us: int = 0

    def page_out(self, frames: Frames, chosen: BoolArray) -> int:
        pages = np.flatnonzero(chosen) + frames.start
        # The scan is at one page at a time, and comes back after a whole round.
        at = self.now_us * FILL // 1_000_000 // PAGE % len(self.pages)
        ago = (at - pages) % len(self.pages)
        self.idle_us.append(ago * PAGE * 1_000_000 // FILL)
        return super().page_out(frames, chosen)


@dataclass
class Run:
    """
    What came of it.

    Attributes:
        free: Permil of free memory at the end of each aggregation or sleep.

        ages: Of all regions that were tried.

        rates: Likewise.

        charged: Bytes and nanoseconds of each charge window.

        idle_us: For how long each page had been idle when it was paged out.
    """

    free: list[int] = field(default_factory=list)
    ages: list[int] = field(default_factory=list)
    rates: list[int] = field(default_factory=list)
    charged: list[tuple[int, int]] = field(default_factory=list)
    idle_us: IntArray = field(default_factory=lambda: np.array([], np.int64))


def play(preset: Reclaim | None) -> Run:
    """Let a machine fill up, at a quarter of a MiB per second of 64, and note what happens."""
    space = open_workload(f"scan:size={SIZE},bytes_per_s={FILL},layout=flat", seed=1)
    machine = Watched([Process(1, space)], nodes=[Node(capacity=SIZE)], is_populated=False)
    machine.idle_us = []
    metrics, run = MachineMetrics(machine), Run()
    if preset is None:
        for now_us in range(0, END_US, 1_000_000):
            account = machine.settle(now_us)
            run.free.append(account.free_bytes * 1000 // machine.capacity)
        return run
    context = preset.context(PhysicalMemory(machine))
    monitor = Monitor(context, operations_for(context), np.random.default_rng(3), metrics)

    def listen(event: TraceEvent) -> None:
        if isinstance(event, DamosBeforeApply):
            run.ages.append(event.age)
            run.rates.append(event.nr_accesses)

    monitor.schemes.listen = listen
    monitor.begin(0)
    quota = monitor.schemes.states[0].quota
    windows: dict[int | None, tuple[int, int]] = {}
    while (now_us := monitor.next_us or END_US) < END_US:
        machine.now_us = now_us
        before_ns = quota.total_charged_ns
        monitor.step(now_us)
        spent = windows.get(quota.window_start_us, (0, 0))[1]
        spent += quota.total_charged_ns - before_ns
        windows[quota.window_start_us] = (quota.charged_sz, spent)
        account = machine.settle(now_us)
        run.free.append(account.free_bytes * 1000 // machine.capacity)
    run.charged = list(windows.values())
    run.idle_us = np.concatenate(machine.idle_us)
    return run


@pytest.fixture(scope="module")
def run() -> Run:
    """Return twelve minutes with the module."""
    return play(PRESET)


def test_without_it_memory_runs_out() -> None:
    """Left alone, the machine has no free memory from the fifth minute on."""
    free = play(None).free
    assert min(free) == 0
    assert set(free[260:]) == {0}


def test_free_memory_stays_between_the_marks(run: Run) -> None:
    """Once below the middle mark, free memory stays above the low and about the high one."""
    first = next(index for index, permil in enumerate(run.free) if permil < PRESET.wmarks_mid)
    after = run.free[first:]
    assert len(after) > 100
    assert min(after) >= PRESET.wmarks_low
    # What one charge window may page out, at most, before the mark is looked at.
    assert max(after) <= PRESET.wmarks_high + QUOTA * 1000 // SIZE
    # It does not stand still in between, either.
    assert min(after[-200:]) < PRESET.wmarks_mid + 20
    assert max(after) > PRESET.wmarks_mid + 50


def test_nothing_young_is_tried(run: Run) -> None:
    """No region is tried that was accessed, or is younger than min_age."""
    assert run.ages
    assert min(run.ages) >= MIN_AGE_US // AGGR_US
    assert set(run.rates) == {0}


def test_paged_out_pages_were_idle(run: Run) -> None:
    """In truth, too, pages that were paged out had been idle for min_age."""
    assert len(run.idle_us) > SIZE // PAGE
    assert run.idle_us.min() >= MIN_AGE_US


def test_both_quotas_hold(run: Run) -> None:
    """In every charge window neither bytes nor time exceed their quota."""
    assert len(run.charged) > 50
    assert max(sz for sz, _ in run.charged) <= PRESET.quota_sz
    assert max(ns for _, ns in run.charged) <= PRESET.quota_ms * 1_000_000
