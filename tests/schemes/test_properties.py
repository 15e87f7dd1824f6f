"""What holds for any schemes over any regions, whatever actions achieve."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, strategies as st

from damon_async.operations.events import DamosBeforeApply, DamosStat, TraceEvent
from damon_async.operations.requests import ActionRequest, Applied, Measured, MetricRequest
from damon_async.params.filters import Filter
from damon_async.params.keywords import Action
from damon_async.params.quotas import Goal, Quotas, Weights
from damon_async.params.schemes import Scheme
from damon_async.regions.table import RegionTable
from damon_async.schemes.moment import Moment
from damon_async.schemes.schemes import Schemes

from ..regions.tables import assert_sound, covered, rows_of
from .driving import INTERVALS, PAGE, Bench, drive


def load(now_us: int) -> float:
    """Measure something; tests answer in its place."""
    return now_us


@st.composite
def tables_of(draw: st.DrawFn) -> RegionTable:
    """Draw the regions of up to three targets."""
    rows = []
    for target in range(draw(st.integers(1, 3))):
        address = 0
        for _ in range(draw(st.integers(0, 8))):
            address += draw(st.sampled_from([0, 0, 3]))
            end = address + draw(st.integers(1, 20))
            count = draw(st.integers(0, 20))
            age = draw(st.sampled_from([0, 1, 50, 900]))
            rows.append((target, address * PAGE, end * PAGE, count, count, age))
            address = end
    return RegionTable(np.array(rows, np.int64).reshape(-1, 6).T.copy())


filters = st.builds(
    lambda start, size, matching, allow: Filter(
        "addr",
        matching,
        allow,
        address_range={"start": start * PAGE, "end": (start + size) * PAGE},
    ),
    st.integers(0, 60),
    st.integers(1, 30),
    st.booleans(),
    st.booleans(),
)


@st.composite
def quotas_of(draw: st.DrawFn) -> Quotas:
    """Draw limits of every kind, alone and together."""
    fail = draw(st.sampled_from([(0, 0), (0, 1), (1, 3), (1, 1)]))
    goals = [Goal("user_input", 10, draw(st.integers(0, 30))), Goal(load, 10)]
    return Quotas(
        draw(st.sampled_from([0, 0, 1, 50])),
        draw(st.sampled_from([0, 1, PAGE, 7 * PAGE + 5, 40 * PAGE])),
        draw(st.sampled_from([100, 200, 300])),
        Weights(0, draw(st.integers(0, 2)), draw(st.integers(0, 2))),
        draw(st.lists(st.sampled_from(goals), max_size=2)),
        draw(st.sampled_from(["consist", "temporal"])),
        *fail,
    )


@st.composite
def schemes_of(draw: st.DrawFn) -> Scheme:
    """Draw a scheme."""
    low, high = sorted([draw(st.integers(0, 20)), draw(st.integers(0, 20))])
    pattern: dict[str, Any] = {
        "sz_bytes": (draw(st.integers(0, 4)) * PAGE, "max"),
        "nr_accesses": (f"{low} samples", f"{high} samples"),
        "age": (draw(st.sampled_from(["0 s", "1 s", "5 s"])), "max"),
    }
    action: Any = draw(st.sampled_from(["pageout", "stat", "lru_prio", "cold", print]))
    return Scheme(
        action,
        draw(st.sampled_from([pattern, {}])),
        draw(st.sampled_from([0, 50_000, 250_000])),
        draw(quotas_of() | st.just(Quotas())),
        filters=draw(st.lists(filters, max_size=2)),
        max_nr_snapshots=draw(st.sampled_from([0, 0, 2])),
    )


class Chance:
    """Actions that achieve anything between nothing and too much, metrics of any value."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def act(self, request: ActionRequest) -> Applied:
        share = self.rng.choice([0.0, 0.0, 0.5, 1.0, 1.5], len(request))
        applied = (request.sizes * share).astype(np.int64)
        return Applied(applied, applied, int(self.rng.integers(0, 10**7)))

    def measure(self, request: MetricRequest) -> Measured:
        del request
        return Measured(int(self.rng.integers(0, 30)) or None)


several = st.lists(schemes_of(), min_size=1, max_size=4)
seeds = st.integers(0, 2**32)


def run(schemes: Schemes, table: RegionTable, chance: Chance, tick: int) -> None:
    """Do what is due at one tick."""
    moment = Moment(tick * INTERVALS.sample_us, tick, INTERVALS)
    steps = schemes.apply(table, table.nr_accesses.copy(), moment)
    drive(steps, chance.act, chance.measure)


def pages_of(table: RegionTable) -> dict[tuple[int, int], int]:
    """Return the age of every page of every target."""
    targets = table.target.tolist()
    return {
        (target, page): age
        for target, (start, end, *_, age) in zip(targets, rows_of(table), strict=True)
        for page in range(start, end)
    }


