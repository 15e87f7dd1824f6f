"""
The baseline: the same monitor on plain Python objects, one region at a time.

Written as one would write it without arrays: a region is an object, a tick is
a loop, merging and splitting walk a list. It follows the same rules as the
package, so that both do the same work.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass

PAGE = 4096


@dataclass(slots=True)
class PlainRegion:
    """One region with its counters."""

    start: int
    end: int
    nr_accesses: int = 0
    last_nr_accesses: int = 0
    age: int = 0
    sampling_addr: int = 0


class PlainSpace:
    """Hot and cold blocks: ascending bounds, and whether each block is hot."""

    def __init__(self, bounds: list[int], hot: list[bool]) -> None:
        self.bounds = bounds
        self.hot = hot

    def accessed(self, address: int, since_us: int, until_us: int) -> bool:
        """Tell whether the page at *address* was touched in the interval."""
        block = bisect_right(self.bounds, address) - 1
        return 0 <= block < len(self.hot) and self.hot[block] and since_us < until_us


class PlainMonitor:
    """A monitor with 20 samples per aggregation over one target."""

    def __init__(self, space: PlainSpace, seed: int, min_nr: int = 10, max_nr: int = 1000) -> None:
        self.space = space
        self.random = random.Random(seed)  # noqa: S311 - a simulation
        self.min_nr, self.max_nr = min_nr, max_nr
        self.regions: list[PlainRegion] = []
        self.remembered = 0
        self.now_us = 0
        self.sz_limit = 1 << 62

    def cover(self, start: int, end: int) -> None:
        """Monitor ``[start, end)``, cut evenly into the least number of regions."""
        step = max(PAGE, (end - start) // self.min_nr // PAGE * PAGE)
        self.sz_limit = step
        while start < end:
            self.regions.append(PlainRegion(start, min(start + step, end)))
            start += step

    def tick(self, sample_us: int = 5000) -> None:
        """Sample every region once."""
        since = self.now_us
        for region in self.regions:
            region.sampling_addr = self.random.randrange(region.start, region.end)
        self.now_us = until = since + sample_us
        for region in self.regions:
            if self.space.accessed(region.sampling_addr, since, until):
                region.nr_accesses += 1

    def aggregate(self) -> list[tuple[int, int, int, int]]:
        """Twenty ticks, then merge, publish, reset and split."""
        for _ in range(20):
            self.tick()
        self.merge()
        published = [(r.start, r.end, r.nr_accesses, r.age) for r in self.regions]
        for region in self.regions:
            region.last_nr_accesses, region.nr_accesses = region.nr_accesses, 0
        self.split()
        return published

    def merge(self) -> None:
        """Age regions, then merge similar neighbours until few enough are left."""
        threshold = max((r.nr_accesses for r in self.regions), default=0) // 10
        for region in self.regions:
            new, last = region.nr_accesses, region.last_nr_accesses
            changed = abs(new - last) > threshold or (new == 0) != (last == 0)
            region.age = 0 if changed else region.age + 1
        while True:
            self.merge_once(threshold)
            if len(self.regions) <= self.max_nr or threshold >= 20:
                return
            threshold = max(1, 2 * threshold) if threshold < 10 else 20

    def merge_once(self, threshold: int) -> None:
        """Merge each region into its left neighbour where both are alike."""
        merged: list[PlainRegion] = []
        for region in self.regions:
            left = merged[-1] if merged else None
            if (
                left is not None
                and left.end == region.start
                and abs(left.nr_accesses - region.nr_accesses) <= threshold
                and region.end - left.start <= self.sz_limit
            ):
                a, b = left.end - left.start, region.end - region.start
                left.nr_accesses = (left.nr_accesses * a + region.nr_accesses * b) // (a + b)
                left.age = (left.age * a + region.age * b) // (a + b)
                left.end = region.end
            else:
                merged.append(region)
        self.regions = merged

    def split(self) -> None:
        """Cut every region at random, if that leaves few enough."""
        nr_regions = len(self.regions)
        pieces = 3 if nr_regions == self.remembered and nr_regions < self.max_nr // 3 else 2
        self.remembered = nr_regions
        if nr_regions > self.max_nr // 2:
            return
        split: list[PlainRegion] = []
        for region in self.regions:
            right: list[PlainRegion] = []
            for _ in range(pieces - 1):
                size = region.end - region.start
                cut = self.random.randint(1, 9) * size // 10 // PAGE * PAGE
                if size <= 2 * PAGE or not 0 < cut < size:
                    continue
                middle = region.start + cut
                piece = PlainRegion(
                    middle, region.end, region.nr_accesses, region.last_nr_accesses, region.age
                )
                region.end = middle
                right.append(piece)
            split.append(region)
            split.extend(reversed(right))
        self.regions = split
