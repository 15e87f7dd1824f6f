"""Watermarks: who is active, and for how long nothing is to be done."""

from __future__ import annotations

import math

import pytest

from damon_async.operations.requests import Measured, MetricRequest, measured
from damon_async.params.quotas import Watermarks
from damon_async.params.schemes import Scheme
from damon_async.schemes.schemes import Schemes
from damon_async.schemes.watermarks import watched

from .driving import INTERVALS, SECOND, drive
from .machines import ToldMachine

MARKS = Watermarks("free_mem_rate", "5 s", 500, 400, 50)


def load(now_us: int) -> float:
    """Measure something; tests answer in its place."""
    return now_us


def schemes_of(*watermarks: Watermarks) -> Schemes:
    """Return schemes with given watermarks."""
    return Schemes([Scheme(watermarks=each) for each in watermarks], INTERVALS)


@pytest.mark.parametrize("is_active", [False, True])
def test_unknown_changes_nothing(is_active: bool) -> None:
    """A metric that nobody can tell leaves a scheme as it is."""
    found = watched(MARKS, is_active=is_active, value=None)
    assert found == (is_active, 0 if is_active else 5 * SECOND)


def test_always_active() -> None:
    """Without metric a scheme is active, and nobody needs to look."""
    schemes = schemes_of(Watermarks(), Watermarks(interval_us=5))
    assert not schemes.has_watermarks
    assert drive(schemes.watch(0, ToldMachine(free_mem_rate=999))) == 0
    assert all(s.is_active for s in schemes.states)


def test_no_schemes() -> None:
    """Without schemes there is nothing to wait for."""
    assert drive(schemes_of().watch(0, None)) == 0


def test_no_machine() -> None:
    """P26: without a machine that could tell, schemes are always active."""
    schemes = schemes_of(MARKS)
    assert schemes.has_watermarks
    assert drive(schemes.watch(0, None)) == 0
    assert schemes.states[0].is_active


def test_all_inactive() -> None:
    """If all schemes are inactive, the shortest interval is slept."""
    long = MARKS.model_copy(update={"interval_us": 9 * SECOND})
    schemes = schemes_of(long, MARKS)
    assert drive(schemes.watch(0, ToldMachine(free_mem_rate=600))) == 5 * SECOND
    assert not any(s.is_active for s in schemes.states)
    assert schemes.next_due is None
    assert not schemes.is_due(10**9)


def test_one_active() -> None:
    """As long as one scheme is active, nobody sleeps; the others stay inactive."""
    schemes = schemes_of(MARKS, Watermarks())
    assert drive(schemes.watch(0, ToldMachine(free_mem_rate=600))) == 0
    assert [s.is_active for s in schemes.states] == [False, True]


def test_no_interval() -> None:
    """An inactive scheme without interval lets monitoring go on."""
    schemes = schemes_of(Watermarks("free_mem_rate", 0, 500, 400, 50))
    assert drive(schemes.watch(0, ToldMachine(free_mem_rate=600))) == 0
    assert not schemes.states[0].is_active


def test_recomputed_each_round() -> None:
    """The wait is computed anew at each look: one who wakes up does not sleep on."""
    machine = ToldMachine(free_mem_rate=[600, 450, 399])
    schemes = schemes_of(MARKS)
    assert [drive(schemes.watch(0, machine)) for _ in range(3)] == [5 * SECOND, 5 * SECOND, 0]


def test_due_on_waking_up() -> None:
    """A scheme that was asleep over its apply interval is due as it wakes up."""
    machine = ToldMachine(free_mem_rate=[600, 300])
    schemes = schemes_of(MARKS)
    drive(schemes.watch(0, machine))
    assert not schemes.is_due(1000)
    drive(schemes.watch(0, machine))
    assert schemes.is_due(1000)
    assert schemes.next_due == 20


@pytest.mark.parametrize(
    ("result", "is_active"),
    [(300, True), (700, False), (-1, False), (float("nan"), True), (float("inf"), False)],
)
def test_own_metrics(result: float, is_active: bool) -> None:
    """A user's function may say what is compared; what is no number changes nothing."""
    schemes = schemes_of(Watermarks(load, "5 s", 500, 400, 50))

    def answer(request: MetricRequest) -> Measured:
        assert request == MetricRequest(0, load, None, 9)
        return measured(result)

    wait_us = drive(schemes.watch(9, None), measure=answer)
    assert (schemes.states[0].is_active, wait_us) == (is_active, 0 if is_active else 5 * SECOND)
    assert schemes.states[0].stats.nr_unmeasured == math.isnan(result)
