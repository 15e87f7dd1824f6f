from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable
from dataclasses import FrozenInstanceError

import pytest

from damon_async.engine.gate import AdmissionGate, GateStatistics
from damon_async.errors import BusyError, InvalidError
from damon_async.testing.sweeps import Means, cancelled_at

from .worlds import turns


class Queue:
    """Requests at a gate, each a task; tells who was let in, in which order."""

    def __init__(self, gate: AdmissionGate) -> None:
        self.gate = gate
        self.admitted: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, n: int = 1, *, exclusive: bool = False) -> None:
        self.tasks[name] = asyncio.create_task(self._wait(name, n, exclusive=exclusive))
        await turns(2)

    async def cancel(self, *names: str) -> None:
        for name in names:
            self.tasks[name].cancel()
        await turns(4)

    async def leave(self, n: int = 1) -> None:
        self.gate.leave(n)
        await turns(4)

    async def _wait(self, name: str, n: int, *, exclusive: bool) -> None:
        await self.gate.admit(n, exclusive=exclusive)
        self.admitted.append(name)


def test_new_gate_is_open() -> None:
    """A gate begins with nothing running and the flag down."""
    gate = AdmissionGate()
    assert (gate.nr_running, gate.running_exclusive) == (0, False)


def test_non_exclusive_groups_add_up() -> None:
    """Non-exclusive groups come in one after another and are counted (A5)."""
    gate = AdmissionGate()
    gate.admit_nowait(2)
    gate.admit_nowait(3)
    assert (gate.nr_running, gate.running_exclusive) == (5, False)


def test_exclusive_group_is_alone() -> None:
    """While an exclusive group is inside, everybody else is refused with EBUSY (A3, A4)."""
    gate = AdmissionGate()
    gate.admit_nowait(2, exclusive=True)
    with pytest.raises(BusyError, match=r"^cannot start a group: an exclusive group of 2 is run"):
        gate.admit_nowait()
    with pytest.raises(BusyError, match=r"^cannot start an exclusive group: ") as refusal:
        gate.admit_nowait(exclusive=True)
    assert refusal.value.errno == errno.EBUSY
    assert (gate.nr_running, gate.running_exclusive) == (2, True)


def test_exclusive_group_needs_an_empty_gate() -> None:
    """An exclusive group is refused if anything runs, even non-exclusively (A3)."""
    gate = AdmissionGate()
    gate.admit_nowait()
    with pytest.raises(BusyError, match="1 contexts are running"):
        gate.admit_nowait(exclusive=True)
    assert not gate.running_exclusive


def test_flag_falls_with_the_last() -> None:
    """What is left of an exclusive group keeps others out until the last one leaves."""
    gate = AdmissionGate()
    gate.admit_nowait(3, exclusive=True)
    gate.leave(2)
    assert repr(gate) == "<AdmissionGate 1 running exclusively, 0 waiting>"
    with pytest.raises(BusyError, match="exclusive group of 1 is running"):
        gate.admit_nowait()
    gate.leave()
    assert not gate.running_exclusive
    gate.admit_nowait()


def test_empty_group_takes_nothing() -> None:
    """An empty group is admitted or refused like any other and takes nothing (A1, A2)."""
    gate = AdmissionGate()
    gate.admit_nowait(0, exclusive=True)
    assert (gate.nr_running, gate.running_exclusive) == (0, False)
    gate.admit_nowait()
    with pytest.raises(BusyError, match="contexts are running"):
        gate.admit_nowait(0, exclusive=True)


@pytest.mark.parametrize("n", [1, 2])
def test_nobody_leaves_who_is_not_inside(n: int) -> None:
    """More than are inside cannot leave, and nothing changes."""
    gate = AdmissionGate()
    gate.admit_nowait(n - 1)
    with pytest.raises(InvalidError, match=f"^{n} contexts cannot leave, {n - 1} are running"):
        gate.leave(n)
    assert gate.nr_running == n - 1


