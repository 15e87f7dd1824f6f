from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import BoolArray, IntArray
from damon_async.errors import InvalidError
from damon_async.monitor.sampling import Sampler
from damon_async.operations.fvaddr import Fvaddr
from damon_async.params.monitoring import Target
from damon_async.regions.table import RegionTable

from .doubles import PAGE, Blinking, Still

GIB = 2**30
TIB = 2**40


@dataclass
class Witness(Fvaddr):
    """Writes down every sampled address and finds none of them accessed."""

    seen: list[IntArray] = field(default_factory=list)

    def accessed(
        self, target: Target, addresses: IntArray, since_us: IntArray, until_us: IntArray
    ) -> BoolArray:
        """Remember the addresses."""
        self.seen.append(addresses.copy())
        return np.zeros(addresses.shape, np.bool_)


def regions(*bounds: tuple[int, int], target: int = 0) -> RegionTable:
    """Return fresh regions with bounds in bytes."""
    return RegionTable.from_ranges(np.array(bounds, np.int64).reshape(-1, 2), target)


def ticks(nr_ticks: int, first: int = 0) -> tuple[IntArray, IntArray]:
    """Return the intervals of some ticks of 5 ms."""
    since = 5_000 * np.arange(first, first + nr_ticks)[:, None]
    return since, since + 5_000


def sampled(table: RegionTable, nr_ticks: int, seed: int = 0) -> IntArray:
    """Return the addresses sampled in some ticks, one column per region."""
    witness = Witness()
    sampler = Sampler(witness, np.random.default_rng(seed))
    sampler.sample(table, [Target(space=Still())], *ticks(nr_ticks))
    return np.concatenate(witness.seen)


@pytest.mark.parametrize("size", [PAGE, 5 * GIB, 16 * TIB, 2**62])
def test_p9_draws_cover_the_whole_region(size: int) -> None:
    """P9: sampled addresses are spread evenly, however large the region."""
    start = 3 * PAGE
    found = (sampled(regions((start, start + size)), 4000)[:, 0] - start) / size
    shares, _ = np.histogram(found, bins=10, range=(0, 1))
    assert shares.sum() == 4000
    assert shares.min() > 320
    assert shares.max() < 480


