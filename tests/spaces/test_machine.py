"""Machines: what is in memory, what comes back, and what that costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from damon_async.errors import InvalidError
from damon_async.params.keywords import Action, GoalMetric, WatermarkMetric
from damon_async.spaces.costs import CostModel, Node
from damon_async.spaces.frames import Process
from damon_async.spaces.generators import Hotspot
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_metrics import MachineMetrics
from damon_async.spaces.machine_views import PhysicalMemory, ProcessMemory
from damon_async.spaces.pages import PAGE, Bit, Pages

from .machines import MIB, Touched, do, process, resident

NO_COST = CostModel(fault_ns=0, refault_ns=0, reclaim_page_ns=0)


def test_starts_full() -> None:
    """All memory of the processes is resident at first, with a quarter left free."""
    machine = Machine([process(80)])
    assert machine.resident_bytes == 80 * PAGE
    assert machine.account.free_bytes == 20 * PAGE


def test_starts_empty() -> None:
    """On a machine that is not populated, a page takes memory from its first touch on."""
    machine = Machine([process(10, {500: [3, 4]})], is_populated=False)
    assert machine.resident_bytes == 0
    account = machine.settle(1000)
    assert (account.nr_faults, account.nr_refaults) == (2, 0)
    assert machine.resident_bytes == 2 * PAGE


def test_touch_brings_a_page_back() -> None:
    """A page that is touched after it was paged out is a refault, and costs a stall."""
    machine = Machine([process(10, {500: [3]})])
    do(ProcessMemory(machine, 1), Action.PAGEOUT, (0, 5))
    assert resident(ProcessMemory(machine, 1)) == [5, 6, 7, 8, 9]
    account = machine.settle(1000)
    assert resident(ProcessMemory(machine, 1)) == [3, 5, 6, 7, 8, 9]
    assert account.nr_refaults == 1
    assert account.stall_ns == machine.costs.refault_ns


def test_touches_before_an_action_count_first() -> None:
    """A page that was touched before it is paged out stays out."""
    machine = Machine([process(10, {500: [3]})])
    do(ProcessMemory(machine, 1), Action.PAGEOUT, (0, 5), now_us=600)
    assert machine.settle(1000).nr_refaults == 0


def test_settling_twice_changes_nothing() -> None:
    """Settling at the same instant again finds nothing more to do."""
    machine = Machine([process(10, {500: [3]})])
    do(ProcessMemory(machine, 1), Action.PAGEOUT, (0, 5))
    assert machine.settle(1000) == machine.settle(1000)


def test_history_has_every_settled_instant() -> None:
    """The history holds one account per instant that was settled."""
    machine = Machine([process(10)])
    machine.settle(1000)
    machine.settle(2000)
    assert [account.time_us for account in machine.history] == [0, 1000, 2000]


def test_room_is_made() -> None:
    """A node smaller than its memory pages out what does not fit, and charges for it."""
    machine = Machine([process(10)], nodes=[Node(capacity=6 * PAGE)])
    assert machine.resident_bytes == 6 * PAGE
    assert machine.account.nr_reclaimed == 4
    assert machine.account.stall_ns == 4 * machine.costs.reclaim_page_ns


def test_room_is_made_of_untouched_pages() -> None:
    """What was touched lately stays; what was not goes first."""
    machine = Machine(
        [process(10, {500: [0, 1, 2]})], nodes=[Node(capacity=10 * PAGE)], costs=NO_COST
    )
    do(ProcessMemory(machine, 1), Action.PAGEOUT, (0, 3))
    machine.nodes = (Node(capacity=8 * PAGE),)
    machine.settle(1000)
    assert resident(ProcessMemory(machine, 1))[:3] == [0, 1, 2]
    assert machine.resident_bytes == 8 * PAGE


def test_active_pages_go_last() -> None:
    """To make room, inactive pages leave before active ones."""
    machine = Machine([process(10)], nodes=[Node(capacity=10 * PAGE)])
    do(PhysicalMemory(machine), Action.LRU_PRIO, (0, 5))
    machine.nodes = (Node(capacity=5 * PAGE),)
    machine.settle(1000)
    assert resident(ProcessMemory(machine, 1)) == [0, 1, 2, 3, 4]


def test_slow_node_costs_latency() -> None:
    """Touches on a node slower than the fastest one stall by the difference."""
    nodes = [Node(capacity=MIB, latency_ns=100), Node(capacity=MIB, latency_ns=350)]
    touches = {time: [0] for time in range(0, 20_000, 1000)}
    machine = Machine([process(4, touches, node=1)], nodes=nodes)
    account = machine.settle(20_000)
    assert account.stall_ns == 250 * 20 * machine.costs.touches_per_ms


def test_pid_given_twice() -> None:
    """Two processes with the same pid are refused."""
    with pytest.raises(InvalidError, match="pid 1 is given twice"):
        Machine([process(1), process(1)])


def test_no_process() -> None:
    """A machine without processes is refused."""
    with pytest.raises(InvalidError, match="at least one process with mapped memory"):
        Machine([])


def test_unknown_node() -> None:
    """A process on a node that there is not is refused."""
    with pytest.raises(InvalidError, match="pid 1 is on node 3; there are 1"):
        Machine([process(1, node=3)])


def test_unknown_process() -> None:
    """The memory of a process that there is not cannot be had."""
    with pytest.raises(InvalidError, match=r"no process 7 on this machine; it has \[1\]"):
        ProcessMemory(Machine([process(1)]), 7)


def test_physical_memory_holds_all_processes() -> None:
    """Physical memory is one range from 4 GiB on, process after process."""
    machine = Machine([process(4, {5: [1]}, pid=1), process(6, {5: [2]}, pid=2)])
    memory = PhysicalMemory(machine)
    [mapping] = memory.mappings(0)
    assert (mapping.start, mapping.end) == (1 << 32, (1 << 32) + 10 * PAGE)
    addresses = np.arange(mapping.start, mapping.end, PAGE)[None, :]
    found = memory.accessed(addresses, np.array([[0]]), np.array([[10]]))
    assert np.flatnonzero(found[0]).tolist() == [1, 4 + 2]


def test_physical_truth_equals_accessed() -> None:
    """The truth of physical memory is that of the processes, page by page."""
    machine = Machine([process(4, {5: [1]}, pid=1), process(6, {5: [2], 7: [2]}, pid=2)])
    [mapping] = PhysicalMemory(machine).mappings(0)
    truth = PhysicalMemory(machine).truth(mapping.start - PAGE, mapping.end, np.array([0, 6, 9]))
    pages = np.repeat(truth.counts, np.diff(truth.bounds) // PAGE)
    assert pages.tolist() == [0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0]
    assert truth.bounds[-1] == mapping.end


def test_outside_physical_memory_nothing_happens() -> None:
    """Addresses that no memory is behind are not accessed, and actions pass them by."""
    memory = PhysicalMemory(Machine([process(4, {5: [0, 1, 2, 3]})]))
    found = memory.accessed(np.array([[0, 1 << 40]]), np.array([[0]]), np.array([[10]]))
    assert not found.any()
    assert do(memory, Action.PAGEOUT, (-100, -50), (100, 200)).applied.tolist() == [0, 0]


def test_free_rate() -> None:
    """The free rate is the permil of all memory that is not used."""
    machine = Machine([process(60)], nodes=[Node(capacity=80 * PAGE)])
    metrics = MachineMetrics(machine)
    rate = metrics.value(WatermarkMetric.FREE_MEM_RATE, nid=None, memcg_path=None, now_us=0)
    assert rate == 250


@pytest.mark.parametrize(
    ("metric", "nid", "memcg", "expected"),
    [
        (GoalMetric.NODE_MEM_USED_BP, 0, None, 5000),
        (GoalMetric.NODE_MEM_FREE_BP, 0, None, 5000),
        (GoalMetric.NODE_MEM_USED_BP, 9, None, 0),
        (GoalMetric.NODE_MEM_FREE_BP, 9, None, 10_000),
        (GoalMetric.NODE_MEMCG_USED_BP, 0, "/b", 2000),
        (GoalMetric.NODE_MEMCG_FREE_BP, 0, "/b", 8000),
        (GoalMetric.NODE_MEMCG_USED_BP, 0, "/none", 0),
        (GoalMetric.NODE_MEMCG_FREE_BP, 0, "/none", 10_000),
        (GoalMetric.ACTIVE_MEM_BP, None, None, 4000),
        (GoalMetric.INACTIVE_MEM_BP, None, None, 6000),
        (GoalMetric.HUGEPAGE_MEM_BP, None, None, 0),
        (GoalMetric.SOME_MEM_PSI_US, None, None, 0),
        (GoalMetric.USER_INPUT, None, None, 0),
    ],
)
def test_goal_metrics(
    metric: GoalMetric, nid: int | None, memcg: str | None, expected: int
) -> None:
    """Every goal metric is the share that the kernel's formula says (core 7.8)."""
    processes = [process(30, memcg="/a"), process(20, pid=2, memcg="/b")]
    machine = Machine(processes, nodes=[Node(capacity=100 * PAGE)])
    do(PhysicalMemory(machine), Action.LRU_PRIO, (0, 20))
    metrics = MachineMetrics(machine)
    assert metrics.value(metric, nid=nid, memcg_path=memcg, now_us=0) == expected


