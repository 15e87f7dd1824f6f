"""Synthetic memory that begins anew whenever it is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from ..spaces.space import Mapping, Space, Truth


class _Part(NamedTuple):
    """What of some intervals lies in one lap, in the time of that lap."""

    rows: IntArray
    since: IntArray
    until: IntArray


class RepeatedSpace:
    """
    A space that ends, over and over.

    Args:
        space: What is repeated.

    Raises:
        InvalidError: If it never ends, or has no length.
    """

    __slots__ = ("_lap_us", "_space")

    def __init__(self, space: Space) -> None:
        lap_us = space.lifetime_us
        if not lap_us:
            msg = f"{space!r} has no end from which it could begin anew"
            raise InvalidError(msg)
        self._space = space
        self._lap_us = lap_us

    def __repr__(self) -> str:
        return f"<RepeatedSpace {self._space!r}>"

    @property
    def is_pure(self) -> bool:
        """Whether ``accessed`` depends on its arguments alone."""
        return self._space.is_pure

    @property
    def lifetime_us(self) -> int | None:
        """None: it never ends."""
        return None

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return what is mapped at *now_us*."""
        return self._space.mappings(now_us % self._lap_us)

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell for each address whether its page was touched; see ``Space``."""
        shape = (len(since_us), addresses.shape[1])
        every = np.broadcast_to(addresses, shape)
        answers = np.zeros(shape, np.bool_)
        for rows, since, until in self._parts(since_us.ravel(), until_us.ravel()):
            answers[rows] |= self._space.accessed(every[rows], since[:, None], until[:, None])
        return answers

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """Count for every page the intervals that touched it; see ``Space``."""
        since, until = instants_us[:-1], instants_us[1:]
        is_whole = since // self._lap_us == (until - 1) // self._lap_us
        # Lap by lap, so that whatever the space does to be fast it still does.
        bounds, counts = np.array([start, end]), np.zeros(1, np.int64)
        for rows, begin, stop in self._parts(since[is_whole], until[is_whole]):
            # Neighbours in one lap share their instants; others may lie between.
            for block in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) > 1) + 1):
                instants = np.append(begin[block], stop[block[-1]])
                found = self._space.truth(start, end, instants)
                bounds, counts = _sum(bounds, counts, found.bounds, found.counts)
        for low, high in zip(since[~is_whole].tolist(), until[~is_whole].tolist(), strict=True):
            touched = self._touched(start, end, low, high)
            bounds, counts = _sum(bounds, counts, touched.bounds, touched.counts)
        return Truth(bounds, counts, len(since))

    def _touched(self, start: int, end: int, since_us: int, until_us: int) -> Truth:
        """Return the truth of one interval that reaches into more than one lap."""
        bounds, counts = np.array([start, end]), np.zeros(1, np.int64)
        for _, since, until in self._parts(np.array([since_us]), np.array([until_us])):
            found = self._space.truth(start, end, np.concatenate((since, until)))
            bounds, counts = _sum(bounds, counts, found.bounds, found.counts)
        # However many laps touched a page, it is one interval.
        return Truth(bounds, np.minimum(counts, 1), 1)

    def _parts(self, since: IntArray, until: IntArray) -> Iterator[_Part]:
        """
        Cut intervals at the ends of laps.

        Args:
            since: int64, shape (nr_intervals,), ascending.

            until: int64, shape (nr_intervals,).

        Yields:
            Of each lap that is asked about, the intervals that reach into it. Of
            laps that lie within one interval as a whole, only one: all are alike.
        """
        lap_us = self._lap_us
        first, last = since // lap_us, (until - 1) // lap_us
        # The lap after the first stands for all between; it may be the last one itself.
        for lap in np.unique(np.concatenate((first, first + 1, last))).tolist():
            low, high = lap * lap_us, (lap + 1) * lap_us
            rows = np.flatnonzero((since < high) & (until > low) & (until > since))
            if len(rows):
                begin = np.maximum(since[rows], low) - low
                yield _Part(rows, begin, np.minimum(until[rows], high) - low)


def repeated(space: Space) -> Space:
    """Return memory without end: *space* itself if it has none."""
    return RepeatedSpace(space) if space.lifetime_us is not None else space


def _sum(
    bounds: IntArray, counts: IntArray, other_bounds: IntArray, other_counts: IntArray
) -> tuple[IntArray, IntArray]:
    """Add the counts of two lists of runs over the same memory."""
    joined = np.union1d(bounds, other_bounds)
    starts = joined[:-1]
    total = counts[bounds.searchsorted(starts, "right") - 1]
    total = total + other_counts[other_bounds.searchsorted(starts, "right") - 1]
    is_new = np.append(True, np.diff(total) != 0)
    return np.append(starts[is_new], joined[-1]), total[is_new]
