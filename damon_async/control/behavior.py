"""What may stand behind a tree, and the lock that both share."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from .node import Branch, File
from .values import Value, refusal


class InterfaceLock:
    """
    The one lock of a tree, which is tried and never waited for.

    Source:
        spec interfaces 0.5.
    """

    __slots__ = ("_owner",)

    def __init__(self) -> None:
        # Who has it, because after being lent it may be somebody else's.
        self._owner: object | None = None

    def __repr__(self) -> str:
        return f"<InterfaceLock {'held' if self.is_held else 'free'}>"

    @property
    def is_held(self) -> bool:
        """Whether an operation has it."""
        return self._owner is not None

    def check(self) -> None:
        """
        Refuse an operation that takes and returns the lock without waiting.

        Raises:
            OSError: EBUSY if another operation has it.
        """
        if self.is_held:
            raise refusal(errno.EBUSY, "another operation has the interface lock")

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Have the lock for the length of a ``with`` block.

        Raises:
            OSError: EBUSY if another operation has it.
        """
        self.check()
        owner = self._owner = object()
        try:
            yield
        finally:
            if self._owner is owner:
                self._owner = None

    @contextmanager
    def lent(self) -> Iterator[None]:
        """
        Let others have it while its holder waits in a ``with`` block.

        Old releases do. If somebody has it when the wait is over, it stays theirs:
        its holder has nothing left to do then.
        """
        owner, self._owner = self._owner, None
        try:
            yield
        finally:
            if self._owner is None:
                self._owner = owner


class Behavior:
    """
    What stands behind a tree; this one is nothing, for trees that only store.

    Attributes:
        lock: The lock of the tree.
    """

    def __init__(self) -> None:
        self.lock = InterfaceLock()

    def read(self, branch: Branch, file: File) -> Value:
        """Return what a live or asked *file* in *branch* holds now."""
        return branch.value(file.name)

    def asked(self, branch: Branch, file: File, value: Value) -> None:
        """
        Do at once what was written to an asked *file* in *branch*.

        Raises:
            OSError: Why it cannot be done; nothing changed, unless the file says so.
        """
        branch.set_value(file.name, value)

    async def write(self, branch: Branch, file: File, value: Value) -> None:
        """
        Do what was written to a live *file* in *branch*, and wait for it.

        Called with the lock held if the file takes it. May be called while an earlier
        one waits, if there is no lock or that has lent it.

        Raises:
            OSError: Why it cannot be done.
        """
        raise refusal(errno.EINVAL, f"{branch.path}/{file.name} takes no {value!r}: nothing runs")

    def check_renewal(self, branch: Branch) -> None:
        """
        Allow that the numbered children of *branch* are made anew.

        Raises:
            OSError: If they must stay.
        """

    def told(self, branch: Branch, file: File) -> None:
        """Take note that a file was written whose role is to be told of."""

    def opened(self, branch: Branch, file: File) -> None:
        """Take note that a file was opened; where files are written at once only."""