async def test_negative_groups_are_refused() -> None:
    """No operation takes a negative number of contexts."""
    gate = AdmissionGate()
    with pytest.raises(InvalidError, match="a group of -1 contexts; at least 0"):
        gate.admit_nowait(-1)
    with pytest.raises(InvalidError, match="a group of -2 contexts; at least 0"):
        await gate.admit(-2)
    with pytest.raises(InvalidError, match="-1 contexts cannot leave"):
        gate.leave(-1)


async def test_open_gate_does_not_wait() -> None:
    """Who may come in does not yield to the event loop."""
    gate = AdmissionGate()
    admission = gate.admit(2, exclusive=True)
    with pytest.raises(StopIteration, match=r"^$"):
        admission.send(None)
    assert (gate.nr_running, gate.running_exclusive) == (2, True)


async def test_requests_are_served_in_order() -> None:
    """Each request waits for the one before it, exclusive or not."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait(exclusive=True)
    for name in "abc":
        await queue.ask(name, exclusive=True)
    for served in ("a", "ab", "abc"):
        await queue.leave()
        assert "".join(queue.admitted) == served
        assert gate.statistics() == GateStatistics(1, True, 3 - len(served), 3 - len(served))


async def test_neighbours_come_in_together() -> None:
    """Non-exclusive requests that follow each other are let in at once."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait(exclusive=True)
    await queue.ask("a")
    await queue.ask("b", 3)
    await queue.ask("X", exclusive=True)
    await queue.ask("c")
    await queue.leave()
    assert queue.admitted == ["a", "b"]
    assert gate.statistics() == GateStatistics(4, False, 2, 1)


async def test_later_requests_do_not_overtake() -> None:
    """No non-exclusive request, waiting or not, overtakes a waiting exclusive one."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait()
    await queue.ask("X", exclusive=True)
    await queue.ask("a")
    with pytest.raises(BusyError, match="2 earlier requests are waiting"):
        gate.admit_nowait()
    await queue.leave()
    assert queue.admitted == ["X"]
    await queue.leave()
    assert queue.admitted == ["X", "a"]


async def test_empty_request_waits_its_turn() -> None:
    """An empty exclusive request waits like any other, takes nothing and lets the next in."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait(2)
    await queue.ask("empty", 0, exclusive=True)
    await queue.ask("a")
    await queue.leave()
    assert queue.admitted == []
    await queue.leave()
    assert queue.admitted == ["empty", "a"]
    assert gate.statistics() == GateStatistics(1, False, 0, 0)


async def test_cancelled_waiter_lets_others_in() -> None:
    """When a waiting exclusive request is cancelled, those behind it come in at once."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait()
    await queue.ask("X", exclusive=True)
    await queue.ask("a")
    await queue.ask("b")
    await queue.cancel("X")
    assert queue.admitted == ["a", "b"]
    assert gate.statistics() == GateStatistics(3, False, 0, 0)


async def test_waiter_cancelled_in_the_middle() -> None:
    """A request cancelled in the middle of the queue changes nobody's turn."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait(exclusive=True)
    for name in "abc":
        await queue.ask(name, exclusive=True)
    await queue.cancel("b")
    assert gate.statistics().nr_waiting == 2
    await queue.leave()
    await queue.leave()
    assert queue.admitted == ["a", "c"]


async def test_cancelled_after_being_let_in() -> None:
    """A request let in and cancelled in the same turn gives its places to the next."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait()
    await queue.ask("X", 2, exclusive=True)
    await queue.ask("a")
    gate.leave()
    assert (gate.nr_running, gate.running_exclusive) == (2, True)
    await queue.cancel("X")
    assert queue.admitted == ["a"]
    assert (gate.nr_running, gate.running_exclusive) == (1, False)


async def test_cancelled_before_being_let_in() -> None:
    """A request cancelled just before its turn came is passed over."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait()
    await queue.ask("X", exclusive=True)
    await queue.ask("Y", exclusive=True)
    queue.tasks["X"].cancel()
    gate.leave()
    await turns(4)
    assert queue.admitted == ["Y"]
    assert gate.nr_running == 1


