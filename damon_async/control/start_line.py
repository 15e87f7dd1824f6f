"""
The `damo start` command line that says the same as parameters.

damo gives the values of an option to schemes, targets and contexts in the order in
which they occur, whatever marks stand between them. So what one of them needs is
said for all before it as well.

Source:
    spec damo 1.1 and 8, and runs of damo 3.4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from ..errors import InvalidError
from ..params.filters import Filter
from ..params.intervals import Intervals, IntervalsGoal
from ..params.keywords import FilterType, GoalMetric, GoalTuner
from ..params.monitoring import Context, Kdamond, Ops, Target
from ..params.patterns import AccessUnit, AgeUnit
from ..params.quotas import Goal, Quotas, Watermarks
from ..params.schemes import Scheme
from ..units import U64_MAX

Thing = TypeVar("Thing")

Words = list[str]

INSTEAD: Final = "dump it as a document, which `damo start` takes as well"
"""What to do if no line can say it."""


def start_words(kdamonds: Iterable[Kdamond]) -> Words:
    """
    Return the words of a command line, without quotes.

    Args:
        kdamonds: At least one.

    Raises:
        InvalidError: If no command line of damo can say it.
    """
    listed = list(kdamonds)
    # damo would start something of its own choice.
    if not listed:
        raise InvalidError("there is no kdamond, so nothing to start")
    return ["damo", "start", *_Line(listed).words()]


class _Line:
    """
    The options for some kdamonds.

    Args:
        kdamonds: What they say.
    """

    def __init__(self, kdamonds: Sequence[Kdamond]) -> None:
        self._kdamonds = kdamonds
        contexts = [context for kdamond in kdamonds for context in kdamond.contexts]
        targets = [target for context in contexts for target in context.targets]
        schemes = [scheme for context in contexts for scheme in context.schemes]
        # Options that not every kernel has files for: said only if they are needed,
        # and then as often as the last one needs that does.
        self._left = {
            "--refresh_stat": _needed(kdamonds, lambda each: each.refresh_ms),
            "--damon_addr_unit": _needed(contexts, lambda each: each.addr_unit != 1),
            "--monitoring_intervals_goal": _needed(
                contexts, lambda each: each.intervals.intervals_goal != IntervalsGoal()
            ),
            "--target_pid": _needed(targets, lambda each: each.pid is not None),
            "--damos_apply_interval": _needed(schemes, lambda each: each.apply_interval_us),
            "--damos_quota_goal_tuner": _needed(
                schemes, lambda each: each.quotas.goal_tuner is not GoalTuner.CONSIST
            ),
            "--damos_quota_fail_charge_ratio": _needed(
                schemes,
                lambda each: each.quotas.fail_charge_num or each.quotas.fail_charge_denom,
            ),
            "--damos_wmarks": _needed(schemes, lambda each: each.watermarks != Watermarks()),
            "--damos_max_nr_snapshots": _needed(schemes, lambda each: each.max_nr_snapshots),
        }

    def _option(self, name: str, *values: object) -> Iterator[str]:
        """Say an option, if it or one that comes later is needed."""
        if self._left[name] > 0:
            self._left[name] -= 1
            yield name
            yield from map(str, values)

    def words(self) -> Iterator[str]:
        """Go through the words."""
        for kdamond in self._kdamonds:
            yield "--kdamond"
            yield from self._option("--refresh_stat", kdamond.refresh_ms)
            for context in kdamond.contexts:
                yield from self._context(context)
        # Numbers of contexts and targets of the whole line, in one list each.
        contexts = [context for kdamond in self._kdamonds for context in kdamond.contexts]
        targets = [target for context in contexts for target in context.targets]
        yield from _indices("--pause_ctx", [each.pause for each in contexts])
        yield from _indices("--obsolete_targets", [each.obsolete for each in targets])

    def _context(self, context: Context) -> Iterator[str]:
        if not context.targets:
            raise InvalidError(f"a context without a target is nothing to damo; {INSTEAD}")
        yield from ("--damon_ctx", "--ops", str(context.ops))
        yield from self._option("--damon_addr_unit", context.addr_unit)
        yield from self._intervals(context.intervals)
        yield "--monitoring_nr_regions_range"
        yield from map(str, (context.nr_regions.min, context.nr_regions.max))
        for target in context.targets:
            yield from self._target(target, context.ops)
        for scheme in context.schemes:
            yield from self._scheme(scheme, context.intervals)

    def _target(self, target: Target, ops: object) -> Iterator[str]:
        if ops is Ops.PADDR and not target.regions:
            raise InvalidError(
                f"damo monitors all memory where paddr is given no regions; {INSTEAD}"
            )
        yield "--damon_target"
        # Physical memory has none, but must not get that of the next.
        yield from self._option("--target_pid", target.pid or 0)
        # An empty text where there are none, so that later ones stay with their target.
        yield "--regions"
        yield " ".join(f"{each.start}-{each.end}" for each in target.regions)

    def _scheme(self, scheme: Scheme, intervals: Intervals) -> Iterator[str]:
        if len(scheme.filters) > 1:
            raise InvalidError(f"damo takes one filter of a scheme only; {INSTEAD}")
        # Bounds and quotas are said always: damo's default of a window is another.
        yield from ("--damos_scheme", "--damos_action", *_action(scheme))
        yield from _pattern(scheme, intervals)
        yield from self._option("--damos_apply_interval", scheme.apply_interval_us)
        yield from self._quotas(scheme.quotas)
        yield from self._watermarks(scheme.watermarks)
        for each in scheme.filters:
            yield from ("--damos_filter", *_filter(each))
        yield from self._option("--damos_max_nr_snapshots", scheme.max_nr_snapshots)

    def _intervals(self, intervals: Intervals) -> Iterator[str]:
        yield "--monitoring_intervals"
        yield from map(str, (intervals.sample_us, intervals.aggr_us, intervals.update_us))
        goal = intervals.intervals_goal
        bounds = goal.min_sample_us, goal.max_sample_us
        yield from self._option("--monitoring_intervals_goal", goal.access_bp, goal.aggrs, *bounds)

    def _quotas(self, quotas: Quotas) -> Iterator[str]:
        weights = quotas.weights
        yield "--damos_quotas"
        yield from map(_limit, (quotas.time_ms, quotas.sz_bytes, quotas.reset_interval_ms))
        yield from map(str, (weights.sz_permil, weights.nr_accesses_permil, weights.age_permil))
        yield from self._option("--damos_quota_goal_tuner", quotas.goal_tuner)
        ratio = quotas.fail_charge_num, quotas.fail_charge_denom
        yield from self._option("--damos_quota_fail_charge_ratio", *ratio)
        for goal in quotas.goals:
            yield from ("--damos_quota_goal", *_goal(goal))

    def _watermarks(self, marks: Watermarks) -> Iterator[str]:
        if not isinstance(marks.metric, str):
            raise InvalidError("a metric that is a function cannot be said to damo")
        levels = marks.high_permil, marks.mid_permil, marks.low_permil
        yield from self._option("--damos_wmarks", marks.metric, marks.interval_us, *levels)


def _needed(things: Sequence[Thing], needs: Callable[[Thing], object]) -> int:
    """Return how many of *things* must say what some of them need."""
    # Up to the last one: behind it damo takes its own default, which is the same.
    return max((index + 1 for index, each in enumerate(things) if needs(each)), default=0)


def _indices(option: str, flags: Sequence[bool]) -> Iterator[str]:
    chosen = [str(index) for index, flag in enumerate(flags) if flag]
    if chosen:
        yield option
        yield from chosen


def _limit(number: int) -> str:
    # damo has a word for it, and not all numbers of 64 bits survive in it.
    return "max" if number >= U64_MAX else str(number)


def _action(scheme: Scheme) -> Iterator[str]:
    if not isinstance(scheme.action, str):
        raise InvalidError("an action that is a function cannot be said to damo")
    yield str(scheme.action)
    # Nodes with weights win over the one node, in damo as in the kernel.
    if scheme.dests:
        for dest in scheme.dests:
            yield from (str(dest.id), str(dest.weight))
    elif scheme.action.is_migration:
        yield str(scheme.target_nid)


def _pattern(scheme: Scheme, intervals: Intervals) -> Iterator[str]:
    sizes, rates, ages = (
        scheme.access_pattern.sz_bytes,
        scheme.access_pattern.nr_accesses,
        scheme.access_pattern.age,
    )
    yield from ("--damos_sz_region", _limit(sizes.min), _limit(sizes.max))
    is_counted = rates.unit is AccessUnit.SAMPLES
    yield "--damos_access_rate"
    yield from (_rate(each, intervals, is_counted) for each in (rates.min, rates.max))
    # Ages are read back in whole aggregations.
    us = intervals.aggr_us if ages.unit is AgeUnit.AGGR_INTERVALS else 1
    yield from ("--damos_age", _limit(ages.min * us), _limit(ages.max * us))


def _rate(rate: float, intervals: Intervals, is_counted: bool) -> str:
    """
    Return an access frequency in whole percent, which is all that damo keeps.

    Raises:
        InvalidError: If none means the same.
    """
    ratio = intervals.aggr_us / max(1, intervals.sample_us)
    # So many samples that there cannot be more: as good as all there are.
    if rate >= U64_MAX or (is_counted and rate >= max(ratio, 2**31)):
        return "max"
    # The least that gives so many samples: damo cuts off what is left over.
    percent = -int(-rate * 100 // ratio) if is_counted else int(rate)
    is_exact = int(percent * ratio / 100) == rate if is_counted else percent == rate
    if not is_exact:
        what = "samples" if is_counted else "%"
        raise InvalidError(f"an access rate of {rate} {what} is no whole percent; {INSTEAD}")
    return str(percent)


def _goal(goal: Goal) -> Iterator[str]:
    if not isinstance(goal.metric, GoalMetric):
        raise InvalidError("a metric that is a function cannot be said to damo")
    yield from (str(goal.metric), str(goal.target_value))
    # Others are measured; damo would take the number for a node.
    if goal.metric is GoalMetric.USER_INPUT:
        yield str(goal.current_value)
    if goal.metric.needs_nid:
        yield str(goal.nid)
    if goal.metric.needs_memcg:
        yield str(goal.memcg_path)


def _filter(each: Filter) -> Iterator[str]:
    yield "allow" if each.allow else "reject"
    if not each.matching:
        yield "none"
    yield str(each.filter_type)
    match each.filter_type:
        case FilterType.MEMCG:
            yield str(each.memcg_path)
        case FilterType.ADDR if each.address_range is not None:
            yield from (str(each.address_range.start), str(each.address_range.end))
        case FilterType.TARGET:
            yield str(each.damon_target_idx)
        case FilterType.HUGEPAGE_SIZE if each.hugepage_size is not None:
            yield from (_limit(each.hugepage_size.min), _limit(each.hugepage_size.max))
