"""What kinds of file systems there are for trees to be in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Medium:
    """
    What is the same for all files of a tree, whatever they hold.

    Attributes:
        size: What files report as theirs, in bytes.

        most: The most bytes that one write takes.

        cuts: Whether of longer writes that much is taken; else they are ENOMEM.

        writes_once: Whether an open file takes one write, at its beginning. An
            empty one counts as a write then, and is no text like others.
    """

    size: int
    most: int
    cuts: bool
    writes_once: bool


SYSFS: Final = Medium(size=4096, most=4096, cuts=True, writes_once=False)
"""
One value per file, and every write on its own.

Source:
    spec interfaces 0.4.
"""

DEBUGFS: Final = Medium(size=0, most=2**22, cuts=False, writes_once=True)
"""
Texts of any length, written at once.

Source:
    spec interfaces 4.2.
"""
