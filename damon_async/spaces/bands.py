"""Which process is responsible for an address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np

from ..arrays import IntArray
from .process_table import UNDECIDED, States
from .processes import NEVER


class Stroke(NamedTuple):
    """A range ``[start, end)`` and the number of the process that rules there."""

    start: int
    end: int
    number: int


class Layer(Protocol):
    """
    A cover of the whole address range by processes, one per address.

    A phase may have several layers, where more than one process touches the
    same pages.
    """

    def locate(self, addresses: IntArray) -> IntArray:
        """Return the process number of each address, in the same shape."""
        ...

    def cuts(self, start: int, end: int) -> IntArray:
        """Return the addresses strictly inside ``[start, end)`` where bands begin."""
        ...

    def survey(self, addresses: IntArray, states: States) -> States:
        """
        Tell what a whole band does, given what each process does.

        Args:
            addresses: int64, shape (nr_bands,), one address in each band.

            states: uint8, shape (nr_windows, nr_processes).

        Returns:
            uint8, shape (nr_windows, nr_bands).
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """
    A process for each of some adjoining ranges.

    Attributes:
        cuts_at: int64, shape (nr_bands - 1,), ascending: where the second and
            all later bands begin. The first and the last have no outer bound.

        numbers: int64, shape (nr_bands,), their processes.
    """

    cuts_at: IntArray
    numbers: IntArray

    @classmethod
    def painted(cls, strokes: Iterable[Stroke]) -> Self:
        """
        Make bands of ranges; what no range covers is never touched.

        Args:
            strokes: Ranges in any order; a later one covers earlier ones.
        """
        listed = [stroke for stroke in strokes if stroke.start < stroke.end]
        bounds = np.array([(stroke.start, stroke.end) for stroke in listed], np.int64)
        cuts_at = np.unique(bounds)
        # Painted over and over, in order: hundreds of ranges, once per phase.
        numbers = np.full(len(cuts_at) + 1, NEVER)
        for stroke in listed:
            first, last = cuts_at.searchsorted((stroke.start, stroke.end), "right")
            numbers[first:last] = stroke.number
        return cls(cuts_at, numbers)

    def locate(self, addresses: IntArray) -> IntArray:
        """Return the process number of each address, in the same shape."""
        return self.numbers.take(self.cuts_at.searchsorted(addresses, "right"))

    def cuts(self, start: int, end: int) -> IntArray:
        """Return the addresses strictly inside ``[start, end)`` where bands begin."""
        first = self.cuts_at.searchsorted(start, "right")
        last = self.cuts_at.searchsorted(end, "left")
        return self.cuts_at[first:last]

    def ruled_by(self, number: int) -> IntArray:
        """Return the bands of a process: int64, shape (nr_bands, 2), ascending."""
        ends = np.iinfo(np.int64)
        bounds = np.concatenate(([ends.min], self.cuts_at, [ends.max]))
        ruled: IntArray = np.stack((bounds[:-1], bounds[1:]), axis=1)[self.numbers == number]
        return ruled

    def survey(self, addresses: IntArray, states: States) -> States:
        """Tell what a whole band does: what its process does."""
        return states[:, self.locate(addresses)]


@dataclass(frozen=True, slots=True, eq=False)
class ScatteredBands:
    """
    Bands over pages that were shuffled in units, as if by a deck of cards.

    The shuffle is an affine map of unit numbers, so that it costs no memory:
    unit *u* is dealt the place ``(u * factor + shift) % nr_units``.

    Attributes:
        start: First byte of the shuffled area.

        unit: Bytes that stay together.

        nr_units: How many units the area has; the product with *factor* is
            below 2^63.

        factor: Without common divisor with *nr_units*.

        shift: Place of the first unit.

        bands: The bands of the area before it was shuffled, from address 0.
    """

    start: int
    unit: int
    nr_units: int
    factor: int
    shift: int
    bands: Bands

    @property
    def end(self) -> int:
        """One past the last byte of the shuffled area."""
        return self.start + self.nr_units * self.unit

    def locate(self, addresses: IntArray) -> IntArray:
        """Return the process number of each address, in the same shape."""
        offset = addresses - self.start
        unit = offset // self.unit
        # What lies outside may overflow here; its answer is thrown away.
        place = unit * self.factor
        place += self.shift
        # Division by one number is vectorised, the remainder is not.
        place -= place // self.nr_units * self.nr_units
        place -= unit
        place *= self.unit
        place += offset
        numbers = self.bands.locate(place)
        is_ours = unit.view(np.uint64) < self.nr_units
        # A negative unit is a huge one without its sign, and no unit of ours.
        if not is_ours.all():
            numbers[~is_ours] = NEVER
        return numbers

    def cuts(self, start: int, end: int) -> IntArray:
        """Return the bounds of the shuffled area that are inside ``[start, end)``."""
        return np.array([cut for cut in (self.start, self.end) if start < cut < end], np.int64)

    def survey(self, addresses: IntArray, states: States) -> States:
        """Tell what the whole area does: nothing that is certain, unless all agree."""
        # Without what rules before and after the deck of cards.
        firsts = np.append(self.bands.cuts(0, self.end - self.start), 0)
        ours = states[:, np.unique(self.bands.locate(firsts))]
        common = np.where((ours == ours[:, :1]).all(axis=1), ours[:, 0], UNDECIDED)
        is_ours = (addresses >= self.start) & (addresses < self.end)
        return np.where(is_ours, common[:, None], states[:, NEVER, None]).astype(np.uint8)
