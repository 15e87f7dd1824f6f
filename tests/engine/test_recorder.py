from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from damon_async.engine.clock import RealClock
from damon_async.engine.engine import Damon
from damon_async.engine.life import KdamondState
from damon_async.engine.recorder import Recorder, Recording, record
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import BusyError
from damon_async.params.monitoring import Intervals
from damon_async.records.snapshot import Snapshot
from damon_async.testing.sweeps import Means, cancelled_at

from .worlds import AGGR_US, Memory, endless, over_at_once, watched


def ends(recorder: Recorder) -> list[int]:
    """Return when each snapshot was published, in aggregation intervals."""
    return [snapshot.end_ns // 1000 // AGGR_US for snapshot in recorder.snapshots]


async def test_records_from_start_to_end() -> None:
    """A recording has every snapshot, the one due at the very end included, without a gap."""
    [recorder] = await record([watched()], duration_us=10 * AGGR_US)
    assert ends(recorder) == list(range(1, 11))
    assert recorder.snapshots[0].start_ns == 0
    assert all(a.end_ns == b.start_ns for a, b in pairwise(recorder.snapshots))
    assert recorder.kdamond.state is KdamondState.STOPPED


async def test_records_several_contexts() -> None:
    """Each context has its own recorder, in the order given, whatever its intervals."""
    slow = Intervals(aggr_us=2 * AGGR_US)
    first, second = await record([endless(), endless(intervals=slow)], duration_us=4 * AGGR_US)
    assert (ends(first), ends(second)) == ([1, 2, 3, 4], [2, 4])
    assert second.context.intervals == slow


async def test_records_until_targets_are_gone() -> None:
    """Without a duration, a recording ends when all kdamonds have ended by themselves."""
    lives = [Memory(lifetime=3 * AGGR_US), Memory(lifetime=5 * AGGR_US)]
    recorders = await record([watched(life) for life in lives])
    assert [ends(recorder) for recorder in recorders] == [[1, 2, 3], [1, 2, 3, 4, 5]]


async def test_all_targets_gone_before_the_end() -> None:
    """If nothing is left to record, a recording does not go on to the end of its time."""
    clock = VirtualClock()
    await record([watched(Memory(lifetime=AGGR_US))], duration_us=10**12, clock=clock)
    assert clock.now_us() == AGGR_US


async def test_nothing_to_record() -> None:
    """A recording of no context, or of one that is over at once, is empty."""
    assert await record([]) == []
    [recorder] = await record([over_at_once()], duration_us=AGGR_US)
    assert recorder.snapshots == []


async def test_broken_memory_is_recorded_until_then() -> None:
    """A kdamond that fails has what it found before recorded, and the error beside it."""
    broken, sound = await record(
        [watched(Memory(fails_at_us=250_000)), watched()], duration_us=5 * AGGR_US
    )
    assert (ends(broken), ends(sound)) == ([1, 2], [1, 2, 3, 4, 5])
    assert str(broken.kdamond.error) == "this memory is broken"
    assert sound.kdamond.error is None


async def test_progress_is_told() -> None:
    """After each snapshot it is told how much time has passed, of how much."""
    told: list[tuple[int, int | None]] = []
    clock = VirtualClock(start_us=1_000_000)
    await record(
        [endless()],
        duration_us=3 * AGGR_US,
        clock=clock,
        progress=lambda now, end: told.append((now, end)),
    )
    assert told == [(AGGR_US * nr, 3 * AGGR_US) for nr in (1, 2, 3)]


async def test_sink_instead_of_memory() -> None:
    """A recording can hand each snapshot on with the index of its context, and keep none."""
    handed: list[tuple[int, Snapshot]] = []
    recording = Recording(
        [endless(), endless()],
        duration_us=2 * AGGR_US,
        sink=lambda index, snapshot: handed.append((index, snapshot)),
        keep=False,
    )
    await recording.run()
    assert [(index, each.end_ns // 1000 // AGGR_US) for index, each in handed] == [
        (0, 1),
        (1, 1),
        (0, 2),
        (1, 2),
    ]
    assert [recorder.snapshots for recorder in recording.recorders] == [[], []]
    assert recording.elapsed_us == 2 * AGGR_US


async def test_progress_that_fails() -> None:
    """If telling the progress fails, that is the error that comes out, as it is."""

    def fail(now_us: int, end_us: int | None) -> None:
        msg = "the terminal is gone"
        raise BrokenPipeError(msg)

    recording = Recording([endless()], duration_us=10 * AGGR_US, progress=fail)
    with pytest.raises(BrokenPipeError, match="the terminal is gone"):
        await recording.run()
    assert not recording.recorders[0].kdamond.is_running


async def test_stopped_early() -> None:
    """A recording that is stopped ends at once and has what was found until then."""
    recording = Recording(
        [endless()], progress=lambda now, _: recording.stop_nowait() if now == 7 * AGGR_US else None
    )
    await recording.run()
    assert ends(recording.recorders[0]) == [1, 2, 3, 4, 5, 6, 7]
    assert repr(recording).startswith("<Recording [<Recorder 7 snapshots of <Kdamond kdamond.0 st")


async def test_stopped_before_it_began() -> None:
    """A recording that is stopped before it runs records nothing."""
    recording = Recording([endless()])
    recording.stop_nowait()
    await recording.run()
    assert recording.recorders[0].snapshots == []


async def test_cancelled_recording_keeps_what_it_has() -> None:
    """After a cancellation all that was published is there."""
    nr = 0

    def cancel_later(now_us: int, end_us: int | None) -> None:
        nonlocal nr
        nr += 1
        if nr == 5:
            task.cancel()

    recording = Recording([endless()], progress=cancel_later)
    task = asyncio.create_task(recording.run())
    with pytest.raises(asyncio.CancelledError, match=r"^$"):
        await task
    [recorder] = recording.recorders
    assert len(recorder.snapshots) == recorder.kdamond.statistics().nr_snapshots >= 5


async def test_duplicate_is_refused() -> None:
    """A recording of one context twice is refused, and nothing is left running."""
    context = endless()
    with pytest.raises(BusyError, match="cannot start a context twice"):
        await record([context, context])
    assert len(asyncio.all_tasks()) == 1


async def test_recorder_beside_a_kdamond() -> None:
    """A recorder collects from the moment it is made, and hands on to its sink."""
    kept: list[Snapshot] = []
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        await damon.clock.sleep_us(2 * AGGR_US)
        recorder = Recorder(kdamond, sink=kept.append)
        run = asyncio.create_task(recorder.run())
        await damon.clock.sleep_us(3 * AGGR_US)
        await damon.stop([kdamond])
        await run
    assert ends(recorder) == [3, 4, 5]
    assert kept == recorder.snapshots


async def test_recorder_cancelled_as_it_is_woken() -> None:
    """A recorder that is cancelled in the instant it is woken keeps what woke it."""
    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        recorder = Recorder(kdamond)
        outcome = await cancelled_at(recorder.run(), 1, Means.LATE)
        assert not outcome.has_completed
        assert ends(recorder) == [1]


async def test_sink_that_fails_ends_its_recorder_only() -> None:
    """A sink that raises ends its recorder, not the kdamond, and holds nobody's time."""

    def fail(_: Snapshot) -> None:
        msg = "disk full"
        raise OSError(msg)

    async with Damon(clock=VirtualClock()) as damon:
        [kdamond] = await damon.start([endless()])
        run = asyncio.create_task(Recorder(kdamond, sink=fail).run())
        await damon.clock.sleep_us(3 * AGGR_US)
        with pytest.raises(OSError, match="disk full"):
            await run
        assert (kdamond.is_running, kdamond.statistics().nr_subscribers) == (True, 0)


async def test_records_in_real_time() -> None:
    """The same recording runs by the machine's clock, in as many milliseconds as asked."""
    intervals = Intervals(500, 1_000)
    [recorder] = await record([endless(intervals=intervals)], duration_us=5_000, clock=RealClock())
    assert [snapshot.end_ns - snapshot.start_ns for snapshot in recorder.snapshots] == (
        [1_000_000] * len(recorder.snapshots)
    )
    assert len(recorder.snapshots) >= 5
