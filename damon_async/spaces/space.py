"""
What the monitor's back ends may ask a synthetic address space.

A space is memory as a function of time. It knows nothing of regions, of
operations sets or of sampling: the truth must not know its observer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from ..arrays import BoolArray, IntArray


class Mapping(NamedTuple):
    """One mapped range ``[start, end)`` and the size of the pages behind it."""

    start: int
    """First byte, a multiple of *page_size*."""

    end: int
    """One past the last byte, a multiple of *page_size*."""

    page_size: int = 4096
    """Bytes that share one accessed mark: 4096, or 2 MiB for huge pages."""

    name: str = ""
    """What a user would call the range (a masim region, a file); may be empty."""


@dataclass(frozen=True, slots=True)
class Truth:
    """
    How often each page of a range was really touched, as runs of equal pages.

    Attributes:
        bounds: int64, shape (nr_runs + 1,), strictly ascending addresses in
            bytes. Run *i* is ``[bounds[i], bounds[i + 1])``.

        counts: int64, shape (nr_runs,). In how many of the sampling intervals
            each page of the run was touched at least once.

        nr_intervals: How many sampling intervals were looked at; the true rate
            of a page is ``counts / nr_intervals``.
    """

    bounds: IntArray
    counts: IntArray
    nr_intervals: int


@runtime_checkable
class Space(Protocol):
    """A synthetic address space."""

    @property
    def is_pure(self) -> bool:
        """
        Whether ``accessed`` depends on its arguments alone.

        Pattern and trace spaces are pure: a whole window of sampling intervals
        may be asked for at once, late, or twice. A space that learns of touches
        while it runs is not; it is only asked about intervals that end now.
        """
        ...

    @property
    def lifetime_us(self) -> int | None:
        """The instant at which the space vanishes, None if it never does."""
        ...

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return what is mapped at *now_us*, ascending and not overlapping."""
        ...

    def accessed(
        self,
        addresses: IntArray,
        since_us: IntArray,
        until_us: IntArray,
    ) -> BoolArray:
        """
        Tell for each address whether its page was touched in an interval.

        Args:
            addresses: int64, shape (nr_intervals, nr_addresses), in bytes.
                Rows belong to consecutive intervals. Not necessarily mapped.

            since_us: int64, shape (nr_intervals, 1), ascending.

            until_us: int64, shape (nr_intervals, 1). Row *i* asks about
                ``[since_us[i], until_us[i])``.

        Returns:
            bool, shape (nr_intervals, nr_addresses). False where nothing is
            mapped, and after the space has vanished.
        """
        ...

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """
        Count for every page in ``[start, end)`` the intervals that touched it.

        Args:
            start: First byte.

            end: One past the last byte.

            instants_us: int64, shape (nr_intervals + 1,), ascending; interval
                *i* is ``[instants_us[i], instants_us[i + 1])``.

        Returns:
            Runs that cover exactly ``[start, end)``; what is not mapped counts 0.
        """
        ...
