"""Requests of schemes, and what users' functions may answer."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.operations.paddr import Paddr
from damon_async.operations.requests import (
    Acting,
    ActionRequest,
    Applied,
    Measured,
    applied_by_user,
    measured,
)
from damon_async.operations.vaddr import Vaddr
from damon_async.params.keywords import Action
from damon_async.units import U64_MAX


def request_of(*sizes: int) -> ActionRequest:
    """Return a request for ranges of given sizes, one after the other."""
    ends = np.cumsum(np.array(sizes, np.int64))
    ranges = np.stack([ends - sizes, ends], axis=1)
    zeros = np.zeros(len(sizes), np.int64)
    bypass = np.zeros(len(sizes), np.bool_)
    return ActionRequest(0, Action.PAGEOUT, 0, ranges, zeros, zeros, (), bypass, None, (), 7)


def answer_of(result: object, *sizes: int) -> tuple[list[int], list[int], bool]:
    """Return what is made of the result of a user's action."""
    applied = applied_by_user(request_of(*sizes), result, 5)
    assert applied.elapsed_ns == 5
    assert applied.applied.dtype == applied.passed.dtype == np.int64
    return applied.applied.tolist(), applied.passed.tolist(), applied.has_failed


def test_sizes() -> None:
    """A request knows how many ranges it has, and how large they are."""
    request = request_of(10, 20)
    assert (len(request), request.sizes.tolist()) == (2, [10, 20])


def test_nothing() -> None:
    """An action that did nothing may have taken its time, and may have failed."""
    applied = Applied.nothing(request_of(10, 20), elapsed_ns=9, has_failed=True)
    assert (applied.applied.tolist(), applied.passed.tolist()) == ([0, 0], [0, 0])
    assert (applied.elapsed_ns, applied.has_failed) == (9, True)


@pytest.mark.parametrize(
    ("result", "done"),
    [
        (None, [0, 0]),
        (0, [0, 0]),
        (15, [10, 5]),
        (15.9, [10, 5]),
        (np.int64(15), [10, 5]),
        (Decimal(15), [10, 5]),
        (10**30, [10, 20]),
        (math.inf, [10, 20]),
        (-5, [0, 0]),
        ([5, 7], [5, 7]),
        ((5, 7.9), [5, 7]),
        (np.array([5, 99]), [5, 20]),
        (np.array([-5.5, math.inf]), [0, 20]),
        (Fraction(31, 2), [10, 5]),
    ],
)
def test_what_was_done(result: object, done: list[int]) -> None:
    """Bytes in total or per range are taken, and cut off at what was asked for."""
    assert answer_of(result, 10, 20) == (done, [0, 0], False)


@pytest.mark.parametrize(
    ("result", "done"),
    [
        (math.nan, [0, 0]),
        ([5, math.nan], [5, 0]),
        ([None, 7], [0, 7]),
        ([True, 7], [0, 7]),
        ([5], [0, 0]),
        ([5, 6, 7], [0, 0]),
        ("15", [0, 0]),
        ("ab", [0, 0]),
        (True, [0, 0]),
        (object(), [0, 0]),
        (1j, [0, 0]),
        (Decimal("sNaN"), [0, 0]),
        (np.array(15), [0, 0]),
        (np.array([[1], [2]]), [0, 0]),
        ({0: 5, 1: 7}, [0, 0]),
    ],
)
def test_what_makes_no_sense(result: object, done: list[int]) -> None:
    """What cannot be read is an action that failed; what can be read beside it counts."""
    assert answer_of(result, 10, 20) == (done, [0, 0], True)


def test_whole_answers() -> None:
    """A user may say what passed as well, but not how long it took."""
    own = Applied(np.array([5, 99]), np.array([10, 99]), elapsed_ns=0, has_failed=True)
    assert answer_of(own, 10, 20) == ([5, 20], [10, 20], True)
    short = Applied(np.array([5, 7]), np.array([1]), elapsed_ns=0)
    assert answer_of(short, 10, 20) == ([5, 7], [0, 0], True)


@given(st.lists(st.integers(1, 2**40), min_size=1, max_size=6), st.integers(0, 2**43))
def test_totals_are_shared_out(sizes: list[int], done: int) -> None:
    """A total is shared out from the first range on, and none of it is lost."""
    shares, _, has_failed = answer_of(done, *sizes)
    assert sum(shares) == min(done, sum(sizes))
    # All ranges before the last one that has anything are done.
    last = max((index for index, share in enumerate(shares) if share), default=0)
    assert shares[:last] == sizes[:last]
    assert not has_failed


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (0, 0),
        (7.9, 7),
        (-7, 0),
        (10**40, U64_MAX),
        (math.inf, U64_MAX),
        (-math.inf, 0),
        (Fraction(10**400), U64_MAX),
        (Fraction(-(10**400)), 0),
        (np.float32(2.5), 2),
        (np.uint8(255), 255),
        (math.nan, None),
        (None, None),
        ("7", None),
        (True, None),
        ([7], None),
        (np.array([7]), None),
        (1j, None),
    ],
)
def test_measured(result: object, value: int | None) -> None:
    """Numbers are cut off at 0 and 64 bits; what is no number tells nothing."""
    assert measured(result) == Measured(value)


def test_who_acts() -> None:
    """Whatever has a method apply can act, the built-in operations sets for example."""

    class Own:
        def apply(self) -> None: ...

    class Heir(Own):
        pass

    assert all(isinstance(each, Acting) for each in (Vaddr(), Paddr(), Own(), Heir()))
    assert not isinstance(print, Acting)
