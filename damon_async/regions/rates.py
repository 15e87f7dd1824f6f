"""Counts, frequencies and ages: how they are read, and converted when units change."""

from __future__ import annotations

from ..arrays import IntArray
from .table import RegionTable

BP = 10_000
"""Basis points in one."""

U32_MAX = 2**32 - 1
"""Counts and ages have 32 bits in the kernel."""


def max_nr_accesses(sample_us: int, aggr_us: int) -> int:
    """
    Return the count of a region touched in every sampling interval.

    At least 1, at most 2^32 - 1; a sampling interval of 0 counts as 1.

    Source:
        spec core 2.1, MAXACC.
    """
    return max(1, min(aggr_us // max(1, sample_us), U32_MAX))


def frequency(
    nr_accesses: IntArray,
    last_nr_accesses: IntArray,
    nr_left: int,
    nr_samples: int,
) -> IntArray:
    """
    Return the access frequency at any tick, in accesses per aggregation.

    The part of the running aggregation that is still to come is filled with as
    large a part of the previous one.

    Args:
        nr_accesses: int64, counts so far in the running aggregation.

        last_nr_accesses: int64, same shape, counts of the previous one.

        nr_left: Sampling intervals until the next aggregation, not negative.

        nr_samples: Sampling intervals in an aggregation, at least 1.

    Returns:
        int64, same shape.

    Source:
        spec core 6.1, on demand (G4); example E20.
    """
    left_bp = max(0, nr_left) * BP // nr_samples
    # Nothing of this aggregation is known yet: counts that an attribute change
    # left behind must not be added to the previous ones.
    if left_bp == BP:
        return last_nr_accesses.copy()
    if left_bp == 0:
        # At the end of an aggregation, which is when most schemes ask.
        return nr_accesses.copy()
    return nr_accesses + last_nr_accesses * left_bp // BP


def moving_sum_bp(
    nr_accesses_bp: int,
    last_nr_accesses: int,
    nr_samples: int,
    *,
    accessed: bool,
) -> int:
    """
    Advance the older kernels' moving sum of accesses by one sampling interval.

    Exact after *nr_samples* steps only if that divides ``last_nr_accesses *
    10000``; kept to read and explain what releases up to 7.1 show.

    Args:
        nr_accesses_bp: The sum so far, in 1/10000 accesses.

        last_nr_accesses: Count of the previous aggregation.

        nr_samples: Sampling intervals in an aggregation, at least 1.

        accessed: Whether the region was found accessed this time.

    Source:
        spec core 6.1 (G2/G3), examples E18 and E19. Differs: never below 0.
    """
    # The division loses a remainder at every step, until a merge sets it right.
    gone = last_nr_accesses * BP // nr_samples
    return max(0, nr_accesses_bp - gone + (BP if accessed else 0))


def converted_counts(counts: IntArray, old_max: int, new_max: int) -> IntArray:
    """
    Convert access counts from one largest count to another.

    Truncates twice, so that 1 may be lost where the largest count does not
    divide 10000.

    Source:
        spec core 2.6, example E27.
    """
    # No count exceeds its largest one, which has 32 bits: all products fit 63.
    return counts * BP // old_max * new_max // BP


def convert_results(
    table: RegionTable,
    old: tuple[int, int],
    new: tuple[int, int],
    *,
    is_aggregating: bool,
) -> None:
    """
    Convert counts and ages to new intervals; in place.

    Args:
        table: Regions measured with the old intervals.

        old: Sampling and aggregation interval so far, in microseconds.

        new: The ones from now on.

        is_aggregating: Whether the running aggregation is incomplete; its
            partial counts are then dropped (P11).

    Source:
        spec core 2.6, paragraph G4. Nothing is converted if an interval is 0.
    """
    if 0 in (*old, *new):
        return
    old_max, new_max = max_nr_accesses(*old), max_nr_accesses(*new)
    # Plain integers: an age times an interval may exceed 63 bits.
    table.age[:] = [min(age * old[1] // new[1], U32_MAX) for age in table.age.tolist()]
    # Always: frequencies between aggregations rest on the previous counts.
    table.last_nr_accesses[:] = converted_counts(table.last_nr_accesses, old_max, new_max)
    if is_aggregating:
        # Partial counts of one interval are no partial counts of another.
        table.nr_accesses[:] = 0
    else:
        table.nr_accesses[:] = converted_counts(table.nr_accesses, old_max, new_max)
