"""Virtual address spaces: three big regions, found from what is mapped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import IntArray
from ..params.monitoring import Target
from ..spaces.space import Mapping
from .spaces import SpaceOperations, space_of

NR_GAPS = 2
"""Between heap, mmap area and stack; they dwarf every other unmapped range."""


class Vaddr(SpaceOperations):
    """
    The operations set of a process: follows its mappings.

    Source:
        spec core 5.7 and 6.
    """

    __slots__ = ()

    @property
    def has_fixed_ranges(self) -> bool:
        """False: regions follow the mappings."""
        return False

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray | None:
        """Return the three big ranges that hold every mapping, None if there are not three."""
        return three_ranges(space_of(target).mappings(now_us), min_region_sz)


def three_ranges(mappings: Sequence[Mapping], min_region_sz: int) -> IntArray | None:
    """
    Return what is left of the mapped span without its two largest gaps.

    Args:
        mappings: Ascending and not overlapping.

        min_region_sz: Bounds are rounded up to multiples of this, in bytes.

    Returns:
        int64, shape (3, 2), ascending ``[start, end)``; None if there are fewer
        than two gaps, or if rounding leaves one of the ranges empty.

    Source:
        spec core 5.7, example E13.
    """
    # Two mappings have one gap between them.
    if len(mappings) <= NR_GAPS:
        return None
    starts = np.array([mapping.start for mapping in mappings], np.int64)
    ends = np.array([mapping.end for mapping in mappings], np.int64)
    gaps = starts[1:] - ends[:-1]
    # A stable sort keeps the lower one of two equal gaps in front.
    largest = np.sort(np.argsort(-gaps, kind="stable")[:NR_GAPS])
    # Mappings that touch have no gap; the kernel refuses with EINVAL.
    if not gaps[largest].all():
        return None
    lows = np.append(starts[0], starts[largest + 1])
    highs = np.append(ends[largest], ends[-1])
    ranges: IntArray = np.stack([lows, highs], axis=1)
    ranges += -ranges % min_region_sz
    # A range that lies within one unit rounds to nothing.
    return ranges if (ranges[:, 0] < ranges[:, 1]).all() else None
