"""Quotas, goals and watermarks: what they take, and what cannot be meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from damon_async.errors import ParametersError
from damon_async.params.keywords import GoalMetric, GoalTuner, WatermarkMetric
from damon_async.params.quotas import Goal, Quotas, Watermarks, Weights
from damon_async.units import U64_MAX


def problems_of(make: Callable[[], object]) -> list[str]:
    """Return what *make* is refused for."""
    with pytest.raises(ParametersError, match=r".") as caught:
        make()
    return [str(problem) for problem in caught.value.problems]


def test_defaults() -> None:
    """By default there is no limit, and schemes are always active."""
    assert not Quotas().is_set
    assert Quotas() == Quotas(0, 0, 0, Weights(0, 0, 0), (), "consist", 0, 0)
    assert Watermarks() == Watermarks("none", 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("quotas", "is_set"),
    [
        (Quotas(time_ms=1), True),
        (Quotas(sz_bytes=1), True),
        (Quotas(goals=[Goal("user_input", 1)]), True),
        (Quotas(reset_interval_ms=1), False),
        (Quotas(weights=Weights(1, 1, 1)), False),
        (Quotas(fail_charge_num=1, fail_charge_denom=2), False),
    ],
)
def test_limits(quotas: Quotas, is_set: bool) -> None:
    """Time, size and goals limit; window, weights and the price of failures do not."""
    assert quotas.is_set is is_set


def test_texts() -> None:
    """Quotas are read from damo's texts, each number in the unit of its field."""
    quotas = Quotas("10 ms", "128M", "1 s", Weights("0.1 %", 3, "7"))
    assert (quotas.time_ms, quotas.sz_bytes, quotas.reset_interval_ms) == (10, 2**27, 1000)
    assert quotas.weights == Weights(1, 3, 7)
    assert Quotas(time_ms="1.5 s", reset_interval_ms="1 m").time_ms == 1500


def test_time_beyond_window() -> None:
    """A quota of more time than its window has is refused."""
    assert problems_of(lambda: Quotas("2 s", 0, "1 s")) == [
        "time_ms: 2000 ms is longer than reset_interval_ms, 1000 ms"
    ]


@pytest.mark.parametrize(
    ("time_ms", "window_ms"), [(1000, 1000), (5, 0), ("max", "1s"), ("5s", "max")]
)
def test_time_within_window(time_ms: int | str, window_ms: int | str) -> None:
    """Up to the whole window is fine; no window and max are no contradiction."""
    assert Quotas(time_ms, 0, window_ms).is_set


def test_failures_cost_less() -> None:
    """A failure that costs more than a success is refused, unless the feature is off."""
    assert problems_of(lambda: Quotas(fail_charge_num=3, fail_charge_denom=2)) == [
        (
            "fail_charge_num: 3 is above fail_charge_denom, 2; "
            "a failure cannot cost more than a success"
        )
    ]
    assert Quotas(fail_charge_num=3).fail_charge_num == 3


def test_wide_numbers() -> None:
    """What does not fit the kernel's 32 bits is refused."""
    assert problems_of(lambda: Weights(2**32, 0, "max")) == [
        f"sz_permil: {2**32} is too large; at most {2**32 - 1}",
        f"age_permil: {U64_MAX} is too large; at most {2**32 - 1}",
    ]
    wide = problems_of(lambda: Quotas(fail_charge_num=2**32, fail_charge_denom=2**33))
    assert [problem.partition(":")[0] for problem in wide] == [
        "fail_charge_num",
        "fail_charge_denom",
    ]


def test_negative() -> None:
    """Negative limits are refused, all together."""
    paths = [
        problem.partition(":")[0]
        for problem in problems_of(lambda: Quotas(-1, "-5K", -3, goal_tuner="both"))
    ]
    assert paths == ["time_ms", "sz_bytes", "reset_interval_ms", "goal_tuner"]


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        ("user_input", "10,000", 10_000),
        ("some_mem_psi_us", "5 ms", 5_000),
        ("some_mem_psi_us", 500, 500),
        ("active_mem_bp", "50.1 %", 5_010),
        ("active_mem_bp", 5_010, 5_010),
        (len, 7, 7),
    ],
)
def test_target_values(metric: str, value: int | str, expected: int) -> None:
    """A target value is read in the unit of its metric."""
    assert Goal(metric, value).target_value == expected


@pytest.mark.parametrize(
    ("metric", "value"),
    [("user_input", "5 %"), ("some_mem_psi_us", "5 %"), ("active_mem_bp", "5 ms"), (len, "5 %")],
)
def test_target_values_of_another_unit(metric: str, value: str) -> None:
    """A target value in another unit is refused."""
    (wrong,) = problems_of(lambda: Goal(metric, value))
    assert wrong.startswith(f"target_value: '{value}' is not a")


def test_goals_of_nothing() -> None:
    """A target value of 0 would be divided by, and is refused (P24)."""
    assert problems_of(lambda: Goal("user_input", 0)) == [
        "target_value: 0 can never be reached; at least 1"
    ]


def test_goals_about_nothing() -> None:
    """Goals about a node or a memory cgroup need to say which."""
    assert problems_of(lambda: Goal("node_memcg_used_bp", "5 %")) == [
        "nid: missing; node_memcg_used_bp is about one node",
        "memcg_path: missing; node_memcg_used_bp is about one memory cgroup",
    ]
    assert Goal("node_mem_free_bp", "0.5 %", nid="0").nid == 0


def test_unknown_metric() -> None:
    """An unknown metric is told once, whatever its target value would have been."""
    (wrong,) = problems_of(lambda: Goal("temperature", "5 %"))
    assert wrong.startswith("metric: 'temperature' is not a quota goal metric; use one of user_")


def test_own_metrics() -> None:
    """A function of the user may be the metric of a goal or of watermarks."""

    def load(now_us: int) -> float:
        return now_us / 7

    assert Goal(load, 100).metric is load
    assert Watermarks(load, "1 s", 30, 20, 10).metric is load


def test_words() -> None:
    """Words become the keywords that they are."""
    assert Goal("user_input", 1).metric is GoalMetric.USER_INPUT
    assert Quotas(goal_tuner="temporal").goal_tuner is GoalTuner.TEMPORAL
    assert Watermarks("free_mem_rate").metric is WatermarkMetric.FREE_MEM_RATE


@pytest.mark.parametrize(
    ("marks", "wrong"),
    [
        ((500, 400, 50), []),
        ((500, 500, 500), []),
        (("50 %", "40 %", "5 %"), []),
        ((400, 500, 50), ["mid_permil: 500 permil is above high_permil, 400 permil"]),
        ((500, 50, 400), ["low_permil: 400 permil is above mid_permil, 50 permil"]),
        (
            (1, 2, 3),
            [
                "mid_permil: 2 permil is above high_permil, 1 permil",
                "low_permil: 3 permil is above mid_permil, 2 permil",
            ],
        ),
    ],
)
def test_order_of_marks(marks: tuple[int | str, ...], wrong: list[str]) -> None:
    """Marks must descend from high to low; equal ones do."""
    if wrong:
        assert problems_of(lambda: Watermarks("free_mem_rate", "5 s", *marks)) == wrong
    else:
        assert Watermarks("free_mem_rate", "5 s", *marks).interval_us == 5_000_000
