"""Which part of physical memory a module monitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..errors import InvalidError
from ..params.ranges import ADDRESS_MAX, AddressRange
from ..spaces.space import Mapping, Space
from .rules import Rules

PAGE: Final = 4096


def min_region_sz(addr_unit: int) -> int:
    """Return the smallest region, in address units: a page, or one unit if that is more."""
    return max(PAGE // addr_unit, 1)


def range_of(start: int, end: int, addr_unit: int) -> AddressRange:
    """
    Return a range that was given, rounded outwards to whole pages.

    Args:
        start: Where it begins, in address units.

        end: Where it ends.

        addr_unit: Bytes per unit.

    Raises:
        InvalidError: If nothing is left of it, or if it ends too far up.
    """
    unit = min_region_sz(addr_unit)
    return AddressRange(start // unit * unit, -(-end // unit) * unit)


def chosen_range(memory: Space, addr_unit: int, rules: Rules) -> AddressRange:
    """
    Choose a range where none was given.

    Args:
        memory: Physical memory; each mapping is a range of RAM.

        addr_unit: Bytes per unit of the range.

        rules: Whether gaps may be in it.

    Raises:
        InvalidError: If there is no memory.

    Source:
        spec interfaces 5.1.
    """
    parts = memory.mappings(0)
    if not parts:
        msg = "there is no physical memory to be monitored"
        raise InvalidError(msg)
    start, end = _span(parts) if rules.spans_memory else _biggest(parts)
    # Inwards, unlike a range that was given: the kernel divides as well.
    return range_of(start // addr_unit, min(end // addr_unit, ADDRESS_MAX), addr_unit)


def _span(parts: Sequence[Mapping]) -> tuple[int, int]:
    return parts[0].start, parts[-1].end


def _biggest(parts: Sequence[Mapping]) -> tuple[int, int]:
    # The first one of several that are equally big, as a search from below finds it.
    biggest = max(parts, key=lambda part: part.end - part.start)
    return biggest.start, biggest.end
