"""Many processes as one struct of arrays, and what they touch in a window of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import BoolArray, FloatArray, IntArray
from .clocks import Clock, scaled
from .processes import ALWAYS, FIRST_NUMBER, NEVER, NEVER_FULL, STILL, Process, Row
from .random_touches import FRACTION_BITS, count_touched, is_covered, is_touched

UNTOUCHED: Final = 0
"""State of a process in a window: it touches no page."""

TOUCHED: Final = 1
"""State of a process in a window: it touches every page of its bands."""

UNDECIDED: Final = 2
"""State of a process in a window: it depends on the page."""

# Positions per window below which going from touch to touch is cheaper than
# asking about each window: two cells, hence half a touch.
_SLOW: Final = 2 << FRACTION_BITS

States: TypeAlias = npt.NDArray[np.uint8]
"""One of the three states per element."""


class Window(NamedTuple):
    """
    What all processes do in each of some windows of time.

    Columns are process numbers; those of ``NEVER`` and ``ALWAYS`` come first.
    """

    states: States
    """uint8, shape (nr_windows, nr_processes)."""

    since: IntArray
    """int64, shape (nr_windows, nr_processes): position at the beginning."""

    until: IntArray
    """int64, shape (nr_windows, nr_processes): position at the end."""


class ProcessTable:
    """
    Processes as a struct of arrays, indexed by process number.

    Args:
        processes: Those with numbers from ``FIRST_NUMBER`` on.

        page_size: Bytes that share one accessed mark; a power of two.

        cover_salt: Decides which pages are never touched where only a share of
            them is. One for the whole space: those pages stay the same.
    """

    def __init__(self, processes: Sequence[Process], page_size: int, cover_salt: int = 0) -> None:
        self._columns = _columns([process.row(page_size) for process in processes])
        self._page_size = page_size
        self._page_shift = page_size.bit_length() - 1
        self._cover_salt = cover_salt
        kinds = self._columns.is_random[FIRST_NUMBER:]
        # Most tables have one kind, and are spared the sorting out.
        self._has_random = bool(kinds.any())
        self._has_sweeps = not kinds.all()
        # Sweeps that skip no page walk over all pages between two addresses.
        self.is_dense: BoolArray = ~self._columns.is_random & (self._columns.full < NEVER_FULL)
        self.is_dense[:FIRST_NUMBER] = False
        self._is_scaled = bool((self._columns.numerator != self._columns.denominator).any())
        self._is_partly_covered = bool((self._columns.covered < 1).any())

    def __len__(self) -> int:
        return len(self._columns.clock)

    @property
    def is_still(self) -> bool:
        """Whether there are no processes but ``NEVER`` and ``ALWAYS``."""
        return len(self) == FIRST_NUMBER

    def window(
        self, clock: Clock, since_us: IntArray, until_us: IntArray, origin_us: int
    ) -> Window:
        """
        Look at the clock and tell what every process does between two instants.

        Args:
            clock: The phase's clock.

            since_us: int64, shape (nr_windows,).

            until_us: int64, shape (nr_windows,).

            origin_us: When the phase began.
        """
        nr_windows = len(since_us)
        columns = self._columns
        if self.is_still:
            nowhere = np.zeros((nr_windows, FIRST_NUMBER), np.int64)
            still: States = np.zeros(nowhere.shape, np.uint8)
            still[:, ALWAYS] = until_us > since_us
            return Window(still, nowhere, nowhere)
        # Both ends in one go: these arrays are so small that calls are what counts.
        positions = clock.progress(np.concatenate((since_us, until_us)), origin_us)
        positions = positions.take(columns.clock, axis=1)
        if self._is_scaled:
            positions = scaled(positions, columns.numerator, columns.denominator)
        since, until = positions[:nr_windows], positions[nr_windows:]
        moved = until - since
        # Moved at all: undecided, which is 2; moved far enough: one less, touched.
        states: States = (moved > 0).view(np.uint8)
        states += states
        states -= (moved >= columns.full).view(np.uint8)
        # Their columns hold nonsense so far.
        states[:, NEVER] = UNTOUCHED
        states[:, ALWAYS] = until_us > since_us
        return Window(states, since, until)

    def walked_bounds(self, window: Window) -> IntArray:
        """
        Return between which addresses the sweeps walk that skip no page.

        Returns:
            int64, shape (nr_bounds,), in no order: first and end of the pages of
            each sweep in each window that leaves it undecided.
        """
        row, number = np.nonzero(self.is_dense & (window.states == UNDECIDED))
        columns = self._columns
        # Access number i touches the byte (i + 1) strides into the block.
        ends = np.stack((window.since[row, number] + 1, window.until[row, number]))
        offset = ends % columns.lap[number] * columns.stride[number] + columns.lead[number]
        pages = (offset >> self._page_shift) + np.array([[0], [1]])
        bounds: IntArray = columns.start[number] + (pages << self._page_shift)
        return bounds.ravel()

    def is_slow(self, window: Window) -> BoolArray:
        """
        Tell which processes touch so rarely that touches are fewer than windows.

        Returns:
            bool, shape (nr_processes,).
        """
        moved = window.until[-1] - window.since[0]
        slow: BoolArray = self._columns.is_random & (moved <= len(window.since) * _SLOW)
        return slow

    def count(self, addresses: IntArray, numbers: IntArray, window: Window) -> IntArray:
        """
        Count for each page in how many windows it is touched.

        Args:
            addresses: int64, shape (n,).

            numbers: int64, shape (n,), the processes, slow ones all of them.

            window: Adjoining windows: each begins where the one before ends.

        Returns:
            int64, shape (n,).
        """
        slow = np.flatnonzero(self.is_slow(window))
        bounds = np.vstack((window.since[:, slow], window.until[-1:, slow])).T
        pages, rows = addresses >> self._page_shift, slow.searchsorted(numbers)
        counts = count_touched(pages, self._columns.salt.take(numbers), rows, bounds)
        if self._is_partly_covered:
            shares = self._columns.covered.take(numbers)
            counts *= is_covered(pages, self._cover_salt, shares)
        return counts

    def decide(
        self, addresses: IntArray, numbers: IntArray, since: IntArray, until: IntArray
    ) -> BoolArray:
        """
        Look at single pages, where the state of the process does not tell.

        Args:
            addresses: int64, shape (n,).

            numbers: int64, shape (n,), the process of each address.

            since: int64, shape (n,), position of that process at the beginning.

            until: int64, shape (n,), after *since*.

        Returns:
            bool, shape (n,).
        """
        if not self._has_sweeps:
            return self._random(addresses, numbers, since, until)
        if not self._has_random:
            return self._swept(addresses, numbers, since, until)
        is_random = self._columns.is_random.take(numbers)
        touched = np.empty(addresses.shape, np.bool_)
        for kind, rule in ((is_random, self._random), (~is_random, self._swept)):
            at = np.flatnonzero(kind)
            touched[at] = rule(addresses[at], numbers[at], since[at], until[at])
        return touched

    def _random(
        self, addresses: IntArray, numbers: IntArray, since: IntArray, until: IntArray
    ) -> BoolArray:
        pages = addresses >> self._page_shift
        touched = is_touched(pages, self._columns.salt.take(numbers), since, until)
        if self._is_partly_covered:
            shares = self._columns.covered.take(numbers)
            touched &= is_covered(pages, self._cover_salt, shares)
        return touched

    def _swept(
        self, addresses: IntArray, numbers: IntArray, since: IntArray, until: IntArray
    ) -> BoolArray:
        columns = self._columns
        lap = columns.lap.take(numbers)
        first, last = self._accesses_of_page(addresses, numbers, lap)
        # How long ago, at the first access of the window, the walk came by the
        # page for the first time in its lap.
        ago = (since + 1) % lap
        ago -= first
        ago += np.where(ago < 0, lap, 0)
        # It is there now, or will be back before the window ends.
        touched = (ago <= last - first) | (until - since > lap - ago)
        # A long stride may step over a page.
        touched &= first <= last
        return touched

    def _accesses_of_page(
        self, addresses: IntArray, numbers: IntArray, lap: IntArray
    ) -> tuple[IntArray, IntArray]:
        # Which accesses of a lap, first and last, fall into the page of each
        # address; none if the first is after the last.
        columns = self._columns
        offset = addresses - columns.start.take(numbers)
        # From the byte to the beginning of its page.
        offset &= -self._page_size
        offset -= columns.lead.take(numbers)
        stride = columns.stride.take(numbers)
        # Rounded up: the first multiple of the stride that is not before the page.
        first = np.maximum(-(-offset // stride), 0)
        last = np.minimum((offset + self._page_size - 1) // stride, lap - 1)
        return first, last


class _Columns(NamedTuple):
    # The fields of ``Row``, one array each.
    clock: IntArray
    numerator: IntArray
    denominator: IntArray
    full: IntArray
    is_random: BoolArray
    salt: IntArray
    covered: FloatArray
    start: IntArray
    lead: IntArray
    stride: IntArray
    lap: IntArray


def _columns(rows: Sequence[Row]) -> _Columns:
    padded = [STILL] * FIRST_NUMBER + list(rows)
    return _Columns(*(np.array(column) for column in zip(*padded, strict=True)))
