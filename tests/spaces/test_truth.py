"""The truth of a pattern: the same as asking for each page, at a fraction of the work."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.spaces import truth as truth_file
from damon_async.spaces.layout import MMAP_TOP
from damon_async.spaces.masim import masim_space
from damon_async.spaces.masim_config import parse_masim
from damon_async.spaces.patterns import PatternSpace
from damon_async.spaces.space import Space, Truth
from damon_async.spaces.truth import Counted, count_touches, covered_runs
from damon_async.spaces.workload import open_workload

PAGE = 4096
SIZE = 1024**2
START = MMAP_TOP - SIZE

SPECS = [
    "uniform:rate=200",
    "uniform:rate=0",
    "zipf:total=20000",
    "zipf:total=20000,scatter=16K",
    "scan:bytes_per_s=100M",
    "stairs:step=7ms,rate=300,cold=20",
    "zigzag:steps=4,step=3ms",
    "phases:plan=5ms@0-64K+512K-1M/2ms@/9ms@128K-256K",
    "diurnal:day=512K,night=16K,period=40ms,steps=9",
    "hotspot:hot=64K,cold=100,duration=31ms",
    "noisy:blocks=20,rate=400,cold=5",
    "noisy:blocks=20,page_size=16K",
]

MASIM = """\
a, 400000
b, 640000

mixed
11
a, 1, 64, 2
b, 0, 4096, 1
b, 0, 640, 1

alone
9
a, 0, 5000, 1
"""


def open_workload_of(spec: str) -> PatternSpace:
    """Open a pattern."""
    space = open_workload(spec, seed=3)
    assert isinstance(space, PatternSpace)
    return space


def open_space(spec: str) -> PatternSpace:
    """Open a pattern of 1 MiB."""
    if spec == "masim":
        return masim_space(parse_masim(MASIM), seed=3)
    return open_workload_of(f"{spec},size=1M")


def counted(space: Space, start: int, end: int, instants: IntArray) -> IntArray:
    """Ask for each page that overlaps a range, one by one."""
    pages = np.arange(start // PAGE * PAGE, end, PAGE)
    since, until = instants[:-1, None], instants[1:, None]
    # One address at a time in each row, and not the first byte of a page.
    columns = [
        space.accessed(np.full((len(since), 1), page + 7), since, until).sum() for page in pages
    ]
    return np.array(columns)


def by_page(truth: Truth, start: int, end: int) -> IntArray:
    """Spread runs over the pages that overlap a range."""
    pages = np.arange(start // PAGE * PAGE, end, PAGE)
    run = np.searchsorted(truth.bounds, np.maximum(pages, start), "right") - 1
    return truth.counts[run]


def check_form(truth: Truth, start: int, end: int) -> None:
    """Assert that runs cover exactly a range and that neighbours differ."""
    assert truth.bounds.dtype == truth.counts.dtype == np.int64
    assert (truth.bounds[0], truth.bounds[-1]) == (start, end)
    assert len(truth.counts) == len(truth.bounds) - 1
    assert all(low < high for low, high in pairwise(truth.bounds))
    assert all(left != right for left, right in pairwise(truth.counts))


@given(
    st.sampled_from([*SPECS, "masim"]),
    st.lists(st.integers(0, 50_000), min_size=2, max_size=8).map(sorted),
    st.integers(-20 * PAGE, SIZE),
    st.integers(1, 90 * PAGE),
)
def test_same_as_pages(spec: str, bounds: list[int], offset: int, size: int) -> None:
    """The count of a page is how many intervals it is touched in, for any range of bytes."""
    space, instants = open_space(spec), np.array(bounds)
    start, end = START + offset, START + offset + size
    truth = space.truth(start, end, instants)
    check_form(truth, start, end)
    assert truth.nr_intervals == len(bounds) - 1
    assert (by_page(truth, start, end) == counted(space, start, end, instants)).all()


@pytest.mark.parametrize("spec", [SPECS[0], SPECS[2], SPECS[4], SPECS[5], "masim"])
@pytest.mark.parametrize(("answers", "intervals"), [(16, 256), (200, 1), (3000, 5)])
def test_any_piece_size(
    spec: str, answers: int, intervals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the pieces of memory and time that are counted at once, the sum is the same."""
    space, instants = open_space(spec), np.arange(0, 20_000, 1_500)
    whole = space.truth(START, START + SIZE, instants)
    monkeypatch.setattr(truth_file, "_MAX_ANSWERS", answers)
    monkeypatch.setattr(truth_file, "_MAX_INTERVALS", intervals)
    pieces = space.truth(START, START + SIZE, instants)
    assert pieces.nr_intervals == whole.nr_intervals
    assert (pieces.bounds == whole.bounds).all()
    assert (pieces.counts == whole.counts).all()


class WithoutCount:
    """A space that can only be asked, page by page and window by window."""

    def __init__(self, space: PatternSpace) -> None:
        self.page_size = space.page_size
        self.cuts, self.survey, self.accessed = space.cuts, space.survey, space.accessed


@pytest.mark.parametrize("spec", [*SPECS, "masim"])
def test_without_counting(spec: str) -> None:
    """A space that does not count by itself is asked for every window."""
    space = open_space(spec)
    assert not isinstance(WithoutCount(space), Counted)
    instants = np.arange(3_000, 20_000, 1_500)
    asked = count_touches(WithoutCount(space), START, START + SIZE, instants)
    counted_ = space.truth(START, START + SIZE, instants)
    assert (asked.bounds == counted_.bounds).all()
    assert (asked.counts == counted_.counts).all()


