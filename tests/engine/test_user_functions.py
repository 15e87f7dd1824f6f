"""Functions of the user in schemes: sync or async, slow, hung, broken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from structlog.testing import capture_logs

from damon_async.engine.engine import Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.operations.requests import ActionRequest
from damon_async.params.monitoring import AddressRange, Context, Target
from damon_async.params.quotas import Goal, Quotas, Watermarks
from damon_async.params.schemes import Scheme
from damon_async.schemes.stats import SchemeStats

from ..monitor.doubles import Still

PAGE = 4096
SIZE = 100 * PAGE

Action = Callable[[ActionRequest], object]


def context_of(*schemes: Scheme) -> Context:
    """Return a context over a hundred pages."""
    target = Target(regions=[AddressRange(0, SIZE)], space=Still(hot=[(0, 10)]))
    return Context(ops="paddr", targets=[target], schemes=schemes)


async def run(
    *schemes: Scheme, clock: VirtualClock | None = None, until_us: int = 250_000
) -> Kdamond:
    """Run schemes for a while, and return the kdamond that did."""
    clock = clock or VirtualClock()
    async with Damon(clock=clock, seed=1, user_deadline_us=50_000) as damon:
        [kdamond] = await damon.start([context_of(*schemes)])
        await clock.sleep_until(until_us)
    return kdamond


def stats_of(kdamond: Kdamond, index: int = 0) -> SchemeStats:
    """Return the statistics of a scheme."""
    return kdamond.schemes.states[index].stats


async def test_sync_action() -> None:
    """A plain function is called with the request, and what it returns is applied."""
    seen: list[int] = []

    def action(request: ActionRequest) -> int:
        seen.append(int(request.sizes.sum()))
        return PAGE

    kdamond = await run(Scheme(action=action))
    assert seen == [SIZE, SIZE]
    assert stats_of(kdamond).sz_applied == 2 * PAGE


async def test_async_action_in_virtual_time() -> None:
    """An async action that waits for the clock takes virtual time, and is charged for it."""
    clock = VirtualClock()

    async def action(request: ActionRequest) -> int:
        await clock.sleep_us(20_000)
        return int(request.sizes.sum())

    kdamond = await run(Scheme(action=action), clock=clock)
    assert stats_of(kdamond).sz_applied == 2 * SIZE
    assert kdamond.schemes.states[0].quota.total_charged_ns == 40_000_000


async def test_async_action_that_takes_no_virtual_time() -> None:
    """While an action waits for anything but the clock, virtual time stands still."""
    clock = VirtualClock()
    times: list[int] = []

    async def action(request: ActionRequest) -> None:
        began_us = clock.now_us()
        for _ in range(50):
            await asyncio.sleep(0)
        times.append(clock.now_us() - began_us)

    await run(Scheme(action=action), clock=clock)
    assert times == [0, 0]


async def test_action_that_takes_too_long() -> None:
    """An action that is not done at its deadline is cancelled, counted and logged."""
    clock = VirtualClock()
    cancelled: list[bool] = []

    async def action(request: ActionRequest) -> None:
        try:
            await clock.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with capture_logs() as logs:
        kdamond = await run(Scheme(action=action), clock=clock)
    assert len(cancelled) == stats_of(kdamond).nr_failed == 2
    assert kdamond.error is None
    errors = [each["error"] for each in logs if "error" in each]
    assert errors[0] == "TimeoutError('it took longer than 50000 us')"


@pytest.mark.parametrize("is_async", [False, True])
async def test_action_that_raises(*, is_async: bool) -> None:
    """An action that raises harms neither the kdamond nor the schemes behind it."""

    def broken(request: ActionRequest) -> object:
        raise RuntimeError("broken")

    async def broken_later(request: ActionRequest) -> object:
        await asyncio.sleep(0)
        raise RuntimeError("broken")

    kdamond = await run(Scheme(action=broken_later if is_async else broken), Scheme())
    assert kdamond.error is None
    assert (stats_of(kdamond).nr_failed, stats_of(kdamond).sz_applied) == (2, 0)
    assert stats_of(kdamond, 1).sz_tried == 2 * SIZE


@pytest.mark.parametrize("result", [float("nan"), -5, 1e300, "much", [1, 2, 3], object()])
async def test_action_with_a_senseless_result(result: object) -> None:
    """Whatever an action returns, between nothing and all of the range is applied."""
    kdamond = await run(Scheme(action=lambda request: result))
    assert kdamond.error is None
    assert 0 <= stats_of(kdamond).sz_applied <= 2 * SIZE


async def test_stop_cancels_an_action() -> None:
    """A kdamond that is stopped while an action hangs ends, and cancels it."""
    clock = VirtualClock()
    hung = anyio.Event()

    async def action(request: ActionRequest) -> None:
        hung.set()
        await anyio.sleep_forever()

    async with Damon(clock=clock, seed=1) as damon:
        [kdamond] = await damon.start([context_of(Scheme(action=action))])
        await hung.wait()
        await damon.stop([kdamond])
        assert damon.nr_running == 0


async def test_action_that_stops_its_own_kdamond() -> None:
    """An action may ask its kdamond to end, which it does after the action."""
    async with Damon(clock=VirtualClock(), seed=1) as damon:
        started: list[Kdamond] = []

        def action(request: ActionRequest) -> None:
            started[0].stop_nowait()

        started += await damon.start([context_of(Scheme(action=action))])
        await started[0].wait()
        assert damon.nr_running == 0


async def test_siblings_go_on_while_an_action_waits() -> None:
    """While one kdamond's action sleeps on the clock, others go on monitoring."""
    clock = VirtualClock()

    async def action(request: ActionRequest) -> None:
        await clock.sleep_us(900_000)

    async with Damon(clock=clock, seed=1, user_deadline_us=10_000_000) as damon:
        slow, quick = await damon.start([context_of(Scheme(action=action)), context_of()])
        await clock.sleep_until(950_000)
        assert slow.statistics().nr_snapshots == 0
        assert quick.statistics().nr_snapshots == 9


