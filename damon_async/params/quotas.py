"""When and how much a scheme may do: quotas, their goals, and watermarks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, ValidationInfo, field_validator

from .. import units
from ..errors import Problem
from ..units import U64_MAX, Quantity
from .base import Bytes, Count, Parameters, Permil, TimeMs, TimeUs, parse_count
from .intervals import U32_MAX
from .keywords import (
    GoalMetric,
    GoalTuner,
    UserFunction,
    WatermarkMetric,
    read_word,
    read_word_or_function,
)

GOAL_BP: Final = 10_000
"""What the current value is of the target value, in basis points, if the goal is met."""


def _read_target(metric: GoalMetric | UserFunction, value: Quantity) -> int:
    """Read the target value of *metric*, in its unit."""
    # The names end in the unit; functions of users have none, and plain numbers.
    name = str(metric) if isinstance(metric, GoalMetric) else ""
    if name.endswith("_bp"):
        return units.parse_bp(value)
    return units.parse_time_us(value) if name.endswith("_us") else parse_count(value)


def _wide_problems(model: Parameters, names: Iterable[str]) -> Iterator[Problem]:
    """Name the fields that do not fit the 32 bits the kernel has for them."""
    for name in names:
        value = getattr(model, name)
        # Refused, because the kernel would silently keep the low bits.
        if value > U32_MAX:
            yield Problem(name, f"{value} is too large; at most {U32_MAX}")


class Weights(Parameters, frozen=True):
    """
    What makes one region more worth an action than another; only ratios matter.

    Source:
        spec core 2.4 and 7.5.
    """

    sz_permil: Permil = 0
    """Of the size. Kept for the interface: the score does not look at sizes."""

    nr_accesses_permil: Permil = 0
    """Of the access frequency, 0 to 2^32 - 1."""

    age_permil: Permil = 0
    """Of the age, 0 to 2^32 - 1."""

    if TYPE_CHECKING:

        def __init__(
            self,
            sz_permil: Quantity = ...,
            nr_accesses_permil: Quantity = ...,
            age_permil: Quantity = ...,
        ) -> None: ...

    def _problems(self) -> Iterator[Problem]:
        return _wide_problems(self, type(self).model_fields)


class Goal(Parameters, frozen=True):
    """
    What a quota is tuned for: the metric shall reach the target value.

    Source:
        spec core 7.8.
    """

    metric: Annotated[
        GoalMetric | UserFunction,
        BeforeValidator(read_word_or_function(GoalMetric, "a quota goal metric")),
    ]
    """
    What is measured; or a function of your own, sync or async, that is called
    with the time in microseconds and returns the current value.
    """

    target_value: int
    """
    What the metric shall be, at least 1: bp for shares (``5 %`` is 500),
    microseconds for stall times, else a plain number.
    """

    current_value: Count = 0
    """For ``user_input``: what it is now. Others are measured."""

    nid: Count | None = None
    """The node that the metric is about."""

    memcg_path: str | None = None
    """The memory cgroup that the metric is about."""

    if TYPE_CHECKING:

        def __init__(
            self,
            metric: GoalMetric | str | UserFunction,
            target_value: Quantity,
            current_value: Quantity = ...,
            nid: Quantity | None = ...,
            memcg_path: str | None = ...,
        ) -> None: ...

    @field_validator("target_value", mode="before")
    @classmethod
    def _read_target(cls, value: Quantity, info: ValidationInfo) -> int:
        # Without a metric, which is told already, nobody knows what would be right.
        return _read_target(info.data["metric"], value) if "metric" in info.data else 1

    def _problems(self) -> Iterator[Problem]:
        # It is divided by (P24).
        if self.target_value < 1:
            yield Problem("target_value", "0 can never be reached; at least 1")
        # Users' functions know by themselves what they measure. Surplus arguments of
        # other metrics are left alone: files of a running DAMON have them for all.
        if not isinstance(self.metric, GoalMetric):
            return
        if self.metric.needs_nid and self.nid is None:
            yield Problem("nid", f"missing; {self.metric} is about one node")
        if self.metric.needs_memcg and not self.memcg_path:
            yield Problem("memcg_path", f"missing; {self.metric} is about one memory cgroup")


class Quotas(Parameters, frozen=True):
    """
    How much a scheme may do per charge window; 0 means no limit.

    Source:
        spec core 2.4 and 7.4.
    """

    time_ms: TimeMs = 0
    """
    Time that actions may take per window, in milliseconds.

    Held on average, not in every window: the time is turned into bytes at the
    throughput of all windows before, and bytes are what is charged. Where pages
    were tried that were out already, which takes next to no time, the throughput
    is high, and a window that finds nothing but pages in memory takes longer than
    allowed. Where single windows count, set *sz_bytes* as well.

    Source:
        spec core 7.4.2, total_charged_sz and total_charged_ns, and 7.4.4: size
        asked is charged, whatever was applied.
    """

    sz_bytes: Bytes = 0
    """Bytes that actions may be tried on per window."""

    reset_interval_ms: TimeMs = 0
    """Length of a charge window, in milliseconds; 0 begins one at every apply interval."""

    weights: Weights = Weights()
    """Which regions come first if not all can be served."""

    goals: tuple[Goal, ...] = ()
    """What tunes the quota; the goal that is met best decides."""

    goal_tuner: Annotated[
        GoalTuner, BeforeValidator(read_word(GoalTuner, "a quota goal tuner"))
    ] = GoalTuner.CONSIST
    """How the quota follows the goals."""

    fail_charge_num: Count = 0
    """Numerator of the share of bytes that is charged where an action failed."""

    fail_charge_denom: Count = 0
    """Denominator of it; 0 charges failures in full."""

    if TYPE_CHECKING:

        def __init__(
            self,
            time_ms: Quantity = ...,
            sz_bytes: Quantity = ...,
            reset_interval_ms: Quantity = ...,
            weights: Weights | Mapping[str, Any] = ...,
            goals: Iterable[Goal | Mapping[str, Any]] = ...,
            goal_tuner: GoalTuner | str = ...,
            fail_charge_num: Quantity = ...,
            fail_charge_denom: Quantity = ...,
        ) -> None: ...

    def _problems(self) -> Iterator[Problem]:
        # A time quota that is longer than its window limits nothing, though it
        # looks as if it did.
        # "max" is how texts say that there is no limit.
        if 0 < self.reset_interval_ms < self.time_ms < U64_MAX:
            yield Problem(
                "time_ms",
                f"{self.time_ms} ms is longer than reset_interval_ms, {self.reset_interval_ms} ms",
            )
        # More than in full would let a window charge more than its quota.
        if self.fail_charge_denom and self.fail_charge_num > self.fail_charge_denom:
            yield Problem(
                "fail_charge_num",
                f"{self.fail_charge_num} is above fail_charge_denom, {self.fail_charge_denom}; "
                "a failure cannot cost more than a success",
            )
        yield from _wide_problems(self, ("fail_charge_num", "fail_charge_denom"))

    @property
    def is_set(self) -> bool:
        """Whether there is any limit; without one nothing is charged."""
        # A window and weights without a limit have nothing to bound or to order.
        return bool(self.time_ms or self.sz_bytes or self.goals)


class Watermarks(Parameters, frozen=True):
    """
    When a scheme is active: between low and mid; then on until high.

    Source:
        spec core 7.6.
    """

    metric: Annotated[
        WatermarkMetric | UserFunction,
        BeforeValidator(read_word_or_function(WatermarkMetric, "a watermarks metric")),
    ] = WatermarkMetric.NONE
    """
    What the marks are compared with; or a function of your own, sync or async,
    that is called with the time in microseconds and returns a number.
    """

    interval_us: TimeUs = 0
    """How long an inactive scheme sleeps between two looks, in microseconds."""

    high_permil: Permil = 0
    """Above it the scheme becomes inactive."""

    mid_permil: Permil = 0
    """Below it the scheme becomes active; at most *high_permil*."""

    low_permil: Permil = 0
    """Below it the scheme becomes inactive; at most *mid_permil*."""

    if TYPE_CHECKING:

        def __init__(
            self,
            metric: WatermarkMetric | str | UserFunction = ...,
            interval_us: Quantity = ...,
            high_permil: Quantity = ...,
            mid_permil: Quantity = ...,
            low_permil: Quantity = ...,
        ) -> None: ...

    def _problems(self) -> Iterator[Problem]:
        # The kernel does not look; a scheme with crossed marks never acts.
        high, mid, low = self.high_permil, self.mid_permil, self.low_permil
        if mid > high:
            yield Problem("mid_permil", f"{mid} permil is above high_permil, {high} permil")
        if low > mid:
            yield Problem("low_permil", f"{low} permil is above mid_permil, {mid} permil")
