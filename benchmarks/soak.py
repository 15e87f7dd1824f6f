"""
A million aggregations of fifty kdamonds, in virtual time: does anything stay behind?

Kdamonds are started, committed to, stopped and crashed at random all the while.
Prints memory as time goes by; it must be flat within 5 % from the first tenth on,
with no task left and every place of the gate returned in the end.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from damon_async.engine.engine import Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.errors import CanceledError
from damon_async.params.monitoring import Context, Intervals
from damon_async.params.schemes import Scheme
from damon_async.stress.slab import AGGR_US, SAMPLE_US, Slab, quiet_damon, slab
from damon_async.testing.faults import Trouble, Troubled

NR_AGGREGATIONS = 1_000_000
NR_KDAMONDS = 50
MOST_GROWTH = 0.05
NR_LOOKS = 20

EVERY_US = 5 * AGGR_US
"""How often something happens to a kdamond."""


def memory_bytes() -> int:
    """Return what the process has in memory now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def context(rng: Random) -> Context:
    """Return a context that may crash after a while, or end."""
    memory = Slab(pure=rng.random() < 0.9)
    trouble = Trouble("check", rng.randrange(1, 2000))
    schemes = [Scheme("pageout")] if rng.random() < 0.2 else []
    intervals = Intervals(SAMPLE_US, AGGR_US * rng.choice([1, 2]))
    return slab(Troubled(memory, trouble), schemes=schemes, intervals=intervals)


async def keep_busy(damon: Damon, rng: Random, tell: Callable[[int], bool]) -> None:
    """Start, commit to, and stop kdamonds until *tell* says that it is enough."""
    running: list[Kdamond] = []
    nr_ended = 0
    while True:
        ended = [each for each in running if not each.is_running]
        nr_ended += sum(each.statistics().nr_snapshots for each in ended)
        running = [each for each in running if each.is_running]
        if tell(nr_ended + sum(each.statistics().nr_snapshots for each in running)):
            break
        missing = [context(rng) for _ in range(NR_KDAMONDS - len(running))]
        running += await damon.start(missing)
        kdamond = rng.choice(running)
        choice = rng.randrange(4)
        if choice == 0:
            await damon.stop([kdamond])
        elif choice == 1:
            try:
                await kdamond.commit(context(rng))
            except CanceledError:
                # It crashed or ended before its turn.
                continue
        await damon.clock.sleep_us(rng.randrange(2 * EVERY_US))
    await damon.stop([each for each in running if each.is_running])


async def soak(nr_aggregations: int, seed: int) -> int:
    """Run, and print memory as it goes; return the exit code."""
    looks: list[int] = []
    began_s = time.perf_counter()

    def tell(nr: int) -> bool:
        if nr * NR_LOOKS >= (len(looks) + 1) * nr_aggregations:
            gc.collect()
            looks.append(memory_bytes())
            print(f"{nr:9,} aggregations: {looks[-1] / 2**20:6.1f} MiB")
        return nr >= nr_aggregations

    async with quiet_damon() as damon:
        await keep_busy(damon, Random(seed), tell)  # noqa: S311 - nothing is secret
        nr_left = damon.nr_running
    # Until then everything that is made once has been made.
    first, last = looks[max(0, NR_LOOKS // 10 - 1)], looks[-1]
    growth = last / first - 1
    tasks = len(asyncio.all_tasks()) - 1
    print(f"memory since the first tenth {growth:+.1%} (at most {MOST_GROWTH:+.0%})")
    print(f"{nr_left} places of the gate and {tasks} tasks are left (none may be)")
    print(f"{time.perf_counter() - began_s:.0f} s of real time")
    return int(growth > MOST_GROWTH or nr_left > 0 or tasks > 0)


if __name__ == "__main__":
    sys.exit(asyncio.run(soak(int(sys.argv[1]) if len(sys.argv) > 1 else NR_AGGREGATIONS, 0)))
