"""
The mechanics of a tree: what reading, writing and listing do, and with which errno.

Errors are plain ``OSError``, as of real files. Nothing in here waits, except for
what stands behind the tree.
"""

from __future__ import annotations

import errno
from typing import Final, NamedTuple

from .behavior import Behavior, InterfaceLock
from .node import READ_ONLY, Branch, Directory, File, Role, Shape
from .profiles import Profile
from .values import refusal

PAGE: Final = 4096
"""The size that files report, and the most that one write takes."""

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
    """4096 for every file, 0 for directories."""


class Tree:
    """
    A tree of files with one value each.

    Paths are relative to the root; slashes at the ends do not matter. Everything
    happens in the thread of the event loop; ``TreePortal`` is for other threads.

    Args:
        declared: The root.

        profile: Which kernel's files, keywords and errnos there are, also as text.

        behavior: What stands behind it; by default nothing.

    Attributes:
        profile: As above.

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
    ) -> None:
        self.profile = Profile(profile)
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
        found = self._find(path)
        if isinstance(found, Branch):
            return NodeStat(is_dir=True, mode=DIRECTORY_MODE, size=0)
        return NodeStat(is_dir=False, mode=found.file.mode, size=PAGE)

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
        return found

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

            data: At most 4096 bytes of it are taken. Texts are encoded in UTF-8.

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

            data: At most 4096 bytes of it are taken. Texts are encoded in UTF-8.

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
        return branch if file is None else Handle(branch, file, self.behavior)


class Handle:
    """
    An open file; stays one when its directory is removed, but then is of no use.

    Args:
        branch: The directory it is in.

        file: The file.

        behavior: What stands behind the tree.

    Attributes:
        branch: As above.

        file: As above.
    """

    __slots__ = ("_behavior", "branch", "file")

    def __init__(self, branch: Branch, file: File, behavior: Behavior) -> None:
        self.branch = branch
        self.file = file
        self._behavior = behavior

    def __repr__(self) -> str:
        return f"<Handle of {self.branch.path}/{self.file.name}>"

    def read(self) -> bytes:
        """
        Return the text of the file.

        Raises:
            OSError: ENODEV if its directory was removed; EBUSY if it takes the
                interface lock and another operation has it.
        """
        branch, file = self.branch, self.file
        self._check_there()
        if file.is_locking:
            self._behavior.lock.check()
        is_live = file.role is Role.LIVE
        value = self._behavior.read(branch, file) if is_live else branch.value(file.name)
        return file.kind.show(value)

    def write(self, data: bytes | str) -> int:
        """Write to the file, unless that would have to wait; see ``Tree.write``."""
        taken = self._taken(data)
        if taken and self.file.role is Role.LIVE:
            with self._behavior.lock.held():
                self.file.kind.parse(taken)
            raise refusal(errno.EAGAIN, f"writing to {self.file.name} waits; use write_async")
        if taken:
            self._store(taken)
        return len(taken)

    async def write_async(self, data: bytes | str) -> int:
        """Write to the file and wait for what it asks for; see ``Tree.write_async``."""
        taken = self._taken(data)
        if not taken or self.file.role is not Role.LIVE:
            return self.write(data)
        # First the lock, then the word: so is the order of its refusals.
        with self._behavior.lock.held():
            value = self.file.kind.parse(taken)
            await self._behavior.write(self.branch, self.file, value)
        return len(taken)

    def _check_there(self) -> None:
        if self.branch.is_gone:
            raise refusal(errno.ENODEV, f"the directory of {self.file.name} was removed")

    def _taken(self, data: bytes | str) -> bytes:
        """Return the bytes that one write takes."""
        if self.file.mode == READ_ONLY:
            raise refusal(errno.EACCES, f"{self.file.name} is read-only")
        self._check_there()
        if not isinstance(data, str):
            return bytes(data[:PAGE])
        # Halves of surrogates stand for bytes that nobody could decode, or for nothing.
        try:
            return data[:PAGE].encode("utf-8", "surrogateescape")[:PAGE]
        except UnicodeEncodeError as error:
            raise refusal(errno.EINVAL, f"{data[:64]!r} is no text: {error.reason}") from None

    def _store(self, data: bytes) -> None:
        """Parse a value and keep it; nothing changes if it is refused."""
        branch, file, behavior = self.branch, self.file, self._behavior
        if file.is_locking:
            behavior.lock.check()
        value = file.kind.parse(data)
        if file.role is Role.COUNTER:
            self._renew(int(value))
            return
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
