"""The truth of a pattern: the same as asking for each page, at a fraction of the work."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.spaces import truth as truth_file
from damon_async.spaces.layout import MMAP_TOP
from damon_async.spaces.masim import masim_space
from damon_async.spaces.masim_config import parse_masim
from damon_async.spaces.space import Space, Truth
from damon_async.spaces.truth import count_touches
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


def open_space(spec: str) -> Space:
    """Open a space of 1 MiB."""
    if spec == "masim":
        return masim_space(parse_masim(MASIM), seed=3)
    return open_workload(f"{spec},size=1M", seed=3)


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


@pytest.mark.parametrize("spec", [SPECS[0], SPECS[5], "masim"])
@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_any_piece_size(spec: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the pieces that are counted at once, the result is the same."""
    space, instants = open_space(spec), np.arange(0, 20_000, 1_500)
    whole = space.truth(START, START + SIZE, instants)
    monkeypatch.setattr(truth_file, "_MAX_ANSWERS", 16 * at_once)
    pieces = space.truth(START, START + SIZE, instants)
    assert (pieces.bounds == whole.bounds).all()
    assert (pieces.counts == whole.counts).all()


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
    """An hour of sampling intervals is counted in one go."""
    space = open_space("zigzag:steps=4,step=50ms")
    instants = np.arange(0, 600_000_001, 5_000)
    truth = space.truth(START, START + SIZE, instants)
    # The turning points come once a lap of six steps, the others twice.
    assert truth.counts.tolist() == [20_000, 40_000, 20_000]
    assert truth.nr_intervals == 120_000


def test_only_open_pages_are_counted() -> None:
    """Where whole bands are certain, no page is looked at."""

    class Certain:
        page_size = PAGE

        def __init__(self, space: Space) -> None:
            self.cuts, self.survey = space.cuts, space.survey  # type: ignore[attr-defined]

        def accessed(self, *_: IntArray) -> IntArray:
            raise AssertionError("a page was looked at")

    space = Certain(open_space("zigzag:steps=4,step=3ms"))
    truth = count_touches(space, START, START + SIZE, np.arange(0, 30_000, 1_000))  # type: ignore[arg-type]
    assert truth.counts.tolist() == [6, 9, 5]
