from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import BusyError, CanceledError, InvalidError, NoMemoryError, SelfStopError
from damon_async.modules.lru_sort import LruSort
from damon_async.modules.reclaim import Reclaim
from damon_async.modules.stat import INTERVALS, Estimates, Stat
from damon_async.params.monitoring import Context, Ops

from .worlds import AGGR_US, GIB, MIB, Console, Gauge, Ram, open_console

EAGER = Reclaim(min_age="1 s", wmarks_interval="1 s")


async def test_enable() -> None:
    """A preset is started alone by the engine, and its handle knows what became of it."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        assert handle.preset is EAGER
        assert (handle.region.start, handle.region.end) == (GIB, GIB + 64 * MIB)
        assert console.damon.running_exclusive
        assert "enabled" in repr(handle)
        await console.passes(5_000_000)
        assert handle.statistics()["bytes_reclaim_tried_regions"] > 0
        await handle.disable()
        await handle.disable()
        assert "disabled" in repr(handle)
        assert handle.statistics()["bytes_reclaim_tried_regions"] > 0


async def test_busy() -> None:
    """A second preset is refused, and nothing changes."""
    async with open_console() as console:
        await console.damon.enable(LruSort(), console.ram)
        with pytest.raises(BusyError, match="exclusive"):
            await console.damon.enable(Stat(), console.ram)
        assert console.damon.nr_running == 1


async def test_waiting() -> None:
    """With wait, a preset queues until all others have ended."""
    async with open_console() as console:
        [kdamond] = await console.damon.start([Context(ops=Ops.PADDR)])
        waiting = asyncio.create_task(console.damon.enable(EAGER, console.ram, wait=True))
        await console.passes(AGGR_US)
        assert not waiting.done()
        # Who comes later and would fit does not overtake it.
        with pytest.raises(BusyError, match="cannot start"):
            await console.damon.start([Context(ops=Ops.PADDR)])
        await console.damon.stop([kdamond])
        handle = await waiting
        assert handle.is_enabled


async def test_nothing_to_monitor() -> None:
    """Without memory RECLAIM is EINVAL, and STAT has no memory to set itself up (5.4)."""
    async with open_console() as console:
        with pytest.raises(InvalidError, match="no physical memory"):
            await console.damon.enable(EAGER, Ram([]))
        with pytest.raises(NoMemoryError, match="DAMON_STAT"):
            await console.damon.enable(Stat(), Ram([]))
        assert console.damon.nr_running == 0


async def test_commit() -> None:
    """A commit has other parameters apply from the next tick on, and waits for that."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        await console.passes(5_000_000)
        before = handle.statistics()
        later = Reclaim(min_age="30 s", monitor_region_start=GIB, monitor_region_end=GIB + MIB)
        await handle.commit(later)
        assert handle.preset is later
        assert (handle.region.start, handle.region.end) == (GIB, GIB + MIB)
        assert handle.kdamond.schemes.states[0].pattern.min_age == 300
        assert handle.statistics() == before


async def test_bad_commit() -> None:
    """A commit that cannot be carried out leaves all as it was, and the module running."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        with pytest.raises(InvalidError, match="end"):
            await handle.commit(Reclaim(monitor_region_start=1, monitor_region_end=2**63))
        assert handle.preset is EAGER
        assert handle.is_enabled


async def test_commit_after_the_end() -> None:
    """A module that has ended takes no parameters any more."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        await handle.disable()
        with pytest.raises(CanceledError, match="ended"):
            await handle.commit(EAGER)
        with pytest.raises(CanceledError, match="ended"):
            handle.commit_later(lambda: EAGER)


