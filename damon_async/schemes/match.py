"""Which regions a scheme's access pattern matches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from ..arrays import BoolArray, IntArray
from ..params.patterns import COUNT_MAX, ResolvedPattern

U32_MAX: Final = 2**32 - 1
"""No count and no age is larger, so a bound from here on needs no look."""


def matching_rows(
    pattern: ResolvedPattern,
    frequencies: IntArray,
    ages: IntArray,
    sizes: Callable[[], IntArray],
) -> IntArray:
    """
    Return which regions a pattern matches.

    A handful of array operations, and none for bounds that exclude nothing:
    schemes that match nothing should cost next to nothing.

    Args:
        pattern: All bounds are inclusive.

        frequencies: int64, shape (nr_regions,), accesses per aggregation interval.

        ages: int64, same shape, aggregation intervals.

        sizes: Returns int64, same shape, bytes; called only if it matters.

    Returns:
        int64, shape (nr_matching,): indices, ascending.

    Source:
        spec core 7.2; the frequency is the one of the moment, whatever part of
        the aggregation has passed (P34).
    """
    wanted: list[BoolArray] = []
    # Ages first, only because most schemes are about something old.
    _bound(wanted, ages, pattern.min_age, pattern.max_age)
    _bound(wanted, frequencies, pattern.min_nr_accesses, pattern.max_nr_accesses)
    if wanted:
        # In place: the masks are ours, and nobody else sees them.
        mask = wanted[0]
        for each in wanted[1:]:
            mask &= each
        rows = mask.nonzero()[0]
    else:
        rows = np.arange(len(ages), dtype=np.int64)
    # Sizes last: they have to be computed, and exclude least.
    if len(rows) and (pattern.min_sz > 1 or pattern.max_sz < COUNT_MAX):
        chosen = sizes()[rows]
        rows = rows[(pattern.min_sz <= chosen) & (chosen <= pattern.max_sz)]
    return rows


def size_matches(pattern: ResolvedPattern, size: int) -> bool:
    """Tell whether a pattern matches as far as the size, in bytes, is concerned."""
    return pattern.min_sz <= size <= pattern.max_sz


def region_matches(pattern: ResolvedPattern, size: int, frequency: int, age: int) -> bool:
    """Tell whether a pattern matches one region."""
    return (
        size_matches(pattern, size)
        and pattern.min_nr_accesses <= frequency <= pattern.max_nr_accesses
        and pattern.min_age <= age <= pattern.max_age
    )


def _bound(wanted: list[BoolArray], counts: IntArray, low: int, high: int) -> None:
    # Neither count nor age is negative.
    if low > 0:
        wanted.append(counts >= low)
    if high < U32_MAX:
        wanted.append(counts <= high)
