"""
How many small scenarios the explorer runs per second, on one core.

Bar: at least 800 with four tasks that meet at a gate, or at a lock of asyncio. CPU
time counts, in the best of several rounds: machines that are shared are noisy.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from typing import Any, get_args

from timing import verdict

from damon_async.engine.gate import AdmissionGate
from damon_async.testing.explore import Mode, explore

BAR = 800
ROUNDS = 5
SCHEDULES = 500


async def four(*doors: AbstractAsyncContextManager[Any]) -> None:
    """Four tasks go through one of *doors* each, and stay inside for a step."""

    async def visit(door: AbstractAsyncContextManager[Any]) -> None:
        async with door:
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for index in range(4):
            tasks.create_task(visit(doors[index % len(doors)]))


async def gate() -> None:
    """Two of four want to be alone."""
    one = AdmissionGate()
    await four(one.hold(), one.hold(exclusive=True))


async def lock() -> None:
    """All four want to be alone."""
    await four(asyncio.Lock())


def main() -> None:
    """Measure and print."""
    for scenario in (gate, lock):
        for mode in get_args(Mode):
            best = 0.0
            for seed in range(ROUNDS):
                began = time.process_time()
                found = explore(scenario, mode=mode, schedules=SCHEDULES, seed=seed, preemptions=4)
                best = max(best, found.nr_schedules / (time.process_time() - began))
            label = f"{scenario.__name__}, {mode}"
            print(f"{label:<22} {best:8.0f} scenarios/s")
            print(verdict(f"{label}, of {BAR} scenarios/s", best / BAR, 1, at_most=False))


if __name__ == "__main__":
    main()
