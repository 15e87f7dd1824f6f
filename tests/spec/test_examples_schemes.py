"""The worked examples of spec core 11 about schemes: E21 to E26, E29 to E32, E35, E38 to E41."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.operations.requests import ActionRequest, Applied
from damon_async.params.filters import Filter, default_allows
from damon_async.params.intervals import Intervals
from damon_async.params.keywords import Action
from damon_async.params.quotas import Goal, Quotas, Watermarks, Weights
from damon_async.params.schemes import Scheme
from damon_async.schemes.filters import ALLOWED, PASSED, REJECTED, CoreFilters
from damon_async.schemes.goals import GoalState, Instruments, goals_score
from damon_async.schemes.quotas import QuotaState
from damon_async.schemes.scores import Scores, min_score, score_keys
from damon_async.schemes.watermarks import watched

from ..regions.tables import fresh_table, rows_of, table_of
from ..schemes.driving import INTERVALS, PAGE, Bench, do_nothing, drive

MIB = 2**20

ALWAYS = 10**9
"""Milliseconds of a window that does not end."""


def hot_and_cold(
    intervals: Intervals, frequency: int, age: int, weights: tuple[int, int]
) -> tuple[int, int]:
    """Return what one region is worth to an action for hot memory, and for cold memory."""
    keys = score_keys(np.array([frequency]), np.array([age]), intervals)
    hot, cold = (
        int(Scores(action, Weights(0, *weights)).of(keys)[0])
        for action in (Action.LRU_PRIO, Action.PAGEOUT)
    )
    return hot, cold


@pytest.mark.parametrize(
    ("frequency", "age", "weights", "hot", "cold"),
    [
        (20, 0, (1, 1), 74, 25),
        (10, 600, (50, 50), 53, 46),
        (0, 600, (0, 100), 39, 60),
        (0, 1200, (50, 50), 18, 81),
        (0, 0, (50, 50), 24, 75),
        (3, 5, (0, 0), 0, 99),
    ],
)
def test_e21_scores(
    frequency: int, age: int, weights: tuple[int, int], hot: int, cold: int
) -> None:
    """E21: frequency in percent and age on a logarithmic scale make the score."""
    assert hot_and_cold(Intervals(5_000, 100_000), frequency, age, weights) == (hot, cold)


def test_e22_small_frequency() -> None:
    """E22: a frequency below one percent counts as none, and its age downwards."""
    intervals = Intervals(5_000, 1_000_000)
    assert hot_and_cold(intervals, 1, 100, (1, 1)) == (18, 81)


def test_e23_weights() -> None:
    """E23: the parts are weighed, and cut off."""
    intervals = Intervals(100_000, 2_000_000)
    assert hot_and_cold(intervals, 5, 30, (30, 70)) == (47, 52)


@pytest.mark.parametrize(
    ("charged_sz", "charged_ns", "throughput", "esz"),
    [
        (0, 0, 4096 * 1024, 41_943_040),
        (200 * MIB, 50_000_000, 4_194_304, 41_943_040),
        (4096, 300_000_000, 13, 4096),
    ],
)
def test_e24_time_quota(charged_sz: int, charged_ns: int, throughput: int, esz: int) -> None:
    """E24: a time quota is what was done per millisecond, and at least a page."""
    quota = QuotaState(total_charged_sz=charged_sz, total_charged_ns=charged_ns)
    assert quota.set_esz(Quotas(time_ms=10), PAGE)
    assert (quota.throughput, quota.esz) == (throughput, esz)


@pytest.mark.parametrize(("pages", "score"), [(300, 80), (301, 60), (1800, 59), (6801, 0)])
def test_e25_min_score(pages: int, score: int) -> None:
    """E25: the least score is where the quota would be used up, best regions first."""
    scores = np.array([10, 80, 59, 60])
    sizes = np.array([5000, 300, 1000, 500]) * PAGE
    assert min_score(scores, sizes, pages * PAGE) == score


def test_e26_carry_over() -> None:
    """E26: each window goes on behind the last byte that the one before has served."""
    quotas = Quotas(sz_bytes=10 * PAGE, reset_interval_ms=200)
    bench = Bench(Scheme("stat", quotas=quotas), table=fresh_table((0, 8), (8, 24), (24, 32)))
    quota = bench.schemes.states[0].quota
    windows = []
    for _ in range(4):
        # Two walks per window of two aggregations.
        walks = []
        for _ in range(2):
            bench.run()
            pointer = quota.charge_addr // PAGE if quota.charge_target == 0 else None
            walks.append(([(start, end) for *_, start, end in bench.take()], pointer))
        windows.append(walks)
    assert windows == [
        [([(0, 8), (8, 10)], 10), ([], 10)],
        [([(10, 20)], 20), ([], 20)],
        [([(20, 24), (24, 30)], 30), ([], 30)],
        [([(30, 32)], None), ([(0, 8)], 8)],
    ]
    assert bench.schemes.states[0].stats.nr_tried == 2 + 1 + 2 + 2
    assert rows_of(bench.table) == [(0, 8, 0, 0, 0), (8, 24, 0, 0, 0), (24, 32, 0, 0, 0)]


def esz_of(quotas: Quotas, nr_windows: int) -> list[int]:
    """Return the effective quota in each window from creation."""
    bench = Bench(Scheme("pageout", quotas=quotas), table=fresh_table((0, 1)))
    found = []
    for _ in range(nr_windows):
        bench.run(do_nothing)
        found.append(bench.schemes.states[0].quota.esz)
    return found


def test_e29_ramp() -> None:
    """E29: a goal that nothing is achieved of doubles the quota, from two bytes on."""
    quotas = Quotas(reset_interval_ms=100, goals=[Goal("user_input", 10_000, 0)])
    assert esz_of(quotas, 12) == [2**window for window in range(1, 13)]


@pytest.mark.parametrize(
    ("sz_bytes", "score", "esz"),
    [(MIB, 9_999, MIB), (MIB, 10_000, 0), (0, 9_999, (2**64 - 1) // 10_000), (0, 10_000, 0)],
)
def test_e30_temporal(sz_bytes: int, score: int, esz: int) -> None:
    """E30: all that is allowed until the goal is met, then nothing."""
    goal = Goal("user_input", 10_000, score)
    quotas = Quotas(0, sz_bytes, 100, goals=[goal], goal_tuner="temporal")
    assert esz_of(quotas, 1) == [esz]
    table = fresh_table((0, 512))
    bench = Bench(Scheme("pageout", quotas=quotas), table=table)
    bench.run()
    assert bench.take() == ([(0, 0, 0, min(512, esz // PAGE))] if esz else [])


def test_e31_goals() -> None:
    """E31: of several goals the one that is met best decides."""
    quotas = Quotas(goals=[Goal("user_input", 10_000, 5_000), Goal("user_input", 200, 300)])
    instruments = Instruments(0, 0, None, dict)
    score, _ = drive(goals_score(quotas, [GoalState(), GoalState()], instruments))
    assert score == 15_000


def test_e32_watermarks() -> None:
    """E32: active from mid down to low; once active, up to high."""
    marks = Watermarks("free_mem_rate", "5 s", 500, 400, 50)
    is_active, seen = True, []
    for value in (600, 450, 399, 450, 500, 501, 400, 399, 49, 50):
        is_active, wait_us = watched(marks, is_active=is_active, value=value)
        seen.append(is_active)
        assert wait_us == (0 if is_active else 5_000_000)
    assert seen == [False, False, True, True, True, False, False, True, False, True]


@pytest.mark.parametrize(
    ("asked", "done", "num", "denom", "charged"),
    [
        (1000, 700, 1, 1024, 2_868_400),
        (1000, 0, 0, 1, 0),
        (10, 12, 1, 2, 40_960),
        (10, 3, 1, 2, 26_624),
        (10, 3, 0, 0, 40_960),
    ],
)
def test_e35_failed_charging(asked: int, done: int, num: int, denom: int, charged: int) -> None:
    """E35: what failed is charged at its own price; more than was asked for is not."""
    quota = QuotaState(is_limited=True)
    sizes, applied = np.array([asked * PAGE]), np.array([done * PAGE])
    quota.charge(
        Quotas(0, 0, 0, Weights(), (), "consist", num, denom), sizes, applied, asked * PAGE
    )
    assert quota.charged_sz == charged


@pytest.mark.parametrize(
    ("apply_us", "due"),
    [(30_000, [6, 12, 18, 24]), (3_000, list(range(1, 25))), (0, [20]), (100_000, [20])],
)
def test_e38_apply_interval(apply_us: int, due: list[int]) -> None:
    """E38: schemes are due after their apply interval, or at every aggregation."""
    bench = Bench(Scheme("stat", apply_interval_us=apply_us), table=fresh_table((0, 1)))
    schemes, found = bench.schemes, []
    for tick in range(1, 25):
        if schemes.is_due(tick):
            found.append(tick)
            bench.now_us = tick * INTERVALS.sample_us - INTERVALS.aggr_us
            bench.run()
    assert found == due


@pytest.mark.parametrize(
    ("filters", "default"),
    [
        ([Filter("anon", allow=True), Filter("young")], True),
        ([Filter("anon", allow=True)], False),
    ],
)
def test_e39_default(filters: list[Filter], default: bool) -> None:
    """E39: behind a last filter that rejects the rest is allowed, and the other way round."""
    assert default_allows(filters) is default


def test_e39_core_before_ops() -> None:
    """E39: what a core filter allows bypasses the others; the rest is theirs to decide."""
    inside = Filter("addr", allow=True, address_range=f"0-{4 * PAGE}")
    scheme = Scheme("pageout", filters=[inside, Filter("anon")])
    seen = []

    def act(request: ActionRequest) -> Applied:
        seen.append((request.ranges.tolist(), request.bypass.tolist(), request.filters))
        return do_nothing(request)

    Bench(scheme, table=fresh_table((0, 4), (4, 8))).run(act)
    bounds = [[0, 4 * PAGE], [4 * PAGE, 8 * PAGE]]
    assert seen == [(bounds, [True, False], (Filter("anon"),))]


def pieces_of(start: int, end: int) -> list[tuple[int, int, int]]:
    """Return what the filter of E40 makes of a region, in pages."""
    rule = Filter("addr", address_range={"start": 2 * PAGE, "end": 6 * PAGE})
    filters = CoreFilters([rule], PAGE)
    found = filters.pieces(0, start * PAGE, end * PAGE, lambda _: True)
    return [(piece.start // PAGE, piece.end // PAGE, piece.verdict) for piece in found]


def test_e40_address_filter() -> None:
    """E40: a region is cut where a range begins or ends; each part has its own fate."""
    assert pieces_of(1, 4) == [(1, 2, PASSED), (2, 4, REJECTED)]
    assert pieces_of(3, 8) == [(3, 6, REJECTED), (6, 8, PASSED)]
    assert ALLOWED not in {verdict for *_, verdict in pieces_of(1, 8)}


@pytest.mark.parametrize(("region", "served"), [((1, 4), [(0, 0, 1, 2)]), ((3, 8), [(0, 0, 6, 8)])])
def test_e40_walk(region: tuple[int, int], served: list[tuple[int, int, int, int]]) -> None:
    """E40: only the part outside of the rejected range is acted on, and only its age reset."""
    rule = Filter("addr", address_range={"start": 2 * PAGE, "end": 6 * PAGE})
    bench = Bench(Scheme("pageout", filters=[rule]), table=table_of((*region, 0, 0, 9)))
    bench.run()
    assert bench.take() == served
    ages = {(start, end): age for start, end, *_, age in rows_of(bench.table)}
    assert sorted(ages.values()) == [0, 9]
    assert ages[served[0][2:]] == 0


def charged_bench(charged: int) -> Bench:
    """Return a scheme in whose window of ten pages *charged* bytes are used already."""
    quotas = Quotas(sz_bytes=10 * PAGE, reset_interval_ms=ALWAYS)
    bench = Bench(Scheme("pageout", quotas=quotas), table=fresh_table((0, 8)))
    quota = bench.schemes.states[0].quota
    quota.begin_window(0, PAGE)
    quota.set_esz(quotas, PAGE)
    quota.charged_sz = charged
    return bench


def test_e41_quota_cut() -> None:
    """E41: of eight pages the three that still fit are tried, and the quota is full."""
    bench = charged_bench(7 * PAGE)
    bench.run()
    assert bench.take() == [(0, 0, 0, 3)]
    assert bench.schemes.states[0].quota.is_full(PAGE)


def test_e41_less_than_a_page() -> None:
    """E41: with less than a page left the quota is full, and nothing is tried."""
    bench = charged_bench(38_912)
    bench.run()
    assert bench.take() == []
    assert bench.schemes.states[0].stats.nr_tried == 0
