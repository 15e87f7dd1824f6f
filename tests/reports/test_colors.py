"""Digits and their colours."""

from __future__ import annotations

import pytest

from damon_async.reports.colors import RESET, ColorSet, digit, legend, painted, row_of


def test_digits() -> None:
    """Levels are digits, and what is not known is blank."""
    assert [digit(level) for level in (0, 9, None)] == ["0", "9", " "]


def test_plain_rows() -> None:
    """Without colours a row is its digits."""
    assert row_of([1, None, 9], None) == "1 9"
    assert legend(None) == "0123456789"


def test_gray() -> None:
    """In gray, the hotter a digit the brighter it is, on black."""
    assert painted(0, "0", ColorSet.GRAY) == "\x1b[48;5;232m\x1b[38;5;237m0"
    assert painted(9, "x", ColorSet.GRAY) == "\x1b[48;5;232m\x1b[38;5;255mx"


@pytest.mark.parametrize(
    ("colors", "level", "expected"),
    [
        (ColorSet.FLAME, 0, (232, 239)),
        (ColorSet.FLAME, 4, (3, 243)),
        (ColorSet.FLAME, 9, (27, 255)),
        (ColorSet.EMOTION, 1, (234, 235)),
        (ColorSet.EMOTION, 5, (2, 245)),
        (ColorSet.EMOTION, 9, (1, 255)),
    ],
)
def test_other_colors(colors: ColorSet, level: int, expected: tuple[int, int]) -> None:
    """The other sets have the colours of damo."""
    background, foreground = expected
    assert painted(level, "#", colors) == f"\x1b[48;5;{background}m\x1b[38;5;{foreground}m#"


@pytest.mark.parametrize("colors", list(ColorSet))
def test_unknown_is_black(colors: ColorSet) -> None:
    """What is not known is black, where damo paints it like medium heat."""
    assert painted(None, " ", colors).startswith("\x1b[48;5;232m")


@pytest.mark.parametrize("colors", list(ColorSet))
def test_rows_give_colors_back(colors: ColorSet) -> None:
    """A row ends without colours, and shows the digits of a plain one."""
    row = row_of([3, None, 7], colors)
    assert row.endswith(RESET)
    assert row.count("\x1b[38;5;") == 3
    assert [part[-1] for part in row.removesuffix(RESET).split("\x1b[38;5;")[1:]] != []
