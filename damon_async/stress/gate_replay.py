"""Every transition of the gate's model, made by the real gate."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from itertools import chain
from typing import Any, NamedTuple

from ..engine.gate import AdmissionGate
from ..errors import BusyError
from .gate_model import EXCLUSIVE, MOVES, SHARED, SIZE, Count, Event, Graph, State


class DifferenceError(AssertionError):
    """The gate does something else than its model."""


class Replayed(NamedTuple):
    """How much was replayed."""

    nr_states: int
    """Different states that the gate was in."""

    nr_transitions: int
    """Different transitions that it made."""

    nr_steps: int
    """Transitions that it made, those on the way to others counted again."""


class _Group:
    """A group on its way, with the coroutine it waits in; driven by hand and not by a loop."""

    __slots__ = ("coroutine", "kind", "waiter")

    def __init__(self, kind: str, coroutine: Coroutine[Any, Any, None] | None = None) -> None:
        self.kind = kind
        self.coroutine = coroutine
        self.waiter: asyncio.Future[None] | None = None

    def run(self, *, is_cancelled: bool = False) -> None:
        """Give its task a turn, as a loop would."""
        if self.coroutine is None:
            return
        try:
            if is_cancelled:
                self.coroutine.throw(asyncio.CancelledError)
            else:
                self.waiter = self.coroutine.send(None)
        except (StopIteration, asyncio.CancelledError):
            self.coroutine = self.waiter = None


class GateReplay:
    """
    A real gate, and the groups that use it.

    Args:
        gate: A new one. Must be used while an event loop runs, which has no turn.

        start: The state of the model in which nobody has come yet.
    """

    def __init__(self, gate: AdmissionGate, start: State) -> None:
        self._gate = gate
        self._start = start
        # Kept beside the gate's own, from what came of each request alone.
        self._queue: list[_Group] = []
        self._places: dict[str, list[_Group]] = {place: [] for place in State._fields[2:]}

    def step(self, event: Event, expected: State) -> None:
        """
        Have *event* happen.

        Raises:
            DifferenceError: If the gate is not what *expected* says afterwards.
        """
        if event.name in MOVES:
            self._move(event)
        elif event.name == "give_up":
            group = self._queue.pop(event.place)
            # What cancelling its task does at once; the task itself runs later.
            if group.waiter is not None:
                group.waiter.cancel()
            self._places["given_up"].append(group)
        else:
            self._ask(event)
        # Whoever was let in must have been the first of the queue: nobody overtakes,
        # as the model has no such state.
        while self._queue and _is_woken(self._queue[0]):
            self._places["let_in"].append(self._queue.pop(0))
        self._compare(event, expected)

    @property
    def _away(self) -> list[_Group]:
        """All groups that are not idle."""
        return [*self._queue, *chain.from_iterable(self._places.values())]

    def close(self) -> None:
        """Drop what still waits."""
        for group in self._away:
            if group.coroutine is not None:
                group.coroutine.close()

    def _ask(self, event: Event) -> None:
        is_exclusive = event.kind == EXCLUSIVE
        if event.name == "ask":
            group = _Group(event.kind, self._gate.admit(SIZE, exclusive=is_exclusive))
            group.run()
            (self._places["inside"] if group.waiter is None else self._queue).append(group)
            return
        try:
            self._gate.admit_nowait(SIZE, exclusive=is_exclusive)
        # A refusal changes nothing, which is compared next.
        except BusyError:
            return
        self._places["inside"].append(_Group(event.kind))

    def _move(self, event: Event) -> None:
        origin, to, _ = MOVES[event.name]
        # Any of its kind would do. The last one is the least like a queue.
        group = [group for group in self._places[origin] if group.kind == event.kind][-1]
        self._places[origin].remove(group)
        if event.name in {"settle", "resume", "undo"}:
            # The rest of these are turns of its task.
            group.run(is_cancelled=event.name != "resume")
        elif event.name in {"end", "end_early"}:
            self._gate.leave()
        if to != "idle":
            self._places[to].append(group)

    def _compare(self, event: Event, expected: State) -> None:
        places = {place: _count(groups) for place, groups in self._places.items()}
        queue = "".join(group.kind for group in self._queue)
        away = _count(self._away)
        idle = Count(self._start.idle.s - away.s, self._start.idle.x - away.x)
        state = State(idle, queue, **places)
        now = self._gate.statistics()
        shared, exclusive = state.nr_running(SHARED), state.nr_running(EXCLUSIVE)
        if (
            state != expected
            or any(_is_woken(group) for group in self._queue)
            or (now.nr_running, now.running_exclusive) != (shared + exclusive, exclusive > 0)
            or (now.nr_waiting, now.nr_waiting_exclusive) != (len(queue), queue.count(EXCLUSIVE))
        ):
            msg = f"{event} makes {state} of {self._gate!r}, not {expected}"
            raise DifferenceError(msg)


async def replay_all(
    graph: Graph, start: State, new_gate: Callable[[], AdmissionGate] = AdmissionGate
) -> Replayed:
    """
    Have real gates make every transition of *graph*, one walk after the other.

    Args:
        graph: From ``explored``.

        start: Where that began; each walk does.

        new_gate: Makes a gate.

    Raises:
        DifferenceError: If a gate does something else than the model.
    """
    ways = _ways(graph, start)
    left = {state: list(steps) for state, steps in graph.items() if steps}
    nr_steps = 0
    while left:
        # A state that still has something to show, and on from there for as long as
        # there is something new.
        state = next(iter(left))
        replay = GateReplay(new_gate(), start)
        walk = deque(ways[state])
        while walk or state in left:
            if walk:
                event, then = walk.popleft()
            else:
                event, then = left[state].pop()
                if not left[state]:
                    del left[state]
                state = then
            replay.step(event, then)
            nr_steps += 1
        # Its coroutines would complain that nobody ran them to the end.
        replay.close()
    return Replayed(len(graph), sum(map(len, graph.values())), nr_steps)


def _ways(graph: Graph, start: State) -> dict[State, list[tuple[Event, State]]]:
    """Return a shortest way from *start* to each state."""
    ways: dict[State, list[tuple[Event, State]]] = {start: []}
    found = deque([start])
    while found:
        state = found.popleft()
        for event, then in graph[state]:
            if then not in ways:
                ways[then] = [*ways[state], (event, then)]
                found.append(then)
    return ways


def _is_woken(group: _Group) -> bool:
    waiter = group.waiter
    return waiter is not None and waiter.done() and not waiter.cancelled()


def _count(groups: Iterable[_Group]) -> Count:
    kinds = [group.kind for group in groups]
    return Count(kinds.count(SHARED), kinds.count(EXCLUSIVE))
