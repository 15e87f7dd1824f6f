"""Driving the scheme engine without a monitor: whoever answers is a plain function."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from damon_async.operations.requests import (
    ActionRequest,
    Answer,
    Applied,
    Measured,
    MetricRequest,
    Request,
)
from damon_async.params.intervals import Intervals
from damon_async.params.schemes import Scheme
from damon_async.regions.table import RegionTable
from damon_async.schemes.moment import Moment
from damon_async.schemes.schemes import Schemes

PAGE = 4096

SECOND = 1_000_000

INTERVALS = Intervals(5_000, 100_000)
"""Twenty samples per aggregation."""

Result = TypeVar("Result")
Act = Callable[[ActionRequest], Applied]
Measure = Callable[[MetricRequest], Measured]


def do_all(request: ActionRequest) -> Applied:
    """Succeed with every byte."""
    return Applied(request.sizes, request.sizes)


def do_nothing(request: ActionRequest) -> Applied:
    """Do nothing, in no time."""
    return Applied.nothing(request)


def know_nothing(request: MetricRequest) -> Measured:
    """Fail to measure."""
    del request
    return Measured(None)


def drive(
    round_: Generator[Request, Answer, Result] | Generator[MetricRequest, Answer, Result],
    act: Act = do_all,
    measure: Measure = know_nothing,
) -> Result:
    """Answer everything that is asked for, and return what comes out in the end."""
    try:
        request: Request = next(round_)
        while True:
            answer: Answer = (
                act(request) if isinstance(request, ActionRequest) else measure(request)
            )
            request = round_.send(answer)
    except StopIteration as stop:
        result: Result = stop.value
        return result


class Bench:
    """Schemes over a table, with a clock of their own and a record of what was served."""

    def __init__(self, *schemes: Scheme, table: RegionTable, unit: int = PAGE) -> None:
        self.schemes = Schemes(schemes, INTERVALS, unit)
        self.table = table
        self.unit = unit
        self.now_us = 0
        self.served: list[tuple[int, int, int, int]] = []
        """Scheme, target, start and end of each range asked for, in units."""

    def run(self, act: Act = do_all, measure: Measure = know_nothing, **more: Any) -> None:
        """Do one apply round of all schemes, one aggregation after the last one."""
        self.now_us += INTERVALS.aggr_us

        def watched(request: ActionRequest) -> Applied:
            for start, end in (request.ranges // self.unit).tolist():
                self.served.append((request.scheme_idx, request.target_idx, start, end))
            return act(request)

        moment = Moment(
            self.now_us,
            self.now_us // INTERVALS.sample_us,
            INTERVALS,
            min_region_sz=self.unit,
            **more,
        )
        drive(
            self.schemes.apply(self.table, self.table.nr_accesses.copy(), moment), watched, measure
        )

    def take(self) -> list[tuple[int, int, int, int]]:
        """Return what was served since the last call."""
        served, self.served = self.served, []
        return served
