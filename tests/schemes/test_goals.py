"""Goals: what each metric measures, whatever users' functions return."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.operations.requests import Applied, Measured, MetricRequest, measured
from damon_async.params.keywords import GoalMetric
from damon_async.params.quotas import Goal, Quotas
from damon_async.params.schemes import Scheme
from damon_async.schemes.goals import GoalState, Instruments, goals_score, tuned_esz_bp

from ..regions.tables import fresh_table, table_of
from .driving import PAGE, Bench, do_all, do_nothing, drive
from .machines import PlacedMachine, ToldMachine

ON_TARGET = 10_000


def load(now_us: int) -> float:
    """Measure something; tests answer in its place."""
    return now_us


def goal_of(metric: GoalMetric, target: int = 100) -> Goal:
    """Return a goal of a built-in metric, with whatever it needs to know."""
    return Goal(
        metric,
        target,
        nid=1 if metric.needs_nid else None,
        memcg_path="/a" if metric.needs_memcg else None,
    )


def score_of(
    *goals: Goal, states: list[GoalState] | None = None, machine: ToldMachine | None = None
) -> int:
    """Return how well goals are met."""
    states = states or [GoalState() for _ in goals]
    instruments = Instruments(0, 7, machine, dict)
    score, _ = drive(goals_score(Quotas(goals=goals), states, instruments))
    return score


MEASURED = [
    metric
    for metric in GoalMetric
    if metric
    not in (GoalMetric.USER_INPUT, GoalMetric.SOME_MEM_PSI_US, GoalMetric.NODE_ELIGIBLE_MEM_BP)
]


@pytest.mark.parametrize("metric", MEASURED)
def test_machine_is_asked(metric: GoalMetric) -> None:
    """The machine is asked for the metric, of the node and the memory cgroup of the goal."""
    machine = ToldMachine(**{metric: 50})
    goal = goal_of(metric)
    assert score_of(goal, machine=machine) == ON_TARGET // 2
    assert machine.asked == [(metric, goal.nid, goal.memcg_path)]


@pytest.mark.parametrize("metric", MEASURED)
def test_without_machine(metric: GoalMetric) -> None:
    """Without a machine a goal is on target, and does not move the quota."""
    assert score_of(goal_of(metric)) == ON_TARGET


def test_user_input() -> None:
    """What the user says is what counts, again and again."""
    goal, states = Goal("user_input", 200, 300), [GoalState()]
    assert [score_of(goal, states=states) for _ in range(2)] == [15_000, 15_000]


def test_stall_time_is_a_difference() -> None:
    """P30: the first reading is on target; from then on it is what was added since."""
    machine = ToldMachine(some_mem_psi_us=[10**9, 10**9 + 50, 10**9 + 50, 10**9 + 250])
    states = [GoalState()]
    goal = Goal("some_mem_psi_us", 100)
    scores = [score_of(goal, states=states, machine=machine) for _ in range(4)]
    assert scores == [ON_TARGET, 5_000, 0, 20_000]


def test_negative_readings() -> None:
    """A machine that counts backwards is taken for 0."""
    machine = ToldMachine(some_mem_psi_us=[9, 5], active_mem_bp=-5)
    states = [GoalState()]
    goal = Goal("some_mem_psi_us", 100)
    assert [score_of(goal, states=states, machine=machine) for _ in range(2)] == [ON_TARGET, 0]
    assert score_of(goal_of(GoalMetric.ACTIVE_MEM_BP), machine=machine) == 0


def test_no_goals() -> None:
    """Without goals nothing is achieved."""
    assert score_of() == 0


@pytest.mark.parametrize(
    ("result", "score"),
    [
        (50, 5_000),
        (99.9, 9_900),
        (-3, 0),
        (10**30, 2**64 * 100 - 100),
        (float("inf"), 2**64 * 100 - 100),
        (float("nan"), ON_TARGET),
        ("much", ON_TARGET),
        (None, ON_TARGET),
    ],
)
def test_own_metrics(result: object, score: int) -> None:
    """What a user's function returns is used as far as it is a number; else it moves nothing."""
    states = [GoalState()]
    steps = goals_score(Quotas(goals=[Goal(load, 100)]), states, Instruments(3, 7, None, dict))

    def answer(request: MetricRequest) -> Measured:
        assert request == MetricRequest(3, load, 0, 7)
        return measured(result)

    found, nr_unmeasured = drive(steps, measure=answer)
    assert found == score
    assert nr_unmeasured == (score == ON_TARGET)


