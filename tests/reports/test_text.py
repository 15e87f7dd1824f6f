"""Numbers where damo's forms go beyond units."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.reports.text import (
    address,
    mean_size,
    signed_time_ns,
    span,
    time_span,
    truncated,
)


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [(0, "0 ns"), (-2_000_000_000, "-2 s"), (-250_000_000, "-250 ms"), (1_500_000_000, "1.500 s")],
)
def test_signed_times(time_ns: int, text: str) -> None:
    """Times before zero have a sign."""
    assert signed_time_ns(time_ns) == text
    assert signed_time_ns(time_ns, raw=True) == str(time_ns)


@pytest.mark.parametrize(
    ("number", "text"),
    [(156_188.9, "156,188"), (-156_188.9, "-156,188"), (0, "0"), (-0.4, "-0"), (0.9, "0")],
)
def test_truncated_numbers(number: float, text: str) -> None:
    """What follows the point is cut off, and the sign stays."""
    assert truncated(number) == text
    assert truncated(number, raw=True) == text.replace(",", "")


@pytest.mark.parametrize(
    ("byte", "text"),
    [
        (100, "100 B"),
        (1024, "1024 B"),
        (4096, "4.000000 KiB"),
        (1_048_576, "1024.000000 KiB"),
        (140_271_512_846_336, "127.576198 TiB"),
    ],
)
def test_addresses(byte: int, text: str) -> None:
    """Addresses have six decimals, in the units of sizes."""
    assert address(byte) == text
    assert address(byte, raw=True) == str(byte)


def test_mean_sizes() -> None:
    """A size that is not whole is printed with what follows its point."""
    assert mean_size(764_358.9) == "746.444 KiB"
    assert mean_size(153.6) == "153 B"
    assert mean_size(764_358.9, raw=True) == "764358"


def test_spans() -> None:
    """Ranges are told with their size (spec damo 4.1)."""
    assert span(4096, 16384) == "[4.000000 KiB, 16.000000 KiB) (12.000 KiB)"
    assert span(4096, 16384, raw=True) == "[4096, 16384) (12288)"
    assert time_span(300_000_000, 1_200_000_000) == "[300 ms, 1.200 s) (900 ms)"
    assert time_span(-2, 3, raw=True) == "[-2, 3) (5)"


@given(byte=st.integers(1025, 2**62))
def test_addresses_are_close(byte: int) -> None:
    """An address says its byte to a millionth of its unit."""
    number, unit = address(byte).split()
    size = 1024 ** ("KMGTPE".index(unit[0]) + 1)
    assert abs(float(number) * size - byte) <= size / 1_000_000
