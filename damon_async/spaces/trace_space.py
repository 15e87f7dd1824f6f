"""
A recorded trace as memory: the touches happened once, and are looked up.

Nothing is drawn and nothing is simulated, so the truth of a trace is exact to
the unit of its clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from ..arrays import BoolArray, IntArray
from .page_runs import truth_of_ranges
from .space import Mapping, Truth
from .touch_log import TouchLog

MAX_MAPPINGS: Final = 64
"""Into how many mappings the pages of a trace are put at most."""

_MAX_INT64: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TimeScale:
    """
    A trace's own clock beside ours, without any rounding error.

    Unit *u* of the trace is the instant ``(u - origin) * us_per_unit``, rounded
    down to a microsecond.

    Attributes:
        origin: The clock of the first touch, which is instant 0.

        us_per_unit: How long a unit lasts; above 0.
    """

    origin: int
    us_per_unit: Fraction

    def instant_us(self, clock: int) -> int:
        """Return the instant of a unit, in microseconds."""
        return (clock - self.origin) * self.us_per_unit.numerator // self.us_per_unit.denominator

    def clocks(self, instants_us: IntArray) -> IntArray:
        """Return the first unit of the trace that is not before each instant."""
        # Plain integers, because the products need more than 64 bits. There are
        # only as many as intervals.
        num, den = self.us_per_unit.numerator, self.us_per_unit.denominator
        units_since = (-(-instant * den // num) for instant in instants_us.tolist())
        clocks = [min(_MAX_INT64, self.origin + max(0, unit)) for unit in units_since]
        return np.array(clocks, dtype=np.int64)


class TraceSpace:
    """
    Memory that was touched as a trace says.

    Pure: answers depend on the arguments alone. Queries may come in any order;
    each one reads the rows of its own window.

    Args:
        log: The touches.

        scale: When they happened.

        page_size: Bytes per page of *log*.
    """

    def __init__(self, log: TouchLog, scale: TimeScale, page_size: int) -> None:
        self._log = log
        self._scale = scale
        self._page_size = page_size
        # The last touch happens in the microsecond before.
        self._end_us = scale.instant_us(int(log.clock[-1])) + 1
        self._mappings = _mappings(log.pages, page_size)

    def __repr__(self) -> str:
        return (
            f"<TraceSpace {self.nr_touches} touches of {self.nr_pages} pages in {self._end_us} us>"
        )

    @property
    def is_pure(self) -> bool:
        """Always true."""
        return True

    @property
    def lifetime_us(self) -> int:
        """The first instant after the last touch."""
        return self._end_us

    @property
    def page_size(self) -> int:
        """Bytes that share one accessed mark."""
        return self._page_size

    @property
    def nr_touches(self) -> int:
        """How many touches of single pages the trace holds."""
        return len(self._log.clock)

    @property
    def nr_pages(self) -> int:
        """How many pages are ever touched."""
        return len(self._log.pages)

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """
        Return the ranges in which the trace has pages; none after its end.

        A trace does not tell what was mapped. Pages that are touched at any
        time belong to one mapping unless a wide hole is between them: wider
        than a 64th of all that is touched, at most the 63 widest. The two
        widest holes always count, for the three regions of vaddr are found by
        them; a trace without two holes is for fvaddr and paddr.
        """
        return self._mappings if now_us < self._end_us else ()

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """
        Tell for each address whether its page was touched in an interval.

        Shapes and meaning are those of ``Space.accessed``.
        """
        # An interval that ends before it begins holds no rows.
        low = self._rows(since_us)
        high = np.maximum(low, self._rows(until_us))
        return self._log.touched(addresses // self._page_size, low, high)

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """
        Count for every page in ``[start, end)`` the intervals that touched it.

        Shapes and meaning are those of ``Space.truth``. Exact; takes memory for
        some hundred thousand touches and the pages, however long the time is.
        """
        counts = self._log.counts(self._rows(instants_us))
        starts = self._log.pages * self._page_size
        nr_intervals = max(0, len(instants_us) - 1)
        return truth_of_ranges(starts, starts + self._page_size, counts, (start, end), nr_intervals)

    def _rows(self, instants_us: IntArray) -> IntArray:
        return self._log.rows(self._scale.clocks(instants_us.reshape(-1)))


def _mappings(pages: IntArray, page_size: int) -> tuple[Mapping, ...]:
    # Stable, so that of equally wide holes the lower ones count.
    holes = np.diff(pages) - 1
    widest = np.argsort(-holes, kind="stable")[: MAX_MAPPINGS - 1]
    # Measured against what is touched and not against the span: the span of a
    # process is mostly the hole below its stack, and nothing is wide beside that.
    wide = np.where(np.arange(len(widest)) < 2, 0, len(pages) // MAX_MAPPINGS)
    cuts = np.sort(widest[holes[widest] > wide])
    firsts = pages[np.append([0], cuts + 1)]
    lasts = pages[np.append(cuts, [len(pages) - 1])]
    return tuple(
        Mapping(first * page_size, (last + 1) * page_size, page_size)
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    )
