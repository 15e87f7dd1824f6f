"""
How much faster than real time a whole engine runs, and what size costs.

One virtual hour at default parameters over 10 GiB, on one core; then the cost
of a sample from 1 GiB to 16 TiB, and the memory that 16 TiB take. Bars: 360
times real time; flat; 200 MB.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time

from layouts import GIB, context_of, monitor_of
from timing import best_seconds, verdict

from damon_async.engine.recorder import Recording
from damon_async.spaces.generators import Hotspot, Stairs
from damon_async.spaces.space import Space

HOUR_US = 3_600_000_000


def seconds_of(space: Space, duration_us: int) -> tuple[float, int]:
    """Return the CPU seconds of a recording through the engine, and its snapshots."""
    recording = Recording([context_of(space)], duration_us=duration_us, seed=1)
    began = time.process_time()
    asyncio.run(recording.run())
    return time.process_time() - began, len(recording.recorders[0].snapshots)


def hour(label: str, space: Space) -> None:
    """Monitor *space* for one virtual hour."""
    seconds, nr_snapshots = seconds_of(space, HOUR_US)
    print(f"one hour, {label}: {seconds:.1f} s of CPU for {nr_snapshots} snapshots")
    print(verdict(f"real time / CPU time, {label}", HOUR_US / 1e6 / seconds, 360, at_most=False))


def sizes() -> None:
    """Compare the cost of one sample over sizes."""
    monitors = {
        f"{size // GIB} GiB": monitor_of(Hotspot(size=size, hot=size // 64, layout="flat").space())
        for size in (GIB, 64 * GIB, 1024 * GIB, 16 * 1024 * GIB)
    }
    nr_samples = dict.fromkeys(monitors, 0)
    nr_steps = dict.fromkeys(monitors, 0)

    def stepper(name: str) -> None:
        for snapshot in monitors[name].step(monitors[name].next_us or 0):
            nr_samples[name] += snapshot.nr_regions * snapshot.max_nr_accesses
            nr_steps[name] += 1

    seconds = best_seconds({name: lambda name=name: stepper(name) for name in monitors}, 15, 20)
    per_step = {name: seconds[name] for name in monitors}
    for name, value in per_step.items():
        print(
            f"{name:>10}: {value * 1e6:6.0f} us per aggregation, {nr_samples[name] / nr_steps[name]:.0f} samples"
        )
    smallest = min(per_step.values())
    print(
        verdict("dearest size / cheapest, per aggregation", max(per_step.values()) / smallest, 1.5)
    )


def main() -> None:
    """Measure and print."""
    hour("10 GiB of stairs", Stairs(size=10 * GIB, layout="flat").space())
    hour("hot spot in 10 GiB", Hotspot(size=10 * GIB, layout="flat").space())
    sizes()
    seconds_of(Hotspot(size=16 * 1024 * GIB, layout="flat").space(), 60_000_000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
    print(verdict("peak memory of this process / 200 MB", peak / 200e6, 1))


if __name__ == "__main__":
    main()
