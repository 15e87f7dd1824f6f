"""
Schemes as files have them, made into parameters.

The kernel takes nearly everything unchecked here, whether or not it makes sense;
our models do not. So they are made without their checks.
"""

from __future__ import annotations

import errno
from typing import Any, Final

from ..params.filters import Filter
from ..params.keywords import Action, FilterType, GoalMetric, GoalTuner, WatermarkMetric
from ..params.patterns import (
    AccessBounds,
    AccessPattern,
    AccessUnit,
    AgeBounds,
    AgeUnit,
    SizeBounds,
)
from ..params.quotas import Goal, Quotas, Watermarks, Weights
from ..params.ranges import ADDRESS_MAX, AddressRange
from ..params.schemes import Dest, Scheme
from .node import Branch
from .values import refusal
from .world import World

LOW_32: Final = 2**32 - 1
"""The bits of frequencies and ages that reach a scheme."""

FILTER_DIRECTORIES: Final = ("core_filters", "ops_filters", "filters")
"""In the order in which filters are asked."""


def scheme_of(branch: Branch, world: World) -> Scheme:
    """
    Return the scheme that the files in *branch* describe.

    Raises:
        OSError: ENOMEM if a filter or goal makes no sense, or names a memory
            cgroup that there is not; this is how the kernel reports it.

    Source:
        spec interfaces 2.4, step 4f.
    """
    action = Action(str(branch.value("action")))
    nid = branch.number("target_nid", -1)
    filters = [
        filter_of(child, world)
        for name in FILTER_DIRECTORIES
        if branch.has(name)
        for child in branch.below(name).children()
    ]
    return Scheme.model_construct(
        action=action,
        access_pattern=_pattern_of(branch.below("access_pattern")),
        apply_interval_us=branch.number("apply_interval_us"),
        quotas=_quotas_of(branch.below("quotas"), world),
        watermarks=_watermarks_of(branch.below("watermarks")),
        filters=tuple(filters),
        target_nid=nid if nid >= 0 else None,
        dests=_dests_of(branch) if action.is_migration else (),
        max_nr_snapshots=branch.below("stats").number("max_nr_snapshots"),
        name="",
    )


def goals_of(quotas: Branch, world: World, refused_as: int = errno.ENOMEM) -> tuple[Goal, ...]:
    """
    Return the goals in the directory *quotas*; those without a target are passed over.

    Args:
        quotas: A directory ``quotas``.

        world: Knows memory cgroups.

        refused_as: The errno for a memory cgroup that there is not.

    Raises:
        OSError: If there is no such memory cgroup.
    """
    if not quotas.has("goals"):
        return ()
    goals = (_goal_of(child, world, refused_as) for child in quotas.below("goals").children())
    return tuple(goal for goal in goals if goal is not None)


def filter_of(branch: Branch, world: World) -> Filter:
    """
    Return the filter that the files in *branch* describe.

    Raises:
        OSError: ENOMEM if a range ends before it starts, or if there is no such
            memory cgroup.
    """
    kind = FilterType(str(branch.value("type")))
    fields: dict[str, Any] = {}
    if kind is FilterType.MEMCG:
        fields["memcg_path"] = memcg_of(branch, "memcg_path", world, errno.ENOMEM)
    elif kind is FilterType.ADDR:
        start, end = _ordered(branch, "addr_start", "addr_end")
        # Made without its check: an empty range is nobody's, and harms nobody.
        fields["address_range"] = AddressRange.model_construct(
            start=min(start, ADDRESS_MAX), end=min(end, ADDRESS_MAX)
        )
    elif kind is FilterType.TARGET:
        fields["damon_target_idx"] = branch.number("damon_target_idx")
    elif kind is FilterType.HUGEPAGE_SIZE:
        low, high = _ordered(branch, "min", "max")
        fields["hugepage_size"] = SizeBounds.model_construct(min=low, max=high)
    matching, allow = bool(branch.number("matching")), bool(branch.number("allow"))
    return Filter.model_construct(filter_type=kind, matching=matching, allow=allow, **fields)


def memcg_of(branch: Branch, name: str, world: World, refused_as: int) -> str:
    """
    Return the path of a memory cgroup in the file *name*.

    Raises:
        OSError: With errno *refused_as*, if there is no such memory cgroup.
    """
    value = branch.value(name)
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
    path = text.removesuffix("\n")
    if not world.has_memcg(path):
        raise refusal(refused_as, f"{branch.path}/{name}: there is no memory cgroup {path!r}")
    return path


def _ordered(branch: Branch, low: str, high: str) -> tuple[int, int]:
    first, last = branch.number(low), branch.number(high)
    if first > last:
        raise refusal(errno.ENOMEM, f"{branch.path}: {low} {first} is above {high} {last}")
    return first, last


def _goal_of(branch: Branch, world: World, refused_as: int) -> Goal | None:
    target = branch.number("target_value")
    # Releases before 6.9 know one metric only, and have no file for it.
    has_metric = branch.has("target_metric")
    metric = GoalMetric(str(branch.value("target_metric")) if has_metric else "user_input")
    if not target:
        return None
    path = memcg_of(branch, "path", world, refused_as) if metric.needs_memcg else None
    return Goal.model_construct(
        metric=metric,
        target_value=target,
        current_value=branch.number("current_value"),
        nid=branch.number("nid") if metric.needs_nid else None,
        memcg_path=path,
    )


def _pattern_of(branch: Branch) -> AccessPattern:
    sz, frequency, age = (branch.below(name) for name in ("sz", "nr_accesses", "age"))
    return AccessPattern.model_construct(
        sz_bytes=SizeBounds.model_construct(min=sz.number("min"), max=sz.number("max")),
        nr_accesses=AccessBounds.model_construct(
            min=frequency.number("min") & LOW_32,
            max=frequency.number("max") & LOW_32,
            unit=AccessUnit.SAMPLES,
        ),
        age=AgeBounds.model_construct(
            min=age.number("min") & LOW_32,
            max=age.number("max") & LOW_32,
            unit=AgeUnit.AGGR_INTERVALS,
        ),
    )


def _quotas_of(branch: Branch, world: World) -> Quotas:
    weights = branch.below("weights")
    tuner = str(branch.value("goal_tuner")) if branch.has("goal_tuner") else "consist"
    return Quotas.model_construct(
        time_ms=branch.number("ms"),
        sz_bytes=branch.number("bytes"),
        reset_interval_ms=branch.number("reset_interval_ms"),
        weights=Weights.model_construct(
            sz_permil=weights.number("sz_permil"),
            nr_accesses_permil=weights.number("nr_accesses_permil"),
            age_permil=weights.number("age_permil"),
        ),
        goals=goals_of(branch, world),
        goal_tuner=GoalTuner(tuner),
        fail_charge_num=branch.number("fail_charge_num"),
        fail_charge_denom=branch.number("fail_charge_denom"),
    )


def _watermarks_of(branch: Branch) -> Watermarks:
    return Watermarks.model_construct(
        metric=WatermarkMetric(str(branch.value("metric"))),
        interval_us=branch.number("interval_us"),
        high_permil=branch.number("high"),
        mid_permil=branch.number("mid"),
        low_permil=branch.number("low"),
    )


def _dests_of(branch: Branch) -> tuple[Dest, ...]:
    if not branch.has("dests"):
        return ()
    dests = [
        Dest.model_construct(id=child.number("id"), weight=child.number("weight"))
        for child in branch.below("dests").children()
    ]
    # Without any weight nothing says how to share; the one node decides.
    return tuple(dests) if any(dest.weight for dest in dests) else ()
