"""One sampling address per region and tick: drawing them, and asking about them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import IntArray
from ..errors import InvalidError
from ..operations.base import Operations
from ..params.monitoring import Target
from ..regions.table import NR_ACCESSES, START, RegionTable


class Sampler:
    """
    Samples the regions of a table, a window of ticks at a time.

    Window or single ticks, the same draws are made in the same order, so the
    result is the same to the byte. What does not change until the regions do
    (sizes, rows of each target) is computed once.

    Args:
        operations: Who answers whether an address was accessed.

        rng: Where sampling addresses come from.

    Source:
        spec core 6; draws cover the full width of a region (P9), answers are
        never reused (P8).
    """

    __slots__ = ("_rng", "_rows", "_sizes", "_table", "operations")

    def __init__(self, operations: Operations, rng: np.random.Generator) -> None:
        self.operations = operations
        self._rng = rng
        self._table: IntArray | None = None
        self._sizes = np.zeros(0)
        self._rows: list[tuple[Target, slice]] = []

    def forget(self) -> None:
        """Drop what was computed for a table: targets or bounds have changed."""
        self._table = None

    def sample(
        self,
        table: RegionTable,
        targets: Sequence[Target],
        since_us: IntArray,
        until_us: IntArray,
    ) -> None:
        """
        Check one random page of every region in every interval; in place.

        Args:
            table: Its ``nr_accesses`` grow by what was found accessed.

            targets: In the order of the table's target column.

            since_us: int64, shape (nr_ticks, 1): when each interval begins.

            until_us: int64, shape (nr_ticks, 1): when it ends.

        Raises:
            InvalidError: If the operations set does not answer for every address.
        """
        # Whatever moves a bound replaces the cells, so that identity tells.
        if self._table is not table.cells:
            self._prepare(table, targets)
        addresses = self._draw(table, len(since_us))
        counts = table.cells[NR_ACCESSES]
        for target, rows in self._rows:
            asked = addresses[:, rows]
            found = self.operations.accessed(target, asked, since_us, until_us)
            # A row too few would be counted for every tick, without a word.
            if found.shape != asked.shape:
                raise InvalidError(
                    f"{self.operations!r} answered in shape {found.shape} about addresses "
                    f"of shape {asked.shape}"
                )
            # A sum over a single row costs as much as asking about it.
            counts[rows] += found[0] if len(found) == 1 else found.sum(axis=0)

    def _prepare(self, table: RegionTable, targets: Sequence[Target]) -> None:
        """Compute what stays the same until the regions change."""
        self._table = table.cells
        self._sizes = table.sizes.astype(np.float64)
        # Most contexts have one target, and need no search.
        if len(targets) == 1:
            self._rows = [(targets[0], slice(None))] if len(table) else []
            return
        bounds = np.searchsorted(table.target, np.arange(len(targets) + 1)).tolist()
        spans = zip(targets, bounds[:-1], bounds[1:], strict=True)
        self._rows = [(target, slice(low, high)) for target, low, high in spans if low < high]

    def _draw(self, table: RegionTable, nr_ticks: int) -> IntArray:
        """
        Draw sampling addresses, uniform in each region.

        Returns:
            int64, shape (nr_ticks, nr_regions).
        """
        # Row by row from one stream: the same draws as tick after tick. Doubles,
        # because bounded integers of mixed ranges are drawn one at a time (P9).
        draws = self._rng.random((nr_ticks, len(table)))
        # The largest draw is 1 - 2^-53. Times any float, that rounds to the next
        # float below it, hence below the size even where that was rounded up.
        draws *= self._sizes
        addresses = draws.astype(np.int64)
        addresses += table.cells[START]
        return addresses
