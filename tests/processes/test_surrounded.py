"""Memory that stands alone, made to look like a process."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.operations.vaddr import three_ranges
from damon_async.processes.surrounded import SurroundedSpace, surrounded
from damon_async.spaces.generator_base import Layout
from damon_async.spaces.generators import Stairs
from damon_async.spaces.layout import as_process
from damon_async.spaces.space import Mapping, Space, Truth

from ..spaces.machines import Touched

GIB = 1024**3


class Ranges(Touched):
    """Memory that is mapped where a test wants it."""

    def __init__(self, *ranges: tuple[int, int]) -> None:
        super().__init__(1, {})
        self.ranges = [Mapping(start, end) for start, end in ranges]

    def mappings(self, now_us: int) -> list[Mapping]:
        return self.ranges if now_us < 100 else []


def test_processes_stay_as_they_are() -> None:
    """What has the mappings of a process gets no others."""
    space = Stairs().space()
    assert surrounded(space) is space


def test_flat_memory_gets_three_ranges() -> None:
    """Vaddr finds the memory, and what is below and above it."""
    flat = Stairs(size=GIB, layout=Layout.FLAT).space()
    space = surrounded(flat)
    assert isinstance(space, Space)
    assert space.mappings(0) == sorted([*flat.mappings(0), *as_process(())])
    ranges = three_ranges(space.mappings(0), 4096)
    assert ranges is not None
    assert ranges[0].tolist() == [4 * GIB, 5 * GIB]


def test_nothing_overlaps() -> None:
    """Where the memory lies itself, or close by, nothing is put."""
    binary, heap, stack = as_process(())
    space = SurroundedSpace(Ranges((binary.start, binary.start + 4096), (heap.end, heap.end + 1)))
    assert [each for each in space.mappings(0) if each.name] == [stack]


def test_it_is_over_when_the_memory_is() -> None:
    """Without the memory itself, nothing is mapped."""
    space = SurroundedSpace(Ranges((4096, 8192)))
    assert len(space.mappings(99)) == 4
    assert space.mappings(100) == ()


@pytest.mark.parametrize("duration_us", [0, 5_000_000])
def test_all_else_is_the_memory_s_own(duration_us: int) -> None:
    """Touches, their truth and the end are those of what is surrounded."""
    flat = Stairs(size=GIB, layout=Layout.FLAT, duration_us=duration_us).space()
    space = surrounded(flat)
    addresses = 4 * GIB + np.arange(0, GIB, GIB // 16)[None]
    since = np.array([[6000]])
    instants = np.array([0, 1000])
    assert space.lifetime_us == flat.lifetime_us
    assert space.is_pure
    assert repr(space) == f"<SurroundedSpace {flat!r}>"
    expected = flat.accessed(addresses, since, since + 5000)
    assert (space.accessed(addresses, since, since + 5000) == expected).all()
    truths: list[Truth] = [each.truth(4 * GIB, 5 * GIB, instants) for each in (space, flat)]
    assert truths[0].counts.tolist() == truths[1].counts.tolist()
