"""Counts of single pages put together to the truth of a whole range."""

from __future__ import annotations

import numpy as np

from ..arrays import IntArray
from .space import Truth


def truth_of_ranges(
    starts: IntArray,
    ends: IntArray,
    counts: IntArray,
    bounds: tuple[int, int],
    nr_intervals: int,
) -> Truth:
    """
    Cover a range with runs, given what of it was touched.

    Args:
        starts: int64, shape (nr_ranges,), ascending addresses in bytes.

        ends: int64, shape (nr_ranges,), one past the last byte of each; ranges
            do not overlap.

        counts: int64, shape (nr_ranges,), touched intervals of each.

        bounds: First byte and one past the last of what is asked for.

        nr_intervals: How many intervals were looked at.

    Returns:
        Runs over exactly *bounds*; what no range covers counts 0.
    """
    low, high = bounds
    # Ranges outside of the bounds become empty here.
    starts, ends = np.clip(starts, low, high), np.clip(ends, low, high)
    seen = (starts < ends) & (counts > 0)
    starts, ends, counts = starts[seen], ends[seen], counts[seen]
    # Every range says what begins at its start, and that nothing is known to be
    # touched from its end on, unless another range begins there: it comes later
    # in the list, and of equal places the last word counts.
    nothing = np.zeros_like(counts)
    places = np.concatenate(([low], ends, starts))
    values = np.concatenate(([0], nothing, counts))
    order = np.argsort(places, kind="stable")
    places, values = places[order], values[order]
    is_last = np.append(places[1:] > places[:-1], [True]) & (places < high)
    places, values = places[is_last], values[is_last]
    # Callers compare runs with regions: fewer are faster.
    differs = np.append([True], values[1:] != values[:-1])[: len(values)]
    return Truth(np.append(places[differs], max(low, high)), values[differs], nr_intervals)
