"""
What to monitor and how: targets, intervals, bounds, contexts and kdamonds.

Every field takes a number in its own unit or a text form of ``damo``
(``"5 ms"``, ``"4K"``, ``"4 %"``). Models are frozen; a change is a new model
that is committed to the running kdamond.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from ..errors import InvalidError, Problem
from ..units import Quantity
from .base import Bp, Bytes, Count, Flag, Parameters, TimeMs, TimeUs, refuse

ADDRESS_MAX: Final = 2**63 - 1
"""Largest address: tables hold int64, and mixing in uint64 would become float."""

AGGR_US_MAX: Final = 2**53
"""Longest aggregation interval (285 years): instants must stay exact in int64."""

U32_MAX: Final = 2**32 - 1
"""Access counts have 32 bits in the kernel."""

OPERATIONS_MEMBERS: Final = ("ends_with_targets", "is_pure", "lifetime_us", "ranges", "accessed")
"""What makes an object an operations set; the protocol itself lives two floors up."""


class Ops(StrEnum):
    """The built-in operations sets."""

    VADDR = "vaddr"
    """Virtual memory of processes; regions follow the mappings."""

    FVADDR = "fvaddr"
    """Virtual memory of processes, in ranges that the user fixed."""

    PADDR = "paddr"
    """Physical memory of the machine, in ranges that the user gave."""


def _as_ops(value: object) -> object:
    # The ready text of an enum error would not list our names.
    if isinstance(value, str):
        if value not in Ops.__members__.values():
            raise InvalidError(f"{value!r} is not an operations set; use one of {', '.join(Ops)}")
        return Ops(value)
    # By members and not by class: a user's set need not inherit from ours.
    missing = [name for name in OPERATIONS_MEMBERS if not hasattr(value, name)]
    if missing:
        raise InvalidError(f"{value!r} is not an operations set; it lacks {', '.join(missing)}")
    return value


def _as_ranges(value: object) -> object:
    # damo's --regions: "start-end start-end".
    return value.split() if isinstance(value, str) else value


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
        start, dash, end = value.partition("-")
        if not dash:
            raise InvalidError(f"{value!r} is not a range; expected start-end, e.g. 4G-8G")
        return {"start": start, "end": end}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start >= self.end:
            raise InvalidError(f"start {self.start} must be below end {self.end}")
        # "max" is 2^64 - 1, so this is a refusal that users will meet.
        if self.end > ADDRESS_MAX:
            raise InvalidError(f"end {self.end} is above the largest address, {ADDRESS_MAX}")
        return self

    @property
    def size(self) -> int:
        """Length of the range, in bytes."""
        return self.end - self.start

    def rounded(self, unit: int) -> tuple[int, int]:
        """Return start rounded down and end rounded up to multiples of *unit* bytes."""
        return self.start // unit * unit, -(-self.end // unit) * unit


class IntervalsGoal(Parameters, frozen=True):
    """
    What the auto-tuning of intervals aims at.

    Source:
        spec core 2.1 and 8.
    """

    access_bp: Bp = 0
    """Wanted share of positive access checks, in basis points; 0 always looks more often."""

    aggrs: Count = 0
    """How many aggregations lie between two tunings; 0 turns tuning off."""

    min_sample_us: TimeUs = 0
    """Shortest sampling interval to tune to, in microseconds; 0 sets no bound."""

    max_sample_us: TimeUs = 0
    """Longest sampling interval to tune to, in microseconds; at least *min_sample_us*."""

    if TYPE_CHECKING:

        def __init__(
            self: Self,
            access_bp: Quantity = ...,
            aggrs: Quantity = ...,
            min_sample_us: Quantity = ...,
            max_sample_us: Quantity = ...,
        ) -> None: ...


class Intervals(Parameters, frozen=True):
    """
    How often a kdamond looks, counts and re-reads the layout.

    Source:
        spec core 2.1.
    """

    sample_us: TimeUs = 5_000
    """
    Sampling interval, in microseconds: each region is checked once per interval.
    At most *aggr_us*; 0 never sleeps and counts as 1 in divisions.
    """

    aggr_us: TimeUs = 100_000
    """
    Aggregation interval, in microseconds: accesses are counted over it, then
    published. At most 2^53.
    """

    update_us: TimeUs = Field(
        default=60_000_000,
        validation_alias=AliasChoices("update_us", "ops_update_us"),
    )
    """When mappings are read again, in microseconds; 0 does so at every check."""

    intervals_goal: IntervalsGoal = IntervalsGoal()
    """Auto-tuning of *sample_us* and *aggr_us* together; off by default."""

    if TYPE_CHECKING:

        def __init__(
            self: Self,
            sample_us: Quantity = ...,
            aggr_us: Quantity = ...,
            update_us: Quantity = ...,
            intervals_goal: IntervalsGoal | Mapping[str, Any] = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        # With tuning off, the other fields of the goal may be anything.
        goal = self.intervals_goal
        low, high = goal.min_sample_us, goal.max_sample_us
        if goal.aggrs and low > high:
            yield Problem(
                "intervals_goal.min_sample_us",
                f"{low} us is above max_sample_us, {high} us",
            )
        elif goal.aggrs and not low <= self.sample_us <= high:
            yield Problem(
                "sample_us",
                f"{self.sample_us} us is outside the goal's range of {low} to {high} us",
            )
        if self.sample_us > self.aggr_us:
            yield Problem(
                "sample_us",
                f"{self.sample_us} us is longer than aggr_us, {self.aggr_us} us",
            )
        if self.aggr_us > AGGR_US_MAX:
            yield Problem("aggr_us", f"{self.aggr_us} us is longer than {AGGR_US_MAX} us")

    @property
    def aggr_samples(self) -> int:
        """Sampling intervals per aggregation interval."""
        return self.aggr_us // max(1, self.sample_us)

    @property
    def max_nr_accesses(self) -> int:
        """Largest access count of a region: every check positive. At least 1."""
        return max(1, min(self.aggr_samples, U32_MAX))


class NrRegions(Parameters, frozen=True):
    """
    Bounds of the adaptive regions adjustment.

    Source:
        spec core 2.1.
    """

    min: Count = 10
    """Fewest regions of a context, at least 3: how fine it looks at least."""

    max: Count = 1_000
    """Most regions of a context, at least *min*: what it may cost at most."""

    if TYPE_CHECKING:

        def __init__(self: Self, min: Quantity = ..., max: Quantity = ...) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        # Three, because vaddr starts from three big ranges.
        if self.min < 3:
            yield Problem("min", f"{self.min} is too few; at least 3 regions are needed")
        if self.max < self.min:
            yield Problem("max", f"{self.max} is below min, {self.min}")


class Target(Parameters, frozen=True):
    """
    One monitored address space.

    Source:
        spec core 2.5.
    """

    pid: Count | None = None
    """The process (vaddr, fvaddr), looked up on the machine; None if *space* is given."""

    regions: Annotated[tuple[AddressRange, ...], BeforeValidator(_as_ranges)] = ()
    """Ranges to begin with, ascending; empty leaves them to the operations set."""

    obsolete: Flag = False
    """In a commit: delete the running target at the same place in the list."""

    space: object | None = Field(default=None, exclude=True)
    """The synthetic memory itself. Not part of documents."""

    if TYPE_CHECKING:

        def __init__(
            self: Self,
            pid: Quantity | None = ...,
            regions: str | Iterable[AddressRange | str | Mapping[str, Any]] = ...,
            obsolete: bool | str = ...,
            space: object | None = ...,
        ) -> None: ...


class Context(Parameters, frozen=True):
    """
    Everything one kdamond is asked to do.

    Source:
        spec core 2.1 to 2.7 and 5.6.
    """

    ops: Annotated[object, BeforeValidator(_as_ops)] = Ops.VADDR
    """
    The operations set: an ``Ops``, its name, or an object of your own with the
    members of ``operations.base.Operations``.
    """

    targets: tuple[Target, ...] = ()
    """What is monitored. At most one for paddr; with none, vaddr ends at once."""

    intervals: Intervals = Intervals()
    """How often to look."""

    nr_regions: NrRegions = NrRegions()
    """How finely to look."""

    addr_unit: Bytes = 1
    """Real address = region address times this; 1 unless paddr."""

    min_region_sz: Bytes = 4_096
    """Smallest region and unit of all bounds, in bytes; a power of two."""

    pause: Flag = False
    """Keep everything, but look at nothing until a commit clears it."""

    if TYPE_CHECKING:

        def __init__(
            self: Self,
            ops: object = ...,
            targets: Iterable[Target | Mapping[str, Any]] = ...,
            intervals: Intervals | Mapping[str, Any] = ...,
            nr_regions: NrRegions | Mapping[str, Any] = ...,
            addr_unit: Quantity = ...,
            min_region_sz: Quantity = ...,
            pause: bool | str = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        if self.ops is Ops.PADDR and len(self.targets) > 1:
            yield Problem("targets", f"paddr has one target, not {len(self.targets)}")
        if self.addr_unit < 1:
            yield Problem("addr_unit", "0 is too small; at least 1")
        if self.addr_unit > 1 and self.ops is not Ops.PADDR:
            yield Problem("addr_unit", f"{self.addr_unit} needs paddr; other sets take 1")
        if self.min_region_sz.bit_count() != 1:
            yield Problem("min_region_sz", f"{self.min_region_sz} is not a power of two")
            # Nothing can be rounded to it, so ranges cannot be judged.
            return
        for index, target in enumerate(self.targets):
            yield from _range_problems(f"targets[{index}]", target.regions, self.min_region_sz)


class Kdamond(Parameters, frozen=True):
    """
    One worker and the context it runs, as a parameter document has it.

    Source:
        spec core 2.9 and 3.6.
    """

    contexts: tuple[Context, ...]
    """Exactly one, as in the kernel; a list, because documents have lists."""

    refresh_ms: TimeMs = 0
    """How often published statistics renew themselves, in milliseconds; 0 never."""

    if TYPE_CHECKING:

        def __init__(
            self: Self,
            contexts: Iterable[Context | Mapping[str, Any]],
            refresh_ms: Quantity = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        if len(self.contexts) != 1:
            yield Problem("contexts", f"a kdamond runs one context, not {len(self.contexts)}")


def _range_problems(
    where: str, ranges: Sequence[AddressRange], min_region_sz: int
) -> Iterator[Problem]:
    last_end = 0
    for index, each in enumerate(ranges):
        start, end = each.rounded(min_region_sz)
        path = f"{where}.regions[{index}]"
        if end > ADDRESS_MAX:
            yield Problem(path, f"rounded up to {min_region_sz} bytes it ends above {ADDRESS_MAX}")
        elif start < last_end:
            yield Problem(
                path,
                f"begins at {start}, before the end of the range above, {last_end} "
                f"(both rounded to {min_region_sz} bytes)",
            )
        last_end = max(last_end, end)
