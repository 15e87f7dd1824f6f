"""Filters that look at single pages of a machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import BoolArray, IntArray
from ..params.filters import Filter, default_allows
from ..params.keywords import FilterType
from .machine import Machine
from .pages import HUGE, PAGE, Bit, Frames

REJECT_YOUNG = Filter(FilterType.YOUNG, matching=True, allow=False)
"""What paddr's pageout adds unless the scheme says something about young pages."""


class PageFilters:
    """
    Decides about pages of a machine, filter by filter.

    Args:
        machine: Whose pages.

    Source:
        spec core 7.7: the first filter that hits decides; a page that was found
        young is marked old.
    """

    __slots__ = ("_machine", "_old_since_ms")

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        # When each page was last marked old. Made when first needed: it is
        # larger than all else that is known of a page.
        self._old_since_ms: IntArray | None = None

    def passing(self, frames: Frames, filters: Sequence[Filter], now_us: int) -> BoolArray:
        """
        Tell which pages of a range are in memory and pass *filters*.

        Returns:
            bool, shape (nr_frames,).
        """
        if _begins_with_young(filters):
            # In front of all others it decides about what they let pass, too; and
            # few pages are left by then of those whose truth has to be asked for.
            passing = self._passing(frames, filters[1:], now_us)
            return passing & ~self._young(frames, passing, now_us)
        return self._passing(frames, filters, now_us)

    def _passing(self, frames: Frames, filters: Sequence[Filter], now_us: int) -> BoolArray:
        """Ask filter after filter, in their order."""
        present = self._machine.pages.has(frames, Bit.RESIDENT)
        decided = ~present
        allowed = np.zeros(len(present), np.bool_)
        for each in filters:
            is_of_type = self._is_of_type(each, frames, ~decided, now_us)
            hits = (is_of_type == each.matching) & ~decided
            if each.allow:
                allowed |= hits
            decided |= hits
        if default_allows(filters):
            allowed |= ~decided
        return allowed

    def _is_of_type(self, each: Filter, frames: Frames, asked: BoolArray, now_us: int) -> BoolArray:
        """Tell which pages of a range are of a filter's type; about those not asked, anything."""
        pages = self._machine.pages
        match each.filter_type:
            case FilterType.ANON:
                return pages.has(frames, Bit.ANON)
            case FilterType.ACTIVE:
                return pages.has(frames, Bit.ACTIVE)
            case FilterType.UNMAPPED:
                return ~pages.has(frames, Bit.MAPPED)
            case FilterType.YOUNG:
                return self._young(frames, asked, now_us)
            case FilterType.MEMCG:
                return self._in_memcg(frames, each.memcg_path or "/")
            case FilterType.HUGEPAGE_SIZE if each.hugepage_size is not None:
                size = np.where(pages.has(frames, Bit.HUGE), PAGE * HUGE, PAGE)
                return (each.hugepage_size.min <= size) & (size <= each.hugepage_size.max)
        return np.zeros(frames.stop - frames.start, np.bool_)

    def _in_memcg(self, frames: Frames, path: str) -> BoolArray:
        """Tell which pages of a range belong to a memory cgroup."""
        memcgs = self._machine.memcgs
        if path not in memcgs:
            return np.zeros(frames.stop - frames.start, np.bool_)
        in_group: BoolArray = self._machine.pages.group[frames] == memcgs.index(path)
        return in_group

    def _young(self, frames: Frames, asked: BoolArray, now_us: int) -> BoolArray:
        """
        Tell which pages of a range were touched since the last look, and mark them old.

        Args:
            frames: The range; all of it is looked at.

            asked: bool, shape (nr_frames,): pages whose answer is wanted. Others may
                be found old.

            now_us: When the look is.
        """
        if self._old_since_ms is None:
            self._old_since_ms = np.zeros(len(self._machine.pages), np.int64)
        since_ms = self._old_since_ms[frames]
        young = np.zeros(len(since_ms), np.bool_)
        # By instant, not by range: looks are few, but where touches are random
        # each of them leaves thousands of ranges.
        for looked_ms in _distinct(since_ms[asked]):
            if looked_ms * 1000 >= now_us:
                continue
            chosen = (since_ms == looked_ms) & asked
            rows = np.flatnonzero(chosen)
            low, high = int(rows[0]), int(rows[-1]) + 1
            piece = slice(frames.start + low, frames.start + high)
            touched = self._machine.frames.touched(piece, looked_ms * 1000, now_us)
            young[low:high] |= touched & chosen[low:high]
        # Also of pages that are old: not touched until now, they need not be asked again
        # about the time before, which may be hours.
        np.maximum(since_ms, now_us // 1000, out=since_ms)
        return young


def _begins_with_young(filters: Sequence[Filter]) -> bool:
    """Tell whether the first filter, and no other one, rejects young pages."""
    asks = [each.filter_type is FilterType.YOUNG for each in filters]
    return sum(asks) == 1 and filters[0] == REJECT_YOUNG


def _distinct(values: IntArray) -> list[int]:
    """Return what occurs in *values*, ascending."""
    if not len(values):
        return []
    # What was looked at together lies together, so there is little to sort.
    is_new = np.diff(values, prepend=-1) != 0
    distinct: list[int] = np.unique(values[is_new]).tolist()
    return distinct
