"""
The pages of a machine: three bytes each, and sums that are always up to date.

A 64 GiB machine has 16 million pages, so state is dense and small, and every
change is made to whole ranges.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import BoolArray, IntArray

PAGE: Final = 4096
"""Bytes of a page; huge pages are 512 of them that share a mark."""

HUGE: Final = 512
"""Pages of a huge page."""

MAX_GROUPS: Final = 255
"""Memory cgroups, and nodes, that one byte can tell apart."""

ByteArray: TypeAlias = npt.NDArray[np.uint8]

Frames: TypeAlias = slice
"""A range of page numbers, with plain bounds and no step."""


class Bit:
    """
    What is known of a page, one bit each.

    Plain integers: members of an enumeration would turn uint8 arrays into int64.
    """

    RESIDENT: Final = 1
    """It is in memory."""

    USED: Final = 2
    """It has contents: it was touched before, or filled at the start."""

    ANON: Final = 4
    """It is anonymous; file-backed if not."""

    MAPPED: Final = 8
    """A process maps it."""

    ACTIVE: Final = 16
    """It is on an active list."""

    HUGE: Final = 32
    """It is part of a huge page."""


class Pages:
    """
    Flags, node and memory cgroup of every page.

    Args:
        flags: uint8, shape (nr_pages,): ``Bit`` values to begin with.

        node: uint8, shape (nr_pages,): which node each page is, or will be, on.

        group: uint8, shape (nr_pages,): number of each page's memory cgroup.

        nr_nodes: How many nodes there are.

        nr_groups: How many memory cgroups there are.

    Attributes:
        nr_resident: int64, shape (nr_nodes, nr_groups): pages in memory.

        nr_active: How many of them are active.

        nr_huge: How many of them are part of huge pages.
    """

    def __init__(
        self, flags: ByteArray, node: ByteArray, group: ByteArray, nr_nodes: int, nr_groups: int
    ) -> None:
        self.flags = flags
        self.node = node
        self.group = group
        self.nr_resident = np.zeros((nr_nodes, nr_groups), np.int64)
        self.nr_active = 0
        self.nr_huge = 0
        self._count(slice(0, len(flags)), 1)

    def __len__(self) -> int:
        return len(self.flags)

    def __repr__(self) -> str:
        return f"<Pages {self.nr_resident.sum()} of {len(self)} in memory>"

    def has(self, frames: Frames, bits: int) -> BoolArray:
        """Tell which pages have all of *bits*: bool, shape (nr_frames,)."""
        found: BoolArray = (self.flags[frames] & bits) == bits
        return found

    def change(self, frames: Frames, chosen: BoolArray, *, add: int = 0, drop: int = 0) -> None:
        """
        Set and clear bits of some pages.

        Args:
            frames: A range of pages.

            chosen: bool, shape (nr_frames,): which of them.

            add: Bits to set.

            drop: Bits to clear.
        """
        self._count(frames, -1)
        flags = self.flags[frames]
        if add:
            flags |= chosen.astype(np.uint8) * np.uint8(add)
        if drop:
            flags &= ~(chosen.astype(np.uint8) * np.uint8(drop))
        self._count(frames, 1)

    def move(self, frames: Frames, chosen: BoolArray, node: int) -> None:
        """Put some pages of a range on another node."""
        self._count(frames, -1)
        self.node[frames][chosen] = node
        self._count(frames, 1)

    def nr_on_nodes(self, frames: Frames) -> IntArray:
        """Return how many pages of a range are in memory on each node: shape (nr_nodes,)."""
        nodes = self.node[frames][self.has(frames, Bit.RESIDENT)]
        return np.bincount(nodes, minlength=len(self.nr_resident))

    def _count(self, frames: Frames, sign: int) -> None:
        """Add a range to the sums, or take it away."""
        flags = self.flags[frames]
        resident = (flags & Bit.RESIDENT).astype(np.bool_)
        nr_nodes, nr_groups = self.nr_resident.shape
        nodes, groups = self.node[frames], self.group[frames]
        if not len(flags):
            return
        # Nearly always the memory of one process, on one node.
        if (nodes == nodes[0]).all() and (groups == groups[0]).all():
            self.nr_resident[nodes[0], groups[0]] += sign * int(np.count_nonzero(resident))
        else:
            place = nodes.astype(np.intp) * nr_groups + groups
            counts = np.bincount(place[resident], minlength=nr_nodes * nr_groups)
            self.nr_resident += sign * counts.reshape(nr_nodes, nr_groups)
        active = Bit.RESIDENT | Bit.ACTIVE
        huge = Bit.RESIDENT | Bit.HUGE
        self.nr_active += sign * int(np.count_nonzero((flags & active) == active))
        self.nr_huge += sign * int(np.count_nonzero((flags & huge) == huge))


def as_slices(ranges: IntArray) -> list[Frames]:
    """Return ranges of pages, int64 of shape (nr, 2), as slices; empty ones left out."""
    return [slice(low, high) for low, high in ranges.tolist() if low < high]