async def test_commit_later() -> None:
    """A later commit is applied at the end of the aggregation under way."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        await console.passes(AGGR_US // 2)
        other = Reclaim(min_age="2 s")
        handle.commit_later(lambda: other)
        await console.passes(AGGR_US // 4)
        assert handle.preset is EAGER
        await console.passes(AGGR_US // 4)
        assert handle.preset is other


async def test_commit_later_while_asleep() -> None:
    """Asleep because of its watermarks, a module looks at new parameters at once."""
    async with open_console() as console:
        console.gauge.free_permil = 900
        handle = await console.damon.enable(EAGER, console.ram)
        await console.passes(AGGR_US)
        other = Reclaim(min_age="2 s")
        handle.commit_later(lambda: other)
        await console.passes(1)
        assert handle.preset is other


async def test_nothing_to_commit_later() -> None:
    """If there is nothing to be applied after all, nothing is."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        handle.commit_later(lambda: None)
        await console.passes(2 * AGGR_US)
        assert handle.preset is EAGER


async def test_bad_commit_later() -> None:
    """Parameters that make no sense when they are read stop the module."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        handle.commit_later(lambda: Reclaim(monitor_region_end=2**63))
        await console.passes(2 * AGGR_US)
        assert not handle.is_enabled


async def test_not_from_inside() -> None:
    """A module cannot wait for its own end."""
    async with open_console() as console:
        handle = await console.damon.enable(EAGER, console.ram)
        with pytest.raises(SelfStopError, match="inside"):
            await handle.kdamond.call(lambda _: handle.disable().send(None))


async def _stat_after(console: Console, seconds: int) -> Estimates:
    handle = await console.damon.enable(Stat(), console.ram)
    await console.passes(seconds * 1_000_000)
    return handle.estimates


async def test_stat_context() -> None:
    """STAT has no scheme, and tunes its intervals for 4 % of accesses (5.4)."""
    context = Stat().context(Ram())
    assert context.schemes == ()
    assert context.intervals is INTERVALS
    goal = INTERVALS.intervals_goal
    assert (INTERVALS.sample_us, INTERVALS.aggr_us) == (5_000, 100_000)
    assert INTERVALS.update_us == 60_000_000
    assert (goal.access_bp, goal.aggrs) == (400, 3)
    assert (goal.min_sample_us, goal.max_sample_us) == (5_000, 10_000_000)
    assert (context.nr_regions.min, context.nr_regions.max) == (10, 1000)


async def test_stat_is_never_early() -> None:
    """For five seconds STAT says nothing, and after it something true of the newest regions."""
    async with open_console() as console:
        handle = await console.damon.enable(Stat(), console.ram)
        assert handle.is_enabled
        seen = [(0, handle.estimates)]
        for _ in range(400):
            await console.passes(AGGR_US)
            if handle.estimates is not seen[-1][1]:
                seen.append((console.clock.now_us(), handle.estimates))
        assert seen[0][1] == Estimates()
        times = [now_us for now_us, _ in seen]
        assert all(later - earlier > 5_000_000 for earlier, later in pairwise(times))
        assert len(seen) >= 5


async def test_stat_tunes() -> None:
    """Over idle memory the intervals grow, and idle times are counted in what is in use."""
    async with open_console(ram=Ram([(0, 64 * MIB)])) as console:
        estimates = await _stat_after(console, 600)
        assert estimates.aggr_interval_us > AGGR_US
        assert estimates.estimated_memory_bandwidth == 0
        # Idle ever since it was enabled, up to the aggregation that was used.
        assert estimates.memory_idle_ms_percentiles[0] > 300_000
        assert estimates.memory_idle_ms_percentiles[-1] <= 620_000


async def test_stat_asks_seldom() -> None:
    """Estimates cost STAT next to no wakes: aggregations stay whole windows."""
    async with open_console() as console:
        handle = await console.damon.enable(Stat(), console.ram)
        await console.passes(60_000_000)
        statistics = handle.kdamond.statistics()
        assert statistics.nr_wakes < statistics.nr_snapshots * 1.2


async def test_modules_wake_seldom() -> None:
    """An update interval of 0 does not make every tick a window: memory never moves."""
    clock = VirtualClock()
    async with Damon(clock=clock, seed=1, metrics=Gauge()) as damon:
        handle = await damon.enable(EAGER, Ram())
        await clock.sleep(10)
        statistics = handle.kdamond.statistics()
        assert statistics.nr_snapshots in {99, 100}
        assert statistics.nr_wakes <= 101
