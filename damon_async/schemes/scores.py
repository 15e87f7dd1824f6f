"""Which regions are worth an action most: scores, and the least one that is served."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..arrays import IntArray
from ..params.intervals import Intervals
from ..params.keywords import Action, UserFunction
from ..params.quotas import Weights

SCORE_MAX: Final = 99
"""What is worth most; what has no order has it, too."""

PERCENT: Final = 100

US_PER_S: Final = 1_000_000

AGE_BITS_MAX: Final = 32
"""Older than 2^31 seconds is as old as it gets."""

NR_DIGITS: Final = AGE_BITS_MAX + 1
"""How many numbers of digits there are, none included."""

HOT_FIRST: Final = frozenset({Action.LRU_PRIO, Action.MIGRATE_HOT})
"""Actions that do most for what is accessed most."""

COLD_FIRST: Final = frozenset({Action.PAGEOUT, Action.LRU_DEPRIO, Action.MIGRATE_COLD})
"""Actions that do most for what is accessed least."""


def has_order(action: Action | UserFunction, weights: Weights) -> bool:
    """Tell whether regions differ in what they are worth to *action*."""
    # Functions of users may not even be hashable.
    is_ordered = isinstance(action, Action) and action in HOT_FIRST | COLD_FIRST
    return is_ordered and bool(weights.nr_accesses_permil + weights.age_permil)


class Scores:
    """
    What regions are worth to one scheme.

    A score depends on the frequency in percent and on the number of digits that
    the age has, so there are few different ones: they are computed once, and
    looked up from then on.

    Args:
        action: Hot regions come first for some, cold ones for others.

        weights: Of frequency and age; without any, nothing is ordered.

    Source:
        spec core 7.5, examples E21 to E23. Differs: 64 bits throughout (P35).
    """

    __slots__ = ("_table",)

    def __init__(self, action: Action | UserFunction, weights: Weights) -> None:
        # All of some three thousand keys, in their order.
        rates = np.repeat(np.arange(PERCENT + 1), NR_DIGITS)
        digits = np.tile(np.arange(NR_DIGITS), PERCENT + 1)
        hot = hot_scores(weights, rates, digits)
        self._table = hot
        if not isinstance(action, Action) or action not in HOT_FIRST | COLD_FIRST:
            self._table = np.full_like(hot, SCORE_MAX)
        elif action in COLD_FIRST:
            self._table = SCORE_MAX - hot

    def of(self, keys: IntArray) -> IntArray:
        """
        Return the score of each region, 0 to 99; int64, shape (nr_regions,).

        Args:
            keys: int64, shape (nr_regions,): from ``score_keys``.
        """
        found: IntArray = self._table[keys]
        return found


def score_keys(frequencies: IntArray, ages: IntArray, intervals: Intervals) -> IntArray:
    """
    Return all that scores of regions depend on, whatever the scheme.

    Args:
        frequencies: int64, shape (nr_regions,), accesses per aggregation.

        ages: int64, same shape, aggregation intervals.

        intervals: What those are counted in.

    Returns:
        int64, same shape: frequency in percent times 33, plus the binary digits
        of the age in seconds.
    """
    # A frequency may be a little above the most, right after intervals have changed.
    rates = np.minimum(frequencies * PERCENT // intervals.max_nr_accesses, PERCENT)
    # From which age on, in aggregations, there is one more digit: 1, 2, 4, 8 ... s.
    # Comparing ages with steps cannot overflow; an age times an interval could.
    aggr_us = max(1, intervals.aggr_us)
    steps = [-(-(2**bit * US_PER_S) // aggr_us) for bit in range(AGE_BITS_MAX)]
    return rates * NR_DIGITS + np.array(steps, np.int64).searchsorted(ages, side="right")


def fresh_keys(keys: IntArray) -> IntArray:
    """Return the keys of regions whose age was reset."""
    return keys - keys % NR_DIGITS


def hot_scores(weights: Weights, rates: IntArray, digits: IntArray) -> IntArray:
    """
    Return how hot regions are, 0 to 99; int64, shape (nr_regions,).

    Age counts on a logarithmic scale, upwards for what is accessed and
    downwards for what is not.

    Args:
        weights: Of frequency and age.

        rates: int64, shape (nr_regions,): frequency in percent.

        digits: int64, same shape: binary digits of the age in seconds.
    """
    # The logarithm of the age, moved and scaled to 0 to 100: no age is 50.
    relative = (np.where(rates == 0, -digits, digits) + AGE_BITS_MAX) * PERCENT
    relative //= 2 * AGE_BITS_MAX
    of_rate, of_age = weights.nr_accesses_permil, weights.age_permil
    heat = of_rate * rates + of_age * relative
    # Without weights everything is as cold as can be, and alike.
    heat //= max(1, of_rate + of_age)
    hot: IntArray = np.clip(heat * SCORE_MAX // PERCENT, 0, SCORE_MAX)
    return hot


def min_score(region_scores: IntArray, sizes: IntArray, esz: int) -> int:
    """
    Return the least score that is served if best regions come first.

    Args:
        region_scores: int64, shape (nr_regions,), 0 to 99.

        sizes: int64, same shape: bytes that the action may be tried on.

        esz: Bytes that may be charged.

    Returns:
        The first score, from the highest one downwards, at which all that is
        worth as much or more uses the quota up; 0 if all of it does not.

    Source:
        spec core 7.4.3, example E25.
    """
    # Floats count bytes exactly up to 8 PiB, and wide sums do not need exactness.
    histogram = np.bincount(region_scores, sizes, SCORE_MAX + 1)
    served = histogram[::-1].cumsum()
    return max(0, SCORE_MAX - int(served.searchsorted(esz)))
