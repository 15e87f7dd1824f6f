"""
One scheme over plain objects, region after region, exactly as the words say.

Written from spec core 7.2 to 7.5 and 7.7 with a list of objects and no arrays,
so that it shares nothing with the package but what it must agree with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace


@dataclass
class Region:
    """A region with its counters; addresses are in units."""

    target: int
    start: int
    end: int
    freq: int
    age: int

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass
class AddressRule:
    """Allow or reject memory in a range, or all other memory."""

    start: int
    end: int
    matching: bool
    allow: bool

    def split(self, r: Region) -> tuple[bool, int]:
        """Tell if the first part of *r* is of the type, and where that part ends."""
        if self.start <= r.start and r.end <= self.end:
            return True, r.end
        if r.end <= self.start or self.end <= r.start:
            return False, r.end
        if r.start < self.start:
            return False, self.start
        return True, self.end


@dataclass
class TargetRule:
    """Allow or reject memory of a target, or of all others."""

    target: int
    matching: bool
    allow: bool

    def split(self, r: Region) -> tuple[bool, int]:
        """Tell if *r* is of the type; it is so as a whole."""
        return r.target == self.target, r.end


@dataclass
class PlainScheme:
    """One scheme with a size quota, in units of memory and windows of one walk each."""

    sizes: tuple[int, int]
    freqs: tuple[int, int]
    ages: tuple[int, int]
    rules: list[AddressRule | TargetRule]
    has_ops_filters: bool
    esz: int | None
    fail: tuple[int, int]
    weights: tuple[int, int] | None
    """Of frequency and age, for an action that prefers cold memory; None if unordered."""

    act: Callable[[int, int], int]
    """Given start and end, returns how many units it could do."""

    unit: int
    """Bytes per unit: failed charges are counted in bytes."""

    max_nr_accesses: int = 20
    aggr_us: int = 100_000
    charged: int = 0
    charge_target: int | None = None
    charge_addr: int = 0
    min_score: int = 0
    served: list[tuple[int, int, int, bool]] = field(default_factory=list)
    nr_tried: int = 0
    sz_tried: int = 0
    nr_applied: int = 0
    sz_applied: int = 0
    qt_exceeds: int = 0
    nr_snapshots: int = 0

    @property
    def is_full(self) -> bool:
        return self.esz is not None and self.esz * self.unit - self.charged < self.unit

    def matches(self, r: Region) -> bool:
        return (
            self.sizes[0] <= r.size <= self.sizes[1]
            and self.freqs[0] <= r.freq <= self.freqs[1]
            and self.ages[0] <= r.age <= self.ages[1]
        )

    # -- Scores --------------------------------------------------------------

    def cold(self, r: Region) -> int:
        """Return what paging out *r* is worth."""
        of_freq, of_age = self.weights or (0, 0)
        percent = r.freq * 100 // self.max_nr_accesses
        digits = min(32, (r.age * self.aggr_us // 1_000_000).bit_length())
        if percent == 0:
            digits = -digits
        heat = of_freq * percent + of_age * ((digits + 32) * 100 // 64)
        heat //= of_freq + of_age
        return 99 - max(0, min(99, heat * 99 // 100))

    def rank(self, regions: list[Region]) -> None:
        """Set the least score that is served."""
        self.min_score = 0
        if self.weights is None or self.esz is None:
            return
        histogram = [0] * 100
        for r in regions:
            if self.matches(r):
                for start, end, verdict in self.parts(r):
                    histogram[self.cold(r)] += (end - start) * (verdict is not False)
        served, score = 0, 99
        while score > 0:
            served += histogram[score]
            if served >= self.esz:
                break
            score -= 1
        self.min_score = score

    def parts(self, r: Region) -> Iterator[tuple[int, int, bool | None]]:
        """Yield what filters make of *r* piece by piece, as walking it would."""
        rest = replace(r)
        while True:
            end, verdict = self.filtered(rest)
            yield rest.start, end, verdict
            if end == rest.end:
                return
            rest.start = end
            if not self.matches(rest):
                return

    def filtered(self, r: Region) -> tuple[int, bool | None]:
        """
        Return where the first piece ends, and what becomes of it.

        True if a rule allows it, False if it is rejected, None if nobody cares.
        """
        r = replace(r)
        for rule in self.rules:
            is_of_type, r.end = rule.split(r)
            if is_of_type == rule.matching:
                return r.end, rule.allow
        is_open = not self.rules or self.has_ops_filters or not self.rules[-1].allow
        return r.end, None if is_open else False

    # -- Walking -------------------------------------------------------------

    def window(self, regions: list[Region]) -> None:
        """Begin a charge window, and walk all regions once."""
        self.qt_exceeds += self.is_full and self.nr_windows > 0
        self.nr_windows += 1
        self.charged = 0
        self.rank(regions)
        self.walk(regions)

    nr_windows: int = 0

    def walk(self, regions: list[Region]) -> None:
        """Walk all regions; cuts insert the right part behind the left one."""
        index = 0
        was_full = False
        while index < len(regions):
            r = regions[index]
            was_full = self.is_full
            if not was_full:
                is_served_before = self.skip(regions, index)
                is_last = index + 1 == len(regions) or regions[index + 1].target != r.target
                if self.charge_target == r.target and is_last:
                    self.charge_target, self.charge_addr = None, 0
                if not is_served_before:
                    self.visit(regions, index)
            index += 1
        self.nr_snapshots += bool(regions) and not was_full

    def skip(self, regions: list[Region], index: int) -> bool:
        """Tell whether a region was served in an earlier window; cut it if a part was."""
        r = regions[index]
        if self.charge_target is None:
            return False
        if r.target != self.charge_target:
            return True
        if r.end <= self.charge_addr:
            return True
        if r.start < self.charge_addr:
            self.cut(regions, index, self.charge_addr)
            return True
        return False

    def visit(self, regions: list[Region], index: int) -> None:
        """Act on a region if the pattern matches, and on as much as filters and quota let."""
        r = regions[index]
        if not self.matches(r) or (self.min_score and self.cold(r) < self.min_score):
            return
        end, verdict = self.filtered(r)
        if end < r.end:
            self.cut(regions, index, end)
        if verdict is False:
            return
        if self.esz is not None:
            left = (self.esz * self.unit - self.charged) // self.unit
            if r.size > left:
                self.cut(regions, index, r.start + left)
        self.apply(r, bypass=verdict is True)

    def apply(self, r: Region, *, bypass: bool) -> None:
        done = self.act(r.start, r.end)
        self.served.append((r.target, r.start, r.end, bypass))
        self.nr_tried += 1
        self.sz_tried += r.size
        self.nr_applied += done > 0
        self.sz_applied += done
        num, denom = self.fail
        size, done = r.size * self.unit, done * self.unit
        if not denom or done > size:
            self.charged += size
        else:
            self.charged += done + (size - done) * num // denom
        if self.is_full:
            self.charge_target, self.charge_addr = r.target, r.end
        r.age = 0

    @staticmethod
    def cut(regions: list[Region], index: int, address: int) -> None:
        """Cut a region in two; it keeps its left part."""
        r = regions[index]
        regions.insert(index + 1, replace(r, start=address))
        r.end = address
