"""Tried regions: one round of every scheme, seen by somebody."""

from __future__ import annotations

import pytest

from damon_async.errors import BusyError, CanceledError
from damon_async.operations.requests import ActionRequest, Applied
from damon_async.params.quotas import Quotas, Watermarks
from damon_async.params.schemes import Scheme
from damon_async.schemes.tried import Tried, Walk, WalkState

from ..regions.tables import fresh_table, table_of
from .driving import PAGE, SECOND, Bench, do_nothing, drive
from .machines import ToldMachine

Seen = tuple[int, int, int, int, int, int, int]


class Visitor:
    """Remembers what it was shown, region by region, in pages."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.ended: list[Walk] = []

    def __call__(self, tried: Tried) -> None:
        columns = (tried.ranges // PAGE).tolist(), tried.nr_accesses, tried.age, tried.passed
        for (start, end), nr_accesses, age, passed in zip(*columns, strict=True):
            region = start, end, int(nr_accesses), int(age), int(passed) // PAGE
            self.seen.append((tried.scheme_idx, tried.target_idx, *region))


def test_one_round_of_each() -> None:
    """Each scheme shows one round, in its own time, and then the walk is done."""
    slow = Scheme("stat", apply_interval_us=200_000)
    bench = Bench(Scheme("stat"), slow, table=table_of((0, 4, 3, 3, 9), (4, 8, 0, 0, 1)))
    visitor = Visitor()
    walk = bench.schemes.walk(visitor, visitor.ended.append)
    bench.run()
    first = [(0, 0, 0, 4, 3, 9, 4), (0, 0, 4, 8, 0, 1, 4)]
    assert visitor.seen == first
    assert walk.is_pending
    assert repr(walk) == "<Walk pending, rounds to come of schemes [1]>"
    bench.run()
    assert visitor.seen == [*first, *((1, *region[1:]) for region in first)]
    assert (walk.state, visitor.ended) == (WalkState.DONE, [walk])
    assert walk.exception() is None


def test_as_tried() -> None:
    """Regions are shown as they were tried: after cuts, with the age before the action."""
    quotas = Quotas(sz_bytes=6 * PAGE, reset_interval_ms=100)
    bench = Bench(
        Scheme("pageout", quotas=quotas), table=table_of((0, 4, 0, 0, 9), (4, 8, 0, 0, 5))
    )
    visitor = Visitor()
    bench.schemes.walk(visitor)

    def half(request: ActionRequest) -> Applied:
        return Applied(request.sizes // 2, request.sizes // 2)

    bench.run(half)
    assert visitor.seen == [(0, 0, 0, 4, 0, 9, 2), (0, 0, 4, 6, 0, 5, 1)]


def test_nothing_tried() -> None:
    """A scheme that matches nothing has had its round all the same."""
    bench = Bench(Scheme("stat", {"age": ("5 s", "max")}), table=fresh_table((0, 4)))
    visitor = Visitor()
    walk = bench.schemes.walk(visitor)
    bench.run()
    assert (visitor.seen, walk.state) == ([], WalkState.DONE)


def test_inactive_schemes_owe_no_round() -> None:
    """A scheme that sleeps while others act has had its round as well."""
    asleep = Scheme("stat", watermarks=Watermarks("free_mem_rate", "5 s", 500, 400, 50))
    bench = Bench(asleep, Scheme("stat"), table=fresh_table((0, 4)))
    drive(bench.schemes.watch(0, ToldMachine(free_mem_rate=600)))
    visitor = Visitor()
    walk = bench.schemes.walk(visitor)
    bench.run()
    assert ([seen[0] for seen in visitor.seen], walk.state) == ([1], WalkState.DONE)


def test_one_at_a_time() -> None:
    """A second walk has to wait for the end of the first."""
    bench = Bench(Scheme("stat"), table=fresh_table((0, 4)))
    bench.schemes.walk(print)
    with pytest.raises(BusyError, match="cannot walk the tried regions: another walk is pending"):
        bench.schemes.walk(print)
    bench.schemes.cancel_walk("asked to")
    assert bench.schemes.walk(print).is_pending


def test_canceled() -> None:
    """A walk that is given up says why, once, and shows nothing more."""
    bench = Bench(Scheme("stat"), table=fresh_table((0, 4)))
    visitor = Visitor()
    walk = bench.schemes.walk(visitor, visitor.ended.append)
    bench.schemes.cancel_walk("all schemes are inactive")
    bench.schemes.cancel_walk("again")
    bench.run()
    assert (visitor.seen, visitor.ended, walk.state) == ([], [walk], WalkState.CANCELED)
    error = walk.exception()
    assert isinstance(error, CanceledError)
    assert str(error) == "the walk was canceled: all schemes are inactive"


def test_no_schemes() -> None:
    """Without schemes there is nothing to see, now or after a commit."""
    bench = Bench(table=fresh_table((0, 4)))
    assert bench.schemes.walk(print).state is WalkState.CANCELED
    bench = Bench(Scheme("stat"), table=fresh_table((0, 4)))
    walk = bench.schemes.walk(print)
    bench.schemes.commit([], 0)
    assert walk.state in (WalkState.CANCELED, WalkState.DONE)


def test_committed_away() -> None:
    """A scheme that a commit removes owes no round any more."""
    bench = Bench(Scheme("stat"), Scheme("stat"), table=fresh_table((0, 4)))
    walk = bench.schemes.walk(print)
    bench.schemes.commit([Scheme("stat")], 0)
    bench.run()
    assert walk.state is WalkState.DONE


def test_bad_visitor() -> None:
    """A visitor that raises ends its walk, and harms nobody else."""

    def fail(tried: Tried) -> None:
        raise ValueError(str(tried.scheme_idx))

    bench = Bench(Scheme("pageout"), table=fresh_table((0, 4)))
    walk = bench.schemes.walk(fail)
    bench.run(do_nothing)
    assert bench.take() == [(0, 0, 0, 4)]
    assert walk.state is WalkState.FAILED
    assert repr(walk.exception()) == "ValueError('0')"
    bench.now_us += SECOND
    bench.run(do_nothing)
    assert bench.schemes.states[0].stats.nr_tried == 2