def test_unmapped_counts_0() -> None:
    """What is not mapped was never touched."""
    truth = open_space(SPECS[1]).truth(START - 7, START + SIZE + 7, np.arange(4) * 1000)
    assert truth.bounds.tolist() == [START - 7, START, START + SIZE, START + SIZE + 7]
    assert truth.counts.tolist() == [0, 3, 0]


def test_no_intervals() -> None:
    """Without intervals every count is 0."""
    truth = open_space(SPECS[0]).truth(START, START + SIZE, np.array([500]))
    assert (truth.bounds.tolist(), truth.counts.tolist()) == ([START, START + SIZE], [0])
    assert truth.nr_intervals == 0


def test_no_instants() -> None:
    """Without instants there are no intervals."""
    truth = open_space(SPECS[0]).truth(START, START + 5, np.array([], np.int64))
    assert (truth.counts.tolist(), truth.nr_intervals) == ([0], 0)


def test_no_bytes() -> None:
    """A range without bytes has no runs."""
    truth = open_space(SPECS[0]).truth(START, START, np.array([0, 500]))
    assert (truth.bounds.tolist(), truth.counts.tolist()) == ([START], [])
    assert truth.nr_intervals == 1


def test_intervals_of_no_length() -> None:
    """An interval of no length is an interval in which nothing is touched."""
    truth = open_space(SPECS[1]).truth(START, START + SIZE, np.array([0, 5, 5, 9]))
    assert (truth.counts.tolist(), truth.nr_intervals) == ([2], 3)


def test_after_the_end() -> None:
    """Intervals after the end of the space count as untouched."""
    space = open_space("hotspot:at=0,hot=1M,duration=31ms")
    truth = space.truth(START, START + SIZE, np.arange(0, 60_001, 10_000))
    assert (truth.counts.tolist(), truth.nr_intervals) == ([4], 6)


def test_huge_cold_memory() -> None:
    """The truth of 16 TiB with one hot block is three runs, in little memory."""
    space = open_workload("hotspot:size=16T,hot=64M,at=1T")
    low, high = MMAP_TOP - 2**44, MMAP_TOP
    tracemalloc.start()
    try:
        truth = space.truth(low, high, np.arange(0, 100_001, 5_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert truth.bounds.tolist() == [low, low + 2**40, low + 2**40 + 2**26, high]
    assert truth.counts.tolist() == [0, 20, 0]
    assert peak < 1_000_000


def test_many_pages_in_bounded_memory() -> None:
    """Pages are counted in pieces: a GiB of random touches takes less than 40 MB."""
    space = open_workload("uniform:size=1G,rate=0.01")
    tracemalloc.start()
    try:
        truth = space.truth(MMAP_TOP - 2**30, MMAP_TOP, np.array([0, 5_000, 10_000]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 10 < truth.counts.sum() < 50
    assert peak < 40_000_000


def test_many_intervals() -> None:
    """Two minutes of sampling intervals are counted in one go."""
    space = open_space("zigzag:steps=4,step=50ms")
    instants = np.arange(0, 120_000_001, 5_000)
    truth = space.truth(START, START + SIZE, instants)
    # The turning points come once a lap of six steps, the others twice.
    assert truth.counts.tolist() == [4_000, 8_000, 4_000]
    assert truth.nr_intervals == 24_000


class Blind(WithoutCount):
    """A space of which no single page may be looked at."""

    def __init__(self, space: PatternSpace) -> None:
        super().__init__(space)
        self.accessed = _refuse


def _refuse(addresses: IntArray, since_us: IntArray, until_us: IntArray) -> NoReturn:
    raise AssertionError("a page was looked at")


def test_only_open_pages_are_counted() -> None:
    """Where whole bands are certain, no page is looked at."""
    space = Blind(open_space("zigzag:steps=4,step=3ms"))
    truth = count_touches(space, START, START + SIZE, np.arange(0, 30_000, 1_000))
    assert truth.counts.tolist() == [6, 9, 5]


def test_sweeps_are_counted_in_stretches() -> None:
    """What a sweep walks over in a window is one stretch, of 16 TiB as well."""
    space = Blind(open_workload_of("scan:size=16T,bytes_per_s=1G"))
    low = MMAP_TOP - 2**44
    truth = count_touches(space, low, MMAP_TOP, np.array([0, 1_000_000, 3_000_000]))
    pages = (np.diff(truth.bounds) // PAGE).tolist()
    # Page 0 is the last of a lap; the page that is passed at an instant belongs
    # to one of both windows.
    assert truth.counts.tolist() == [0, 1, 0]
    assert pages[:2] == [1, 3 * 2**18]


PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=6)


@given(st.sets(st.integers(0, 40)), PAIRS)
def test_covered_runs(bounds: set[int], pairs: list[tuple[int, int]]) -> None:
    """What others cover of ranges ascends, and is what lies in a range and in a cover."""
    cuts = sorted(bounds)
    ranges = np.array(list(zip(cuts[::2], cuts[1::2], strict=False)), np.int64).reshape(-1, 2)
    covers = np.array([(low, low + size) for low, size in pairs], np.int64).reshape(-1, 2)
    found = [place for run in covered_runs(ranges, covers).tolist() for place in range(*run)]
    inside, covered = (
        {place for low, high in each.tolist() for place in range(low, high)}
        for each in (ranges, covers)
    )
    assert found == sorted(inside & covered)
