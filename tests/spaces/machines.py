"""Small machines whose memory is easy to follow."""

from __future__ import annotations

import numpy as np

from damon_async.arrays import BoolArray, IntArray
from damon_async.params.filters import Filter
from damon_async.params.keywords import Action
from damon_async.params.schemes import Dest
from damon_async.spaces.acting import Done
from damon_async.spaces.frames import Process
from damon_async.spaces.machine_views import PhysicalMemory, ProcessMemory
from damon_async.spaces.pages import PAGE
from damon_async.spaces.space import Mapping, Truth

MIB = 1 << 20

BASE = 0x1000_0000
"""Where the only mapping of a ``Touched`` space begins."""


class Touched:
    """Memory whose touches are listed: ``{time_us: [page, ...]}``."""

    is_pure = True
    lifetime_us = None

    def __init__(self, nr_pages: int, touches: dict[int, list[int]] | None = None) -> None:
        self.nr_pages = nr_pages
        self.touches = touches or {}

    def mappings(self, now_us: int) -> list[Mapping]:
        return [Mapping(BASE, BASE + self.nr_pages * PAGE)]

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        pages = (addresses - BASE) // PAGE
        answers = np.zeros(np.broadcast_shapes(addresses.shape, since_us.shape), np.bool_)
        for time_us, touched in self.touches.items():
            answers |= np.isin(pages, touched) & (since_us <= time_us) & (time_us < until_us)
        return answers

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        pages = np.arange(start, end, PAGE, dtype=np.int64)[None, :]
        found = self.accessed(pages, instants_us[:-1, None], instants_us[1:, None])
        return Truth(np.append(pages[0], end), found.sum(axis=0), len(instants_us) - 1)


def process(
    nr_pages: int,
    touches: dict[int, list[int]] | None = None,
    *,
    pid: int = 1,
    memcg: str = "/",
    node: int = 0,
    is_anon: bool = True,
) -> Process:
    """Return a process with that many pages."""
    return Process(pid, Touched(nr_pages, touches), memcg, node, is_anon)


def do(
    memory: ProcessMemory | PhysicalMemory,
    action: Action,
    *pages: tuple[int, int],
    now_us: int = 0,
    filters: tuple[Filter, ...] = (),
    target_nid: int = -1,
    dests: tuple[Dest, ...] = (),
    bypass: bool = False,
) -> Done:
    """Carry out an action on ranges of pages, counted from the first mapping on."""
    first = memory.mappings(0)[0].start
    ranges = np.array(pages, np.int64).reshape(-1, 2) * PAGE + first
    return memory.apply(
        action,
        ranges,
        filters=filters,
        bypass=np.full(len(ranges), bypass),
        target_nid=target_nid,
        dests=dests,
        now_us=now_us,
    )


def resident(memory: ProcessMemory | PhysicalMemory) -> list[int]:
    """Return the numbers of the pages in memory."""
    flags = memory._machine.pages.flags
    return np.flatnonzero(flags & 1).tolist()
