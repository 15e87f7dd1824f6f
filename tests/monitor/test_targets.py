"""Targets that come with mappings, that vanish, and that are several."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.arrays import IntArray
from damon_async.errors import InvalidError
from damon_async.operations.paddr import Paddr
from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import Context, NrRegions, Target

from .doubles import (
    AGGR_US,
    PAGE,
    SAMPLE_US,
    Blinking,
    Still,
    bounds_of,
    context_of,
    drive,
    fingerprint,
    monitor_of,
    span_of,
    target_of,
    watch,
)

E13_MAPS = [(1, 4), (4, 9), (50, 70), (75, 80), (200, 210)]


def test_e14_initial_regions_of_a_process() -> None:
    """E13, E14: a process begins with ten regions in three big ranges."""
    monitor = watch(Target(space=Still(mapped=E13_MAPS)), ops="vaddr")
    expected = [(1, 6), (6, 9)]
    expected += [(start, start + 5) for start in (50, 55, 60, 65, 70, 75, 200, 205)]
    assert bounds_of(monitor) == expected


def test_regions_of_the_user_come_first() -> None:
    """A process begins with the user's regions where they are given."""
    monitor = watch(target_of(Still(mapped=E13_MAPS), (0, 20)), ops="vaddr")
    assert span_of(monitor) == (0, 20)


def test_updates_follow_the_mappings() -> None:
    """An operations update covers what is mapped by then, and keeps counters."""
    space = Still(hot=[(0, 1000)], mapped=E13_MAPS)
    intervals = Intervals(SAMPLE_US, AGGR_US, 250_000)
    monitor = monitor_of(context_of(Target(space=space), ops="vaddr", intervals=intervals))
    drive(monitor, 2 * AGGR_US)
    space.mapped = [(1, 4), (4, 9), (50, 70), (75, 80), (200, 230)]
    drive(monitor, 245_000)
    assert span_of(monitor) == (1, 210)
    drive(monitor, 250_000)
    assert span_of(monitor) == (1, 230)
    assert monitor.table.total_bytes == 68 * PAGE
    # All that was known before counts on: the two aggregations, and ten ticks.
    last = monitor.table.last_nr_accesses
    assert (last == 20).all()
    assert monitor.table.nr_accesses.max() == 10


def test_regions_of_the_user_follow_too() -> None:
    """An operations update also replaces the ranges that the user began with."""
    space = Still(mapped=E13_MAPS)
    intervals = Intervals(SAMPLE_US, AGGR_US, AGGR_US)
    context = context_of(target_of(space, (0, 20)), ops="vaddr", intervals=intervals)
    monitor = monitor_of(context)
    drive(monitor, AGGR_US)
    assert span_of(monitor) == (1, 210)


def test_updates_keep_enough_regions() -> None:
    """What an update adds is cut to the least number of regions (P7)."""
    space = Still(mapped=[(0, 10), (100, 110), (200, 210)])
    intervals = Intervals(SAMPLE_US, AGGR_US, AGGR_US)
    monitor = monitor_of(context_of(Target(space=space), ops="vaddr", intervals=intervals))
    space.mapped = [(0, 10), (100, 110), (200, 9000)]
    drive(monitor, 2 * AGGR_US)
    assert monitor.table.sizes.max() <= 882 * PAGE


def test_too_few_mappings_leave_a_target_as_it_is() -> None:
    """Where three ranges cannot be found, a target keeps what it has."""
    space = Still(mapped=[(0, 10)])
    intervals = Intervals(SAMPLE_US, AGGR_US, AGGR_US)
    monitor = monitor_of(context_of(Target(space=space), ops="vaddr", intervals=intervals))
    assert len(monitor.table) == 0
    space.mapped = E13_MAPS
    drive(monitor, AGGR_US)
    assert span_of(monitor) == (1, 210)
    space.mapped = [(0, 10)]
    drive(monitor, 2 * AGGR_US)
    assert span_of(monitor) == (1, 210)


def test_fixed_ranges_are_never_updated() -> None:
    """With fvaddr the mappings do not matter."""
    space = Still(mapped=E13_MAPS)
    intervals = Intervals(SAMPLE_US, AGGR_US, AGGR_US)
    monitor = monitor_of(context_of(target_of(space, (0, 20)), intervals=intervals))
    drive(monitor, 3 * AGGR_US)
    assert span_of(monitor) == (0, 20)


def test_nothing_to_monitor_is_still_monitored() -> None:
    """Without regions, snapshots are empty, and come on time."""
    snapshots = drive(watch(Target(space=Still())), 3 * AGGR_US)
    assert [each.nr_regions for each in snapshots] == [0, 0, 0]


def test_targets_share_the_numbers_of_regions() -> None:
    """The bounds of the number of regions are for all targets together."""
    monitor = watch(target_of(Still(), (0, 90)), target_of(Still(), (0, 10)))
    assert len(bounds_of(monitor, 0)) == 9
    assert len(bounds_of(monitor, 1)) == 1


