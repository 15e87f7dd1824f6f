"""What the programs of the kernel's selftests touch, and when."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.errors import ParametersError
from damon_async.operations.vaddr import three_ranges
from damon_async.processes.access_memory import AccessMemory

MS = 1000


def program(nr_regions: int, size: int, length_ms: int | None = None) -> AccessMemory:
    """Return what a program with these arguments does."""
    return AccessMemory(nr_regions=nr_regions, size=size, length_ms=length_ms)


def hot(memory: AccessMemory, now_ms: int) -> list[int]:
    """Return the regions that are touched in a millisecond, by their first and last pages."""
    space = memory.space()
    named = {each.name: each for each in space.mappings(0)}
    regions = [named[f"region {index}"] for index in range(memory.nr_regions)]
    ends = [address for each in regions for address in (each.start, each.end - 1)]
    since = np.array([[now_ms * MS]])
    found = space.accessed(np.array([ends]), since, since + MS)[0].reshape(-1, 2)
    assert (found[:, 0] == found[:, 1]).all()
    return np.flatnonzero(found[:, 0]).tolist()


@pytest.mark.parametrize(
    ("now_ms", "regions"), [(0, [0]), (1999, [0]), (2000, [1]), (4500, [2]), (6000, [])]
)
def test_one_after_the_other(now_ms: int, regions: list[int]) -> None:
    """Each region is accessed for its time, and then no more."""
    assert hot(program(3, 10_000_000, 2000), now_ms) == regions


def test_it_ends_after_the_last() -> None:
    """The program ends when each region has had its turn."""
    assert program(3, 4096, 2000).space().lifetime_us == 6000 * MS


@pytest.mark.parametrize("now_ms", [0, 5000, 10**9])
def test_every_second_for_ever(now_ms: int) -> None:
    """Without a time, regions 0, 2, 4 and so on are accessed for ever."""
    memory = program(5, 10_000_000)
    assert hot(memory, now_ms) == [0, 2, 4]
    assert memory.space().lifetime_us is None


def test_truth_is_exact() -> None:
    """The truth of a turn is one region, to the page."""
    space = program(2, 8192, 10).space()
    named = {each.name: each for each in space.mappings(0)}
    low, high = named["region 1"], named["region 0"]
    truth = space.truth(low.start, high.end, np.arange(0, 21 * MS, MS))
    assert truth.bounds.tolist() == [low.start, high.end]
    assert truth.counts.tolist() == [10]
    first = space.truth(low.start, high.end, np.arange(0, 11 * MS, MS))
    assert first.counts.tolist() == [0, 10]


def test_it_looks_like_a_process() -> None:
    """The regions adjoin, between a heap and a stack."""
    space = program(14, 10 * 1024**2).space()
    ranges = three_ranges(space.mappings(0), 4096)
    assert ranges is not None
    assert np.diff(ranges[1]).tolist() == [140 * 1024**2]


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [
        ((0, 4096, 1), "nr_regions"),
        ((1025, 4096, 1), "nr_regions"),
        ((1, 0, 1), "size"),
        ((1, 2**60, 1), "size"),
        ((1, 4096, 0), "length_ms"),
    ],
)
def test_impossible_numbers(numbers: tuple[int, int, int], wrong: str) -> None:
    """What no program could do is refused."""
    with pytest.raises(ParametersError, match=wrong):
        program(*numbers)
