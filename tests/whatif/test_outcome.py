"""Arithmetic of outcomes, on numbers made up for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.whatif.outcome import Outcome, QuotaUse, Timeline


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
