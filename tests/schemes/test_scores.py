"""Scores: order, range, and the least one that is served."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.params.intervals import Intervals
from damon_async.params.keywords import Action
from damon_async.params.quotas import Weights
from damon_async.schemes.scores import (
    COLD_FIRST,
    HOT_FIRST,
    Scores,
    fresh_keys,
    has_order,
    min_score,
    score_keys,
)

INTERVALS = Intervals(5_000, 100_000)
BOTH = Weights(0, 1, 1)

weights = st.builds(Weights, st.just(0), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


def scores_of(
    action: Action,
    frequencies: list[int],
    ages: list[int],
    of: Weights = BOTH,
    intervals: Intervals = INTERVALS,
) -> list[int]:
    """Return what regions are worth to an action."""
    keys = score_keys(np.array(frequencies), np.array(ages), intervals)
    found: list[int] = Scores(action, of).of(keys).tolist()
    return found


def plain_hot(frequency: int, age: int, of: Weights, intervals: Intervals) -> int:
    """Return how hot a region is, as the specification says it in words."""
    rate = min(100, frequency * 100 // intervals.max_nr_accesses)
    digits = min(32, (age * max(1, intervals.aggr_us) // 1_000_000).bit_length())
    age_part = ((digits if rate else -digits) + 32) * 100 // 64
    heat = of.nr_accesses_permil * rate + of.age_permil * age_part
    if of.nr_accesses_permil + of.age_permil:
        heat //= of.nr_accesses_permil + of.age_permil
    return max(0, min(99, heat * 99 // 100))


@given(
    weights,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**63 - 1),
    st.sampled_from([(1, 1), (1, 2**32), (5_000, 100_000), (0, 0), (10**6, 2**53), (3, 1_000_000)]),
)
def test_as_in_words(of: Weights, frequency: int, age: int, lengths: tuple[int, int]) -> None:
    """Looked up scores are those of the formula, however wide the numbers are (P35)."""
    intervals = Intervals(*lengths)
    frequency %= intervals.max_nr_accesses + 1
    hot = plain_hot(frequency, age, of, intervals)
    assert scores_of(Action.LRU_PRIO, [frequency], [age], of, intervals) == [hot]
    assert scores_of(Action.PAGEOUT, [frequency], [age], of, intervals) == [99 - hot]


@pytest.mark.parametrize("action", sorted(HOT_FIRST))
def test_hot_first(action: Action) -> None:
    """Some actions do most for what is accessed most, and has been for long."""
    scores = scores_of(action, [0, 0, 5, 20, 20], [600, 0, 0, 0, 600])
    assert scores == sorted(scores)
    assert len(set(scores)) == 5


@pytest.mark.parametrize("action", sorted(COLD_FIRST))
def test_cold_first(action: Action) -> None:
    """Others do most for what has not been accessed for longest."""
    scores = scores_of(action, [20, 20, 5, 0, 0], [600, 0, 0, 0, 600])
    assert scores == sorted(scores)


@pytest.mark.parametrize("action", sorted(set(Action) - HOT_FIRST - COLD_FIRST))
def test_no_order(action: Action) -> None:
    """To all other actions every region is worth the most."""
    assert scores_of(action, [0, 20], [0, 600]) == [99, 99]
    assert not has_order(action, BOTH)


def test_order_needs_weights() -> None:
    """Without weights of frequency or age nothing is ordered; that of sizes does not count."""
    assert has_order(Action.PAGEOUT, Weights(0, 0, 1))
    assert not has_order(Action.PAGEOUT, Weights(7, 0, 0))
    assert not has_order(print, BOTH)


def test_fresh_keys() -> None:
    """A region whose age was reset is worth what a young one of its frequency is."""
    frequencies, ages = np.array([0, 3, 20]), np.array([700, 900, 0])
    keys = score_keys(frequencies, ages, INTERVALS)
    expected = score_keys(frequencies, ages * 0, INTERVALS)
    assert fresh_keys(keys).tolist() == expected.tolist()


def plain_min_score(regions: list[tuple[int, int]], esz: int) -> int:
    """Return the least score by walking a histogram downwards."""
    histogram = [0] * 100
    for score, size in regions:
        histogram[score] += size
    served = 0
    for score in range(99, 0, -1):
        served += histogram[score]
        if served >= esz:
            return score
    return 0


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 2**40)), max_size=30),
    st.integers(1, 2**45),
)
def test_min_score(regions: list[tuple[int, int]], esz: int) -> None:
    """The least score is found as a histogram would find it."""
    scores, sizes = np.array(regions, np.int64).reshape(-1, 2).T
    assert min_score(scores, sizes, esz) == plain_min_score(regions, esz)


def test_min_score_of_nothing() -> None:
    """Without regions every score would do."""
    nothing = np.zeros(0, np.int64)
    assert min_score(nothing, nothing, 1) == 0
