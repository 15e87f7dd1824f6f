"""
Read and print quantities in the text forms of the ``damo`` tool.

Reading takes numbers as they are, in the field's own unit, and texts such as
``4.5K``, ``1 m 30 s``, ``0.1 %`` or ``max``. What does not fit the unit of a
field is cut off, never rounded up, and nothing exceeds ``U64_MAX``; so does
``damo`` when it stages files.

Printing follows ``damo`` to the character. Its human forms lose precision; the
raw and the exact forms do not.

Source:
    spec damo 3. Differs: negative numbers are refused.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Final, TypeAlias

from .errors import UnitError

Quantity: TypeAlias = int | float | str
"""A number in the field's own unit, or one of its text forms."""

U64_MAX: Final = 2**64 - 1
"""What ``max`` means in every unit."""

# [0-9] and not \d, which would let digits of other scripts in. Commas may stand
# anywhere before the point, as damo does not check their places either.
_NUMBER: Final = r"([0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)"
_PLAIN: Final = re.compile(_NUMBER)
# Upper case only: "4k" could be 4,000, and damo refuses it too.
_SIZE: Final = re.compile(rf"{_NUMBER}\s*(?:([KMGTPE])(?:i?B)?|B)?")
_TIME: Final = re.compile(rf"{_NUMBER}\s*(ns|us|ms|s|m|h|d)")
_PERCENT: Final = re.compile(rf"{_NUMBER}\s*%")

_SIZE_UNITS: Final = {unit: 1024**power for power, unit in enumerate("KMGTPE", start=1)}

# Ascending, because printing walks from the largest unit down.
_TIME_UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}

_BOOLS: Final = {"true": True, "yes": True, "y": True, "false": False, "no": False, "n": False}

# What a UnitError says would have been right.
_EXPECTED: Final = {
    "size": "bytes, such as 4096, '4K', '1.5 GiB', 'min' or 'max'",
    "time": "a time such as '5ms', '1.5 s', '1 m 30 s', 'min' or 'max'",
    "share": "a percentage such as '5%', '0.1 %', 'min' or 'max'",
    "number": "a number such as 10, '1,000' or 'max'",
    "yes or no": "true, false, yes, no, y or n",
}


def parse_size(value: Quantity) -> int:
    """
    Read bytes, or a text like ``4K``, ``4 KiB``, ``4.5KB`` (powers of 1024).

    Raises:
        UnitError: If *value* is negative or not a size.
    """
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    # What has no unit, "min" and "max" are the same for all kinds.
    if match is None:
        return int(_bounded(value, "size"))
    return int(_clip(_fraction(match[1]) * _SIZE_UNITS.get(match[2], 1)))


def parse_time_ns(value: Quantity) -> int:
    """
    Read nanoseconds, or a text like ``5ms``, ``1.5 s``, ``1 m 30 s``.

    Raises:
        UnitError: If *value* is negative or not a time.
    """
    return _parse_time(value, "ns")


def parse_time_us(value: Quantity) -> int:
    """
    Read microseconds, or a text like ``5ms``, ``1.5 s``, ``1 m 30 s``.

    Raises:
        UnitError: If *value* is negative or not a time.
    """
    return _parse_time(value, "us")


def parse_time_ms(value: Quantity) -> int:
    """
    Read milliseconds, or a text like ``5ms``, ``1.5 s``, ``1 m 30 s``.

    Raises:
        UnitError: If *value* is negative or not a time.
    """
    return _parse_time(value, "ms")


def parse_percent(value: Quantity) -> int | float:
    """
    Read percent (``0.5`` is half a percent), or a text like ``5 %``.

    Returns:
        Percent; an int where it is a whole number.

    Raises:
        UnitError: If *value* is negative or not a share.
    """
    return _int_or_float(_parse_share(value, per_percent=1))


def parse_permil(value: Quantity) -> int:
    """
    Read thousandths, or a percent text: ``50 %`` is 500 permil.

    Raises:
        UnitError: If *value* is negative or not a share.
    """
    return int(_parse_share(value, per_percent=10))


def parse_bp(value: Quantity) -> int:
    """
    Read basis points, or a percent text: ``4%`` is 400 bp.

    Raises:
        UnitError: If *value* is negative or not a share.
    """
    return int(_parse_share(value, per_percent=100))


