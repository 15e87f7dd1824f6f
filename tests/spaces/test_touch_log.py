from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import IntArray
from damon_async.errors import InputFileError
from damon_async.spaces import touch_log
from damon_async.spaces.touch_log import TouchLog, by_page, log_touches
from damon_async.spaces.trace_formats import Touches

HERE = Path("some.trace")

Hits = list[tuple[int, int]]

hits_lists = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), min_size=1, max_size=60)


def ints(*values: int) -> IntArray:
    return np.array(values, dtype=np.int64)


def touches(*rows: tuple[int, int, int]) -> Touches:
    clock, address, size = zip(*rows, strict=True)
    return Touches(ints(*clock), ints(*address), ints(*size))


def log_of(hits: Hits) -> TouchLog:
    """Log touches of one byte each, given as (clock, page)."""
    return log_touches([touches(*((clock, page * 4096, 1) for clock, page in hits))], 4096, HERE)


def pages_of(*rows: tuple[int, int, int], page_size: int = 4096) -> Hits:
    return [
        pair
        for clock, page in by_page(touches(*rows), page_size)
        for pair in zip(clock.tolist(), page.tolist(), strict=True)
    ]


def test_an_access_touches_every_page_it_overlaps() -> None:
    """An access that crosses a page border touches both pages."""
    assert pages_of((1, 4095, 1), (2, 4095, 2), (3, 0, 3 * 4096)) == [
        (1, 0),
        (2, 0),
        (2, 1),
        (3, 0),
        (3, 1),
        (3, 2),
    ]


def test_an_access_of_nothing_touches_nothing() -> None:
    """Accesses of size 0 are dropped."""
    assert pages_of((1, 4096, 0), (2, 4096, 1)) == [(2, 1)]
    assert pages_of((1, 4096, 0)) == []


def test_huge_pages_hold_many_small_ones() -> None:
    """The page size decides which bytes share a page."""
    assert pages_of((1, 0, 1), (1, (2 << 20) - 1, 2), page_size=2 << 20) == [(1, 0), (1, 0), (1, 1)]


def test_big_accesses_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accesses of many pages are expanded a bounded number at a time."""
    monkeypatch.setattr(touch_log, "_PIECE", 10)
    big = touches(*((clock, clock << 20, 4 * 4096) for clock in range(10)))
    pieces = list(by_page(big, 4096))
    assert max(len(clock) for clock, _ in pieces) <= 10
    assert sum(len(clock) for clock, _ in pieces) == 40


def test_a_log_has_ranks_and_an_index() -> None:
    """The index holds each page once, in order; ranks refer to it."""
    log = log_of([(1, 9), (1, 3), (4, 9), (5, 7)])
    assert log.pages.tolist() == [3, 7, 9]
    assert log.clock.tolist() == [1, 1, 4, 5]
    assert log.pages[log.rank].tolist() == [9, 3, 9, 7]


def test_a_log_cannot_be_changed() -> None:
    """All columns of a log are read-only."""
    log = log_of([(1, 9)])
    for column in (log.pages, log.clock, log.rank):
        assert not column.flags.writeable


def test_an_empty_trace_is_refused() -> None:
    """A trace without touches, or with touches of nothing only, is an error."""
    with pytest.raises(InputFileError, match=r"^some\.trace: holds no accesses$"):
        log_touches([], 4096, HERE)
    with pytest.raises(InputFileError, match="holds no accesses"):
        log_touches([touches((1, 1, 0))], 4096, HERE)


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the temporary files cannot be written, the folder and the reason are named."""

    def full() -> IO[bytes]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    wrong = r"^some\.trace: cannot be unpacked into /.*: No space left on device$"
    with pytest.raises(InputFileError, match=wrong):
        log_of([(1, 1)])


def test_errors_of_the_reader_come_through() -> None:
    """What a reader finds wrong is reported as it said it."""

    def bad() -> Iterator[Touches]:
        yield touches((1, 1, 1))
        raise InputFileError(HERE, "is bad", 7)

    with pytest.raises(InputFileError, match=r"^some\.trace, line 7: is bad$"):
        log_touches(bad(), 4096, HERE)


