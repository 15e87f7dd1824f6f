"""How far patterns have come at an instant."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.spaces.clocks import (
    MAX_BATCHES,
    BatchClock,
    Clock,
    SteadyClock,
    TimeClock,
    fitting_scale,
    scaled,
)

NR_ACCESSES = 100


def batch_clock(
    weights: tuple[int, ...] = (3, 1), batch_ns: tuple[int, ...] = (7_000, 11_000), us: int = 2_000
) -> BatchClock:
    """Make a clock of two patterns whose batches take 7 and 11 us."""
    return BatchClock(weights, batch_ns, NR_ACCESSES, us, np.random.default_rng(5))


def drawn(nr_batches: int, weights: tuple[int, ...] = (3, 1)) -> IntArray:
    """Draw what ``batch_clock`` draws."""
    draws = np.random.default_rng(5).integers(0, sum(weights), nr_batches)
    return np.searchsorted(np.cumsum(weights), draws, "right")


@given(
    st.lists(st.integers(0, 2**52), min_size=1, max_size=5),
    st.integers(1, 2**20),
    st.integers(1, 2**40),
)
def test_scaled(progress: list[int], numerator: int, denominator: int) -> None:
    """Scaling is exact, also where the product in between would overflow."""
    scale = np.array([numerator]), np.array([denominator])
    # The quotient itself has to fit.
    small = [value // numerator for value in progress]
    found = scaled(np.array(small)[:, None], *scale)
    assert found[:, 0].tolist() == [value * numerator // denominator for value in small]


@given(st.integers(1, 2**80), st.integers(1, 2**61))
def test_fitting_scale(numerator: int, denominator: int) -> None:
    """A ratio is shortened until it fits, and stays what it was."""
    found = fitting_scale(numerator, denominator)
    assert min(found) >= 1
    if numerator < 2**61:
        assert found.numerator * found.denominator < 2**63
        if min(found) > 2**10:
            assert found.numerator / found.denominator == pytest.approx(
                numerator / denominator, rel=2e-3
            )


def test_fitting_scale_keeps_small_numbers() -> None:
    """What fits is left as it is."""
    assert fitting_scale(3, 7) == (3, 7)
    assert fitting_scale(2**18, 2**40) == (2**18, 2**40)


def test_time_clock() -> None:
    """Time is counted in nanoseconds, whenever the phase began."""
    clock = TimeClock()
    assert clock.progress(np.array([0, 5, 2_000_000]), 3).tolist() == [[0], [5_000], [2 * 10**9]]


def test_steady_clock() -> None:
    """A lone pattern advances evenly from the beginning of its phase."""
    clock = SteadyClock(100, 8_000)
    instants = np.array([1_000, 1_004, 1_008, 1_012, 1_800])
    assert clock.progress(instants, 1_000).ravel().tolist() == [0, 50, 100, 150, 10_000]


def test_steady_clock_rounds_down() -> None:
    """An access counts once it has been made."""
    clock = SteadyClock(3, 10_000)
    assert clock.progress(np.arange(0, 11), 0).ravel().tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


def test_batches_one_by_one() -> None:
    """At the end of each batch its pattern, and no other, is a batch further."""
    clock = batch_clock()
    turns = drawn(20)
    at_us, counts = 0, [0, 0]
    for turn in turns:
        assert clock.progress(np.array([at_us]), 0).tolist() == [counts]
        at_us += (7, 11)[turn]
        counts[turn] += NR_ACCESSES
    assert clock.progress(np.array([at_us + 400]), 400).tolist() == [counts]


def test_inside_a_batch() -> None:
    """Inside a batch its pattern advances evenly, and no other does."""
    clock = batch_clock()
    first = int(drawn(1)[0])
    length = (7, 11)[first]
    counts = clock.progress(np.arange(length + 1), 0)
    assert counts[:, first].tolist() == [us * NR_ACCESSES // length for us in range(length + 1)]
    assert not counts[:, 1 - first].any()


def test_weights() -> None:
    """Patterns get turns in proportion to their weights."""
    clock = batch_clock((9, 1, 90), (1_000, 1_000, 1_000), 50_000)
    counts = clock.progress(np.array([50_000]), 0)[0] / NR_ACCESSES
    assert counts / counts.sum() == pytest.approx(np.array([0.09, 0.01, 0.9]), abs=0.005)


def test_longer_than_the_sequence() -> None:
    """After the last drawn batch the sequence starts again, without a jump."""
    clock = batch_clock((1, 1), (1_000, 1_000), 10**9)
    turn_us = MAX_BATCHES
    ends = clock.progress(np.array([turn_us, 2 * turn_us, 5 * turn_us]), 0)
    assert (ends == ends[0] * np.array([[1], [2], [5]])).all()
    around = clock.progress(turn_us + np.arange(-5, 6), 0)
    assert (np.diff(around.sum(axis=1)) == NR_ACCESSES).all()


def test_many_patterns() -> None:
    """The memory of the drawn sequence is bounded for any number of patterns."""
    nr_patterns = 4096
    clock = BatchClock(
        [1] * nr_patterns, [1_000] * nr_patterns, 10, 10**9, np.random.default_rng(0)
    )
    counts = clock.progress(np.array([0, 1_000, 10**8]), 0)
    assert counts.sum(axis=1).tolist() == [0, 10_000, 10**9]


@given(st.lists(st.integers(0, 100_000), min_size=2, max_size=20))
@pytest.mark.parametrize("clock", [TimeClock(), SteadyClock(7, 3_000), batch_clock(us=50)])
def test_clocks_never_go_back(clock: Clock, instants: list[int]) -> None:
    """No counter is lower at a later instant."""
    counts = clock.progress(np.array(sorted(instants)), 0).tolist()
    for before, after in pairwise(counts):
        assert all(x <= y for x, y in zip(before, after, strict=True))


def test_same_seed_same_turns() -> None:
    """The sequence depends on the generator alone, and not on what was asked before."""
    one, two = batch_clock(), batch_clock()
    one.progress(np.array([7, 1_000]), 0)
    instants = np.arange(0, 2_000, 13)
    assert (one.progress(instants, 0) == two.progress(instants, 0)).all()
