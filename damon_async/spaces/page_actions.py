"""What the actions of schemes do to pages of a machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from ..arrays import BoolArray, IntArray
from ..params.filters import Filter
from ..params.keywords import Action, FilterType
from ..params.schemes import Dest
from .acting import Done
from .machine import Machine
from .page_filters import REJECT_YOUNG, PageFilters
from .pages import HUGE, PAGE, Bit, Frames

NS_PER_S: Final = 10**9

VIRTUAL: Final = frozenset(Action) - {Action.LRU_PRIO, Action.LRU_DEPRIO}
"""Actions on virtual memory."""

PHYSICAL: Final = frozenset(
    {
        Action.PAGEOUT,
        Action.LRU_PRIO,
        Action.LRU_DEPRIO,
        Action.MIGRATE_HOT,
        Action.MIGRATE_COLD,
        Action.STAT,
    }
)
"""Actions on physical memory."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """
    What is to be done to ranges of pages.

    Attributes:
        action: What.

        frames: For each region, the ranges of pages behind it.

        filters: Which of the pages to leave out.

        bypass: bool, shape (nr_regions,): regions whose pages are not filtered.

        target_nid: The node to migrate to; -1 for none.

        dests: Nodes to migrate to by weight; win over *target_nid*.

        now_us: When.
    """

    action: Action
    frames: Sequence[Sequence[Frames]]
    filters: Sequence[Filter]
    bypass: BoolArray
    target_nid: int
    dests: Sequence[Dest]
    now_us: int


class PageActions:
    """
    Carries out actions on a machine, and charges what they take.

    Args:
        machine: Whose pages.

        supported: Which actions; any other one is tried, and does nothing.

    Source:
        spec core 7.1.
    """

    __slots__ = ("_filters", "_machine", "_supported")

    def __init__(self, machine: Machine, supported: frozenset[Action]) -> None:
        self._machine = machine
        self._supported = supported
        self._filters = PageFilters(machine)

    def act(self, request: PageRequest) -> Done:
        """Do as requested; touches until then take effect first."""
        self._machine.settle(request.now_us)
        costs = self._machine.costs
        applied = np.zeros(len(request.frames), np.int64)
        passed = np.zeros(len(request.frames), np.int64)
        nr_looked_at = transfer_ns = 0
        filters = self._effective_filters(request)
        for region, parts in enumerate(request.frames):
            # Several pieces of one region, if it lies in several mappings.
            for frames in parts:
                rules = () if request.bypass[region] else filters
                nr_passed, effect = self._act_on(frames, rules, request)
                passed[region] += nr_passed * PAGE
                applied[region] += effect.nr_pages * PAGE
                transfer_ns += effect.transfer_ns
                nr_looked_at += frames.stop - frames.start
        nr_done = int(applied.sum()) // PAGE
        work_ns = (
            costs.action_ns * len(request.frames)
            + costs.walk_page_ns * nr_looked_at
            + costs.page_ns(request.action) * nr_done
            + transfer_ns
        )
        nr_paged_out = nr_done if request.action is Action.PAGEOUT else 0
        self._machine.charge(nr_paged_out=nr_paged_out, work_ns=work_ns)
        return Done(applied, passed, work_ns)

    def _effective_filters(self, request: PageRequest) -> tuple[Filter, ...]:
        """Add what physical pageout always leaves out, unless the scheme cares itself."""
        filters = tuple(request.filters)
        is_physical = self._supported is PHYSICAL
        cares = any(each.filter_type is FilterType.YOUNG for each in filters)
        if is_physical and request.action is Action.PAGEOUT and not cares:
            # In front: behind a list of allowing filters it would never be asked.
            return (REJECT_YOUNG, *filters)
        return filters

    def _act_on(
        self, frames: Frames, filters: Sequence[Filter], request: PageRequest
    ) -> tuple[int, Effect]:
        """Act on one range; return how many pages passed, and what it came to."""
        if request.action not in self._supported:
            return 0, Effect(0)
        if request.action is Action.WILLNEED:
            # Advice about pages that are not there: nothing to filter by.
            everything = np.ones(frames.stop - frames.start, np.bool_)
            return len(everything), Effect(sum(self._machine.bring_in(frames, everything)))
        nr_passed, done = 0, Effect(0)
        for part in self._machine.occupied(frames):
            passing = self._filters.passing(part, filters, request.now_us)
            nr_chosen = int(np.count_nonzero(passing))
            if not nr_chosen:
                continue
            nr_passed += nr_chosen
            effect = _HANDLERS[request.action](self._machine, part, passing, request)
            done = Effect(done.nr_pages + effect.nr_pages, done.transfer_ns + effect.transfer_ns)
        return nr_passed, done


class Effect(NamedTuple):
    """What an action came to in one range."""

    nr_pages: int
    """Pages that it was done to."""

    transfer_ns: int = 0
    """How long it took to move them, on top of the price per page."""


Handler: TypeAlias = Callable[[Machine, Frames, BoolArray, PageRequest], Effect]
"""Does an action to chosen pages of a range."""


def _page_out(machine: Machine, frames: Frames, chosen: BoolArray, _: PageRequest) -> Effect:
    return Effect(machine.page_out(frames, chosen))


def _mark(*, add: int = 0, drop: int = 0) -> Handler:
    def handler(machine: Machine, frames: Frames, chosen: BoolArray, _: PageRequest) -> Effect:
        machine.pages.change(frames, chosen, add=add, drop=drop)
        return Effect(int(np.count_nonzero(chosen)))

    return handler


def _make_huge(machine: Machine, frames: Frames, chosen: BoolArray, _: PageRequest) -> Effect:
    """Make huge pages of whole blocks, absent pages included: that is their price."""
    first, last = -(-frames.start // HUGE), frames.stop // HUGE
    if first >= last:
        return Effect(0)
    whole = slice(first * HUGE, last * HUGE)
    inner = chosen[whole.start - frames.start : whole.stop - frames.start]
    blocks = np.repeat(inner.reshape(-1, HUGE).any(axis=1), HUGE)
    machine.bring_in(whole, blocks)
    machine.pages.change(whole, blocks, add=Bit.HUGE)
    return Effect(int(np.count_nonzero(blocks)))


def _migrate(machine: Machine, frames: Frames, chosen: BoolArray, request: PageRequest) -> Effect:
    """Move pages to one node, or over several by weight; those already there stay."""
    targets = _target_nodes(frames, request)
    nr_moved = transfer_ns = 0
    for nid in np.unique(targets).tolist():
        if not 0 <= nid < len(machine.nodes):
            continue
        node = machine.nodes[nid]
        room = node.capacity // PAGE - int(machine.pages.nr_resident[nid].sum())
        moving = chosen & (targets == nid) & (machine.pages.node[frames] != nid)
        moving &= np.cumsum(moving) <= room
        nr_pages = int(np.count_nonzero(moving))
        if nr_pages:
            sources = np.unique(machine.pages.node[frames][moving]).tolist()
            # The slowest of all that take part sets the pace.
            pace = min(machine.nodes[each].bandwidth for each in (*sources, nid))
            transfer_ns += nr_pages * PAGE * NS_PER_S // pace
            machine.pages.move(frames, moving, nid)
            nr_moved += nr_pages
    return Effect(nr_moved, transfer_ns)


def _target_nodes(frames: Frames, request: PageRequest) -> IntArray:
    """Return for each page of a range where it is to go, -1 for nowhere."""
    nr_pages = frames.stop - frames.start
    weights = np.array([dest.weight for dest in request.dests], np.int64)
    if not len(weights):
        return np.full(nr_pages, request.target_nid)
    if not weights.sum():
        return np.full(nr_pages, -1)
    turn = np.arange(frames.start, frames.stop, dtype=np.int64) % weights.sum()
    ids = np.array([dest.id for dest in request.dests], np.int64)
    targets: IntArray = ids[np.searchsorted(np.cumsum(weights), turn, "right")]
    return targets


def _count(machine: Machine, frames: Frames, chosen: BoolArray, _: PageRequest) -> Effect:
    del machine, frames
    return Effect(int(np.count_nonzero(chosen)))


_HANDLERS: Mapping[Action, Handler] = {
    Action.PAGEOUT: _page_out,
    Action.COLD: _mark(drop=Bit.ACTIVE),
    Action.LRU_PRIO: _mark(add=Bit.ACTIVE),
    Action.LRU_DEPRIO: _mark(drop=Bit.ACTIVE),
    Action.HUGEPAGE: _make_huge,
    Action.COLLAPSE: _make_huge,
    Action.NOHUGEPAGE: _mark(drop=Bit.HUGE),
    Action.MIGRATE_HOT: _migrate,
    Action.MIGRATE_COLD: _migrate,
    Action.STAT: _count,
}
