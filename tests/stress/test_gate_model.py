"""The model of the gate, explored completely, and the real gate made to follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from damon_async.engine.gate import AdmissionGate
from damon_async.stress.gate_model import (
    EXCLUSIVE,
    SHARED,
    Count,
    Event,
    Graph,
    State,
    after,
    events,
    explored,
    initial,
    move_up,
    overtakings,
    stuck,
)
from damon_async.stress.gate_replay import DifferenceError, Replayed, replay_all

START = initial(4, 3)


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Return all that four non-exclusive and three exclusive groups can do."""
    return explored(START)


def test_size(graph: Graph) -> None:
    """Four non-exclusive and three exclusive groups have 3,395 states and 23,358 transitions."""
    assert (len(graph), sum(map(len, graph.values()))) == (3395, 23358)


def test_never_exclusive_with_anyone(graph: Graph) -> None:
    """In no state is an exclusive group inside together with anybody."""
    for state in graph:
        nr_exclusive = sum(
            each.x for each in (state.let_in, state.doomed, state.inside, state.partial)
        )
        assert nr_exclusive == 0 or (nr_exclusive == 1 and not state.nr_running(SHARED))


def test_nobody_admissible_waits(graph: Graph) -> None:
    """The first of the queue could come in only while a cancelled task has not had its turn."""
    late = [state for state in graph if move_up(state) != state]
    assert late
    assert all(sum(state.given_up) for state in late)


def test_liveness(graph: Graph) -> None:
    """An exclusive waiter is overtaken by no later request, and comes in if the others end."""
    assert overtakings(graph) == []
    assert stuck(graph, START) == []


def test_progress_ends(graph: Graph) -> None:
    """Without new requests and cancellations everybody is home after finitely many events."""
    # Each such event takes one group one place further; nobody comes back.
    places = ("queue", "given_up", "let_in", "doomed", "inside", "partial", "idle")
    rank = {name: nr for nr, name in enumerate(places)}

    def height(state: State) -> int:
        counts: dict[str, Count] = state._asdict()
        return len(state.queue) * len(places) + sum(
            sum(counts[name]) * (len(places) - 1 - rank[name]) for name in places[1:]
        )

    for state, steps in graph.items():
        for event, then in steps:
            if event.name in {"settle", "resume", "undo", "end_early", "end"}:
                assert height(then) < height(state)


def test_every_transition_on_the_real_gate(graph: Graph) -> None:
    """The real gate makes every transition of the model."""
    replayed = asyncio.run(replay_all(graph, START))
    assert replayed[:2] == (3395, 23358)
    assert replayed.nr_steps >= replayed.nr_transitions


def test_small_gates_too() -> None:
    """One group of each kind is enough for a replay."""
    start = initial(1, 1)
    graph = explored(start)
    assert isinstance(asyncio.run(replay_all(graph, start)), Replayed)


def test_events_of_the_first_state() -> None:
    """At first groups can only ask, in two ways."""
    assert list(events(initial(1, 1))) == [
        Event("ask", SHARED),
        Event("ask_nowait", SHARED),
        Event("ask", EXCLUSIVE),
        Event("ask_nowait", EXCLUSIVE),
    ]


def test_hand_over() -> None:
    """The end of the last context lets in the neighbours at the front, and no one behind."""
    state = State(Count(0, 0), "ssxs", partial=Count(0, 1))
    then = after(state, Event("end", EXCLUSIVE))
    assert (then.queue, then.let_in) == ("xs", Count(2, 0))


def test_early_end_keeps_others_out() -> None:
    """One context that is left of an exclusive group keeps everybody out."""
    state = State(Count(0, 0), "s", inside=Count(0, 1))
    then = after(state, Event("end_early", EXCLUSIVE))
    assert (then.queue, then.partial) == ("s", Count(0, 1))


def test_stuck_is_found() -> None:
    """A state in which somebody waits and nothing can happen is reported."""
    waiting = State(Count(1, 0), "x")
    assert stuck({waiting: [(Event("ask", SHARED), waiting)]}, START) == [waiting]


def test_overtaking_is_found() -> None:
    """A later request that gets in before an earlier one is reported."""
    before, event = State(Count(1, 0), "xs"), Event("settle", SHARED)
    assert overtakings({before: [(event, State(Count(1, 0), "x"))]}) == [(before, event)]
    asked = State(Count(), "x", inside=Count(1, 0))
    nowait = Event("ask_nowait", SHARED)
    assert overtakings({State(Count(1, 0), "x"): [(nowait, asked)]}) != []


class Hasty(AdmissionGate):
    """Drops the flag as soon as one context of an exclusive group has left."""

    def leave(self, n: int = 1) -> None:
        self._is_exclusive = self._is_exclusive and n == 0
        super().leave(n)


class Deaf(AdmissionGate):
    """Does not let anybody move up when a waiter is cancelled."""

    def _forget_cancelled(self, waiter: asyncio.Future[None]) -> None:
        waiter.cancel()


class Pushy(AdmissionGate):
    """Lets non-exclusive requests in although somebody waits."""

    def admit_nowait(self, n: int = 1, *, exclusive: bool = False) -> None:
        if not exclusive and not self._is_exclusive:
            self._take(n, exclusive=False)
        else:
            super().admit_nowait(n, exclusive=exclusive)


class Greedy(AdmissionGate):
    """Keeps the places of those who were cancelled after they were let in."""

    async def admit(self, n: int = 1, *, exclusive: bool = False) -> None:
        before = self.nr_running
        try:
            await super().admit(n, exclusive=exclusive)
        except asyncio.CancelledError:
            self._nr_running = max(before, self._nr_running)
            raise


@pytest.mark.parametrize("broken", [Hasty, Deaf, Pushy, Greedy])
def test_broken_gates_differ(broken: Callable[[], AdmissionGate]) -> None:
    """A gate that breaks one of its rules does not follow the model."""
    start = initial(2, 2)
    with pytest.raises(DifferenceError, match="makes State"):
        asyncio.run(replay_all(explored(start), start, broken))