def plain_metric(now_us: int) -> int:
    """Return half of the goal."""
    return 5_000


async def async_metric(now_us: int) -> int:
    """Return half of the goal, later."""
    await asyncio.sleep(0)
    return 5_000


@pytest.mark.parametrize("metric", [plain_metric, async_metric])
async def test_goal_metrics(metric: Callable[[int], int | Awaitable[int]]) -> None:
    """A goal may be measured by a function of the user, sync or async (E28: half is met)."""
    goal = Goal(metric, 10_000)
    quotas = Quotas(reset_interval_ms=100, goals=[goal])
    kdamond = await run(Scheme(action="pageout", quotas=quotas))
    # 10000 grows by a half of itself, twice.
    assert kdamond.schemes.states[0].quota.esz_bp == 22_500


@pytest.mark.parametrize("result", [float("nan"), None, "half", RuntimeError("broken")])
async def test_goal_metric_that_says_nothing(result: object) -> None:
    """A metric that fails or says nothing is counted, and the kdamond goes on."""

    def metric(now_us: int) -> object:
        if isinstance(result, Exception):
            raise result
        return result

    quotas = Quotas(reset_interval_ms=100, goals=[Goal(metric, 10_000)])
    kdamond = await run(Scheme(action="pageout", quotas=quotas))
    assert kdamond.error is None
    assert stats_of(kdamond).nr_unmeasured == 2


async def test_watermark_metric() -> None:
    """Watermarks may be measured by a function of the user; below the low one all sleep."""
    marks = Watermarks(lambda now_us: 0, 100_000, 900, 800, 100)
    kdamond = await run(Scheme(watermarks=marks))
    assert kdamond.statistics().nr_ticks == 0
