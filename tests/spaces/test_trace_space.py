from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given, strategies as st

from damon_async.arrays import BoolArray, IntArray
from damon_async.spaces.space import Mapping, Space
from damon_async.spaces.touch_log import log_touches
from damon_async.spaces.trace_formats import Touches
from damon_async.spaces.trace_space import MAX_MAPPINGS, TimeScale, TraceSpace

Hits = list[tuple[int, int]]
"""Clocks and page numbers."""

PAGE = 4096

hits_lists = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 9)), min_size=1, max_size=60
).map(sorted)
scales = st.fractions(Fraction(1, 50), Fraction(50))


def space_of(hits: Hits, us_per_unit: Fraction | int = 1, page_size: int = PAGE) -> TraceSpace:
    clock, page = np.array(hits, dtype=np.int64).T
    log = log_touches([Touches(clock, page * page_size, np.ones_like(page))], page_size, "trace")
    return TraceSpace(log, TimeScale(int(clock[0]), Fraction(us_per_unit)), page_size)


def space_with_pages(*pages: int) -> TraceSpace:
    return space_of([(0, page) for page in pages])


def ask(space: Space, addresses: Sequence[int], instants: Sequence[int]) -> BoolArray:
    """Ask about the same addresses in each of the intervals between some instants."""
    edges = np.array(instants, dtype=np.int64)[:, None]
    asked = np.tile(np.array(addresses, dtype=np.int64), (len(edges) - 1, 1))
    return space.accessed(asked, edges[:-1], edges[1:])


def edges(*instants: int) -> IntArray:
    return np.array(instants, dtype=np.int64)


def test_a_trace_is_a_pure_space() -> None:
    """A trace space fulfils the protocol and is pure."""
    space = space_of([(0, 1)])
    assert isinstance(space, Space)
    assert space.is_pure


def test_a_page_is_accessed_when_the_trace_touches_it() -> None:
    """An access marks all of its page, at its instant only."""
    space = space_of([(0, 5), (10, 7)], us_per_unit=100)
    asked = [5 * PAGE, 6 * PAGE - 1, 6 * PAGE, 7 * PAGE]
    assert ask(space, asked, [0, 1, 1000, 1001]).tolist() == [
        [True, True, False, False],
        [False, False, False, False],
        [False, False, False, True],
    ]


def test_nothing_is_accessed_outside_the_trace() -> None:
    """Before its first and after its last touch, a trace answers no."""
    space = space_of([(0, 5), (10, 5)])
    assert not ask(space, [5 * PAGE], [-100, 0]).any()
    assert not ask(space, [5 * PAGE], [11, 10**15]).any()
    assert not ask(space, [5 * PAGE], [2**62, 2**63 - 1]).any()


def test_no_addresses_give_no_answers() -> None:
    """A window without addresses, or without intervals, is answered."""
    space = space_of([(0, 5)])
    assert ask(space, [], [0, 1, 2]).shape == (2, 0)
    assert ask(space, [5 * PAGE], [0]).shape == (0, 1)


def test_all_intervals_may_share_addresses() -> None:
    """One row of addresses is asked about in every interval."""
    space = space_of([(0, 1), (10, 2)])
    asked = np.array([[PAGE, 2 * PAGE]], dtype=np.int64)
    answers = space.accessed(asked, edges(0, 5)[:, None], edges(5, 15)[:, None])
    assert answers.tolist() == [[True, False], [False, True]]


def test_an_empty_interval_sees_nothing() -> None:
    """Between an instant and itself nothing happens, even where a touch is."""
    assert not ask(space_of([(0, 5), (7, 5)]), [5 * PAGE], [7, 7]).any()


def test_intervals_may_leave_gaps() -> None:
    """What happens between the intervals of a window is not seen by any of them."""
    space = space_of([(0, 1), (5, 2), (10, 3)])
    asked = np.tile(np.array([1, 2, 3], dtype=np.int64) * PAGE, (2, 1))
    since, until = edges(0, 10)[:, None], edges(5, 20)[:, None]
    answers = space.accessed(asked, since, until)
    assert answers.tolist() == [[True, False, False], [False, False, True]]


