"""What drivers and listeners of apply rounds can rely on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from damon_async.operations.events import DamosBeforeApply, DamosEsz, DamosStat, TraceEvent
from damon_async.operations.requests import ActionRequest, Applied, Measured, MetricRequest
from damon_async.params.quotas import Goal, Quotas
from damon_async.params.schemes import Scheme
from damon_async.schemes.moment import Moment
from damon_async.schemes.schemes import Schemes

from ..regions.tables import fresh_table, rows_of, table_of
from .driving import INTERVALS, PAGE, Bench, do_all


def limited(pages: int, **more: Any) -> Quotas:
    """Return a quota of some pages per aggregation."""
    return Quotas(sz_bytes=pages * PAGE, reset_interval_ms=100, **more)


def test_events() -> None:
    """Listeners hear of the quota, of every region before its action, and of the counters."""
    events: list[TraceEvent] = []
    table = table_of((0, 4, 0, 0, 9), (4, 8, 0, 0, 5))
    bench = Bench(Scheme("pageout", quotas=limited(6)), table=table)
    bench.schemes.listen = events.append
    bench.run()
    first = [
        DamosEsz(100_000, 0, 0, 6 * PAGE),
        # The second region was cut when they were asked for.
        DamosBeforeApply(100_000, 0, 0, 3, 0, 4 * PAGE, 0, 9),
        DamosBeforeApply(100_000, 0, 0, 3, 4 * PAGE, 6 * PAGE, 0, 5),
        DamosStat(100_000, 0, 0, 2, 6 * PAGE, 2, 6 * PAGE, 6 * PAGE, 0, 0),
    ]
    assert events == first
    events.clear()
    bench.run()
    # The quota is the same as before, so that nobody hears of it.
    assert [event.event for event in events] == [
        "damos_before_apply",
        "damos_stat_after_apply_interval",
    ]
    assert isinstance(events[-1], DamosStat)
    assert events[-1].qt_exceeds == 1


def test_sleepers_are_heard_of() -> None:
    """The counters of a scheme that sleeps are told when it is due beside others that act."""
    events: list[TraceEvent] = []
    bench = Bench(Scheme("stat"), Scheme("stat"), table=fresh_table((0, 4)))
    bench.schemes.listen = events.append
    bench.schemes.states[0].is_active = False
    bench.run()
    assert [event.scheme_idx for event in events if isinstance(event, DamosStat)] == [0, 1]
    assert not bench.schemes.is_due(20)


def test_abandoned() -> None:
    """A round may be given up at any request: what was answered counts, cuts are undone."""
    table = table_of((0, 4, 0, 0, 9), (4, 8, 0, 0, 5))
    quotas = limited(6, fail_charge_num=1, fail_charge_denom=1)
    schemes = Schemes([Scheme("pageout", quotas=quotas)], INTERVALS)
    steps = schemes.apply(table, table.nr_accesses.copy(), Moment(0, 20, INTERVALS))
    request = next(steps)
    assert isinstance(request, ActionRequest)
    assert len(request) == 1
    second = steps.send(do_all(request))
    assert isinstance(second, ActionRequest)
    assert len(table) == 3
    steps.close()
    assert rows_of(table) == [(0, 4, 0, 0, 0), (4, 8, 0, 0, 5)]
    quota = schemes.states[0].quota
    assert (quota.charged_sz, quota.charge_addr) == (4 * PAGE, 4 * PAGE)
    # Nobody has forgotten that the round is still to be done.
    assert schemes.is_due(20)


def test_answers_are_checked() -> None:
    """A driver that answers with something else, or for other ranges, is told so."""
    for answer in (Measured(5), Applied(np.zeros(2, np.int64), np.zeros(2, np.int64))):
        schemes = Schemes([Scheme("stat")], INTERVALS)
        table = fresh_table((0, 4))
        steps = schemes.apply(table, table.nr_accesses.copy(), Moment(0, 20, INTERVALS))
        next(steps)
        with pytest.raises(TypeError, match="1 ranges need an Applied as long, not "):
            steps.send(answer)


def test_goal_functions_before_actions() -> None:
    """Functions that measure are called when windows begin, before anything is acted on."""
    asked: list[tuple[str, int | None]] = []
    quotas = Quotas(0, 8 * PAGE, 100, goals=[Goal(len, 10), Goal(print, 10)])
    bench = Bench(Scheme("stat", quotas=quotas), Scheme("stat"), table=fresh_table((0, 4)))

    def act(request: ActionRequest) -> Applied:
        asked.append(("act", request.scheme_idx))
        return do_all(request)

    def measure(request: MetricRequest) -> Measured:
        asked.append(("measure", request.goal_idx))
        return Measured(None)

    bench.run(act, measure)
    # On target, a quota that was never fed back stays at its floor: too little
    # for a page, so that the first scheme asks for nothing.
    assert asked == [("measure", 0), ("measure", 1), ("act", 1)]
    assert bench.schemes.states[0].stats.nr_unmeasured == 2
