"""An operations set of one's own, over an index space."""

from __future__ import annotations

from damon_async.operations.base import Operations
from damon_async.params.monitoring import Context, Target

from ..monitor.doubles import AGGR_US, drive, monitor_of
from .slabs import SlabOperations, Slabs


def test_a_class_needs_no_base() -> None:
    """Having the methods makes an operations set."""
    assert isinstance(SlabOperations(), Operations)


def test_an_index_space_is_monitored() -> None:
    """Hot slots of a user's own index space are found, in units of single slots."""
    slabs = Slabs(1000, busy=set(range(400, 450)))
    context = Context(ops=SlabOperations(), targets=[Target(space=slabs)], min_region_sz=1)
    last = drive(monitor_of(context), 100 * AGGR_US)[-1]
    assert last.total_bytes == 1000
    hot = last.nr_accesses >= 18
    found = {
        slot
        for low, high in zip(last.start[hot], last.end[hot], strict=True)
        for slot in range(low, high)
    }
    assert len(found & slabs.busy) > 45
    assert len(found - slabs.busy) < 5


def test_an_index_space_may_grow() -> None:
    """Ranges are asked for again at each operations update."""
    slabs = Slabs(100)
    context = Context(
        ops=SlabOperations(),
        targets=[Target(space=slabs)],
        min_region_sz=1,
        intervals={"update_us": 2 * AGGR_US},
    )
    monitor = monitor_of(context)
    slabs.nr_slots = 250
    drive(monitor, 2 * AGGR_US)
    assert monitor.table.total_bytes == 250
