from __future__ import annotations

from collections.abc import Callable

import pytest

from damon_async.errors import CanceledError, InvalidError
from damon_async.monitor.calls import Call, CallState
from damon_async.monitor.monitor import Monitor

from .doubles import AGGR_US, SAMPLE_US, Still, drive, target_of, watch


def tick_of(monitor: Monitor) -> int:
    """Return at which tick this is called."""
    return monitor.schedule.passed


def refuse(monitor: Monitor) -> None:
    """Fail, as a user's function may."""
    raise OSError("no more pens")


@pytest.fixture
def monitor() -> Monitor:
    """Return a monitor of a small still space that has begun."""
    return watch(target_of(Still(hot=[(0, 100)]), (0, 1000)))


def test_call_runs_once_at_the_next_tick(monitor: Monitor) -> None:
    """A call runs once, at the next tick."""
    seen: list[int] = []
    call = monitor.call(lambda monitor: seen.append(tick_of(monitor)))
    assert not call.done
    drive(monitor, AGGR_US)
    assert call.state is CallState.DONE
    assert seen == [1]


def test_call_brings_the_next_instant_closer(monitor: Monitor) -> None:
    """With a call waiting, the next tick is of interest, not the end of the window."""
    assert monitor.next_us == AGGR_US
    monitor.call(tick_of)
    assert monitor.next_us == SAMPLE_US
    monitor.step(SAMPLE_US)
    assert monitor.next_us == AGGR_US


def test_call_returns_a_result(monitor: Monitor) -> None:
    """What the function returns is the result of the call."""
    call = monitor.call(tick_of)
    monitor.step(SAMPLE_US)
    assert call.result() == 1
    assert call.exception() is None


def test_failing_call_keeps_its_exception(monitor: Monitor) -> None:
    """An exception goes to whoever called, and monitoring goes on."""
    call = monitor.call(refuse)
    assert len(drive(monitor, AGGR_US)) == 1
    assert call.state is CallState.FAILED
    with pytest.raises(OSError, match="no more pens"):
        call.result()


def test_repeated_call_runs_at_every_tick(monitor: Monitor) -> None:
    """A repeated call runs at every tick and stays pending."""
    seen: list[int] = []
    call = monitor.call(lambda monitor: seen.append(tick_of(monitor)), repeat=True)
    drive(monitor, AGGR_US)
    assert seen == list(range(1, 21))
    assert not call.done


def test_repeated_call_ends_when_it_fails(monitor: Monitor) -> None:
    """A repeated call that fails is not run again."""
    call = monitor.call(refuse, repeat=True)
    drive(monitor, AGGR_US)
    assert call.state is CallState.FAILED
    assert monitor.next_us == 2 * AGGR_US


def test_repeated_call_ends_when_canceled(monitor: Monitor) -> None:
    """A repeated call can be given up."""
    seen: list[int] = []
    call = monitor.call(lambda monitor: seen.append(tick_of(monitor)), repeat=True)
    monitor.step(3 * SAMPLE_US)
    call.cancel()
    drive(monitor, AGGR_US)
    assert seen == [1, 2, 3]


def test_canceled_call_does_not_run(monitor: Monitor) -> None:
    """A call that was given up before its turn is not run."""
    call = monitor.call(refuse)
    call.cancel()
    drive(monitor, AGGR_US)
    assert call.canceled
    with pytest.raises(CanceledError, match="refuse pending> was canceled: the kdamond ended"):
        call.result()


def test_calls_run_in_order(monitor: Monitor) -> None:
    """Calls of one tick run in the order in which they were made."""
    seen: list[str] = []
    monitor.call(lambda _: seen.append("always"), repeat=True)
    monitor.call(lambda _: seen.append("once"))
    monitor.step(2 * SAMPLE_US)
    assert seen == ["always", "once", "always"]


def test_calls_made_by_calls_wait(monitor: Monitor) -> None:
    """A call made by a call runs a tick later."""
    inner: list[Call[int]] = []
    monitor.call(lambda monitor: inner.append(monitor.call(tick_of)))
    monitor.step(SAMPLE_US)
    assert not inner[0].done
    monitor.step(2 * SAMPLE_US)
    assert inner[0].result() == 2


