from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.operations.vaddr import Vaddr, three_ranges
from damon_async.params.monitoring import Target
from damon_async.spaces.space import Mapping

from ..monitor.doubles import PAGE, Bounds, Still


def ranges_in_pages(*bounds: Bounds, unit: int = PAGE) -> list[list[int]] | None:
    """Return the three ranges of some mappings, all in pages."""
    mappings = [Mapping(start * PAGE, end * PAGE) for start, end in bounds]
    ranges = three_ranges(mappings, unit)
    return None if ranges is None else (ranges // PAGE).tolist()


def test_equal_gaps_keep_their_rank() -> None:
    """Of equal gaps the lower ones are taken."""
    found = ranges_in_pages((0, 1), (3, 4), (6, 7), (9, 10))
    assert found == [[0, 1], [3, 4], [6, 10]]
    many = ranges_in_pages(*((3 * i, 3 * i + 1) for i in range(100)))
    assert many == [[0, 1], [3, 4], [6, 298]]


def test_the_order_of_gaps_does_not_matter() -> None:
    """The three ranges ascend, whichever gap is the larger."""
    assert ranges_in_pages((0, 1), (3, 4), (14, 15)) == [[0, 1], [3, 4], [14, 15]]
    assert ranges_in_pages((0, 1), (11, 12), (14, 15)) == [[0, 1], [11, 12], [14, 15]]


@pytest.mark.parametrize(
    "bounds",
    [(), ((0, 1),), ((0, 1), (5, 6)), ((0, 1), (1, 2), (5, 6)), ((0, 1), (1, 2), (2, 3))],
)
def test_fewer_than_two_gaps(bounds: tuple[Bounds, ...]) -> None:
    """Without two gaps there are no three ranges."""
    assert ranges_in_pages(*bounds) is None


def test_bounds_are_rounded_up() -> None:
    """Every bound is rounded up to a multiple of the smallest region."""
    found = ranges_in_pages((1, 9), (50, 83), (200, 210), unit=4 * PAGE)
    assert found == [[4, 12], [52, 84], [200, 212]]


def test_a_range_may_round_to_nothing() -> None:
    """If rounding leaves a range empty there are no three ranges."""
    assert ranges_in_pages((1, 3), (50, 83), (200, 210), unit=4 * PAGE) is None


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 50)), min_size=1, max_size=30),
)
def test_three_ranges_hold_every_mapping(steps: list[tuple[int, int]]) -> None:
    """Three ranges hold all that is mapped, and leave out the two largest gaps."""
    bounds, position = [], 0
    for gap, size in steps:
        bounds.append((position + gap, position + gap + size))
        position += gap + size
    gaps = sorted(low - high for (_, high), (low, _) in pairwise(bounds))
    found = ranges_in_pages(*bounds)
    if len(gaps) < 2 or gaps[-2] == 0:
        assert found is None
        return
    assert found is not None
    assert all(any(low <= start and end <= high for low, high in found) for start, end in bounds)
    assert sum(high - low for low, high in found) == position - bounds[0][0] - sum(gaps[-2:])


def test_ranges_follow_the_mappings() -> None:
    """Each question reads what is mapped at that time."""
    space = Still(mapped=[(0, 1), (10, 11), (100, 101)])
    target = Target(space=space)
    before = Vaddr().ranges(target, 0, PAGE)
    space.mapped = [(0, 5), (10, 11), (100, 101)]
    after = Vaddr().ranges(target, 1, PAGE)
    assert before is not None
    assert after is not None
    assert (after - before).tolist() == [[0, 4 * PAGE], [0, 0], [0, 0]]
    assert after.dtype == np.int64


def test_a_target_needs_a_space() -> None:
    """A target without a space cannot be looked at."""
    with pytest.raises(InvalidError, match=r"needs a space to be monitored, it has none"):
        Vaddr().ranges(Target(pid=3), 0, PAGE)
