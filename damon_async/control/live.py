"""The sysfs tree with an engine behind it, and the door of any tree for other threads."""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from anyio import CancelScope
from anyio.from_thread import BlockingPortal

from ..engine.engine import Damon
from .admin import ADMIN
from .node import Role
from .pids import PidOf
from .profiles import Profile
from .state import State
from .tree import Handle, NodeStat, Tree
from .values import refusal
from .world import World


def live_tree(
    damon: Damon,
    profile: Profile | str = Profile.V6_18,
    world: World | None = None,
    *,
    holds_time: bool = False,
    pids: PidOf | None = None,
) -> Tree:
    """
    Return a sysfs tree that runs kdamonds.

    Starts are not exclusive: they share the gate of *damon* with all else that
    runs there.

    Args:
        damon: Runs them; must be open when the first one is started.

        profile: Which kernel's interface it is, also as text.

        world: The processes and the memory that the files can be about; by default
            none.

        holds_time: Whether virtual time stands still except while a command waits.

        pids: Names kdamonds; give all trees on one engine the same. By default
            numbers of its own.
    """
    profile = Profile(profile)
    return Tree(ADMIN, profile, State(damon, profile, world, holds_time=holds_time, pids=pids))


_ASKED: Final = frozenset({Role.LIVE, Role.ASKED})
"""Files whose reads are answered by what stands behind the tree, which is not for threads."""

LOOK_SECONDS: Final = 0.05
"""How often a thread that waits looks whether it is to wait on, in seconds."""


class TreePortal:
    """
    A tree for threads other than that of the event loop; use ``async with`` there.

    What touches nothing but stored values is done in the thread that asks, as a way
    through the loop costs ten times as much; all else in the thread of the loop.

    Its methods are those of the tree, may be called from any number of threads at
    once, and wait where the tree's would. None of them may be called in the thread
    of the loop, which would wait for itself. At the end of the scope, calls under
    way are cancelled.

    Args:
        tree: The tree.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._portal = BlockingPortal()

    def __repr__(self) -> str:
        return f"<TreePortal of {self._tree!r}>"

    async def __aenter__(self) -> Self:
        await self._portal.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Otherwise a command that waits for time that nobody lets pass would wait on.
        await self._portal.stop(cancel_remaining=True)
        if isinstance(exc, Exception):
            # Its group would wrap what was raised in the block, and that comes out anyway.
            await self._portal.__aexit__(None, None, None)
        else:
            await self._portal.__aexit__(exc_type, exc, traceback)

    def read(self, path: str) -> bytes:
        """Return the text of a file; see ``Tree.read``."""
        return self.read_open(self.open(path))

    def write(self, path: str, data: bytes | str) -> int:
        """Write to a file and wait for what it asks for; see ``Tree.write_async``."""
        return self.write_open(self.open(path, for_writing=True), data)

    def listdir(self, path: str = "") -> list[str]:
        """List the names in a directory; see ``Tree.listdir``."""
        return self._tree.listdir(path)

    def entries(self, path: str = "") -> list[tuple[str, bool]]:
        """List names and whether they are directories; see ``Tree.entries``."""
        return self._tree.entries(path)

    def stat(self, path: str) -> NodeStat:
        """Return what is known of a file or directory; see ``Tree.stat``."""
        return self._tree.stat(path)

    def open(self, path: str, *, for_writing: bool = False) -> Handle:
        """Open a file, for ``read_open`` and ``write_open``; see ``Tree.open``."""
        if self._tree.medium.writes_once:
            # What stands behind the tree is told of it.
            return self._portal.call(lambda: self._tree.open(path, for_writing=for_writing))
        return self._tree.open(path, for_writing=for_writing)

    def read_open(self, handle: Handle, offset: int = 0) -> bytes:
        """Return the text of an open file; see ``Handle.read``."""
        if handle.file.role in _ASKED:
            return self._portal.call(handle.read, offset)
        return handle.read(offset)

    def write_open(
        self,
        handle: Handle,
        data: bytes | str,
        offset: int | None = None,
        *,
        is_given_up: Callable[[], bool] | None = None,
    ) -> int:
        """
        Write to an open file and wait for what it asks for; see ``Handle.write_async``.

        Args:
            handle: The file.

            data: As of ``Tree.write``.

            offset: As of ``Handle.write``.

            is_given_up: Asked again and again while a command waits; once it is
                true the command is cancelled. By default never.

        Raises:
            OSError: As of ``Tree.write_async``; EINTR if it was given up.
        """
        if handle.file.role is Role.PLAIN:
            return handle.write(data, offset)
        if is_given_up is None:
            return self._portal.call(handle.write_async, data, offset)
        return self._write_while(lambda: not is_given_up(), handle, data, offset)

    def _write_while(
        self, is_wanted: Callable[[], bool], handle: Handle, data: bytes | str, offset: int | None
    ) -> int:
        """Write, and wait for it for as long as it is wanted."""
        scopes: list[CancelScope] = []

        async def write() -> int:
            with CancelScope() as scope:
                scopes.append(scope)
                return await handle.write_async(data, offset)
            raise refusal(errno.EINTR, f"nobody waits for {handle.file.name} any more")

        def cancel() -> None:
            # It began before this, so there is one.
            scopes[0].cancel()

        future = self._portal.start_task_soon(write)
        while is_wanted():
            try:
                return future.result(LOOK_SECONDS)
            except TimeoutError:
                continue
        # Not the future, which would be done while the command still has the lock.
        self._portal.call(cancel)
        return future.result()
