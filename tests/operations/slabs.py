"""An operations set as a user would write it: slots of slabs instead of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from damon_async.arrays import BoolArray, IntArray
from damon_async.params.monitoring import Target


@dataclass
class Slabs:
    """A pool of slots that an application hands out."""

    nr_slots: int
    busy: set[int] = field(default_factory=set)


@dataclass
class SlabOperations:
    """Watches the slots of ``Slabs``: an address is the index of a slot."""

    ends_with_targets: bool = False

    def is_pure(self, target: Target) -> bool:
        """Whether the busy slots are the same at all times: they are."""
        return True

    def lifetime_us(self, target: Target) -> int | None:
        """Pools are there for ever."""
        return None

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray | None:
        """Watch every slot."""
        return np.array([[0, _slabs(target).nr_slots]])

    def accessed(
        self, target: Target, addresses: IntArray, since_us: IntArray, until_us: IntArray
    ) -> BoolArray:
        """Find the slots that are busy."""
        found: BoolArray = np.isin(addresses, sorted(_slabs(target).busy))
        return found


def _slabs(target: Target) -> Slabs:
    assert isinstance(target.space, Slabs)
    return target.space
