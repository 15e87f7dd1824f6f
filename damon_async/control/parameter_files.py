"""
From parameters to the values of files that say the same.

Source:
    spec interfaces 1 and damo 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ..errors import InvalidError
from ..params.filters import Filter
from ..params.intervals import U32_MAX, Intervals
from ..params.monitoring import Context, Kdamond, Ops, Target
from ..params.patterns import AccessBounds, AccessPattern, AccessUnit, AgeBounds, AgeUnit
from ..params.quotas import Goal, Quotas, Watermarks
from ..params.schemes import Scheme

PAGE: Final = 4096

_Tree = Mapping[str, object]
"""Files and directories by name, as they are nested."""


def values_of(kdamonds: Iterable[Kdamond]) -> dict[str, str]:
    """
    Return what the files hold where parameters are staged.

    Frequencies in percent and ages in time become counts, as ``damo`` stages them.

    Args:
        kdamonds: What to stage.

    Raises:
        InvalidError: If something in them has no file: functions of users, and
            regions of a smallest size that the kernel would not choose.
    """
    tree = {"kdamonds": _numbered("nr_kdamonds", map(_kdamond_files, kdamonds))}
    return dict(_flat(tree))


def _flat(tree: _Tree, base: str = "") -> Iterator[tuple[str, str]]:
    """Go through files of nested directories, with their paths."""
    for name, value in tree.items():
        path = f"{base}/{name}".lstrip("/")
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        # None is what a type of filter or goal has no use for: its file keeps its default.
        elif value is not None:
            yield path, _text(value)


def _text(value: object) -> str:
    """Return a value as it is written: what files take of the words of parameters."""
    # Before numbers, which truth values are as well.
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, (str, int)):
        return _encodable(str(value))
    name = getattr(value, "__qualname__", type(value).__name__)
    raise InvalidError(f"{name} has no file to stand in; only words of the kernel have")


def _encodable(text: str) -> str:
    # JSON can say halves of letters, which no file can hold.
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise InvalidError(f"{text!r} is no text: {error.reason}") from None
    return text


def _numbered(counter: str, children: Iterable[_Tree]) -> dict[str, object]:
    listed = list(children)
    return {counter: len(listed), **{str(index): each for index, each in enumerate(listed)}}


def _kdamond_files(kdamond: Kdamond) -> _Tree:
    contexts = _numbered("nr_contexts", map(_context_files, kdamond.contexts))
    return {"refresh_ms": kdamond.refresh_ms, "contexts": contexts}


def _context_files(context: Context) -> _Tree:
    usual = max(PAGE // context.addr_unit, 1)
    # Documents of damo do not say it, so that ours has its default there.
    if context.min_region_sz not in (usual, Context().min_region_sz):
        raise InvalidError(
            f"min_region_sz {context.min_region_sz} has no file; with an addr_unit of "
            f"{context.addr_unit} the kernel takes {usual}"
        )
    return {
        "operations": context.ops,
        "addr_unit": context.addr_unit,
        "pause": context.pause,
        "monitoring_attrs": {
            "intervals": _intervals_files(context.intervals),
            "nr_regions": {"min": context.nr_regions.min, "max": context.nr_regions.max},
        },
        "targets": _numbered(
            "nr_targets", (_target_files(each, context.ops) for each in context.targets)
        ),
        "schemes": _numbered(
            "nr_schemes", (_scheme_files(each, context.intervals) for each in context.schemes)
        ),
    }


def _intervals_files(intervals: Intervals) -> _Tree:
    goal = intervals.intervals_goal
    return {
        "sample_us": intervals.sample_us,
        "aggr_us": intervals.aggr_us,
        "update_us": intervals.update_us,
        "intervals_goal": {
            "access_bp": goal.access_bp,
            "aggrs": goal.aggrs,
            "min_sample_us": goal.min_sample_us,
            "max_sample_us": goal.max_sample_us,
        },
    }


def _target_files(target: Target, ops: object) -> _Tree:
    # Nobody looks at the file for physical memory, and 0 is what it holds at first.
    pid = 0 if ops is Ops.PADDR or target.pid is None else target.pid
    regions = ({"start": each.start, "end": each.end} for each in target.regions)
    return {
        # Whether there is such a process is asked where it starts.
        "pid_target": pid,
        "obsolete_target": target.obsolete,
        "regions": _numbered("nr_regions", regions),
    }


def _scheme_files(scheme: Scheme, intervals: Intervals) -> _Tree:
    # A scheme's name has no file; it means nothing to the kernel.
    dests = ({"id": each.id, "weight": each.weight} for each in scheme.dests)
    return {
        "action": scheme.action,
        # The file knows no "none".
        "target_nid": -1 if scheme.target_nid is None else scheme.target_nid,
        "apply_interval_us": scheme.apply_interval_us,
        "access_pattern": _pattern_files(scheme.access_pattern, intervals),
        "quotas": _quotas_files(scheme.quotas),
        "watermarks": _watermarks_files(scheme.watermarks),
        # In the directory that all releases with filters have; it keeps their order.
        "filters": _numbered("nr_filters", map(_filter_files, scheme.filters)),
        "dests": _numbered("nr_dests", dests),
        "stats": {"max_nr_snapshots": scheme.max_nr_snapshots},
    }


def _pattern_files(pattern: AccessPattern, intervals: Intervals) -> _Tree:
    sizes, rates, ages = pattern.sz_bytes, pattern.nr_accesses, pattern.age
    return {
        "sz": {"min": sizes.min, "max": sizes.max},
        "nr_accesses": _counts(rates, rates.resolved(intervals), rates.unit is AccessUnit.SAMPLES),
        "age": _counts(ages, ages.resolved(intervals), ages.unit is AgeUnit.AGGR_INTERVALS),
    }


def _counts(bounds: AccessBounds | AgeBounds, resolved: tuple[int, int], is_counted: bool) -> _Tree:
    # Counts are what the files have, in all 64 bits. Of all else "max" must stay the
    # largest: of a number with more bits a scheme sees the low ones only.
    # Source: spec damo 8.1. Differs: damo lets them be cut.
    low, high = resolved
    if is_counted:
        return {"min": int(bounds.min), "max": int(bounds.max)}
    return {"min": min(low, U32_MAX), "max": min(high, U32_MAX)}


def _quotas_files(quotas: Quotas) -> _Tree:
    weights = quotas.weights
    return {
        "ms": quotas.time_ms,
        "bytes": quotas.sz_bytes,
        "reset_interval_ms": quotas.reset_interval_ms,
        "goal_tuner": quotas.goal_tuner,
        "fail_charge_num": quotas.fail_charge_num,
        "fail_charge_denom": quotas.fail_charge_denom,
        "weights": {
            "sz_permil": weights.sz_permil,
            "nr_accesses_permil": weights.nr_accesses_permil,
            "age_permil": weights.age_permil,
        },
        "goals": _numbered("nr_goals", map(_goal_files, quotas.goals)),
    }


def _goal_files(goal: Goal) -> _Tree:
    return {
        "target_metric": goal.metric,
        "target_value": goal.target_value,
        "current_value": goal.current_value,
        "nid": goal.nid,
        "path": goal.memcg_path,
    }


def _watermarks_files(marks: Watermarks) -> _Tree:
    return {
        "metric": marks.metric,
        "interval_us": marks.interval_us,
        "high": marks.high_permil,
        "mid": marks.mid_permil,
        "low": marks.low_permil,
    }


def _filter_files(each: Filter) -> _Tree:
    bounds, sizes = each.address_range, each.hugepage_size
    return {
        "type": each.filter_type,
        "matching": each.matching,
        "allow": each.allow,
        "memcg_path": each.memcg_path,
        "addr_start": bounds and bounds.start,
        "addr_end": bounds and bounds.end,
        "min": sizes and sizes.min,
        "max": sizes and sizes.max,
        "damon_target_idx": each.damon_target_idx,
    }
