"""What one apply round does to regions, counters and listeners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from damon_async.operations.requests import ActionRequest, Applied
from damon_async.params.filters import Filter
from damon_async.params.intervals import Intervals
from damon_async.params.keywords import Action
from damon_async.params.quotas import Quotas, Weights
from damon_async.params.schemes import Dest, Scheme
from damon_async.regions.table import RegionTable
from damon_async.schemes.moment import Moment
from damon_async.schemes.schemes import Schemes

from ..regions.tables import fresh_table, rows_of, table_of
from .driving import INTERVALS, PAGE, Bench, do_all, do_nothing, drive

IDLE = {"age": ("5 aggr_intervals", "max")}


def limited(pages: int, **more: Any) -> Quotas:
    """Return a quota of some pages per aggregation."""
    return Quotas(sz_bytes=pages * PAGE, reset_interval_ms=100, **more)


def two_targets() -> RegionTable:
    """Return regions of two targets: two of the first, one of the second."""
    return RegionTable.joined([fresh_table((0, 4), (8, 12)), fresh_table((0, 8), target=1)])


def test_request() -> None:
    """A request says everything that it takes to act."""
    scheme = Scheme("migrate_hot", filters=[Filter("anon")], target_nid=1, dests=[Dest(2, 3)])
    table = table_of((0, 4, 3, 2, 9), (8, 12, 5, 6, 7))
    requests = []

    def act(request: ActionRequest) -> Applied:
        requests.append(request)
        return do_all(request)

    bench = Bench(scheme, table=table)
    bench.run(act)
    (request,) = requests
    assert (request.scheme_idx, request.target_idx, request.now_us) == (0, 0, 100_000)
    assert request.action is Action.MIGRATE_HOT
    assert (request.ranges // PAGE).tolist() == [[0, 4], [8, 12]]
    assert (request.nr_accesses.tolist(), request.age.tolist()) == ([3, 5], [9, 7])
    assert (request.filters, request.bypass.tolist()) == (scheme.filters, [False, False])
    assert (request.target_nid, request.dests) == (1, scheme.dests)
    assert (len(request), (request.sizes // PAGE).tolist()) == (2, [4, 4])


def test_one_request_per_target() -> None:
    """Regions of one target are asked for together, targets in their order."""
    bench = Bench(Scheme("stat"), table=two_targets())
    sizes = []

    def act(request: ActionRequest) -> Applied:
        sizes.append(len(request))
        return do_all(request)

    bench.run(act)
    assert bench.take() == [(0, 0, 0, 4), (0, 0, 8, 12), (0, 1, 0, 8)]
    assert sizes == [2, 1]


def test_schemes_in_order() -> None:
    """Each region sees schemes in their order, and the ages that earlier ones left."""
    table = fresh_table((0, 4), (8, 12))
    table.age[:] = 9
    bench = Bench(
        Scheme("pageout", {"age": ("9 aggr_intervals", "max")}), Scheme("stat", IDLE), table=table
    )
    bench.run()
    assert bench.take() == [(0, 0, 0, 4), (0, 0, 8, 12)]


def test_frequencies_are_of_the_moment() -> None:
    """P34: what is matched is the frequency as of now, not the partial count."""
    table = table_of((0, 4, 1, 20, 0))
    schemes = Schemes([Scheme("stat", {"nr_accesses": ("20 samples", "max")})], INTERVALS)
    moment = Moment(0, 20, INTERVALS)
    drive(schemes.apply(table, np.array([20]), moment))
    assert schemes.states[0].stats.nr_tried == 1


@pytest.mark.parametrize("action", list(Action))
def test_only_stat_keeps_ages(action: Action) -> None:
    """Every action but stat lets its regions begin anew, even if it could do nothing."""
    table = table_of((0, 4, 0, 0, 9), (8, 12, 0, 0, 1))
    bench = Bench(Scheme(action, IDLE, target_nid=0), table=table)
    bench.run(do_nothing)
    assert table.age.tolist() == [9 if action is Action.STAT else 0, 1]


def test_own_actions_reset_ages() -> None:
    """An action of the user is as good as any."""
    table = table_of((0, 4, 0, 0, 9))
    Bench(Scheme(print, IDLE), table=table).run(do_nothing)
    assert table.age.tolist() == [0]


def test_counters() -> None:
    """Counters are what was asked for, what was done, and what passed."""
    bench = Bench(Scheme("pageout"), table=fresh_table((0, 4), (8, 12), (12, 13)))

    def act(request: ActionRequest) -> Applied:
        return Applied(np.array([PAGE, 0, 2 * PAGE]), np.array([PAGE, PAGE, 0]), has_failed=True)

    bench.run(act)
    stats = bench.schemes.states[0].stats
    assert (stats.nr_tried, stats.sz_tried) == (3, 9 * PAGE)
    assert (stats.nr_applied, stats.sz_applied) == (2, 3 * PAGE)
    assert (stats.sz_ops_filter_passed, stats.nr_failed) == (2 * PAGE, 1)


def test_time_is_charged() -> None:
    """What actions take counts for the time quota of later windows."""
    bench = Bench(Scheme("pageout", quotas=Quotas(1, 0, 100)), table=fresh_table((0, 4)))

    def slow(request: ActionRequest) -> Applied:
        return Applied(request.sizes, request.sizes, elapsed_ns=4_000_000)

    bench.run(slow)
    quota = bench.schemes.states[0].quota
    assert (quota.esz, quota.total_charged_ns) == (4096 * 1024, 4_000_000)
    bench.run(slow)
    # Four pages in four milliseconds: one page in one.
    assert quota.esz == PAGE
    assert bench.take() == [(0, 0, 0, 4), (0, 0, 0, 1)]


def test_first_window_is_limited() -> None:
    """P13: there is no window without limit, the first one included."""
    bench = Bench(Scheme("pageout", quotas=limited(3)), table=fresh_table((0, 8)))
    bench.run()
    assert bench.take() == [(0, 0, 0, 3)]


def test_last_region_is_not_starved() -> None:
    """P15: the last region of a target has its turn, and none is served twice before."""
    bench = Bench(Scheme("stat", quotas=limited(4)), table=fresh_table((0, 4), (4, 8), (8, 12)))
    served = []
    for _ in range(4):
        bench.run()
        served += bench.take()
    assert served == [(0, 0, 0, 4), (0, 0, 4, 8), (0, 0, 8, 12)]
    bench.run()
    assert bench.take() == [(0, 0, 0, 4)]


def test_target_goes_with_its_pointer() -> None:
    """P19: with the target that the pointer stood in, walks start from the beginning."""
    bench = Bench(Scheme("stat", quotas=limited(4)), table=two_targets())
    for _ in range(3):
        bench.run()
    bench.take()
    assert bench.schemes.states[0].quota.charge_target == 1
    bench.table = bench.table.of_target(0).copy()
    bench.schemes.target_removed(1)
    bench.run()
    assert bench.take() == [(0, 0, 0, 4)]


def test_invalid_targets() -> None:
    """Targets that are gone are skipped, and a pointer into one is dropped (P19)."""
    bench = Bench(Scheme("stat", quotas=limited(2)), table=two_targets())
    bench.run(valid_targets=np.array([True, True]))
    bench.run(valid_targets=np.array([False, True]))
    bench.run(valid_targets=np.array([False, True]))
    assert bench.take() == [(0, 0, 0, 2), (0, 1, 0, 2), (0, 1, 2, 4)]
    bench.run(valid_targets=np.array([False, False]))
    assert bench.take() == []
    assert bench.schemes.states[0].quota.charge_target is None


def test_target_without_regions() -> None:
    """A pointer into a target that has lost all regions does not stop the scheme."""
    bench = Bench(Scheme("stat", quotas=limited(4)), table=two_targets())
    bench.run()
    bench.table = RegionTable.joined([fresh_table((0, 8), target=1)])
    bench.run()
    assert bench.take() == [(0, 0, 0, 4), (0, 1, 0, 4)]


def test_address_cut_counts_what_is_left() -> None:
    """P18: of a region that a filter cuts, only the part that is tried counts and is charged."""
    rule = Filter("addr", address_range={"start": 2 * PAGE, "end": 8 * PAGE})
    bench = Bench(Scheme("pageout", quotas=limited(8), filters=[rule]), table=fresh_table((0, 8)))
    bench.run()
    assert bench.schemes.states[0].stats.sz_tried == 2 * PAGE
    assert bench.schemes.states[0].quota.charged_sz == 2 * PAGE


def test_rejected_memory_has_no_rank() -> None:
    """P20: what core filters reject does not push better regions out of the quota."""
    table = table_of((0, 8, 0, 0, 600), (8, 12, 0, 0, 60), (12, 16, 20, 20, 60))
    rule = Filter("addr", address_range={"start": 0, "end": 8 * PAGE})
    quotas = limited(4, weights=Weights(0, 1, 1))
    bench = Bench(Scheme("pageout", quotas=quotas, filters=[rule]), table=table)
    bench.run()
    assert bench.take() == [(0, 0, 8, 12)]


def test_rejected_part_has_no_rank() -> None:
    """P20: nor does the rejected part of a region that straddles the range."""
    table = table_of((0, 8, 0, 0, 600), (8, 12, 0, 0, 60))
    rule = Filter("addr", address_range={"start": 2 * PAGE, "end": 8 * PAGE})
    quotas = limited(4, weights=Weights(0, 1, 1))
    bench = Bench(Scheme("pageout", quotas=quotas, filters=[rule]), table=table)
    bench.run()
    assert bench.take() == [(0, 0, 0, 2), (0, 0, 8, 10)]


def test_best_come_first() -> None:
    """Under a quota the coldest regions are served, wherever they are."""
    table = table_of((0, 4, 9, 9, 0), (4, 8, 0, 0, 9), (8, 12, 0, 0, 900), (12, 16, 0, 0, 90))
    quotas = limited(8, weights=Weights(0, 1, 1))
    bench = Bench(Scheme("pageout", quotas=quotas), table=table)
    bench.run()
    assert bench.take() == [(0, 0, 8, 12), (0, 0, 12, 16)]


def test_cuts_do_not_pile_up() -> None:
    """P33: cuts at the end of quotas are undone, round for round."""
    bench = Bench(Scheme("stat", quotas=limited(1)), table=fresh_table((0, 64)))
    for _ in range(60):
        bench.run()
    assert rows_of(bench.table) == [(0, 64, 0, 0, 0)]


def test_right_parts_are_visited() -> None:
    """P38: what filters cut off is visited in the same walk, as often as it takes."""
    rules = [
        Filter("addr", address_range={"start": start * PAGE, "end": (start + 1) * PAGE})
        for start in (1, 3, 5)
    ]
    bench = Bench(Scheme("pageout", filters=rules), table=fresh_table((0, 8)))
    bench.run()
    assert bench.take() == [(0, 0, 0, 1), (0, 0, 2, 3), (0, 0, 4, 5), (0, 0, 6, 8)]


def test_huge_numbers() -> None:
    """P35: regions, counts and ages as large as they get are no trouble."""
    intervals = Intervals(1, 2**32 - 1)
    cells = [[0, 0, 2**63 - PAGE, 2**32 - 1, 2**32 - 1, 2**32 - 1]] * 2
    table = RegionTable(np.array(cells, np.int64).T.copy())
    table.target[1] = 1
    quotas = Quotas("max", 2**64 - 1, "max", Weights(0, 1, 1))
    schemes = Schemes([Scheme("migrate_hot", quotas=quotas, target_nid=0)], intervals)
    drive(schemes.apply(table, table.nr_accesses.copy(), Moment(0, 2**32, intervals)))
    stats = schemes.states[0].stats
    assert stats.sz_tried == stats.sz_applied == 2**64 - 2 * PAGE
    assert schemes.states[0].quota.charged_sz == 2**64 - 2 * PAGE


def test_without_acting_operations() -> None:
    """Without anybody who acts, regions are counted and begin anew; nothing is cut or charged."""
    rule = Filter("addr", address_range={"start": 2 * PAGE, "end": 8 * PAGE})
    table = table_of((0, 8, 0, 0, 9))
    bench = Bench(Scheme("pageout", quotas=limited(3), filters=[rule]), table=table)
    bench.run(can_act=False)
    stats = bench.schemes.states[0].stats
    assert (bench.take(), stats.sz_tried, stats.nr_applied) == ([], 8 * PAGE, 0)
    assert rows_of(table) == [(0, 8, 0, 0, 0)]
    assert bench.schemes.states[0].quota.charged_sz == 0


def test_own_actions_need_no_operations() -> None:
    """An action of the user is asked for whether the operations set acts or not."""
    bench = Bench(Scheme(print), table=fresh_table((0, 8)))
    bench.run(can_act=False)
    assert bench.take() == [(0, 0, 0, 8)]


def test_snapshots() -> None:
    """P17: a walk counts once, however many targets there are, and if it came to the end."""
    bench = Bench(Scheme("stat"), table=two_targets())
    bench.run()
    assert bench.schemes.states[0].stats.nr_snapshots == 1
    bench = Bench(Scheme("stat", quotas=limited(8)), table=two_targets())
    counts = []
    for _ in range(4):
        bench.run()
        counts.append(bench.schemes.states[0].stats.nr_snapshots)
    # The second walk ends with the quota, which the last region uses up.
    assert counts == [0, 1, 2, 2]


def test_rest_after_snapshots() -> None:
    """A scheme rests once it has had its snapshots, and goes on if a commit allows more."""
    bench = Bench(Scheme("stat", max_nr_snapshots=2), table=fresh_table((0, 8)))
    for _ in range(5):
        bench.run()
    assert bench.schemes.states[0].stats.nr_tried == 2
    bench.schemes.commit([Scheme("stat", max_nr_snapshots=3)], 0)
    for _ in range(5):
        bench.run()
    assert bench.schemes.states[0].stats.nr_tried == 3


def test_no_regions() -> None:
    """Nothing comes of nothing."""
    bench = Bench(Scheme("stat", quotas=limited(8)), table=RegionTable())
    bench.run()
    stats = bench.schemes.states[0].stats
    assert (bench.take(), stats.nr_tried, stats.nr_snapshots) == ([], 0, 0)
