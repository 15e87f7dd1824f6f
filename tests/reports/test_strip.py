"""A snapshot as one line: columns, gaps, digits, colours."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.reports.colors import ColorSet
from damon_async.reports.rows import DEFAULT_WEIGHTS, Weights
from damon_async.reports.strip import strip_text

from ..records.makers import Row, rows, snapshot

HOT, COLD = (20, 10), (0, 10)


def digits(*regions: Row, width: int = 10) -> str:
    """Return the digits of a strip."""
    return strip_text(snapshot(regions), DEFAULT_WEIGHTS, width=width).splitlines()[0]


def test_worked_strip() -> None:
    """The strip of spec damo 4.1 has its digits and its temperatures."""
    one = snapshot([(4096, 8192, 20, 3), (8192, 16384, 0, 7)])
    assert strip_text(one, DEFAULT_WEIGHTS).splitlines() == [
        "9" * 26 + "5" + "0" * 53,
        "# min/max temperatures: -70,000,000, 30,009,999, column size: 153 B",
    ]


@pytest.mark.parametrize(
    ("regions", "width", "expected"),
    [
        ([(0, 100, *HOT), (100, 200, *COLD)], 10, "9999900000"),
        ([(0, 100, *HOT), (300, 400, *COLD)], 10, "99999[...]00000"),
        ([(0, 105, *HOT), (300, 395, *COLD)], 10, "999995[...]00001"),
        ([(0, 105, *HOT), (300, 395, *COLD)], 7, "9997[...]2000"),
        ([(0, 10, *HOT), (20, 30, *COLD), (40, 50, 10, 10)], 10, "9995..2000...7887"),
        ([(0, 10, *HOT), (20, 30, *COLD), (40, 50, 10, 10)], 2, "9066"),
        ([(0, 10, *HOT), (30, 40, *COLD), (50, 60, 10, 3), (60, 70, 0, 3)], 4, "9..0.53"),
    ],
)
def test_gaps(regions: list[Row], width: int, expected: str) -> None:
    """Gaps are dots, large ones are shortened; behind them columns lie on multiples of their size."""
    assert digits(*regions, width=width) == expected


def test_gap_of_one_column() -> None:
    """A region behind a gap of exactly one column is drawn, where damo loses it."""
    assert digits((0, 10, *HOT), (20, 30, *COLD), width=2) == "9.0"


def test_narrow_gap_is_not_told() -> None:
    """A gap that a column does not fit in takes no room."""
    assert digits((0, 10, *HOT), (12, 22, *COLD), width=2) == "902"


def test_one_temperature() -> None:
    """A single temperature is level 0 everywhere."""
    assert digits((0, 10, *HOT), (10, 30, *HOT), width=5) == "00000"


def test_columns_smaller_than_a_byte() -> None:
    """Columns may be smaller than a byte."""
    text = strip_text(snapshot([(0, 10, *HOT), (10, 20, *COLD)]), DEFAULT_WEIGHTS, width=40)
    assert text == (
        "9" * 20 + "0" * 20 + "\n"
        "# min/max temperatures: -100,000,000, 100,010,000, column size: 0 B"
    )


def test_weighted_sizes() -> None:
    """With a weight of sizes, what counts is how much of a region lies in a column."""
    text = strip_text(snapshot([(0, 30, 20, 0), (30, 40, 0, 0)]), Weights(1, 0, 0), width=2)
    assert text.splitlines()[1].startswith("# min/max temperatures: 0, 20,")


def test_raw_numbers() -> None:
    """Plain numbers have no commas and no units."""
    one = snapshot([(0, 2_000_000, *HOT), (2_000_000, 4_000_000, *COLD)])
    assert strip_text(one, DEFAULT_WEIGHTS, width=2, raw=True) == (
        "90\n# min/max temperatures: -100000000, 100010000, column size: 2000000"
    )


def test_mean_column_size() -> None:
    """A column's size is printed with what follows the point of its bytes."""
    text = strip_text(snapshot([(0, 764_359 * 2 + 1, *HOT)]), DEFAULT_WEIGHTS, width=2)
    assert text.endswith("column size: 746.445 KiB")


def test_nothing_to_draw() -> None:
    """Without regions, or with empty ones, there is nothing to draw."""
    assert strip_text(snapshot([]), DEFAULT_WEIGHTS) == "n/a (no region)"
    assert strip_text(snapshot([(5, 5, 1, 1)]), DEFAULT_WEIGHTS) == "n/a (no region)"


def test_empty_regions_among_others() -> None:
    """Empty regions do not disturb."""
    assert digits((0, 10, *HOT), (10, 10, *COLD), (10, 20, *COLD), (99, 99, 5, 5)) == "9999900000"


def test_colors() -> None:
    """Each digit carries its colours and gives them back."""
    one = snapshot([(0, 10, *HOT), (10, 20, *COLD)])
    text = strip_text(one, DEFAULT_WEIGHTS, width=2, colors=ColorSet.GRAY)
    assert text.splitlines()[0] == (
        "\x1b[48;5;232m\x1b[38;5;255m9\x1b[0m\x1b[48;5;232m\x1b[38;5;237m0\x1b[0m"
    )


@given(drawn=rows(), width=st.integers(1, 100))
def test_draws_anything(drawn: list[Row], width: int) -> None:
    """Whatever the regions are, they are drawn, the hottest column as 9, the coldest as 0."""
    text = strip_text(snapshot(drawn), DEFAULT_WEIGHTS, width=width).splitlines()[0]
    if not drawn:
        assert text == "n/a (no region)"
        return
    levels = text.replace("[...]", "").replace(".", "")
    assert levels.isdigit()
    assert "0" in levels
