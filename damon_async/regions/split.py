"""
Splitting: every region is cut at random, so that differences can show.

Also the two deterministic cuts: ``enforce_min_nr_regions`` and even pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, IntArray
from .table import END, START, RegionTable

SPLIT_TENTHS = 10
"""A region is cut after 1 to 9 tenths of its size."""

WIDE_SIZE = 2**59
"""Ten times a larger size leaves 63 bits; such ones are computed in plain integers."""


@dataclass(slots=True)
class SplitState:
    """
    What splitting remembers from one aggregation to the next.

    Attributes:
        remembered: Number of regions before the previous split.

        rotation: How many partial splits there were; picks whose turn it is.

    Source:
        spec core 5.5, P23: per context, where the kernel shares it among all.
    """

    remembered: int = 0
    rotation: int = 0


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """
    Which regions are to be cut, and into how many pieces at most.

    Attributes:
        pieces: 1 (nothing is cut), 2 or 3.

        step: Every *step*-th region has its turn.

        offset: Index of the first region that has.
    """

    pieces: int
    step: int = 1
    offset: int = 0

    @property
    def is_partial(self) -> bool:
        """Whether only some regions have their turn."""
        return self.step > 1


def plan_split(nr_regions: int, max_nr_regions: int, state: SplitState) -> SplitPlan:
    """
    Decide how to split, and remember it.

    Args:
        nr_regions: Regions after merging, over all targets.

        max_nr_regions: Upper bound the split must keep.

        state: Changed in place.

    Source:
        spec core 5.5 with partial split; example E12.
    """
    stalled = nr_regions == state.remembered
    # Also where nothing is split, so that a full table is no surprise next time.
    state.remembered = nr_regions
    if nr_regions >= max_nr_regions:
        return SplitPlan(1)
    if nr_regions > max_nr_regions // 2:
        # As many as there is room for: a step of max / room gives at most room.
        step = max_nr_regions // (max_nr_regions - nr_regions)
        offset = state.rotation % step
        # Another set of regions the next time, until each has had its turn.
        state.rotation += 1
        return SplitPlan(2, step, offset)
    # The number did not change since the last time: two pieces were not enough
    # to find a difference, so cut finer where there is room.
    return SplitPlan(3 if stalled and nr_regions < max_nr_regions // 3 else 2)


def split_regions(
    table: RegionTable,
    rng: np.random.Generator,
    state: SplitState,
    *,
    max_nr_regions: int,
    min_region_sz: int,
) -> None:
    """
    Cut regions at random points, as many as the bound allows; in place.

    Args:
        table: Regions whose counters were just reset.

        rng: Where the cut points come from.

        state: The context's memory of earlier splits.

        max_nr_regions: Upper bound on the number of regions.

        min_region_sz: Pieces are multiples of this, in bytes.

    Source:
        spec core 5.5, examples E9 to E12.
    """
    plan = plan_split(len(table), max_nr_regions, state)
    if plan.pieces == 1 or not len(table):
        return
    sizes = table.sizes
    # A partial split also cuts two pages in the middle; others leave them whole.
    if plan.is_partial:
        turn = np.zeros(len(table), np.bool_)
        turn[plan.offset :: plan.step] = True
        eligible = turn & (sizes >= 2 * min_region_sz)
    else:
        eligible = sizes > 2 * min_region_sz
    # 1 to 9; several times faster than drawing integers.
    tenths = (rng.random((plan.pieces - 1, len(table))) * (SPLIT_TENTHS - 1)).astype(np.int64) + 1
    cuts = cut_points(sizes, tenths[0], min_region_sz, eligible)
    if plan.pieces == 2:
        cut_regions(table, [cuts])
        return
    # The left piece is the one that is cut again, or the whole region if the
    # first attempt was lost.
    left = np.where(cuts > 0, cuts, sizes)
    again = cut_points(left, tenths[1], min_region_sz, left > 2 * min_region_sz)
    cut_regions(table, [again, cuts])


def cut_points(
    sizes: IntArray,
    tenths: IntArray,
    min_region_sz: int,
    eligible: BoolArray,
) -> IntArray:
    """
    Return after how many bytes each region is cut; 0 where it is not.

    Args:
        sizes: int64, shape (nr_regions,), in bytes.

        tenths: int64, shape (nr_regions,), 1 to 9: where the cut falls.

        min_region_sz: Cuts are multiples of this.

        eligible: bool, shape (nr_regions,): regions large enough to try.
    """
    # Not the method: twice as slow, and this is done at every aggregation.
    if np.maximum.reduce(sizes, initial=0) > WIDE_SIZE:
        sizes = sizes.astype(object)
    # Rounding down twice is rounding down once by the product.
    cuts = tenths * sizes // (SPLIT_TENTHS * min_region_sz) * min_region_sz
    # A cut of 0 is a lost attempt already; a cut is always left of the end.
    return (cuts * eligible).astype(np.int64, copy=False)


def cut_regions(table: RegionTable, cuts: list[IntArray]) -> None:
    """
    Cut regions at given offsets; every piece inherits all counters.

    Args:
        table: Changed in place.

        cuts: From left to right, each int64, shape (nr_regions,): bytes from
            the start of the region, 0 for no cut.
    """
    cells = table.cells
    # One row per region, one column per possible piece; a piece exists where
    # its offset is not 0, the leftmost one always.
    offsets = np.zeros((len(table), len(cuts) + 1), np.int64)
    for number, each in enumerate(cuts, start=1):
        offsets[:, number] = each
    exists = offsets > 0
    exists[:, 0] = True
    parents = exists.nonzero()[0]
    pieces = cells[:, parents]
    pieces[START] += offsets[exists]
    # A piece ends where the next piece of the same region begins.
    cut = parents[1:] == parents[:-1]
    np.copyto(pieces[END, :-1], pieces[START, 1:], where=cut)
    table.cells = pieces


def size_limit(total_bytes: int, min_nr_regions: int, min_region_sz: int) -> int:
    """
    Return the largest size of a region that leaves *min_nr_regions* of them.

    Source:
        spec core 5.1, example E8.
    """
    return max(min_region_sz, total_bytes // min_nr_regions)


def enforce_min_nr_regions(
    table: RegionTable,
    min_nr_regions: int,
    min_region_sz: int,
) -> int:
    """
    Cut every region that is too large for *min_nr_regions*; in place.

    Returns:
        The size limit used, a multiple of *min_region_sz*. Merging keeps to it.

    Source:
        spec core 5.2, example E8.
    """
    limit = size_limit(table.total_bytes, min_nr_regions, min_region_sz)
    # Rounded up: pieces of the limit must begin at multiples, as regions do.
    limit += -limit % min_region_sz
    sizes = table.sizes
    if not len(table) or sizes.max() <= limit:
        return limit
    nr_pieces = -(-sizes // limit)
    pieces = np.repeat(table.cells, nr_pieces, axis=1)
    last = np.cumsum(nr_pieces) - 1
    # Number of the piece within its region: 0, 1, 2 ... from the left.
    number = np.arange(pieces.shape[1]) - np.repeat(last + 1 - nr_pieces, nr_pieces)
    pieces[START] += number * limit
    ends = pieces[START] + limit
    # The last piece takes what is left, not more.
    ends[last] = table.end
    pieces[END] = ends
    table.cells = pieces
    return limit


def even_pieces(start: int, end: int, nr_pieces: int, min_region_sz: int) -> IntArray:
    """
    Cut a range into equal pieces; the last one takes the remainder.

    Returns:
        int64, shape (nr, 2). The whole range as one row if *nr_pieces* is 0 or
        if a piece would be smaller than *min_region_sz*.

    Source:
        spec core 5.7 and P28, example E15.
    """
    # Pieces are rounded down and the last one takes the rest, so that there are
    # never more than asked for (P28).
    piece = (end - start) // max(1, nr_pieces)
    piece -= piece % min_region_sz
    if nr_pieces == 0 or piece == 0:
        return np.array([[start, end]], np.int64)
    starts = start + piece * np.arange(nr_pieces, dtype=np.int64)
    return np.stack([starts, np.append(starts[1:], end)], axis=1)