def test_the_index_grows_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the index is put together, it holds all pages once."""
    monkeypatch.setattr(touch_log, "_PIECE", 4)
    rng = np.random.default_rng(5)
    pages = rng.integers(0, 200, 500)
    chunks = [
        touches(*((0, int(page) * 4096, 1) for page in part)) for part in np.array_split(pages, 40)
    ]
    log = log_touches(chunks, 4096, HERE)
    assert log.pages.tolist() == np.unique(pages).tolist()
    assert log.pages[log.rank].tolist() == pages.tolist()


@given(hits=hits_lists, asked=st.integers(0, 61))
def test_rows_begin_at_an_instant(hits: Hits, asked: int) -> None:
    """The row of an instant is the first one that is not before it."""
    hits.sort(key=lambda hit: hit[0])
    assert log_of(hits).rows(ints(asked)).tolist() == [sum(clock < asked for clock, _ in hits)]


@pytest.mark.parametrize("sparse", [0, 1, 10**9], ids=["sorted", "mixed", "table"])
@pytest.mark.parametrize("bitmap", [1, 1 << 24], ids=["row by row", "at once"])
@given(hits=hits_lists, data=st.data())
def test_touched_is_what_a_set_says(
    sparse: int, bitmap: int, hits: Hits, data: st.DataObject
) -> None:
    """Either way of looking up gives what a set of pages per range gives."""
    hits.sort(key=lambda hit: hit[0])
    row = st.integers(0, len(hits))
    ranges = [sorted(pair) for pair in data.draw(st.lists(st.tuples(row, row), min_size=1))]
    page = st.integers(-3, 16)
    asked = data.draw(st.lists(st.tuples(page, page), min_size=len(ranges), max_size=len(ranges)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(touch_log, "_SPARSE", sparse)
        patch.setattr(touch_log, "_MAX_BITMAP", bitmap)
        low, high = np.array(ranges, dtype=np.int64).T
        answers = log_of(hits).touched(np.array(asked, dtype=np.int64), low, high)
    sets = [{page for _, page in hits[low:high]} for low, high in ranges]
    assert answers.tolist() == [
        [page in hit for page in pages] for pages, hit in zip(asked, sets, strict=True)
    ]


def test_far_pages_do_not_reach_into_other_ranges() -> None:
    """Addresses far from all pages are never found, in any range."""
    log = log_of([(0, 1 << 50), (1, (1 << 50) + 1)])
    asked = np.array([[-(2**51), 0, (1 << 50) - 1, (1 << 50) + 2, 2**51 - 1]])
    assert not log.touched(asked, ints(0, 1), ints(1, 2)).any()


def test_many_ranges_of_far_pages_fit() -> None:
    """Thousands of ranges over pages at both ends of memory are told apart."""
    top = 2**51 - 1
    log = log_of([(0, 0), (1, top)])
    low = np.arange(5000, dtype=np.int64) % 2
    answers = log.touched(ints(0, top)[None, :], low, low + 1)
    assert (answers == np.stack([low == 0, low == 1], axis=1)).all()


@pytest.mark.parametrize("piece", [1, 5, 1 << 18])
@given(hits=hits_lists, data=st.data())
def test_counts_are_what_sets_say(piece: int, hits: Hits, data: st.DataObject) -> None:
    """A page counts once per interval that touches it, in batches of any size."""
    hits.sort(key=lambda hit: hit[0])
    rows = sorted(data.draw(st.lists(st.integers(0, len(hits)), max_size=10)))
    log = log_of(hits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(touch_log, "_PIECE", piece)
        counts = log.counts(ints(*rows))
    sets = [{page for _, page in hits[a:b]} for a, b in pairwise(rows)]
    assert counts.tolist() == [sum(page in hit for hit in sets) for page in log.pages.tolist()]
