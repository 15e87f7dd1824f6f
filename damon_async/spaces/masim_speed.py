"""How fast masim touches memory: the parameters of a run that its file does not hold."""

from __future__ import annotations

import math
from typing import Annotated, Final

from pydantic import Field

from ..params.base import Count, Parameters
from .layout import SMALL_PAGE, PageSize

Rate = Annotated[Count, Field(ge=1, le=10**9)]
"""Accesses per millisecond."""

# Where speeds were measured: a cache line, a page; what caches hold, what they
# do not, and what is far beyond.
_DENSE_STRIDE: Final = 64
_SPARSE_STRIDE: Final = 4096
_CACHED_SIZE: Final = 16 * 1024 * 1024
_BIG_SIZE: Final = 100_000_000
_HUGE_SIZE: Final = 1024**3

_NS_PER_MS: Final = 1_000_000


class MasimOptions(Parameters, frozen=True):
    """
    How to run a masim configuration.

    Speeds are those of an ordinary virtual machine with two cores while its
    accessed bits are being read and cleared, so that the shares of pages found
    accessed come out as measured there. Between the sizes and strides named
    below they change evenly with the logarithm.

    Source:
        spec damo 6.1 for the options, 6.2 and 6.3 for the speeds. Differs:
        6.2 gives 165,000 sequential accesses per ms without monitoring; with
        that, batches would be too short for the shares of 6.3.
    """

    repeat: Count = 1
    """How often to run all phases; 0 means for ever."""

    page_size: PageSize = SMALL_PAGE
    """Bytes that share one accessed mark; 2M is what masim calls use_hugetlb."""

    nr_accesses_per_region: Annotated[Count, Field(ge=1, le=2**30)] = 131_072
    """Accesses in one batch, before the next pattern is drawn."""

    random_batch: Annotated[Count, Field(ge=1, le=10**9)] = 1_000
    """Random numbers per array; with *random_array* the bytes that are ever touched."""

    random_array: Annotated[Count, Field(ge=1, le=10**9)] = 1_000
    """Arrays of random numbers."""

    dense_per_ms: Rate = 240_000
    """Sequential accesses per millisecond at strides up to 64 bytes."""

    sparse_per_ms: Rate = 130_000
    """The same at strides from 4 KiB, in regions up to 16 MiB."""

    sparse_big_per_ms: Rate = 40_000
    """The same in regions from 100 MB: each access misses caches and TLB."""

    random_per_ms: Rate = 60_000
    """Random accesses per millisecond in regions up to 100 MB."""

    random_big_per_ms: Rate = 25_000
    """The same in regions from 1 GiB."""

    @property
    def random_pool(self) -> int:
        """How many random numbers there are, which are used over and over."""
        return self.random_batch * self.random_array

    def sequential_batch_ns(self, size: int, stride: int) -> int:
        """Return how long a batch takes, in nanoseconds; *size* and *stride* in bytes."""
        sparse = _between(size, _CACHED_SIZE, _BIG_SIZE, self.sparse_per_ms, self.sparse_big_per_ms)
        # A stride beyond the region stays on one byte.
        step = stride if stride < size else 0
        return self._batch_ns(
            _between(step, _DENSE_STRIDE, _SPARSE_STRIDE, self.dense_per_ms, sparse)
        )

    def random_batch_ns(self, size: int) -> int:
        """Return how long a batch takes, in nanoseconds; *size* in bytes."""
        return self._batch_ns(
            _between(size, _BIG_SIZE, _HUGE_SIZE, self.random_per_ms, self.random_big_per_ms)
        )

    def _batch_ns(self, per_ms: float) -> int:
        return max(1, round(self.nr_accesses_per_region * _NS_PER_MS / per_ms))


def _between(value: int, low: int, high: int, at_low: float, at_high: float) -> float:
    # Straight line over the logarithm of *value*, flat outside of [low, high].
    share = math.log(max(low, min(high, value)) / low) / math.log(high / low)
    return at_low + share * (at_high - at_low)