def test_calls_see_merged_counts(monitor: Monitor) -> None:
    """At the end of an aggregation a call sees counts merged, but not yet reset."""
    seen: list[list[int]] = []

    def look(monitor: Monitor) -> None:
        if monitor.schedule.passed % 20 == 0:
            seen.append(monitor.table.nr_accesses.tolist())

    monitor.call(look, repeat=True)
    snapshots = drive(monitor, 3 * AGGR_US)
    assert seen == [each.nr_accesses.tolist() for each in snapshots]


def test_call_waits_for_its_instant(monitor: Monitor) -> None:
    """A call made within an open window runs at the tick of that instant, not before."""
    drive(monitor, 37_000)
    call = monitor.call(tick_of, now_us=37_000)
    assert monitor.next_us == 40_000
    monitor.step(50_000)
    assert call.result() == 8


def test_end_cancels_calls(monitor: Monitor) -> None:
    """At the end, whoever still waits is told."""
    once, often = monitor.call(tick_of), monitor.call(tick_of, repeat=True)
    monitor.finish()
    assert once.canceled
    assert often.canceled


def test_end_by_itself_cancels_calls() -> None:
    """A monitor whose target vanishes cancels its repeated calls."""
    monitor = watch(target_of(Still(lifetime_us=12_000), (0, 10)))
    call = monitor.call(tick_of, repeat=True)
    drive(monitor, AGGR_US)
    assert monitor.ended
    assert call.canceled


def test_no_calls_after_the_end(monitor: Monitor) -> None:
    """Once it has ended, a monitor refuses calls (P4)."""
    monitor.finish()
    with pytest.raises(CanceledError, match="the call was canceled: the monitor has ended"):
        monitor.call(tick_of)


def test_call_may_end_everything(monitor: Monitor) -> None:
    """A call may finish the monitor; it is cancelled itself, and so are those behind it."""
    told: list[CallState] = []
    calls = [monitor.call(Monitor.finish), monitor.call(Monitor.finish)]
    for call in calls:
        call.add_done_callback(lambda call: told.append(call.state))
    assert drive(monitor, AGGR_US) == []
    assert monitor.ended
    assert told == [call.state for call in calls] == [CallState.CANCELED] * 2


def test_call_may_end_everything_before_publishing(monitor: Monitor) -> None:
    """Nothing is published by a monitor that a call has finished."""
    monitor.call(lambda monitor: monitor.finish(), now_us=AGGR_US)
    assert monitor.step(AGGR_US) == []


@pytest.mark.parametrize(
    ("fn", "state"),
    [(tick_of, CallState.DONE), (refuse, CallState.FAILED)],
)
def test_callbacks_run_when_done(
    monitor: Monitor, fn: Callable[[Monitor], int | None], state: CallState
) -> None:
    """Whoever asked to be told is told once it is done, or at once if it is."""
    told: list[CallState] = []
    call = monitor.call(fn)
    call.add_done_callback(lambda call: told.append(call.state))
    assert told == []
    drive(monitor, AGGR_US)
    assert told == [state]
    call.add_done_callback(lambda call: told.append(call.state))
    assert told == [state, state]


def test_cancelling_what_is_done_does_nothing(monitor: Monitor) -> None:
    """A call that has run cannot be taken back."""
    call = monitor.call(tick_of)
    monitor.step(SAMPLE_US)
    call.cancel()
    assert call.result() == 1


@pytest.mark.parametrize("repeat", [False, True])
def test_no_result_before_it_is_done(monitor: Monitor, *, repeat: bool) -> None:
    """A call that is not done has no result, and a repeated one never has."""
    call = monitor.call(tick_of, repeat=repeat, now_us=0 if repeat else 2 * SAMPLE_US)
    monitor.step(SAMPLE_US)
    with pytest.raises(InvalidError, match="<Call tick_of pending> has no result yet"):
        call.result()


def test_repr_names_the_function() -> None:
    """The text form tells what is called and where it stands."""
    assert repr(Call(tick_of)) == "<Call tick_of pending>"
