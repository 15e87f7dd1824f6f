from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError

import pytest
from structlog.testing import capture_logs

from damon_async.engine.clock import RealClock
from damon_async.engine.engine import Damon
from damon_async.engine.life import KdamondState
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import InvalidError
from damon_async.params.monitoring import Intervals

from .worlds import AGGR_US, Memory, endless, over_at_once, turns, watched


async def test_life_of_a_kdamond() -> None:
    """A kdamond runs from its start to its stop, in a task of its name."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        assert (kdamond.name, kdamond.state) == ("kdamond.0", KdamondState.RUNNING)
        assert kdamond.is_running
        assert "kdamond.0" in {task.get_name() for task in asyncio.all_tasks()}
        await damon.stop([kdamond])
        assert (kdamond.is_running, kdamond.state) == (False, KdamondState.STOPPED)
        assert "kdamond.0" not in {task.get_name() for task in asyncio.all_tasks()}
        assert kdamond.error is None


async def test_names_count_what_runs() -> None:
    """N of kdamond.N is how many ran when it was made; names may come again."""
    async with Damon(clock=VirtualClock()) as damon:
        first, second = await damon.start([endless(), endless()])
        [third] = await damon.start([endless()])
        assert [each.name for each in damon.kdamonds] == ["kdamond.0", "kdamond.1", "kdamond.2"]
        await damon.stop([first])
        [fourth] = await damon.start([endless()])
        assert fourth.name == third.name == "kdamond.2"
        assert damon.kdamonds == (second, third, fourth)


async def test_ends_by_itself() -> None:
    """When its last target vanishes the kdamond ends, and says so."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([watched(Memory(lifetime=250_000))])
        await kdamond.wait()
        assert damon.clock.now_us() == 250_000
        assert kdamond.state is KdamondState.FINISHED
        assert damon.nr_running == 0


async def test_stop_does_not_wait_for_the_tick() -> None:
    """A stop takes no virtual time, whatever the sampling interval is."""
    async with Damon(clock=VirtualClock()) as damon:
        day_us = 86_400_000_000
        [kdamond] = await damon.start([endless(intervals=Intervals(day_us, day_us))])
        await damon.stop([kdamond])
        assert damon.clock.now_us() == 0


async def test_stop_while_time_is_held() -> None:
    """A kdamond can be stopped although somebody else holds time."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        stop = asyncio.create_task(damon.stop([kdamond]))
        with damon.clock.hold("the test"):
            await turns()
            assert stop.done()


async def test_stop_right_after_start() -> None:
    """A stop that comes as early as it can leaves the gate open (P1)."""
    async with Damon(clock=VirtualClock()) as damon:
        for _ in range(5):
            [kdamond] = await damon.start([endless()], exclusive=True)
            kdamond.stop_nowait()
            await kdamond.wait()
            assert (damon.nr_running, damon.running_exclusive) == (0, False)


async def test_epilogue_runs_once() -> None:
    """Whoever else comes to end a kdamond finds it done, and the gate is not told twice."""
    async with Damon(clock=VirtualClock()) as damon:
        kdamond, _ = await damon.start([endless(), endless()])
        await damon.stop([kdamond])
        kdamond._end(KdamondState.CANCELED)
        await kdamond.run()
        assert (kdamond.state, damon.nr_running) == (KdamondState.STOPPED, 1)


async def test_wait_after_the_end_returns() -> None:
    """Waiting for a kdamond that has ended returns at once, stopping it does nothing."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([over_at_once()])
        await kdamond.wait()
        await kdamond.wait()
        kdamond.stop_nowait()
        assert kdamond.state is KdamondState.FINISHED


async def test_broken_memory_ends_its_kdamond_only() -> None:
    """An exception of an operations set ends its own kdamond, and is kept and logged."""
    with capture_logs() as logs:
        async with Damon(clock=VirtualClock()) as damon:
            broken, sound = await damon.start(
                [watched(Memory(fails_at_us=120_000)), watched()], exclusive=True
            )
            await broken.wait()
            assert broken.state is KdamondState.FAILED
            assert (damon.nr_running, damon.running_exclusive) == (1, True)
            await damon.clock.sleep(1)
            assert sound.state is KdamondState.RUNNING
    assert str(broken.error) == "this memory is broken"
    failures = [log for log in logs if log["log_level"] == "error"]
    assert failures == [
        {
            "event": "kdamond failed",
            "log_level": "error",
            "kdamond": "kdamond.0",
            "context": "Memory",
            "exc_info": broken.error,
        }
    ]


