"""What a pattern does for a while, for any address at any instant of that time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ..arrays import BoolArray, IntArray
from .bands import Bands, Layer
from .clocks import Clock, TimeClock
from .process_table import TOUCHED, UNDECIDED, ProcessTable, States, Window
from .processes import ALWAYS

# The dozens of temporary arrays of this length stay in the processor's cache,
# and in memory that the allocator keeps: three times as fast as all at once.
_DECIDED_AT_ONCE: Final = 4096


class Phase:
    """
    What a pattern does for a while.

    Args:
        layers: Who is responsible for which address; at least one.

        table: The processes that the layers refer to.

        clock: What the processes follow.

    Attributes:
        always: int64, shape (nr_ranges, 2): what is touched at every instant, where all
            other memory is never touched; None if there is memory of another kind.
    """

    def __init__(
        self, layers: Sequence[Layer], table: ProcessTable, clock: Clock | None = None
    ) -> None:
        self._layers = tuple(layers)
        self._table = table
        self._clock = TimeClock() if clock is None else clock
        bands = [layer for layer in self._layers if isinstance(layer, Bands)]
        self.always: IntArray | None = None
        if table.is_still and len(bands) == len(self._layers):
            self.always = np.concatenate([each.ruled_by(ALWAYS) for each in bands])

    def touched(
        self, addresses: IntArray, since_us: IntArray, until_us: IntArray, origin_us: int
    ) -> BoolArray:
        """
        Tell which pages are touched in some windows inside one turn of the phase.

        Args:
            addresses: int64, shape (nr_windows, n), or (1, n) to ask every
                window about the same addresses.

            since_us: int64, shape (nr_windows,).

            until_us: int64, shape (nr_windows,).

            origin_us: When this turn of the phase began.

        Returns:
            bool, shape (nr_windows, n).
        """
        # Nothing depends on the time of day: no clock, no states.
        if self._table.is_still:
            return self._touched_always(addresses, until_us > since_us)
        window = self._table.window(self._clock, since_us, until_us, origin_us)
        touched = self._touched_in_layer(self._layers[0], addresses, window)
        for layer in self._layers[1:]:
            touched |= self._touched_in_layer(layer, addresses, window)
        return touched

    def cuts(
        self, start: int, end: int, since_us: IntArray, until_us: IntArray, origin_us: int
    ) -> IntArray:
        """
        Return where pages inside ``[start, end)`` may begin to be touched otherwise.

        These are the beginnings of bands, and the bounds of what sweeps walk over
        in each of the windows. They are not sorted, and may come twice.
        """
        found = [layer.cuts(start, end) for layer in self._layers]
        if not self._table.is_still:
            window = self._table.window(self._clock, since_us, until_us, origin_us)
            walked = self._table.walked_bounds(window)
            found.append(walked[(walked > start) & (walked < end)])
        return np.concatenate(found)

    def survey(
        self, addresses: IntArray, since_us: IntArray, until_us: IntArray, origin_us: int
    ) -> States:
        """
        Tell what pages do between cuts, by one address of each piece.

        Args:
            addresses: int64, shape (nr_pieces,).

            since_us: int64, shape (nr_windows,), those that the cuts were made for.

            until_us: int64, shape (nr_windows,).

            origin_us: When this turn of the phase began.

        Returns:
            uint8, shape (nr_windows, nr_pieces).
        """
        window = self._table.window(self._clock, since_us, until_us, origin_us)
        states = self._survey_layer(self._layers[0], addresses, window)
        for layer in self._layers[1:]:
            states = either(states, self._survey_layer(layer, addresses, window))
        return states

    def count(
        self, addresses: IntArray, since_us: IntArray, until_us: IntArray, origin_us: int
    ) -> IntArray:
        """
        Count for each page in how many of some adjoining windows it is touched.

        Args:
            addresses: int64, shape (n,).

            since_us: int64, shape (nr_windows,), each the end of the one before.

            until_us: int64, shape (nr_windows,).

            origin_us: When this turn of the phase began.

        Returns:
            int64, shape (n,).
        """
        if self._table.is_still or len(self._layers) > 1:
            return _sums(self.touched(addresses[None], since_us, until_us, origin_us))
        window = self._table.window(self._clock, since_us, until_us, origin_us)
        numbers = self._layers[0].locate(addresses)
        is_slow = self._table.is_slow(window).take(numbers)
        counts = np.zeros(len(addresses), np.int64)
        slow, fast = np.flatnonzero(is_slow), np.flatnonzero(~is_slow)
        if slow.size:
            counts[slow] = self._table.count(addresses[slow], numbers[slow], window)
        if fast.size:
            touched = self.touched(addresses[None, fast], since_us, until_us, origin_us)
            counts[fast] = _sums(touched)
        return counts

    def _survey_layer(self, layer: Layer, addresses: IntArray, window: Window) -> States:
        states = layer.survey(addresses, window.states)
        # Between cuts a sweep touches all pages or none, so that one tells for
        # the others; unless they were shuffled.
        if isinstance(layer, Bands):
            numbers = layer.locate(addresses)
            is_swept = self._table.is_dense.take(numbers) & (states == UNDECIDED)
            row, column = np.nonzero(is_swept)
            # Deciding about nothing takes as long as deciding about a few.
            if row.size:
                number = numbers[column]
                states[row, column] = self._table.decide(
                    addresses[column], number, window.since[row, number], window.until[row, number]
                )
        return states

    def _touched_always(self, addresses: IntArray, is_window: BoolArray) -> BoolArray:
        touched: BoolArray = self._layers[0].locate(addresses) == ALWAYS
        for layer in self._layers[1:]:
            touched |= layer.locate(addresses) == ALWAYS
        return np.logical_and(touched, is_window[:, None])

    def _touched_in_layer(self, layer: Layer, addresses: IntArray, window: Window) -> BoolArray:
        nr_windows, nr_processes = window.states.shape
        # The states of all windows lie in one flat table; a cell is the place of a
        # process in its window.
        numbers = layer.locate(addresses)
        cells = numbers + np.arange(0, nr_windows * nr_processes, nr_processes)[:, None]
        states = window.states.take(cells)
        if window.states.max() == UNDECIDED:
            self._decide(states.ravel(), cells.ravel(), addresses.ravel(), numbers.ravel(), window)
        # Only 0 and 1 are left, which is what booleans are made of.
        return states.view(np.bool_)

    def _decide(
        self,
        states: States,
        cells: IntArray,
        addresses: IntArray,
        numbers: IntArray,
        window: Window,
    ) -> None:
        # Replaces what is undecided in *states*, in place.
        undecided = np.flatnonzero(states == UNDECIDED)
        for begin in range(0, len(undecided), _DECIDED_AT_ONCE):
            open_ = undecided[begin : begin + _DECIDED_AT_ONCE]
            cell = cells[open_]
            # All windows may ask about the same row of addresses.
            column = open_ if len(addresses) == len(states) else open_ % len(addresses)
            states[open_] = self._table.decide(
                addresses[column],
                numbers[column],
                window.since.take(cell),
                window.until.take(cell),
            )

    def __repr__(self) -> str:
        return f"<Phase of {len(self._layers)} layers and {len(self._table)} processes>"


def either(one: States, other: States) -> States:
    """Return what two processes on the same pages do together."""
    is_touched = (one == TOUCHED) | (other == TOUCHED)
    return np.where(is_touched, np.uint8(TOUCHED), one | other)


def _sums(touched: BoolArray) -> IntArray:
    # In how many windows each address is touched.
    counts: IntArray = touched.sum(axis=0)
    return counts
