"""Where memory lies on a machine: questions about many pages are those about each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from damon_async.arrays import BoolArray
from damon_async.params.monitoring import AddressRange
from damon_async.spaces.frames import FrameMap, Process
from damon_async.spaces.generator_base import Layout
from damon_async.spaces.generators import Phases, PlannedPhase, Uniform
from damon_async.spaces.pages import PAGE

from .machines import BASE, process

S = 1_000_000

NR_PAGES = 48

PLAN = (
    PlannedPhase(duration_us=2 * S, hot=(AddressRange(PAGE, 6 * PAGE),)),
    PlannedPhase(duration_us=S, hot=(AddressRange(0, 16 * PAGE),)),
)

FRAMES = FrameMap(
    [
        # Touched at random, touched in ranges, and a space that knows no ranges.
        Process(1, Uniform(size=16 * PAGE, rate_hz=1, layout=Layout.FLAT).space()),
        Process(2, Phases(size=16 * PAGE, plan=PLAN, layout=Layout.FLAT).space()),
        process(16, {S // 2: [0, 3, 4], 3 * S: [15]}, pid=3),
    ]
)

INTERVALS = st.tuples(st.integers(0, 5 * S), st.integers(1, 2 * S))


def touched_one_by_one(pages: range, since_us: int, until_us: int) -> BoolArray:
    """Ask for each page the process that has it."""
    answers = []
    for page in pages:
        answer = False
        if 0 <= page < NR_PAGES:
            owner = FRAMES.processes[page // 16].space
            address = owner.mappings(0)[0].start + page % 16 * PAGE
            since, until = np.array([[since_us]]), np.array([[until_us]])
            answer = bool(owner.accessed(np.array([[address]]), since, until)[0, 0])
        answers.append(answer)
    return np.array(answers)


@given(
    st.lists(st.lists(st.integers(-3, NR_PAGES + 3), min_size=9, max_size=9), max_size=4),
    st.integers(0, 5 * S),
)
@settings(max_examples=60)
def test_pages_in_any_order(rows: list[list[int]], since_us: int) -> None:
    """Whatever pages a question names in whatever order, each gets its own answer."""
    frames = np.array(rows, np.int64).reshape(-1, 9)
    since = since_us + np.arange(len(frames), dtype=np.int64)[:, None] * S // 2
    answers = FRAMES.accessed(frames, since, since + S // 2)
    for row, begin_us, answer in zip(rows, since[:, 0].tolist(), answers, strict=True):
        each = [
            touched_one_by_one(range(page, page + 1), begin_us, begin_us + S // 2) for page in row
        ]
        assert answer.tolist() == np.concatenate(each).tolist()


def test_no_pages() -> None:
    """A question about no page has no answers."""
    instants = np.zeros((2, 1), np.int64)
    assert FRAMES.accessed(np.zeros((2, 0), np.int64), instants, instants + 1).shape == (2, 0)


@given(st.integers(0, NR_PAGES), st.integers(0, NR_PAGES), INTERVALS)
@settings(max_examples=60)
def test_touched_is_accessed(first: int, nr_pages: int, interval: tuple[int, int]) -> None:
    """Which pages of a range were touched is what asking for each of them tells."""
    frames = slice(first, min(first + nr_pages, NR_PAGES))
    since_us, until_us = interval[0], sum(interval)
    expected = touched_one_by_one(range(frames.start, frames.stop), since_us, until_us)
    assert FRAMES.touched(frames, since_us, until_us).tolist() == expected.tolist()


@given(st.sets(st.integers(0, NR_PAGES)), INTERVALS)
@settings(max_examples=60)
def test_touched_ranges(bounds: set[int], interval: tuple[int, int]) -> None:
    """Touched ranges ascend, and are the touched pages of all ranges, and no others."""
    cuts = sorted(bounds)
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    ranges = np.array(pairs, np.int64).reshape(-1, 2)
    since_us, until_us = interval[0], sum(interval)
    found = FRAMES.touched_ranges(ranges, since_us, until_us).tolist()
    expected = [
        page
        for low, high in pairs
        for page in range(low, high)
        if touched_one_by_one(range(page, page + 1), since_us, until_us)[0]
    ]
    assert [page for low, high in found for page in range(low, high)] == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 16 * PAGE, (32, 48)), (PAGE, 2 * PAGE, (33, 34)), (1, PAGE + 1, (32, 34))],
)
def test_pages_behind_addresses(start: int, end: int, expected: tuple[int, int]) -> None:
    """Addresses of a process lead to all pages that they are on, at least in part."""
    (found,) = FRAMES.frames_of(3, BASE + start, BASE + end)
    assert (found.start, found.stop) == expected


def test_pages_of_nobody() -> None:
    """Addresses that a process does not map, and those of nobody, have no pages."""
    assert list(FRAMES.frames_of(3, 0, BASE)) == []
    assert list(FRAMES.frames_of(4, BASE, BASE + PAGE)) == []


def test_pieces_are_parts_of_segments() -> None:
    """Pages of several processes come process by process, with the addresses of each."""
    first, second, third = FRAMES.pieces(slice(10, 40))
    assert [piece.process for piece in (first, second, third)] == [0, 1, 2]
    assert [piece.frames for piece in (first, third)] == [slice(10, 16), slice(32, 40)]
    assert (third.start, third.end) == (BASE, BASE + 8 * PAGE)