async def test_events_name_kdamond_and_context() -> None:
    """Beginning, commit and end are logged with the kdamond and its context bound."""
    with capture_logs() as logs:
        async with Damon(clock=VirtualClock()) as damon:
            [kdamond] = await damon.start([endless()])
            await kdamond.commit(endless())
    assert [log["event"] for log in logs] == [
        "kdamond began",
        "kdamond committed",
        "kdamond stopped",
    ]
    assert all((log["kdamond"], log["context"]) == ("kdamond.0", "paddr") for log in logs)


async def test_broken_logger_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logger that raises is nobody's end."""

    class Broken:
        def bind(self, **values: object) -> Broken:
            return self

        def info(self, event: str, **values: object) -> None:
            msg = "disk full"
            raise OSError(msg)

        error = info

    monkeypatch.setattr("structlog.get_logger", Broken)
    async with Damon(clock=VirtualClock()) as damon:
        broken, sound = await damon.start([watched(Memory(fails_at_us=1)), endless()])
        await broken.wait()
        assert (sound.is_running, damon.nr_running) == (True, 1)


async def test_statistics() -> None:
    """Statistics count ticks, wakes and snapshots, and are a value."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        await damon.clock.sleep_us(3 * AGGR_US)
        now = kdamond.statistics()
        assert (now.nr_ticks, now.nr_wakes, now.nr_snapshots) == (60, 4, 3)
        assert (now.nr_overruns, now.max_late_us, now.nr_lost_ticks) == (0, 0, 0)
        with pytest.raises(FrozenInstanceError, match="nr_ticks"):
            now.nr_ticks = 0  # type: ignore[misc]


async def test_real_time_counts_overruns() -> None:
    """A kdamond that is slower than its intervals keeps its deadlines and counts."""
    now_us = 0
    clock = RealClock(monotonic_ns=lambda: now_us * 1000)

    def take_long(_: int) -> None:
        nonlocal now_us
        now_us += 12_000

    async with Damon(clock=clock) as damon:
        memory = Memory(pure=False, looks=[take_long])
        [kdamond] = await damon.start([watched(memory)])
        now_us = 5_000
        snapshot = await anext(kdamond.snapshots())
        now = kdamond.statistics()
    assert now.nr_overruns == now.nr_wakes - 1
    assert now.max_late_us >= 7_000
    assert now.nr_lost_ticks > 0
    assert now.nr_ticks + now.nr_lost_ticks == snapshot.end_ns // 1000 // 5_000


async def test_one_that_cannot_keep_up_can_be_stopped() -> None:
    """What takes longer than it has never does more than an aggregation at a time."""
    now_us = 0
    clock = RealClock(monotonic_ns=lambda: now_us * 1000)
    looked_us: list[int] = []

    def take_thrice(until_us: int) -> None:
        nonlocal now_us
        now_us += 3 * (until_us - (looked_us[-1] if looked_us else 0))
        looked_us.append(until_us)

    async with Damon(clock=clock) as damon:
        [kdamond] = await damon.start([watched(Memory(looks=[take_thrice]))])
        now_us = AGGR_US
        snapshots = kdamond.snapshots()
        # Each time over, what has to be done would have grown threefold.
        for _ in range(8):
            await anext(snapshots)
        late = kdamond.statistics()
        await damon.stop([kdamond])
    assert late.nr_snapshots <= late.nr_wakes
    assert late.max_late_us > AGGR_US


async def test_repr_tells_state_and_error() -> None:
    """A kdamond prints its name, its state, what went wrong, and how far it is."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([watched(Memory(fails_at_us=1))])
        assert repr(kdamond).startswith("<Kdamond kdamond.0 running, <Monitor running tick 0 at 0")
        await kdamond.wait()
        assert repr(kdamond).startswith(
            "<Kdamond kdamond.0 failed, OSError('this memory is broken'), <Monitor ended"
        )


async def test_context_that_makes_no_sense() -> None:
    """A context whose operations set refuses its target does not start."""
    refusal = InvalidError("there is no such memory")
    async with Damon(clock=VirtualClock()) as damon:
        with pytest.raises(InvalidError, match="there is no such memory"):
            await damon.start([watched(Memory(refuses=refusal))])
        assert damon.nr_running == 0
