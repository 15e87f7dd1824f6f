"""Every text form of damo, read and printed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async import units
from damon_async.errors import UnitError
from damon_async.units import U64_MAX, Quantity

KIB = 1024

SIZES = [
    ("4K", 4 * KIB),
    ("4KB", 4 * KIB),
    ("4KiB", 4 * KIB),
    ("4 KiB", 4 * KIB),
    ("4  K", 4 * KIB),
    (" 4K ", 4 * KIB),
    ("4.5K", 4608),
    (".5K", 512),
    ("5.", 5),
    ("1,024", 1024),
    ("10B", 10),
    ("10 B", 10),
    ("0", 0),
    ("3M", 3 * KIB**2),
    ("8G", 8 * KIB**3),
    ("1T", KIB**4),
    ("1P", KIB**5),
    ("10E", 10 * KIB**6),
    ("20E", U64_MAX),
    ("1.999", 1),
    ("max", U64_MAX),
    ("min", 0),
    ("18446744073709551615", U64_MAX),
    ("18446744073709551614", U64_MAX - 1),
]

TIMES_NS = [
    ("5ms", 5_000_000),
    ("5 ms", 5_000_000),
    ("1.5s", 1_500_000_000),
    (".5s", 500_000_000),
    ("2m", 120_000_000_000),
    ("1h", 3_600_000_000_000),
    ("1d", 86_400_000_000_000),
    ("500us", 500_000),
    ("100ns", 100),
    ("1 m 30 s", 90_000_000_000),
    ("1 m  30 s", 90_000_000_000),
    ("1 s 1 d", 86_401_000_000_000),
    ("1 d 1 h 1 m 1 s 5 ms", 90_061_005_000_000),
    ("1,000ms", 1_000_000_000),
    ("213504d", U64_MAX),
    ("max", U64_MAX),
    ("min", 0),
]

BAD = {
    units.parse_size: ["4k", "4KIB", "4kB", "0x10", "", "K", "4X", "-5", "4K 4K", "1e"],
    units.parse_time_us: ["1m30s", "1m 30s", "5 msec", "5S", "", "ms", "-5s", "1 s 500", "5 s ms"],
    units.parse_percent: ["5 percent", "%", "-1%", "", "5%%", "5K"],
    units.parse_number: ["1K", "", "ten", "-5", "0x10", "min", "5%"],
}

NUMBERS = st.integers(0, U64_MAX)


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_read_size(text: str, size: int) -> None:
    """Sizes are read in powers of 1024, with or without blanks, commas, B and iB."""
    assert units.parse_size(text) == size


@pytest.mark.parametrize(("text", "time_ns"), TIMES_NS)
def test_read_time(text: str, time_ns: int) -> None:
    """Times are read in every unit, and pairs that stand apart add up."""
    assert units.parse_time_ns(text) == time_ns


@pytest.mark.parametrize(
    ("read", "per_ms"),
    [(units.parse_time_ns, 1_000_000), (units.parse_time_us, 1_000), (units.parse_time_ms, 1)],
)
def test_read_time_in_own_unit(read: Callable[[Quantity], int], per_ms: int) -> None:
    """A text brings its own unit; a bare number is in the unit of the field."""
    assert [read("7ms"), read("7"), read(7), read(7.9)] == [7 * per_ms, 7, 7, 7]


def test_times_are_cut_off() -> None:
    """What is below the unit of the field is dropped, and nothing else is."""
    assert units.parse_time_us("100.7us") == 100
    assert units.parse_time_us("999ns") == 0
    assert units.parse_time_ms("1500us") == 1
    assert units.parse_time_us("0.0007 s") == 700


@pytest.mark.parametrize(
    ("read", "text", "share"),
    [
        (units.parse_percent, "5%", 5),
        (units.parse_percent, "5 %", 5),
        (units.parse_percent, "5  %", 5),
        (units.parse_percent, "0.5", 0.5),
        (units.parse_percent, 0.5, 0.5),
        (units.parse_percent, "max", U64_MAX),
        (units.parse_percent, "min", 0),
        (units.parse_permil, "50 %", 500),
        (units.parse_permil, "0.1%", 1),
        (units.parse_permil, 500, 500),
        (units.parse_permil, "500", 500),
        (units.parse_bp, "4%", 400),
        (units.parse_bp, "0.005%", 0),
        (units.parse_bp, "400", 400),
        (units.parse_bp, "400.000000", 400),
        (units.parse_bp, "max", U64_MAX),
    ],
)
def test_read_share(read: Callable[[Quantity], float], text: Quantity, share: float) -> None:
    """Shares are read in percent if they say so, else in the unit of the field."""
    assert read(text) == share


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,000", 1000), ("10", 10), ("1.5", 1.5), (" 7 ", 7), ("max", U64_MAX), (3, 3), (2.0, 2)],
)
def test_read_number(text: Quantity, number: float) -> None:
    """Numbers may have commas and decimals."""
    assert units.parse_number(text) == number


@pytest.mark.parametrize("text", ["true", "True", "Y", "y", "yes", "YES", True])
def test_read_yes(text: str | bool) -> None:
    """Yes has three spellings in any case."""
    assert units.parse_bool(text) is True


@pytest.mark.parametrize("text", ["false", "No", "n", "N", "FALSE", False])
def test_read_no(text: str | bool) -> None:
    """No has three spellings in any case."""
    assert units.parse_bool(text) is False


@pytest.mark.parametrize("value", ["1", "0", "on", "", 1, 0, None])
def test_read_bool_refuses(value: object) -> None:
    """A number or an "on" is no yes, as in damo."""
    with pytest.raises(UnitError, match=r"is not a yes or no; expected true, false"):
        units.parse_bool(value)


@pytest.mark.parametrize(
    ("read", "text"), [(read, text) for read, texts in BAD.items() for text in texts]
)
def test_read_refuses(read: Callable[[Quantity], float], text: str) -> None:
    """What damo refuses is refused with the text, its kind and what would be right."""
    with pytest.raises(UnitError, match=r"is not a (size|time|share|number); expected .*such as"):
        read(text)


@pytest.mark.parametrize("read", [*BAD, units.parse_permil, units.parse_bp])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, None, [4], -0.5])
def test_read_refuses_values(read: Callable[[object], float], value: object) -> None:
    """What is no finite number from 0 on is refused, booleans included."""
    with pytest.raises(UnitError, match=r"is not a"):
        read(value)


@pytest.mark.parametrize("read", BAD)
def test_read_numpy(read: Callable[[object], float]) -> None:
    """NumPy's numbers are read and come out as Python's."""
    assert [type(read(value)) for value in (np.int64(5), np.float64(5))] == [int, int]


@given(NUMBERS)
def test_read_is_exact(number: int) -> None:
    """Whole numbers of 64 bits are never touched by a float."""
    for read in (*BAD, units.parse_permil, units.parse_bp):
        assert read(number) == read(str(number)) == read(f"{number:,}") == number


@given(st.integers(0, 10**9), st.sampled_from("KMGTPE"))
def test_read_thousandths(thousandths: int, unit: str) -> None:
    """A decimal fraction of a unit is cut off at the byte, exactly."""
    exact = Fraction(thousandths, 1000) * 1024 ** (1 + "KMGTPE".index(unit))
    text = f"{thousandths // 1000}.{thousandths % 1000:03}{unit}"
    assert units.parse_size(text) == min(int(exact), U64_MAX)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (1024, "1024 B"),
        (1025, "1.001 KiB"),
        (4096, "4.000 KiB"),
        (4608, "4.500 KiB"),
        (1048575, "1023.999 KiB"),
        (1048576, "1024.000 KiB"),
        (1048577, "1.000 MiB"),
        (999999999, "953.674 MiB"),
        (10**8, "95.367 MiB"),
        (2**30, "1024.000 MiB"),
        (2**40, "1024.000 GiB"),
        (10 * 2**60, "10.000 EiB"),
        (U64_MAX, "max"),
    ],
)
def test_print_size(size: int, text: str) -> None:
    """Sizes print in the largest unit that they strictly exceed, with three decimals."""
    assert units.format_size(size) == text


@pytest.mark.parametrize(
    ("time_us", "text"),
    [
        (0, "0 ns"),
        (1, "1 us"),
        (999, "999 us"),
        (1000, "1 ms"),
        (1001, "1.001 ms"),
        (5000, "5 ms"),
        (1_500_000, "1.500 s"),
        (999_900, "999.900 ms"),
        (59_900_000, "59.900 s"),
        (60_000_000, "1 m"),
        (60_000_400, "1 m 0.000 s"),
        (60_500_000, "1 m 0.500 s"),
        (61_000_000, "1 m 1 s"),
        (90_000_000, "1 m 30 s"),
        (3_600_000_000, "1 h"),
        (3_600_500_000, "1 h 500 ms"),
        (3_601_000_000, "1 h 1 s"),
        (3_599_900_000, "59 m 59.900 s"),
        (90_061_000_000, "25 h 1 m 1 s"),
        (90_061_005_000, "25 h 1 m 1.005 s"),
        (172_800_000_000, "48 h"),
        (213_503 * 86_400_000_000, "5124072 h"),
        (213_504 * 86_400_000_000, "max"),
        (U64_MAX, "max"),
    ],
)
def test_print_time(time_us: int, text: str) -> None:
    """Times print in hours, minutes and one smaller unit, as damo prints them."""
    assert units.format_time_us(time_us) == text


def test_print_small_times() -> None:
    """Nanoseconds print as they are, and fractions of a unit with three decimals."""
    texts = [units.format_time_ns(time_ns) for time_ns in (100, 1500, 100_700, 999_999_900)]
    assert texts == ["100 ns", "1.500 us", "100.700 us", "1000.000 ms"]


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "0 ns"),
        (1_500_000_000, "1 s 500 ms"),
        (90_061_000_000_000, "1 d 1 h 1 m 1 s"),
        (1_000_001, "1 ms 1 ns"),
        (20_197 * 86_400 * 10**9, "20,197 d"),
        (U64_MAX, "max"),
    ],
)
def test_print_exact_time(time_ns: int, text: str) -> None:
    """The exact form spells every unit."""
    assert units.format_time_exact(time_ns) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.format_percent(4), "4 %"),
        (units.format_percent(0), "0 %"),
        (units.format_percent(100), "100 %"),
        (units.format_percent(12.3456789), "12.3456789 %"),
        (units.format_percent(33.33333333333), "33.3333333 %"),
        (units.format_percent(0.00000001), "0 %"),
        (units.format_percent(4, raw=True), "4.000000"),
        (units.format_permil(1), "0.1 %"),
        (units.format_permil(500), "50 %"),
        (units.format_permil(500, raw=True), "500"),
        (units.format_bp(400), "4 %"),
        (units.format_bp(1), "0.01 %"),
        (units.format_bp(400, raw=True), "400"),
        (units.format_number(1000), "1,000"),
        (units.format_number(-70_000_000), "-70,000,000"),
        (units.format_number(U64_MAX), "18,446,744,073,709,551,615"),
        (units.format_number(1000, raw=True), "1000"),
        (units.format_hz(0), "0 hz"),
        (units.format_hz(1 / 3), "0.333 hz"),
        (units.format_hz(29 / 3), "9.667 hz"),
        (units.format_hz(10), "10 hz"),
        (units.format_hz(32 / 3), "10 hz"),
        (units.format_hz(1287.01), "1,287 hz"),
        (units.format_hz(200, raw=True), "200.000000"),
        (units.format_size(4096, raw=True), "4096"),
        (units.format_time_us(5000, raw=True), "5000"),
        (units.format_time_ms(1000), "1 s"),
        (units.format_time_ms(1000, raw=True), "1000"),
        (units.format_time_ns(U64_MAX, raw=True), str(U64_MAX)),
    ],
)
def test_print(text: str, expected: str) -> None:
    """Shares, counts, rates and raw numbers print as damo prints them."""
    assert text == expected


@given(NUMBERS)
def test_exact_forms_come_back(number: int) -> None:
    """What an exact form prints is read back as it was."""
    assert units.parse_time_ns(units.format_time_exact(number)) == number
    assert units.parse_number(units.format_number(number)) == number
    assert units.parse_permil(units.format_permil(number)) == number
    assert units.parse_bp(units.format_bp(number)) == number


@given(NUMBERS)
def test_raw_forms_come_back(number: int) -> None:
    """What a raw form prints is read back as it was."""
    assert units.parse_size(units.format_size(number, raw=True)) == number
    assert units.parse_time_us(units.format_time_us(number, raw=True)) == number
    assert units.parse_time_ms(units.format_time_ms(number, raw=True)) == number
    assert units.parse_bp(units.format_bp(number, raw=True)) == number


@given(st.integers(0, 2**62))
def test_human_forms_are_near(number: int) -> None:
    """What a human form prints is read back within the decimals that it shows."""
    assert units.parse_size(units.format_size(number)) == pytest.approx(number, rel=6e-4, abs=1)
    assert units.parse_time_ns(units.format_time_ns(number)) == pytest.approx(
        number, rel=6e-4, abs=1
    )


@given(st.text(max_size=12))
def test_any_text(text: str) -> None:
    """Any text is either a quantity from 0 to the maximum or a UnitError."""
    for read in BAD:
        try:
            value = read(text)
        except UnitError:
            continue
        assert 0 <= value <= U64_MAX
