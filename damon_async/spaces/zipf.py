"""Pages whose popularity follows Zipf's law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final

import numpy as np
from pydantic import BeforeValidator, Field

from .. import units
from ..params.base import Bytes
from .bands import Bands, Layer, ScatteredBands, Stroke
from .generator_base import Generator, Turn, forever
from .layout import round_up
from .phases import Phase
from .processes import FIRST_NUMBER

# The hottest pages get most of all touches, and their rates to themselves.
_EXACT_RANKS: Final = 8

# Levels up to this length are summed rank by rank.
_SUMMED_RANKS: Final = 1000
# Times 2^32 pages of 16 TiB this still fits int64.
_FACTOR_LIMIT: Final = 2**31


class Zipf(Generator, frozen=True):
    """
    The page of rank *k* is touched in proportion to ``k ** -theta``, at random.

    Ranks beyond the eighth share their rate with neighbours: those of a level,
    which is a quarter longer than the level before, differ by 12 % at most from
    their own. That way no memory is needed per page.
    """

    theta: Annotated[float, BeforeValidator(units.parse_number), Field(ge=0, le=10)] = 0.99
    """How skewed: 0 is uniform, 0.99 the usual benchmark."""

    total_hz: Annotated[float, BeforeValidator(units.parse_number), Field(gt=0, le=1e12)] = 1e6
    """Touches per second, of all pages together."""

    scatter: Bytes = 0
    """Bytes that stay together when pages are shuffled; 0 puts the hottest pages first."""

    def _granule(self) -> int:
        # Shuffled units must be whole.
        unit = round_up(self.scatter, self.page_size)
        return min(unit, round_up(self.size, self.page_size)) or self.page_size

    def _turns(self) -> Sequence[Turn]:
        return forever(self._phase)

    def _phase(self) -> Phase:
        area = self.area
        bounds = rank_levels(area.nr_pages)
        weights = [rank_weight(first, end, self.theta) for first, end in pairwise(bounds)]
        per_weight = self.total_hz / math.fsum(weights)
        rates = [
            weight * per_weight / (end - first)
            for weight, (first, end) in zip(weights, pairwise(bounds), strict=True)
        ]
        # Bands of a shuffled area are those of the sorted deck, from address 0.
        base = 0 if self.scatter else area.start
        bands = Bands.painted(
            Stroke(base + first * area.page_size, base + end * area.page_size, number)
            for number, (first, end) in enumerate(pairwise(bounds), start=FIRST_NUMBER)
        )
        layer: Layer = self._shuffled(bands) if self.scatter else bands
        return Phase([layer], self._table([self._random(rate) for rate in rates]))

    def _shuffled(self, bands: Bands) -> ScatteredBands:
        start, end, _ = self.area
        unit = self._granule()
        nr_units = (end - start) // unit
        rng = np.random.default_rng(self.seed)
        # Far from 0 and from nr_units, or neighbours would stay neighbours.
        limit = min(nr_units, _FACTOR_LIMIT)
        factor = int(rng.integers(limit // 4, limit * 3 // 4 + 1))
        # Otherwise two units would be dealt the same place.
        while math.gcd(factor, nr_units) != 1:
            factor += 1
        return ScatteredBands(start, unit, nr_units, factor, int(rng.integers(nr_units)), bands)


def rank_levels(nr_pages: int) -> list[int]:
    """
    Cut ranks into levels of one rate each.

    Returns:
        Where each level begins, ascending from 0, and *nr_pages* at the end:
        about ten levels per tenfold number of pages.
    """
    bounds = [0]
    while bounds[-1] < nr_pages:
        last = bounds[-1]
        bounds.append(min(nr_pages, last + 1 if last < _EXACT_RANKS else last * 5 // 4))
    return bounds


def rank_weight(first: int, end: int, theta: float) -> float:
    """
    Return the sum of ``k ** -theta`` over the ranks ``[first, end)``, counted from 0.

    Long sums are replaced by the integral between the midpoints around them,
    which is off by less than one part in a million so far from the first rank.
    """
    if end - first <= _SUMMED_RANKS:
        return math.fsum(rank**-theta for rank in range(first + 1, end + 1))
    low, high = first + 0.5, end + 0.5
    if math.isclose(theta, 1):
        return math.log(high / low)
    return float((high ** (1 - theta) - low ** (1 - theta)) / (1 - theta))
