"""How option values are read: damo's text forms, checked before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from cyclopts import CoercionError, Parameter, Token

from .. import units
from ..errors import DamonError, UnitError
from ..params.base import parse_count
from ..params.monitoring import Target
from ..params.ranges import AddressRange
from ..records.writer import RecordForm

Value = TypeVar("Value")

_ENDLESS: Final = {"min": -math.inf, "max": math.inf}

Converter: TypeAlias = Callable[[Any, Sequence[Token]], Any]
"""What cyclopts calls with an option's type and its words."""


def each(*readers: Callable[[str], Any]) -> Converter:
    """Return a converter that reads one word with each of *readers*, into a tuple."""

    def convert(_type: Any, tokens: Sequence[Token]) -> tuple[Any, ...]:
        return tuple(_read(reader, token) for reader, token in zip(readers, tokens, strict=True))

    return convert


def one(reader: Callable[[str], Any]) -> Converter:
    """Return a converter that reads one word."""

    def convert(_type: Any, tokens: Sequence[Token]) -> Any:
        return _read(reader, tokens[0])

    return convert


def each_of(reader: Callable[[str], Any]) -> Converter:
    """Return a converter that reads any number of words."""

    def convert(_type: Any, tokens: Sequence[Token]) -> tuple[Any, ...]:
        return tuple(_read(reader, token) for token in tokens)

    return convert


# The bad word is named by hand, because of several cyclopts would name none.
def _read(reader: Callable[[str], Value], token: Token) -> Value:
    try:
        return reader(token.value)
    except (DamonError, ValueError) as error:
        raise CoercionError(msg=str(error), token=token) from error


def choice_of(kind: type[StrEnum]) -> Parameter:
    """Return what makes an option take the values of *kind*, as they are spelled."""
    # Left to itself, cyclopts takes the names of members, and those shout.
    return Parameter(converter=one(kind), choices=_values(kind), show_default=str, metavar="CHOICE")


def choices_of(kind: type[StrEnum]) -> Parameter:
    """Return what makes an option take any number of values of *kind*."""
    return Parameter(
        converter=each_of(kind),
        choices=_values(kind),
        consume_multiple=True,
        show_default=False,
        metavar="CHOICE...",
    )


def _values(kind: type[StrEnum]) -> tuple[str, ...]:
    return tuple(member.value for member in kind)


def parse_seconds(text: str) -> int:
    """
    Read a time whose bare numbers are seconds, as in damo's ``--timeout``.

    Returns:
        Microseconds.

    Raises:
        UnitError: If *text* is negative or not a time.
    """
    # Whatever has a unit is a time like any other.
    try:
        number = units.parse_number(text)
    except UnitError:
        return units.parse_time_us(text)
    return round(number * 1_000_000)


def parse_signed(text: str) -> float:
    """
    Read a number that may be negative; ``min`` and ``max`` are without end.

    Raises:
        UnitError: If it is not a number.
    """
    # Unlike sizes, numbers have no largest one that stands for "max".
    if text in _ENDLESS:
        return _ENDLESS[text]
    if text.startswith("-"):
        return -units.parse_number(text[1:])
    return units.parse_number(text)


def parse_whole(text: str) -> int:
    """
    Read a whole number that may be negative.

    Raises:
        UnitError: If it is not one.
    """
    return -parse_count(text[1:]) if text.startswith("-") else parse_count(text)


def parse_ranges(text: str) -> tuple[AddressRange, ...]:
    """
    Read damo's ``--regions``: ``start-end`` pairs in one string.

    Raises:
        ParametersError: If a range is empty or not a range.
    """
    # The model reads them; whether they go together depends on more than them.
    return Target(regions=text).regions


def chunks_of(*readers: Callable[[str], Any]) -> Converter:
    """Return a converter that reads groups of words, one word with each reader."""
    read_group = each(*readers)

    def convert(kind: Any, tokens: Sequence[Token]) -> tuple[Any, ...]:
        # The parser has seen to it that no group is short.
        size = len(readers)
        groups = (tokens[first : first + size] for first in range(0, len(tokens), size))
        return tuple(read_group(kind, group) for group in groups)

    return convert


def parse_mode(text: str) -> int:
    """
    Read file permissions, such as ``600``.

    Raises:
        UnitError: If *text* is not an octal number up to 777.
    """
    # int() alone would take signs, blanks and underscores.
    if text.isdecimal() and len(text) <= 4 and all(digit in "01234567" for digit in text):
        return int(text, 8)
    raise UnitError(text, "permission", "an octal number such as 600 or 644")


def parse_path(text: str) -> str:
    """
    Read a file name; ``-`` is stdout.

    Raises:
        UnitError: If it looks like an option that lost its own value.
    """
    # "-o --seed 3" is a forgotten name far more often than a file of that name.
    if text == "" or (text.startswith("-") and text != "-"):
        raise UnitError(text, "file name", "a path, or '-' for stdout; write ./ before a dash")
    return text


