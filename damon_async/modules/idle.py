"""How long memory has been idle, and how much of it is read and written: plain functions."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import numpy as np

from ..arrays import IntArray

NR_PERCENTILES: Final = 101
"""From the 0th to the 100th."""


def idle_ms(
    nr_accesses: IntArray, age: IntArray, aggr_us: int, *, signs_busy: bool = True
) -> IntArray:
    """
    Return for how long each region has been as it is, in milliseconds.

    Args:
        nr_accesses: int64, shape (nr_regions,).

        age: int64, shape (nr_regions,), in aggregation intervals.

        aggr_us: The aggregation interval, in microseconds.

        signs_busy: Whether regions in use count as negative; if not, as 0.

    Returns:
        int64, shape (nr_regions,): idle times; of regions that were accessed, minus
        the time for which they have been.

    Source:
        spec interfaces 5.4.
    """
    times = (age + 1) * aggr_us // 1000
    return np.where(nr_accesses > 0, -times if signs_busy else 0, times)


def percentiles(values: IntArray, sizes: IntArray) -> tuple[int, ...]:
    """
    Return the percentiles 0 to 100 of values that stand for many bytes each.

    Args:
        values: int64, shape (nr_regions,).

        sizes: int64, shape (nr_regions,), in bytes, above 0.

    Returns:
        101 numbers, not falling; all 0 if there are no regions.

    Source:
        spec interfaces 5.4.
    """
    if not len(values):
        return (0,) * NR_PERCENTILES
    order = np.argsort(values, kind="stable")
    sorted_values = values[order].tolist()
    # Python's own integers: bytes times 100 may not fit 63 bits.
    reached, total = [], 0
    for size in sizes[order].tolist():
        total += size
        reached.append(total)
    shares = [bytes_so_far * 100 // total for bytes_so_far in reached]
    # The first region with which the percentile is reached.
    return tuple(sorted_values[bisect_left(shares, p)] for p in range(NR_PERCENTILES))


def bandwidth(nr_accesses: IntArray, sizes: IntArray, aggr_us: int) -> int:
    """
    Estimate how many bytes per second are accessed, at least.

    Args:
        nr_accesses: int64, shape (nr_regions,).

        sizes: int64, shape (nr_regions,), in bytes.

        aggr_us: The aggregation interval, in microseconds.

    Source:
        spec interfaces 5.4.
    """
    pairs = zip(nr_accesses.tolist(), sizes.tolist(), strict=True)
    accessed: int = sum(nr * size for nr, size in pairs)
    return accessed * 1_000_000 // max(1, aggr_us)
