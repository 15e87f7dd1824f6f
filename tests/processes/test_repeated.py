"""Memory that begins anew: laps, and intervals that reach into more than one."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.errors import InvalidError
from damon_async.processes.repeated import RepeatedSpace, repeated
from damon_async.spaces.generators import Stairs, Uniform
from damon_async.spaces.space import Space

PAGE = 4096
NR_PAGES = 6
STEP_US = 100
LAP_US = 250
"""Two and a half steps: the last page of three is hot half as long, the rest never."""


def once() -> Space:
    """Return six pages of which one after the other is hot, until time is over."""
    size = NR_PAGES * PAGE
    return Stairs(size=size, steps=NR_PAGES, step_us=STEP_US, duration_us=LAP_US).space()


def pages(space: Space) -> IntArray:
    """Return the addresses of the six pages."""
    return space.mappings(0)[2].start + PAGE * np.arange(NR_PAGES)


def touched(since_us: int, until_us: int) -> set[int]:
    """Say by counting microseconds which pages are touched in an interval."""
    instants = range(since_us, min(until_us, since_us + LAP_US))
    return {instant % LAP_US // STEP_US for instant in instants}


@st.composite
def some_intervals(draw: st.DrawFn) -> list[int]:
    """Draw instants, ascending, some of them the same or laps apart."""
    steps = st.one_of(st.integers(0, 30), st.integers(0, 3 * LAP_US), st.just(LAP_US))
    start = draw(st.integers(0, 2 * LAP_US))
    lengths = draw(st.lists(steps, min_size=1, max_size=12))
    return list(accumulate([start, *lengths]))


def test_it_never_ends() -> None:
    """It is a space without an end, in which the same is always mapped."""
    space = RepeatedSpace(once())
    assert isinstance(space, Space)
    assert space.is_pure
    assert space.lifetime_us is None
    assert space.mappings(10**12) == once().mappings(0)
    assert repr(space).startswith("<RepeatedSpace <PatternSpace 'stairs'")


def test_endless_memory_needs_no_repetition() -> None:
    """Memory without an end is returned as it is."""
    space = Uniform(size=PAGE).space()
    assert repeated(space) is space
    assert isinstance(repeated(once()), RepeatedSpace)


def test_endless_memory_is_refused() -> None:
    """What never ends cannot begin anew."""
    with pytest.raises(InvalidError, match="has no end from which it could begin anew"):
        RepeatedSpace(Uniform(size=PAGE).space())


@given(instants=some_intervals())
def test_accessed_in_any_intervals(instants: list[int]) -> None:
    """Each page is touched in the intervals in which a lap touches it."""
    space = RepeatedSpace(once())
    since, until = np.array(instants[:-1])[:, None], np.array(instants[1:])[:, None]
    found = space.accessed(np.broadcast_to(pages(space), (len(since), NR_PAGES)), since, until)
    for row, low, high in zip(found, instants[:-1], instants[1:], strict=True):
        assert set(np.flatnonzero(row).tolist()) == touched(low, high)


@given(instants=some_intervals())
def test_truth_in_any_intervals(instants: list[int]) -> None:
    """The truth counts the intervals in which a page was touched, once each."""
    space = RepeatedSpace(once())
    first = int(pages(space)[0])
    truth = space.truth(first, first + NR_PAGES * PAGE, np.array(instants))
    counts = np.repeat(truth.counts, np.diff(truth.bounds) // PAGE).tolist()
    hits = [touched(low, high) for low, high in pairwise(instants)]
    assert counts == [sum(page in hit for hit in hits) for page in range(NR_PAGES)]
    assert truth.nr_intervals == len(hits)
    assert (np.diff(truth.counts) != 0).all()


def test_one_row_of_addresses_for_all() -> None:
    """One row of addresses may be asked about in each interval."""
    space = RepeatedSpace(once())
    since = np.array([[0], [LAP_US]])
    found = space.accessed(pages(space)[None], since, since + 10)
    assert found.tolist() == [[True] + [False] * 5] * 2


def test_long_intervals_cost_no_more() -> None:
    """An interval of years touches what one lap touches."""
    space = RepeatedSpace(once())
    found = space.accessed(pages(space)[None], np.array([[7]]), np.array([[10**15]]))
    assert found.tolist() == [[True, True, True, False, False, False]]