def test_p9_draws_reach_every_page() -> None:
    """P9: even low bits of addresses in a huge region vary."""
    found = sampled(regions((0, 16 * TIB)), 2000)[:, 0]
    assert len(np.unique(found)) == 2000
    assert len(np.unique(found // PAGE % 256)) == 256


@given(
    sizes=st.lists(st.integers(1, 2**50) | st.integers(2**61, 2**61 + 9), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
)
def test_draws_stay_inside(sizes: list[int], seed: int) -> None:
    """Every sampled address lies within its region."""
    bounds, position = [], 0
    for size in sizes:
        bounds.append((position, position + size))
        position += size
    table = regions(*bounds)
    found = sampled(table, 50, seed)
    assert (found >= table.start).all()
    assert (found < table.end).all()


class Topmost(np.random.Generator):
    """Draws nothing but the largest number below 1."""

    def random(self, size: Any = None, *_: Any, **__: Any) -> Any:
        """Return that number in the shape asked for."""
        return np.full(size, np.nextafter(1.0, 0.0))


@pytest.mark.parametrize("size", [1, PAGE, 2**52 + 1, 2**53, 2**60 + 3, 2**61 + 300, 2**63 - 1])
def test_the_largest_draw_stays_inside(size: int) -> None:
    """Even the largest draw, rounded up as floats are, lies within its region."""
    witness = Witness()
    sampler = Sampler(witness, Topmost(np.random.PCG64()))
    sampler.sample(regions((0, size)), [Target(space=Still())], *ticks(1))
    assert 0 <= witness.seen[0][0, 0] < size


def test_regions_are_drawn_independently() -> None:
    """Regions of one tick are not sampled at the same place."""
    found = sampled(regions((0, GIB), (GIB, 2 * GIB)), 500) % GIB
    assert abs(np.atleast_2d(np.corrcoef(found.T))[0, 1]) < 0.2


def test_windows_and_ticks_draw_alike() -> None:
    """A window makes the same draws as its ticks one by one."""
    table = regions((0, GIB), (GIB, 3 * GIB))
    one, many = Witness(), Witness()
    target = Target(space=Still())
    sampler = Sampler(one, np.random.default_rng(5))
    sampler.sample(table, [target], *ticks(20))
    sampler = Sampler(many, np.random.default_rng(5))
    for tick in range(20):
        sampler.sample(table, [target], *ticks(1, tick))
    assert np.array_equal(one.seen[0], np.concatenate(many.seen))


def test_windows_and_ticks_count_alike() -> None:
    """A window counts what its ticks count one by one."""
    one, many = (
        regions((0, 400 * PAGE), (400 * PAGE, GIB)),
        regions((0, 400 * PAGE), (400 * PAGE, GIB)),
    )
    target = Target(space=Blinking())
    sampler = Sampler(Fvaddr(), np.random.default_rng(5))
    sampler.sample(one, [target], *ticks(20))
    sampler = Sampler(Fvaddr(), np.random.default_rng(5))
    for tick in range(20):
        sampler.sample(many, [target], *ticks(1, tick))
    assert one.nr_accesses.sum() > 0
    assert np.array_equal(one.cells, many.cells)


def test_counts_add_up() -> None:
    """Counts grow by the number of ticks found accessed, and nothing else changes."""
    table = regions((0, PAGE), (PAGE, 2 * PAGE))
    table.nr_accesses[:] = [3, 5]
    sampler = Sampler(Fvaddr(), np.random.default_rng(0))
    sampler.sample(table, [Target(space=Still(hot=[(0, 1)]))], *ticks(7))
    assert table.cells.T.tolist() == [[0, 0, PAGE, 10, 0, 0], [0, PAGE, 2 * PAGE, 5, 0, 0]]


def test_targets_are_asked_apart() -> None:
    """Every target with regions is asked about its own."""
    hot, cold, empty = Still(hot=[(0, 9)]), Still(), Still(hot=[(0, 9)])
    table = RegionTable.joined([regions((0, PAGE)), regions((0, PAGE), (PAGE, 3 * PAGE), target=2)])
    targets = [Target(space=space) for space in (hot, empty, cold)]
    Sampler(Fvaddr(), np.random.default_rng(0)).sample(table, targets, *ticks(4))
    assert table.nr_accesses.tolist() == [4, 0, 0]
    assert len(hot.asked) == len(cold.asked) == 1
    assert empty.asked == []


def test_nothing_is_asked_without_regions() -> None:
    """A target without regions is not asked at all."""
    space = Still()
    sampler = Sampler(Fvaddr(), np.random.default_rng(0))
    sampler.sample(RegionTable(), [Target(space=space)], *ticks(4))
    sampler.sample(RegionTable(), [], *ticks(4))
    assert space.asked == []


def test_new_bounds_are_noticed() -> None:
    """What was computed for an older table is not used for a newer one."""
    witness = Witness()
    sampler = Sampler(witness, np.random.default_rng(0))
    table = regions((0, PAGE))
    sampler.sample(table, [Target(space=Still())], *ticks(1))
    table.cells = regions((GIB, GIB + PAGE), (GIB + PAGE, 2 * GIB)).cells
    sampler.sample(table, [Target(space=Still())], *ticks(1))
    assert witness.seen[1].shape == (1, 2)
    assert (witness.seen[1] >= GIB).all()


def test_new_targets_are_noticed_once_told() -> None:
    """After ``forget`` other targets may have the same regions."""
    first, second = Still(), Still()
    table = regions((0, PAGE))
    sampler = Sampler(Fvaddr(), np.random.default_rng(0))
    sampler.sample(table, [Target(space=first)], *ticks(1))
    sampler.forget()
    sampler.sample(table, [Target(space=second)], *ticks(1))
    assert len(first.asked) == len(second.asked) == 1


class Careless(Fvaddr):
    """Answers for the last interval only."""

    def accessed(
        self, target: Target, addresses: IntArray, since_us: IntArray, until_us: IntArray
    ) -> BoolArray:
        """Drop all rows but one."""
        return super().accessed(target, addresses, since_us, until_us)[-1, :]


def test_misshapen_answers_are_refused() -> None:
    """An operations set must answer for every address in every interval."""
    sampler = Sampler(Careless(), np.random.default_rng(0))
    with pytest.raises(InvalidError, match=r"answered in shape \(1,\) about .* of shape \(4, 1\)"):
        sampler.sample(regions((0, PAGE)), [Target(space=Still())], *ticks(4))


def test_p8_answers_are_never_reused() -> None:
    """P8: a region inside one huge page is asked about anew in every tick."""
    space = Still(hot=[(0, 1)], page_size=512 * PAGE)
    table = regions((PAGE, 2 * PAGE))
    sampler = Sampler(Fvaddr(), np.random.default_rng(0))
    target = Target(space=space)
    for tick in range(4):
        sampler.sample(table, [target], *ticks(1, tick))
        space.hot = [] if tick % 2 == 0 else [(0, 1)]
    assert len(space.asked) == 4
    assert table.nr_accesses.tolist() == [2]