TimeUs = Annotated[int, Parameter(converter=one(units.parse_time_us), metavar="TIME")]
"""Microseconds, from a text such as ``5ms``."""

Seconds = Annotated[int, Parameter(converter=one(parse_seconds), metavar="SEC")]
"""Microseconds, from a number of seconds or a text such as ``1 m``."""

TimeMs = Annotated[int, Parameter(converter=one(units.parse_time_ms), metavar="TIME")]
"""Milliseconds, from a text such as ``1 s``."""

Bytes = Annotated[int, Parameter(converter=one(units.parse_size), metavar="SIZE")]
"""Bytes, from a text such as ``4K``."""

Count = Annotated[int, Parameter(converter=one(parse_count), metavar="N")]
"""A count, from a text such as ``1,000``."""

Percent = Annotated[float, Parameter(converter=one(units.parse_percent), metavar="PERCENT")]
"""Percent, from a text such as ``5%``."""

# Shown as it is typed, not as Python prints a number.
Mode = Annotated[
    int,
    Parameter(converter=one(parse_mode), metavar="MODE", show_default=lambda mode: f"{mode:o}"),
]
"""Permissions of a file."""

Form = Annotated[RecordForm, choice_of(RecordForm)]
"""A form of record files."""

# Leading hyphens are let through for the dash alone; parse_path stops the rest.
OutPath = Annotated[
    str, Parameter(converter=one(parse_path), metavar="FILE", allow_leading_hyphen=True)
]
"""A file to be written, or ``-``."""

# One word, though a tuple: damo's option is one word, too.
Ranges = Annotated[
    tuple[AddressRange, ...],
    Parameter(
        converter=one(parse_ranges), n_tokens=1, accepts_keys=False, metavar='"START-END ..."'
    ),
]
"""Address ranges in one string."""

TimeTriple = Annotated[
    tuple[int, int, int],
    Parameter(converter=each(*[units.parse_time_us] * 3), n_tokens=3, metavar="SAMPLE AGGR UPDATE"),
]
"""Three times, in microseconds."""

CountPair = Annotated[
    tuple[int, int],
    Parameter(converter=each(parse_count, parse_count), n_tokens=2, metavar="MIN MAX"),
]
"""A smallest and a largest count."""

GoalQuadruple = Annotated[
    tuple[int, int, int, int],
    Parameter(
        converter=each(units.parse_bp, parse_count, units.parse_time_us, units.parse_time_us),
        n_tokens=4,
        metavar="ACCESS_BP AGGRS MIN_SAMPLE MAX_SAMPLE",
    ),
]
"""Basis points, a count, and two times in microseconds."""

SizePair = Annotated[
    tuple[int, int],
    Parameter(converter=each(units.parse_size, units.parse_size), n_tokens=2, metavar="MIN MAX"),
]
"""A smallest and a largest size, in bytes."""

PercentPair = Annotated[
    tuple[float, float],
    Parameter(
        converter=each(units.parse_percent, units.parse_percent), n_tokens=2, metavar="MIN MAX"
    ),
]
"""A smallest and a largest share, in percent."""

TimePair = Annotated[
    tuple[int, int],
    Parameter(
        converter=each(units.parse_time_us, units.parse_time_us), n_tokens=2, metavar="MIN MAX"
    ),
]
"""A shortest and a longest time, in microseconds."""

# Nanoseconds, unlike all other times: records have them, and so has damo here.
InstantPair = Annotated[
    tuple[int, int],
    Parameter(
        converter=each(units.parse_time_ns, units.parse_time_ns), n_tokens=2, metavar="START END"
    ),
]
"""When something begins and ends, in nanoseconds."""

NumberPair = Annotated[
    tuple[float, float],
    Parameter(converter=each(parse_signed, parse_signed), n_tokens=2, metavar="MIN MAX"),
]
"""A smallest and a largest number, maybe negative."""

# Two words each time the option is given; all of them arrive in one list.
AddressPairs = Annotated[
    tuple[tuple[int, int], ...],
    Parameter(
        converter=chunks_of(units.parse_size, units.parse_size),
        n_tokens=2,
        metavar="START END",
        show_default=False,
    ),
]
"""Any number of address ranges, given one by one."""

# Through our own reader: "unable to convert into int" is no sentence for users.
WholeNumbers = Annotated[
    tuple[int, ...],
    Parameter(
        converter=each_of(parse_whole), consume_multiple=True, metavar="N...", show_default=False
    ),
]
"""Any number of whole numbers."""

NumberTriple = Annotated[
    tuple[float, float, float],
    Parameter(
        converter=each(parse_signed, parse_signed, parse_signed),
        n_tokens=3,
        show_default=lambda three: "{} {} {}".format(*three),
    ),
]
"""Three numbers."""

PercentileRange = Annotated[
    tuple[int, int, int],
    Parameter(
        converter=each(parse_whole, parse_whole, parse_whole),
        n_tokens=3,
        alias="-r",
        metavar="START STOP STEP",
        show_default=lambda three: "{} {} {}".format(*three),
    ),
]
"""First percentile, where to stop, and the step."""
