"""
How many bytes are how hot, or how long idle.

Source:
    Output of damo 3.4.3; spec damo 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from ..arrays import IntArray
from ..errors import InvalidError
from ..records.snapshot import Snapshot
from ..units import format_size, format_time_us
from .rows import Weights, idle_us, temperatures
from .text import truncated

NR_BINS: Final = 10
"""Bins of an ordinary histogram."""

BAR_WIDTH: Final = 20
"""Stars of the largest bin."""


def temperature_histogram(
    snapshot: Snapshot,
    weights: Weights,
    *,
    edges: Sequence[int] | None = None,
    is_log: bool = False,
    is_cumulated: bool = False,
    raw: bool = False,
) -> str:
    """
    Draw how many bytes have which temperature.

    Args:
        snapshot: Of one target.

        weights: Of temperatures; the weight of sizes does not count here.

        edges: Ascending borders of the bins; None for ten even ones.

        is_log: Double the width of the bins from each to the next.

        is_cumulated: Count in each bin what is colder as well.

        raw: Print plain numbers.
    """
    # Bytes are what is counted already; as heat they would count twice. Cut
    # off, since borders are whole numbers.
    heats = np.asarray(temperatures(snapshot, weights._replace(size=0)), dtype=np.int64)
    table = _Table("<temperature>", lambda number: truncated(number, raw=raw))
    if not snapshot.nr_regions:
        return table.empty()
    # Each snapshot has borders of its own: temperatures of different moments
    # may be of different magnitudes.
    borders = _borders(heats, edges, is_log=is_log)
    return table.draw(heats, snapshot.sizes, borders, is_cumulated=is_cumulated, raw=raw)


def recency_histogram(
    snapshot: Snapshot,
    *,
    edges: Sequence[int] | None = None,
    is_log: bool = False,
    is_cumulated: bool = False,
    raw: bool = False,
) -> str:
    """Draw how many bytes have been idle how long; arguments as above, in microseconds."""
    idle = idle_us(snapshot)
    table = _Table("<idle time (us)>", lambda number: format_time_us(number, raw=raw))
    if not snapshot.nr_regions:
        return table.empty()
    borders = _borders(idle, edges, is_log=is_log)
    return table.draw(idle, snapshot.sizes, borders, is_cumulated=is_cumulated, raw=raw)


def _borders(values: IntArray, edges: Sequence[int] | None, *, is_log: bool) -> list[int]:
    """Return the borders of the bins; each bin is ``[border, next border)``."""
    if edges is not None:
        if len(edges) < 2 or any(b <= a for a, b in pairwise(edges)):
            msg = f"{list(edges)} are no borders of bins; give two or more, ascending"
            raise InvalidError(msg)
        return list(edges)
    low, high = int(values.min()), int(values.max())
    if not is_log:
        # One more than a tenth, so that the highest value lies inside.
        width = (high - low) // NR_BINS + 1
        return [low + width * index for index in range(NR_BINS + 1)]
    # Ten bins that double reach nearly all of it; an eleventh takes the rest.
    width, borders = max(1, (high - low) // 2**NR_BINS), [low]
    while borders[-1] <= high:
        borders.append(borders[-1] + width)
        width *= 2
    return borders


class _Table:
    """
    A histogram as text.

    Args:
        title: Of the first column.

        print_value: Prints a border.
    """

    def __init__(self, title: str, print_value: Callable[[int], str]) -> None:
        self._title = f"{title} <total size>"
        self._print_value = print_value

    def empty(self) -> str:
        """Say that there is nothing to count."""
        # Under its title, as damo: otherwise nobody knows what is missing.
        return f"{self._title}\nno region in snapshot"

    def draw(
        self,
        values: IntArray,
        sizes: IntArray,
        borders: Sequence[int],
        *,
        is_cumulated: bool,
        raw: bool,
    ) -> str:
        """Count the bytes of each bin and draw a line for it."""
        # Bins are half-open: a value on a border belongs to the bin above.
        places = np.searchsorted(borders, values, side="right") - 1
        is_inside = (places >= 0) & (places < len(borders) - 1)
        counts = np.zeros(len(borders) - 1, dtype=np.int64)
        np.add.at(counts, places[is_inside], sizes[is_inside])
        if is_cumulated:
            counts = np.cumsum(counts)
        shown = [self._print_value(border) for border in borders]
        # A bin that contains all before it begins where the first one does.
        lows = [shown[0]] * len(counts) if is_cumulated else shown
        ranges = [f"[{low}, {high})" for low, high in zip(lows, shown[1:], strict=False)]
        return self._lines(ranges, counts.tolist(), raw=raw)

    def _lines(self, ranges: Sequence[str], counts: Sequence[int], *, raw: bool) -> str:
        texts = [format_size(count, raw=raw) for count in counts]
        left, right = max(map(len, ranges)), max(map(len, texts))
        low, high = min(counts), max(counts)
        lines = [
            f"{place:<{left}} {text:<{right}} |{_bar(count, low, high)}|"
            for place, text, count in zip(ranges, texts, counts, strict=True)
        ]
        return "\n".join([self._title, *lines])


def _bar(count: int, low: int, high: int) -> str:
    # Whole bytes per star, and rounded up: whatever exceeds the smallest bin gets
    # a star.
    per_star = max(1, (high - low) // BAR_WIDTH)
    stars = min(BAR_WIDTH, -(-(count - low) // per_star))
    return f"{'*' * stars:<{BAR_WIDTH}}"
