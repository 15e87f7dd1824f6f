"""Runs of schemes over machines, in plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.params.schemes import Scheme
from damon_async.records.snapshot import Snapshot
from damon_async.spaces.costs import CostModel, Node
from damon_async.whatif.runner import MOST_POINTS, Run, World

from .worlds import (
    COLD,
    MIB,
    RECLAIM,
    half_hot,
    in_turns,
    play,
    quota,
    with_schemes,
    world,
)


def test_nothing_happens_to_a_world_left_alone() -> None:
    """Without contexts nothing is monitored and all memory stays."""
    outcome = play(world(half_hot()))

    assert not outcome.contexts
    assert not outcome.schemes
    assert outcome.final_resident_bytes == 16 * MIB
    assert (outcome.nr_checks, outcome.nr_snapshots, outcome.nr_refaults) == (0, 0, 0)


def test_what_is_cold_leaves() -> None:
    """Reclaim takes about the half that is never touched, at no price for the program."""
    there = world(half_hot())
    outcome = play(there, RECLAIM)

    assert outcome.final_resident_bytes == pytest.approx(8 * MIB, rel=0.1)
    assert 0.3 < outcome.saved_share(play(there)) < 0.5
    assert outcome.nr_paged_out == pytest.approx(2048, rel=0.1)
    assert outcome.action_share > 0
    assert outcome.check_share > 0


def test_what_comes_back_is_paid_for() -> None:
    """Memory that is touched again after it was paged out makes the program wait."""
    there = world(in_turns(), seconds=12)
    outcome = play(there, RECLAIM)

    assert outcome.nr_refaults > 4000
    assert outcome.stall_ns == outcome.nr_refaults * CostModel().refault_ns
    assert outcome.slowdown(play(there)) == pytest.approx(outcome.stall_ns / 12e9)


def test_programs_share_the_slow_down() -> None:
    """What one of two programs waits for slows both down by half of that, on average."""
    alone, both = world(in_turns()), world(in_turns(), half_hot())
    one, two = play(alone, RECLAIM), play(both, RECLAIM)

    assert two.nr_programs == 2
    assert two.slowdown(play(both)) == pytest.approx(two.stall_ns / 12e9)
    assert one.slowdown(play(alone)) > two.slowdown(play(both))


def test_same_seed_same_run() -> None:
    """A run is a function of its world."""
    there = world(in_turns(), seconds=4)
    one, two = play(there, RECLAIM), play(there, RECLAIM)

    assert one.schemes[0].stats == two.schemes[0].stats
    for a, b in zip(vars(one.timeline).values(), vars(two.timeline).values(), strict=True):
        assert np.array_equal(a, b)


def test_all_runs_are_looked_at_together() -> None:
    """Runs with and without schemes have the same instants, whatever their intervals."""
    there = world(half_hot(), seconds=3)
    instants = play(there).timeline.time_us

    assert instants[0] == 0
    assert instants[-1] == 3_000_000
    assert np.array_equal(instants, play(there, RECLAIM).timeline.time_us)


@given(st.integers(1, 10**12))
def test_instants_are_few_and_end_at_the_end(duration_us: int) -> None:
    """However long a run, it is looked at a limited number of times, the last at its end."""
    there = World((), duration_us)
    ends = list(itertools.islice(there.instants(), MOST_POINTS + 2))

    assert 1 <= len(ends) <= MOST_POINTS + 1
    assert ends[-1] == duration_us
    assert ends == sorted(set(ends))


def test_windows_add_up_to_the_charges() -> None:
    """Charges of the windows never exceed the quota, and add up to what was tried."""
    outcome = play(world(half_hot()), quota(sz_bytes=2 * MIB))
    (scheme,) = outcome.schemes
    use = scheme.quota

    assert len(use) >= 5
    assert np.array_equal(np.diff(use.start_us), np.full(len(use) - 1, 1_000_000))
    assert (use.charged_bytes <= 2 * MIB).all()
    assert set(use.allowed_bytes.tolist()) == {2.0 * MIB}
    # The last window has not ended, and is left out.
    assert 0 <= scheme.stats.sz_tried - use.charged_bytes.sum() <= 2 * MIB
    assert use.shares.max() == 1


def test_windows_tell_the_time_spent() -> None:
    """What actions took stands in the window in which they were taken."""
    outcome = play(world(half_hot()), quota(sz_bytes=2 * MIB))
    use = outcome.schemes[0].quota

    idle, busy = use.spent_ns[use.charged_bytes == 0], use.spent_ns[use.charged_bytes > 0]
    assert not idle.any()
    assert busy.all()
    assert use.spent_ns.sum() <= outcome.timeline.work_ns[-1]


def test_no_quota_no_windows() -> None:
    """A scheme without a quota has no windows."""
    (scheme,) = play(world(half_hot(), seconds=2), RECLAIM).schemes
    assert len(scheme.quota) == 0


def test_a_window_that_never_ends_is_told() -> None:
    """A quota for all time has one window: the running one."""
    forever = Scheme("pageout", COLD, quotas={"sz_bytes": 2 * MIB, "reset_interval_ms": "max"})
    (scheme,) = play(world(half_hot()), forever).schemes

    assert scheme.quota.charged_bytes.tolist() == [2 * MIB]
    assert scheme.quota.start_us.shape == (1,)


def test_snapshots_go_where_they_are_wanted() -> None:
    """Each snapshot is handed on with the index of its context, and counted."""
    seen: list[tuple[int, Snapshot]] = []
    told: list[int] = []
    run = Run(world(half_hot(), seconds=2), "two", with_schemes(RECLAIM, nr_contexts=2))
    outcome = run.play(sink=lambda *args: seen.append(args), tell=told.append)

    assert {index for index, _ in seen} == {0, 1}
    assert len(seen) == outcome.nr_snapshots == 40
    assert outcome.nr_checks == 5 * sum(snapshot.nr_regions for _, snapshot in seen)
    assert told[-1] == 2_000_000


def test_contexts_share_the_machine() -> None:
    """What one monitor pages out is not there for the other."""
    outcome = Run(world(half_hot()), "two", with_schemes(RECLAIM, nr_contexts=2)).play()

    applied = [scheme.stats.sz_applied for scheme in outcome.schemes]
    assert [scheme.context_idx for scheme in outcome.schemes] == [0, 1]
    assert sum(applied) == outcome.nr_paged_out * 4096
    assert outcome.nr_paged_out < 2 * 2048


def test_machine_is_as_asked_for() -> None:
    """Memory, costs and what was there at the beginning are the world's."""
    nodes, costs = (Node(capacity=12 * MIB),), CostModel(reclaim_page_ns=7)
    outcome = play(world(half_hot(), nodes=nodes, costs=costs))
    assert outcome.nr_reclaimed >= 1024
    assert outcome.stall_ns >= 7 * 1024

    empty = play(world(half_hot(), is_populated=False))
    assert empty.timeline.resident_bytes[0] == 0
    assert empty.final_resident_bytes == 8 * MIB
    assert empty.nr_faults == 2048


