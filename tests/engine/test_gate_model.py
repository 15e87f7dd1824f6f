"""The gate against the plainest model of it, in every order of events."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from damon_async.engine.gate import AdmissionGate
from damon_async.errors import BusyError

from .worlds import turns


@dataclass
class Model:
    """What a gate should do, in a list and two variables."""

    nr_running: int = 0
    exclusive: bool = False
    queue: list[tuple[int, int, bool]] = field(default_factory=list)
    admitted: list[int] = field(default_factory=list)

    def would_admit(self, *, exclusive: bool) -> bool:
        return not (self.nr_running > 0 if exclusive else self.exclusive)

    def take(self, n: int, *, exclusive: bool) -> None:
        self.nr_running += n
        self.exclusive = self.exclusive or (exclusive and n > 0)

    def ask(self, number: int, n: int, *, exclusive: bool) -> None:
        self.queue.append((number, n, exclusive))
        self.move_up()

    def move_up(self) -> None:
        while self.queue and self.would_admit(exclusive=self.queue[0][2]):
            number, n, exclusive = self.queue.pop(0)
            self.take(n, exclusive=exclusive)
            self.admitted.append(number)

    def leave(self, n: int) -> None:
        self.nr_running -= n
        self.exclusive = self.exclusive and self.nr_running > 0
        self.move_up()

    def cancel(self, number: int) -> None:
        self.queue = [request for request in self.queue if request[0] != number]
        self.move_up()


class GateMachine(RuleBasedStateMachine):
    """Asks, leaves and cancels at random, and compares after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.gate = AdmissionGate()
        self.model = Model()
        self.tasks: list[asyncio.Task[None]] = []
        self.admitted: list[int] = []

    def teardown(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.rest()
        self.loop.close()

    def rest(self) -> None:
        """Let all tasks that were woken run."""
        self.loop.run_until_complete(turns(4))

    async def wait(self, number: int, n: int, *, exclusive: bool) -> None:
        await self.gate.admit(n, exclusive=exclusive)
        self.admitted.append(number)

    @rule(n=st.integers(0, 3), exclusive=st.booleans())
    def ask(self, n: int, exclusive: bool) -> None:
        number = len(self.tasks)
        self.tasks.append(self.loop.create_task(self.wait(number, n, exclusive=exclusive)))
        self.rest()
        self.model.ask(number, n, exclusive=exclusive)

    @rule(n=st.integers(0, 3), exclusive=st.booleans())
    def ask_nowait(self, n: int, exclusive: bool) -> None:
        if self.model.queue or not self.model.would_admit(exclusive=exclusive):
            with pytest.raises(BusyError, match="cannot start a"):
                self.gate.admit_nowait(n, exclusive=exclusive)
        else:
            self.gate.admit_nowait(n, exclusive=exclusive)
            self.model.take(n, exclusive=exclusive)

    @precondition(lambda self: self.model.nr_running)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(0, self.model.nr_running))
        self.gate.leave(n)
        self.rest()
        self.model.leave(n)

    @precondition(lambda self: self.model.queue)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.model.queue))[0]
        self.tasks[number].cancel()
        self.rest()
        self.model.cancel(number)

    @precondition(lambda self: self.model.queue and self.model.nr_running)
    @rule(data=st.data())
    def cancel_and_leave_in_one_turn(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.model.queue))[0]
        n = data.draw(st.integers(1, self.model.nr_running))
        self.tasks[number].cancel()
        self.gate.leave(n)
        self.rest()
        self.model.cancel(number)
        self.model.leave(n)

    @precondition(lambda self: self.model.queue and self.model.nr_running)
    @rule()
    def let_in_and_cancel_in_one_turn(self) -> None:
        number, n, _ = self.model.queue[0]
        nr_leaving = self.model.nr_running
        self.gate.leave(nr_leaving)
        self.tasks[number].cancel()
        self.rest()
        self.model.leave(nr_leaving)
        self.model.admitted.remove(number)
        self.model.leave(n)

    @invariant()
    def agrees_with_the_model(self) -> None:
        now = self.gate.statistics()
        model = self.model
        assert (now.nr_running, now.running_exclusive) == (model.nr_running, model.exclusive)
        assert now.nr_waiting == len(model.queue)
        assert now.nr_waiting_exclusive == sum(request[2] for request in model.queue)
        assert self.admitted == model.admitted

    @invariant()
    def never_exclusive_with_nobody(self) -> None:
        assert not self.gate.running_exclusive or self.gate.nr_running


GateMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestGateModel = GateMachine.TestCase
