"""Histograms of temperatures and idle times."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.reports.histograms import recency_histogram, temperature_histogram
from damon_async.reports.rows import DEFAULT_WEIGHTS, Weights

from ..records.makers import Row, rows, snapshot

ONE = snapshot([(0, 210, 5, 3), (210, 1210, 7, 3), (1210, 1220, 20, 20), (1220, 1520, 0, 4)])


def test_temperatures() -> None:
    """Bytes are counted in ten even bins, and whatever is there gets a star."""
    lines = temperature_histogram(ONE, DEFAULT_WEIGHTS).splitlines()
    assert lines[0] == "<temperature> <total size>"
    assert lines[1] == "[-40,000,000, -15,998,999) 300 B     |*****               |"
    assert lines[2] == "[-15,998,999, 8,002,002)   0 B       |                    |"
    assert lines[3] == "[8,002,002, 32,003,003)    1.182 KiB |********************|"
    assert lines[10] == "[176,009,009, 200,010,010) 10 B      |*                   |"


def test_idle_times() -> None:
    """Idle times are counted in microseconds."""
    lines = recency_histogram(ONE, raw=True).splitlines()
    assert lines[:2] == [
        "<idle time (us)> <total size>",
        "[0, 50001)       1220 |********************|",
    ]
    assert lines[10] == "[450009, 500010) 300  |*****               |"


def test_logarithmic_bins() -> None:
    """Each bin of a logarithmic scale is twice as wide as the one before."""
    lines = recency_histogram(ONE, is_log=True, raw=True).splitlines()
    assert [line.split(")")[0] for line in lines[1:4]] == ["[0, 488", "[488, 1464", "[1464, 3416"]
    assert lines[11].startswith("[499224, 998936)")


def test_cumulated() -> None:
    """Cumulated bins begin at the lowest, and stars begin at the smallest."""
    lines = temperature_histogram(ONE, DEFAULT_WEIGHTS, is_cumulated=True).splitlines()
    assert lines[1] == "[-40,000,000, -15,998,999) 300 B     |                    |"
    assert lines[3] == "[-40,000,000, 32,003,003)  1.475 KiB |********************|"


def test_one_value() -> None:
    """A single value has bins of width 1."""
    lines = recency_histogram(snapshot([(0, 200, 5, 3)]), raw=True).splitlines()
    assert lines[1].startswith("[0, 1)")
    assert len(lines) == 11


def test_own_edges() -> None:
    """Bins may be given; what lies outside is not counted."""
    lines = recency_histogram(ONE, edges=[0, 100_000, 400_000], raw=True).splitlines()
    assert lines[1:] == [
        "[0, 100000)      1220 |********************|",
        "[100000, 400000) 0    |                    |",
    ]


@pytest.mark.parametrize("edges", [[], [5], [5, 5], [7, 3]])
def test_wrong_edges(edges: list[int]) -> None:
    """Borders that make no bins are refused."""
    with pytest.raises(InvalidError, match="are no borders of bins; give two or more, ascending"):
        recency_histogram(ONE, edges=edges)


def test_weight_of_sizes_does_not_count() -> None:
    """A histogram is about bytes, so the size of their regions is no part of their heat."""
    heavy = temperature_histogram(ONE, Weights(5, 2, 3))
    assert heavy == temperature_histogram(ONE, Weights(0, 2, 3))


def test_no_regions() -> None:
    """Without regions there is nothing to count."""
    text = temperature_histogram(snapshot([]), DEFAULT_WEIGHTS)
    assert text == "<temperature> <total size>\nno region in snapshot"
    assert recency_histogram(snapshot([])).endswith("\nno region in snapshot")


@pytest.mark.parametrize(
    ("part", "whole", "stars"),
    [(1, 2, 11), (1, 4, 6), (3, 4, 16), (1, 5, 4), (7, 10, 14), (1, 20, 1), (19, 20, 19)],
)
def test_stars(part: int, whole: int, stars: int) -> None:
    """Stars are counted in whole bytes per star, rounded up, as with damo."""
    one = snapshot([(0, part * 4096, 20, 0), (part * 4096, (part + whole) * 4096, 20, 10)])
    lines = temperature_histogram(one, DEFAULT_WEIGHTS).splitlines()
    assert lines[1].count("*") == stars
    assert lines[10].count("*") == 20


@given(drawn=rows(), is_log=st.booleans())
def test_every_byte_is_counted(drawn: list[Row], is_log: bool) -> None:
    """The bins together hold every byte, whatever their width."""
    text = temperature_histogram(snapshot(drawn), DEFAULT_WEIGHTS, is_log=is_log, raw=True)
    counted = sum(int(line.split(")")[1].split("|")[0]) for line in text.splitlines()[1:] if drawn)
    assert counted == sum(end - start for start, end, *_ in drawn)
