from __future__ import annotations

import errno

import pytest

from damon_async.control.dbgfs_context import PHYSICAL_ID, DebugContext, DebugScheme, DebugTarget
from damon_async.control.dbgfs_text import SchemeNumbers, SchemesFormat, Triple
from damon_async.params.monitoring import Ops
from damon_async.schemes.stats import SchemeStats

from .consoles import Memory
from .debug_consoles import open_debug

NUMBERS = SchemeNumbers(0, 9, 0, 9, 0, 9, 5)


def context(*ids: int) -> DebugContext:
    """Return a context with processes as targets."""
    made = DebugContext()
    made.set_targets(Ops.VADDR, [DebugTarget(each, Memory()) for each in ids])
    return made


def test_new_contexts() -> None:
    """A context begins with the defaults of the interface, and with nothing to do."""
    fresh = DebugContext()
    assert fresh.ops is Ops.VADDR
    assert fresh.attrs == (5_000, 100_000, 60_000_000, 10, 1_000)
    assert (fresh.targets, fresh.schemes_text(SchemesFormat.E)) == ([], b"")
    assert repr(fresh) == "<DebugContext vaddr, 0 targets, idle>"
    fresh.check_idle()
    assert fresh.parameters().targets == ()


def test_regions_by_index_and_id() -> None:
    """Targets of regions are called by index, or by id as once was usual."""
    made = context(7, 5)
    made.set_regions([Triple(1, 0, 10), Triple(0, 0, 10)], is_by_id=False)
    assert made.triples(is_by_id=False) == [(0, 0, 10), (1, 0, 10)]
    assert made.triples(is_by_id=True) == [(7, 0, 10), (5, 0, 10)]
    made.set_regions([Triple(5, 1, 2)], is_by_id=True)
    assert made.triples(is_by_id=False) == [(1, 1, 2)]


@pytest.mark.parametrize("bad", [(2, 0, 1), (-1, 0, 1), (0, 5, 5), (0, 6, 5), (0, 0, 11)])
def test_regions_that_are_refused(bad: tuple[int, int, int]) -> None:
    """One wrong region leaves no target with any (4.3)."""
    made = context(7, 5)
    triples = [Triple(1, 0, 10), Triple(0, 10, 20), Triple(*bad)]
    with pytest.raises(OSError, match=r"no target|empty") as raised:
        made.set_regions(triples, is_by_id=False)
    assert raised.value.errno == errno.EINVAL
    assert made.triples(is_by_id=False) == []


def test_targets_of_one_id() -> None:
    """A process may be a target twice; by id its regions are the first one's."""
    made = context(7, 7)
    made.set_regions([Triple(7, 0, 10)], is_by_id=True)
    assert [target.regions for target in made.targets] == [[(0, 10)], []]


def test_statistics_add_up() -> None:
    """What is shown is all runs together; those before are not changed by looking."""
    scheme = DebugScheme(NUMBERS, [1, 2, 3, 4, 5])
    running = SchemeStats(nr_tried=10, sz_tried=20, nr_applied=30, sz_applied=40, qt_exceeds=50)
    assert scheme.stats_with(running) == [11, 22, 33, 44, 55]
    assert scheme.stats_with(None) == scheme.stats == [1, 2, 3, 4, 5]


def test_parameters_of_physical_memory() -> None:
    """Physical memory has no process id, and its name is that of the interface only."""
    made = DebugContext()
    made.set_targets(Ops.PADDR, [DebugTarget(PHYSICAL_ID, Memory())])
    made.set_schemes([NUMBERS])
    parameters = made.parameters()
    assert parameters.ops is Ops.PADDR
    assert [target.pid for target in parameters.targets] == [None]
    assert len(parameters.schemes) == 1


def test_what_is_being_started_is_busy() -> None:
    """Between the request and the start nothing can be changed either."""
    made = context(1)
    made.is_starting = True
    with pytest.raises(OSError, match="being started") as raised:
        made.check_idle()
    assert raised.value.errno == errno.EBUSY


async def test_looking_changes_nothing() -> None:
    """What an end leaves behind is seen to by whoever asks for it, not by who prints it."""
    async with open_debug() as console:
        made = context(1)
        [kdamond] = await console.damon.start([made.parameters()], exclusive=True)
        made.adopt(kdamond, 5)
        assert (made.kdamond, made.pid, made.is_running) == (kdamond, 5, True)
        assert repr(made) == "<DebugContext vaddr, 1 targets, running>"
        await console.damon.stop([kdamond])
        assert repr(made) == "<DebugContext vaddr, 1 targets, idle>"
        made.settle()
        assert made.kdamond is None
        assert made.targets == []
