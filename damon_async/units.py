"""
Read and print quantities in the text forms of the ``damo`` tool.

Reading accepts numbers as they are, in the field's own unit, and texts such as
``4.5K``, ``1 m 30 s``, ``0.1 %`` or ``max``. Nothing here rounds up: what does
not fit the unit of a field is cut off, as ``damo`` does when it stages files.

Source:
    spec damo 3.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final, TypeAlias

from .errors import UnitError

Quantity: TypeAlias = int | float | str
"""A number in the field's own unit, or one of its text forms."""

U64_MAX: Final = 2**64 - 1
"""What ``max`` means in every unit."""

_WORDS: Final = {"min": 0, "max": U64_MAX}

_NUMBER: Final = r"[0-9][0-9,]*(?:\.[0-9]+)?"

_SIZE: Final = re.compile(rf"({_NUMBER}) ?(?:([KMGTPE])(?:i?B)?|B)?")
_TIME_PAIR: Final = re.compile(rf"({_NUMBER}) ?(ns|us|ms|s|m|h|d)")
_PERCENT: Final = re.compile(rf"({_NUMBER}) ?%")
_PLAIN: Final = re.compile(_NUMBER)

_SIZE_UNITS: Final = {unit: 1024**power for power, unit in enumerate("KMGTPE", start=1)}

_TIME_UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}

_SIZE_HELP: Final = "bytes such as 4096, '4K', '1.5 GiB', 'min' or 'max'"
_TIME_HELP: Final = "a time such as '5ms', '1.5 s', '1 m 30 s', 'min' or 'max'"
_RATIO_HELP: Final = "a share such as '5%', '0.1 %', 'min' or 'max'"
_NUMBER_HELP: Final = "a number such as 10, '1,000', 'min' or 'max'"
_BOOL_HELP: Final = "true, false, yes, no, y or n"

_BOOLS: Final = {
    "true": True,
    "yes": True,
    "y": True,
    "false": False,
    "no": False,
    "n": False,
}


def parse_size(value: Quantity) -> int:
    """
    Read a size.

    Args:
        value: Bytes, or a text like ``4K``, ``4 KiB``, ``4.5KB``, ``1,024``.
            Units are upper case powers of 1024.

    Returns:
        Bytes, at most ``U64_MAX``; a fraction of a byte is cut off.

    Raises:
        UnitError: If *value* is negative or not a size.
    """
    if not isinstance(value, str):
        return _clip(_plain(value, "size", _SIZE_HELP))
    text = value.strip()
    if text in _WORDS:
        return _WORDS[text]
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UnitError(value, "size", _SIZE_HELP)
    return _clip(_fraction(match[1]) * _SIZE_UNITS.get(match[2], 1))


def parse_time_us(value: Quantity) -> int:
    """
    Read a time, in microseconds.

    Args:
        value: Microseconds, or a text like ``5ms``, ``1.5 s``, ``1 m 30 s``.

    Returns:
        Microseconds, at most ``U64_MAX``; a fraction is cut off.

    Raises:
        UnitError: If *value* is negative or not a time.
    """
    return _parse_time(value, _TIME_UNITS_NS["us"])


def parse_time_ms(value: Quantity) -> int:
    """
    Read a time, in milliseconds.

    Args:
        value: Milliseconds, or a text as ``parse_time_us`` takes.

    Returns:
        Milliseconds, at most ``U64_MAX``; a fraction is cut off.

    Raises:
        UnitError: If *value* is negative or not a time.
    """
    return _parse_time(value, _TIME_UNITS_NS["ms"])


def parse_time_ns(value: Quantity) -> int:
    """
    Read a time, in nanoseconds, as records give it.

    Args:
        value: Nanoseconds, or a text as ``parse_time_us`` takes.

    Returns:
        Nanoseconds, at most ``U64_MAX``; a fraction is cut off.

    Raises:
        UnitError: If *value* is negative or not a time.
    """
    return _parse_time(value, 1)


