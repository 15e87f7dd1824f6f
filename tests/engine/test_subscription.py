from __future__ import annotations

import asyncio
import gc
from itertools import pairwise

import anyio
import numpy as np
import pytest

from damon_async.engine.clock import RealClock
from damon_async.engine.engine import Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.subscription import Mailbox, Subscription
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import BusyError, InvalidError
from damon_async.params.monitoring import Intervals
from damon_async.records.snapshot import Snapshot
from damon_async.testing.sweeps import Means, cancelled_at

from .worlds import AGGR_US, Memory, endless, turns, watched


def ends_us(snapshots: list[Snapshot]) -> list[int]:
    """Return when each snapshot was published, in aggregation intervals."""
    return [snapshot.end_ns // 1000 // AGGR_US for snapshot in snapshots]


async def taken(subscription: Subscription, nr: int) -> list[Snapshot]:
    """Return the next *nr* snapshots."""
    return [await anext(subscription) for _ in range(nr)]


async def test_lossless_gets_every_snapshot() -> None:
    """A lossless subscriber that takes its time sees each snapshot, one per aggregation."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        seen: list[Snapshot] = []
        async with kdamond.snapshots(lossless=True) as snapshots:
            async for snapshot in snapshots:
                seen.append(snapshot)
                await turns(50)
                assert damon.clock.now_us() == snapshot.end_ns // 1000
                if len(seen) == 5:
                    break
        assert ends_us(seen) == [1, 2, 3, 4, 5]
        assert snapshots.nr_dropped == 0


async def test_newest_are_kept() -> None:
    """A slow subscriber finds the newest snapshots, and is told how many it missed."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        snapshots = kdamond.snapshots(buffer=3)
        await damon.clock.sleep_us(10 * AGGR_US)
        assert snapshots.nr_buffered == 3
        assert snapshots.nr_dropped == 7
        assert ends_us(await taken(snapshots, 4)) == [8, 9, 10, 11]
        assert kdamond.statistics().nr_dropped == 7


async def test_by_default_one_is_kept() -> None:
    """Without more words, a slow subscriber finds the one newest snapshot."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        snapshots = kdamond.snapshots()
        await damon.clock.sleep_us(4 * AGGR_US)
        assert ends_us(snapshots.drain()) == [4]
        assert snapshots.drain() == []


async def test_prompt_subscriber_misses_nothing() -> None:
    """A subscriber that comes back within a few turns of the loop misses nothing."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        seen = await taken(kdamond.snapshots(), 20)
        assert ends_us(seen) == list(range(1, 21))


async def test_bad_buffers_are_refused() -> None:
    """A buffer is at least 1, and lossless subscriptions have none."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        with pytest.raises(InvalidError, match="buffer is 0; at least 1"):
            kdamond.snapshots(buffer=0)
        with pytest.raises(InvalidError, match="lossless subscription keeps everything"):
            kdamond.snapshots(lossless=True, buffer=5)
        assert kdamond.statistics().nr_subscribers == 0


async def test_ends_with_the_kdamond() -> None:
    """When the kdamond has ended, what is buffered is still read, then iteration ends."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([watched(Memory(lifetime=3 * AGGR_US))])
        snapshots = kdamond.snapshots(lossless=True)
        await kdamond.wait()
        assert repr(snapshots) == "<Subscription ended, lossless, 3 buffered>"
        assert ends_us([snapshot async for snapshot in snapshots]) == [1, 2, 3]
        assert [snapshot async for snapshot in snapshots] == []


async def test_waiting_subscriber_is_told_of_the_end() -> None:
    """A subscriber that waits when the kdamond is stopped sees iteration end."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])

        async def read_all() -> list[Snapshot]:
            return [snapshot async for snapshot in kdamond.snapshots()]

        reader = asyncio.create_task(read_all())
        await damon.clock.sleep_us(2 * AGGR_US + 1)
        await damon.stop([kdamond])
        assert ends_us(await reader) == [1, 2]


async def test_subscribing_too_late() -> None:
    """A subscription to a kdamond that has ended is over at once."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        await damon.stop([kdamond])
        assert [snapshot async for snapshot in kdamond.snapshots(lossless=True)] == []


async def test_two_kdamonds_in_lockstep() -> None:
    """One task may read two lossless subscriptions in turns without holding up itself."""
    async with Damon(clock=VirtualClock()) as damon:
        slow = Intervals(aggr_us=2 * AGGR_US)
        first, second = await damon.start([endless(), endless(intervals=slow)])
        async with first.snapshots(lossless=True) as a, second.snapshots(lossless=True) as b:
            async for snapshot in b:
                assert ends_us(await taken(a, 2))[1] == snapshot.end_ns // 1000 // AGGR_US
                if damon.clock.now_us() >= 10 * AGGR_US:
                    break
        assert damon.clock.now_us() == 10 * AGGR_US


async def test_reader_may_commit_and_sleep() -> None:
    """A lossless reader may commit, call and sleep while it has a snapshot in hand."""
    async with Damon(clock=VirtualClock()) as damon:
        context = endless()
        [kdamond] = await damon.start([context])
        async with kdamond.snapshots(lossless=True) as snapshots:
            await anext(snapshots)
            await kdamond.commit(context)
            await kdamond.call(lambda monitor: None)
            assert damon.clock.now_us() == AGGR_US + 10_000
            await asyncio.wait_for(damon.clock.sleep_us(5 * AGGR_US), timeout=20)
            assert snapshots.nr_buffered == 5
            assert ends_us(await taken(snapshots, 6)) == [2, 3, 4, 5, 6, 7]


async def test_cancelled_wait_loses_nothing() -> None:
    """A snapshot that arrives as its reader is cancelled is there for the next reader."""
    for when in Means:
        async with Damon(clock=VirtualClock()) as damon:
            [kdamond] = await damon.start([endless()])
            snapshots = kdamond.snapshots(lossless=True)
            outcome = await cancelled_at(snapshots.__anext__(), 1, when)
            assert outcome.was_cancelled
            assert "held" not in repr(damon.clock)
            first = 2 if outcome.has_completed else 1
            assert ends_us(await taken(snapshots, 2)) == [first, first + 1]


async def test_time_is_held_from_waking_on() -> None:
    """Time is held for a lossless reader as soon as it is woken, before it runs."""
    clock = VirtualClock()
    mailbox = Mailbox(clock, None, "kdamond.0", lambda _: None)
    mailbox.waiter = asyncio.get_running_loop().create_future()
    nothing = np.zeros(0, np.int64)
    mailbox.put(Snapshot(0, 1, 1, 1, nothing, nothing, nothing, nothing, nothing))
    assert mailbox.waiter.done()
    assert "held by a subscriber of kdamond.0" in repr(clock)
    mailbox.close()
    assert "held" not in repr(clock)


async def test_timeouts_lose_nothing() -> None:
    """Waiting under ever new timeouts, each in a task of its own, sees every snapshot."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        snapshots = kdamond.snapshots(lossless=True)
        seen = [await asyncio.wait_for(anext(snapshots), 20) for _ in range(5)]
        assert ends_us(seen) == [1, 2, 3, 4, 5]


async def test_one_reader_at_a_time() -> None:
    """A second task that waits on the same subscription is refused."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        snapshots = kdamond.snapshots()
        with damon.clock.hold("the test"):
            reader = asyncio.create_task(taken(snapshots, 1))
            await asyncio.sleep(0)
            with pytest.raises(BusyError, match="another task waits on the same subscription"):
                await anext(snapshots)
        assert ends_us(await reader) == [1]


async def test_dropped_subscription_closes() -> None:
    """A subscription that nobody has any more is closed, and time is not held for it."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        async for _ in kdamond.snapshots(lossless=True):
            break
        gc.collect()
        await damon.clock.sleep_us(10 * AGGR_US)
        assert kdamond.statistics().nr_subscribers == 0


async def test_time_is_not_held_after_the_end() -> None:
    """A snapshot in hand when its kdamond ends does not hold the time of other kdamonds."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        snapshots = kdamond.snapshots(lossless=True)
        await anext(snapshots)
        assert "held by a subscriber of kdamond.0" in repr(damon.clock)
        await damon.stop([kdamond])
        assert "held" not in repr(damon.clock)


async def test_crashed_reader_holds_nobody() -> None:
    """When a lossless reader dies with a snapshot in hand, time goes on."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])

        async def crash() -> None:
            async for _ in kdamond.snapshots(lossless=True):
                msg = "the reader is broken"
                raise OSError(msg)

        reader = asyncio.create_task(crash())
        await damon.clock.sleep_us(10 * AGGR_US)
        assert damon.clock.now_us() == 10 * AGGR_US
        assert kdamond.is_running
        with pytest.raises(OSError, match="the reader is broken"):
            await reader


async def test_cancelled_reader_holds_nobody() -> None:
    """When a lossless reader is cancelled with a snapshot in hand, time goes on."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        with anyio.CancelScope() as scope:
            async with kdamond.snapshots(lossless=True) as snapshots:
                async for _ in snapshots:
                    scope.cancel()
        await damon.clock.sleep_us(10 * AGGR_US)
        assert kdamond.statistics().nr_subscribers == 0


async def test_closing_ends_a_wait() -> None:
    """Closing a subscription ends the iteration of the task that waits on it."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        snapshots = kdamond.snapshots(lossless=True)

        async def read_all() -> list[Snapshot]:
            return [snapshot async for snapshot in snapshots]

        with damon.clock.hold("the test"):
            reader = asyncio.create_task(read_all())
            await turns(2)
            snapshots.close()
            snapshots.close()
            assert await reader == []


async def test_subscribers_do_not_disturb_each_other() -> None:
    """Each subscriber has its own buffer, and leaving takes nothing from the others."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        everything, newest, short = (
            kdamond.snapshots(lossless=True),
            kdamond.snapshots(),
            kdamond.snapshots(),
        )
        await taken(short, 1)
        short.close()
        await damon.clock.sleep_us(4 * AGGR_US)
        assert ends_us(everything.drain()) == [1, 2, 3, 4, 5]
        assert ends_us(newest.drain()) == [5]
        assert kdamond.statistics().nr_subscribers == 2


