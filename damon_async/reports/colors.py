"""Digits 0 to 9 in the colours that damo gives them on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, TypeAlias

Level: TypeAlias = int | None
"""A heat from 0 to 9, or None where nothing is known."""

RESET: Final = "\x1b[0m"
"""Ends all colour."""

# The darkest gray, not colour 0, which is whatever a terminal's theme calls
# black.
_BLACK: Final = 232


class ColorSet(StrEnum):
    """How heat is coloured."""

    GRAY = "gray"
    """The hotter, the brighter the digit."""

    FLAME = "flame"
    """From black over red and yellow to blue."""

    EMOTION = "emotion"
    """From black over blue and green to red."""


# Background and digit for levels 0 to 9, as numbers of the terminal's 256 colours.
_BRIGHT: Final = (239, 235, 237, 239, 243, 245, 247, 249, 251, 255)
_PALETTES: Final = {
    ColorSet.GRAY: tuple((_BLACK, 237 + 2 * level) for level in range(10)),
    ColorSet.FLAME: tuple(zip((_BLACK, 1, 1, 2, 3, 3, 20, 21, 26, 27), _BRIGHT, strict=True)),
    ColorSet.EMOTION: tuple(zip((_BLACK, 234, 20, 21, 26, 2, 3, 1, 1, 1), _BRIGHT, strict=True)),
}


def digit(level: Level) -> str:
    """Print a level as its digit, a blank where nothing is known."""
    return " " if level is None else str(level)


def painted(level: Level, text: str, colors: ColorSet) -> str:
    """
    Put *text* into the colours of *level*, which go on until a ``RESET``.

    Source:
        Output of damo 3.4.3. Differs: what is not known is black in every set;
        damo paints it like level 4.
    """
    # Level 4 is the foreground that damo gives a blank.
    background, foreground = _PALETTES[colors][4 if level is None else level]
    if level is None:
        background = _BLACK
    return f"\x1b[48;5;{background}m\x1b[38;5;{foreground}m{text}"


def row_of(levels: Iterable[Level], colors: ColorSet | None) -> str:
    """
    Print levels side by side.

    Args:
        levels: From left to right.

        colors: None for plain text.
    """
    if colors is None:
        return "".join(map(digit, levels))
    # One reset per row: every digit sets both of its colours anew.
    return "".join(painted(level, digit(level), colors) for level in levels) + RESET


def legend(colors: ColorSet | None) -> str:
    """Print the ten digits in their colours."""
    return row_of(range(10), colors)
