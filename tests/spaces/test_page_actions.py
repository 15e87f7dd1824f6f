"""What each action does to pages, and which pages filters leave out."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.params.filters import Filter
from damon_async.params.keywords import Action, FilterType
from damon_async.params.patterns import SizeBounds
from damon_async.params.schemes import Dest
from damon_async.spaces.costs import Node
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_views import PhysicalMemory, ProcessMemory
from damon_async.spaces.page_actions import PHYSICAL, VIRTUAL
from damon_async.spaces.pages import HUGE, PAGE, Bit

from .machines import MIB, do, process, resident

REJECT_ANON = Filter(FilterType.ANON, matching=True)


def test_pageout_applies_to_what_is_there() -> None:
    """Paging out applies to resident pages only, and leaves none of them."""
    machine = Machine([process(10)])
    memory = ProcessMemory(machine, 1)
    assert do(memory, Action.PAGEOUT, (0, 5), (3, 8)).applied.tolist() == [5 * PAGE, 3 * PAGE]
    assert resident(memory) == [8, 9]
    assert machine.account.nr_paged_out == 8


def test_pageout_of_part_of_a_huge_page_splits_it() -> None:
    """A huge page of which a part is paged out is no huge page any more there."""
    machine = Machine([process(2 * HUGE)])
    memory = ProcessMemory(machine, 1)
    do(memory, Action.HUGEPAGE, (0, 2 * HUGE))
    do(memory, Action.PAGEOUT, (0, 10))
    assert machine.pages.nr_huge == 2 * HUGE - 10


def test_willneed_brings_back_without_a_stall() -> None:
    """What is wanted ahead of its use comes back, at the cost of the kdamond."""
    machine = Machine([process(10)])
    memory = ProcessMemory(machine, 1)
    do(memory, Action.PAGEOUT, (0, 10))
    assert do(memory, Action.WILLNEED, (0, 4)).applied.tolist() == [4 * PAGE]
    assert resident(memory) == [0, 1, 2, 3]
    assert machine.account.stall_ns == 0


def test_the_account_tells_what_an_action_left() -> None:
    """Whoever looks at the instant of an action sees the memory in use after it."""
    machine = Machine([process(10)])
    memory = ProcessMemory(machine, 1)
    do(memory, Action.PAGEOUT, (0, 7))
    assert machine.account.resident_bytes == machine.resident_bytes == 3 * PAGE
    assert machine.settle(machine.account.time_us).free_bytes == machine.capacity - 3 * PAGE
    do(memory, Action.WILLNEED, (0, 2))
    assert machine.account.resident_bytes == 5 * PAGE


def test_lru_lists() -> None:
    """Prioritised pages are active until they are deprioritised."""
    machine = Machine([process(10)])
    memory = PhysicalMemory(machine)
    do(memory, Action.LRU_PRIO, (0, 6))
    assert machine.pages.nr_active == 6
    do(memory, Action.LRU_DEPRIO, (0, 2))
    assert machine.pages.nr_active == 4


def test_cold_pages_are_inactive() -> None:
    """Cold advice takes pages off the active list."""
    machine = Machine([process(10)])
    do(PhysicalMemory(machine), Action.LRU_PRIO, (0, 6))
    do(ProcessMemory(machine, 1), Action.COLD, (0, 6))
    assert machine.pages.nr_active == 0


@pytest.mark.parametrize("action", [Action.HUGEPAGE, Action.COLLAPSE])
def test_huge_pages_need_all_their_memory(action: Action) -> None:
    """Making huge pages brings in the absent pages of every whole block: their price."""
    machine = Machine([process(2 * HUGE)])
    memory = ProcessMemory(machine, 1)
    do(memory, Action.PAGEOUT, (100, HUGE))
    assert do(memory, action, (0, HUGE + 5)).applied.tolist() == [HUGE * PAGE]
    assert machine.resident_bytes == 2 * HUGE * PAGE
    assert machine.pages.nr_huge == HUGE


def test_huge_pages_of_nothing() -> None:
    """A range without a whole block makes no huge page."""
    memory = ProcessMemory(Machine([process(2 * HUGE)]), 1)
    assert do(memory, Action.HUGEPAGE, (1, HUGE)).applied.tolist() == [0]


def test_nohugepage() -> None:
    """Huge pages that are not wanted any more become small ones."""
    machine = Machine([process(HUGE)])
    memory = ProcessMemory(machine, 1)
    do(memory, Action.HUGEPAGE, (0, HUGE))
    do(memory, Action.NOHUGEPAGE, (0, HUGE))
    assert machine.pages.nr_huge == 0


def test_huge_page_shares_one_mark() -> None:
    """In a huge page every address is accessed as soon as one of its pages is."""
    machine = Machine([process(2 * HUGE, {5: [7]})])
    memory = ProcessMemory(machine, 1)
    [mapping] = memory.mappings(0)
    addresses = mapping.start + np.array([[7, 8, HUGE + 7]]) * PAGE
    window = np.array([[0]]), np.array([[10]])
    assert memory.accessed(addresses, *window).tolist() == [[True, False, False]]
    do(memory, Action.HUGEPAGE, (0, 2 * HUGE))
    assert memory.accessed(addresses, *window).tolist() == [[True, True, False]]


def test_migration_moves_what_is_elsewhere() -> None:
    """Pages move to the target node; those already there are skipped."""
    machine = Machine([process(10)], nodes=[Node(capacity=MIB), Node(capacity=MIB)])
    memory = PhysicalMemory(machine)
    assert do(memory, Action.MIGRATE_COLD, (0, 4), target_nid=1).applied.tolist() == [4 * PAGE]
    assert do(memory, Action.MIGRATE_COLD, (0, 6), target_nid=1).applied.tolist() == [2 * PAGE]
    assert machine.pages.nr_resident[:, 0].tolist() == [4, 6]


@pytest.mark.parametrize("nid", [-1, 2, 99])
def test_migration_to_nowhere(nid: int) -> None:
    """A node that there is not takes nothing."""
    machine = Machine([process(10)], nodes=[Node(capacity=MIB), Node(capacity=MIB)])
    done = do(PhysicalMemory(machine), Action.MIGRATE_COLD, (0, 4), target_nid=nid)
    assert done.applied.tolist() == [0]


def test_migration_stops_when_a_node_is_full() -> None:
    """No more pages move than the target node has room for."""
    nodes = [Node(capacity=MIB), Node(capacity=3 * PAGE)]
    machine = Machine([process(10)], nodes=nodes)
    done = do(PhysicalMemory(machine), Action.MIGRATE_COLD, (0, 10), target_nid=1)
    assert done.applied.tolist() == [3 * PAGE]


def test_migration_by_weight() -> None:
    """With several destinations pages are dealt out by weight."""
    nodes = [Node(capacity=MIB), Node(capacity=MIB), Node(capacity=MIB)]
    machine = Machine([process(10)], nodes=nodes)
    dests = (Dest(1, 1), Dest(2, 4))
    do(ProcessMemory(machine, 1), Action.MIGRATE_HOT, (0, 10), dests=dests)
    assert machine.pages.nr_resident[:, 0].tolist() == [0, 2, 8]


def test_migration_takes_as_long_as_the_slowest_node() -> None:
    """Moving pages takes their price, and their bytes at the pace of the slower node."""
    nodes = [Node(capacity=MIB, bandwidth=10**9), Node(capacity=MIB, bandwidth=10**6)]
    machine = Machine([process(10)], nodes=nodes)
    done = do(PhysicalMemory(machine), Action.MIGRATE_COLD, (0, 4), target_nid=1)
    costs = machine.costs
    own = costs.action_ns + 4 * (costs.walk_page_ns + costs.migrate_page_ns)
    assert done.elapsed_ns == own + 4 * PAGE * 1000


def test_migration_without_weight() -> None:
    """Destinations whose weights are all 0 take nothing."""
    machine = Machine([process(10)], nodes=[Node(capacity=MIB), Node(capacity=MIB)])
    done = do(ProcessMemory(machine, 1), Action.MIGRATE_HOT, (0, 10), dests=(Dest(1, 0),))
    assert done.applied.tolist() == [0]


def test_stat_counts_and_changes_nothing() -> None:
    """Counting leaves memory as it is and says what passed."""
    machine = Machine([process(10)])
    before = machine.pages.flags.copy()
    assert do(PhysicalMemory(machine), Action.STAT, (2, 5)).passed.tolist() == [3 * PAGE]
    assert (machine.pages.flags == before).all()


@pytest.mark.parametrize("action", sorted(frozenset(Action) - PHYSICAL))
def test_unsupported_on_physical_memory(action: Action) -> None:
    """Actions on virtual memory only are tried on physical memory, and do nothing (7.1)."""
    done = do(PhysicalMemory(Machine([process(10)])), action, (0, 10))
    assert (done.applied.tolist(), done.passed.tolist()) == ([0], [0])


@pytest.mark.parametrize("action", sorted(frozenset(Action) - VIRTUAL))
def test_unsupported_on_virtual_memory(action: Action) -> None:
    """Actions on physical memory only are tried on virtual memory, and do nothing (7.1)."""
    done = do(ProcessMemory(Machine([process(10)]), 1), action, (0, 10))
    assert done.applied.tolist() == [0]


def test_physical_pageout_spares_young_pages() -> None:
    """Physical pageout leaves out pages touched since the last look, once."""
    memory = PhysicalMemory(Machine([process(10, {50: [2, 3]})]))
    assert do(memory, Action.PAGEOUT, (0, 10), now_us=100_000).applied.tolist() == [8 * PAGE]
    assert do(memory, Action.PAGEOUT, (0, 10), now_us=200_000).applied.tolist() == [2 * PAGE]


def test_virtual_pageout_spares_nothing() -> None:
    """Virtual pageout is advice about the range, young or not."""
    memory = ProcessMemory(Machine([process(10, {50: [2, 3]})]), 1)
    assert do(memory, Action.PAGEOUT, (0, 10), now_us=100_000).applied.tolist() == [10 * PAGE]


def test_scheme_decides_about_young_pages() -> None:
    """A scheme with a young filter of its own is not given the implicit one."""
    memory = PhysicalMemory(Machine([process(10, {50: [2, 3]})]))
    only_young = (Filter(FilterType.YOUNG, matching=True, allow=True),)
    done = do(memory, Action.PAGEOUT, (0, 10), filters=only_young, now_us=100_000)
    assert done.applied.tolist() == [2 * PAGE]


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        (Filter(FilterType.ANON, matching=True), 6),
        (Filter(FilterType.ANON, matching=False), 4),
        (Filter(FilterType.ANON, matching=True, allow=True), 4),
        (Filter(FilterType.MEMCG, matching=True, memcg_path="/b"), 4),
        (Filter(FilterType.MEMCG, matching=True, memcg_path="/none"), 10),
        (Filter(FilterType.UNMAPPED, matching=True), 10),
        (Filter(FilterType.ACTIVE, matching=True), 9),
        (Filter(FilterType.HUGEPAGE_SIZE, hugepage_size=SizeBounds(0, 4096)), 0),
        (Filter(FilterType.HUGEPAGE_SIZE, hugepage_size=SizeBounds(4097)), 10),
        (Filter(FilterType.ADDR, address_range="0-4096"), 10),
    ],
)
def test_filters(each: Filter, expected: int) -> None:
    """A filter leaves out the pages that its type and direction say (core 7.7)."""
    machine = Machine([process(4, memcg="/a"), process(6, pid=2, memcg="/b", is_anon=False)])
    memory = PhysicalMemory(machine)
    do(memory, Action.LRU_PRIO, (0, 1))
    assert do(memory, Action.STAT, (0, 10), filters=(each,)).passed.tolist() == [expected * PAGE]


def test_first_filter_that_hits_decides() -> None:
    """E39: allow anon, reject young: anonymous pages pass, young or not; old files pass."""
    processes = [process(4, {50: [0]}), process(6, {50: [0]}, pid=2, is_anon=False)]
    filters = (
        Filter(FilterType.ANON, matching=True, allow=True),
        Filter(FilterType.YOUNG, matching=True),
    )
    memory = PhysicalMemory(Machine(processes))
    done = do(memory, Action.STAT, (0, 10), filters=filters, now_us=100_000)
    assert done.passed.tolist() == [9 * PAGE]


def test_bypassed_ranges_are_not_filtered() -> None:
    """Where a core filter has allowed a region, page filters do not apply."""
    memory = PhysicalMemory(Machine([process(10)]))
    done = do(memory, Action.STAT, (0, 10), filters=(REJECT_ANON,), bypass=True)
    assert done.passed.tolist() == [10 * PAGE]


def test_absent_pages_pass_nothing() -> None:
    """Pages that are not in memory neither pass nor are acted on."""
    machine = Machine([process(10)])
    do(ProcessMemory(machine, 1), Action.PAGEOUT, (0, 7))
    assert do(PhysicalMemory(machine), Action.STAT, (0, 10)).passed.tolist() == [3 * PAGE]


def test_actions_cost_work() -> None:
    """An action takes time per request, per page looked at and per page it is done to."""
    machine = Machine([process(10)])
    costs = machine.costs
    done = do(ProcessMemory(machine, 1), Action.PAGEOUT, (0, 4), (6, 8))
    expected = 2 * costs.action_ns + 6 * (costs.walk_page_ns + costs.pageout_page_ns)
    assert done.elapsed_ns == machine.account.work_ns == expected


def test_every_action_has_a_price() -> None:
    """Every action costs something per page, except counting."""
    costs = Machine([process(1)]).costs
    free = [action for action in Action if not costs.page_ns(action)]
    assert free == [Action.STAT]


def test_bits_are_distinct() -> None:
    """What is known of a page takes a bit each."""
    bits = [Bit.RESIDENT, Bit.USED, Bit.ANON, Bit.MAPPED, Bit.ACTIVE, Bit.HUGE]
    assert sum(bits) == 2 ** len(bits) - 1
