"""What holds for every run, whatever world and schemes: nothing comes from nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from damon_async.params.monitoring import AddressRange
from damon_async.params.schemes import Scheme
from damon_async.spaces.costs import CostModel, Node
from damon_async.spaces.generator_base import Layout
from damon_async.spaces.generators import Phases, PlannedPhase
from damon_async.spaces.pages import PAGE
from damon_async.spaces.space import Space
from damon_async.whatif.outcome import Outcome
from damon_async.whatif.runner import Run, World

from .worlds import COLD, MIB, RECLAIM, half_hot, in_turns, on_processes, play, with_schemes, world

SIZE_MIB = 4
DURATION_US = 2_000_000

plans = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.lists(st.integers(0, SIZE_MIB - 1), unique=True, max_size=SIZE_MIB),
    ),
    min_size=1,
    max_size=4,
)
"""Phases in tenths of a second, and which megabytes are hot in each."""

schemes = st.builds(
    lambda action, age_ms, size_kib, window_ms: Scheme(
        action,
        {"nr_accesses": ("0 %", "40 %"), "age": (f"{age_ms} ms", "max")},
        quotas={"sz_bytes": f"{size_kib}K", "reset_interval_ms": window_ms},
    ),
    st.sampled_from(["pageout", "lru_prio", "lru_deprio", "stat"]),
    st.sampled_from([0, 200, 500]),
    st.integers(0, 2048),
    st.sampled_from([0, 50, 300, 1000]),
)
"""Schemes with and without quotas."""


def space_of(plan: list[tuple[int, list[int]]]) -> Space:
    """Return memory that follows a plan."""
    phases = tuple(
        PlannedPhase(
            duration_us=100_000 * length,
            hot=tuple(AddressRange(at * MIB, (at + 1) * MIB) for at in hot),
        )
        for length, hot in plan
    )
    return Phases(size=SIZE_MIB * MIB, plan=phases, layout=Layout.FLAT).space()


def columns(outcome: Outcome) -> list[list[int]]:
    """Return the timeline as plain lists, in the order of its attributes."""
    return [column.tolist() for column in vars(outcome.timeline).values()]


def check_books(outcome: Outcome) -> None:
    """Check what must be true of any run."""
    line = outcome.timeline
    for sums in (line.time_us, line.nr_refaults, line.stall_ns, line.work_ns):
        assert (np.diff(sums) >= 0).all()
    # What came in less what went out is what is there.
    came = outcome.nr_faults + outcome.nr_refaults
    went = outcome.nr_paged_out + outcome.nr_reclaimed
    grown = outcome.final_resident_bytes - int(line.resident_bytes[0])
    assert grown == (came - went) * PAGE
    # Nobody comes back who has not left.
    assert outcome.nr_refaults <= went
    assert line.resident_bytes.min() <= outcome.resident_bytes <= line.resident_bytes.max()


@settings(max_examples=25, deadline=None)
@given(plans, st.lists(schemes, max_size=3), st.booleans(), st.integers(0, 2**32))
def test_books_balance(
    plan: list[tuple[int, list[int]]], tried: list[Scheme], is_populated: bool, seed: int
) -> None:
    """Pages that came less pages that went are the pages that are there, always."""
    there = world(space_of(plan), seconds=2, is_populated=is_populated, seed=seed)
    outcome = Run(there, "any", with_schemes(*tried)).play()

    check_books(outcome)
    applied = [each for each in outcome.schemes if each.scheme.action == "pageout"]
    assert outcome.nr_paged_out * PAGE == sum(each.stats.sz_applied for each in applied)


@settings(max_examples=10, deadline=None)
@given(plans, st.integers(1, SIZE_MIB), st.lists(schemes, max_size=1))
def test_books_balance_where_memory_is_short(
    plan: list[tuple[int, list[int]]], capacity_mib: int, tried: list[Scheme]
) -> None:
    """The same is true where pages must leave to make room, and memory is never overfull."""
    nodes = (Node(capacity=capacity_mib * MIB),)
    there = world(space_of(plan), seconds=2, nodes=nodes, is_populated=False)
    outcome = Run(there, "short", with_schemes(*tried)).play()

    check_books(outcome)
    assert outcome.timeline.resident_bytes.max() <= capacity_mib * MIB


@settings(max_examples=10, deadline=None)
@given(plans, st.lists(schemes, min_size=1, max_size=2))
def test_charges_stay_in_their_windows(
    plan: list[tuple[int, list[int]]], tried: list[Scheme]
) -> None:
    """No window is charged more than it allows, and all of them no more than was tried."""
    outcome = Run(world(space_of(plan), seconds=2), "any", with_schemes(*tried)).play()

    for each in outcome.schemes:
        use = each.quota
        assert (np.diff(use.start_us) > 0).all()
        assert (use.charged_bytes <= use.allowed_bytes).all()
        assert use.charged_bytes.sum() <= each.stats.sz_tried
        assert (use.spent_ns >= 0).all()
        assert use.spent_ns.sum() <= outcome.timeline.work_ns[-1]
        # Each window that was used up is counted when the next one begins.
        is_full = each.quotas.sz_bytes - use.charged_bytes < PAGE
        assert len(use) == 0 or each.stats.qt_exceeds == np.count_nonzero(is_full)


@pytest.mark.parametrize("action", ["stat", None])
def test_looking_changes_nothing(action: str | None) -> None:
    """To be monitored, or counted by a scheme, leaves memory and programs as they are."""
    there = world(in_turns(), half_hot())
    tried = [Scheme(action, COLD)] if action else []
    alone = Run(there, "alone").play()
    seen = Run(there, "seen", with_schemes(*tried)).play()

    # All but the last column, which is what the counting itself took.
    assert columns(seen)[:-1] == columns(alone)[:-1]
    assert seen.saved_share(alone) == seen.slowdown(alone) == 0


def test_runs_do_not_know_of_each_other() -> None:
    """What was tried before in the same world makes no difference."""
    there = world(in_turns(), seconds=4)
    first = play(there, RECLAIM)
    Run(there, "other", with_schemes(Scheme("pageout"), nr_contexts=2)).play()
    again = play(there, RECLAIM)

    assert columns(first) == columns(again)
    assert first.schemes[0].stats == again.schemes[0].stats


def test_seeds_are_the_monitors() -> None:
    """Another seed is another monitor of the same memory."""
    one, two = (world(in_turns(), seconds=4, seed=seed) for seed in (1, 2))

    assert columns(Run(one, "-").play()) == columns(Run(two, "-").play())
    assert columns(play(one, RECLAIM)) != columns(play(two, RECLAIM))


@pytest.mark.parametrize("times", [2, 10])
def test_prices_scale_what_is_paid(times: int) -> None:
    """Costs change what runs take, not what they do."""
    cheap, dear = CostModel(), CostModel(refault_ns=CostModel().refault_ns * times)
    less, more = (play(world(in_turns(), costs=costs), RECLAIM) for costs in (cheap, dear))

    assert more.nr_refaults == less.nr_refaults > 0
    assert more.stall_ns == times * less.stall_ns
    assert more.action_share == less.action_share
    assert np.array_equal(more.timeline.resident_bytes, less.timeline.resident_bytes)


def test_virtual_memory_keeps_books_too() -> None:
    """Processes as targets of one context: what leaves is counted once."""
    there = World(world(in_turns(), half_hot()).processes, DURATION_US)
    outcome = Run(there, "vaddr", on_processes(RECLAIM)).play()

    check_books(outcome)
    assert [target.pid for target in outcome.contexts[0].targets] == [1, 2]
    assert [target.space for target in outcome.contexts[0].targets] == [None, None]
