"""
Random touches of pages that nobody has to remember.

The instants at which a page is touched are computed from hashes whenever they
are asked for, so that a page of a 16 TiB space costs nothing until somebody
looks at it, and any two questions about one page get answers that agree.

Progress (time, or accesses made so far) is cut into cells, four per mean
distance between two touches. At its start a cell touches the page with
probability 1/4, decided by two bits of a hash of the page and of the cell's
number. Every page has cell boundaries of its own, spread evenly, so that equal
windows touch equal shares of a block. Hence:

- the rate of touches is exact in windows of every length;
- a window of *n* cells leaves a page untouched with probability 0.75^n, where
  a Poisson process would have exp(-n/4): a little more regular, by 0.05 at most;
- the touches of a window are the union of those of its parts, always.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..arrays import BoolArray, FloatArray, IntArray
from .clocks import Scale, fitting_scale

FRACTION_BITS: Final = 16
"""Positions are fixed-point numbers: cells, shifted left by this."""

WHOLE_WORDS: Final = 64 << FRACTION_BITS
"""A window this long holds all cells of some hash word, hence a touch for sure."""

_CELLS_PER_TOUCH: Final = 4
_CELLS_PER_WORD_BITS: Final = 5  # 32 cells of 2 bits in a word of 64
_CELL_MASK: Final = (1 << _CELLS_PER_WORD_BITS) - 1
_FRACTION_MASK: Final = (1 << FRACTION_BITS) - 1

_ONE: Final = np.uint64(1)
_EVEN_BITS: Final = np.uint64(0x5555_5555_5555_5555)

# Odd multipliers as int64: products wrap, and the view as uint64 costs nothing.
# The first is 2^64 divided by the golden ratio, whose multiples spread evenly.
_GOLDEN: Final = 0x9E37_79B9_7F4A_7C15 - 2**64
_CELL_STEP: Final = 0xD1B5_4A32_D192_ED03 - 2**64
_COVER_STEP: Final = 0xAEF1_7502_108E_F2D9 - 2**64

# The finalizer of the splitmix64 generator.
_MIX_1: Final = np.uint64(0xBF58_476D_1CE4_E5B9)
_MIX_2: Final = np.uint64(0x94D0_49BB_1331_11EB)


def position_scale(mean: int) -> Scale:
    """
    Say how progress becomes positions for touches that are *mean* apart.

    Args:
        mean: Mean progress between two touches of one page, at least 1 and
            below 2^62.
    """
    return fitting_scale(_CELLS_PER_TOUCH << FRACTION_BITS, mean)


def salt_of(seed: int, *key: int) -> int:
    """
    Return a number below 2^63 that depends on a seed and on what it is for.

    Args:
        seed: The user's, not negative.

        key: Tells apart what must not be alike although the seed is one.
    """
    # As the key of a child: a plain sequence of numbers forgets trailing zeros.
    sequence = np.random.SeedSequence(seed, spawn_key=key)
    return int(sequence.generate_state(1, np.uint64)[0]) >> 1


def is_touched(pages: IntArray, salts: IntArray, since: IntArray, until: IntArray) -> BoolArray:
    """
    Tell which pages are touched between two positions.

    Args:
        pages: int64, shape (n,), page numbers.

        salts: int64, shape (n,). Other salts give other touches.

        since: int64, shape (n,), fixed-point positions.

        until: int64, shape (n,), not below *since*; the end is not included.

    Returns:
        bool, shape (n,).
    """
    offset = _offsets(pages, salts)
    # Adding the mask makes the shifts below round up: a touch lies at the start
    # of its cell, and belongs to the window if that start does.
    offset += _FRACTION_MASK
    first = since + offset
    first >>= FRACTION_BITS
    end = offset
    end += until
    end >>= FRACTION_BITS
    is_some = end > first
    # Fast processes touch in every window, slow ones in few.
    if is_some.all():
        return _any_cell(pages, salts, first, end)
    some = np.flatnonzero(is_some)
    is_some[some] = _any_cell(pages[some], salts[some], first[some], end[some])
    return is_some


def count_touched(pages: IntArray, salts: IntArray, rows: IntArray, bounds: IntArray) -> IntArray:
    """
    Count for each page in how many of some adjoining windows it is touched.

    The same as asking ``is_touched`` for each window, but goes from touch to
    touch: cheaper where windows are many and touches few.

    Args:
        pages: int64, shape (n,), page numbers.

        salts: int64, shape (n,).

        rows: int64, shape (n,), the row of *bounds* that belongs to each page.

        bounds: int64, shape (nr_rows, nr_windows + 1), ascending positions;
            all of them together span less than 2^62.

    Returns:
        int64, shape (n,).
    """
    offset = _offsets(pages, salts)
    first = (bounds[:, 0].take(rows) + offset + _FRACTION_MASK) >> FRACTION_BITS
    end = (bounds[:, -1].take(rows) + offset + _FRACTION_MASK) >> FRACTION_BITS
    tally = _Tally(bounds, rows, offset)
    word = first >> _CELLS_PER_WORD_BITS
    while True:
        base = word << _CELLS_PER_WORD_BITS
        open_ = np.flatnonzero(base < end)
        if not open_.size:
            return tally.counts
        base = base[open_]
        cells = _cells(pages[open_], salts[open_], word[open_])
        cells &= _below(np.minimum(end[open_] - base, _CELL_MASK + 1))
        cells &= ~_below(np.maximum(first[open_] - base, 0))
        tally.add(open_, base, cells)
        word += 1


class _Tally:
    # Counts the windows that touches fall into, each window once per page.
    def __init__(self, bounds: IntArray, rows: IntArray, offset: IntArray) -> None:
        # All rows one behind the other, so that one search finds any window.
        start = bounds[:, 0]
        reach = int((bounds[:, -1] - start).max()) + 1
        shift = reach * np.arange(len(bounds)) - start
        self._line = (bounds + shift[:, None]).ravel()
        self._shift = shift.take(rows) - offset
        self._last = np.full(len(rows), -1)
        self.counts = np.zeros(len(rows), np.int64)

    def add(self, pages: IntArray, base: IntArray, cells: npt.NDArray[np.uint64]) -> None:
        # Takes one touch of each page at a time, the earliest first.
        while True:
            left = np.flatnonzero(cells)
            if not left.size:
                return
            pages, base, cells = pages[left], base[left], cells[left]
            lowest = cells & (~cells + _ONE)
            # The exponent of a power of two, exactly.
            cell = base + (np.frexp(lowest.astype(np.float64))[1] - 1 >> 1)
            place = (cell << FRACTION_BITS) + self._shift[pages]
            window = self._line.searchsorted(place, "right")
            self.counts[pages] += window != self._last[pages]
            self._last[pages] = window
            cells ^= lowest


def is_covered(pages: IntArray, salt: int, shares: FloatArray) -> BoolArray:
    """
    Tell which pages belong to a random share of all pages.

    Args:
        pages: int64, shape (n,), page numbers.

        salt: Other salts give other pages.

        shares: float64, shape (n,), probability of each page to belong.
    """
    # Another step than that of touches, or both draws would be one.
    hashes = _mix(pages * _COVER_STEP + salt)
    # 53 bits are what a float can hold.
    draws = (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return draws < shares


def _offsets(pages: IntArray, salts: IntArray) -> IntArray:
    # How far the cells of each page begin before the whole positions: less than
    # a cell. Multiples of the golden ratio, so that neighbours lie evenly apart;
    # the low bits of the product are its worst, and are shifted out.
    offset = pages * _GOLDEN
    offset += salts
    offset >>= 40
    offset &= _FRACTION_MASK
    return offset


def _any_cell(pages: IntArray, salts: IntArray, first: IntArray, end: IntArray) -> BoolArray:
    # Whether a cell in [first, end) touches; both arrays are used up. No word is
    # empty of touches, so that only the words at both ends of the window have to
    # be looked at.
    word = first >> _CELLS_PER_WORD_BITS
    words_on = end >> _CELLS_PER_WORD_BITS
    words_on -= word
    first &= _CELL_MASK
    end &= _CELL_MASK
    cells = _cells(pages, salts, word)
    cells &= _below(np.where(words_on > 0, _CELL_MASK + 1, end))
    cells >>= _bit(first)
    touched: BoolArray = cells != 0
    touched |= words_on > 1
    # Where the window reaches into the next word and has met no touch yet.
    open_ = np.flatnonzero((words_on == 1) > touched)
    if open_.size:
        cells = _cells(pages[open_], salts[open_], word[open_] + 1)
        cells &= _below(end[open_])
        touched[open_] = cells != 0
    return touched


def _cells(pages: IntArray, salts: IntArray, word: IntArray) -> npt.NDArray[np.uint64]:
    # One bit in every second place is set for a cell that touches.
    keys = word * _CELL_STEP
    keys += salts
    keys += pages * _GOLDEN
    bits = _mix(keys)
    bits &= bits >> _ONE
    bits &= _EVEN_BITS
    # One word in 10,000 has no touch at all; it gets one, which bounds the work.
    np.maximum(bits, _ONE, out=bits)
    return bits


def _mix(numbers: IntArray) -> npt.NDArray[np.uint64]:
    # Turns *numbers* into hashes, in place.
    bits = numbers.view(np.uint64)
    bits ^= bits >> np.uint64(30)
    bits *= _MIX_1
    bits ^= bits >> np.uint64(27)
    bits *= _MIX_2
    bits ^= bits >> np.uint64(31)
    return bits


def _below(cell: IntArray) -> npt.NDArray[np.uint64]:
    # NumPy defines a shift by the whole width as 0, so 32 cells give all ones.
    return (_ONE << _bit(cell)) - _ONE


def _bit(cell: IntArray) -> npt.NDArray[np.uint64]:
    return (cell << 1).view(np.uint64)
