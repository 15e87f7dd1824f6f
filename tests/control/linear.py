"""
Whether a history of reads and writes, many at once, could have been one after the other.

For registers whose writes are all of different values there is no need to search: the
operations on one value lie in a zone of time, and zones must not get in each other's way.
See Gibbons and Korach, Testing Shared Memories, 1997.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True)
class Operation:
    """
    What somebody did with a register.

    Attributes:
        begin: When it was asked for, in whatever unit.

        end: When it was answered, above ``begin``.

        value: What was written, or read.

        is_write: Whether it was written.
    """

    begin: int
    end: int
    value: Hashable
    is_write: bool


def objection(history: Iterable[Operation]) -> str | None:
    """
    Say why a history of one register is impossible; None if it is not.

    Args:
        history: All operations, in any order; what was there first counts as a write
            before all else. No two writes are of one value.
    """
    by_value: defaultdict[Hashable, list[Operation]] = defaultdict(list)
    for operation in history:
        by_value[operation.value].append(operation)
    forward: list[tuple[int, int, Hashable]] = []
    backward: list[tuple[int, int, Hashable]] = []
    for value, operations in by_value.items():
        writes = [each for each in operations if each.is_write]
        if len(writes) != 1:
            return f"{value!r} was written {len(writes)} times"
        if any(each.end < writes[0].begin for each in operations):
            return f"{value!r} was read before it was written"
        # It was there from the first end to the last beginning, at least.
        first_end = min(each.end for each in operations)
        last_begin = max(each.begin for each in operations)
        if first_end < last_begin:
            forward.append((first_end, last_begin, value))
        else:
            backward.append((last_begin, first_end, value))
    return next(_conflicts(sorted(forward, key=lambda zone: zone[:2]), backward), None)


def _conflicts(
    forward: list[tuple[int, int, Hashable]], backward: list[tuple[int, int, Hashable]]
) -> Iterator[str]:
    """Go through what cannot be, given when which values must have been there."""
    for (_, end, value), (begin, _, other) in pairwise(forward):
        if begin < end:
            yield f"{value!r} and {other!r} were there at the same time"
    for begin, end, value in backward:
        for first, last, other in forward:
            if first < begin and end < last:
                yield f"{value!r} was there while {other!r} was"
