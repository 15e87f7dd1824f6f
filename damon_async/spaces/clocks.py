"""
How far the processes of a pattern have come at an instant.

A clock turns instants into counters. Touches are laid out along a counter (the
time itself, or the accesses made so far), so that "touched between two
instants" becomes "touched between two counts", which is arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np

from ..arrays import IntArray

MAX_BATCHES: Final = 2**16
"""After so many batches the drawn sequence starts again, to bound its memory."""

# Counts that a clock of many patterns may keep: 16 MiB.
_MAX_COUNTS: Final = 2**22

_NS_PER_US: Final = 1_000


# One bit less than int64 has, because both numbers may be rounded up by a bit.
_MAX_PRODUCT_BITS: Final = 62


class Scale(NamedTuple):
    """A ratio of whole numbers that turns a counter into positions."""

    numerator: int
    denominator: int


def fitting_scale(numerator: int, denominator: int) -> Scale:
    """
    Return a ratio whose arithmetic fits int64.

    Args:
        numerator: Positive.

        denominator: Positive, below 2^62.

    Returns:
        The ratio, with both numbers shortened until ``scaled`` cannot overflow.
    """
    surplus = numerator.bit_length() + denominator.bit_length() - _MAX_PRODUCT_BITS
    # Half of the surplus from each, but something must be left of both.
    shift = max(0, min((surplus + 1) // 2, numerator.bit_length() - 1))
    return Scale(numerator >> shift, max(1, denominator >> shift))


class Clock(Protocol):
    """What a phase asks for the state of its counters."""

    def progress(self, instants_us: IntArray, origin_us: int) -> IntArray:
        """
        Return the counters at given instants.

        Args:
            instants_us: int64, shape (n,).

            origin_us: When the current phase began.

        Returns:
            int64, shape (n, nr_counters); no counter ever goes back.
        """
        ...


def scaled(progress: IntArray, numerator: IntArray, denominator: IntArray) -> IntArray:
    """
    Return ``progress * numerator // denominator`` without overflow in between.

    Args:
        progress: int64, shape (n, k), not negative.

        numerator: int64, shape (k,), positive.

        denominator: int64, shape (k,), positive; its product with *numerator*
            is below 2^63, as ``fitting_scale`` sees to.
    """
    # The rest is below the denominator, so that only the product of both numbers
    # of the ratio has to fit, however far the progress has come.
    whole, rest = np.divmod(progress, denominator)
    rest *= numerator
    rest //= denominator
    whole *= numerator
    whole += rest
    return whole


class TimeClock:
    """One counter: nanoseconds since the space came to be, whatever the phase."""

    def progress(self, instants_us: IntArray, origin_us: int) -> IntArray:
        """Return the instants in nanoseconds, shape (n, 1)."""
        del origin_us  # Touches go on across phases, as if there were none.
        return instants_us[:, None] * _NS_PER_US


class SteadyClock:
    """
    One counter: accesses of a phase that does the same all the time.

    Args:
        nr_accesses: Accesses per batch.

        batch_ns: How long a batch takes, in nanoseconds.
    """

    def __init__(self, nr_accesses: int, batch_ns: int) -> None:
        self._nr_accesses = np.array([nr_accesses])
        self._batch_ns = np.array([batch_ns])

    def progress(self, instants_us: IntArray, origin_us: int) -> IntArray:
        """Return the accesses made so far, shape (n, 1)."""
        ns = (instants_us[:, None] - origin_us) * _NS_PER_US
        return scaled(ns, self._nr_accesses, self._batch_ns)


class BatchClock:
    """
    Accesses of patterns that take turns: each batch belongs to a drawn one.

    Args:
        weights: Relative chance of each pattern, positive; shape (nr_patterns,).

        batch_ns: How long a batch of each pattern takes, in nanoseconds.

        nr_accesses: Accesses per batch.

        length_us: How long the phase lasts.

        rng: Where the sequence of batches is drawn from, once.
    """

    def __init__(
        self,
        weights: Sequence[int],
        batch_ns: Sequence[int],
        nr_accesses: int,
        length_us: int,
        rng: np.random.Generator,
    ) -> None:
        self._nr_accesses = nr_accesses
        # Nanoseconds, because batches are about a millisecond long: rounded to
        # microseconds they would drift apart from the speeds by a tenth of a percent.
        self._batch_ns = np.array(batch_ns, np.int64)
        nr_batches = min(
            length_us * _NS_PER_US // min(batch_ns) + 1,
            MAX_BATCHES,
            max(1, _MAX_COUNTS // len(batch_ns)),
        )
        self._turn = _draw_turns(weights, nr_batches, rng)
        lengths = self._batch_ns[self._turn]
        self._starts = np.concatenate(([0], np.cumsum(lengths)))
        # Row i: batches of each pattern before the i-th; a quarter of the
        # memory that counts of accesses in 64 bits would take.
        self._done = np.zeros((nr_batches + 1, len(batch_ns)), np.int32)
        self._done[np.arange(1, nr_batches + 1), self._turn] = 1
        np.cumsum(self._done, axis=0, out=self._done)

    def progress(self, instants_us: IntArray, origin_us: int) -> IntArray:
        """Return the accesses made so far by each pattern, shape (n, nr_patterns)."""
        lap, rest = np.divmod((instants_us - origin_us) * _NS_PER_US, self._starts[-1])
        batch = self._starts.searchsorted(rest, "right") - 1
        # The last row holds what one run through the whole sequence amounts to.
        counts: IntArray = self._done[batch] + lap[:, None] * self._done[-1]
        counts *= self._nr_accesses
        # The batch under way advances evenly, and only its own pattern does.
        turn = self._turn[batch]
        part = (rest - self._starts[batch]) * self._nr_accesses // self._batch_ns[turn]
        counts[np.arange(len(turn)), turn] += part
        return counts


def _draw_turns(weights: Sequence[int], nr_batches: int, rng: np.random.Generator) -> IntArray:
    # Whole numbers all the way: floats could draw a pattern of weight 0.
    ends = np.cumsum(np.array(weights, np.int64))
    turns: IntArray = ends.searchsorted(rng.integers(0, ends[-1], nr_batches), "right")
    return turns