def parse_percent(value: Quantity) -> int | float:
    """
    Read a share, in percent.

    Args:
        value: Percent (``0.5`` is half a percent), or a text like ``5 %``.

    Returns:
        Percent, a whole number where it is one.

    Raises:
        UnitError: If *value* is negative or not a share.
    """
    return _number(_parse_ratio(value, per_percent=1))


def parse_permil(value: Quantity) -> int:
    """
    Read a share, in thousandths.

    Args:
        value: Permil, or a percent text like ``50 %`` (500 permil).

    Returns:
        Permil; a fraction is cut off.

    Raises:
        UnitError: If *value* is negative or not a share.
    """
    return int(_parse_ratio(value, per_percent=10))


def parse_bp(value: Quantity) -> int:
    """
    Read a share, in basis points (1/10000).

    Args:
        value: Basis points, or a percent text like ``4%`` (400 bp).

    Returns:
        Basis points; a fraction is cut off.

    Raises:
        UnitError: If *value* is negative or not a share.
    """
    return int(_parse_ratio(value, per_percent=100))


def parse_number(value: Quantity) -> int | float:
    """
    Read a plain number.

    Args:
        value: A number, or a text like ``1,000``, ``1.5``, ``max``.

    Returns:
        The number, whole where it is one; at most ``U64_MAX``.

    Raises:
        UnitError: If *value* is negative or not a number.
    """
    return _number(_plain(value, "number", _NUMBER_HELP))


def parse_bool(value: bool | str) -> bool:
    """
    Read a yes or no, in any case.

    Raises:
        UnitError: If *value* is anything else; ``1``, ``0`` and ``on`` are.
    """
    if isinstance(value, bool):
        return value
    answer = _BOOLS.get(value.strip().lower()) if isinstance(value, str) else None
    if answer is None:
        raise UnitError(value, "yes or no", _BOOL_HELP)
    return answer


def _parse_time(value: Quantity, own_unit_ns: int) -> int:
    if not isinstance(value, str):
        return _clip(_plain(value, "time", _TIME_HELP))
    text = value.strip()
    if text in _WORDS:
        return _WORDS[text]
    if _PLAIN.fullmatch(text):
        return _clip(_fraction(text))
    return _clip(_sum_of_pairs_ns(value) / own_unit_ns)


def _sum_of_pairs_ns(text: str) -> Fraction:
    # Pairs must be apart: damo refuses "1m30s", and so do we, lest one of our
    # parameter files fails there.
    total = Fraction(0)
    rest = text.strip()
    while rest:
        match = _TIME_PAIR.match(rest)
        if match is None:
            raise UnitError(text, "time", _TIME_HELP)
        total += _fraction(match[1]) * _TIME_UNITS_NS[match[2]]
        rest = rest[match.end() :]
        if rest and not rest.startswith(" "):
            raise UnitError(text, "time", _TIME_HELP)
        rest = rest.lstrip()
    return total


def _parse_ratio(value: Quantity, per_percent: int) -> Fraction:
    if isinstance(value, str):
        match = _PERCENT.fullmatch(value.strip())
        if match is not None:
            return min(Fraction(U64_MAX), _fraction(match[1]) * per_percent)
    return _plain(value, "share", _RATIO_HELP)


def _plain(value: Quantity, kind: str, expected: str) -> Fraction:
    if isinstance(value, str):
        text = value.strip()
        if text in _WORDS:
            return Fraction(_WORDS[text])
        if _PLAIN.fullmatch(text):
            return min(Fraction(U64_MAX), _fraction(text))
        raise UnitError(value, kind, expected)
    # A bool is an int to Python, but never a quantity to a user.
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value < 0
    ):
        raise UnitError(value, kind, expected)
    return min(Fraction(U64_MAX), Fraction(value))


def _fraction(digits: str) -> Fraction:
    # Fractions, because floats lose bytes: 0.1 of a second must be 100,000 us.
    return Fraction(digits.replace(",", ""))


def _clip(value: Fraction) -> int:
    return min(int(value), U64_MAX)


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)