def test_last_known_value() -> None:
    """A function that fails leaves what was measured last."""
    states = [GoalState()]
    results = iter([30, None, float("nan"), 40])
    found = []
    for _ in range(4):
        steps = goals_score(Quotas(goals=[Goal(load, 100)]), states, Instruments(0, 7, None, dict))
        score, _ = drive(steps, measure=lambda _: measured(next(results)))
        found.append(score)
    assert found == [3_000, 3_000, 3_000, 4_000]


def test_answers_are_checked() -> None:
    """A driver that answers with something else is told so."""
    steps = goals_score(
        Quotas(goals=[Goal(load, 100)]), [GoalState()], Instruments(0, 7, None, dict)
    )
    next(steps)
    zeros = np.zeros(1, np.int64)
    with pytest.raises(TypeError, match=r"MetricRequest\(.*\) needs a Measured, not Applied"):
        steps.send(Applied(zeros, zeros))


def test_eligible_memory() -> None:
    """Of the memory that the pattern matches, the share on a node counts; 0 if none matches."""
    goal = Goal("node_eligible_mem_bp", 10_000, nid=1)
    quotas = Quotas(sz_bytes="1G", reset_interval_ms=100, goals=[goal])
    idle = {"age": ("5 aggr_intervals", "max")}
    table = table_of((0, 4, 0, 0, 9), (4, 8, 0, 0, 0), (8, 16, 0, 0, 9))
    # With two bytes of memory per byte of a region, what matches lies in the pages
    # from 0 to 8 and from 16 to 32.
    machine = PlacedMachine(20 * PAGE)
    bench = Bench(Scheme("stat", idle, quotas=quotas), table=table)
    bench.run(do_nothing, metrics=machine, addr_unit=2)
    assert bench.schemes.states[0].goals[0].known == 12 * 10_000 // 24
    nothing = Bench(
        Scheme("stat", {"age": ("50 aggr_intervals", "max")}, quotas=quotas), table=table
    )
    nothing.run(do_nothing, metrics=machine)
    assert nothing.schemes.states[0].goals[0].known == 0


def test_eligible_memory_without_placement() -> None:
    """A machine that knows of no nodes has no eligible memory on any."""
    quotas = Quotas(reset_interval_ms=100, goals=[Goal("node_eligible_mem_bp", 1, nid=0)])
    bench = Bench(Scheme("stat", quotas=quotas), table=fresh_table((0, 4)))
    bench.run(metrics=ToldMachine())
    assert bench.schemes.states[0].goals[0].known == 0


def test_once_per_window() -> None:
    """Goals are measured when a window begins, and at no other round."""
    machine = ToldMachine(active_mem_bp=50)
    quotas = Quotas(reset_interval_ms=300, goals=[goal_of(GoalMetric.ACTIVE_MEM_BP)])
    bench = Bench(Scheme("stat", quotas=quotas), table=fresh_table((0, 4)))
    for _ in range(7):
        bench.run(do_all, metrics=machine)
    assert len(machine.asked) == 3


def test_quota_follows() -> None:
    """A goal that is missed lets the quota grow, one that is exceeded lets it shrink."""
    quotas = Quotas(goals=[Goal("user_input", 100)])
    grown = tuned_esz_bp(quotas, 10**8, 5_000)
    assert (grown, tuned_esz_bp(quotas, grown, 15_000)) == (15 * 10**7, 75 * 10**6)
    assert tuned_esz_bp(quotas, 10**8, ON_TARGET) == 10**8
