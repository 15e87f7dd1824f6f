"""
The rules of the regions on plain objects, written from the specification alone.

One region is one object and every rule is a loop over a list: slow, and easy to
compare with the text it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from damon_async.regions.table import RegionTable

Range = tuple[int, int]


@dataclass
class Plain:
    """One region."""

    target: int
    start: int
    end: int
    nr_accesses: int = 0
    last_nr_accesses: int = 0
    age: int = 0

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.end - self.start


def plain_of(table: RegionTable) -> list[Plain]:
    """Return the regions of a table as objects."""
    return [Plain(*cells) for cells in table.cells.T.tolist()]


def update_ages(regions: Sequence[Plain], threshold: int) -> None:
    """Follow spec core 5.3 step 1."""
    for r in regions:
        is_like = abs(r.nr_accesses - r.last_nr_accesses) <= threshold
        is_as_zero = (r.nr_accesses == 0) == (r.last_nr_accesses == 0)
        r.age = r.age + 1 if is_like and is_as_zero else 0


def absorb(left: Plain, right: Plain) -> None:
    """Follow spec core 5.3, Absorb."""
    size = left.size + right.size
    left.nr_accesses = (left.nr_accesses * left.size + right.nr_accesses * right.size) // size
    left.age = (left.age * left.size + right.age * right.size) // size
    left.end = right.end


def merge_pass(regions: Sequence[Plain], threshold: int, sz_limit: int) -> list[Plain]:
    """Follow spec core 5.3 step 2."""
    merged: list[Plain] = []
    for r in regions:
        previous = merged[-1] if merged else None
        if (
            previous is not None
            and previous.target == r.target
            and previous.end == r.start
            and abs(previous.nr_accesses - r.nr_accesses) <= threshold
            and previous.size + r.size <= sz_limit
        ):
            absorb(previous, r)
        else:
            merged.append(replace(r))
    return merged


def merge(
    regions: Sequence[Plain], max_nr_accesses: int, max_nr_regions: int, sz_limit: int
) -> list[Plain]:
    """Follow all of spec core 5.3."""
    threshold = max((r.nr_accesses for r in regions), default=0) // 10
    aged = [replace(r) for r in regions]
    update_ages(aged, threshold)
    merged = merge_pass(aged, threshold, sz_limit)
    while len(merged) > max_nr_regions and threshold < max_nr_accesses:
        half = max_nr_accesses // 2
        threshold = max(1, 2 * threshold) if threshold < half else max_nr_accesses
        merged = merge_pass(merged, threshold, sz_limit)
    return merged


def enforce(regions: Sequence[Plain], min_nr_regions: int, unit: int) -> list[Plain]:
    """Follow spec core 5.1 and 5.2."""
    limit = max(unit, sum(r.size for r in regions) // min_nr_regions)
    while limit % unit:
        limit += 1
    pieces: list[Plain] = []
    for r in regions:
        start = r.start
        while r.end - start > limit:
            pieces.append(replace(r, start=start, end=start + limit))
            start += limit
        pieces.append(replace(r, start=start))
    return pieces


def cut_point(size: int, tenths: int, unit: int) -> int | None:
    """Follow spec core 5.5 for one attempt; None if it is lost."""
    cut = tenths * size // 10 // unit * unit
    return None if cut == 0 or cut >= size else cut


def split_outcomes(size: int, nr_pieces: int, unit: int) -> set[tuple[int, ...]]:
    """List the sizes of all the pieces that splitting one region may make."""
    if nr_pieces == 1 or size <= 2 * unit:
        return {(size,)}
    outcomes: set[tuple[int, ...]] = set()
    for tenths in range(1, 10):
        cut = cut_point(size, tenths, unit)
        if cut is None:
            outcomes |= split_outcomes(size, nr_pieces - 1, unit)
        else:
            rest = split_outcomes(cut, nr_pieces - 1, unit)
            outcomes |= {(*pieces, size - cut) for pieces in rest}
    return outcomes


def set_regions(regions: Sequence[Plain], ranges: Sequence[Range], unit: int) -> list[Plain]:
    """Follow spec core 5.6 for one target whose ranges are known to be good."""
    target = regions[0].target if regions else 0
    kept = [replace(r) for r in regions if any(_meet(r, each) for each in ranges)]
    if not kept:
        return [Plain(target, *_rounded(each, unit)) for each in ranges]
    result: list[Plain] = []
    reached = 0
    for each in ranges:
        start, end = _rounded(each, unit)
        inside = [i for i in range(reached, len(kept)) if _meet(kept[i], each)]
        if not inside:
            result.append(Plain(target, start, end))
            continue
        mine = kept[inside[0] : inside[-1] + 1]
        reached = inside[-1] + 1
        mine[0].start, mine[-1].end = start, end
        result += _without_holes(mine)
    return result


def _meet(region: Plain, each: Range) -> bool:
    return region.start < each[1] and each[0] < region.end


def _rounded(each: Range, unit: int) -> Range:
    return each[0] // unit * unit, (each[1] + unit - 1) // unit * unit


def _without_holes(regions: Sequence[Plain]) -> Iterator[Plain]:
    for i, r in enumerate(regions):
        if i and regions[i - 1].end < r.start:
            yield Plain(r.target, regions[i - 1].end, r.start)
        yield r
