"""
Numbers, one per snapshot, told as percentiles with bars.

Source:
    Output of damo 3.4.3; spec damo 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..errors import InvalidError

DEFAULT_RANGE: Final = (0, 101, 25)
"""First percentile, where to stop, and the step."""


class SortBy(StrEnum):
    """In which order the numbers are when percentiles are taken."""

    SIZE = "size"
    """Ascending: percentiles as usual."""

    TIME = "time"
    """As they were recorded: percentiles are moments."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Numbers in the order in which percentiles are taken."""

    label: str
    """Whose numbers, e.g. the target."""

    values: Sequence[int]
    """One per snapshot."""

    @property
    def mean(self) -> int:
        """The average, cut off to a whole number; 0 of nothing."""
        # Cut off and not rounded, as damo does.
        return int(sum(self.values) / len(self.values)) if self.values else 0

    def at(self, percentile: float) -> int:
        """
        Return the number at a percentile.

        Raises:
            InvalidError: If it is not between 0 and 100, or there are no numbers.
        """
        if not 0 <= percentile <= 100 or not self.values:
            msg = f"there is no percentile {percentile} of {len(self.values)} snapshots"
            raise InvalidError(msg)
        # spec damo 5: int(p / 100 x n), and the last one for 100.
        # An element, never a mean of two: what is told has occurred.
        return self.values[min(int(percentile / 100 * len(self.values)), len(self.values) - 1)]


def in_order(values: Sequence[int], order: SortBy) -> Sequence[int]:
    """Put numbers of ascending time into the order in which percentiles are taken."""
    return sorted(values) if order is SortBy.SIZE else values


def percentile_lines(
    distribution: Distribution,
    percentiles: Sequence[int],
    print_value: Callable[[int], str],
    *,
    nr_cols_bar: int,
) -> list[str]:
    """
    Tell the numbers at percentiles.

    Args:
        distribution: Of which numbers.

        percentiles: From 0 to 100.

        print_value: Prints a number.

        nr_cols_bar: Width of the bars; 0 draws none.
    """
    if not distribution.values:
        # In damo's words, for scripts may look for them (spec damo 8.5).
        return ["# no snapshot"]
    chosen = [distribution.at(each) for each in percentiles]
    bars = _bars(chosen, nr_cols_bar)
    return [
        f"# avr:\t{print_value(distribution.mean)}",
        *(
            f"{percentile:>3} {print_value(value):>15}{bar}"
            for percentile, value, bar in zip(percentiles, chosen, bars, strict=True)
        ),
    ]


def percentile_range(numbers: Sequence[int]) -> range:
    """
    Read which percentiles are wanted.

    Args:
        numbers: The first, where to stop, and the step.

    Raises:
        InvalidError: If any would be below 0 or above 100, or there would be none.
    """
    start, stop, step = numbers
    wanted = range(start, stop, step) if step else range(0)
    if not wanted or not 0 <= min(wanted) <= max(wanted) <= 100:
        msg = f"{start} {stop} {step} are no percentiles; give START STOP STEP, such as 0 101 25"
        raise InvalidError(msg)
    return wanted


def _bars(values: Sequence[int], width: int) -> list[str]:
    if width <= 0:
        return ["" for _ in values]
    # Divided like this, the largest can miss its last star, as with damo.
    per_star = max(values) / width
    lengths = [int(value / per_star) if per_star else 0 for value in values]
    return [f" |{'*' * length:<{width}}|" for length in lengths]
