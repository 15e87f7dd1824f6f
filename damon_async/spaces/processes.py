"""
Who touches the pages of a band, and when: the rules behind each pattern.

A process is a rule for all pages of a band. Two rules need no description:
``NEVER`` and ``ALWAYS``. The others are rows of a table, so that one array step
answers for addresses of many processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from .random_touches import WHOLE_WORDS, position_scale

NEVER: Final = 0
"""Number of the process that touches nothing."""

ALWAYS: Final = 1
"""Number of the process that touches every page, however short the window."""

FIRST_NUMBER: Final = 2
"""Number of the first process of a table."""

NEVER_FULL: Final = 2**62
"""More positions than any window has: no window touches every page."""


class Row(NamedTuple):
    """A process as the table of a phase holds it; what a kind lacks keeps its default."""

    clock: int
    """Which counter of the phase's clock the process follows."""

    numerator: int
    """Positions per *denominator* units of the counter."""

    denominator: int
    """See *numerator*."""

    full: int
    """From so many positions on, a window touches every page."""

    # Of random processes; see there.
    is_random: bool = False
    salt: int = 0
    covered: float = 1.0

    # Of sweeps; the defaults are such that nothing divides by zero.
    start: int = 0
    lead: int = 0
    stride: int = 1
    lap: int = 1


STILL: Final = Row(clock=0, numerator=1, denominator=1, full=0)
"""The row of ``NEVER`` and of ``ALWAYS``, which have no columns to look at."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """
    One position that walks through a block, over and over.

    Access number *i* (from 0) touches byte ``(i + 1) * stride`` of the block,
    wrapped to byte 0 where that would be past its end.

    Attributes:
        start: Address of the first page of the block.

        size: Bytes that are walked through.

        stride: Bytes between two accesses; 0 stays on byte 0.

        lead: Bytes of the first page that belong to no one, before byte 0.

        clock: Counter of the phase's clock that counts the accesses.

        numerator: Accesses per *denominator* units of that counter.

        denominator: See *numerator*.

    Source:
        spec damo 6.2, sequential.
    """

    start: int
    size: int
    stride: int
    lead: int = 0
    clock: int = 0
    numerator: int = 1
    denominator: int = 1

    @property
    def lap(self) -> int:
        """Accesses until the position is where it was."""
        return -(-self.size // self.stride) if self.stride else 1

    def end(self, page_size: int) -> int:
        """Return one past the last byte of the last page that is ever touched."""
        # The lap ends with the last stride that begins inside the block; what is
        # left of the block after it belongs to no access.
        last = self.lead + (self.lap - 1) * self.stride
        return self.start + (last // page_size + 1) * page_size

    def row(self, page_size: int) -> Row:
        """Return the columns of the table."""
        # A stride of at most a page skips none, so that a lap touches them all.
        full = self.lap if self.stride <= page_size else NEVER_FULL
        return Row(
            self.clock,
            self.numerator,
            self.denominator,
            full,
            start=self.start,
            lead=self.lead,
            # With one access per lap the stride no longer matters.
            stride=max(1, self.stride),
            lap=self.lap,
        )


@dataclass(frozen=True, slots=True)
class Random:
    """
    Each page is touched at instants of its own.

    Attributes:
        mean: Mean progress of the counter between two touches of one page.

        salt: Other salts give other instants.

        covered: Share of the pages that are ever touched.

        clock: Counter of the phase's clock that the touches are laid out on.
    """

    mean: int
    salt: int
    covered: float = 1.0
    clock: int = 0

    def row(self, page_size: int) -> Row:
        """Return the columns of the table."""
        del page_size  # Touches are drawn per page, whatever its size.
        numerator, denominator = position_scale(max(1, self.mean))
        # Pages that are left out keep the whole from ever being touched.
        full = WHOLE_WORDS if self.covered >= 1 else NEVER_FULL
        return Row(
            self.clock,
            numerator,
            denominator,
            full,
            is_random=True,
            salt=self.salt,
            covered=self.covered,
        )


Process: TypeAlias = Sweep | Random
