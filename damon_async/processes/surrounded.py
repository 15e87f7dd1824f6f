"""What a process has besides the memory that is interesting."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..arrays import BoolArray, IntArray
from ..spaces.layout import as_process
from ..spaces.space import Mapping, Space, Truth

_NR_GAPS = 2
"""Between the mappings of a process there are as many wide gaps at least."""


def surrounded(space: Space) -> Space:
    """
    Return memory in which ``vaddr`` finds its three regions.

    Traces, and memory that stands alone, have no binary, no heap and no stack. Without
    those the monitoring of a process fails, so they are put where they usually are;
    nothing touches them.

    Args:
        space: The memory; returned as it is if it looks like a process.
    """
    mappings = space.mappings(0)
    nr_gaps = sum(before.end < after.start for before, after in pairwise(mappings))
    return space if nr_gaps >= _NR_GAPS else SurroundedSpace(space)


class SurroundedSpace:
    """
    A space with the other mappings of a process around it.

    Args:
        space: What is surrounded. Where it lies itself, nothing is added.
    """

    __slots__ = ("_others", "_space")

    def __init__(self, space: Space) -> None:
        self._space = space
        own = space.mappings(0)
        # Mappings that adjoin would have no gap between them, by which vaddr finds its
        # ranges.
        self._others = [
            other
            for other in as_process(())
            if all(other.end < each.start or each.end < other.start for each in own)
        ]

    def __repr__(self) -> str:
        return f"<SurroundedSpace {self._space!r}>"

    @property
    def is_pure(self) -> bool:
        """Whether ``accessed`` depends on its arguments alone."""
        return self._space.is_pure

    @property
    def lifetime_us(self) -> int | None:
        """The instant at which the space vanishes, None if it never does."""
        return self._space.lifetime_us

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return what is mapped at *now_us*; nothing if the space itself has nothing."""
        own = self._space.mappings(now_us)
        return sorted([*own, *self._others]) if own else ()

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell for each address whether its page was touched; see ``Space``."""
        return self._space.accessed(addresses, since_us, until_us)

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """Count for every page the intervals that touched it; see ``Space``."""
        return self._space.truth(start, end, instants_us)
