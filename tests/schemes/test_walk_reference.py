"""The array walk against the same rules over plain objects, region after region."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

from damon_async.operations.requests import ActionRequest, Applied
from damon_async.params.filters import Filter
from damon_async.params.quotas import Quotas, Weights
from damon_async.params.schemes import Scheme
from damon_async.regions.table import RegionTable

from ..regions.tables import assert_sound
from .driving import PAGE, Bench
from .plain import AddressRule, PlainScheme, Region, TargetRule

FAILS = [(0, 0), (0, 1), (1, 2), (1, 1024), (1, 1)]


@dataclass
class World:
    """The same scheme over the same regions, twice."""

    plain: PlainScheme
    regions: list[Region]
    bench: Bench
    salt: int
    bypassed: list[bool] = field(default_factory=list)

    def act(self, request: ActionRequest) -> Applied:
        """Do as much of every range as the plain scheme would."""
        self.bypassed += request.bypass.tolist()
        pages = (request.ranges // PAGE).tolist()
        done = [doable(self.salt, start, end) * PAGE for start, end in pages]
        return Applied(np.array(done, np.int64), np.array(done, np.int64))


def doable(salt: int, start: int, end: int) -> int:
    """Return how much of a range can be done: nothing, all, more than all, or a part."""
    part = (start * 31 + end * 17 + salt) % 7
    return {0: 0, 1: end - start, 2: end - start + 3}.get(part, (end - start) // 2)


@st.composite
def regions_of(draw: st.DrawFn) -> list[Region]:
    """Draw regions of up to three targets, some with gaps between them."""
    regions = []
    for target in range(draw(st.integers(1, 3))):
        address = draw(st.integers(0, 9))
        for _ in range(draw(st.integers(0 if target else 1, 6))):
            size, gap = draw(st.integers(1, 12)), draw(st.sampled_from([0, 0, 0, 2]))
            freq, age = draw(st.integers(0, 20)), draw(st.sampled_from([0, 5, 30, 700]))
            regions.append(Region(target, address, address + size, freq, age))
            address += size + gap
    return regions


@st.composite
def rules_of(draw: st.DrawFn) -> list[AddressRule | TargetRule]:
    """Draw up to three filters for whole regions."""
    rules: list[AddressRule | TargetRule] = []
    for _ in range(draw(st.integers(0, 3))):
        matching, allow = draw(st.booleans()), draw(st.booleans())
        if draw(st.integers(0, 3)):
            start = draw(st.integers(0, 60))
            rules.append(AddressRule(start, start + draw(st.integers(1, 25)), matching, allow))
        else:
            rules.append(TargetRule(draw(st.integers(0, 2)), matching, allow))
    return rules


def pair_of(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    """Draw two bounds; half of the time they exclude nothing."""
    one = st.integers(low, high)
    either = st.tuples(one, one).map(lambda pair: (min(pair), max(pair)))
    return st.just((low, high)) | either


def filter_of(rule: AddressRule | TargetRule) -> Filter:
    """Return a rule as parameters."""
    if isinstance(rule, TargetRule):
        return Filter("target", rule.matching, rule.allow, damon_target_idx=rule.target)
    where: dict[str, Any] = {"start": rule.start * PAGE, "end": rule.end * PAGE}
    return Filter("addr", rule.matching, rule.allow, address_range=where)


def scheme_of(plain: PlainScheme) -> Scheme:
    """Return the plain scheme as parameters."""
    of_freq, of_age = plain.weights or (0, 0)
    filters = [filter_of(rule) for rule in plain.rules]
    filters += [Filter("anon")] * plain.has_ops_filters
    return Scheme(
        "pageout",
        {
            "sz_bytes": [size * PAGE for size in plain.sizes],
            "nr_accesses": {"min": plain.freqs[0], "max": plain.freqs[1], "unit": "samples"},
            "age": {"min": plain.ages[0], "max": plain.ages[1], "unit": "aggr_intervals"},
        },
        quotas=Quotas(
            # Large, but a limit, and one that is never reached: 0 is none.
            sz_bytes=(plain.esz or 0) * PAGE,
            reset_interval_ms=100,
            weights=Weights(0, of_freq, of_age),
            fail_charge_num=plain.fail[0],
            fail_charge_denom=plain.fail[1],
        ),
        filters=filters,
    )


def table_of(regions: list[Region]) -> RegionTable:
    """Return plain regions as a table."""
    rows = [(r.target, r.start * PAGE, r.end * PAGE, r.freq, r.freq, r.age) for r in regions]
    return RegionTable(np.array(rows, np.int64).T.copy())


@st.composite
def worlds_of(draw: st.DrawFn) -> World:
    """Draw a scheme and regions for it."""
    salt = draw(st.integers(0, 6))
    regions = draw(regions_of())
    plain = PlainScheme(
        sizes=draw(pair_of(1, 12)),
        freqs=draw(pair_of(0, 20)),
        ages=draw(pair_of(0, 700)),
        rules=draw(rules_of()),
        has_ops_filters=draw(st.booleans()),
        esz=draw(st.none() | st.integers(1, 40)),
        fail=draw(st.sampled_from(FAILS)),
        weights=draw(st.none() | st.tuples(st.integers(0, 3), st.integers(1, 3))),
        act=lambda start, end: doable(salt, start, end),
        unit=PAGE,
    )
    bench = Bench(scheme_of(plain), table=table_of(regions))
    return World(plain, regions, bench, salt)


def pages_of(regions: list[Region]) -> list[tuple[int, int, int, int]]:
    """Return target, page, frequency and age of everything, whatever the bounds."""
    return [(r.target, page, r.freq, r.age) for r in regions for page in range(r.start, r.end)]


def plain_of(table: RegionTable) -> list[Region]:
    """Return a table as plain regions."""
    columns = table.cells.T.tolist()
    return [Region(t, s // PAGE, e // PAGE, nr, age) for t, s, e, nr, _, age in columns]


@settings(max_examples=200)
@given(worlds_of(), st.integers(1, 4))
def test_same_as_plain(world: World, nr_windows: int) -> None:
    """Requests, charges, counters, pointer and ages are those of the plain walk."""
    plain, bench = world.plain, world.bench
    state = bench.schemes.states[0]
    for _ in range(nr_windows):
        plain.window(world.regions)
        bench.run(world.act)
        assert bench.take() == [(0, *served[:3]) for served in plain.served]
        assert world.bypassed == [served[3] for served in plain.served]
        world.bypassed.clear()
        plain.served.clear()
        assert state.quota.charged_sz == (plain.charged if plain.esz else 0)
        assert (state.quota.charge_target, state.quota.charge_addr // PAGE) == (
            plain.charge_target,
            plain.charge_addr,
        )
        assert state.quota.min_score == plain.min_score
        # Cuts that made no difference are undone in the table, so that only
        # what the regions say of each page can be compared.
        assert pages_of(plain_of(bench.table)) == pages_of(world.regions)
        assert_sound(bench.table)
        world.regions = plain_of(bench.table)
    stats = state.stats
    assert (stats.nr_tried, stats.sz_tried) == (plain.nr_tried, plain.sz_tried * PAGE)
    assert (stats.nr_applied, stats.sz_applied) == (plain.nr_applied, plain.sz_applied * PAGE)
    assert (stats.qt_exceeds, stats.nr_snapshots) == (plain.qt_exceeds, plain.nr_snapshots)
