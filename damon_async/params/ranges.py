"""Ranges of addresses, and the largest address there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Self

from pydantic import model_validator

from ..errors import InvalidError, Problem
from ..units import Quantity
from .base import Bytes, Parameters

ADDRESS_MAX: Final = 2**63 - 1
"""Largest address: tables hold int64, and mixing in uint64 would become float."""


class AddressRange(Parameters, frozen=True):
    """
    A half-open range of addresses; the text form is ``start-end``.

    Source:
        spec core 5.6. Differs: an empty range is refused, because nobody can
        mean it; addresses end at 2^63 - 1, because tables hold int64.
    """

    start: Bytes
    """First byte."""

    end: Bytes
    """One past the last byte; more than *start*, at most 2^63 - 1."""

    if TYPE_CHECKING:

        def __init__(self: Self, start: Quantity, end: Quantity) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _read_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # At the first dash: no end can be negative, so a second dash is a
        # mistake, which the reader of sizes will name.
        start, dash, end = value.partition("-")
        if not dash:
            raise InvalidError(f"{value!r} is not a range; expected start-end, e.g. 4G-8G")
        return {"start": start, "end": end}

    def _problems(self) -> Iterator[Problem]:
        if self.start >= self.end:
            yield Problem("", f"start {self.start} must be below end {self.end}")
        # "max" is 2^64 - 1, so this is a refusal that users will meet.
        elif self.end > ADDRESS_MAX:
            yield Problem("", f"end {self.end} is above the largest address, {ADDRESS_MAX}")

    @property
    def size(self) -> int:
        """Length of the range, in bytes."""
        return self.end - self.start

    def rounded(self, unit: int) -> tuple[int, int]:
        """Return start rounded down and end rounded up to multiples of *unit* bytes."""
        # Outwards (spec core 5.6), so that nothing that was asked for is left
        # out.
        return self.start // unit * unit, -(-self.end // unit) * unit
