"""Arithmetic of outcomes, on numbers made up for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.params.schemes import Scheme
from damon_async.schemes.stats import SchemeStats
from damon_async.whatif.outcome import Outcome, QuotaUse, SchemeOutcome, Timeline


def timeline(
    resident: list[int], *, seconds: int = 1, stall_ns: int = 0, work_ns: int = 0
) -> Timeline:
    """Return a machine that was looked at every *seconds*; sums grow at the end."""
    zeros = np.zeros(len(resident), np.int64)
    stall, work = zeros.copy(), zeros.copy()
    stall[-1], work[-1] = stall_ns, work_ns
    times = np.arange(len(resident), dtype=np.int64) * seconds * 1_000_000
    return Timeline(times, np.array(resident), zeros, stall, work)


def outcome(line: Timeline, *, nr_programs: int = 1, nr_checks: int = 0) -> Outcome:
    """Return a run without schemes."""
    return Outcome("run", (), nr_programs, line, (), 0, 0, 0, 0, 0.0, nr_checks, 500)


def test_memory_is_averaged_over_time() -> None:
    """A step counts with what there was at its end, as long as it was."""
    line = timeline([100, 100, 40])
    uneven = Timeline(np.array([0, 1, 11]), *list(vars(line).values())[1:])

    assert line.mean_resident_bytes == 70
    assert uneven.mean_resident_bytes == pytest.approx((100 + 400) / 11)
    assert timeline([7]).mean_resident_bytes == 7


def test_saving_is_a_share_of_the_baseline() -> None:
    """Half of the memory in use on average is a saving of one half."""
    assert outcome(timeline([9, 4])).saved_share(outcome(timeline([9, 8]))) == 0.5
    # Nothing of nothing is saved by nobody.
    assert outcome(timeline([0, 0])).saved_share(outcome(timeline([0, 0]))) == 0


def test_slow_down_is_stall_over_program_time() -> None:
    """One second of waiting in two programs of five seconds each is a tenth."""
    base = outcome(timeline([1] * 6), nr_programs=2)
    slow = outcome(timeline([1] * 6, stall_ns=10**9), nr_programs=2)

    assert slow.slowdown(base) == pytest.approx(0.1)
    assert base.slowdown(slow) == pytest.approx(-0.1)


def test_work_is_a_share_of_one_core() -> None:
    """Actions and looks are told as shares of a core's time."""
    busy = outcome(timeline([1, 1], work_ns=250_000_000), nr_checks=1000)

    assert busy.action_share == 0.25
    assert busy.check_share == pytest.approx(0.0005)


@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62))))
def test_shares_are_finite(windows: list[tuple[int, int]]) -> None:
    """Whatever was allowed, the used share is a number, and at most one if kept to."""
    charged = np.array([min(pair) for pair in windows], np.int64)
    allowed = np.array([max(pair) for pair in windows], np.float64)
    use = QuotaUse(np.arange(len(windows)), charged, allowed, charged)

    assert np.isfinite(use.shares).all()
    assert (use.shares <= 1).all()
    assert len(use) == len(windows)


def test_a_day_of_a_large_machine_is_averaged() -> None:
    """Averages stay right where bytes times microseconds exceed 63 bits."""
    line = timeline([2**36] * 25, seconds=3600)
    assert line.mean_resident_bytes == 2**36


@given(st.lists(st.integers(0, 2**46), min_size=2, max_size=9), st.integers(1, 10**5))
def test_averages_lie_between(resident: list[int], seconds: int) -> None:
    """Days of terabytes are averaged without overflow, between the least and the most."""
    mean = timeline(resident, seconds=seconds).mean_resident_bytes

    assert min(resident[1:]) * (1 - 1e-9) <= mean <= max(resident[1:]) * (1 + 1e-9)


@given(st.lists(st.integers(0, 2**40), min_size=2, max_size=9))
def test_looking_more_often_changes_no_average(resident: list[int]) -> None:
    """To look twice as often at what stays the same gives the same average."""
    often = [resident[0], *(size for size in resident[1:] for _ in range(2))]

    assert timeline(often).mean_resident_bytes == pytest.approx(
        timeline(resident, seconds=2).mean_resident_bytes
    )


@given(*[st.integers(0, 10**12)] * 3)
def test_slow_downs_add_up(first: int, second: int, third: int) -> None:
    """Compared with itself a run is as fast; by way of another run it is the same."""
    one, two, three = (outcome(timeline([1, 1], stall_ns=ns)) for ns in (first, second, third))

    assert one.slowdown(one) == 0
    assert one.slowdown(three) == pytest.approx(
        one.slowdown(two) + two.slowdown(three), rel=1e-9, abs=1e-9
    )


def test_more_than_a_core_is_told() -> None:
    """Actions that take longer than there is time are no whole core, but more."""
    assert outcome(timeline([1, 1], work_ns=3 * 10**9)).action_share == 3


def test_more_memory_is_a_negative_saving() -> None:
    """Schemes that bring memory in save less than nothing."""
    assert outcome(timeline([4, 8])).saved_share(outcome(timeline([4, 4]))) == -1


def test_totals_are_those_of_the_end() -> None:
    """Sums over time are read at the last instant."""
    line = timeline([4, 8, 6], stall_ns=7)
    refaults = Timeline(
        line.time_us, line.resident_bytes, np.array([0, 2, 5]), *[line.stall_ns] * 2
    )
    whole = outcome(refaults)

    assert (whole.nr_refaults, whole.stall_ns, whole.final_resident_bytes) == (5, 7, 6)
    assert whole.duration_us == 2_000_000


def test_nothing_used_of_nothing() -> None:
    """A window that allows nothing is not used, and one that was overrun says by how much."""
    two = np.array([0, 8])
    use = QuotaUse(np.array([0, 1]), two, np.array([0.0, 4.0]), two)

    assert use.shares.tolist() == [0, 2]


def test_limits_are_those_of_the_scheme() -> None:
    """What limited a scheme is looked up where its parameters are."""
    scheme = Scheme("pageout", quotas={"sz_bytes": 4096, "reset_interval_ms": 5})
    none = np.zeros(0, np.int64)
    told = SchemeOutcome(0, scheme, SchemeStats(), QuotaUse(none, none, none.astype(float), none))

    assert told.quotas is scheme.quotas
    assert told.is_active
    assert len(told.quota) == 0
