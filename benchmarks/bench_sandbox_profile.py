"""
A virtual day of the profile that the operator of sandboxes for AI agents would run.

The scheme: look at all physical memory every 0.5 s, count over 5 s, in 1,024 to
8,192 regions; page out what was seen in use at most once per aggregation for twelve
aggregations; at most 128 MiB and 50 ms of work per second, the oldest first; of it
only page cache that nobody maps.

The machine: four sandboxes, 56 GiB of memory on a node of 70 GiB. Each has 8 GiB of
anonymous memory, of which a part is hot and wanders, and 6 GiB of page cache: packages,
checkouts, build results, read in bursts when somebody has work for it.

Bar: one virtual day takes less than 60 s of one core.

    python benchmarks/bench_sandbox_profile.py
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from timing import verdict

from damon_async.params.filters import Filter
from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import AddressRange, Context, NrRegions, Target
from damon_async.params.patterns import AccessBounds, AccessPattern, AccessUnit, AgeBounds, AgeUnit
from damon_async.params.quotas import Quotas, Weights
from damon_async.params.schemes import Scheme
from damon_async.spaces.frames import Process
from damon_async.spaces.generator_base import Layout
from damon_async.spaces.generators import Diurnal, Phases, PlannedPhase
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_views import PhysicalMemory
from damon_async.spaces.space import Space
from damon_async.whatif.outcome import Outcome
from damon_async.whatif.runner import Run, World

MIB = 1 << 20
GIB = 1 << 30
HOUR_US = 3_600_000_000

NR_SANDBOXES = 4
ANON = 8 * GIB
CACHE = 6 * GIB
CACHE_BLOCKS = 12

QUOTA_BYTES = 128 * MIB
QUOTA_MS = 50

SCHEME = Scheme(
    "pageout",
    AccessPattern(
        nr_accesses=AccessBounds(min=0, max=1, unit=AccessUnit.SAMPLES),
        age=AgeBounds(min=12, max=2**32 - 1, unit=AgeUnit.AGGR_INTERVALS),
    ),
    quotas=Quotas(
        time_ms=QUOTA_MS,
        sz_bytes=QUOTA_BYTES,
        reset_interval_ms=1000,
        weights=Weights(age_permil=1000),
    ),
    filters=(
        Filter("anon", matching=True, allow=False),
        Filter("unmapped", matching=True, allow=True),
    ),
)


def anonymous(seed: int) -> Space:
    """Return what the programs of a sandbox work on: more by day than by night."""
    return Diurnal(
        size=ANON,
        day=ANON // 4,
        night=ANON // 32,
        period_us=24 * HOUR_US,
        seed=seed,
        layout=Layout.FLAT,
    ).space()


def cached(seed: int) -> Space:
    """Return files that are read in bursts: every ten minutes another part of them."""
    rng = np.random.default_rng(seed)
    weights = 1 / (1 + rng.permutation(CACHE_BLOCKS))
    block = CACHE // CACHE_BLOCKS
    numbers = rng.choice(CACHE_BLOCKS, size=24, p=weights / weights.sum())
    plan = tuple(
        PlannedPhase(
            duration_us=600_000_000, hot=(AddressRange(number * block, (number + 1) * block),)
        )
        for number in numbers.tolist()
    )
    return Phases(size=CACHE, plan=plan, layout=Layout.FLAT).space()


def processes() -> tuple[Process, ...]:
    """Return the memory of all sandboxes."""
    found = []
    for number in range(NR_SANDBOXES):
        memcg = f"/sandbox/{number}"
        found.append(Process(2 * number + 1, anonymous(number), memcg))
        found.append(Process(2 * number + 2, cached(number), memcg, is_anon=False, is_mapped=False))
    return tuple(found)


def contexts_on(machine: Machine) -> tuple[Context, ...]:
    """Return the profile over all memory of *machine*."""
    memory = PhysicalMemory(machine)
    (mapping,) = memory.mappings(0)
    return (
        Context(
            ops="paddr",
            targets=[Target(regions=[AddressRange(mapping.start, mapping.end)], space=memory)],
            intervals=Intervals("0.5 s", "5 s", "60 s"),
            nr_regions=NrRegions(1024, 8192),
            schemes=[SCHEME],
        ),
    )


def behaviour(outcome: Outcome) -> list[str]:
    """Return lines that say what the profile did."""
    (scheme,) = outcome.schemes
    use = scheme.quota
    cache = NR_SANDBOXES * CACHE
    return [
        (
            f"{NR_SANDBOXES * (ANON + CACHE) / GIB:.0f} GiB of {2 * NR_SANDBOXES} processes; "
            f"{outcome.nr_snapshots:,} aggregations, "
            f"{outcome.mean_nr_regions:,.0f} regions on average"
        ),
        (
            f"paged out {outcome.nr_paged_out * 4096 / GIB:.1f} GiB, came back "
            f"{outcome.nr_refaults * 4096 / GIB:.1f} GiB; of {cache / GIB:.0f} GiB page cache "
            f"{(outcome.timeline.resident_bytes[0] - outcome.resident_bytes) / GIB:.1f} GiB "
            "were free of it on average"
        ),
        f"monitor {outcome.check_share:.2%} of a core, actions {outcome.action_share:.3%}",
        verdict("most bytes in a window / quota", int(use.charged_bytes.max()) / QUOTA_BYTES, 1),
        # Not a bar: what stops a window is bytes, the time is estimated from the past.
        f"longest work in a window: {int(use.spent_ns.max()) / 1e6:.1f} ms of {QUOTA_MS} ms",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A virtual day of the sandbox profile.")
    parser.add_argument("--hours", type=float, default=24.0, help="how many virtual hours")
    hours = parser.parse_args().hours
    world = World(processes(), int(hours * HOUR_US))
    run = Run(world, "sandboxes", contexts_on)
    began, began_wall = time.process_time(), time.perf_counter()
    outcome = run.play()
    seconds, wall = time.process_time() - began, time.perf_counter() - began_wall
    for line in behaviour(outcome):
        print(line)
    print(
        f"{hours:g} virtual hours: {seconds:.1f} s of CPU, {wall:.1f} s of {os.cpu_count()} cores"
    )
    print(verdict("CPU seconds of a virtual day / 60 s", seconds * 24 / hours / 60, 1))


if __name__ == "__main__":
    main()
