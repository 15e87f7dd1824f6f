"""The filters that decide about whole regions: addresses and targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..params.filters import Filter, default_allows

REJECTED: Final = 0
"""The scheme does not touch the memory."""

PASSED: Final = 1
"""The back end's filters have the last word."""

ALLOWED: Final = 2
"""The memory is taken, whatever the back end's filters say."""


class Piece(NamedTuple):
    """A part of a region that filters treat alike."""

    start: int
    """First byte."""

    end: int
    """One past the last byte."""

    verdict: int
    """What becomes of it."""


class _Rule(NamedTuple):
    """One filter, in units of regions."""

    target: int | None
    """Index of the target it is about; None if it is about addresses."""

    start: int
    """First byte of the range."""

    end: int
    """One past the last byte of the range."""

    matching: bool
    """Whether memory of the type is meant; if not, all other memory."""

    verdict: int
    """What becomes of the memory that is meant."""

    def applied_to(self, target: int, start: int, end: int) -> tuple[bool, int]:
        """Tell whether the first part of a region is of the type, and where that part ends."""
        if self.target is not None:
            return target == self.target, end
        if self.start <= start and end <= self.end:
            return True, end
        if end <= self.start or self.end <= start:
            return False, end
        return (False, self.start) if start < self.start else (True, self.end)


class CoreFilters:
    """
    The filters of a scheme that are decided per region.

    Args:
        filters: All filters of the scheme; those about pages only matter for
            the default.

        min_region_sz: Bounds of ranges are rounded down to multiples of this,
            because regions cannot be cut anywhere else.

    Source:
        spec core 7.7, examples E39 and E40.
    """

    __slots__ = ("_bounds", "_default", "_rules")

    def __init__(self, filters: Sequence[Filter], min_region_sz: int) -> None:
        # Types that only pages have never hit here (spec core 7.7).
        core = [each for each in filters if each.filter_type.is_core]
        self._rules = [_rule(each, min_region_sz) for each in core]
        # With other filters behind it, this list only sorts out.
        is_open = default_allows(core) or len(core) < len(filters)
        self._default = PASSED if is_open else REJECTED
        # Where regions may have to be cut; a bound inside of none costs one search.
        ends = [end for rule in self._rules if rule.target is None for end in rule[1:3]]
        self._bounds = np.array(sorted(set(ends)), np.int64)

    def __bool__(self) -> bool:
        """Whether there is anything to decide."""
        return bool(self._rules)

    def straddling(self, starts: IntArray, ends: IntArray) -> BoolArray:
        """Tell for each region whether a bound of a range lies inside of it."""
        # Bounds on the edge of a region cut nothing off, hence the two sides.
        low = np.searchsorted(self._bounds, starts, side="right")
        mask: BoolArray = low < np.searchsorted(self._bounds, ends, side="left")
        return mask

    def verdicts(self, targets: IntArray, starts: IntArray, ends: IntArray) -> IntArray:
        """
        Return what becomes of regions that are inside or outside of every range.

        Args:
            targets: int64, shape (nr_regions,): index of the target.

            starts: int64, same shape: first byte.

            ends: int64, same shape: one past the last byte.

        Returns:
            int64, same shape: ``REJECTED``, ``PASSED`` or ``ALLOWED``.
        """
        verdicts = np.full(len(starts), self._default, np.int64)
        is_open = np.ones(len(starts), np.bool_)
        for rule in self._rules:
            if rule.target is None:
                is_of_type = (rule.start <= starts) & (ends <= rule.end)
            else:
                is_of_type = targets == rule.target
            # The first hit decides.
            hits = is_open & (is_of_type == rule.matching)
            verdicts[hits] = rule.verdict
            is_open &= ~hits
        return verdicts

    def pieces(
        self, target: int, start: int, end: int, is_wanted: Callable[[int], bool]
    ) -> Iterator[Piece]:
        """
        Cut a region where filters stop treating it alike.

        Args:
            target: Index of its target.

            start: First byte.

            end: One past the last byte.

            is_wanted: Whether a region of some size matches the pattern. What
                remains behind a cut is a region of its own, and must match by
                itself.

        Yields:
            Pieces that cover the region, from left to right.
        """
        # The first piece needs no look: the region as a whole has matched.
        yield (piece := self._first_piece(target, start, end))
        while piece.end < end:
            if not is_wanted(end - piece.end):
                yield Piece(piece.end, end, REJECTED)
                return
            yield (piece := self._first_piece(target, piece.end, end))

    def _first_piece(self, target: int, start: int, end: int) -> Piece:
        for rule in self._rules:
            # Later rules see what earlier ones have left of the region.
            is_of_type, end = rule.applied_to(target, start, end)
            if is_of_type == rule.matching:
                return Piece(start, end, rule.verdict)
        return Piece(start, end, self._default)


def _rule(each: Filter, unit: int) -> _Rule:
    verdict = ALLOWED if each.allow else REJECTED
    if each.address_range is None:
        return _Rule(each.damon_target_idx, 0, 0, each.matching, verdict)
    # Down at both ends, as in the kernel: a range of less than a unit is empty.
    start, end = each.address_range.start, each.address_range.end
    return _Rule(None, start - start % unit, end - end % unit, each.matching, verdict)
