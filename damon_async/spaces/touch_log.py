"""
The touches of a trace in columns, kept in a file and looked at through a window.

Reading a trace makes one pass over its text. What comes out is put into two
temporary files without a name: when each touch happened, and which page it hit.
They lie in the folder for temporary files (``TMPDIR``), take 16 bytes per touch
and vanish with the process, however it ends. The files are mapped into memory,
so the kernel may drop what is not being looked at. In memory for good is the
index only: the numbers of all pages that were ever touched, in order.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InputFileError
from .trace_formats import Touches

_PIECE: Final = 1 << 18
"""Touches handled at once."""

_MAX_BITMAP: Final = 1 << 24
"""Bytes of the largest table of answers that is made at once."""

_MAX_RANGES: Final = 1024
"""Ranges looked at at once: so many times any two pages are apart fits in int64."""

_SPARSE: Final = 256
"""How much larger the table may be than the number of touches it holds."""


@dataclass(frozen=True, slots=True, eq=False)
class TouchLog:
    """
    All touches of a trace, in the order of time.

    Attributes:
        pages: int64, shape (nr_pages,), the page numbers that occur, ascending.
            This is the index that stays in memory.

        clock: int64, shape (nr_touches,), never falling, in units of the
            trace. Mapped from a file.

        rank: int64, shape (nr_touches,); ``pages[rank]`` are the pages touched.
            Mapped from a file. Ranks are dense, so they can index tables.
    """

    pages: IntArray
    clock: IntArray
    rank: IntArray

    def rows(self, clock: IntArray) -> IntArray:
        """Return the row of the first touch at or after each instant."""
        return np.searchsorted(self.clock, clock)

    def touched(self, pages: IntArray, low: IntArray, high: IntArray) -> BoolArray:
        """
        Tell which pages occur in ranges of rows.

        Args:
            pages: int64, shape (nr_ranges, nr_asked), page numbers, any; or one
                row for all ranges.

            low: int64, shape (nr_ranges,), first row of each range.

            high: int64, shape (nr_ranges,), one past its last row.

        Returns:
            bool, shape (nr_ranges, nr_asked).
        """
        pages = np.broadcast_to(pages, (len(low), pages.shape[1]))
        answers = np.zeros(pages.shape, dtype=np.bool_)
        step = min(_MAX_RANGES, max(1, _MAX_BITMAP // len(self.pages)))
        for first in range(0, len(low), step):
            some = slice(first, first + step)
            nr_touches = int((high[some] - low[some]).sum())
            # Both ways give the same answers. A table of all pages costs its
            # size, a sorted list of touches costs their number.
            if nr_touches * _SPARSE > len(low[some]) * len(self.pages):
                answers[some] = self._touched_dense(pages[some], low[some], high[some])
            elif nr_touches:
                answers[some] = self._touched_sparse(pages[some], low[some], high[some])
        return answers

    def _touched_dense(self, pages: IntArray, low: IntArray, high: IntArray) -> BoolArray:
        nr_pages = len(self.pages)
        # The last column stays False; pages that are never touched end there.
        table = np.zeros((len(low), nr_pages + 1), dtype=np.bool_)
        # Range by range nothing has to be copied from the file, however much
        # happened in a range.
        for row, (begin, end) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
            table[row, self.rank[begin:end]] = True
        # The minimum only keeps the look-up inside; such pages do not match.
        rank = np.searchsorted(self.pages, pages)
        rank[self.pages[np.minimum(rank, nr_pages - 1)] != pages] = nr_pages
        return np.take_along_axis(table, rank, axis=1)

    def _touched_sparse(self, pages: IntArray, low: IntArray, high: IntArray) -> BoolArray:
        # One sorted list of (range, page) answers all ranges with one search.
        base, top = int(self.pages[0]), int(self.pages[-1])
        # Every range gets a stretch of numbers of its own, with a free one at
        # either end.
        offsets = np.arange(len(low)) * (top - base + 3) + (1 - base)
        # The rows of all ranges one behind the other, without a loop.
        lengths = high - low
        skipped = low - (np.cumsum(lengths) - lengths)
        at = np.repeat(skipped, lengths) + np.arange(lengths.sum())
        hits = self.pages[self.rank[at]] + np.repeat(offsets, lengths)
        hits.sort()
        # Pages beyond all that occur must not reach into the next range.
        keys = np.clip(pages, base - 1, top + 1) + offsets[:, None]
        found = np.minimum(np.searchsorted(hits, keys), len(hits) - 1)
        answers: BoolArray = hits[found] == keys
        return answers

    def counts(self, rows: IntArray) -> IntArray:
        """
        Count for every page the intervals that touched it.

        Args:
            rows: int64, shape (nr_intervals + 1,), ascending; interval *i* is
                the rows ``[rows[i], rows[i + 1])``.

        Returns:
            int64, shape (nr_pages,), in the order of ``pages``.
        """
        nr_pages = len(self.pages)
        counts = np.zeros(nr_pages, dtype=np.int64)
        # Intervals are never cut, so that a page cannot count twice in one.
        for first, last in _batches(rows):
            hits = self.rank[rows[first] : rows[last]]
            if last - first > 1:
                interval = np.repeat(np.arange(last - first), np.diff(rows[first : last + 1]))
                hits = np.unique(interval * nr_pages + hits) % nr_pages
                counts += np.bincount(hits, minlength=nr_pages)
            else:
                # One interval may hold more than fits in a batch: no sort then.
                counts += np.bincount(hits, minlength=nr_pages) > 0
        return counts


def _batches(rows: IntArray) -> Iterator[tuple[int, int]]:
    """Cut intervals into groups with few enough touches, or a single one with many."""
    # Empty intervals at the beginning are skipped at once.
    first = int(np.searchsorted(rows, rows[0], side="right")) - 1 if len(rows) else 0
    while first < len(rows) - 1 and rows[first] < rows[-1]:
        last = int(np.searchsorted(rows, rows[first] + _PIECE, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def log_touches(chunks: Iterable[Touches], page_size: int, path: str | Path) -> TouchLog:
    """
    Put the touches of a trace into columns.

    Args:
        chunks: All touches, in the order of time.

        page_size: Bytes per page. An access may span several.

        path: The trace, for error messages.

    Raises:
        InputFileError: If there is no touch at all, or the temporary files
            cannot be written.
    """
    index = _PageIndex()
    # What goes wrong with the trace itself is an InputFileError already, so an
    # OSError can only come from the temporary files.
    try:
        with tempfile.TemporaryFile() as clocks, tempfile.TemporaryFile() as pages:
            for chunk in chunks:
                for clock, page in by_page(chunk, page_size):
                    index.add(page)
                    clocks.write(clock.data)
                    pages.write(page.data)
            if not clocks.tell():
                raise InputFileError(path, "holds no accesses")
            log = TouchLog(index.merge(), _mapped(clocks), _mapped(pages))
    except OSError as error:
        where = tempfile.gettempdir()
        raise InputFileError(path, f"cannot be unpacked into {where}: {error.strerror}") from error
    _rank_in_place(log)
    return log


def by_page(touches: Touches, page_size: int) -> Iterator[tuple[IntArray, IntArray]]:
    """
    Give each page of an access a row of its own.

    Args:
        touches: Accesses of any size; those of size 0 are dropped.

        page_size: Bytes per page.

    Returns:
        Clocks and page numbers, int64, in pieces of bounded size.
    """
    first = touches.address // page_size
    last = (touches.address + touches.size - 1) // page_size
    nr_pages = np.where(touches.size > 0, last - first + 1, 0)
    # By far the commonest case: a load or store inside one page.
    if (nr_pages == 1).all():
        yield np.ascontiguousarray(touches.clock), np.ascontiguousarray(first)
        return
    for some in _batches(np.concatenate(([0], np.cumsum(nr_pages)))):
        part = slice(*some)
        nr_each = nr_pages[part]
        # Counting up from its first page for each access, without a loop.
        before = np.cumsum(nr_each) - nr_each
        page = np.repeat(first[part] - before, nr_each) + np.arange(nr_each.sum())
        yield np.repeat(touches.clock[part], nr_each), page


class _PageIndex:
    """The distinct pages seen so far; sorts only when much that is new has come in."""

    def __init__(self) -> None:
        self._merged = np.empty(0, dtype=np.int64)
        self._pending: list[IntArray] = []
        self._nr_pending = 0

    def add(self, pages: IntArray) -> None:
        # Programs stay on a page for a while; this drops most before the sort.
        moves = np.flatnonzero(np.diff(pages, prepend=-1))
        fresh = np.unique(pages[moves])
        self._pending.append(fresh)
        self._nr_pending += len(fresh)
        # Waiting until the index would double keeps the total cost linear.
        if self._nr_pending > max(_PIECE, len(self._merged)):
            self.merge()

    def merge(self) -> IntArray:
        self._merged = np.unique(np.concatenate([self._merged, *self._pending]))
        self._pending.clear()
        self._nr_pending = 0
        return self._merged


def _mapped(file: IO[bytes]) -> IntArray:
    file.flush()
    # The mapping keeps the file alive after it is closed.
    return np.frombuffer(mmap.mmap(file.fileno(), 0), dtype=np.int64)


def _rank_in_place(log: TouchLog) -> None:
    # Until here the column holds page numbers: the index was not complete
    # before the last touch was read. Overwriting them saves a third file.
    for first in range(0, len(log.rank), _PIECE):
        some = slice(first, first + _PIECE)
        log.rank[some] = np.searchsorted(log.pages, log.rank[some])
    for column in (log.pages, log.clock, log.rank):
        column.flags.writeable = False
