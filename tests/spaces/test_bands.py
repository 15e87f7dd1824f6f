"""Which process is responsible for an address."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.spaces.bands import Bands, ScatteredBands, Stroke
from damon_async.spaces.process_table import TOUCHED, UNDECIDED, UNTOUCHED
from damon_async.spaces.processes import ALWAYS, NEVER

strokes = st.builds(Stroke, st.integers(0, 50), st.integers(0, 50), st.integers(1, 9))


def shuffled(nr_units: int, factor: int, shift: int, unit: int = 10) -> ScatteredBands:
    """Shuffle units from address 1000; unit number *n* of the deck is ruled by process *n*."""
    deck = Bands.painted(Stroke(at * unit, (at + 1) * unit, at) for at in range(nr_units))
    return ScatteredBands(1000, unit, nr_units, factor, shift, deck)


@given(st.lists(strokes, max_size=8))
def test_painted(listed: list[Stroke]) -> None:
    """Each address belongs to the last range that covers it, or to no process."""
    expected = [NEVER] * 60
    for start, end, number in listed:
        expected[start:end] = [number] * max(0, end - start)
    assert Bands.painted(listed).locate(np.arange(60)).tolist() == expected


def test_nothing_painted() -> None:
    """Without ranges no address has a process."""
    bands = Bands.painted([])
    assert bands.locate(np.array([[0, 2**62]])).tolist() == [[NEVER, NEVER]]
    assert bands.cuts(0, 2**62).tolist() == []


def test_locate_keeps_the_shape() -> None:
    """Answers have the shape of the question."""
    bands = Bands.painted([Stroke(10, 20, 5)])
    assert bands.locate(np.array([[9, 10], [19, 20]])).tolist() == [[NEVER, 5], [5, NEVER]]


def test_bands_of_a_process() -> None:
    """A process rules its bands; that of nobody reaches to the ends of all addresses."""
    bands = Bands.painted([Stroke(10, 20, 5), Stroke(30, 40, 6), Stroke(40, 50, 5)])
    lowest, highest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    assert bands.ruled_by(5).tolist() == [[10, 20], [40, 50]]
    assert bands.ruled_by(NEVER).tolist() == [[lowest, 10], [20, 30], [50, highest]]
    assert bands.ruled_by(7).tolist() == []


def test_cuts() -> None:
    """Cuts are where bands begin, strictly inside the range."""
    bands = Bands.painted([Stroke(10, 20, 5), Stroke(30, 40, 6)])
    assert bands.cuts(0, 100).tolist() == [10, 20, 30, 40]
    assert bands.cuts(10, 40).tolist() == [20, 30]
    assert bands.cuts(11, 19).tolist() == []


def test_survey() -> None:
    """A band does what its process does."""
    bands = Bands.painted([Stroke(10, 20, 2), Stroke(20, 30, ALWAYS)])
    states = np.array([[0, 1, 2], [0, 1, 0]], np.uint8)
    found = bands.survey(np.array([0, 10, 20, 30]), states)
    assert found.tolist() == [[0, 2, 1, 0], [0, 0, 1, 0]]


@given(st.integers(1, 60), st.integers(1, 500), st.integers(0, 500))
def test_shuffle_is_a_permutation(nr_units: int, factor: int, shift: int) -> None:
    """Shuffling deals every unit once."""
    while math.gcd(factor, nr_units) != 1:
        factor += 1
    layer = shuffled(nr_units, factor, shift)
    numbers = layer.locate(1000 + 10 * np.arange(nr_units))
    assert sorted(numbers.tolist()) == list(range(nr_units))


def test_units_stay_together() -> None:
    """All addresses of a unit have one process, and units of the deck keep their inside."""
    layer = shuffled(7, 3, 5)
    numbers = layer.locate(np.arange(1000, 1070)).reshape(7, 10)
    assert (numbers == numbers[:, :1]).all()
    halves = Bands.painted(
        [Stroke(0, 5, 1), Stroke(5, 10, 2), Stroke(10, 15, 3), Stroke(15, 20, 4)]
    )
    inside = ScatteredBands(0, 10, 2, 1, 1, halves).locate(np.arange(20))
    assert inside.tolist() == [3] * 5 + [4] * 5 + [1] * 5 + [2] * 5


@pytest.mark.parametrize("address", [0, 999, 1070, 2**47, 2**62])
def test_outside_of_the_shuffle(address: int) -> None:
    """Outside of the shuffled area no address has a process."""
    assert shuffled(7, 3, 5).locate(np.array([address, 1000]))[0] == NEVER


def test_shuffle_of_16_tib() -> None:
    """The numbers of 2^32 pages are shuffled without overflow."""
    factor = 2**31 - 1
    deck = Bands.painted([Stroke(0, 2**44, 1)])
    layer = ScatteredBands(0, 4096, 2**32, factor, 2**32 - 1, deck)
    assert layer.end == 2**44
    assert layer.locate(np.array([0, 2**44 - 4096, 2**43])).tolist() == [1, 1, 1]


def test_cuts_of_the_shuffle() -> None:
    """A shuffled area is cut at its bounds only."""
    layer = shuffled(7, 3, 5)
    assert layer.cuts(0, 5000).tolist() == [1000, 1070]
    assert layer.cuts(1000, 1070).tolist() == []


def test_survey_of_the_shuffle() -> None:
    """A shuffled area is certain in a window in which all its processes agree."""
    deck = Bands.painted([Stroke(0, 10, 2), Stroke(10, 20, 3)])
    layer = ScatteredBands(1000, 10, 2, 1, 0, deck)
    states = np.array([[0, 1, 1, 1], [0, 1, 2, 2], [0, 1, 1, 2], [0, 1, 0, 0]], np.uint8)
    found = layer.survey(np.array([999, 1000, 1019, 1020]), states)
    expected = [TOUCHED, UNDECIDED, UNDECIDED, UNTOUCHED]
    assert found[:, 1].tolist() == found[:, 2].tolist() == expected
    assert not found[:, [0, 3]].any()