def parse_number(value: Quantity) -> int | float:
    """
    Read a plain number, or a text like ``1,000``, ``1.5``, ``max``.

    Returns:
        The number; an int where it is whole.

    Raises:
        UnitError: If *value* is negative or not a number; ``min`` is none.
    """
    # damo knows "max" for counts, but no "min": 0 would rarely be a good one.
    if isinstance(value, str) and value.strip() == "min":
        raise _unit_error(value, "number")
    return _int_or_float(_bounded(value, "number"))


def parse_bool(value: object) -> bool:
    """
    Read true, false, yes, no, y or n, in any case.

    Raises:
        UnitError: If *value* is anything else; ``1``, ``0`` and ``on`` are.
    """
    if isinstance(value, bool):
        return value
    answer = _BOOLS.get(value.strip().lower()) if isinstance(value, str) else None
    if answer is None:
        raise _unit_error(value, "yes or no")
    return answer


def format_size(size: int, *, raw: bool = False) -> str:
    """
    Print bytes: ``1024 B``, ``4.000 KiB``, ``1024.000 MiB``, ``max``.

    Args:
        size: Bytes. The unit is the largest that *size* strictly exceeds.

        raw: Print the plain number.
    """
    if raw:
        return str(size)
    if size >= U64_MAX:
        return "max"
    for name, unit in reversed(_SIZE_UNITS.items()):
        # Strictly, so that one GiB reads as 1024.000 MiB. Odd, but damo's.
        if size > unit:
            return f"{size / unit:.3f} {name}iB"
    return f"{size} B"


def format_time_ns(time_ns: int, *, raw: bool = False) -> str:
    """
    Print nanoseconds: ``0 ns``, ``1.500 s``, ``1 m 1 s``, ``25 h 1 m 1 s``.

    Args:
        time_ns: Nanoseconds; from ``U64_MAX`` on they print as ``max``.

        raw: Print the plain number.
    """
    if raw:
        return str(time_ns)
    if time_ns >= U64_MAX:
        return "max"
    # No days: damo writes 25 h, though it reads 1 d.
    hours, rest = divmod(time_ns, _TIME_UNITS_NS["h"])
    minutes, rest = divmod(rest, _TIME_UNITS_NS["m"])
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} m"] * bool(minutes)
    if rest or not parts:
        # damo prints "1 h 500 ms", but "1 m 0.500 s".
        parts.append(_in_unit(rest, "s" if minutes else _largest_unit(rest)))
    return " ".join(parts)


def format_time_us(time_us: int, *, raw: bool = False) -> str:
    """Print microseconds as ``format_time_ns`` does; *raw* is the plain number."""
    return str(time_us) if raw else format_time_ns(time_us * _TIME_UNITS_NS["us"])


def format_time_ms(time_ms: int, *, raw: bool = False) -> str:
    """Print milliseconds as ``format_time_ns`` does; *raw* is the plain number."""
    return str(time_ms) if raw else format_time_ns(time_ms * _TIME_UNITS_NS["ms"])


def format_time_exact(time_ns: int) -> str:
    """Print nanoseconds without loss, every unit spelled: ``1 s 500 ms``, ``1,000 d``."""
    if time_ns >= U64_MAX:
        return "max"
    parts = []
    for name, unit in reversed(_TIME_UNITS_NS.items()):
        count, time_ns = divmod(time_ns, unit)
        if count:
            # Only days can be so many that damo groups their digits.
            parts.append(f"{count:,} {name}")
    return " ".join(parts) or "0 ns"


def format_percent(percent: float, *, raw: bool = False) -> str:
    """Print a share: ``4 %``, ``0.1 %``, at most seven decimals; *raw* has six."""
    # Unlike counts, rates have decimals in raw form as well.
    return f"{percent:.6f}" if raw else _format_share(Decimal(percent))


def format_permil(permil: int, *, raw: bool = False) -> str:
    """Print thousandths as percent: 1 is ``0.1 %``; *raw* is the plain number."""
    return str(permil) if raw else _format_share(Decimal(permil) / 10)


