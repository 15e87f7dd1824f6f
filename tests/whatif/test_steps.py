"""When a run looks, who is told of what, and which windows are noted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from damon_async.params.intervals import Intervals
from damon_async.params.keywords import GoalMetric
from damon_async.params.monitoring import Context
from damon_async.params.schemes import Scheme
from damon_async.records.snapshot import Snapshot
from damon_async.schemes.quotas import INT64_MAX
from damon_async.spaces.generator_base import Layout
from damon_async.spaces.generators import Hotspot
from damon_async.spaces.machine import Machine
from damon_async.whatif.runner import SHORTEST_US, ContextsOn, Run, World

from .worlds import COLD, MIB, RECLAIM, half_hot, in_turns, play, quota, with_schemes, world

SLOW = Intervals("50 ms", "250 ms", "1 s")


def both(*each: ContextsOn) -> ContextsOn:
    """Return what several functions monitor, one after the other."""

    def contexts_on(machine: Machine) -> tuple[Context, ...]:
        return tuple(context for one in each for context in one(machine))

    return contexts_on


def seen_by(run: Run) -> list[tuple[int, Snapshot]]:
    """Play a run and return what was handed on."""
    seen: list[tuple[int, Snapshot]] = []
    run.play(sink=lambda *args: seen.append(args))
    return seen


# -- Instants ----------------------------------------------------------------


@given(st.integers(1, 10**12))
def test_looks_are_evenly_apart(duration_us: int) -> None:
    """All looks but the last are equally far apart, and not too close."""
    ends = list(World((), duration_us).instants())
    gaps = np.diff([0, *ends])

    assert len(set(gaps[:-1].tolist())) <= 1
    assert (gaps[:-1] >= SHORTEST_US).all()
    assert 0 < gaps[-1] <= max(gaps.max(), duration_us)


def test_the_caller_is_told_of_every_look() -> None:
    """How far it is, is told at each look and not between."""
    there, told = world(half_hot(), seconds=2), list[int]()
    outcome = Run(there, "-").play(tell=told.append)

    assert told == list(there.instants()) == outcome.timeline.time_us[1:].tolist()


def test_a_moment_is_a_run() -> None:
    """A run that is over before anything is due has a beginning and an end."""
    processes = world(half_hot()).processes
    outcome = Run(World(processes, 1), "short", with_schemes(RECLAIM)).play()

    assert outcome.timeline.time_us.tolist() == [0, 1]
    assert (outcome.nr_snapshots, outcome.mean_nr_regions, outcome.nr_paged_out) == (0, 0, 0)
    assert outcome.resident_bytes == outcome.final_resident_bytes == 16 * MIB


# -- Who goes first ----------------------------------------------------------


def test_contexts_take_turns_by_time() -> None:
    """Snapshots come in the order of time; of one instant, those of the first context first."""
    fast, slow = with_schemes(), with_schemes(intervals=SLOW)
    seen = seen_by(Run(world(half_hot(), seconds=1), "two", both(slow, fast)))
    order = [(snapshot.end_ns // 1000, index) for index, snapshot in seen]

    assert order == sorted(order)
    # Every 100 and every 250 ms.
    assert [end for end, index in order if index == 0] == [250_000 * n for n in range(1, 5)]
    assert [end for end, index in order if index == 1] == [100_000 * n for n in range(1, 11)]


def test_contexts_draw_as_if_alone() -> None:
    """A second context that changes nothing leaves what the first one sees as it is."""
    there = world(in_turns(), seconds=1)
    alone = seen_by(Run(there, "one", with_schemes()))
    paired = seen_by(Run(there, "two", both(with_schemes(), with_schemes(intervals=SLOW))))
    first = [snapshot for index, snapshot in paired if index == 0]

    assert len(first) == len(alone)
    for (_, one), other in zip(alone, first, strict=True):
        assert np.array_equal(one.start, other.start)
        assert np.array_equal(one.nr_accesses, other.nr_accesses)


def test_schemes_are_told_in_order() -> None:
    """Outcomes come context by context, and in a context as the schemes stand there."""
    count = Scheme("stat", COLD)
    on = both(with_schemes(count, RECLAIM), with_schemes(count, intervals=SLOW))
    outcome = Run(world(half_hot(), seconds=1), "three", on).play()

    told = [(each.context_idx, str(each.scheme.action)) for each in outcome.schemes]
    assert told == [(0, "stat"), (0, "pageout"), (1, "stat")]


def test_memory_that_vanishes_is_left_alone() -> None:
    """Once programs are gone nothing of them is touched, and the run goes on to its end."""
    gone = Hotspot(size=8 * MIB, hot=8 * MIB, at=0, layout=Layout.FLAT, duration_us=1_000_000)
    outcome = play(world(gone.space(), seconds=4), RECLAIM)

    assert outcome.duration_us == 4_000_000
    assert outcome.nr_refaults == 0
    assert outcome.stall_ns == 0


# -- What it costs to look ---------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 10**6))
def test_price_of_a_look(check_ns: int) -> None:
    """What monitoring takes of a core is looks times their price."""
    outcome = Run(
        world(half_hot(), seconds=1, check_ns=check_ns), "-", with_schemes(RECLAIM)
    ).play()

    assert outcome.check_ns == check_ns
    assert outcome.check_share == pytest.approx(outcome.nr_checks * check_ns / 1e9)


def test_mean_number_of_regions() -> None:
    """Regions are averaged over snapshots, of all contexts."""
    run = Run(world(half_hot(), seconds=2), "two", with_schemes(nr_contexts=2))
    sizes: list[int] = []
    outcome = run.play(sink=lambda _, snapshot: sizes.append(snapshot.nr_regions))

    assert outcome.mean_nr_regions == pytest.approx(sum(sizes) / len(sizes))


# -- Windows -----------------------------------------------------------------


def test_a_window_at_every_turn() -> None:
    """With an interval of 0 each time that a scheme acts is a window of its own."""
    each = Scheme("pageout", COLD, quotas={"sz_bytes": MIB, "reset_interval_ms": 0})
    use = play(world(half_hot(), seconds=2), each).schemes[0].quota

    assert np.array_equal(np.diff(use.start_us), np.full(len(use) - 1, 100_000))
    assert use.charged_bytes.max() == MIB


def test_time_is_told_with_the_bytes_of_its_window() -> None:
    """Where all pages cost the same, so do windows with equal charges."""
    use = play(world(half_hot()), quota(sz_bytes=MIB)).schemes[0].quota
    full = use.charged_bytes == MIB

    assert full.sum() >= 3
    assert len(set((use.spent_ns[full] // 1000).tolist())) <= 3
    assert use.spent_ns[full].min() > 0


def test_what_goals_allow_changes() -> None:
    """A goal that is missed allows more and more; each window tells what it allowed."""
    goal = {"metric": GoalMetric.USER_INPUT, "target_value": 100, "current_value": 50}
    use = play(world(half_hot(), seconds=8), quota(goals=[goal])).schemes[0].quota

    assert len(use) >= 6
    assert all(low < high for low, high in itertools.pairwise(use.allowed_bytes.tolist()))


def test_unbounded_windows_fit_their_column() -> None:
    """A quota of all there is stands as the largest number of a column."""
    (scheme,) = play(world(half_hot(), seconds=3), quota(sz_bytes="max")).schemes

    assert set(scheme.quota.allowed_bytes.tolist()) == {float(INT64_MAX)}
    assert scheme.quota.shares.max() < 1e-6


def test_nothing_is_noted_while_asleep() -> None:
    """A scheme that its watermarks keep from acting has charged nothing."""
    short = {"metric": "free_mem_rate", "interval_us": "100 ms"}
    marks = {**short, "high_permil": 100, "mid_permil": 50, "low_permil": 0}
    limits = {"sz_bytes": MIB, "reset_interval_ms": 1000}
    asleep = Scheme("pageout", COLD, quotas=limits, watermarks=marks)
    (scheme,) = play(world(half_hot()), asleep).schemes

    assert scheme.quota.charged_bytes.sum() == scheme.stats.nr_tried == 0


@pytest.mark.parametrize("what", ["metric", "action"])
def test_refusals_say_what_is_known(what: str) -> None:
    """Functions of the user are refused, wherever they stand, with the reason."""
    goal = {"metric": lambda *_: 1, "target_value": 2}
    own = quota(goals=[goal]) if what == "metric" else Scheme(lambda _: None, COLD)
    with pytest.raises(ValueError, match="knows built-in actions and metrics only, not functions"):
        play(world(half_hot(), seconds=2), own)
