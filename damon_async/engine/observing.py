"""Those who want to know of every kdamond of an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from ..operations.events import TraceEvent
from .kdamond import Kdamond


class Observer(Protocol):
    """Told when kdamonds begin and end; must neither wait nor fail."""

    def began(self, kdamond: Kdamond) -> None:
        """Take note that *kdamond* was made; it has not looked at anything yet."""

    def ended(self, kdamond: Kdamond) -> None:
        """Take note that *kdamond* does not run any more."""


class Observers:
    """The observers of an engine, in the order in which they came."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def __repr__(self) -> str:
        return f"<Observers {len(self._observers)}>"

    @contextmanager
    def added(self, observer: Observer) -> Iterator[None]:
        """Tell *observer* for the length of a ``with`` block; of what already runs, nothing."""
        self._observers.append(observer)
        try:
            yield
        finally:
            self._observers.remove(observer)

    def began(self, kdamond: Kdamond) -> None:
        """Tell all that a kdamond was made."""
        for observer in tuple(self._observers):
            observer.began(kdamond)

    def ended(self, kdamond: Kdamond) -> None:
        """Tell all that a kdamond has ended."""
        for observer in tuple(self._observers):
            observer.ended(kdamond)


class Tracer:
    """
    Hears the trace events of every kdamond of an engine, while somebody listens.

    Args:
        heard: Called with each event and the kdamond it is of.

    Attributes:
        is_listening: Whether anybody wants to know; otherwise no event is made.
    """

    def __init__(self, heard: Callable[[Kdamond, TraceEvent], None]) -> None:
        self._heard = heard
        self._running: dict[Kdamond, None] = {}
        self.is_listening = False

    def __repr__(self) -> str:
        return f"<Tracer of {len(self._running)}{', listening' if self.is_listening else ''}>"

    def listen(self, *, on: bool) -> None:
        """Begin or stop listening to all that run, and to all that will."""
        self.is_listening = on
        for kdamond in self._running:
            self._attach(kdamond)

    def began(self, kdamond: Kdamond) -> None:
        """Listen to a new kdamond, if to any."""
        self._running[kdamond] = None
        self._attach(kdamond)

    def ended(self, kdamond: Kdamond) -> None:
        """Forget a kdamond."""
        self._running.pop(kdamond, None)

    def _attach(self, kdamond: Kdamond) -> None:
        def hear(event: TraceEvent) -> None:
            self._heard(kdamond, event)

        kdamond.schemes.listen = hear if self.is_listening else None
