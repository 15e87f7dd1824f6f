"""
The mechanics of a tree: what reading, writing and listing do, and with which errno.

Errors are plain ``OSError``, as of real files. Nothing in here waits, except for
what stands behind the tree.
"""

from __future__ import annotations

import errno
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NamedTuple, NoReturn

from .behavior import Behavior, InterfaceLock
from .medium import SYSFS, Medium
from .node import READ_ONLY, Branch, Directory, File, Role, Shape
from .profiles import Profile
from .values import refusal

DIRECTORY_MODE: Final = 0o755

MAX_KNOWN: Final = 4096
"""How many paths a tree remembers the files of."""


class NodeStat(NamedTuple):
    """What is known of a file or directory without opening it."""

    is_dir: bool
    """Whether it is a directory."""

    mode: int
    """Permission bits."""

    size: int
    """What all files of the tree report, 0 for directories."""


class Tree:
    """
    A tree of files with one value each.

    Paths are relative to the root; slashes at the ends do not matter. Everything
    happens in the thread of the event loop; ``TreePortal`` is for other threads.

    Args:
        declared: The root.

        profile: Which kernel's files, keywords and errnos there are, also as text.

        behavior: What stands behind it; by default nothing.

        medium: The kind of its file system.

    Attributes:
        profile: As above.

        medium: As above.

        root: The root as it is now.

        behavior: As above.

    Source:
        spec interfaces 0.4 and 0.5.
    """

    def __init__(
        self,
        declared: Directory,
        profile: Profile | str = Profile.V6_18,
        behavior: Behavior | None = None,
        medium: Medium = SYSFS,
    ) -> None:
        self.profile = Profile(profile)
        self.medium = medium
        self.root = Branch(Shape(declared, self.profile.release))
        self.behavior = behavior or Behavior()
        self._known: dict[str, Handle] = {}

    def __repr__(self) -> str:
        return f"<Tree {self.root.shape.declared.name} of {self.profile}>"

    @property
    def lock(self) -> InterfaceLock:
        """The interface lock."""
        return self.behavior.lock

    # -- Looking -------------------------------------------------------------

    def stat(self, path: str) -> NodeStat:
        """
        Return kind, mode and size of what is at *path*.

        Raises:
            OSError: ENOENT if there is nothing, ENOTDIR if a file is in the way.
        """
        known = self._known.get(path)
        found = self._find(path) if known is None or known.branch.is_gone else known
        if isinstance(found, Branch):
            return NodeStat(is_dir=True, mode=DIRECTORY_MODE, size=0)
        return NodeStat(is_dir=False, mode=found.file.mode, size=found.size)

    def listdir(self, path: str = "") -> list[str]:
        """
        List the names in the directory at *path*.

        Raises:
            OSError: ENOENT if there is nothing, ENOTDIR if it is a file.
        """
        found = self._find(path)
        if isinstance(found, Branch):
            return found.names()
        raise refusal(errno.ENOTDIR, f"{path} is a file")

    def entries(self, path: str = "") -> list[tuple[str, bool]]:
        """
        List the names in the directory at *path*, and whether each is a directory.

        Raises:
            OSError: As of ``listdir``.
        """
        names = self.listdir(path)
        found = self._find(path)
        files = found.shape.files if isinstance(found, Branch) else {}
        return [(name, name not in files) for name in names]

    def open(self, path: str, *, for_writing: bool = False) -> Handle:
        """
        Open the file at *path*.

        Args:
            path: The file.

            for_writing: Whether it is opened for writing, as well or only.

        Raises:
            OSError: ENOENT, ENOTDIR; EISDIR if it is a directory, EACCES if it is
                to be written and is read-only.
        """
        found = self._known.get(path)
        # What is known is of use for as long as its directory is there.
        if found is None or found.branch.is_gone:
            found = self._look_up(path)
        if for_writing and found.file.mode == READ_ONLY:
            raise refusal(errno.EACCES, f"{path} is read-only")
        if not self.medium.writes_once:
            return found
        # It knows whether it was written to, so it is nobody else's.
        self.behavior.opened(found.branch, found.file)
        return Handle(found.branch, found.file, self.behavior, self.medium)

    # -- Reading and writing -------------------------------------------------

    def read(self, path: str) -> bytes:
        """
        Return the text of the file at *path*.

        Raises:
            OSError: As of ``open``; EBUSY if the file takes the interface lock
                and another operation has it.
        """
        return self.open(path).read()

    def write(self, path: str, data: bytes | str) -> int:
        """
        Write to the file at *path*, unless that would have to wait.

        Args:
            path: The file.

            data: Of it is taken what the medium allows, 4096 bytes in sysfs. Texts
                are encoded in UTF-8.

        Returns:
            How many bytes were taken.

        Raises:
            OSError: As of ``open``; EINVAL, ERANGE, ENOMEM, EBUSY if the value is
                refused, which then is what it was before.

            BlockingIOError: EAGAIN if the file is one whose writes wait, such as
                ``state``; nothing happened. Use ``write_async``, or a portal.
        """
        return self.open(path, for_writing=True).write(data)

    async def read_async(self, path: str) -> bytes:
        """Return the text of the file at *path*; reading never waits."""
        return self.read(path)

    async def write_async(self, path: str, data: bytes | str) -> int:
        """
        Write to the file at *path*, and wait until what it asks for is done.

        Cancelled, what was not begun is not done; a kdamond that was asked to
        stop stops all the same.

        Args:
            path: The file.

            data: As of ``write``.

        Returns:
            How many bytes were taken.

        Raises:
            OSError: As of ``write``; besides, what requests are refused with:
                EPERM, ECANCELED.
        """
        return await self.open(path, for_writing=True).write_async(data)

    def _look_up(self, path: str) -> Handle:
        """Return the file at *path*, and remember it."""
        found = self._find(path)
        if isinstance(found, Branch):
            raise refusal(errno.EISDIR, f"{path or '/'} is a directory")
        # All at once: it is a matter of speed only, and removed ones go with it.
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[path] = found
        return found

    def _find(self, path: str) -> Branch | Handle:
        """
        Return what is at *path*.

        Raises:
            OSError: ENOENT if there is nothing, ENOTDIR if a file is in the way.
        """
        branch = self.root
        file: File | None = None
        for name in path.split("/"):
            if not name or name == ".":
                continue
            if file is not None:
                raise refusal(errno.ENOTDIR, f"{file.name} in {path} is a file")
            found = branch.find(name)
            if found is not None:
                branch = found
                continue
            file = branch.shape.files.get(name)
            if file is None:
                raise refusal(errno.ENOENT, f"there is no {path!r}")
        return branch if file is None else Handle(branch, file, self.behavior, self.medium)