async def read_with_pauses(kdamond: Kdamond, nr: int) -> list[Snapshot]:
    """Read *nr* snapshots losslessly, wasting turns of the loop on each."""
    seen: list[Snapshot] = []
    async with kdamond.snapshots(lossless=True) as snapshots:
        async for snapshot in snapshots:
            await turns(len(seen) % 7 * 5)
            seen.append(snapshot)
            if len(seen) == nr:
                break
    return seen


async def test_many_lossless_readers() -> None:
    """Several slow lossless readers of one kdamond all see the same, unbroken series."""
    async with Damon(clock=VirtualClock(), seed=3) as damon:
        [kdamond] = await damon.start([watched()])
        series = await asyncio.gather(*(read_with_pauses(kdamond, 8) for _ in range(4)))
        assert all(seen == series[0] for seen in series)
        assert all(a.end_ns == b.start_ns for a, b in pairwise(series[0]))


async def test_lossless_in_real_time_keeps_everything() -> None:
    """Real time cannot be held, so what a lossless reader has not read is kept."""
    now_ns = 0
    clock = RealClock(monotonic_ns=lambda: now_ns)
    async with Damon(clock=clock) as damon:
        [kdamond] = await damon.start([endless()])
        snapshots = kdamond.snapshots(lossless=True)
        now_ns = 5 * AGGR_US * 1000
        kdamond.call_nowait(lambda monitor: None)
        assert ends_us(snapshots.drain()) == [1, 2, 3, 4, 5]
