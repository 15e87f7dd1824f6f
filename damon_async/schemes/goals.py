"""Goals: measuring how well each is met, and what that makes of the quota."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final

from ..operations.metrics import Metrics
from ..operations.requests import Answer, Measured, MetricRequest
from ..params.keywords import GoalMetric, GoalTuner
from ..params.quotas import GOAL_BP, Goal, Quotas
from ..regions.tuning import feed
from ..units import U64_MAX

ESZ_BP_FLOOR: Final = 10_000
"""Feedback begins at one byte."""


@dataclass(slots=True)
class GoalState:
    """
    What is remembered of one goal from window to window.

    Attributes:
        known: The last value that could be measured; None if none ever could.

        total_stall_us: The last reading of a stall time that only grows.
    """

    known: int | None = None
    total_stall_us: int | None = None


@dataclass(frozen=True, slots=True)
class Instruments:
    """
    What goals of one scheme are measured with.

    Attributes:
        scheme_idx: Which scheme asks.

        now_us: The time, in microseconds.

        metrics: The machine; None if there is none.

        eligible: Returns the bytes that the scheme's pattern matches, by node.
    """

    scheme_idx: int
    now_us: int
    metrics: Metrics | None
    eligible: Callable[[], Mapping[int, int]]


def goals_score(
    quotas: Quotas, states: list[GoalState], instruments: Instruments
) -> Generator[MetricRequest, Answer, tuple[int, int]]:
    """
    Measure how well the goals of a scheme are met.

    Args:
        quotas: Its goals.

        states: One per goal; changed.

        instruments: What to measure with.

    Yields:
        Requests to call functions of the user.

    Returns:
        The score of the goal that is met best, 10000 if exactly, and 0 without
        goals; and how many functions of the user told nothing.

    Source:
        spec core 7.8, example E31. What cannot be measured is what it was; what
        never could be is on target, so that it does not move the quota.
    """
    best = nr_unmeasured = 0
    for index, (goal, state) in enumerate(zip(quotas.goals, states, strict=True)):
        if isinstance(goal.metric, GoalMetric):
            value = _measure(goal, goal.metric, state, instruments)
        else:
            request = MetricRequest(instruments.scheme_idx, goal.metric, index, instruments.now_us)
            value = answered(request, (yield request))
            nr_unmeasured += value is None
        if value is not None:
            state.known = value
        current = goal.target_value if state.known is None else state.known
        # The largest, not the smallest: no goal may be exceeded for another's sake.
        best = max(best, current * GOAL_BP // goal.target_value)
    return best, nr_unmeasured


def tuned_esz_bp(quotas: Quotas, esz_bp: int, score: int) -> int:
    """
    Return what goals allow per window, in 1/10000 bytes.

    Args:
        quotas: Says which tuner, and the size quota.

        esz_bp: What they allowed so far.

        score: What that achieved.

    Source:
        spec core 7.4.2, examples E29 and E30.
    """
    # A first input of 0 would stay 0 for ever: any share of it is nothing.
    if quotas.goal_tuner is GoalTuner.CONSIST:
        return feed(max(esz_bp, ESZ_BP_FLOOR), score)
    if score >= GOAL_BP:
        return 0
    return quotas.sz_bytes * GOAL_BP if quotas.sz_bytes else U64_MAX


def answered(request: MetricRequest, answer: Answer) -> int | None:
    """
    Return what was measured.

    Raises:
        TypeError: If the driver gave the answer to another kind of request.
    """
    if not isinstance(answer, Measured):
        raise TypeError(f"{request!r} needs a Measured, not {answer!r}")
    return answer.value


def _measure(
    goal: Goal, metric: GoalMetric, state: GoalState, instruments: Instruments
) -> int | None:
    """Return the current value of a built-in metric, None if nobody can tell."""
    if metric is GoalMetric.USER_INPUT:
        return goal.current_value
    if metric is GoalMetric.NODE_ELIGIBLE_MEM_BP:
        # The one metric that depends on the scheme itself, not only on the machine.
        sizes = instruments.eligible()
        own = sizes.get(goal.nid or 0, 0)
        return own * GOAL_BP // max(1, sum(sizes.values()))
    if instruments.metrics is None:
        return None
    value = instruments.metrics.value(
        metric, nid=goal.nid, memcg_path=goal.memcg_path, now_us=instruments.now_us
    )
    if metric is not GoalMetric.SOME_MEM_PSI_US:
        # Machines of users may say anything; a score must not turn negative.
        return max(0, value)
    # Since when did they stall? Only the second reading can tell (P30).
    before, state.total_stall_us = state.total_stall_us, value
    return None if before is None else max(0, value - before)
