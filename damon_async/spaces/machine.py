"""
A synthetic machine: processes, nodes, and what schemes do to their memory.

The truth about accesses stays the processes' own. The machine adds which pages
are in memory, where, and on which lists; it brings pages back that are touched
after they were paged out, makes room when there is none, and keeps account of
what all that costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from .costs import CostModel, Node
from .frames import FrameMap, Process
from .pages import HUGE, MAX_GROUPS, PAGE, Bit, Frames, Pages, as_slices

TIER_LOOKS = 20
"""In how many parts of the time since the last look slow pages are looked at."""

GAP_BLOCKS = 8
"""Ranges closer than this are looked at together, in huge pages: a look has a price, too."""


@dataclass(frozen=True, slots=True)
class Account:
    """
    What has happened on a machine until an instant; times are sums over it.

    Attributes:
        time_us: The instant, in microseconds.

        resident_bytes: Memory in use.

        free_bytes: Memory of all nodes not in use.

        nr_refaults: Touches of pages that had been paged out.

        nr_faults: First touches of pages.

        nr_paged_out: Pages that schemes paged out.

        nr_reclaimed: Pages that were paged out to make room.

        stall_ns: How long programs waited for memory.

        work_ns: How long actions of schemes took.
    """

    time_us: int = 0
    resident_bytes: int = 0
    free_bytes: int = 0
    nr_refaults: int = 0
    nr_faults: int = 0
    nr_paged_out: int = 0
    nr_reclaimed: int = 0
    stall_ns: int = 0
    work_ns: int = 0


class Zone(NamedTuple):
    """The memory of one node, as ``/proc/zoneinfo`` would list it."""

    nid: int
    """The node."""

    name: str
    """Always "Normal": physical memory begins at 4 GiB, above all other zones."""

    capacity: int
    """Bytes that it has."""

    free: int
    """Bytes of it that are not in use."""


class Machine:
    """
    Memory with a size, shared by processes.

    Everything is a function of the processes' truth, the actions, and when they
    were asked for: the same run is the same machine.

    Args:
        processes: Who runs on it. Their mappings are read once.

        nodes: Its memory; if not given, one node a quarter larger than needed.

        costs: How long things take.

        is_populated: Whether all memory was touched before the beginning; if
            not, a page takes memory from its first touch on.

        keeps_history: Whether all accounts are kept; not for one that runs for days.

    Attributes:
        frames: Which page is whose.

        pages: The state of each page.

        account: What has happened until ``settle`` was last called.

        history: One ``Account`` per ``settle``; only the last one if it is not kept.

    Raises:
        InvalidError: If there is no process or no node, a pid is given twice, or
            a process is on a node that there is not.

    Source:
        spec core 12 and 7.1. Differs: a page keeps its physical address when it
        migrates; mappings do not change.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        nodes: Sequence[Node] = (),
        costs: CostModel | None = None,
        is_populated: bool = True,
        keeps_history: bool = True,
    ) -> None:
        self.frames = FrameMap(processes)
        if not self.frames.nr_pages:
            msg = "a machine needs at least one process with mapped memory"
            raise InvalidError(msg)
        self.nodes = tuple(nodes) or (Node(capacity=self.frames.nr_pages * PAGE * 5 // 4),)
        self.costs = costs or CostModel()
        self.memcgs = sorted({process.memcg for process in processes})
        self.pages = self._new_pages(is_populated)
        nr_blocks = -(-self.frames.nr_pages // HUGE)
        # Blocks of 512 pages that may hold absent ones; the others are never
        # looked at, however large the machine.
        self._is_thin = np.full(nr_blocks, not is_populated)
        # Blocks without any page in memory: nothing can be done to those.
        self._is_bare = np.full(nr_blocks, not is_populated)
        self._hand = 0
        self.account = Account()
        self.history: list[Account] = []
        self._keeps_history = keeps_history
        self._make_room(0)
        self._note(0)

    def __repr__(self) -> str:
        return (
            f"<Machine {len(self.frames.processes)} processes, {len(self.nodes)} nodes, "
            f"{self.pages!r}>"
        )

    @property
    def capacity(self) -> int:
        """Memory of all nodes, in bytes."""
        return sum(node.capacity // PAGE * PAGE for node in self.nodes)

    @property
    def resident_bytes(self) -> int:
        """Memory in use, in bytes."""
        return int(self.pages.nr_resident.sum()) * PAGE

    def zones(self) -> list[Zone]:
        """Return the memory of each node: how much there is, and how much is free."""
        sizes = [node.capacity // PAGE * PAGE for node in self.nodes]
        used = (self.pages.nr_resident.sum(axis=1) * PAGE).tolist()
        return [
            Zone(nid, "Normal", size, max(0, size - taken))
            for nid, (size, taken) in enumerate(zip(sizes, used, strict=True))
        ]

    # -- Time ----------------------------------------------------------------

    def settle(self, now_us: int) -> Account:
        """
        Bring everything up to *now_us*: touches since the last time take effect.

        Called before anything is done or asked; calls may not go back in time,
        and one at the same instant changes nothing.

        Returns:
            The account at that instant.
        """
        since_us = self.account.time_us
        if now_us > since_us:
            self._bring_back(since_us, now_us)
            self._charge_slow_nodes(since_us, now_us)
            self._make_room(now_us)
            self._note(now_us)
        return self.account

    def charge(self, *, nr_paged_out: int = 0, stall_ns: int = 0, work_ns: int = 0) -> None:
        """Add to the account what an action did and cost; memory in use is counted again."""
        # Whoever looks at the same instant, after the action, sees what it left.
        account = self._counted()
        self.account = replace(
            account,
            nr_paged_out=account.nr_paged_out + nr_paged_out,
            stall_ns=account.stall_ns + stall_ns,
            work_ns=account.work_ns + work_ns,
        )

    def page_out(self, frames: Frames, chosen: BoolArray) -> int:
        """Take some pages of a range out of memory; return how many were in it."""
        leaving = chosen & self.pages.has(frames, Bit.RESIDENT)
        nr_pages = int(np.count_nonzero(leaving))
        if nr_pages:
            # Part of a huge page cannot leave: it is split first.
            self.pages.change(frames, leaving, drop=Bit.RESIDENT | Bit.ACTIVE | Bit.HUGE)
            self._look_again(frames)
        return nr_pages

    def bring_in(self, frames: Frames, chosen: BoolArray) -> tuple[int, int]:
        """
        Put some pages of a range into memory.

        Returns:
            How many had contents that were paged out, and how many are new.
        """
        coming = chosen & ~self.pages.has(frames, Bit.RESIDENT)
        nr_pages = int(np.count_nonzero(coming))
        if not nr_pages:
            return 0, 0
        nr_back = int(np.count_nonzero(coming & self.pages.has(frames, Bit.USED)))
        self.pages.change(frames, coming, add=Bit.RESIDENT | Bit.USED)
        self._look_again(frames)
        return nr_back, nr_pages - nr_back

    def occupied(self, frames: Frames) -> list[Frames]:
        """Return the parts of a range outside of which no page is in memory."""
        first, last = frames.start // HUGE, -(-frames.stop // HUGE)
        bare = self._is_bare[first:last]
        if not bare.any():
            return [frames]
        parts = _ranges_of_blocks(~bare, first, self.frames.nr_pages)
        return as_slices(parts.clip(frames.start, frames.stop))

    # -- What it consists of -------------------------------------------------

    def _new_pages(self, is_populated: bool) -> Pages:
        """Lay out the pages of all processes."""
        nr_pages = self.frames.nr_pages
        flags = np.zeros(nr_pages, np.uint8)
        node = np.zeros(nr_pages, np.uint8)
        group = np.zeros(nr_pages, np.uint8)
        for segment in self.frames.segments:
            process = self.frames.processes[segment.process]
            if not 0 <= process.node < len(self.nodes):
                msg = f"pid {process.pid} is on node {process.node}; there are {len(self.nodes)}"
                raise InvalidError(msg)
            rows = slice(segment.first, segment.end)
            mapped = Bit.MAPPED if process.is_mapped else 0
            flags[rows] = mapped | (Bit.ANON if process.is_anon else 0)
            node[rows] = process.node
            group[rows] = self.memcgs.index(process.memcg)
        if max(len(self.nodes), len(self.memcgs)) > MAX_GROUPS:
            msg = f"a machine has at most {MAX_GROUPS} nodes and as many memory cgroups"
            raise InvalidError(msg)
        if is_populated:
            flags |= Bit.RESIDENT | Bit.USED
        return Pages(flags, node, group, len(self.nodes), len(self.memcgs))

    # -- What time does ------------------------------------------------------

    def _look_again(self, frames: Frames) -> None:
        """Find out anew which blocks around a range hold absent pages, and which only those."""
        first, last = frames.start // HUGE, -(-frames.stop // HUGE)
        whole = slice(first * HUGE, min(last * HUGE, self.frames.nr_pages))
        present = self.pages.has(whole, Bit.RESIDENT)
        starts = np.arange(0, whole.stop - whole.start, HUGE)
        self._is_thin[first:last] = ~np.logical_and.reduceat(present, starts)
        self._is_bare[first:last] = ~np.logical_or.reduceat(present, starts)

    def _bring_back(self, since_us: int, now_us: int) -> None:
        """Let absent pages come back that were touched since."""
        nr_refaults = nr_faults = 0
        thin = _ranges_of_blocks(self._is_thin, 0, self.frames.nr_pages)
        for frames in as_slices(self.frames.touched_ranges(thin, since_us, now_us)):
            everything = np.ones(frames.stop - frames.start, np.bool_)
            nr_back, nr_new = self.bring_in(frames, everything)
            nr_refaults += nr_back
            nr_faults += nr_new
        if not nr_refaults + nr_faults:
            return
        stall_ns = nr_refaults * self.costs.refault_ns + nr_faults * self.costs.fault_ns
        account = self.account
        self.account = replace(
            account,
            nr_refaults=account.nr_refaults + nr_refaults,
            nr_faults=account.nr_faults + nr_faults,
            stall_ns=account.stall_ns + stall_ns,
        )

    def _charge_slow_nodes(self, since_us: int, now_us: int) -> None:
        """Charge accesses of pages on nodes slower than the fastest one."""
        fastest = min(node.latency_ns for node in self.nodes)
        extra = np.array([node.latency_ns - fastest for node in self.nodes])
        if not (extra @ self.pages.nr_resident.sum(axis=1)):
            return
        nr_looks = max(1, min(TIER_LOOKS, (now_us - since_us) // 1000))
        instants = np.linspace(since_us, now_us, nr_looks + 1).astype(np.int64)
        touches = self.costs.touches_per_ms * (now_us - since_us) / nr_looks / 1000
        stall_ns = 0.0
        for piece in self.frames.pieces(slice(0, self.frames.nr_pages)):
            truth = self.frames.truth(piece, instants)
            resident = self.pages.has(piece.frames, Bit.RESIDENT)
            each = extra[self.pages.node[piece.frames]] * resident
            per_run = np.add.reduceat(each, (truth.bounds[:-1] - piece.start) // PAGE)
            stall_ns += float(per_run @ truth.counts) * touches
        self.charge(stall_ns=int(stall_ns))

    def _make_room(self, now_us: int) -> None:
        """Page out what was not touched lately until every node's pages fit."""
        for number, node in enumerate(self.nodes):
            excess = int(self.pages.nr_resident[number].sum()) - node.capacity // PAGE
            if excess > 0:
                nr_reclaimed = self._reclaim(number, excess, now_us)
                account = self.account
                self.account = replace(
                    account,
                    nr_reclaimed=account.nr_reclaimed + nr_reclaimed,
                    stall_ns=account.stall_ns + nr_reclaimed * self.costs.reclaim_page_ns,
                )

    def _reclaim(self, node: int, nr_pages: int, now_us: int) -> int:
        """
        Page out *nr_pages* of a node: inactive ones, then active, then any.

        A hand goes round over all pages, as in the clock algorithm.

        Returns:
            How many were paged out.
        """
        left = nr_pages
        since_us = min(self.account.time_us, now_us - 1)
        for spared in (Bit.ACTIVE, 0, -1):
            for _ in range(-(-self.frames.nr_pages // (HUGE * HUGE)) + 1):
                if left <= 0:
                    return nr_pages
                frames = slice(self._hand, min(self._hand + HUGE * HUGE, self.frames.nr_pages))
                chosen = self.pages.has(frames, Bit.RESIDENT) & (self.pages.node[frames] == node)
                if spared >= 0:
                    chosen &= ~self.frames.touched(frames, since_us, now_us)
                if spared > 0:
                    chosen &= ~self.pages.has(frames, spared)
                chosen &= np.cumsum(chosen) <= left
                left -= self.page_out(frames, chosen)
                self._hand = frames.stop % self.frames.nr_pages
        return nr_pages - left

    def _note(self, now_us: int) -> None:
        """Close the account of an instant."""
        self.account = replace(self._counted(), time_us=now_us)
        if not self._keeps_history:
            self.history.clear()
        self.history.append(self.account)

    def _counted(self) -> Account:
        """Return the account with the memory that is in use right now."""
        resident = self.resident_bytes
        free = max(0, self.capacity - resident)
        return replace(self.account, resident_bytes=resident, free_bytes=free)


def _ranges_of_blocks(chosen: BoolArray, first: int, nr_pages: int) -> IntArray:
    """
    Return ranges of pages that hold all chosen blocks; close ones are made one.

    Args:
        chosen: bool, shape (nr_blocks,).

        first: Number of the first of these blocks.

        nr_pages: How many pages there are; the last block may be a part.

    Returns:
        int64, shape (nr_ranges, 2), ascending: first page and the one behind the last.
    """
    blocks = np.flatnonzero(chosen) + first
    gaps = np.flatnonzero(blocks[1:] - blocks[:-1] > GAP_BLOCKS)
    # One range more than there are gaps, but none if there is no block at all.
    firsts = np.concatenate((blocks[:1], blocks[gaps + 1]))
    lasts = np.concatenate((blocks[gaps], blocks[-1:]))
    ranges: IntArray = np.stack((firsts, lasts + 1), axis=1) * HUGE
    return np.minimum(ranges, nr_pages)
