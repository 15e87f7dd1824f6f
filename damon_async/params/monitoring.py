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

from pydantic import BeforeValidator, Field

from ..errors import InvalidError, Problem
from ..units import Quantity
from .base import Bytes, Count, Flag, Parameters, TimeMs
from .intervals import AGGR_US_MAX, Intervals, IntervalsGoal
from .keywords import GoalMetric, read_word
from .ranges import ADDRESS_MAX, AddressRange
from .schemes import Scheme

# Intervals and ranges have files of their own, because schemes need them too;
# whoever wants a context finds all it is made of here.
__all__ = [
    "ADDRESS_MAX",
    "AGGR_US_MAX",
    "OPERATIONS_MEMBERS",
    "AddressRange",
    "Context",
    "Intervals",
    "IntervalsGoal",
    "Kdamond",
    "NrRegions",
    "Ops",
    "Target",
]

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
    if isinstance(value, str):
        return read_word(Ops, "an operations set")(value)
    # By members and not by class: a user's set need not inherit from ours.
    missing = [name for name in OPERATIONS_MEMBERS if not hasattr(value, name)]
    if missing:
        raise InvalidError(f"{value!r} is not an operations set; it lacks {', '.join(missing)}")
    return value


def _as_ranges(value: object) -> object:
    # damo's --regions: "start-end start-end".
    return value.split() if isinstance(value, str) else value


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

    schemes: tuple[Scheme, ...] = ()
    """What is done about it, in order of application."""

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
            schemes: Iterable[Scheme | Mapping[str, Any]] = ...,
        ) -> None: ...

    def _problems(self) -> Iterator[Problem]:
        # spec core 2.5. There is one physical memory; a second target would
        # only look at it twice.
        if self.ops is Ops.PADDR and len(self.targets) > 1:
            yield Problem("targets", f"paddr has one target, not {len(self.targets)}")
        if self.addr_unit < 1:
            yield Problem("addr_unit", "0 is too small; at least 1")
        if self.addr_unit > 1 and self.ops is not Ops.PADDR:
            yield Problem("addr_unit", f"{self.addr_unit} needs paddr; other sets take 1")
        yield from self._scheme_problems()
        # spec core 2.7: commits refuse it, so a start has to as well, or what
        # runs could not be committed to.
        if self.min_region_sz.bit_count() != 1:
            yield Problem("min_region_sz", f"{self.min_region_sz} is not a power of two")
            # Nothing can be rounded to it, so ranges cannot be judged.
            return
        for index, target in enumerate(self.targets):
            yield from _range_problems(f"targets[{index}]", target.regions, self.min_region_sz)

    def _scheme_problems(self) -> Iterator[Problem]:
        # Only of physical memory it is known on which node it lies. Operations
        # sets of users may know, too.
        if self.ops is Ops.PADDR or not isinstance(self.ops, Ops):
            return
        for index, scheme in enumerate(self.schemes):
            for number, goal in enumerate(scheme.quotas.goals):
                if goal.metric is GoalMetric.NODE_ELIGIBLE_MEM_BP:
                    path = f"schemes[{index}].quotas.goals[{number}].metric"
                    yield Problem(path, f"{goal.metric} needs paddr, not {self.ops}")


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

    def _problems(self) -> Iterator[Problem]:
        if len(self.contexts) != 1:
            yield Problem("contexts", f"a kdamond runs one context, not {len(self.contexts)}")


def _range_problems(
    where: str, ranges: Sequence[AddressRange], min_region_sz: int
) -> Iterator[Problem]:
    last_end = 0
    for index, each in enumerate(ranges):
        # spec core 5.6 compares after rounding: ranges that are apart as they
        # are written may share their last and first unit.
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
        # A range inside the one above must not hide that the next one overlaps,
        # too.
        last_end = max(last_end, end)
