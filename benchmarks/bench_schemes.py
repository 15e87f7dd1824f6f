"""
What schemes add to an aggregation of about a thousand regions.

Two monitors look at the same memory, one of them with schemes; the memory
cannot act, so that only the deciding is measured. Bars: ten schemes of real
use add at most 60 %; one that matches nothing adds at most 3 %.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from layouts import GIB, context_of, noisy
from timing import best_seconds, verdict

from damon_async.monitor.monitor import Monitor
from damon_async.operations.registry import operations_for
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Quotas, Weights
from damon_async.params.schemes import Scheme
from damon_async.spaces.space import Space

WARM_UP = 60

LIMITS = Quotas("20 ms", "128M", "1 s", Weights(0, 3, 7))

TEN = [
    Scheme("pageout", AccessPattern(("4K", "max"), (0, 0), ("5 s", "max")), quotas=LIMITS),
    Scheme("hugepage", AccessPattern(nr_accesses=(5, "max"))),
    Scheme("nohugepage", AccessPattern(("2M", "max"), (0, 0), ("7 s", "max"))),
    Scheme("lru_prio", AccessPattern(("4K", "max"), (20, "max")), quotas=LIMITS),
    Scheme("lru_deprio", AccessPattern(("4K", "max"), (0, 0), ("5 s", "max")), quotas=LIMITS),
    Scheme("migrate_hot", AccessPattern(nr_accesses=(5, 100)), quotas=LIMITS, target_nid=0),
    Scheme(
        "migrate_cold",
        AccessPattern(("4K", "max"), (0, 0), ("30 s", "max")),
        0,
        LIMITS,
        target_nid=1,
    ),
    Scheme("willneed", AccessPattern(nr_accesses=(50, 100))),
    Scheme("cold", AccessPattern(nr_accesses=(0, 10), age=("1 s", "max"))),
    Scheme("stat"),
]
"""What a whole machine might be run with."""

NEVER = Scheme("pageout", AccessPattern(("4K", "max"), (0, 0), ("1 d", "max")))


def monitor_of(space: Space, schemes: Sequence[Scheme]) -> Monitor:
    """Return a monitor with schemes, warmed up."""
    context = context_of(space).model_copy(update={"schemes": tuple(schemes)})
    monitor = Monitor(context, operations_for(context), np.random.default_rng(0))
    monitor.begin(0)
    while monitor.tick_us < WARM_UP * context.intervals.aggr_us:
        monitor.step(monitor.next_us or 0)
    return monitor


def compare(label: str, schemes: Sequence[Scheme], bar: float) -> None:
    """Time aggregations with and without schemes in turns."""
    space = noisy(10 * GIB, 2_000)
    without, with_them = monitor_of(space, ()), monitor_of(space, schemes)
    seconds = best_seconds(
        {
            "without": lambda: without.step(without.next_us or 0),
            "with": lambda: with_them.step(with_them.next_us or 0),
        },
        # Aggregations differ in what they find: of the same ones, the cheapest.
        rounds=300,
    )
    print(
        f"{label}: {len(without.table)} and {len(with_them.table)} regions, "
        f"{seconds['without'] * 1e6:.0f} us without, {seconds['with'] * 1e6:.0f} us with"
    )
    print(
        verdict(f"added to an aggregation, {label}", seconds["with"] / seconds["without"] - 1, bar)
    )


def main() -> None:
    """Measure and print."""
    compare("ten schemes", TEN, 0.6)
    compare("one that matches nothing", [NEVER], 0.03)


if __name__ == "__main__":
    main()