@given(several, tables_of(), seeds)
def test_charged_within_budget(parameters: list[Scheme], table: RegionTable, seed: int) -> None:
    """In no window more is charged than the effective quota, whatever actions achieve."""
    schemes, chance = Schemes(parameters, INTERVALS), Chance(seed)
    for tick in range(10, 200, 10):
        run(schemes, table, chance, tick)
        for s in schemes.states:
            limit = s.quota.esz if s.scheme.quotas.is_set else 0
            assert 0 <= s.quota.charged_sz <= limit
            assert s.quota.is_limited == s.scheme.quotas.is_set


@given(several, tables_of(), seeds)
def test_stats_are_the_log(parameters: list[Scheme], table: RegionTable, seed: int) -> None:
    """Counters are what the trace says, event by event."""
    events: list[TraceEvent] = []
    schemes, chance = Schemes(parameters, INTERVALS, listen=events.append), Chance(seed)
    for tick in range(10, 200, 10):
        run(schemes, table, chance, tick)
    for s in schemes.states:
        tried = [
            event.end - event.start
            for event in events
            if isinstance(event, DamosBeforeApply) and event.scheme_idx == s.idx
        ]
        told = [e for e in events if isinstance(e, DamosStat) and e.scheme_idx == s.idx]
        assert (s.stats.nr_tried, s.stats.sz_tried) == (len(tried), sum(tried))
        assert told[-1] == s.stats.event(told[-1].time_us, s.idx)


@given(several, tables_of(), seeds)
def test_regions_stay_sound(parameters: list[Scheme], table: RegionTable, seed: int) -> None:
    """Schemes change no byte of what is covered; regions stay sorted, disjoint and aligned."""
    spans = covered(table)
    schemes, chance = Schemes(parameters, INTERVALS), Chance(seed)
    for tick in range(10, 100, 10):
        run(schemes, table, chance, tick)
        assert_sound(table)
        assert covered(table) == spans


@given(several, tables_of(), seeds)
def test_only_actions_reset_ages(parameters: list[Scheme], table: RegionTable, seed: int) -> None:
    """A page begins anew exactly if an action other than stat was asked for on it."""
    schemes, chance = Schemes(parameters, INTERVALS), Chance(seed)
    events: list[TraceEvent] = []
    schemes.listen = events.append
    before = pages_of(table)
    for tick in range(10, 100, 10):
        run(schemes, table, chance, tick)
    acted_on = {
        (event.target_idx, page)
        for event in events
        if isinstance(event, DamosBeforeApply)
        and parameters[event.scheme_idx].action is not Action.STAT
        for page in range(event.start // PAGE, event.end // PAGE)
    }
    expected = {page: 0 if page in acted_on else age for page, age in before.items()}
    assert pages_of(table) == expected


@given(tables_of(), st.lists(filters, max_size=2), st.integers(1, 30), st.integers(1, 12))
def test_carry_over_is_fair(
    table: RegionTable, rules: list[Filter], pages: int, nr_windows: int
) -> None:
    """Every byte that the scheme takes is served once, in order, before any is served twice."""
    free = Bench(Scheme("stat", filters=rules), table=table.copy())
    free.run()
    cycle = [(target, page) for _, target, a, b in free.take() for page in range(a, b)]
    quotas = Quotas(sz_bytes=pages * PAGE, reset_interval_ms=100)
    bench = Bench(Scheme("stat", quotas=quotas, filters=rules), table=table)
    for _ in range(nr_windows):
        bench.run()
    served = [(target, page) for _, target, a, b in bench.take() for page in range(a, b)]
    assert served == [cycle[index % len(cycle)] for index in range(len(served))]
    # Windows serve as much as they may, but for the one in which a walk ends.
    assert len(served) <= nr_windows * pages
    nr_ends = 2 * (len(served) // max(1, len(cycle)) + 1)
    if cycle:
        assert len(served) >= (nr_windows - nr_ends) * pages
    # Counting alone makes no difference between regions, so that no cut stays.
    assert rows_of(table) == rows_of(free.table)


@given(several, tables_of(), seeds)
def test_same_seed_same_result(parameters: list[Scheme], table: RegionTable, seed: int) -> None:
    """The same schemes over the same regions ask for the same, to the byte."""
    results = []
    for _ in range(2):
        own, events = table.copy(), list[TraceEvent]()
        schemes, chance = Schemes(parameters, INTERVALS, listen=events.append), Chance(seed)
        for tick in range(10, 100, 10):
            run(schemes, own, chance, tick)
        results.append((events, own.cells.tobytes(), [s.stats for s in schemes.states]))
    assert results[0] == results[1]
