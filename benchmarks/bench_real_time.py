"""
What one kdamond costs in real time: 5 ms sampling, 1,000 regions.

Prints the share of one core over some seconds; the aim is under 1 %.
"""

from __future__ import annotations

import asyncio
import time

from layouts import GIB, context_of, noisy
from timing import verdict

from damon_async.engine.clock import RealClock
from damon_async.engine.engine import Damon
from damon_async.spaces.space import Space

SECONDS = 5.0


async def share_of_core(space: Space, max_nr_regions: int) -> tuple[float, float]:
    """Return CPU seconds per second of monitoring, and the mean number of regions."""
    async with Damon(clock=RealClock(), seed=1) as damon:
        [kdamond] = await damon.start([context_of(space, max_nr_regions)])
        seen = 0
        async with kdamond.snapshots() as snapshots:
            count = 0
            async for _ in snapshots:  # let the regions settle
                count += 1
                if count == 20:
                    break
            began, cpu = time.perf_counter(), time.process_time()
            count = 0
            async for snapshot in snapshots:
                count += 1
                seen += snapshot.nr_regions
                if time.perf_counter() - began > SECONDS:
                    break
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return cpu / wall, seen / max(1, count)


def main() -> None:
    """Measure and print."""
    share, nr_regions = asyncio.run(share_of_core(noisy(64 * GIB, 2500), 1000))
    print(f"{nr_regions:.0f} regions in a snapshot: {share:.2%} of a core")
    print(verdict("share of a core / 1 %", share / 0.01, 1))


if __name__ == "__main__":
    main()
