"""Interval auto-tuning: as many observed accesses as were asked for, not more."""

from __future__ import annotations

from dataclasses import dataclass

from .table import RegionTable

BP = 10_000
U64_MAX = 2**64 - 1
FEED_FLOOR = 10_000
TUNING_INPUT = 100_000_000
"""What is fed to the loop each time: it only ever looks at the current score."""


@dataclass(frozen=True, slots=True)
class TunedIntervals:
    """Sampling and aggregation interval after a tuning step, in microseconds."""

    sample_us: int
    aggr_us: int


def feed(value: int, score: int) -> int:
    """
    Move a positively correlated input towards the score of 10000.

    Args:
        value: The input so far, 0 to 2^64 - 1.

        score: What it achieved; 10000 is the goal.

    Returns:
        The next input, 10000 to 2^64 - 1, or *value* if the goal is met.

    Source:
        spec core 7.8, example E28.
    """
    if score == BP:
        return value
    # Twice the goal or more asks for nothing at all, which is the floor.
    if score >= 2 * BP:
        return FEED_FLOOR
    distance = abs(score - BP)
    # Where the product would not fit 64 bits the kernel divides first, and loses
    # a remainder; so do we, or the same goals would lead to other quotas.
    wide = value >= U64_MAX // distance
    change = value // BP * distance if wide else value * distance // BP
    if score > BP:
        return max(value - change, FEED_FLOOR)
    return min(value + change, U64_MAX)


def access_score(table: RegionTable, aggr_samples: int, access_bp: int) -> int:
    """
    Return how much of the wanted number of access events was observed.

    Args:
        table: Merged regions of the aggregation that just ended.

        aggr_samples: Sampling intervals per aggregation.

        access_bp: Wanted share of the largest possible number of events, in bp.

    Returns:
        10000 if exactly as many as wanted; 0 if none.

    Source:
        spec core 8. Plain integers: sizes times counts may exceed 63 bits.
    """
    sizes: list[int] = table.sizes.tolist()
    counts: list[int] = table.nr_accesses.tolist()
    events = sum(size * count for size, count in zip(sizes, counts, strict=True))
    most = sum(sizes) * aggr_samples
    # A share that rounds to nothing would be met by nothing.
    wanted = max(1, most * access_bp // BP)
    return events * BP // wanted


def tuned_intervals(
    score: int,
    sample_us: int,
    aggr_samples: int,
    bounds_us: tuple[int, int],
) -> TunedIntervals:
    """
    Return the intervals that should bring the score closer to 10000.

    Args:
        score: From ``access_score``.

        sample_us: Sampling interval so far.

        aggr_samples: Sampling intervals per aggregation; the ratio is kept.

        bounds_us: Least and greatest sampling interval allowed.

    Source:
        spec core 8, examples E33 and E34. Shrinks at most by half, at most doubles.
    """
    adaptation = feed(TUNING_INPUT, score) // BP
    if adaptation <= BP:
        # Halfway to no change: whatever is found, intervals at most halve.
        adaptation = BP // 2 + adaptation // 2
    low, high = bounds_us
    sample_us = max(low, min(high, sample_us * adaptation // BP))
    return TunedIntervals(sample_us, sample_us * aggr_samples)