def test_bytes_on_nodes() -> None:
    """Resident bytes of physical ranges are told node by node."""
    nodes = [Node(capacity=MIB), Node(capacity=MIB)]
    machine = Machine([process(4), process(6, pid=2, node=1)], nodes=nodes)
    start = 1 << 32
    ranges = np.array([[start, start + 2 * PAGE], [start + 3 * PAGE, start + 7 * PAGE]])
    assert MachineMetrics(machine).sz_on_nodes(ranges) == {0: 3 * PAGE, 1: 3 * PAGE}


def test_zones() -> None:
    """Each node has one zone, which says how much of it is free."""
    nodes = [Node(capacity=10 * PAGE), Node(capacity=20 * PAGE)]
    machine = Machine([process(4), process(6, pid=2, node=1)], nodes=nodes)
    found = [(zone.nid, zone.name, zone.capacity, zone.free) for zone in machine.zones()]
    assert found == [(0, "Normal", 10 * PAGE, 6 * PAGE), (1, "Normal", 20 * PAGE, 14 * PAGE)]


def test_large_machine_is_small() -> None:
    """64 GiB take three bytes per page, and idle memory costs nothing to settle."""
    space = Hotspot(size=64 << 30, hot=1 << 30).space()
    machine = Machine([Process(1, space)])
    size = sum(each.nbytes for each in (machine.pages.flags, machine.pages.node))
    assert size <= 2 * (machine.frames.nr_pages + 1)
    assert machine.settle(1_000_000).nr_refaults == 0


