"""The memory that the benchmarks monitor, for both sides the same."""

from __future__ import annotations

import numpy as np
from plain import PlainMonitor, PlainSpace

from damon_async.monitor.monitor import Monitor
from damon_async.operations.registry import operations_for
from damon_async.params.monitoring import AddressRange, Context, NrRegions, Target
from damon_async.spaces.generators import Noisy
from damon_async.spaces.patterns import PatternSpace
from damon_async.spaces.space import Space

GIB = 1 << 30


def noisy(size: int, nr_blocks: int) -> PatternSpace:
    """Return random hot and cold blocks, alone in their space."""
    return Noisy(size=size, blocks=nr_blocks, seed=11, layout="flat").space()


def span(space: Space) -> tuple[int, int]:
    """Return from where to where *space* is mapped."""
    mappings = space.mappings(0)
    return mappings[0].start, mappings[-1].end


def plain_twin(space: Space) -> PlainSpace:
    """Return the same hot and cold blocks for plain Python to look up."""
    start, end = span(space)
    truth = space.truth(start, end, np.array([0, 5000]))
    return PlainSpace(truth.bounds.tolist(), [count > 0 for count in truth.counts.tolist()])


def context_of(space: Space, max_nr_regions: int = 1000) -> Context:
    """Return default parameters over all of *space*."""
    target = Target(regions=[AddressRange(*span(space))], space=space)
    return Context(ops="paddr", targets=[target], nr_regions=NrRegions(10, max_nr_regions))


def monitor_of(space: Space, max_nr_regions: int = 1000, seed: int = 0) -> Monitor:
    """Return a monitor of all of *space* that has begun."""
    context = context_of(space, max_nr_regions)
    monitor = Monitor(context, operations_for(context), np.random.default_rng(seed))
    monitor.begin(0)
    return monitor


def plain_monitor_of(space: Space, max_nr_regions: int = 1000, seed: int = 0) -> PlainMonitor:
    """Return the plain-object monitor of all of *space*."""
    monitor = PlainMonitor(plain_twin(space), seed, max_nr=max_nr_regions)
    monitor.cover(*span(space))
    return monitor
