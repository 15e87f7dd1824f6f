"""
Kdamonds as an indented tree: parameters, and what schemes did.

Source:
    Output of damo 3.4.3: ``args damon --format report`` for parameters, and the
    keyword ``<damos stats>`` of ``report access`` for counters. Differs: the bytes
    that passed filters are not told a second time below the quota; shares keep what
    follows their point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from .. import units
from ..params.filters import Filter
from ..params.intervals import Intervals
from ..params.keywords import FilterType, word_or_name
from ..params.monitoring import Context, Target
from ..params.patterns import AccessUnit, AgeUnit
from ..params.quotas import Goal
from ..params.schemes import Scheme
from ..records.status import KdamondStatus, SchemeCounters
from .text import address

INDENT: Final = "    "

STAT_FIELDS: Final[Mapping[str, Callable[[int, bool], str]]] = MappingProxyType(
    {
        "nr_tried": lambda number, raw: units.format_number(number, raw=raw),
        "sz_tried": lambda size, raw: units.format_size(size, raw=raw),
        "nr_applied": lambda number, raw: units.format_number(number, raw=raw),
        "sz_applied": lambda size, raw: units.format_size(size, raw=raw),
        "sz_ops_filter_passed": lambda size, raw: units.format_size(size, raw=raw),
        "qt_exceeds": lambda number, raw: units.format_number(number, raw=raw),
        "nr_snapshots": lambda number, raw: units.format_number(number, raw=raw),
        "max_nr_snapshots": lambda number, raw: units.format_number(number, raw=raw),
    }
)
"""The counters of a scheme, and how each is printed."""


def status_text(
    statuses: Iterable[KdamondStatus], *, raw: bool = False, has_counters: bool = True
) -> Iterator[str]:
    """
    Yield the lines of the whole tree.

    Args:
        statuses: The kdamonds.

        raw: Print plain numbers.

        has_counters: Whether to tell what schemes did, too.
    """
    for index, status in enumerate(statuses):
        yield f"kdamond {index}"
        yield from _indented(_kdamond_lines(status, raw, has_counters))


def summary_texts(statuses: Iterable[KdamondStatus], *, raw: bool = False) -> Iterator[str]:
    """
    Yield one line for each kdamond: its state, its process, how often it renews counters.

    Args:
        statuses: The kdamonds.

        raw: Print plain numbers.

    Source:
        Output of damo 3.4.3: ``report damon --kdamonds_summary``, behind the index
        of the kdamond and a tab.
    """
    for status in statuses:
        pid = "" if status.pid is None else f", pid: {status.pid}"
        refresh_ms = status.kdamond.refresh_ms
        refresh = f", stats refresh per: {units.format_time_ms(refresh_ms, raw=raw)}"
        yield f"state: {status.state}{pid}{refresh if refresh_ms else ''}"


def stats_text(
    statuses: Iterable[KdamondStatus], names: Sequence[str] = (), *, raw: bool = False
) -> Iterator[str]:
    """
    Yield what schemes did, and nothing else.

    Args:
        statuses: The kdamonds.

        names: Which counters, of ``STAT_FIELDS``; none for the usual sentences.

        raw: Print plain numbers.
    """
    for index, status in enumerate(statuses):
        yield f"kdamond {index}"
        for number, context in enumerate(status.kdamond.contexts):
            yield f"{INDENT}context {number}"
            for place, scheme in enumerate(context.schemes):
                yield f"{INDENT * 2}scheme {place}"
                yield f"{INDENT * 3}action: {_action(scheme, raw)}"
                counters = status.counters_of(number, place)
                yield from _indented(_counter_lines(counters, names, raw), 3)


def _indented(lines: Iterable[str], depth: int = 1) -> Iterator[str]:
    return (f"{INDENT * depth}{line}" for line in lines)


def _kdamond_lines(status: KdamondStatus, raw: bool, has_counters: bool) -> Iterator[str]:
    yield from summary_texts([status], raw=raw)
    for number, context in enumerate(status.kdamond.contexts):
        yield f"context {number}"
        yield from _indented(_context_lines(context, raw))
        for place, scheme in enumerate(context.schemes):
            yield f"{INDENT}scheme {place}"
            yield from _indented(_scheme_lines(scheme, raw), 2)
            if has_counters:
                yield f"{INDENT * 2}statistics"
                counters = status.counters_of(number, place)
                yield from _indented(_counter_lines(counters, (), raw), 3)
        # The one way of sampling that there is here.
        yield f"{INDENT}access sample control"
        yield f"{INDENT}enabled primitives: page_table"


def _context_lines(context: Context, raw: bool) -> Iterator[str]:
    unit = f" addr_unit {address(context.addr_unit, raw=raw)}" if context.addr_unit != 1 else ""
    yield f"ops: {word_or_name(context.ops)}{unit}"
    if context.pause:
        yield "pause: True"
    for number, target in enumerate(context.targets):
        yield f"target {number}"
        yield from _indented(_target_lines(target, raw))
    yield from _intervals_lines(context.intervals, raw)
    low, high = context.nr_regions.min, context.nr_regions.max
    number_of = units.format_number
    yield f"nr_regions: [{number_of(low, raw=raw)}, {number_of(high, raw=raw)}]"


def _target_lines(target: Target, raw: bool) -> Iterator[str]:
    if target.pid is not None:
        yield f"pid: {target.pid}"
    for each in target.regions:
        yield f"region {_range(each.start, each.end, raw)}"
    if target.obsolete:
        yield "(obsolete)"


def _intervals_lines(intervals: Intervals, raw: bool) -> Iterator[str]:
    def time(time_us: int) -> str:
        return units.format_time_us(time_us, raw=raw)

    listed = (
        f"sample {time(intervals.sample_us)}, aggr {time(intervals.aggr_us)}, "
        f"update {time(intervals.update_us)}"
    )
    goal = intervals.intervals_goal
    if not goal.aggrs:
        yield f"intervals: {listed}"
        return
    yield "intervals"
    yield f"{INDENT}{listed}"
    yield (
        f"{INDENT}target {_share(goal.access_bp, raw, units.format_bp)} accesses per "
        f"{units.format_number(goal.aggrs, raw=raw)} aggrs, "
        f"[{time(goal.min_sample_us)}, {time(goal.max_sample_us)}] sampling interval"
    )


# -- Schemes -----------------------------------------------------------------


def _scheme_lines(scheme: Scheme, raw: bool) -> Iterator[str]:
    yield f"action: {_action(scheme, raw)}"
    yield "target access pattern"
    yield from _indented(_pattern_lines(scheme, raw))
    for dest in scheme.dests:
        yield f"dest {dest.id} weight {dest.weight}"
    yield "quotas"
    yield from _indented(_quota_lines(scheme, raw))
    yield "watermarks"
    yield from _indented(_watermark_lines(scheme, raw))
    for number, each in enumerate(scheme.filters):
        yield f"filter {number}"
        yield f"{INDENT}{_filter(each, raw)}"


def _action(scheme: Scheme, raw: bool) -> str:
    action = word_or_name(scheme.action)
    node = f" to node {scheme.target_nid}" if action.startswith("migrate_") else ""
    often = "aggr interval"
    if scheme.apply_interval_us:
        often = units.format_time_us(scheme.apply_interval_us, raw=raw)
    return f"{action}{node} per {often}"


def _pattern_lines(scheme: Scheme, raw: bool) -> Iterator[str]:
    sizes, rates, ages = (
        scheme.access_pattern.sz_bytes,
        scheme.access_pattern.nr_accesses,
        scheme.access_pattern.age,
    )
    yield f"sz: [{units.format_size(sizes.min, raw=raw)}, {units.format_size(sizes.max, raw=raw)}]"
    is_counted = rates.unit is AccessUnit.SAMPLES
    low, high = (
        f"{units.format_number(int(rate), raw=raw)} samples" if is_counted else _percent(rate, raw)
        for rate in (rates.min, rates.max)
    )
    yield f"nr_accesses: [{low}, {high}]"
    is_counted = ages.unit is AgeUnit.AGGR_INTERVALS
    low, high = (
        f"{units.format_number(age, raw=raw)} aggr_intervals"
        if is_counted
        else units.format_time_ns(age * 1000, raw=raw)
        for age in (ages.min, ages.max)
    )
    yield f"age: [{low}, {high}]"


def _percent(percent: float, raw: bool) -> str:
    if percent >= units.U64_MAX:
        return f"{units.format_number(units.U64_MAX, raw=raw)} %"
    return units.format_percent(percent)


def _quota_lines(scheme: Scheme, raw: bool) -> Iterator[str]:
    quotas = scheme.quotas
    yield (
        # Between the limits and the interval stands what holds at the moment, which
        # nothing does once it has ended.
        f"{units.format_time_ns(quotas.time_ms * 1_000_000, raw=raw)} / "
        f"{units.format_size(quotas.sz_bytes, raw=raw)} / {units.format_size(0, raw=raw)} "
        f"per {units.format_time_ms(quotas.reset_interval_ms, raw=raw)}"
    )
    if quotas.fail_charge_denom:
        yield f"fail charge ratio: {quotas.fail_charge_num}/{quotas.fail_charge_denom}/"
    for number, goal in enumerate(quotas.goals):
        yield f"goal {number}: {_goal(goal, raw)}"
    if quotas.goals:
        yield f"goal tuner: {quotas.goal_tuner}"
    weights = quotas.weights
    shares = (weights.sz_permil, weights.nr_accesses_permil, weights.age_permil)
    sz, nr_accesses, age = (_permil(share, raw) for share in shares)
    yield f"priority: sz {sz}, nr_accesses {nr_accesses}, age {age}"


def _goal(goal: Goal, raw: bool) -> str:
    places = []
    if goal.nid is not None:
        places.append(f"nid {goal.nid}")
    if goal.memcg_path:
        places.append(f"memcg {goal.memcg_path}")
    where = f" ({', '.join(places)})" if places else ""
    target, current = (
        units.format_number(value, raw=raw) for value in (goal.target_value, goal.current_value)
    )
    return f"metric {word_or_name(goal.metric)}{where} target {target} current {current}"


def _watermark_lines(scheme: Scheme, raw: bool) -> Iterator[str]:
    marks = scheme.watermarks
    interval = units.format_time_us(marks.interval_us, raw=raw)
    yield f"metric {word_or_name(marks.metric)}, interval {interval}"
    listed = (marks.high_permil, marks.mid_permil, marks.low_permil)
    yield ", ".join(_permil(mark, raw) for mark in listed)


def _permil(share: int, raw: bool) -> str:
    return _share(share, raw, units.format_permil)


def _share(share: int, raw: bool, text_of: Callable[[int], str]) -> str:
    # As damo prints it: with six decimals, whole or not.
    return f"{share:.6f}" if raw else text_of(share)


def _filter(each: Filter, raw: bool) -> str:
    head = "allow" if each.allow else "reject"
    kind = f"{head} {'' if each.matching else 'none '}{each.filter_type}"
    match each.filter_type:
        case FilterType.MEMCG:
            return f"{kind} {each.memcg_path}"
        case FilterType.ADDR if each.address_range is not None:
            return f"{kind} {_range(each.address_range.start, each.address_range.end, raw)}"
        case FilterType.TARGET:
            return f"{kind} {each.damon_target_idx}"
        case FilterType.HUGEPAGE_SIZE if each.hugepage_size is not None:
            sizes = each.hugepage_size
            low, high = (units.format_size(size, raw=raw) for size in (sizes.min, sizes.max))
            return f"{kind} [{low}, {high}]"
    return kind


def _range(start: int, end: int, raw: bool) -> str:
    low, high = (units.format_number(byte, raw=raw) for byte in (start, end))
    return f"[{low}, {high}) ({units.format_size(end - start, raw=raw)})"


# -- Counters ----------------------------------------------------------------


def _counter_lines(
    counters: SchemeCounters | None, names: Sequence[str], raw: bool
) -> Iterator[str]:
    if counters is None:
        yield "unknown"
        return
    if names:
        for name in names:
            yield f"{name}: {STAT_FIELDS[name](getattr(counters, name), raw)}"
        return
    number, size = units.format_number, units.format_size
    tried, applied = size(counters.sz_tried, raw=raw), size(counters.sz_applied, raw=raw)
    yield f"tried {number(counters.nr_tried, raw=raw)} times ({tried})"
    yield f"applied {number(counters.nr_applied, raw=raw)} times ({applied})"
    yield f"{size(counters.sz_ops_filter_passed, raw=raw)} passed filters"
    yield f"quota exceeded {number(counters.qt_exceeds, raw=raw)} times"
    yield (
        f"tried {number(counters.nr_snapshots, raw=raw)} snapshots "
        f"(max {number(counters.max_nr_snapshots, raw=raw)})"
    )
