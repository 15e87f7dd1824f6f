"""
What schemes cost the monitor, and what a machine costs who simulates it.

Bars: ten schemes on 1,000 regions add at most 60 % to an aggregation, a scheme
that matches nothing at most 3 %; a machine of 64 GiB in pages of 4 KiB fits in
300 MB; one hour of a pageout scheme on it runs at least 60 times faster than
real time.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence

import numpy as np
from layouts import GIB, context_of, noisy
from timing import best_seconds, verdict

from damon_async.monitor.monitor import Monitor
from damon_async.operations.registry import operations_for
from damon_async.params.monitoring import AddressRange, Context, Target
from damon_async.params.schemes import Scheme
from damon_async.spaces.frames import Process
from damon_async.spaces.generators import Diurnal
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_views import PhysicalMemory
from damon_async.spaces.space import Space
from damon_async.whatif.runner import Run, World

HOUR_US = 3_600_000_000
WARM_UP = 60

# Together they make about 1,000 regions: splits and merges never fill the bounds.
NR_BLOCKS = 2500
MAX_NR_REGIONS = 1500


def monitor_with(space: Space, schemes: Sequence[Scheme]) -> Monitor:
    """Return a monitor of *space* with schemes that has found its regions."""
    context = context_of(space, MAX_NR_REGIONS).model_copy(update={"schemes": tuple(schemes)})
    monitor = Monitor(context, operations_for(context), np.random.default_rng(0))
    monitor.begin(0)
    for _ in range(WARM_UP):
        monitor.step(monitor.next_us or 0)
    return monitor


def ten_schemes() -> list[Scheme]:
    """Return ten schemes that count regions of ten kinds; each region is of some."""
    return [
        Scheme(
            "stat",
            {"nr_accesses": (f"{low} %", f"{low + 30} %"), "age": ("0 s", "max")},
            quotas={"sz_bytes": "1G", "reset_interval_ms": "1 s", "weights": {"age_permil": 1}}
            if low % 20
            else {},
        )
        for low in range(0, 100, 10)
    ]


def aggregations() -> None:
    """Compare aggregations with and without schemes; all of them in turns."""
    space = noisy(10 * GIB, NR_BLOCKS)
    idle = Scheme("pageout", {"nr_accesses": ("0 %", "0 %"), "age": ("1 h", "max")})
    monitors = {
        "no scheme": monitor_with(space, []),
        "ten schemes": monitor_with(space, ten_schemes()),
        "idle scheme": monitor_with(space, [idle]),
    }
    nr_regions = dict.fromkeys(monitors, 0)

    def step(name: str) -> None:
        for snapshot in monitors[name].step(monitors[name].next_us or 0):
            nr_regions[name] = snapshot.nr_regions

    seconds = best_seconds({name: lambda name=name: step(name) for name in monitors}, 40, 8)
    for name, value in seconds.items():
        print(f"{name:>12}: {value * 1e6:6.0f} us per aggregation of {nr_regions[name]} regions")
    plain = seconds["no scheme"]
    print(verdict("aggregation with ten schemes / without", seconds["ten schemes"] / plain, 1.6))
    print(
        verdict("aggregation with an idle scheme / without", seconds["idle scheme"] / plain, 1.03)
    )


def contexts_on(machine: Machine) -> tuple[Context, ...]:
    """Return proactive reclaim of all memory: nothing for 5 s, no quota."""
    memory = PhysicalMemory(machine)
    (mapping,) = memory.mappings(0)
    target = Target(regions=[AddressRange(mapping.start, mapping.end)], space=memory)
    reclaim = Scheme("pageout", {"nr_accesses": ("0 %", "0 %"), "age": ("5 s", "max")})
    return (Context("paddr", [target], schemes=[reclaim]),)


def peak_bytes() -> int:
    """Return the most memory that this process ever had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def hour() -> None:
    """Try proactive reclaim for an hour on 64 GiB of which the used part wanders."""
    space = Diurnal(size=64 * GIB, day=8 * GIB, night=2 * GIB, period_us=HOUR_US).space()
    world = World((Process(1, space),), HOUR_US)
    before = peak_bytes()
    run = Run(world, "reclaim", contexts_on)
    print(verdict("memory for 64 GiB in 4 KiB pages / 300 MB", (peak_bytes() - before) / 300e6, 1))
    began = time.process_time()
    outcome = run.play()
    seconds = time.process_time() - began
    print(
        f"one hour: {seconds:.1f} s of CPU, {outcome.nr_paged_out:,} pages out, "
        f"{outcome.nr_refaults:,} refaults, {outcome.mean_nr_regions:.0f} regions"
    )
    print(verdict("real time / CPU time, what-if", HOUR_US / 1e6 / seconds, 60, at_most=False))
    print(verdict("peak memory of this process / 300 MB", peak_bytes() / 300e6, 1))


def main() -> None:
    """Measure and print."""
    hour()
    aggregations()


if __name__ == "__main__":
    main()
