"""What the programs of the kernel's selftests do to memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field

from ..params.base import Bytes, Count, Parameters, TimeMs
from ..spaces.bands import Bands, Stroke
from ..spaces.layout import MAX_SIZE, SMALL_PAGE, Block, as_process, stacked
from ..spaces.patterns import PatternSpace
from ..spaces.phases import Phase
from ..spaces.process_table import ProcessTable
from ..spaces.processes import ALWAYS
from ..spaces.space import Mapping
from ..spaces.timeline import FOREVER_US, Timeline

_US_PER_MS: Final = 1000
_MAX_REGIONS: Final = 1024


class AccessMemory(Parameters, frozen=True):
    """
    Regions of equal size that are accessed one after the other, or every second one.

    What is accessed is so in every interval, however short: a program that does
    nothing else is through a region of 10 MB in less than a millisecond. Differs:
    regions of gigabytes would take it longer than a sampling interval.
    """

    nr_regions: Annotated[Count, Field(ge=1, le=_MAX_REGIONS)]
    """How many regions."""

    size: Annotated[Bytes, Field(ge=1, le=MAX_SIZE // _MAX_REGIONS)]
    """Bytes of each."""

    length_ms: Annotated[TimeMs, Field(ge=1, le=2**40)] | None = None
    """How long each region is accessed, in milliseconds; None: regions 0, 2, 4 and so
    on are all accessed, for ever."""

    def space(self) -> PatternSpace:
        """Make the memory."""
        mappings = stacked(
            (Block(f"region {index}", self.size) for index in range(self.nr_regions)), SMALL_PAGE
        )
        if self.length_ms is None:
            return _pattern(mappings, [mappings[::2]], FOREVER_US)
        turns = [[mapping] for mapping in mappings]
        return _pattern(mappings, turns, self.length_ms * _US_PER_MS)


def _pattern(
    mappings: Sequence[Mapping], turns: Sequence[Sequence[Mapping]], length_us: int
) -> PatternSpace:
    """Return memory of which in each turn some mappings are accessed all the time."""

    # No clock and no rates: always is always, and costs nothing to find out.
    def phase(index: int) -> Phase:
        strokes = [Stroke(start, end, ALWAYS) for start, end, *_ in turns[index]]
        return Phase([Bands.painted(strokes)], ProcessTable([], SMALL_PAGE))

    timeline = Timeline([length_us] * len(turns))
    return PatternSpace(as_process(mappings), timeline, phase, SMALL_PAGE, "access_memory")
