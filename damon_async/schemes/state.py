"""What the engine knows of one scheme while it runs."""

from __future__ import annotations

from ..params.intervals import Intervals
from ..params.patterns import ResolvedPattern
from ..params.quotas import Goal
from ..params.schemes import Scheme
from .filters import CoreFilters
from .goals import GoalState
from .quotas import QuotaState
from .scores import Scores, has_order
from .stats import SchemeStats


class SchemeState:
    """
    A scheme that runs.

    Args:
        scheme: Its parameters.

        idx: Its place in the list, from 0.

        min_region_sz: The smallest region, in bytes.

    Attributes:
        scheme: The parameters in force.

        idx: Its place in the list.

        stats: What it has done so far; survives commits.

        quota: What it may still do; survives commits.

        goals: What is remembered of each of its goals.

        core_filters: Its filters for whole regions.

        ops_filters: Its filters for pages.

        pattern: Its access pattern in units of the monitor.

        scores: What regions are worth to it; None if that is all the same.

        is_active: Whether its watermarks let it act.

        next_apply: Due once so many sampling intervals have passed.
    """

    __slots__ = (
        "core_filters",
        "goals",
        "idx",
        "is_active",
        "next_apply",
        "ops_filters",
        "pattern",
        "quota",
        "scheme",
        "scores",
        "stats",
    )

    def __init__(self, scheme: Scheme, idx: int, min_region_sz: int, intervals: Intervals) -> None:
        # Set twice: what follows compares the goals of the old and the new one.
        self.scheme = scheme
        self.idx = idx
        self.stats = SchemeStats()
        self.quota = QuotaState()
        self.goals: list[GoalState] = []
        self.is_active = True
        self.next_apply = 0
        self.set_scheme(scheme, min_region_sz, intervals)

    def __repr__(self) -> str:
        """Say what it does, and whether it does it now."""
        action = self.scheme.action
        name = self.scheme.name or getattr(action, "__qualname__", str(action))
        active = "active" if self.is_active else "inactive"
        return f"<SchemeState {self.idx} {name} {active} {self.stats!r}>"

    def set_scheme(self, scheme: Scheme, min_region_sz: int, intervals: Intervals) -> None:
        """
        Take other parameters; what was counted and charged survives.

        Source:
            spec core 2.7.
        """
        self.set_goals(scheme)
        self.core_filters = CoreFilters(scheme.filters, min_region_sz)
        self.ops_filters = scheme.ops_filters
        # Looking scores up where all are the same would cost each round for nothing.
        self.scores: Scores | None = None
        if has_order(scheme.action, scheme.quotas.weights):
            self.scores = Scores(scheme.action, scheme.quotas.weights)
        # Whoever was put to sleep by old marks is asked again.
        self.is_active = True
        self.set_intervals(intervals)

    def set_goals(self, scheme: Scheme) -> None:
        """Take the parameters of *scheme*, of which nothing but goals may have changed."""
        # A goal that is still about the same thing goes on with what it knows.
        old = [_subject(goal) for goal in self.scheme.quotas.goals[: len(self.goals)]]
        self.goals = [
            self.goals[index] if old[index : index + 1] == [_subject(goal)] else GoalState()
            for index, goal in enumerate(scheme.quotas.goals)
        ]
        self.scheme = scheme
        # Here, not at the next window: a quota without limits has no windows, and
        # one that was full would stay so for ever (P37).
        if scheme.quotas.is_set:
            self.quota.is_limited = True
        else:
            self.quota.forget()

    def set_intervals(self, intervals: Intervals) -> None:
        """Count frequencies and ages in other units."""
        # Once per change, not per round: it takes longer than matching.
        self.pattern: ResolvedPattern = self.scheme.access_pattern.resolved(intervals)

    @property
    def is_exhausted(self) -> bool:
        """Whether it has had all the snapshots that it may have."""
        # 0 means no bound, and none is reached before the first walk.
        most = self.scheme.max_nr_snapshots
        return bool(most) and self.stats.nr_snapshots >= most


def _subject(goal: Goal) -> tuple[object, ...]:
    """Return what a goal is about, however much of it is wanted."""
    return goal.metric, goal.nid, goal.memcg_path
