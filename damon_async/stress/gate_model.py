"""
The admission gate as plain values, small enough to be explored completely.

Groups of one kind are alike, so a state counts them instead of naming them: that
is the whole symmetry reduction. It leaves out how the gate does it, and keeps
all that somebody outside could notice, the moments between being let in and
running again included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

SHARED: Final = "s"
EXCLUSIVE: Final = "x"

SIZE: Final = 2
"""Contexts of a group: two, so that one of them can end early."""


class Count(NamedTuple):
    """How many groups of each kind."""

    s: int = 0
    x: int = 0

    def plus(self, kind: str, n: int = 1) -> Count:
        """Return the count with *n* more of a kind."""
        return Count(self.s + n, self.x) if kind == SHARED else Count(self.s, self.x + n)

    def of(self, kind: str) -> int:
        """Return how many there are of a kind."""
        return self.s if kind == SHARED else self.x


class State(NamedTuple):
    """What all groups are doing; immutable, and a key of dictionaries."""

    idle: Count
    """Groups that are neither inside nor on their way."""

    queue: str = ""
    """Kinds of those who wait, first come first."""

    given_up: Count = Count()
    """Cancelled while waiting; their tasks have not run since."""

    let_in: Count = Count()
    """Let in; their tasks have not run since."""

    doomed: Count = Count()
    """Let in and then cancelled; their tasks have not run since."""

    inside: Count = Count()
    """Inside with all of their contexts."""

    partial: Count = Count()
    """Inside with one context, because the other one has ended early."""

    def nr_running(self, kind: str) -> int:
        """Return how many contexts of a kind count as running."""
        whole = self.let_in.of(kind) + self.doomed.of(kind) + self.inside.of(kind)
        return SIZE * whole + self.partial.of(kind)

    def admits(self, kind: str) -> bool:
        """Tell whether a group could come in, the queue aside."""
        if self.nr_running(EXCLUSIVE):
            return False
        return kind == SHARED or not self.nr_running(SHARED)

    def moved(self, kind: str, origin: str, to: str) -> State:
        """Return the state with one group of a kind elsewhere."""
        return self._replace(
            **{
                origin: getattr(self, origin).plus(kind, -1),
                to: getattr(self, to).plus(kind),
            }
        )


class Event(NamedTuple):
    """What happens next."""

    name: str
    """``ask``, ``ask_nowait``, ``give_up``, or one of ``MOVES``."""

    kind: str
    """Which kind of group does it."""

    place: int = 0
    """For ``give_up``: its place in the queue, from 0."""


MOVES: Final[Mapping[str, tuple[str, str, bool]]] = MappingProxyType(
    {
        # Its task runs, and finds that it was cancelled while it waited.
        "settle": ("given_up", "idle", True),
        # Its task runs, and is inside.
        "resume": ("let_in", "inside", False),
        # Its task is cancelled before it runs.
        "doom": ("let_in", "doomed", False),
        # Its task runs, and gives back what it was given.
        "undo": ("doomed", "idle", True),
        # One of its contexts ends, then the other.
        "end_early": ("inside", "partial", True),
        "end": ("partial", "idle", True),
    }
)
"""Where a group comes from, where it goes, and whether others may move up then."""

PROGRESS: Final = ("settle", "resume", "undo", "end_early", "end")
"""Events that come by themselves sooner or later: nobody asks, nobody is cancelled."""

Graph: TypeAlias = Mapping[State, list[tuple[Event, State]]]
"""All that can follow each state."""


def initial(nr_shared: int, nr_exclusive: int) -> State:
    """Return the state in which nobody has come yet."""
    return State(Count(nr_shared, nr_exclusive))


def events(state: State) -> Iterator[Event]:
    """List all that can happen in *state*."""
    for kind in (SHARED, EXCLUSIVE):
        if state.idle.of(kind):
            yield Event("ask", kind)
            yield Event("ask_nowait", kind)
        for name, (origin, _, _) in MOVES.items():
            if getattr(state, origin).of(kind):
                yield Event(name, kind)
    for place, kind in enumerate(state.queue):
        yield Event("give_up", kind, place)


def after(state: State, event: Event) -> State:
    """Return what *state* becomes by *event*."""
    name, kind, place = event
    if name in MOVES:
        origin, to, is_heard = MOVES[name]
        moved = state.moved(kind, origin, to)
        return move_up(moved) if is_heard else moved
    if name == "give_up":
        # Nobody moves up yet: the gate hears of it when the task has its turn.
        queue = state.queue[:place] + state.queue[place + 1 :]
        return state._replace(queue=queue, given_up=state.given_up.plus(kind))
    # Those before it may have been waiting for somebody who has given up.
    state = move_up(state)
    if not state.queue and state.admits(kind):
        return state.moved(kind, "idle", "inside")
    if name == "ask":
        return state._replace(idle=state.idle.plus(kind, -1), queue=state.queue + kind)
    return state


def move_up(state: State) -> State:
    """Let in whoever can be, strictly from the front of the queue."""
    while state.queue and state.admits(state.queue[0]):
        kind = state.queue[0]
        state = state._replace(queue=state.queue[1:], let_in=state.let_in.plus(kind))
    return state


def explored(start: State) -> Graph:
    """Return every state that can be reached from *start*, with all that can follow it."""
    graph: dict[State, list[tuple[Event, State]]] = {}
    found = deque([start])
    while found:
        state = found.popleft()
        if state not in graph:
            graph[state] = [(event, after(state, event)) for event in events(state)]
            found.extend(after for _, after in graph[state] if after not in graph)
    return graph


def stuck(graph: Graph, start: State) -> list[State]:
    """
    Return the states in which somebody would wait for ever; none, for a live gate.

    Each event of ``PROGRESS`` takes a group one place further, so they cannot go
    on for ever: whoever is not home must have one to come.
    """
    # Without such an event nothing but a new request could help.
    return [
        state
        for state, steps in graph.items()
        if state != start and not any(event.name in PROGRESS for event, _ in steps)
    ]


def overtakings(graph: Graph) -> list[tuple[State, Event]]:
    """Return the events by which a request gets in before an earlier one; none, if fair."""
    # Who waits afterwards waited before and behind all who were let in, or has just
    # come; whoever comes straight in leaves nobody behind.
    return [
        (state, event)
        for state, steps in graph.items()
        for event, then in steps
        if _overtakes(state, event, then)
    ]


def _overtakes(before: State, event: Event, then: State) -> bool:
    if event.name == "give_up":
        return False
    asked = event.kind if event.name == "ask" else ""
    is_straight_in = event.name.startswith("ask") and then.inside != before.inside
    return not (before.queue + asked).endswith(then.queue) or (is_straight_in and then.queue != "")
