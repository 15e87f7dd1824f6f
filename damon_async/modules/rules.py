"""What releases of the kernel do differently, apart from having a parameter or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Whose modules are imitated.

    Attributes:
        spans_memory: Whether the range that is chosen where none is given reaches
            from the first to the last byte of memory; if not, it is the biggest
            one that has no gaps. So in the newest releases.

        weighs_age: Whether LRU_SORT prefers, of regions that are equally hot, those
            that are so for longer. So from 7.0 on.

        signs_busy: Whether STAT tells for how long a region has been in use, as a
            negative idle time; if not, that is 0. So from 6.18 on.

    Source:
        spec interfaces 5.
    """

    spans_memory: bool = False
    weighs_age: bool = False
    signs_busy: bool = True


USUAL: Final = Rules()
"""Those of 6.18, the default profile."""
