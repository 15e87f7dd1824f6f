"""What to monitor of a workload, when the user has not said it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .. import units
from ..errors import InvalidError
from ..operations.vaddr import three_ranges
from ..params.monitoring import Context, Ops, Target
from ..params.ranges import AddressRange
from ..spaces.space import Mapping, Space
from .options import ParameterOptions

PAGE_BYTES = 4096
"""The kernel's smallest region, in bytes."""


@dataclass(frozen=True)
class Workload:
    """Memory to be monitored, and what the user calls it."""

    spec: str
    """As given on the command line."""

    space: Space
    """The memory."""


def context_of(options: ParameterOptions, workloads: Sequence[Workload]) -> Context:
    """
    Return the context that options ask for, with one target per workload.

    Operations set, where it is not given: fvaddr with given ranges; else vaddr
    if every workload maps the three ranges of a process, else fvaddr over what
    is mapped.

    Raises:
        InvalidError: If a workload maps nothing, or not what vaddr needs.

        ParametersError: If the options do not go together.
    """
    ops = _ops(options, workloads)
    unit = 1 if options.damon_addr_unit is None else options.damon_addr_unit
    nr_regions = options.nr_regions()
    targets = []
    for workload in workloads:
        ranges = options.regions
        if ranges is None and ops is Ops.VADDR:
            # Left open: vaddr finds them itself, and again at each update.
            _check_process(workload)
            ranges = ()
        elif ranges is None:
            ranges = covering(workload, nr_regions.min, max(1, unit))
        targets.append(Target(regions=ranges, space=workload.space))
    return Context(ops, targets, options.intervals(), nr_regions, unit, _min_region_sz(ops, unit))


def with_spaces(context: Context, workloads: Sequence[Workload]) -> Context:
    """
    Give the targets of a parameter document their memory.

    Ranges that a document leaves open are chosen as on the command line.

    Args:
        context: As the document has it.

        workloads: One per target, in order.

    Raises:
        InvalidError: If a workload maps nothing, or not what vaddr needs.
    """
    pairs = zip(context.targets, workloads, strict=True)
    targets = tuple(_with_space(context, target, workload) for target, workload in pairs)
    changes: dict[str, object] = {"targets": targets}
    # Documents of damo have no word for it, only ours have.
    if context.min_region_sz == PAGE_BYTES:
        changes["min_region_sz"] = _min_region_sz(context.ops, context.addr_unit)
    # Made anew, because a copy would not be checked.
    return Context(**(_fields(context) | changes))


def _min_region_sz(ops: object, unit: int) -> int:
    """Return the smallest region in units. Source: spec interfaces, address unit of paddr."""
    return max(1, PAGE_BYTES // max(1, unit)) if ops is Ops.PADDR else PAGE_BYTES


def _fields(context: Context) -> dict[str, Any]:
    return {name: getattr(context, name) for name in Context.model_fields}


def _with_space(context: Context, target: Target, workload: Workload) -> Target:
    regions = target.regions
    if not regions and context.ops is Ops.VADDR:
        _check_process(workload)
    elif not regions:
        regions = covering(workload, context.nr_regions.min, context.addr_unit)
    return target.model_copy(update={"space": workload.space, "regions": regions})


def describe(context: Context) -> str:
    """Say in a few words what will be monitored: ``fvaddr, 2 ranges, 1024.000 KiB``."""
    regions = [each for target in context.targets for each in target.regions]
    if not regions:
        return f"{context.ops}, following the mappings"
    # Addresses count units, people count bytes.
    size = sum(each.size for each in regions) * context.addr_unit
    plural = "range" if len(regions) == 1 else "ranges"
    return f"{context.ops}, {len(regions)} {plural}, {units.format_size(size)}"


def covering(workload: Workload, max_nr_ranges: int, unit: int) -> tuple[AddressRange, ...]:
    """
    Return ranges that hold everything mapped, leaving the largest gaps out.

    Args:
        workload: Whose memory.

        max_nr_ranges: Regions never grow across a gap, so many small ranges
            would use up the regions.

        unit: Bytes per address of a range.

    Raises:
        InvalidError: If nothing is mapped.
    """
    # fvaddr and paddr never look again, so what is mapped later is not seen.
    mappings = workload.space.mappings(0)
    if not mappings:
        raise InvalidError(
            f"{workload.spec}: maps no memory at its beginning, so there is nothing to monitor"
        )
    # Rounded outwards, lest half a unit at either end be lost.
    spans = [
        AddressRange(low // unit, -(-high // unit)) for low, high in _spans(mappings, max_nr_ranges)
    ]
    return tuple(spans)


def _spans(mappings: Sequence[Mapping], max_nr_spans: int) -> list[tuple[int, int]]:
    pairs = list(pairwise(mappings))
    gaps = sorted((above.start - below.end for below, above in pairs), reverse=True)
    # The gaps that stay open are larger than the first one that does not fit.
    limit = gaps[max_nr_spans - 1] if len(gaps) >= max_nr_spans else 0
    spans = [(mappings[0].start, mappings[0].end)]
    for below, above in pairs:
        if above.start - below.end > limit:
            spans.append((above.start, above.end))
        else:
            spans[-1] = (spans[-1][0], above.end)
    return spans


def _ops(options: ParameterOptions, workloads: Sequence[Workload]) -> Ops:
    if options.ops is not None:
        return Ops(options.ops)
    # As damo: a process is vaddr, a process with ranges fvaddr. Source: spec damo 1.
    if options.regions is None and all(map(_is_process, workloads)):
        return Ops.VADDR
    return Ops.FVADDR


def _is_process(workload: Workload) -> bool:
    return three_ranges(workload.space.mappings(0), PAGE_BYTES) is not None


def _check_process(workload: Workload) -> None:
    if not _is_process(workload):
        nr_mappings = len(workload.space.mappings(0))
        raise InvalidError(
            f"{workload.spec}: vaddr needs the three ranges of a process, but there are "
            f"{nr_mappings} mappings without two gaps; use --ops fvaddr"
        )