def test_reprs_tell_the_state() -> None:
    """Machines and their views print what they are."""
    machine = Machine([process(4)])
    assert repr(machine) == "<Machine 1 processes, 1 nodes, <Pages 4 of 4 in memory>>"
    assert repr(ProcessMemory(machine, 1)).startswith("<ProcessMemory 1 on <Machine")
    assert repr(PhysicalMemory(machine)).startswith("<PhysicalMemory of <Machine")
    assert repr(MachineMetrics(machine)).startswith("<MachineMetrics of <Machine")


def recount(pages: Pages) -> tuple[int, int, int]:
    """Count resident, active and huge pages from scratch."""
    flags = pages.flags[(pages.flags & Bit.RESIDENT) > 0]
    return len(flags), int((flags & Bit.ACTIVE > 0).sum()), int((flags & Bit.HUGE > 0).sum())


ACTIONS = st.tuples(
    st.sampled_from([action for action in Action if not action.is_migration]),
    st.integers(0, 1500),
    st.integers(0, 1500),
)


@settings(max_examples=25)
@given(actions=st.lists(ACTIONS, max_size=12), is_physical=st.booleans())
def test_sums_stay_true(actions: list[tuple[Action, int, int]], *, is_physical: bool) -> None:
    """After any actions the sums kept equal what a fresh count finds."""
    touches = {time: list(range(time % 700, time % 700 + 40)) for time in range(50, 1300, 100)}
    machine = Machine([process(1500, touches)], nodes=[Node(capacity=1200 * PAGE)])
    memory = PhysicalMemory(machine) if is_physical else ProcessMemory(machine, 1)
    for number, (action, low, high) in enumerate(actions, start=1):
        do(memory, action, (min(low, high), max(low, high)), now_us=100 * number)
    pages = machine.pages
    found = (int(pages.nr_resident.sum()), pages.nr_active, pages.nr_huge)
    assert found == recount(pages)


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(1, 1400), max_size=6, unique=True))
def test_no_touch_is_lost(cuts: list[int]) -> None:
    """However often it is settled in between, the same pages come back."""
    touches = {time: [time % 97, time % 89] for time in range(0, 1500, 7)}
    machine = Machine([Process(1, Touched(100, touches))])
    do(ProcessMemory(machine, 1), Action.PAGEOUT, (0, 100))
    for cut in sorted(cuts):
        machine.settle(cut)
    machine.settle(1500)
    touched = {page for pages in touches.values() for page in pages}
    assert set(resident(ProcessMemory(machine, 1))) == touched
    assert machine.account.nr_refaults == len(touched)
