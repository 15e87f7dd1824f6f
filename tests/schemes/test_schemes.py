"""All schemes of a context: when they are due, and what commits change."""

from __future__ import annotations

import pytest

from damon_async.params.filters import Filter
from damon_async.params.intervals import Intervals
from damon_async.params.quotas import Goal, Quotas, Watermarks, Weights
from damon_async.params.schemes import Scheme
from damon_async.schemes.goals import GoalState
from damon_async.schemes.quotas import QuotaState
from damon_async.schemes.schemes import Schemes
from damon_async.schemes.stats import SchemeStats

from ..regions.tables import fresh_table, table_of
from .driving import INTERVALS, PAGE, Bench, do_nothing, drive
from .machines import ToldMachine


def limited(pages: int) -> Quotas:
    """Return a quota of some pages per aggregation."""
    return Quotas(sz_bytes=pages * PAGE, reset_interval_ms=100)


def due_of(schemes: Schemes) -> list[int]:
    """Return when each scheme is due, in sampling intervals."""
    return [s.next_apply for s in schemes.states]


def test_due() -> None:
    """Schemes are due after their own intervals, or with each aggregation."""
    schemes = Schemes(
        [Scheme(), Scheme(apply_interval_us=30_000), Scheme(apply_interval_us=1)], INTERVALS
    )
    assert due_of(schemes) == [20, 6, 0]
    assert schemes.next_due == 0
    schemes.begin(passed=7)
    assert due_of(schemes) == [27, 13, 7]
    assert Schemes([], INTERVALS).next_due is None
    assert not Schemes([], INTERVALS).is_due(10**9)


def test_rounds_follow_each_other() -> None:
    """A round plans the next one from when it happened, however late that was."""
    bench = Bench(Scheme(apply_interval_us=30_000), Scheme(), table=fresh_table((0, 4)))
    bench.now_us = 900_000
    bench.run()
    assert due_of(bench.schemes) == [206, 220]


def test_nobody_active() -> None:
    """If nobody who is due is active, nothing is done and nothing planned."""
    bench = Bench(Scheme(), table=fresh_table((0, 4)))
    bench.schemes.states[0].is_active = False
    bench.run()
    assert (bench.take(), due_of(bench.schemes)) == ([], [20])


def test_nothing_due() -> None:
    """Before anybody is due nothing is done."""
    bench = Bench(Scheme(apply_interval_us=200_000), table=fresh_table((0, 4)))
    bench.run()
    assert bench.take() == []
    bench.run()
    assert bench.take() == [(0, 0, 0, 4)]


def test_other_intervals() -> None:
    """Other intervals are other units of patterns, and plan all rounds anew."""
    schemes = Schemes([Scheme(access_pattern={"age": ("1 s", "max")})], INTERVALS)
    assert schemes.states[0].pattern.min_age == 10
    schemes.set_intervals(Intervals(10_000, 500_000), passed=7)
    assert schemes.states[0].pattern.min_age == 2
    assert due_of(schemes) == [57]


def test_commit_keeps() -> None:
    """Counters, charges, effective quota and pointer survive a commit."""
    bench = Bench(Scheme("pageout", quotas=limited(3)), table=fresh_table((0, 8)))
    bench.run()
    (s,) = bench.schemes.states
    quota = QuotaState(
        True, 3 * PAGE, 0, 3 * PAGE, 0, 0, 100_000, charge_target=0, charge_addr=3 * PAGE
    )
    assert s.quota == quota
    bench.schemes.commit([Scheme("cold", quotas=limited(5), filters=[Filter("anon")])], 20)
    assert bench.schemes.states == [s]
    assert s.quota == quota
    assert s.stats.sz_tried == 3 * PAGE
    assert (s.scheme.action, s.ops_filters) == ("cold", (Filter("anon"),))
    bench.take()
    bench.run()
    # The new quota begins with the next window, behind what was served before.
    assert bench.take() == [(0, 0, 3, 8)]


def test_commit_takes_all_parameters() -> None:
    """Pattern, weights, filters and order are those of the commit from now on."""
    schemes = Schemes([Scheme("stat")], INTERVALS)
    (s,) = schemes.states
    assert s.scores is None
    new = Scheme(
        "pageout",
        {"age": ("1 s", "max")},
        quotas=Quotas(sz_bytes=5, weights=Weights(0, 1, 1)),
        filters=[Filter("target", damon_target_idx=0)],
    )
    schemes.commit([new], 0)
    assert (s.pattern.min_age, s.scores is None, bool(s.core_filters)) == (10, False, True)
    schemes.commit([Scheme("stat")], 0)
    assert (s.pattern.min_age, s.scores is None, bool(s.core_filters)) == (0, True, False)


def test_commit_wakes_up() -> None:
    """A commit makes every scheme active again."""
    marks = Watermarks("free_mem_rate", "5 s", 500, 400, 50)
    schemes = Schemes([Scheme(watermarks=marks)], INTERVALS)
    drive(schemes.watch(0, ToldMachine(free_mem_rate=600)))
    assert not schemes.states[0].is_active
    schemes.commit([Scheme(watermarks=marks)], 0)
    assert schemes.states[0].is_active


def test_commit_matches_by_place() -> None:
    """Surplus schemes end, new ones are added and start from nothing."""
    schemes = Schemes([Scheme("stat"), Scheme("cold")], INTERVALS)
    first, second = schemes.states
    first.stats.nr_tried = second.stats.nr_tried = 5
    schemes.commit([Scheme("pageout")], 0)
    assert schemes.states == [first]
    schemes.commit([Scheme("pageout"), Scheme("cold"), Scheme("stat")], 7)
    assert schemes.states[0] is first
    assert [s.stats.nr_tried for s in schemes.states] == [5, 0, 0]
    assert [s.idx for s in schemes.states] == [0, 1, 2]
    assert due_of(schemes) == [20, 27, 27]