def test_targets_are_told_apart() -> None:
    """Each target's regions show what is hot in its own space."""
    monitor = watch(target_of(Still(hot=[(0, 50)]), (0, 100)), target_of(Still(), (0, 100)))
    snapshot = drive(monitor, AGGR_US)[0]
    first, second = snapshot.of_target(0), snapshot.of_target(1)
    assert first.total_bytes == second.total_bytes == 100 * PAGE
    assert first.nr_accesses.max() == 20
    assert second.nr_accesses.max() == 0
    assert snapshot.target.tolist() == sorted(snapshot.target.tolist())


def test_a_vanished_target_looks_idle() -> None:
    """What was a target's memory counts as not accessed once it has vanished."""
    mortal = Still(hot=[(0, 100)], lifetime_us=AGGR_US)
    monitor = watch(target_of(mortal, (0, 100)), target_of(Still(hot=[(0, 100)]), (0, 100)))
    _, second = drive(monitor, 2 * AGGR_US)
    assert second.of_target(0).nr_accesses.max() == 0
    assert second.of_target(1).nr_accesses.min() == 20
    assert not monitor.ended


@pytest.mark.parametrize("ops", ["vaddr", "fvaddr"])
def test_it_ends_when_all_have_vanished(ops: str) -> None:
    """Monitoring ends by itself at the tick at which the last target has vanished."""
    targets = [target_of(Still(lifetime_us=life), (0, 9)) for life in (130_000, 222_000)]
    monitor = watch(*targets, ops=ops)
    snapshots = drive(monitor, 10 * AGGR_US)
    assert len(snapshots) == 2
    assert monitor.ended
    assert monitor.tick_us == 225_000


def test_the_end_is_not_overslept() -> None:
    """A window ends where the last target vanishes."""
    monitor = watch(target_of(Still(lifetime_us=12_000), (0, 9)))
    assert monitor.next_us == 15_000


def test_vanished_before_the_start() -> None:
    """A target that vanished before monitoring began ends it at once."""
    context = context_of(target_of(Still(lifetime_us=10), (0, 9)))
    monitor = monitor_of(context, begin_us=1_000)
    assert monitor.next_us == 1_000
    monitor.step(1_000)
    assert monitor.ended


def test_physical_memory_outlives_its_space() -> None:
    """Physical memory never vanishes, so monitoring it never ends by itself."""
    monitor = watch(target_of(Still(lifetime_us=10), (0, 9)), ops="paddr")
    assert len(drive(monitor, 5 * AGGR_US)) == 5
    assert not monitor.ended


def test_physical_memory_needs_no_target() -> None:
    """A context of physical memory without targets goes on."""
    monitor = monitor_of(Context(ops="paddr"))
    assert len(drive(monitor, 3 * AGGR_US)) == 3


def test_address_unit() -> None:
    """Regions of physical memory are counted in address units, spaces in bytes."""
    space = Still(hot=[(0, 50 * 16)])
    context = context_of(target_of(space, (0, 100)), ops="paddr")
    context = context.model_copy(update={"addr_unit": 16})
    monitor = monitor_of(context)
    assert isinstance(monitor.operations, Paddr)
    snapshot = drive(monitor, AGGR_US)[0]
    assert snapshot.total_bytes == 100 * PAGE
    assert snapshot.nr_accesses.tolist() == [20] * 5 + [0] * 5


def test_huge_pages_are_one_piece() -> None:
    """All regions that sample the same huge page get the same answer."""
    huge = 512
    space = Still(hot=[(3 * huge, 3 * huge + 1)], page_size=huge * PAGE)
    context = context_of(target_of(space, (0, 10 * huge)), nr_regions=NrRegions(40, 100))
    monitor = monitor_of(context)
    snapshot = drive(monitor, AGGR_US)[0]
    inside = (snapshot.start >= 3 * huge * PAGE) & (snapshot.end <= 4 * huge * PAGE)
    assert inside.sum() == 4
    assert (snapshot.nr_accesses[inside] == 20).all()
    assert (snapshot.nr_accesses[~inside] == 0).all()


def test_a_region_inside_a_huge_page_is_checked_every_tick() -> None:
    """P8: a single region inside one huge page notices when that goes idle."""
    space = Still(hot=[(0, 1)], page_size=512 * PAGE)
    monitor = watch(target_of(space, (100, 101)), ops="paddr")
    monitor.step(5 * SAMPLE_US)
    space.hot = []
    assert drive(monitor, AGGR_US)[0].nr_accesses.tolist() == [5]


def test_contexts_do_not_influence_each_other() -> None:
    """P23: a context gives the same result alone and beside another one."""

    def watched() -> Target:
        return target_of(Blinking(), (0, 5000))

    alone = drive(watch(watched()), 5 * AGGR_US)
    beside, other = watch(watched()), watch(target_of(Blinking(), (0, 77)), seed=3)
    snapshots = []
    for now_us in range(0, 5 * AGGR_US + 1, AGGR_US):
        snapshots += beside.step(now_us)
        other.step(now_us)
    assert fingerprint(snapshots) == fingerprint(alone)


class Fickle(Paddr):
    """Finds ranges that make no sense."""

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray:
        """Return a reversed range."""
        return np.array([[2 * PAGE, PAGE]])


def test_bad_ranges_of_an_operations_set() -> None:
    """Ranges of a user's operations set are checked like everybody's."""
    with pytest.raises(InvalidError, match=r"range 0 \[8192, 4096\) is empty"):
        monitor_of(context_of(Target(space=Still())), operations=Fickle())
