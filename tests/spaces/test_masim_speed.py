"""How long a batch of accesses takes."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import ParametersError
from damon_async.spaces.masim_speed import MasimOptions
from damon_async.spaces.options import build

OPTIONS = MasimOptions()


def per_ms(batch_ns: int, nr_accesses: int = 131_072) -> float:
    """Turn the time of a batch into accesses per millisecond."""
    return nr_accesses * 1e6 / batch_ns


@pytest.mark.parametrize(
    ("size", "stride", "rate"),
    [
        (10_000_000, 4096, 130_000),
        (10_000_000, 1024**2, 130_000),
        (100_000_000, 4096, 40_000),
        (10**12, 4096, 40_000),
        (10**12, 64, 240_000),
        (4096, 1, 240_000),
        # A stride beyond the end stays on one byte.
        (64, 4096, 240_000),
    ],
)
def test_sequential(size: int, stride: int, rate: float) -> None:
    """Sequential accesses are fast at short strides, and slow in big regions at long ones."""
    assert per_ms(OPTIONS.sequential_batch_ns(size, stride)) == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize(
    ("size", "rate"),
    [(4096, 60_000), (100_000_000, 60_000), (1024**3, 25_000), (10 * 1024**3, 25_000)],
)
def test_random(size: int, rate: float) -> None:
    """Random accesses are slower in regions that no cache holds."""
    assert per_ms(OPTIONS.random_batch_ns(size)) == pytest.approx(rate, rel=1e-5)


@given(st.integers(1, 2**44), st.integers(0, 2**30))
def test_between(size: int, stride: int) -> None:
    """Between the points that were measured, speed stays between their values."""
    assert 39_999 < per_ms(OPTIONS.sequential_batch_ns(size, stride)) < 240_001
    assert 24_999 < per_ms(OPTIONS.random_batch_ns(size)) < 60_001


def test_options() -> None:
    """Batches and speeds can be chosen."""
    options = MasimOptions(nr_accesses_per_region=1_000, random_per_ms=1_000)
    assert options.random_batch_ns(4096) == 1_000_000
    assert options.random_pool == 10**6


def test_texts() -> None:
    """Options are read in damo's text forms."""
    options = build(MasimOptions, "page_size=2M,repeat=7", {"random_array": "1,000"})
    assert (options.page_size, options.repeat) == (2 * 1024**2, 7)


def test_wrong_options() -> None:
    """Every wrong option is reported."""
    with pytest.raises(ParametersError, match=r"2 problems: page_size.*random_per_ms"):
        MasimOptions(page_size=4097, random_per_ms=0)