async def test_cancelled_an_instant_ago() -> None:
    """A request whose task was cancelled but has not run stands in nobody's way."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait()
    await queue.ask("X", exclusive=True)
    queue.tasks["X"].cancel()
    gate.admit_nowait()
    assert gate.nr_running == 2
    await turns(4)
    assert gate.statistics() == GateStatistics(2, False, 0, 0)


async def test_waits_behind_cancelled_only() -> None:
    """Who asks behind nothing but cancelled requests does not wait."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait()
    await queue.ask("X", exclusive=True)
    queue.tasks["X"].cancel()
    await gate.admit()
    assert gate.nr_running == 2


@pytest.mark.parametrize("when", list(Means))
async def test_cancelling_an_admission_returns_its_places(when: Means) -> None:
    """However a wait is cut short, nobody is inside afterwards and the gate works."""
    gate = AdmissionGate()
    gate.admit_nowait()

    async def leave_later() -> None:
        await turns(5)
        gate.leave()

    leaving = asyncio.create_task(leave_later())
    outcome = await cancelled_at(gate.admit(3, exclusive=True), 1, when)
    assert outcome.was_cancelled
    await leaving
    await turns()
    if outcome.has_completed:
        gate.leave(3)
    assert gate.statistics() == GateStatistics(0, False, 0, 0)
    gate.admit_nowait(exclusive=True)


async def test_closed_coroutine_leaves_the_queue() -> None:
    """A waiting coroutine that is thrown away, not cancelled, is not let in."""
    gate = AdmissionGate()
    gate.admit_nowait()
    admission = gate.admit(exclusive=True)
    admission.send(None)
    assert gate.statistics().nr_waiting_exclusive == 1
    admission.close()
    assert gate.statistics() == GateStatistics(1, False, 0, 0)


async def test_cancelled_requests_do_not_pile_up() -> None:
    """Requests that time out one after another behind a long wait take no memory."""
    gate = AdmissionGate()
    queue = Queue(gate)
    gate.admit_nowait()
    await queue.ask("first", exclusive=True)
    for _ in range(500):
        await cancelled_at(gate.admit(), 1, Means.TASK)
    assert gate.statistics().nr_waiting == 1
    assert len(gate._queue) < 10
    await queue.leave()
    assert queue.admitted == ["first"]


async def test_hold_comes_and_goes() -> None:
    """A hold is inside for the length of the block, whatever ends it."""
    gate = AdmissionGate()
    async with gate.hold(exclusive=True):
        assert (gate.nr_running, gate.running_exclusive) == (1, True)

    async def fail() -> None:
        async with gate.hold(4):
            assert (gate.nr_running, gate.running_exclusive) == (4, False)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError, match="division by zero"):
        await fail()
    assert gate.statistics() == GateStatistics(0, False, 0, 0)


async def test_holds_share_and_exclude() -> None:
    """Non-exclusive holds overlap each other, exclusive ones overlap nobody."""
    gate = AdmissionGate()
    inside: list[str] = []
    together: set[str] = set()

    async def stay(name: str, *, exclusive: bool) -> None:
        async with gate.hold(exclusive=exclusive):
            inside.append(name)
            together.add("".join(sorted(inside)))
            await turns(3)
            inside.remove(name)

    stays: list[Awaitable[None]] = [stay(name, exclusive=name.isupper()) for name in "abXcdYZe"]
    await asyncio.gather(*stays)
    assert together == {"a", "ab", "X", "c", "cd", "Y", "Z", "e"}


def test_reprs_tell_the_state() -> None:
    """A gate and a hold print who is inside and who waits."""
    gate = AdmissionGate()
    assert repr(gate) == "<AdmissionGate 0 running, 0 waiting>"
    gate.admit_nowait(2, exclusive=True)
    assert repr(gate) == "<AdmissionGate 2 running exclusively, 0 waiting>"
    assert repr(gate.hold(3)) == f"<Hold 3 non-exclusive of {gate!r}>"


def test_statistics_are_frozen() -> None:
    """Statistics are a value: they neither change nor can be changed."""
    gate = AdmissionGate()
    before = gate.statistics()
    gate.admit_nowait()
    assert before.nr_running == 0
    with pytest.raises(FrozenInstanceError, match="nr_running"):
        before.nr_running = 1  # type: ignore[misc]
