from __future__ import annotations

import asyncio

from damon_async.engine.holding import TimeHold, TimePasses

from .worlds import turns


class Ledger:
    """Counts who stops time."""

    def __init__(self) -> None:
        self.stopping: list[TimeHold] = []

    def hold_began(self, hold: TimeHold) -> None:
        assert hold not in self.stopping
        self.stopping.append(hold)

    def hold_ended(self, hold: TimeHold) -> None:
        self.stopping.remove(hold)


def test_taking_twice_counts_once() -> None:
    """A hold is taken or not; taking and releasing it again changes nothing."""
    ledger = Ledger()
    hold = TimeHold(ledger, "a test")
    hold.release()
    hold.take()
    hold.take()
    assert ledger.stopping == [hold]
    hold.release()
    hold.close()
    assert ledger.stopping == []


async def test_lifted_while_waiting() -> None:
    """What a task has taken over does not stop time while the task waits for it to pass."""
    ledger = Ledger()
    hold = TimeHold(ledger, "a test")
    hold.take_over()
    with TimePasses():
        assert ledger.stopping == []
        assert repr(hold) == "<TimeHold of a test, lifted>"
        with TimePasses():
            assert ledger.stopping == []
        assert ledger.stopping == []
    assert ledger.stopping == [hold]
    hold.close()
    assert repr(hold) == "<TimeHold of a test, free>"


async def test_merely_taken_is_not_lifted() -> None:
    """What was taken on behalf of somebody else goes on stopping time."""
    ledger = Ledger()
    hold = TimeHold(ledger, "a start")
    hold.take()
    with TimePasses():
        assert ledger.stopping == [hold]


async def test_released_while_lifted() -> None:
    """A hold released and taken anew during a wait is not touched when the wait ends."""
    ledger = Ledger()
    hold = TimeHold(ledger, "a test")
    hold.take_over()
    with TimePasses():
        hold.release()
        assert ledger.stopping == []
        hold.take()
        assert ledger.stopping == [hold]
    assert ledger.stopping == [hold]


async def test_several_holds_are_lifted() -> None:
    """A wait lifts all that its task has in hand, and nothing that it has released."""
    ledger = Ledger()
    holds = [TimeHold(ledger, name) for name in "abc"]
    for hold in holds:
        hold.take_over()
    holds[1].release()
    with TimePasses():
        assert ledger.stopping == []
    assert set(ledger.stopping) == {holds[0], holds[2]}


async def test_tasks_started_meanwhile_may_lift() -> None:
    """A wait in a task started with a hold in hand lifts it, in one started before not."""
    ledger = Ledger()
    hold = TimeHold(ledger, "a test")
    seen: list[int] = []

    async def wait() -> None:
        await turns(2)
        with TimePasses():
            seen.append(len(ledger.stopping))

    before = asyncio.create_task(wait())
    hold.take_over()
    after = asyncio.create_task(wait())
    await before
    await after
    assert seen == [1, 0]
    hold.close()


async def test_ends_with_its_task() -> None:
    """A hold is released when the task that took it over is over, unless another took it."""
    ledger = Ledger()
    gone, passed_on = TimeHold(ledger, "gone"), TimeHold(ledger, "passed on")

    async def take_both() -> None:
        gone.take_over()
        passed_on.take_over()

    await asyncio.create_task(take_both())
    passed_on.take_over()
    await turns()
    assert ledger.stopping == [passed_on]
    passed_on.close()


async def test_closing_forgets_the_task() -> None:
    """A task that takes and closes many holds is not left with their callbacks."""
    ledger = Ledger()
    hold = TimeHold(ledger, "a test")
    for _ in range(10):
        hold.take_over()
        hold.close()
    assert hold._owner is None
    assert ledger.stopping == []


def test_no_task_needed() -> None:
    """Outside of any event loop a hold can be taken over as well."""
    ledger = Ledger()
    hold = TimeHold(ledger, "plain code")
    hold.take_over()
    assert hold.is_taken
    hold.close()
    assert not hold.is_taken
