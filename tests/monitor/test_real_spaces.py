"""The monitor over the generators that users have, as vaddr finds them."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import Target
from damon_async.spaces.workload import GENERATORS, open_workload

from .doubles import AGGR_US, SAMPLE_US, context_of, drive, fingerprint, monitor_of

INTERVALS = Intervals(SAMPLE_US, AGGR_US, 350_000)


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - {"phases"}))
@pytest.mark.parametrize("step_us", [SAMPLE_US, 73_000])
def test_steps_do_not_matter_to_generators(name: str, step_us: int) -> None:
    """Every generator is pure: windows, ticks and late steps give the same to the byte."""
    space = open_workload(f"{name}:size=256M", seed=5)
    assert space.is_pure
    context = context_of(Target(space=space), ops="vaddr", intervals=INTERVALS)
    windowed = drive(monitor_of(context), 6 * AGGR_US)
    stepped = drive(monitor_of(context), 6 * AGGR_US, step_us=step_us)
    assert fingerprint(stepped) == fingerprint(windowed)
    assert windowed[-1].total_bytes >= 256 * 2**20


@pytest.mark.parametrize("page_size", [4096, 2**21])
def test_a_hot_block_is_found(page_size: int) -> None:
    """A small hot block in a large cold space is found, also if pages are huge."""
    space = open_workload("hotspot:size=1G", seed=5, page_size=page_size)
    context = context_of(Target(space=space), ops="vaddr")
    last = drive(monitor_of(context), 100 * AGGR_US)[-1]
    instants = AGGR_US * 99 + SAMPLE_US * np.arange(21, dtype=np.int64)
    truth = space.truth(int(last.start[0]), int(last.end[-1]), instants)
    hot = truth.counts >= 15
    true_bytes = int((truth.bounds[1:] - truth.bounds[:-1])[hot].sum())
    found_bytes = int((last.end - last.start)[last.nr_accesses >= 15].sum())
    assert 0.5 < found_bytes / true_bytes < 1.5