@given(
    hits=hits_lists,
    scale=scales,
    asked=st.lists(st.integers(-PAGE, 11 * PAGE), min_size=1, max_size=6),
    instants=st.lists(st.integers(-10, 16_000), min_size=2, max_size=6).map(sorted),
)
def test_accessed_is_what_a_set_of_pages_says(
    hits: Hits, scale: Fraction, asked: list[int], instants: list[int]
) -> None:
    """A window of a trace is what a set of pages per interval says."""
    origin = hits[0][0]
    timed = [(int((clock - origin) * scale), page) for clock, page in hits]
    expected = [
        [any(a <= us < b and page == address // PAGE for us, page in timed) for address in asked]
        for a, b in pairwise(instants)
    ]
    assert ask(space_of(hits, scale), asked, instants).tolist() == expected


@given(hits=hits_lists, a=st.integers(0, 300), b=st.integers(0, 300), more=st.integers(0, 300))
def test_longer_intervals_see_more(hits: Hits, a: int, b: int, more: int) -> None:
    """What was accessed in an interval was accessed in every longer one."""
    space = space_of(hits)
    asked = [page * PAGE for page in range(10)]
    low, high = min(a, b), max(a, b)
    short = ask(space, asked, [low, high])
    assert (ask(space, asked, [low, high + more]) >= short).all()
    assert (ask(space, asked, [low - more, high]) >= short).all()


@given(hits=hits_lists, cuts=st.lists(st.integers(0, 320), min_size=2, max_size=5).map(sorted))
def test_the_order_of_questions_does_not_matter(hits: Hits, cuts: list[int]) -> None:
    """Late, early or twice, a question has the same answer, alone or in a window."""
    space = space_of(hits)
    asked = [page * PAGE for page in range(10)]
    together = ask(space, asked, cuts)
    alone = [ask(space, asked, pair)[0].tolist() for pair in reversed(list(pairwise(cuts)))]
    assert together.tolist() == alone[::-1]


def test_truth_counts_the_intervals_of_a_page() -> None:
    """A page counts once per interval, however often it is touched there."""
    space = space_of([(0, 1), (1, 1), (1, 2), (5, 1), (12, 4)])
    truth = space.truth(0, 6 * PAGE, edges(0, 5, 10, 15))
    assert truth.bounds.tolist() == [0, PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE, 5 * PAGE, 6 * PAGE]
    assert truth.counts.tolist() == [0, 2, 1, 0, 1, 0]
    assert truth.nr_intervals == 3


def test_truth_of_no_time_is_nothing() -> None:
    """Without intervals nothing is counted."""
    truth = space_of([(0, 1)]).truth(0, 2 * PAGE, edges())
    assert (truth.bounds.tolist(), truth.counts.tolist()) == ([0, 2 * PAGE], [0])
    assert truth.nr_intervals == 0


@given(
    hits=hits_lists,
    scale=scales,
    start=st.integers(0, 10 * PAGE),
    size=st.integers(1, 10 * PAGE),
    instants=st.lists(st.integers(0, 16_000), min_size=2, max_size=6).map(sorted),
)
def test_truth_is_accessed_page_by_page(
    hits: Hits, scale: Fraction, start: int, size: int, instants: list[int]
) -> None:
    """Truth is the sum of what accessed says of each page."""
    space = space_of(hits, scale)
    truth = space.truth(start, start + size, edges(*instants))
    assert (truth.bounds[0], truth.bounds[-1]) == (start, start + size)
    probes = [start, *range((start // PAGE + 1) * PAGE, start + size, PAGE)]
    counts = ask(space, probes, instants).sum(axis=0)
    found = truth.counts[np.searchsorted(truth.bounds, probes, side="right") - 1]
    assert found.tolist() == counts.tolist()


def test_mappings_cover_the_touched_pages() -> None:
    """Pages next to each other are one mapping of whole pages."""
    assert space_with_pages(5, 4, 6, 5).mappings(0) == (Mapping(4 * PAGE, 7 * PAGE, PAGE),)


def test_the_two_widest_holes_always_count() -> None:
    """Three clusters are three mappings, so that vaddr finds its three regions."""
    pages = [*range(1000), *range(1010, 2000), *range(2005, 3000)]
    starts = [mapping.start // PAGE for mapping in space_with_pages(*pages).mappings(0)]
    assert starts == [0, 1010, 2005]


def test_narrow_holes_are_mapped() -> None:
    """Holes of up to a 64th of what is touched are inside a mapping, wider ones between."""
    holes = [300, 200, 20, 15, 16]
    pages: list[int] = []
    at = 0
    for hole in [*holes, 0]:
        pages += range(at, at + 171)
        at += 171 + hole
    assert len(pages) // 64 == 16
    mappings = space_with_pages(*pages).mappings(0)
    assert [b.start - a.end for a, b in pairwise(mappings)] == [
        300 * PAGE,
        200 * PAGE,
        20 * PAGE,
    ]


def test_mappings_are_few() -> None:
    """However scattered the pages are, there are at most 64 mappings."""
    mappings = space_with_pages(*(n * n for n in range(500))).mappings(0)
    assert len(mappings) == MAX_MAPPINGS
    assert mappings[-1].end == (499 * 499 + 1) * PAGE


@given(st.sets(st.integers(0, 500), min_size=1, max_size=80))
def test_every_touched_page_is_mapped(pages: set[int]) -> None:
    """Mappings ascend, do not touch each other, and hold all pages."""
    mappings = space_with_pages(*pages).mappings(0)
    assert all(a.end < b.start for a, b in pairwise(mappings))
    assert all(any(m.start <= page * PAGE < m.end for m in mappings) for page in pages)
    assert {page * PAGE for page in pages} >= {m.start for m in mappings}
    assert {(page + 1) * PAGE for page in pages} >= {m.end for m in mappings}


def test_a_finished_trace_has_no_mappings() -> None:
    """From the first instant after its last touch on, nothing is mapped."""
    space = space_of([(0, 1), (9, 1)])
    assert space.lifetime_us == 10
    assert space.mappings(9)
    assert space.mappings(10) == ()


def test_huge_pages_are_touched_as_a_whole() -> None:
    """With pages of 2 MiB, an access marks 2 MiB."""
    huge = 2 << 20
    space = space_of([(0, 3)], page_size=huge)
    assert space.page_size == huge
    assert space.mappings(0) == (Mapping(3 * huge, 4 * huge, huge),)
    asked = [3 * huge - 1, 3 * huge, 4 * huge - 1, 4 * huge]
    assert ask(space, asked, [0, 1]).tolist() == [[False, True, True, False]]


def test_a_trace_says_what_it_holds() -> None:
    """The repr tells touches, pages and time."""
    space = space_of([(0, 1), (3, 1), (9, 2)])
    assert (space.nr_touches, space.nr_pages) == (3, 2)
    assert repr(space) == "<TraceSpace 3 touches of 2 pages in 10 us>"


@given(scale=scales, clock=st.integers(0, 10**6), instant=st.integers(-100, 10**7))
def test_clocks_and_instants_agree(scale: Fraction, clock: int, instant: int) -> None:
    """A unit is before an instant exactly if its own instant is."""
    time = TimeScale(7, scale)
    [first] = time.clocks(edges(instant))
    unit = clock + 7
    assert (time.instant_us(unit) < instant) == (unit < first)


def test_huge_clocks_do_not_overflow() -> None:
    """Products beyond 64 bits are exact, and units beyond 64 bits are the last."""
    time = TimeScale(0, Fraction(1, 10**12))
    assert time.instant_us(5 * 10**17) == 500_000
    assert time.clocks(edges(10**6, 10**17)).tolist() == [10**18, 2**63 - 1]


def test_memory_does_not_grow_with_the_trace() -> None:
    """Reading and asking about a trace takes less memory than its touches would."""
    chunk = np.arange(10_000, dtype=np.int64)
    chunks = (
        Touches(chunk + n * 10_000, chunk % 500 * PAGE, np.ones_like(chunk)) for n in range(100)
    )
    tracemalloc.start()
    try:
        log = log_touches(chunks, PAGE, "trace")
        space = TraceSpace(log, TimeScale(0, Fraction(1)), PAGE)
        ask(space, [n * PAGE for n in range(1000)], range(0, 21 * 1000, 1000))
        space.truth(0, 500 * PAGE, np.arange(0, 1_000_001, 1000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert space.nr_touches == 1_000_000
    # The two columns alone are 16 MB.
    assert peak < 14e6