def test_watermarks_see_the_machine() -> None:
    """A scheme that is to act only while memory is short stays asleep."""
    short = {"metric": "free_mem_rate", "interval_us": "100 ms"}
    marks = {**short, "high_permil": 100, "mid_permil": 50, "low_permil": 0}
    outcome = play(world(half_hot()), Scheme("pageout", COLD, watermarks=marks))

    assert not outcome.schemes[0].is_active
    assert outcome.nr_paged_out == 0


def test_functions_are_refused() -> None:
    """A scheme that wants a function called is refused: nobody answers here."""
    own = Scheme(lambda request: None, COLD)
    with pytest.raises(ValueError, match="knows built-in actions and metrics only"):
        play(world(half_hot()), own)


def test_effort_is_measured_with_the_clock_given() -> None:
    """The CPU time of a run is read from whatever clock the caller has."""
    clock = iter([3.0, 5.5])
    assert Run(world(half_hot(), seconds=1), "-").play(seconds=lambda: next(clock)).cpu_s == 2.5


def test_spaces_are_left_behind() -> None:
    """The parameters of an outcome hold no memory of the run."""
    outcome = play(world(half_hot(), seconds=1), RECLAIM)
    assert [target.space for target in outcome.contexts[0].targets] == [None]


def test_repr_says_what_runs() -> None:
    """A run says its name and its machine."""
    run = Run(world(half_hot()), "darc1", with_schemes(RECLAIM))
    assert repr(run).startswith("<Run 'darc1' on <Machine 1 processes")
    assert run.contexts[0].schemes == (RECLAIM,)
