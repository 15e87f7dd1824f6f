"""Online commits: everything of spec core 2.7 that concerns monitoring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from damon_async.errors import InvalidError, ParametersError
from damon_async.monitor.monitor import Monitor
from damon_async.operations.base import Operations
from damon_async.operations.fvaddr import Fvaddr
from damon_async.operations.paddr import Paddr
from damon_async.operations.registry import operations_for
from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import Context, NrRegions, Target

from ..operations.slabs import SlabOperations, Slabs
from .doubles import (
    AGGR_US,
    PAGE,
    SAMPLE_US,
    Blinking,
    Still,
    Touched,
    bounds_of,
    context_of,
    drive,
    fingerprint,
    monitor_of,
    span_of,
    target_of,
    watch,
)

HOT = [(0, 10_000)]


def commit_at(
    monitor: Monitor, now_us: int, context: Context, operations: Operations | None = None
) -> None:
    """Drive a monitor to an instant and commit there."""
    drive(monitor, now_us - 1)
    call = monitor.call(lambda monitor: monitor.commit(context, operations), now_us=now_us)
    drive(monitor, now_us)
    assert call.result() is None


def recommitted(monitor: Monitor, **changes: object) -> Context:
    """Return the parameters in force with some changes."""
    return monitor.context.model_copy(update=changes)


def counters(monitor: Monitor, target: int = 0) -> list[list[int]]:
    """Return the counters of each region of a target."""
    rows: list[list[int]] = monitor.table.of_target(target).cells[3:].T.tolist()
    return rows


def test_targets_without_regions_keep_theirs() -> None:
    """A committed target without regions keeps the regions and counters there are."""
    monitor = watch(target_of(Still(hot=HOT), (0, 100)))
    drive(monitor, 150_000)
    before = monitor.table.cells.copy()
    monitor.commit(context_of(Target(space=Still())))
    assert np.array_equal(monitor.table.cells, before)


def test_targets_with_regions_are_covered_anew() -> None:
    """Committed regions replace the ranges; what stays inside keeps its counters."""
    space = Still(hot=HOT)
    monitor = watch(target_of(space, (0, 100)))
    commit_at(monitor, 150_000, context_of(target_of(space, (0, 50), (200, 300))))
    assert span_of(monitor) == (0, 300)
    assert monitor.table.total_bytes == 150 * PAGE
    kept = monitor.table.start < 50 * PAGE
    assert (monitor.table.last_nr_accesses[kept] == 20).all()
    assert (monitor.table.nr_accesses[kept] == 10).all()
    assert not monitor.table.cells[3:, ~kept].any()


def test_touching_regions_are_one_range() -> None:
    """Committed regions that touch are one range, so that all inside it stay."""
    space = Still(hot=HOT)
    monitor = watch(target_of(space, (0, 100)))
    # Apart, the middle one would find no region of its own.
    commit_at(monitor, 150_000, context_of(target_of(space, (0, 35), (35, 38), (38, 100))))
    assert all(row[0] == 10 for row in counters(monitor))


def test_old_regions_are_not_set_again() -> None:
    """Regions that were committed before do not undo what updates found since."""
    space = Still(mapped=[(0, 10), (100, 110), (200, 210)])
    intervals = Intervals(SAMPLE_US, AGGR_US, AGGR_US)
    context = context_of(target_of(space, (0, 20)), ops="vaddr", intervals=intervals)
    monitor = monitor_of(context)
    drive(monitor, 2 * AGGR_US)
    assert span_of(monitor) == (0, 210)
    commit_at(monitor, 230_000, context.model_copy(update={"nr_regions": NrRegions(5, 50)}))
    assert span_of(monitor) == (0, 210)


def test_surplus_targets_are_removed() -> None:
    """Targets that a commit does not mention are gone with their regions."""
    targets = [target_of(Still(), (0, 30)), target_of(Still(), (100, 130))]
    monitor = watch(*targets)
    commit_at(monitor, 50_000, context_of(targets[0]))
    assert len(monitor.targets) == 1
    assert not monitor.table.target.any()
    assert monitor.table.total_bytes == 30 * PAGE
    assert drive(monitor, AGGR_US)[0].total_bytes == 30 * PAGE


def test_obsolete_targets_are_removed_in_place() -> None:
    """An obsolete target removes that of the same index; those behind it move up."""
    spaces = [Still(), Still(hot=HOT), Still()]
    targets = [target_of(space, (100 * i, 100 * i + 30)) for i, space in enumerate(spaces)]
    monitor = watch(*targets)
    drive(monitor, 150_000)
    obsolete = targets[0].model_copy(update={"obsolete": True})
    monitor.commit(context_of(obsolete, *targets[1:]))
    assert monitor.targets == tuple(targets[1:])
    assert monitor.context.targets == monitor.targets
    assert span_of(monitor, 0) == (100, 130)
    assert span_of(monitor, 1) == (200, 230)
    assert all(row == [0, 20, 0] for row in counters(monitor, 0))
    assert all(row == [0, 0, 1] for row in counters(monitor, 1))


def test_obsolete_without_counterpart_is_refused() -> None:
    """An obsolete target must have one to remove."""
    monitor = watch(target_of(Still(), (0, 30)))
    stray = Target(space=Still(), obsolete=True)
    with pytest.raises(ParametersError, match=r"targets\[1\]: is obsolete, but only 1 target"):
        monitor.commit(context_of(monitor.targets[0], stray))


def test_new_targets_are_appended() -> None:
    """Targets beyond those there are begin with the regions they bring."""
    first = target_of(Still(hot=HOT), (0, 30))
    monitor = watch(first)
    commit_at(monitor, 50_000, context_of(first, target_of(Still(hot=HOT), (5, 9))))
    assert span_of(monitor, 1) == (5, 9)
    snapshot = drive(monitor, AGGR_US)[0]
    assert snapshot.of_target(0).nr_accesses.max() == 20
    assert snapshot.of_target(1).nr_accesses.max() == 10


def test_new_targets_are_looked_up_at_once() -> None:
    """A new target without regions gets those of its mappings with the commit."""
    first = Target(space=Still(mapped=[(0, 10), (20, 30), (40, 50)]))
    monitor = watch(first, ops="vaddr")
    added = Target(space=Still(mapped=[(100, 110), (120, 130), (140, 150)]))
    commit_at(monitor, 50_000, context_of(first, added, ops="vaddr"))
    assert span_of(monitor, 1) == (100, 150)


def test_spaces_are_replaced() -> None:
    """Another space at the same index is asked from the next tick on."""
    old, new = Still(hot=HOT), Still()
    monitor = watch(target_of(old, (0, 30)))
    commit_at(monitor, 50_000, context_of(Target(space=new)))
    assert drive(monitor, AGGR_US)[0].nr_accesses.max() == 10
    assert sum(map(len, old.asked)) == sum(map(len, new.asked)) == 10


def test_pids_are_replaced() -> None:
    """The process of a target is what was committed last."""
    space = Still()
    monitor = watch(target_of(space, (0, 30)))
    commit_at(monitor, 50_000, context_of(Target(pid=42, space=space)))
    assert monitor.targets[0].pid == 42


def test_purity_follows_the_targets() -> None:
    """Windows end with the commit of a space that cannot tell the past."""
    monitor = watch(target_of(Still(), (0, 30)))
    commit_at(monitor, 50_000, context_of(Target(space=Touched())))
    assert monitor.next_us == 55_000
    commit_at(monitor, 60_000, context_of(Target(space=Still())))
    assert monitor.next_us == AGGR_US


def test_operations_are_replaced() -> None:
    """Another operations set takes over the regions as they are."""
    mortal = Still(hot=HOT, lifetime_us=150_000)
    monitor = watch(target_of(mortal, (0, 30)))
    context = context_of(Target(space=mortal), ops="paddr")
    commit_at(monitor, 50_000, context, operations_for(context))
    assert isinstance(monitor.operations, Paddr)
    first, *rest = drive(monitor, 5 * AGGR_US)
    assert first.nr_accesses.max() == 20
    assert len(rest) == 4
    assert not monitor.ended


class Quiet(Fvaddr):
    """An operations set that is false when asked for a truth value."""

    def __len__(self) -> int:
        return 0


def test_operations_need_no_truth_value() -> None:
    """An operations set is used even if it is empty."""
    monitor = watch(target_of(Still(), (0, 30)))
    commit_at(monitor, 50_000, monitor.context, Quiet())
    assert isinstance(monitor.operations, Quiet)


def test_p7_bounds_are_enforced_at_once() -> None:
    """P7: a larger least number of regions, or a larger range, is enforced at once."""
    monitor = watch(target_of(Still(), (0, 100)))
    commit_at(monitor, 50_000, recommitted(monitor, nr_regions=NrRegions(50, 100)))
    assert monitor.table.sizes.max() == 2 * PAGE
    commit_at(monitor, 60_000, recommitted(monitor, targets=(target_of(Still(), (0, 10_000)),)))
    assert monitor.table.sizes.max() <= 200 * PAGE


def test_p7_the_size_limit_is_new() -> None:
    """P7: merging after a commit keeps to the limit of the new ranges."""
    monitor = watch(target_of(Still(), (0, 10_000)))
    drive(monitor, 150_000)
    commit_at(monitor, 160_000, recommitted(monitor, targets=(target_of(Still(), (0, 100)),)))
    assert drive(monitor, 2 * AGGR_US)[0].nr_regions == 10


def test_smallest_region_is_replaced() -> None:
    """Regions are cut in the new unit from then on."""
    monitor = watch(target_of(Still(), (0, 6400)))
    commit_at(monitor, 50_000, recommitted(monitor, min_region_sz=64 * PAGE))
    drive(monitor, 3 * AGGR_US)
    assert not (monitor.table.start % (64 * PAGE)).any()


def test_most_regions_is_replaced() -> None:
    """The number of regions keeps to a new upper bound from the next merge on."""
    monitor = watch(target_of(Blinking(), (0, 60_000)))
    drive(monitor, 10 * AGGR_US)
    assert len(monitor.table) > 40
    commit_at(monitor, 1_010_000, recommitted(monitor, nr_regions=NrRegions(10, 40)))
    drive(monitor, 12 * AGGR_US)
    assert len(monitor.table) <= 40


def test_p12_unrelated_commits_change_nothing() -> None:
    """P12: a commit of what is in force disturbs neither counts nor schedule."""
    plain, disturbed = (watch(target_of(Blinking(), (0, 5000))) for _ in range(2))
    disturbed.call(lambda monitor: monitor.commit(monitor.context), repeat=True)
    assert fingerprint(drive(disturbed, 800_000)) == fingerprint(drive(plain, 800_000))


def test_other_bounds_restart_nothing() -> None:
    """Other bounds of the number of regions keep partial counts as well."""
    monitor = watch(target_of(Still(hot=HOT), (0, 100)))
    commit_at(monitor, 50_000, recommitted(monitor, nr_regions=NrRegions(5, 50)))
    (snapshot,) = drive(monitor, AGGR_US)
    assert snapshot.nr_accesses.max() == 20


def test_commit_before_the_beginning() -> None:
    """Before it begins, a commit is as if it had been made with those parameters."""
    context = context_of(target_of(Still(hot=HOT), (0, 100)), intervals=Intervals(1_000, 10_000))
    early = Monitor(context_of(target_of(Still(), (7, 9))), Fvaddr(), np.random.default_rng(7))
    early.commit(context)
    early.begin(0)
    assert fingerprint(drive(early, AGGR_US)) == fingerprint(drive(monitor_of(context), AGGR_US))


def test_commit_of_a_process_before_the_beginning() -> None:
    """Mappings are not asked for before it begins."""
    context = context_of(Target(space=Still(mapped=[(0, 10), (20, 30), (40, 50)])), ops="vaddr")
    monitor = Monitor(context_of(), Fvaddr(), np.random.default_rng(7))
    monitor.commit(context, operations_for(context))
    assert len(monitor.table) == 0
    monitor.begin(0)
    assert span_of(monitor) == (0, 50)


class Stubborn(SlabOperations):
    """Refuses to look at large slabs."""

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> Any:
        """Return the slots, unless they are too many."""
        if isinstance(target.space, Slabs) and target.space.nr_slots > 10:
            raise OSError("too many slots")
        return super().ranges(target, now_us, min_region_sz)


def failing_commits() -> list[tuple[Callable[[Monitor], None], type[Exception], str]]:
    """Return commits that fail, with what they fail with."""
    fine = target_of(Still(), (0, 20))
    apart = context_of(target_of(Still(), (0, 10), (11, 20)))
    overlapping = apart.model_copy(update={"min_region_sz": 8 * PAGE})
    stubborn = Target(space=Slabs(11))
    return [
        (lambda m: m.commit(context_of(fine, Target(pid=1))), InvalidError, "needs a space"),
        (
            lambda m: m.commit(overlapping),
            InvalidError,
            "range 1 starts at 32768, inside the one before it",
        ),
        (
            lambda m: m.commit(context_of(fine, fine, Target(space=Still(), obsolete=True))),
            ParametersError,
            "is obsolete",
        ),
        (
            lambda m: m.commit(context_of(fine, stubborn, ops=Stubborn()), Stubborn()),
            OSError,
            "too many slots",
        ),
    ]


@pytest.mark.parametrize(("commit", "kind", "message"), failing_commits())
def test_p29_failures_leave_everything(
    commit: Callable[[Monitor], None], kind: type[Exception], message: str
) -> None:
    """P29: a commit that fails in any part leaves all of the context as it was."""
    plain, disturbed = (watch(target_of(Blinking(), (0, 5000))) for _ in range(2))
    drive(disturbed, 130_000)
    before = (disturbed.context, disturbed.targets, disturbed.operations)
    call = disturbed.call(commit, now_us=130_000)
    snapshots = drive(disturbed, 135_000)
    with pytest.raises(kind, match=message):
        call.result()
    assert (disturbed.context, disturbed.targets, disturbed.operations) == before
    drive(plain, AGGR_US)
    snapshots += drive(disturbed, 800_000)
    assert fingerprint(snapshots) == fingerprint(drive(plain, 800_000))


def test_commit_at_the_end_of_an_aggregation() -> None:
    """New regions in the tick of an aggregation are published with it."""
    monitor = watch(target_of(Still(hot=HOT), (0, 100)))
    drive(monitor, AGGR_US - 1)
    context = context_of(target_of(Still(), (50, 200)))
    monitor.call(lambda monitor: monitor.commit(context), now_us=AGGR_US)
    (snapshot,) = drive(monitor, AGGR_US)
    assert snapshot.total_bytes == 150 * PAGE
    assert snapshot.nr_accesses.max() == 20
    assert bounds_of(monitor)[0][0] == 50
