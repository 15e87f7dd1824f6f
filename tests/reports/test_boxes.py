"""Regions as boxes."""

from __future__ import annotations

import pytest

from damon_async.errors import InvalidError
from damon_async.reports.boxes import Boxes, BoxShape, BoxValue, Dimension
from damon_async.reports.colors import ColorSet

from ..records.makers import snapshot

ONE = snapshot([(0, 100, 5, 3), (100, 300, 10, 7), (300, 700, 15, 50)])
TWO = snapshot([(0, 100, 0, 30), (100, 300, 10, 7), (300, 700, 20, 2)])
FLAT = Dimension(BoxValue.NONE, 1, 1)
RIGHT = BoxShape(Dimension(BoxValue.AGE, 1, 40, is_log=True), height=FLAT, is_right_aligned=True)


def test_default_boxes() -> None:
    """Length is age, the digit access rate, height size; two of them grow with the logarithm."""
    boxes = Boxes(BoxShape(), [ONE])
    assert boxes.draw(ONE) == [
        "|0|\n",
        "|444444444|\n" * 2,
        f"|{'9' * 30}|\n" * 5,
    ]


def test_scale_is_common() -> None:
    """What is long, hot and high is decided over all snapshots."""
    boxes = Boxes(BoxShape(height=FLAT), [ONE, TWO])
    assert boxes.draw(ONE) == ["|2222|", "|444444444444|", f"|{'6' * 30}|"]
    assert boxes.draw(TWO) == [f"|{'0' * 25}|", "|444444444444|", "|9|"]


def test_right_alignment() -> None:
    """Boxes may end in the same column."""
    lines = Boxes(RIGHT, [ONE]).draw(ONE)
    assert lines == [" " * 39 + "|0|", " " * 28 + f"|{'4' * 12}|", f"|{'9' * 40}|"]


def test_zero_on_a_logarithmic_scale() -> None:
    """An age of zero is the shortest, and one of 100 ms far from it."""
    one = snapshot([(0, 100, 5, 0), (100, 300, 6, 1), (300, 400, 6, 30)])
    assert [len(line.strip("| ")) for line in Boxes(RIGHT, [one]).draw(one)] == [1, 31, 40]


def test_equal_values() -> None:
    """Values that are all equal are drawn as the smallest."""
    one = snapshot([(0, 100, 5, 3), (100, 200, 5, 3)])
    assert Boxes(BoxShape(height=FLAT), [one]).draw(one) == ["|0|", "|0|"]


def test_no_regions() -> None:
    """No regions are no boxes."""
    assert Boxes(BoxShape(), []).draw(snapshot([])) == []


def test_other_values() -> None:
    """Any property can be any dimension."""
    shape = BoxShape(
        Dimension(BoxValue.SIZE, 1, 4), Dimension(BoxValue.AGE), FLAT, is_right_aligned=False
    )
    assert Boxes(shape, [ONE]).draw(ONE) == ["|0|", "|00|", "|9999|"]


def test_description() -> None:
    """The description tells ranges and scales, in damo's words."""
    length, color, height = Boxes(BoxShape(), [ONE]).description().splitlines()
    assert length == "# length: age (represents [300 ms, 5 s]  with [1, 30] columns in logscale)"
    assert color.startswith("# color: access_rate (represents [25 %, 75 %] with [0, 9] number")
    assert color.endswith(" and color (0123456789) in linearscale)")
    assert height == "# height: size (represents [100 B, 400 B] with [1, 5] rows in logscale)"


def test_description_in_plain_numbers() -> None:
    """The description can be told in plain numbers."""
    first = Boxes(BoxShape(), [ONE]).description(raw=True).splitlines()[0]
    assert "[300000, 5000000]" in first


def test_description_of_nothing() -> None:
    """A dimension that tells nothing cannot be described."""
    with pytest.raises(InvalidError, match="a box cannot tell none"):
        Boxes(RIGHT, [ONE]).description()


def test_colors() -> None:
    """A box is painted as a whole."""
    boxes = Boxes(BoxShape(height=FLAT), [ONE], ColorSet.EMOTION)
    assert boxes.draw(ONE)[1] == "|\x1b[48;5;26m\x1b[38;5;243m444444444\x1b[0m|"
    assert boxes.legend().endswith("9\x1b[0m")