def test_commit_of_another_apply_interval() -> None:
    """Only another apply interval moves when a scheme is due."""
    schemes = Schemes([Scheme("stat"), Scheme("stat")], INTERVALS)
    schemes.commit([Scheme("cold"), Scheme("cold", apply_interval_us=50_000)], 7)
    assert due_of(schemes) == [20, 17]


def test_commit_without_limits() -> None:
    """P37: without any limit left, a quota that is full holds nobody up for ever."""
    bench = Bench(Scheme("stat", quotas=limited(3)), table=fresh_table((0, 8)))
    bench.run()
    bench.schemes.commit([Scheme("stat")], 20)
    bench.take()
    bench.run()
    assert bench.take() == [(0, 0, 0, 8)]
    assert bench.schemes.states[0].quota == QuotaState()
    bench.schemes.commit([Scheme("stat", quotas=limited(2))], 40)
    bench.run()
    assert bench.take() == [(0, 0, 0, 2)]


def test_commit_of_another_smallest_region() -> None:
    """Filters are rounded to what regions can be cut at from now on."""
    rule = Filter("addr", address_range={"start": 1000, "end": 9000})
    schemes = Schemes([Scheme(filters=[rule])], INTERVALS)

    def cuts() -> list[int]:
        pieces = schemes.states[0].core_filters.pieces(0, 0, 16 * PAGE, lambda _: True)
        return [piece.end for piece in pieces]

    assert cuts() == [8192, 16 * PAGE]
    schemes.commit([Scheme(filters=[rule])], 0, min_region_sz=1)
    assert cuts() == [1000, 9000, 16 * PAGE]


def test_goals_go_on() -> None:
    """A goal that is still about the same thing goes on with what it knows."""
    machine = ToldMachine(some_mem_psi_us=[100, 150], node_mem_used_bp=7)

    def schemes_of(target: int, nid: int) -> list[Scheme]:
        goals = [Goal("some_mem_psi_us", target), Goal("node_mem_used_bp", 10, nid=nid)]
        return [Scheme(quotas=Quotas(goals=goals))]

    bench = Bench(*schemes_of(100, 0), table=fresh_table((0, 4)))
    bench.run(metrics=machine)
    assert bench.schemes.states[0].goals == [GoalState(None, 100), GoalState(7)]
    bench.schemes.commit(schemes_of(50, 1), 20)
    assert bench.schemes.states[0].goals == [GoalState(None, 100), GoalState()]
    bench.run(metrics=machine)
    assert bench.schemes.states[0].goals[0] == GoalState(50, 150)


def test_commit_quota_goals() -> None:
    """Goals alone may be committed, and nothing else of what is given is taken."""
    old = Scheme("pageout", quotas=Quotas(5, 7, 9, goals=[Goal("user_input", 100, 10)]))
    schemes = Schemes([old, old], INTERVALS)
    new = Scheme("cold", quotas=Quotas(goals=[Goal("user_input", 100, 60), Goal("user_input", 9)]))
    schemes.commit_quota_goals([new])
    first, second = (s.scheme for s in schemes.states)
    assert (first.action, first.quotas.time_ms, first.quotas.sz_bytes) == ("pageout", 5, 7)
    assert first.quotas.goals == new.quotas.goals
    assert second == old


def test_feedback_from_users() -> None:
    """A user who feeds a goal again and again moves the quota with it."""
    quotas = Quotas(reset_interval_ms=100, goals=[Goal("user_input", 10_000, 0)])
    bench = Bench(Scheme("stat", quotas=quotas), table=fresh_table((0, 4)))
    sizes = []
    for current in (0, 0, 10_000, 15_000):
        goal = Goal("user_input", 10_000, current)
        bench.schemes.commit_quota_goals([Scheme(quotas=Quotas(goals=[goal]))])
        bench.run(do_nothing)
        sizes.append(bench.schemes.states[0].quota.esz)
    assert sizes == [2, 4, 4, 2]


def test_goals_alone_may_limit() -> None:
    """Goals that are committed to a scheme without limits are its limit from then on."""
    bench = Bench(Scheme("stat"), table=fresh_table((0, 4)))
    bench.run()
    goal = Goal("user_input", 10_000, 0)
    bench.schemes.commit_quota_goals([Scheme(quotas=Quotas(goals=[goal]))])
    bench.take()
    bench.run()
    assert bench.take() == []


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        (Scheme("pageout"), "<SchemeState 0 pageout active "),
        (Scheme("pageout", name="mine"), "<SchemeState 0 mine active "),
        (Scheme(print), "<SchemeState 0 print active "),
    ],
)
def test_repr(scheme: Scheme, words: str) -> None:
    """Printed, schemes say what they do, and whether they do it."""
    schemes = Schemes([scheme, Scheme()], INTERVALS)
    schemes.states[1].is_active = False
    assert repr(schemes) == "<Schemes 2, 1 active>"
    assert repr(schemes.states[0]).startswith(words)
    assert " inactive " in repr(schemes.states[1])
    assert len(schemes) == 2


def test_states_of_their_own() -> None:
    """Two sets of schemes made of the same parameters share nothing."""
    scheme = Scheme("pageout", quotas=limited(3))
    benches = [Bench(scheme, table=table_of((0, 8, 0, 0, 9))) for _ in range(2)]
    benches[0].run()
    assert benches[1].schemes.states[0].stats == SchemeStats()
    assert benches[1].schemes.states[0].quota == QuotaState(is_limited=True)
