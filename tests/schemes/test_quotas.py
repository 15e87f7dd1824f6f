"""Quotas: windows, effective sizes, what fits, and the carry-over pointer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.params.quotas import Goal, Quotas
from damon_async.schemes.quotas import QuotaState
from damon_async.schemes.sums import is_wide, running_sums, total
from damon_async.units import U64_MAX

PAGE = 4096

GOAL = Goal("user_input", 1)


def limited(esz: int, charged_sz: int = 0) -> QuotaState:
    """Return a quota in the middle of a window."""
    return QuotaState(is_limited=True, esz=esz, charged_sz=charged_sz, window_start_us=0)


@pytest.mark.parametrize(
    ("quotas", "esz_bp", "expected"),
    [
        (Quotas(sz_bytes=5), 0, 5),
        (Quotas(sz_bytes=5, goals=[GOAL]), 30_000, 3),
        (Quotas(sz_bytes=5, goals=[GOAL]), 90_000, 5),
        (Quotas(goals=[GOAL]), 19_999, 1),
        (Quotas(time_ms=1, sz_bytes=5), 0, 5),
        (Quotas(time_ms=1), 0, PAGE * 1024),
        (Quotas(time_ms="max"), 0, U64_MAX),
        (Quotas(time_ms=1, goals=[GOAL]), 70_000, 7),
    ],
)
def test_smallest_limit_holds(quotas: Quotas, esz_bp: int, expected: int) -> None:
    """The effective size is the smallest of all limits that are set."""
    quota = QuotaState(is_limited=True, esz_bp=esz_bp)
    assert quota.set_esz(quotas, PAGE)
    assert quota.esz == expected
    assert not quota.set_esz(quotas, PAGE)


def test_first_window() -> None:
    """P13: the first window begins at once."""
    assert QuotaState(is_limited=True).needs_window(Quotas(sz_bytes=1), 0)


@pytest.mark.parametrize(
    ("reset_ms", "now_us", "expected"),
    [
        (100, 0, False),
        (100, 99_999, False),
        (100, 100_000, True),
        (0, 0, True),
        (U64_MAX, 10**15, False),
    ],
)
def test_window_ends(reset_ms: int, now_us: int, expected: bool) -> None:
    """A window lasts as long as its interval, one of no length not even that long."""
    quotas = Quotas(sz_bytes=1, reset_interval_ms=reset_ms)
    assert limited(PAGE).needs_window(quotas, now_us) is expected


def test_window_begins() -> None:
    """A new window starts from nothing, and remembers what was charged before."""
    quota = limited(4 * PAGE, 3 * PAGE + 1)
    assert quota.begin_window(7, PAGE)
    assert (quota.charged_sz, quota.total_charged_sz) == (0, 3 * PAGE + 1)
    assert quota.window_start_us == 7
    assert not quota.begin_window(8, PAGE)


@pytest.mark.parametrize(
    ("esz", "charged", "is_full"),
    [
        (0, 0, True),
        (PAGE - 1, 0, True),
        (PAGE, 0, False),
        (PAGE, 1, True),
        (5 * PAGE, 4 * PAGE, False),
        (5 * PAGE, 6 * PAGE, True),
    ],
)
def test_full(esz: int, charged: int, is_full: bool) -> None:
    """P14, P16: a quota is full when less than the smallest region is left, zero or not."""
    assert limited(esz, charged).is_full(PAGE) is is_full


def test_no_limit_is_never_full() -> None:
    """Without a limit nothing is full, and nothing is charged."""
    quota = QuotaState(charged_sz=9)
    assert not quota.is_full(PAGE)
    quota.charge(Quotas(), np.array([5]), np.array([5]), 5)
    assert quota.charged_sz == 9


@pytest.mark.parametrize(
    ("sizes", "left", "fitting", "estimated"),
    [
        ([3, 4], 9, (2, 0), (2, 0)),
        ([3, 4], 7, (2, 0), (2, 0)),
        ([3, 4], 6, (2, 3), (1, 0)),
        ([3, 4], 3, (1, 0), (1, 0)),
        ([3, 4], 2, (1, 2), (1, 2)),
        ([3, 4, 5], 3, (1, 0), (1, 0)),
        ([9], 1, (1, 1), (1, 1)),
        ([], 1, (0, 0), (0, 0)),
    ],
)
def test_fitting(
    sizes: list[int], left: int, fitting: tuple[int, int], estimated: tuple[int, int]
) -> None:
    """The region that does not fit is cut, unless those before it may turn out cheaper."""
    sums = running_sums(np.array(sizes, np.int64) * PAGE)
    quota = limited((left + 10) * PAGE, 10 * PAGE)
    found = [quota.fitting(sums, PAGE, is_estimate=estimate) for estimate in (False, True)]
    assert found == [(nr, cut * PAGE) for nr, cut in (fitting, estimated)]


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(PAGE, 60 * PAGE))
def test_fitting_one_by_one(pages: list[int], left: int) -> None:
    """What fits is found as taking regions one by one would."""
    served, cut = 0, 0
    spent = 0
    for size in pages:
        if left - spent < PAGE:
            break
        served += 1
        cut = (left - spent) // PAGE if size * PAGE > left - spent else 0
        spent += (cut or size) * PAGE
    sums = running_sums(np.array(pages, np.int64) * PAGE)
    assert limited(left).fitting(sums, PAGE, is_estimate=False) == (served, cut * PAGE)


def test_fitting_wide_sizes() -> None:
    """Sums beyond 63 bits are exact, and so is what is left of a budget beyond them."""
    sizes = np.full(4, 2**62, np.int64)
    assert is_wide(sizes)
    assert total(sizes, wide=True) == 2**64
    sums = running_sums(sizes, wide=True)
    assert limited(U64_MAX).fitting(sums, PAGE, is_estimate=False) == (4, 2**62 - PAGE)
    assert limited(2**63).fitting(sums, PAGE, is_estimate=False) == (2, 0)


def test_fitting_wide_budget() -> None:
    """A budget beyond 63 bits lets everything of a smaller size fit."""
    sums = running_sums(np.array([2**61, PAGE], np.int64))
    assert limited(U64_MAX).fitting(sums, PAGE, is_estimate=False) == (2, 0)


def test_throughput_is_cumulative() -> None:
    """Bytes count for the throughput when their window ends, time at once."""
    quota = limited(10 * PAGE)
    quota.charge(Quotas(sz_bytes=1), np.array([PAGE]), np.array([PAGE]), PAGE)
    quota.total_charged_ns += 2_000_000
    assert quota.throughput == 0
    quota.begin_window(0, PAGE)
    assert quota.throughput == PAGE // 2


def test_cheap_tries_make_a_window_overshoot() -> None:
    """A time quota is an average: bytes that took no time let later ones take too much."""
    quotas = Quotas(time_ms=50, reset_interval_ms="1 s")
    quota = limited(1000 * PAGE)
    # Most of what was tried had been paged out before: asked for, charged, and free.
    quota.charge(quotas, np.array([100 * PAGE, 900 * PAGE]), np.array([100 * PAGE, 0]), 1000 * PAGE)
    quota.total_charged_ns += 10_000_000
    quota.begin_window(0, PAGE)
    quota.set_esz(quotas, PAGE)

    page_ns = 10_000_000 // 100
    assert quota.esz // PAGE * page_ns == 500_000_000
    # Once such a window is over, its time counts, and the next one is smaller.
    quota.charge(quotas, np.array([quota.esz]), np.array([quota.esz]), quota.esz)
    quota.total_charged_ns += 500_000_000
    quota.begin_window(1_000_000, PAGE)
    quota.set_esz(quotas, PAGE)
    assert quota.esz // PAGE == 588


def test_sizes_bound_single_windows() -> None:
    """A size beside the time holds in every window, whatever throughput is believed in."""
    quotas = Quotas(time_ms=50, sz_bytes=8 * PAGE, reset_interval_ms="1 s")
    quota = QuotaState(is_limited=True, total_charged_sz=2**60, total_charged_ns=1)
    quota.set_esz(quotas, PAGE)

    assert quota.esz == 8 * PAGE


def test_forget() -> None:
    """P37: without any limit the window, its charges and the pointer are gone."""
    quota = limited(PAGE, PAGE)
    quota.total_charged_ns = 5
    quota.point_behind(1, 7)
    quota.forget()
    assert quota == QuotaState(total_charged_ns=5)


@pytest.mark.parametrize(
    ("pointer", "removed", "expected"),
    [(1, 0, (0, 7)), (1, 1, (None, 0)), (1, 2, (1, 7)), (None, 0, (None, 0))],
)
def test_target_removed(
    pointer: int | None, removed: int, expected: tuple[int | None, int]
) -> None:
    """P19: the pointer moves with its target, and is gone with it."""
    quota = QuotaState(charge_target=pointer, charge_addr=0 if pointer is None else 7)
    quota.target_removed(removed)
    assert (quota.charge_target, quota.charge_addr) == expected