def format_bp(bp: int, *, raw: bool = False) -> str:
    """Print basis points as percent: 400 is ``4 %``; *raw* is the plain number."""
    return str(bp) if raw else _format_share(Decimal(bp) / 100)


def format_number(number: int, *, raw: bool = False) -> str:
    """Print a count with thousands commas; *raw* is without."""
    return str(number) if raw else f"{number:,}"


def format_hz(hz: float, *, raw: bool = False) -> str:
    """
    Print accesses per second: ``200 hz``, ``0.333 hz``, ``0 hz``.

    Args:
        hz: Cut off to a whole number from 10 on, three decimals below.

        raw: Print six decimals and no unit.
    """
    if raw:
        return f"{hz:.6f}"
    return f"{hz:.3f} hz" if 0 < hz < 10 else f"{int(hz):,} hz"


def _parse_time(value: Quantity, own_unit: str) -> int:
    # A bare number is in the unit of the field; a text brings its own.
    if not isinstance(value, str) or _PLAIN.fullmatch(value.strip()):
        return int(_bounded(value, "time"))
    pairs = _time_pairs(value)
    if not pairs:
        # Either a word, or an error that names the kind.
        return int(_bounded(value, "time"))
    total_ns = sum(_fraction(number) * _TIME_UNITS_NS[unit] for number, unit in pairs)
    return int(_clip(Fraction(total_ns, _TIME_UNITS_NS[own_unit])))


def _time_pairs(text: str) -> list[tuple[str, str]]:
    single = _TIME.fullmatch(text.strip())
    if single is not None:
        return [(single[1], single[2])]
    # Of several pairs all parts must be apart. damo refuses "1m30s" and "1m 30s",
    # and so do we, lest a parameter file that we take fails there.
    words = text.split()
    matches = [_TIME.fullmatch(f"{a} {b}") for a, b in zip(words[::2], words[1::2], strict=False)]
    # A pair that does not match, or a word left over, spoils the whole text.
    found = [(match[1], match[2]) for match in matches if match is not None]
    return found if 2 * len(found) == len(words) else []


def _parse_share(value: Quantity, per_percent: int) -> Fraction:
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return _bounded(value, "share")
    return _clip(_fraction(match[1]) * per_percent)


def _bounded(value: object, kind: str) -> Fraction:
    """Read a number without a unit, ``min`` or ``max``, as what *kind* says."""
    if isinstance(value, str):
        text = value.strip()
        if text in ("min", "max"):
            return Fraction(U64_MAX if text == "max" else 0)
        if _PLAIN.fullmatch(text) is None:
            raise _unit_error(value, kind)
        return _clip(_fraction(text))
    # A bool is an int to Python, but never a quantity to a user.
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _unit_error(value, kind)
    # NumPy's numbers are welcome, but must not spread from here.
    number = int(value) if isinstance(value, Integral) else float(value)
    if not math.isfinite(number) or number < 0:
        raise _unit_error(value, kind)
    return _clip(Fraction(number))


def _unit_error(value: object, kind: str) -> UnitError:
    return UnitError(value, kind, _EXPECTED[kind])


def _fraction(digits: str) -> Fraction:
    # Fractions, because floats lose units: 0.0007 s must be 700 us.
    return Fraction(digits.replace(",", ""))


def _clip(number: Fraction) -> Fraction:
    # As damo before it writes a file of the kernel: too much means all there is.
    return min(number, Fraction(U64_MAX))


def _int_or_float(number: Fraction) -> int | float:
    return number.numerator if number.denominator == 1 else float(number)


def _largest_unit(time_ns: int) -> str:
    # Minutes and hours are dealt with before.
    fitting = [name for name in ("ns", "us", "ms", "s") if time_ns >= _TIME_UNITS_NS[name]]
    return fitting[-1] if fitting else "ns"


def _in_unit(time_ns: int, name: str) -> str:
    unit = _TIME_UNITS_NS[name]
    return f"{time_ns // unit} {name}" if time_ns % unit == 0 else f"{time_ns / unit:.3f} {name}"


def _format_share(percent: Decimal) -> str:
    # Decimal, because a float would show 0.1 permil of a large number wrongly.
    return f"{percent:,.7f}".rstrip("0").rstrip(".") + " %"
