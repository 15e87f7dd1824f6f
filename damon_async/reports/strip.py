"""
One snapshot as one line of digits: how hot is which part of the address space.

Source:
    Output of damo 3.4.3. Differs: a region that follows a gap of exactly one
    column is drawn; damo loses it.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from ..records.snapshot import Snapshot
from .colors import RESET, ColorSet, digit, painted
from .rows import Weights, percents, temperatures
from .text import mean_size, truncated


class _Column(NamedTuple):
    heat: float | None
    gap: str = ""


class _Part(NamedTuple):
    start: int
    end: int
    heat: float
    sign: int


def strip_text(
    snapshot: Snapshot,
    weights: Weights,
    *,
    width: int = 80,
    colors: ColorSet | None = None,
    raw: bool = False,
) -> str:
    """
    Draw the temperatures of a snapshot.

    Args:
        snapshot: Of one target, in the order of addresses.

        weights: Of temperatures.

        width: Into how many columns the size of all regions is divided. Gaps
            come on top of that, large ones as ``[...]``.

        colors: None for plain text.

        raw: Print plain numbers.

    Returns:
        Two lines: the digits, and what they mean.
    """
    total = int(snapshot.sizes.sum())
    if not total:
        return "n/a (no region)"
    # Not whole bytes: the columns of all regions together are exactly *width*.
    column_size = total / width
    columns = _columns(snapshot, weights, column_size)
    heats = [column.heat for column in columns if column.heat is not None]
    low, high = min(heats), max(heats)
    # Where all is equal any unit will do: every digit is 0.
    unit = (high - low) / 9 or 1
    digits = "".join(
        gap if heat is None else _painted(int((heat - low) / unit), colors) for heat, gap in columns
    )
    bounds = f"{truncated(low, raw=raw)}, {truncated(high, raw=raw)}"
    size = mean_size(column_size, raw=raw)
    return f"{digits}\n# min/max temperatures: {bounds}, column size: {size}"


def _painted(level: int, colors: ColorSet | None) -> str:
    return digit(level) if colors is None else painted(level, digit(level), colors) + RESET


def _columns(snapshot: Snapshot, weights: Weights, column_size: float) -> list[_Column]:
    """Walk over the addresses column by column, leaping over gaps."""
    parts = _parts(snapshot, weights)
    columns: list[_Column] = []
    at, end, first = float(parts[0].start), parts[-1].end, 0
    while at < end:
        # Summed up, not multiplied, so that rounding falls as with damo.
        after = at + column_size
        while first < len(parts) - 1 and parts[first].end <= at:
            first += 1
        if parts[first].start < after:
            columns.append(_Column(_mean(parts, first, at, after, weights.size)))
            at = after
            continue
        # Behind a gap the columns lie on multiples of their size.
        leap = parts[first].start // column_size * column_size
        width = (leap - at) / column_size
        # The mark has five characters, so that shorter gaps are drawn as they
        # are.
        columns.append(_Column(None, "[...]" if width > 4 else "." * int(width)))
        # Rounding must not make it stand still.
        at = leap if leap > at else after
    return columns


def _parts(snapshot: Snapshot, weights: Weights) -> list[_Part]:
    # The end mark of a trace is a region without bytes.
    snapshot = snapshot.take(snapshot.sizes > 0)
    # How much of a region lies in a column is weighed there, not its whole size.
    heats = temperatures(snapshot, weights._replace(size=0)).tolist()
    signs = np.where(percents(snapshot) == 0, -1, 1).tolist()
    return list(map(_Part, snapshot.start.tolist(), snapshot.end.tolist(), heats, signs))


def _mean(parts: list[_Part], first: int, at: float, after: float, size_weight: float) -> float:
    """Average the heat of what lies in a column; what is not mapped counts 0."""
    heat = 0.0
    for part in itertools.islice(parts, first, None):
        if part.start >= after:
            break
        overlap = min(part.end, after) - max(part.start, at)
        # spec damo 5: what is idle is the colder the larger it is, so its size
        # is negated as well.
        own = part.heat + part.sign * size_weight * overlap
        heat += own * overlap
    return heat / (after - at)
