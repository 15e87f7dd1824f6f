"""
What schemes ask for, and the answers: the border between deciding and doing.

The scheme engine never acts, measures or waits. It yields requests, and whoever
drives it answers each one: built-in actions through the operations set at once,
functions of the user whenever they are done.

What users' functions return is not trusted: it is read here, and whatever makes
no sense becomes an answer that does.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat, TypeAlias

import numpy as np

from ..arrays import BoolArray, IntArray
from ..params.filters import Filter
from ..params.keywords import Action, UserFunction
from ..params.monitoring import Target
from ..params.schemes import Dest
from ..units import U64_MAX


@dataclass(frozen=True, slots=True, eq=False)
class ActionRequest:
    """
    Apply an action to ranges of one target.

    Attributes:
        scheme_idx: Which scheme asks, from 0.

        action: What to do; a function of the user is called with this request.

        target_idx: Which target, from 0.

        ranges: int64, shape (nr_ranges, 2), ascending ``[start, end)``, in
            addresses of the regions (bytes divided by the address unit).

        nr_accesses: int64, shape (nr_ranges,): accesses per aggregation.

        age: int64, shape (nr_ranges,): aggregations, before the action.

        filters: Filters that are decided per page, in order.

        bypass: bool, shape (nr_ranges,): where *filters* do not apply, because
            a filter for whole regions has allowed the range.

        target_nid: Where migrations go, None if *dests* say.

        dests: Where migrations go, with weights.

        now_us: The time, in microseconds.
    """

    scheme_idx: int
    action: Action | UserFunction
    target_idx: int
    ranges: IntArray
    nr_accesses: IntArray
    age: IntArray
    filters: tuple[Filter, ...]
    bypass: BoolArray
    target_nid: int | None
    dests: tuple[Dest, ...]
    now_us: int

    @property
    def sizes(self) -> IntArray:
        """int64, shape (nr_ranges,): bytes per range."""
        sizes: IntArray = self.ranges[:, 1] - self.ranges[:, 0]
        return sizes

    def __len__(self) -> int:
        """Return the number of ranges."""
        return len(self.ranges)


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """
    What became of an ``ActionRequest``.

    Attributes:
        applied: int64, shape (nr_ranges,): bytes acted on, not negative. May
            exceed the range where a page does.

        passed: int64, shape (nr_ranges,): bytes that passed the filters, not
            negative.

        elapsed_ns: How long it took, not negative; charged to the time quota.

        has_failed: Whether the action broke down; what it did before counts.
    """

    applied: IntArray
    passed: IntArray
    elapsed_ns: int = 0
    has_failed: bool = False

    @classmethod
    def nothing(
        cls, request: ActionRequest, *, elapsed_ns: int = 0, has_failed: bool = False
    ) -> Applied:
        """Return the answer of an action that did nothing to *request*'s ranges."""
        # One array for both fields: answers are only read.
        zeros = np.zeros(len(request), np.int64)
        return cls(zeros, zeros, elapsed_ns, has_failed)


