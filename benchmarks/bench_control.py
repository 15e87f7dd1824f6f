"""
What reading and writing values of the control tree cost, beside files on disk.

And how long a whole configuration takes from the first write to a kdamond that
runs: the bars are those of a tree that nobody has mounted.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from timing import best_seconds

from damon_async.control.live import live_tree
from damon_async.control.tree import Tree
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.spaces.workload import open_workload

CONTEXT = "kdamonds/0/contexts/0"
SAMPLE = f"{CONTEXT}/monitoring_attrs/intervals/sample_us"
NR_CALLS = 1_000
NR_SCHEMES = 12


def configuration() -> list[tuple[str, str]]:
    """Return about 300 writes that configure a context with schemes."""
    writes = [
        ("kdamonds/nr_kdamonds", "1"),
        ("kdamonds/0/contexts/nr_contexts", "1"),
        (f"{CONTEXT}/operations", "vaddr"),
        (f"{CONTEXT}/targets/nr_targets", "1"),
        (f"{CONTEXT}/targets/0/pid_target", "1"),
        (f"{CONTEXT}/schemes/nr_schemes", str(NR_SCHEMES)),
    ]
    for index in range(NR_SCHEMES):
        scheme = f"{CONTEXT}/schemes/{index}"
        writes += [(f"{scheme}/action", "pageout"), (f"{scheme}/filters/nr_filters", "1")]
        for name in ("sz", "nr_accesses", "age"):
            bounds = f"{scheme}/access_pattern/{name}"
            writes += [(f"{bounds}/min", "0"), (f"{bounds}/max", "4294967295")]
        for name in ("ms", "bytes", "reset_interval_ms"):
            writes.append((f"{scheme}/quotas/{name}", "1000"))
        for name in ("sz_permil", "nr_accesses_permil", "age_permil"):
            writes.append((f"{scheme}/quotas/weights/{name}", "100"))
        for name in ("interval_us", "high", "mid", "low"):
            writes.append((f"{scheme}/watermarks/{name}", "0"))
        for name in ("matching", "allow"):
            writes.append((f"{scheme}/filters/0/{name}", "Y"))
        for name in ("addr_start", "addr_end", "min", "max"):
            writes.append((f"{scheme}/filters/0/{name}", "0"))
    return writes


async def start() -> tuple[Tree, int, float]:
    """Configure and start a kdamond; return its tree, the writes, and the seconds."""
    space = open_workload("uniform:size=64M", seed=1)
    clock = VirtualClock()
    with clock.hold():
        async with Damon(clock=clock, seed=1) as damon:
            tree = live_tree(damon, world=World(process=lambda _: space))
            writes = configuration()
            began = perf_counter()
            for path, text in writes:
                tree.write(path, text)
            await tree.write_async("kdamonds/0/state", "on")
            return tree, len(writes) + 1, perf_counter() - began


def main() -> None:
    """Measure and print."""
    tree, nr_writes, seconds = asyncio.run(start())
    print(f"start of {nr_writes} writes: {seconds * 1e3:.1f} ms; bar: 300 ms")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sample_us")
        file.write_bytes(b"5000\n")
        compare("reads", 200_000, lambda: tree.read(SAMPLE), file.read_bytes)
        compare(
            "writes",
            100_000,
            lambda: tree.write(SAMPLE, b"7000"),
            lambda: file.write_bytes(b"7000"),
        )


def compare(name: str, bar: int, ours: Callable[[], object], peer: Callable[[], object]) -> None:
    """Print how often *ours* can be called per second, and how *peer* does."""
    best = best_seconds({"ours": ours, "peer": peer}, rounds=5, repeat=NR_CALLS)
    ratio = best["peer"] / best["ours"]
    print(f"{name}: {1 / best['ours']:,.0f} per s, {ratio:.1f}x those of a file; bar: {bar:,}")


if __name__ == "__main__":
    main()
