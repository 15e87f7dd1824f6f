"""Ranges of times and addresses that count from somewhere, in damo's text form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from cyclopts import Parameter

from .. import units
from ..errors import InvalidError, UnitError
from ..reports.heatmap import Base, BasedRange

RangeWords = Annotated[
    tuple[str, ...],
    Parameter(consume_multiple=(2, 3), metavar="START END [BASE]", show_default=False),
]
"""Beginning, end, and what both count from; empty if not given."""


def address_range_of(words: Sequence[str]) -> BasedRange | None:
    """
    Read ``--address_range``.

    Raises:
        InvalidError: If it is no range.
    """
    return _based("address_range", words, units.parse_size)


def time_range_of(words: Sequence[str]) -> BasedRange | None:
    """
    Read ``--time_range``; bare numbers are nanoseconds.

    Raises:
        InvalidError: If it is no range.
    """
    return _based("time_range", words, units.parse_time_ns)


def _based(name: str, words: Sequence[str], parse: Callable[[str], int]) -> BasedRange | None:
    if not words:
        return None
    # The third word may be missing, which the parser has seen to.
    base = words[2] if len(words) > 2 else Base.ABSOLUTE
    if base not in Base.__members__.values():
        raise InvalidError(f"--{name}: {base!r} is no base; use {', '.join(Base)}")
    try:
        start, end = (_signed(word, parse) for word in words[:2])
    except UnitError as error:
        # Read late, so that the parser's own prefix is missing.
        raise InvalidError(f"--{name}: {error}") from error
    if start >= end:
        raise InvalidError(f"--{name} {words[0]} {words[1]} is empty: the smaller comes first")
    return BasedRange(start, end, Base(base))


def _signed(text: str, parse: Callable[[str], int]) -> int:
    # Before a guided end lies all there is to see.
    return -parse(text[1:]) if text.startswith("-") else parse(text)
