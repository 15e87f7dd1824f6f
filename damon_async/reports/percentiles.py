"""
Temperatures and idle times at percentiles of the monitored bytes.

Source:
    Output of damo 3.4.3; spec damo 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ..arrays import IntArray
from ..errors import InvalidError
from ..records.snapshot import Snapshot
from ..units import format_time_us
from .rows import Weights, idle_us, temperatures
from .text import truncated

DEFAULT_PERCENTILES: Final = (0, 1, 25, 50, 75, 99, 100)
"""Those that damo shows."""

BAR_WIDTH: Final = 20
"""Stars of the largest value."""


def percentiles_of(numbers: Sequence[int]) -> tuple[int, ...]:
    """
    Read a choice of percentiles: up to three numbers are a range, more a list.

    Raises:
        InvalidError: If one is not between 0 and 100, or there are none.
    """
    chosen = tuple(range(*numbers)) if 0 < len(numbers) <= 3 else tuple(numbers)
    if not chosen or not all(0 <= each <= 100 for each in chosen):
        msg = f"{list(numbers)} are no percentiles; give numbers from 0 to 100, or START STOP STEP"
        raise InvalidError(msg)
    return chosen


def temperature_percentiles(
    snapshot: Snapshot,
    weights: Weights,
    percentiles: Sequence[int] = DEFAULT_PERCENTILES,
    *,
    raw: bool = False,
) -> str:
    """
    Tell how hot the memory is at percentiles of its bytes.

    Args:
        snapshot: Of one target.

        weights: Of temperatures; the weight of sizes does not count here.

        percentiles: From 0 to 100.

        raw: Print plain numbers.
    """
    # Sizes weigh as bytes already, so they are left out of the heat.
    heats = np.asarray(temperatures(snapshot, weights._replace(size=0)), dtype=np.int64)
    # All weights are shown, also that of sizes, which does not count: damo's
    # title.
    told = ", ".join(f"{weight:g}" for weight in weights)
    title = f"<percentile> <temperature (weights: [{told}])>"
    return _draw(title, heats, snapshot, percentiles, lambda each: truncated(each, raw=raw))


def recency_percentiles(
    snapshot: Snapshot, percentiles: Sequence[int] = DEFAULT_PERCENTILES, *, raw: bool = False
) -> str:
    """Tell how long memory has been idle at percentiles of its bytes; see above."""
    unit = " (us)" if raw else ""
    title = f"<percentile> <idle time{unit}>"
    idle = idle_us(snapshot)
    return _draw(title, idle, snapshot, percentiles, lambda each: format_time_us(each, raw=raw))


def weighted_percentiles(
    values: IntArray, sizes: IntArray, percentiles: Sequence[int]
) -> list[int]:
    """Return the smallest values that *percentiles* of all bytes do not exceed."""
    # Each region stands for all of its bytes, without listing them.
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(sizes[order])
    wanted = np.asarray(percentiles) * int(reached[-1]) / 100
    # The first region with which enough bytes are reached; percentile 0 is the
    # smallest value.
    places = np.searchsorted(reached, wanted, side="left")
    chosen: list[int] = values[order][places].tolist()
    return chosen


def _draw(
    title: str,
    values: IntArray,
    snapshot: Snapshot,
    percentiles: Sequence[int],
    print_value: Callable[[int], str],
) -> str:
    if not snapshot.nr_regions:
        return f"{title}\nno region in snapshot"
    chosen = weighted_percentiles(values, snapshot.sizes, percentiles)
    texts = [print_value(value) for value in chosen]
    left, right = max(len(str(each)) for each in percentiles), max(map(len, texts))
    # Bars from the smallest value shown, not from zero: it is differences that
    # people look for, and heat can be negative.
    low, high = min(chosen), max(chosen)
    lines = [
        f"{percentile:>{left}}  {text:>{right}}  |{_bar(value, low, high)}|"
        for percentile, text, value in zip(percentiles, texts, chosen, strict=True)
    ]
    return "\n".join([title, *lines])


def _bar(value: int, low: int, high: int) -> str:
    # Cut off, other than in a histogram: here each line has a value anyway.
    stars = int((value - low) / (high - low) * BAR_WIDTH) if high > low else 0
    return f"{'*' * stars:<{BAR_WIDTH}}"
