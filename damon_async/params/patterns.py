"""
Which regions a scheme is about: bounds of size, access frequency and age.

Frequencies and ages have two units each: one that stays meaningful when the
intervals change (percent, time), and the one that the monitor counts in
(samples, aggregation intervals).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic import model_validator

from .. import units
from ..errors import InvalidError, Problem
from ..units import U64_MAX, Quantity
from .base import Bytes, Parameters, parse_count, refuse
from .intervals import Intervals

COUNT_MAX: Final = 2**63 - 1
"""Where resolved bounds saturate: they are compared with int64 columns."""

Pair: TypeAlias = Sequence[Quantity] | Mapping[str, Any]
"""Two bounds: the lower and the upper one, or an object with the keys min and max."""

Reader: TypeAlias = Callable[[Quantity], int | float]
"""What turns the text of a bound into its number."""


class AccessUnit(StrEnum):
    """What an access frequency is given in."""

    PERCENT = "percent"
    """Of the checks of an aggregation interval; text ``5 %``."""

    SAMPLES = "samples"
    """Checks of an aggregation interval; text ``5 samples``."""


class AgeUnit(StrEnum):
    """What an age is given in."""

    US = "us"
    """Microseconds; texts like ``5 s``."""

    AGGR_INTERVALS = "aggr_intervals"
    """Aggregation intervals; text ``3 aggr_intervals``."""


# The readers stand above the models, because defaults are made at once.


def _saturated(bound: float) -> int:
    return min(int(bound), COUNT_MAX)


def _parse_bound_count(value: Quantity) -> int:
    # Counts know max, but no min.
    return 0 if value == "min" else parse_count(value)


def _as_fields(value: object) -> object:
    """Read a pair as an object with the keys min and max."""
    # Whatever else it is, the model tells that it is no object.
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        return {"min": value[0], "max": value[1]}
    return value


def _read_bounds(value: object, readers: Mapping[str, Reader]) -> object:
    """
    Read the texts of two bounds, and find out their common unit.

    Args:
        value: Fields of a model with the keys min, max and unit.

        readers: How to read a number of each unit. The first unit is what is
            meant where none is named; the name of the second may end a text.

    Raises:
        ParametersError: If a bound cannot be read or has another unit.
    """
    if not isinstance(value, Mapping):
        return value
    # A copy: documents belong to whoever gave them.
    fields = dict(value)
    plain, counted = readers
    texts = {key: fields[key] for key in ("min", "max") if key in fields}
    names_counted = any(_names_unit(text, counted) for text in texts.values())
    # If one text names the unit and nothing else does, the other must name it, too.
    is_needed = names_counted and "unit" not in fields
    unit = fields.setdefault("unit", counted if names_counted else plain)
    # Both bounds are read before either is refused.
    problems = []
    # An unknown unit is the model's to refuse.
    for key, text in texts.items() if unit in readers else ():
        try:
            number = _without_unit(text, counted, is_needed) if unit == counted else text
            fields[key] = readers[unit](number)
        except InvalidError as error:
            problems.append(Problem(key, str(error)))
    refuse(problems)
    return fields


def _without_unit(text: Any, unit: str, is_needed: bool) -> Any:
    if _names_unit(text, unit):
        return text.strip().removesuffix(unit).strip()
    # These two words mean the same in every unit.
    if is_needed and text not in ("min", "max"):
        raise InvalidError(f"{text!r} is not in {unit}; both bounds need the same unit")
    return text


def _names_unit(text: object, counted: str) -> bool:
    return isinstance(text, str) and text.strip().endswith(counted)


def _order_problems(low: float, high: float, unit: str) -> Iterator[Problem]:
    # Told at the lower one: whoever reads it sees both in the sentence.
    if low > high:
        yield Problem("min", f"{low} {unit} is above max, {high} {unit}")


# No model: it is made of what has been checked, and has no text forms to read.
@dataclass(frozen=True, slots=True)
class ResolvedPattern:
    """
    A pattern in the units that the monitor counts in; all bounds inclusive.

    Attributes:
        min_sz: Bytes, 0 to 2^63 - 1, like all of them.

        max_sz: Bytes.

        min_nr_accesses: Accesses per aggregation interval.

        max_nr_accesses: Accesses per aggregation interval.

        min_age: Aggregation intervals.

        max_age: Aggregation intervals.
    """

    min_sz: int
    max_sz: int
    min_nr_accesses: int
    max_nr_accesses: int
    min_age: int
    max_age: int


class SizeBounds(Parameters, frozen=True):
    """Sizes, both ends inclusive; the short form is a pair."""

    min: Bytes = 0
    """Smallest size, in bytes."""

    max: Bytes = U64_MAX
    """Largest size, in bytes; at least *min*."""

    if TYPE_CHECKING:

        def __init__(self, min: Quantity = ..., max: Quantity = ...) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _read_pair(cls, value: object) -> object:
        return _as_fields(value)

    def _problems(self) -> Iterator[Problem]:
        return _order_problems(self.min, self.max, "bytes")


class AccessBounds(Parameters, frozen=True):
    """
    Access frequencies, both ends inclusive; the short form is a pair.

    Plain numbers are percent unless *unit* says otherwise, as in ``damo``.
    """

    min: int | float = 0
    """Lowest frequency, in *unit*; texts say the unit themselves."""

    # Not 100 %: damo writes `max`, and a document without bounds must stay one.
    max: int | float = U64_MAX
    """Highest frequency, in *unit*; at least *min*."""

    unit: AccessUnit = AccessUnit.PERCENT
    """Of both bounds: they cannot differ."""

    if TYPE_CHECKING:

        def __init__(
            self, min: Quantity = ..., max: Quantity = ..., unit: AccessUnit | str = ...
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _read_texts(cls, value: object) -> object:
        readers: dict[str, Reader] = {
            AccessUnit.PERCENT: units.parse_percent,
            AccessUnit.SAMPLES: _parse_bound_count,
        }
        return _read_bounds(_as_fields(value), readers)

    def _problems(self) -> Iterator[Problem]:
        return _order_problems(self.min, self.max, self.unit)

    def resolved(self, intervals: Intervals) -> tuple[int, int]:
        """Return both bounds in accesses per aggregation interval."""
        # Samples are what the monitor counts in already.
        if self.unit is AccessUnit.SAMPLES:
            return _saturated(self.min), _saturated(self.max)
        # To the letter of damo, floating point included: a scheme must match
        # the same regions wherever it is staged.
        ratio = intervals.aggr_us / max(1, intervals.sample_us)
        low, high = (int(percent * ratio / 100) for percent in (self.min, self.max))
        return _saturated(low), _saturated(high)


class AgeBounds(Parameters, frozen=True):
    """
    Ages, both ends inclusive; the short form is a pair.

    Plain numbers are microseconds unless *unit* says otherwise, as in ``damo``.
    """

    min: int = 0
    """Lowest age, in *unit*; texts say the unit themselves."""

    max: int = U64_MAX
    """Highest age, in *unit*; at least *min*."""

    unit: AgeUnit = AgeUnit.US
    """Of both bounds: they cannot differ."""

    if TYPE_CHECKING:

        def __init__(
            self, min: Quantity = ..., max: Quantity = ..., unit: AgeUnit | str = ...
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _read_texts(cls, value: object) -> object:
        readers: dict[str, Reader] = {
            AgeUnit.US: units.parse_time_us,
            AgeUnit.AGGR_INTERVALS: _parse_bound_count,
        }
        return _read_bounds(_as_fields(value), readers)

    def _problems(self) -> Iterator[Problem]:
        return _order_problems(self.min, self.max, self.unit)

    def resolved(self, intervals: Intervals) -> tuple[int, int]:
        """Return both bounds in aggregation intervals."""
        # An interval of 0 counts as one microsecond (P25).
        # Cut off as damo does when it stages (spec damo 2): 150 ms are one
        # interval of 100 ms.
        per_interval = max(1, intervals.aggr_us) if self.unit is AgeUnit.US else 1
        return _saturated(self.min // per_interval), _saturated(self.max // per_interval)


class AccessPattern(Parameters, frozen=True):
    """
    Which regions a scheme is about; without bounds all of them.

    Source:
        spec core 2.4 and damo 2.
    """

    sz_bytes: SizeBounds = SizeBounds()
    """Size of the region, in bytes."""

    nr_accesses: AccessBounds = AccessBounds()
    """How often it is accessed."""

    age: AgeBounds = AgeBounds()
    """For how long it has been accessed that often."""

    if TYPE_CHECKING:

        def __init__(
            self,
            sz_bytes: SizeBounds | Pair = ...,
            nr_accesses: AccessBounds | Pair = ...,
            age: AgeBounds | Pair = ...,
        ) -> None: ...

    def resolved(self, intervals: Intervals) -> ResolvedPattern:
        """
        Return the pattern in the units of a monitor with the given intervals.

        Source:
            spec damo 2 ("Conversion when staging") and 8.1. What exceeds 63
            bits saturates; the kernel keeps 32 bits, and a scheme for
            everything would match nothing but unaccessed regions.
        """
        sizes = _saturated(self.sz_bytes.min), _saturated(self.sz_bytes.max)
        return ResolvedPattern(
            *sizes, *self.nr_accesses.resolved(intervals), *self.age.resolved(intervals)
        )
