"""
What one access check costs: a window of ticks, a single tick, a loop over objects.

1,000 regions over 10 GiB of 400 random hot and cold blocks. Bars: a check in a
window costs at most 0.03 of one in the plain loop, in a single tick 0.08.
"""

from __future__ import annotations

import numpy as np
from layouts import GIB, noisy, plain_twin, span
from plain import PlainMonitor, PlainRegion
from timing import best_seconds, verdict

from damon_async.monitor.sampling import Sampler
from damon_async.operations.paddr import Paddr
from damon_async.params.monitoring import Target
from damon_async.regions.table import RegionTable

NR_REGIONS = 1000
NR_TICKS = 20


def main() -> None:
    """Measure and print."""
    space = noisy(10 * GIB, 400)
    start, end = span(space)
    bounds = np.linspace(start // 4096, end // 4096, NR_REGIONS + 1).astype(np.int64) * 4096
    table = RegionTable.from_ranges(np.stack([bounds[:-1], bounds[1:]], axis=1))
    sampler = Sampler(Paddr(), np.random.default_rng(0))
    targets = [Target(space=space)]
    since = 5000 * np.arange(NR_TICKS, dtype=np.int64)[:, None]
    plain = PlainMonitor(plain_twin(space), 0)
    plain.regions = [PlainRegion(*pair) for pair in zip(*bounds_pairs(bounds), strict=True)]
    seconds = best_seconds(
        {
            "plain": plain.tick,
            "window": lambda: sampler.sample(table, targets, since, since + 5000),
            "tick": lambda: sampler.sample(table, targets, since[:1], since[:1] + 5000),
        },
        rounds=15,
        repeat=10,
    )
    per_check = {name: value / NR_REGIONS for name, value in seconds.items()}
    per_check["window"] /= NR_TICKS
    for name, value in per_check.items():
        print(f"{name:<8} {value * 1e9:8.1f} ns per check")
    print(verdict("window / plain loop", per_check["window"] / per_check["plain"], 0.03))
    print(verdict("single tick / plain loop", per_check["tick"] / per_check["plain"], 0.08))


def bounds_pairs(bounds: np.ndarray) -> tuple[list[int], list[int]]:
    """Return starts and ends of the regions between *bounds*."""
    return bounds[:-1].tolist(), bounds[1:].tolist()


if __name__ == "__main__":
    main()
