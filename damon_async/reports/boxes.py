"""
Regions as boxes of digits: length, colour and height each tell one property.

Source:
    Output of damo 3.4.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from ..arrays import IntArray
from ..errors import InvalidError
from ..records.snapshot import Snapshot
from ..units import format_percent, format_size, format_time_us
from .colors import RESET, ColorSet, legend, painted
from .rows import ages_us, percents


class BoxValue(StrEnum):
    """What a dimension of a box can tell."""

    SIZE = "size"
    """Bytes of the region."""

    ACCESS_RATE = "access_rate"
    """Percent of its samples found accessed."""

    AGE = "age"
    """How long it has been accessed as it is."""

    NONE = "none"
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What one dimension of a box tells, and how."""

    value: BoxValue
    """What it tells."""

    low: int = 0
    """Columns, level or rows of the smallest value."""

    high: int = 9
    """Columns, level or rows of the largest value."""

    is_log: bool = False
    """Whether it grows with the logarithm."""


@dataclass(frozen=True, slots=True)
class BoxShape:
    """How regions are drawn as boxes."""

    length: Dimension = Dimension(BoxValue.AGE, 1, 30, is_log=True)
    """Columns of the box."""

    color: Dimension = Dimension(BoxValue.ACCESS_RATE)
    """Digit that fills the box, and its colour."""

    height: Dimension = Dimension(BoxValue.SIZE, 1, 5, is_log=True)
    """Rows of the box."""

    is_right_aligned: bool = False
    """Whether boxes end in the same column, instead of beginning there."""


class Boxes:
    """
    Draws the regions of a record; what is small and large is decided over all of it.

    Args:
        shape: How.

        snapshots: All that will be drawn.

        colors: None for plain text.
    """

    def __init__(
        self, shape: BoxShape, snapshots: Iterable[Snapshot], colors: ColorSet | None = None
    ) -> None:
        self._shape = shape
        self._colors = colors
        # Kept, because bounds are looked for later, and an iterator may have
        # ended by then.
        self._snapshots = tuple(snapshots)

    @cached_property
    def _bounds(self) -> dict[BoxValue, tuple[float, float]]:
        # Only now, because most reports have no boxes.
        shape = self._shape
        # Over all snapshots, so that boxes of one can be compared with those of
        # another.
        kinds = [each.value for each in (shape.length, shape.color, shape.height)]
        return _bounds(kinds, self._snapshots)

    def draw(self, snapshot: Snapshot) -> list[str]:
        """
        Draw one box per region.

        Returns:
            Several lines each, if boxes have a height.
        """
        shape = self._shape
        lengths, levels, heights = (
            self._scaled(each, snapshot) for each in (shape.length, shape.color, shape.height)
        )
        return [
            self._box(length, level, height)
            for length, level, height in zip(lengths, levels, heights, strict=True)
        ]

    def description(self, *, raw: bool = False) -> str:
        """Say what length, colour and height mean."""
        shape = self._shape
        return "\n".join(
            [
                self._sentence("length", shape.length, "columns", raw),
                self._sentence("color", shape.color, f"number and color ({self.legend()})", raw),
                self._sentence("height", shape.height, "rows", raw),
            ]
        )

    def legend(self) -> str:
        """Print the ten digits in their colours."""
        return legend(self._colors)

    def _box(self, length: int, level: int, height: int) -> str:
        digits = str(level) * length
        if self._colors is not None:
            digits = painted(level, digits, self._colors) + RESET
        row = f"|{digits}|"
        # Only flat boxes share their line with a text, and have to line up.
        if self._shape.height.value is BoxValue.NONE:
            indent = self._shape.length.high - length if self._shape.is_right_aligned else 0
            return " " * indent + row
        return f"{row}\n" * height

    def _scaled(self, dimension: Dimension, snapshot: Snapshot) -> list[int]:
        values = _values(dimension.value, snapshot).tolist()
        low, high = self._bounds[dimension.value]
        # Here and not in the bounds, which are also told as they are.
        if dimension.is_log:
            low, high = _log(low), _log(high)
            values = [_log(value) for value in values]
        # Equal values are as short as can be, rather than as long.
        if high == low:
            return [dimension.low] * len(values)
        room = dimension.high - dimension.low
        # Cut off: only the largest value reaches the upper end.
        return [int((value - low) / (high - low) * room) + dimension.low for value in values]

    def _sentence(self, name: str, dimension: Dimension, unit: str, raw: bool) -> str:
        low, high = (_print(dimension.value, each, raw) for each in self._bounds[dimension.value])
        scale = "log" if dimension.is_log else "linear"
        # damo has a blank too many here, and nobody should stumble over a missing one.
        gap = "  " if name == "length" else " "
        return (
            f"# {name}: {dimension.value} (represents [{low}, {high}]{gap}with "
            f"[{dimension.low}, {dimension.high}] {unit} in {scale}scale)"
        )


def _bounds(
    kinds: Sequence[BoxValue], snapshots: Iterable[Snapshot]
) -> dict[BoxValue, tuple[float, float]]:
    columns: dict[BoxValue, list[IntArray]] = {kind: [] for kind in kinds}
    for snapshot in snapshots:
        for kind, values in columns.items():
            values.append(_values(kind, snapshot))
    return {kind: _extremes(values) for kind, values in columns.items()}


def _extremes(columns: Sequence[IntArray]) -> tuple[float, float]:
    filled = [each for each in columns if len(each)]
    if not filled:
        return 0, 0
    return min(int(each.min()) for each in filled), max(int(each.max()) for each in filled)


def _values(kind: BoxValue, snapshot: Snapshot) -> IntArray:
    if kind is BoxValue.SIZE:
        return snapshot.sizes
    if kind is BoxValue.ACCESS_RATE:
        return percents(snapshot)
    if kind is BoxValue.AGE:
        return ages_us(snapshot)
    # Nothing is told: all values are equal, and the dimension stays at its low
    # end.
    return np.zeros(snapshot.nr_regions, dtype=np.int64)


def _log(value: float) -> float:
    # An age of zero must be drawn; next to microseconds, zero is as good as one.
    return math.log(value) if value > 0 else 0.0


def _print(kind: BoxValue, value: float, raw: bool) -> str:
    number = int(value)
    if kind is BoxValue.SIZE:
        return format_size(number, raw=raw)
    if kind is BoxValue.ACCESS_RATE:
        return format_percent(number, raw=raw)
    if kind is BoxValue.AGE:
        return format_time_us(number, raw=raw)
    msg = f"a box cannot tell {kind}"
    raise InvalidError(msg)
