"""The regions of one apply round, and the cuts that schemes make in them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..arrays import IntArray
from ..params.intervals import Intervals
from ..regions.table import AGE, END, START, TARGET, RegionTable
from .scores import fresh_keys, score_keys
from .sums import is_wide


class WalkedRegions:
    """
    A region table while schemes walk it.

    Whoever cuts a region here has its pieces joined again at the end of the
    round, unless the schemes have made a difference between them. Bounds that
    were there before are left alone: two equal neighbours may just have been
    split in order to find a difference.

    Args:
        table: Changed in place.

        frequencies: int64, shape (nr_regions,): accesses per aggregation as of
            now.

        intervals: What frequencies and ages are counted in.

    Attributes:
        table: The regions.
    """

    __slots__ = (
        "_cuts",
        "_frequencies",
        "_intervals",
        "_is_wide",
        "_keys",
        "_oldest",
        "_sizes",
        "table",
    )

    def __init__(self, table: RegionTable, frequencies: IntArray, intervals: Intervals) -> None:
        self.table = table
        self._intervals = intervals
        self._keys: IntArray | None = None
        self._frequencies = frequencies
        self._sizes: IntArray | None = None
        self._is_wide: bool | None = None
        self._oldest: int | None = None
        self._cuts: list[tuple[int, int]] = []

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self.table)

    @property
    def frequencies(self) -> IntArray:
        """int64, shape (nr_regions,): accesses per aggregation as of now."""
        return self._frequencies

    @property
    def sizes(self) -> IntArray:
        """int64, shape (nr_regions,): bytes; the same array until something is cut."""
        if self._sizes is None:
            self._sizes = self.table.sizes
        return self._sizes

    @property
    def oldest(self) -> int:
        """The largest age of all regions when the round began; none is older later on."""
        if self._oldest is None:
            self._oldest = int(np.maximum.reduce(self.table.cells[AGE], initial=0))
        return self._oldest

    @property
    def score_keys(self) -> IntArray:
        """int64, shape (nr_regions,): what scores depend on, see ``scores.score_keys``."""
        if self._keys is None:
            self._keys = score_keys(self._frequencies, self.table.cells[AGE], self._intervals)
        return self._keys

    @property
    def is_wide(self) -> bool:
        """Whether sums of sizes may need more than 63 bits."""
        # Cuts change no sum, so that this is asked once per round.
        if self._is_wide is None:
            self._is_wide = is_wide(self.sizes)
        return self._is_wide

    def rows(self, target: int) -> slice:
        """Return where the regions of a target stand."""
        targets = self.table.cells[TARGET]
        # Most contexts have one target, and need no search.
        if len(targets) and targets[0] == targets[-1] == target:
            return slice(0, len(targets))
        return self.table.rows(target)

    def size(self, row: int) -> int:
        """Return the size of one region, in bytes."""
        return int(self.sizes[row])

    def cut(self, row: int, offset: int) -> None:
        """
        Cut one region; both pieces have all of its counters.

        Args:
            row: Which region. The right piece is *row* + 1 afterwards.

            offset: Bytes of the left piece, more than 0 and less than all.
        """
        cells = self.table.cells
        address = int(cells[START, row]) + offset
        after = np.concatenate([cells[:, : row + 1], cells[:, row:]], axis=1)
        after[END, row] = after[START, row + 1] = address
        self.table.cells = after
        # Copies throughout: others may hold the columns as they were.
        self._frequencies = _with_twin(self._frequencies, row)
        self._keys = None if self._keys is None else _with_twin(self._keys, row)
        self._sizes = None
        # By address: places move with every cut.
        self._cuts.append((int(cells[TARGET, row]), address))

    def reset_ages(self, rows: IntArray) -> None:
        """Let regions begin anew: something was done to them."""
        self.table.cells[AGE, rows] = 0
        # Brought up to date, which is faster than computing all keys for each scheme.
        if self._keys is not None:
            self._keys[rows] = fresh_keys(self._keys[rows])

    def join(self, sz_limit: int) -> None:
        """
        Undo the cuts that have made no difference; the round is over then.

        Args:
            sz_limit: Largest size of a joined region, in bytes.

        Source:
            spec core 7.3 step 2 (G4) and P33. Differs: joins cut bounds only.
        """
        if not self._cuts:
            return
        cells = self.table.cells
        dropped: list[int] = []
        left = -1
        # Ascending, so that a region that was joined goes on growing to the right.
        for target, address in sorted(set(self._cuts)):
            rows = self.rows(target)
            # The region that begins where the cut was made.
            row = rows.start + int(cells[START, rows].searchsorted(address))
            if not dropped or dropped[-1] != row - 1:
                left = row - 1
            if self._is_alike(left, row) and cells[END, row] - cells[START, left] <= sz_limit:
                cells[END, left] = cells[END, row]
                dropped.append(row)
        self._cuts = []
        if dropped:
            # Slices instead of a mask: there are few, and thousands of cells.
            bounds = [-1, *dropped, cells.shape[1]]
            kept = [cells[:, low + 1 : high] for low, high in pairwise(bounds)]
            self.table.cells = np.concatenate(kept, axis=1)

    def _is_alike(self, left: int, right: int) -> bool:
        """Tell whether two regions touch, and nothing but their bounds differs."""
        cells = self.table.cells
        first, second = cells[:, left].tolist(), cells[:, right].tolist()
        is_touching = first[END] == second[START]
        for region in (first, second):
            del region[START : END + 1]
        return is_touching and bool(first == second)


def _with_twin(column: IntArray, row: int) -> IntArray:
    """Return a column with one element twice; several times faster than ``np.insert``."""
    return np.concatenate([column[: row + 1], column[row:]])
