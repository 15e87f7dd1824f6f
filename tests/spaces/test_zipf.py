"""Pages whose popularity follows Zipf's law."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import FloatArray
from damon_async.errors import ParametersError
from damon_async.spaces.bands import ScatteredBands
from damon_async.spaces.options import build
from damon_async.spaces.zipf import Zipf, rank_levels, rank_weight

PAGE = 4096
S = 1_000_000


def page_rates(generator: Zipf, seconds: int, step_us: int) -> FloatArray:
    """Return touched intervals per second, page by page."""
    area = generator.area
    truth = generator.space().truth(area.start, area.end, np.arange(0, seconds * S + 1, step_us))
    return np.repeat(truth.counts / seconds, np.diff(truth.bounds) // PAGE)


@pytest.mark.parametrize("nr_pages", [1, 2, 8, 9, 100, 12_345, 2**32])
def test_levels(nr_pages: int) -> None:
    """Levels cover all ranks, the first eight alone, none longer than a quarter more."""
    bounds = rank_levels(nr_pages)
    assert (bounds[0], bounds[-1]) == (0, nr_pages)
    assert bounds[:9] == list(range(min(8, nr_pages) + 1))
    assert all(low < high <= max(low + 1, low * 5 // 4) for low, high in pairwise(bounds))
    assert len(bounds) < 110


@given(st.integers(0, 8_000), st.floats(0, 3))
def test_weight(first: int, theta: float) -> None:
    """The weight of a level is the sum over its ranks."""
    end = max(first + 1, first * 5 // 4)
    exact = math.fsum(rank**-theta for rank in range(first + 1, end + 1))
    assert rank_weight(first, end, theta) == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("theta", [0.0, 0.99, 1.0, 1.0 + 1e-12, 2.0])
def test_weight_near_1(theta: float) -> None:
    """The law of exponent 1 is not an exception that shows."""
    exact = math.fsum(rank**-theta for rank in range(4_001, 6_001))
    assert rank_weight(4_000, 6_000, theta) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("theta", [0.5, 0.99, 1.5])
def test_rates(theta: float) -> None:
    """A page of rank k is touched in proportion to k to the minus theta."""
    generator = Zipf(size=128 * PAGE, theta=theta, total_hz=1_000)
    # Intervals so short that two touches hardly ever fall into one.
    rates = page_rates(generator, 10, 500)
    expected = np.arange(1, 129) ** -theta
    expected *= 1_000 / expected.sum()
    for low, high in ((2, 8), (8, 32), (32, 128)):
        assert rates[low:high].sum() == pytest.approx(expected[low:high].sum(), rel=0.1)


def test_hottest_first() -> None:
    """Without a shuffle pages are hot from the beginning of the memory on."""
    rates = page_rates(Zipf(size=64 * PAGE, theta=1, total_hz=500), 5, 1_000)
    assert rates[0] > rates[1:].max()
    assert rates[:8].sum() > rates[8:].sum() * 0.9


def test_uniform_zipf() -> None:
    """An exponent of 0 makes all pages alike."""
    rates = page_rates(Zipf(size=256 * PAGE, theta=0, total_hz=2_560), 5, 1_000)
    assert rates.mean() == pytest.approx(10, rel=0.05)
    assert rates.std() < 2.5


@pytest.mark.parametrize("pages", [1, 4, 16])
def test_scattered(pages: int) -> None:
    """A shuffle moves units of pages, and leaves the rates as they are."""
    plain = Zipf(size=256 * PAGE, theta=0.99, total_hz=2_000)
    mixed = Zipf(size=256 * PAGE, theta=0.99, total_hz=2_000, scatter=pages * PAGE)
    before, after = (page_rates(generator, 5, 500) for generator in (plain, mixed))
    assert np.sort(after) == pytest.approx(np.sort(before), rel=0.25, abs=3)
    hottest = np.argsort(after)[::-1][:16]
    assert len({int(page) // pages for page in hottest}) >= 16 // pages
    # The 16 pages are units of neighbours, and all over the place otherwise.
    assert hottest.std() > (5 if pages == 16 else 30)


def test_seed_of_the_shuffle() -> None:
    """Another seed deals the pages otherwise."""
    hottest = {
        int(
            np.argmax(
                page_rates(Zipf(size=256 * PAGE, total_hz=300, scatter=PAGE, seed=seed), 2, 500)
            )
        )
        for seed in range(6)
    }
    assert len(hottest) > 3


def test_size_in_units() -> None:
    """The memory is rounded up to whole units."""
    assert Zipf(size=10 * PAGE, scatter=3 * PAGE).area.nr_pages == 12
    assert Zipf(size=10 * PAGE, scatter=5_000).area.nr_pages == 10
    assert Zipf(size=10 * PAGE, scatter=2**40).area.nr_pages == 10


@given(st.integers(1, 3_000), st.integers(0, 2**32))
def test_any_number_of_units(nr_units: int, seed: int) -> None:
    """Any number of units can be shuffled."""
    generator = Zipf(size=nr_units * PAGE, scatter=PAGE, seed=seed)
    [layer] = generator._phase()._layers
    assert isinstance(layer, ScatteredBands)
    assert math.gcd(layer.factor, nr_units) == 1
    assert layer.nr_units == nr_units
    assert layer.factor < 2**31


def test_very_cold_pages() -> None:
    """Pages may be touched once in a century."""
    generator = Zipf(size=2**44, total_hz=0.001)
    area = generator.area
    truth = generator.space().truth(area.end - 2**24, area.end, np.array([0, 10**9]))
    assert truth.counts.tolist() == [0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("theta=11", "theta: Input should be less than or equal to 10"),
        ("theta=steep", "theta: 'steep' is not a number"),
        ("total=0", "total_hz: Input should be greater than 0"),
        ("scatter=x", "scatter: 'x' is not a size"),
    ],
)
def test_wrong_options(text: str, problem: str) -> None:
    """Options are refused with what would be right."""
    with pytest.raises(ParametersError, match=f"^{problem}"):
        build(Zipf, text, {})