@dataclass(frozen=True, slots=True)
class MetricRequest:
    """
    Call a function of the user that measures something.

    Attributes:
        scheme_idx: Which scheme asks, from 0.

        metric: Called with *now_us*; returns a number.

        goal_idx: Which goal of its quota, from 0; None for its watermarks.

        now_us: The time, in microseconds.
    """

    scheme_idx: int
    metric: UserFunction
    goal_idx: int | None
    now_us: int


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What became of a ``MetricRequest``.

    Attributes:
        value: 0 to 2^64 - 1; None if the function failed or its result says
            nothing, and what was known before remains in force.
    """

    value: int | None


Request: TypeAlias = ActionRequest | MetricRequest
"""What the scheme engine may ask for."""

Answer: TypeAlias = Applied | Measured
"""``Applied`` to an ``ActionRequest``, ``Measured`` to a ``MetricRequest``."""


class Acting(ABC):
    """
    An operations set that can also act; without this, schemes only count.

    Nobody needs to inherit from it: every class with a method ``apply`` is one.
    It is no runtime-checkable protocol, because it is asked for in every apply
    round, and checking those takes as long as matching a thousand regions.
    """

    __slots__ = ()

    @classmethod
    def __subclasshook__(cls, subclass: type) -> Any:
        # Classes that inherit from it are asked for by name, as usual.
        if cls is not Acting:
            return NotImplemented
        return any("apply" in vars(base) for base in subclass.__mro__)

    @abstractmethod
    def apply(self, target: Target, request: ActionRequest) -> Applied:
        """
        Apply ``request.action`` to its ranges, page by page.

        Args:
            target: Whose memory.

            request: What to do where; its filters are this method's to obey.

        Returns:
            What was done. An action that is not supported does nothing.
        """


def measured(result: object) -> Measured:
    """
    Read what a metric of the user returned.

    Returns:
        Negative numbers become 0, huge ones and infinity 2^64 - 1; what is no
        number, or not a number (NaN), is None.
    """
    number = _number(result)
    if number is None:
        return Measured(None)
    # Cut off first: infinity is no int.
    return Measured(int(max(0, min(number, U64_MAX))))


def applied_by_user(request: ActionRequest, result: Any, elapsed_ns: int) -> Applied:
    """
    Read what an action of the user returned.

    Args:
        request: What it was called with.

        result: An ``Applied``; or bytes, in total (the first ranges were done)
            or one number per range; or None, which reports nothing done.

        elapsed_ns: How long it took; an ``Applied`` of its own does not change
            that, because a time quota must hold for slow functions.

    Returns:
        Bytes outside of 0 to the size of their range are cut off there. What
        cannot be read is an action that failed.
    """
    # Whatever it is, reading it must not raise: the driver has a round to finish.
    applied, passed, has_failed = result, None, False
    if result is None:
        applied = 0
    elif isinstance(result, Applied):
        applied, passed, has_failed = result.applied, result.passed, result.has_failed
    if _is_number(applied):
        applied = _spread(request, applied)
    return _bounded(request, applied, passed, elapsed_ns, has_failed)


def _bounded(
    request: ActionRequest, applied: object, passed: object, elapsed_ns: int, has_failed: bool
) -> Applied:
    # What could be read counts even if the rest could not: it was done.
    done, is_sound = _bytes_within(request.sizes, applied)
    seen = np.zeros_like(done)
    if passed is not None:
        seen, is_sound_too = _bytes_within(request.sizes, passed)
        is_sound &= is_sound_too
    return Applied(done, seen, elapsed_ns, has_failed or not is_sound)


def _bytes_within(sizes: IntArray, values: object) -> tuple[IntArray, bool]:
    """Cut *values* off at 0 and *sizes*; also tell if they are one number per range."""
    numbers: list[int | float | None] = []
    if isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.ndim == 1):
        numbers = [_number(value) for value in values]
    # With too few or too many, nobody knows which number means which range.
    if len(numbers) != len(sizes):
        return np.zeros_like(sizes), False
    within = [
        int(max(0, min(number or 0, size)))
        for number, size in zip(numbers, sizes.tolist(), strict=True)
    ]
    return np.array(within, np.int64), None not in numbers


def _spread(request: ActionRequest, total: object) -> list[int] | None:
    """Share a total out to the ranges, from the first one on."""
    left = measured(total).value
    if left is None:
        return None
    # From the front: that is the order in which one works through ranges.
    shares = []
    for size in request.sizes.tolist():
        shares.append(min(left, size))
        left -= shares[-1]
    return shares


def _is_number(value: object) -> bool:
    # Arrays turn into floats, too, if they happen to have one element.
    return isinstance(value, SupportsFloat) and not isinstance(value, (bool, np.ndarray))


def _number(value: Any) -> int | float | None:
    """Return a number that Python itself can compare; None if it is none."""
    if not _is_number(value):
        return None
    if isinstance(value, (int, np.integer)):
        return int(value)
    try:
        number = float(value)
    except OverflowError:
        # A fraction may be larger than any float.
        return math.inf if value > 0 else -math.inf
    except ValueError:
        # A decimal may be a signal instead of a number.
        return None
    return None if math.isnan(number) else number