class Handle:
    """
    An open file; stays one when its directory is removed, but then is of no use.

    Args:
        branch: The directory it is in.

        file: The file.

        behavior: What stands behind the tree.

        medium: The kind of its file system.

    Attributes:
        branch: As above.

        file: As above.
    """

    __slots__ = ("_behavior", "_medium", "_position", "branch", "file")

    def __init__(
        self, branch: Branch, file: File, behavior: Behavior, medium: Medium = SYSFS
    ) -> None:
        self.branch = branch
        self.file = file
        self._behavior = behavior
        self._medium = medium
        # Where the last write ended; nobody asks where each write is on its own.
        self._position = 0

    def __repr__(self) -> str:
        return f"<Handle of {self.branch.path}/{self.file.name}>"

    @property
    def size(self) -> int:
        """What it reports as its size, in bytes."""
        return self._medium.size

    def read(self, offset: int = 0) -> bytes:
        """
        Return the text of the file, made anew, from *offset* on.

        Raises:
            OSError: ENODEV if its directory was removed; EBUSY if it takes the
                interface lock and another operation has it; EINVAL if it cannot
                be read.
        """
        branch, file = self.branch, self.file
        self._check_there()
        if file.is_locking:
            self._behavior.lock.check()
        if not file.can_read:
            raise refusal(errno.EINVAL, f"{file.name} cannot be read, only written")
        is_behind = file.role is Role.LIVE or file.role is Role.ASKED
        value = self._behavior.read(branch, file) if is_behind else branch.value(file.name)
        text = file.kind.show(value)
        return text[offset:] if offset else text

    def write(self, data: bytes | str, offset: int | None = None) -> int:
        """
        Write to the file, unless that would have to wait; see ``Tree.write``.

        Args:
            data: The bytes or text.

            offset: Where; None is where the last write ended. Matters only where an
                open file takes one write: elsewhere than at its beginning that is
                EINVAL.
        """
        taken = self._taken(data, offset)
        if taken or self._medium.writes_once:
            if self.file.role is Role.LIVE:
                self._refuse_to_wait(taken)
            self._store(taken)
            self._position += len(taken)
        return len(taken)

    async def write_async(self, data: bytes | str, offset: int | None = None) -> int:
        """Write to the file and wait for what it asks for; see ``Tree.write_async``."""
        taken = self._taken(data, offset)
        is_nothing = not taken and not self._medium.writes_once
        if is_nothing or self.file.role is not Role.LIVE:
            return self.write(data, offset)
        # First the lock, then the word: so is the order of its refusals.
        with self._lock_held():
            value = self.file.kind.parse(taken)
            await self._behavior.write(self.branch, self.file, value)
        self._position += len(taken)
        return len(taken)

    def _check_there(self) -> None:
        if self.branch.is_gone:
            raise refusal(errno.ENODEV, f"the directory of {self.file.name} was removed")

    def _taken(self, data: bytes | str, offset: int | None) -> bytes:
        """Return the bytes that one write takes."""
        file, medium = self.file, self._medium
        if file.mode == READ_ONLY:
            raise refusal(errno.EACCES, f"{file.name} is read-only")
        self._check_there()
        if medium.writes_once and (self._position if offset is None else offset):
            raise refusal(errno.EINVAL, f"{file.name} was written to; open it again")
        if not file.can_write:
            raise refusal(errno.EINVAL, f"{file.name} cannot be written, only read")
        taken = _encoded(data[: medium.most] if medium.cuts else data)
        if len(taken) > medium.most and not medium.cuts:
            raise refusal(errno.ENOMEM, f"{len(taken)} bytes are too many; at most {medium.most}")
        return taken[: medium.most]

    def _lock_held(self) -> AbstractContextManager[None]:
        """Return what has the interface lock in a ``with`` block, if the file takes it."""
        return self._behavior.lock.held() if self.file.is_locking else nullcontext()

    def _refuse_to_wait(self, data: bytes) -> NoReturn:
        with self._lock_held():
            self.file.kind.parse(data)
        raise refusal(errno.EAGAIN, f"writing to {self.file.name} waits; use write_async")

    def _store(self, data: bytes) -> None:
        """Parse a value and keep it; nothing changes if it is refused."""
        branch, file, behavior = self.branch, self.file, self._behavior
        if file.is_locking:
            behavior.lock.check()
        value = file.kind.parse(data)
        if file.role is Role.COUNTER:
            self._renew(int(value))
        elif file.role is Role.ASKED:
            behavior.asked(branch, file, value)
        else:
            branch.set_value(file.name, value)
            if file.role is Role.TOLD:
                behavior.told(branch, file)

    def _renew(self, count: int) -> None:
        """Make the numbered children anew; their values are not kept."""
        most = self.branch.shape.declared.most
        self._behavior.lock.check()
        if most is not None and count > most:
            raise refusal(errno.EINVAL, f"{count} are too many; at most {most}")
        self._behavior.check_renewal(self.branch)
        self.branch.renew_children(count)


def _encoded(data: bytes | str) -> bytes:
    """Return *data* as bytes."""
    if not isinstance(data, str):
        return bytes(data)
    # Halves of surrogates stand for bytes that nobody could decode, or for nothing.
    try:
        return data.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise refusal(errno.EINVAL, f"{data[:64]!r} is no text: {error.reason}") from None
