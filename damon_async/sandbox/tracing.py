"""
Trace events for whoever connects to a socket.

A client sends one line with the names of events, and gets lines of text as ``perf
script`` prints them. When it closes its side, what was traced up to then still
comes, and then the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import SocketStream

from ..control.pids import PidOf
from ..engine.engine import Damon
from ..engine.kdamond import Kdamond
from ..engine.observing import Tracer
from ..operations.events import TraceEvent

MAX_BUFFERED: Final = 64 * 2**20
"""Bytes that wait for one client; what comes when they are full is lost, and counted."""

MAX_REQUEST: Final = 4096
"""Bytes of the line of names."""


class _Client:
    """
    Somebody who wants events.

    Args:
        names: Of the events.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self._lines: list[bytes] = []
        self._nr_bytes = 0
        self._nr_lost = 0
        self._came = anyio.Event()
        self.is_finished = False

    def put(self, line: bytes) -> None:
        """Keep a line until it can be sent; what comes after the end is nobody's."""
        # On a busy machine lines come faster than they are sent, and it would never end.
        if self.is_finished:
            return
        if self._nr_bytes + len(line) > MAX_BUFFERED:
            self._nr_lost += 1
        else:
            self._lines.append(line)
            self._nr_bytes += len(line)
        self._came.set()

    def finish(self) -> None:
        """Have no more lines come."""
        self.is_finished = True
        self._came.set()

    async def take(self) -> bytes:
        """Wait for lines, and return all that there are; none at the end."""
        while not self._lines and not self.is_finished:
            self._came = anyio.Event()
            await self._came.wait()
        text = b"".join(self._lines)
        if self._nr_lost:
            text += f"# {self._nr_lost} events were lost\n".encode()
        self._lines, self._nr_bytes, self._nr_lost = [], 0, 0
        return text


class TraceServer:
    """
    Gives trace events of an engine to clients.

    Args:
        pids: Names kdamonds.
    """

    def __init__(self, pids: PidOf) -> None:
        self._pids = pids
        self._clients: list[_Client] = []
        self.tracer = Tracer(self._heard)

    def __repr__(self) -> str:
        return f"<TraceServer of {len(self._clients)} clients>"

    @asynccontextmanager
    async def listening(self, damon: Damon, socket: Path) -> AsyncIterator[None]:
        """Serve *socket* for the length of an ``async with`` block."""
        listener = await anyio.create_unix_listener(socket)
        with damon.observers.added(self.tracer):
            async with listener, anyio.create_task_group() as group:
                group.start_soon(listener.serve, self._serve)
                yield
                group.cancel_scope.cancel()

    def _heard(self, kdamond: Kdamond, event: TraceEvent) -> None:
        """Hand an event to those who asked for it."""
        asking = [client for client in self._clients if event.event in client.names]
        if not asking:
            return
        seconds, micros = divmod(event.time_us, 1_000_000)
        head = f"{kdamond.name} {self._pids(kdamond)} [000] {seconds}.{micros:06d}"
        line = f"{head}: damon:{event.event}: {event.line}\n".encode()
        for client in asking:
            client.put(line)

    async def _serve(self, stream: SocketStream) -> None:
        """Serve one client until it closes its side."""
        async with stream:
            client = _Client(_names(await stream.receive(MAX_REQUEST)))
            self._clients.append(client)
            self.tracer.listen(on=True)
            try:
                # So that it knows that from now on nothing is missed.
                await stream.send(b"\n")
                async with anyio.create_task_group() as group:
                    group.start_soon(self._watch, stream, client)
                    while text := await client.take():
                        await stream.send(text)
            except* (anyio.BrokenResourceError, anyio.ClosedResourceError):
                # It was killed. That is no failure of ours.
                pass
            finally:
                self._clients.remove(client)
                self.tracer.listen(on=bool(self._clients))

    @staticmethod
    async def _watch(stream: SocketStream, client: _Client) -> None:
        """Wait until the client closes its side."""
        try:
            while True:
                await stream.receive(MAX_REQUEST)
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            client.finish()


def _names(request: bytes) -> frozenset[str]:
    """Return the names of events without their system, ``damon:``."""
    return frozenset(name.rpartition(":")[2] for name in request.decode("utf-8", "replace").split())
