"""
The requests of a mounted tree, answered by the tree.

libfuse calls these methods in threads of its own, many at once. Each takes the way
through the portal, so the tree itself only ever runs in the thread of its loop, and
a request that waits holds nobody up.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from .live import TreePortal
from .tree import Handle
from .values import refusal

ROOT_UID: Final = 0

GONE_SIZE: Final = 0
"""What an open file reports whose directory was removed."""

ENTRY_SECONDS: Final = 3600.0
"""
How long the kernel may remember that a name exists, in seconds.

Long, because what is done with a remembered name still asks the tree: attributes,
listings and opening are never cached, so a directory vanishes at once for all of
them. Names that do not exist are never remembered.
"""


@dataclass(slots=True)
class _OpenFile:
    """
    A file that somebody has open.

    Attributes:
        handle: In the tree.

        appends: Whether the kernel says where writes go by a size that files do not
            have.

        text: What the read that began at offset 0 was told; reads further on get the
            rest of it, even if the file says something else by then. None until then.
    """

    handle: Handle
    appends: bool = False
    text: bytes | None = field(default=None, repr=False)


class TreeFiles:
    """
    A tree as the file operations of mfusepy.

    Args:
        portal: The tree.

        caller: Returns user, group and process id of whom the current request is of.

        began: Called once the kernel is connected.

    Source:
        spec interfaces 0.4.
        Differs: while somebody writes to a file and waits, a second write to the same
        file waits for it, where libfuse is older than 3.15; there it cannot tell the
        kernel that writes to one file may run side by side.
    """

    use_ns = True

    def __init__(
        self,
        portal: TreePortal,
        caller: Callable[[], tuple[int, int, int]],
        began: Callable[[], None],
    ) -> None:
        self._portal = portal
        self._caller = caller
        self._began = began
        self._open: dict[int, _OpenFile] = {}
        self._handles = count(1)
        self._uid, self._gid = os.getuid(), os.getgid()

    def __repr__(self) -> str:
        return f"<TreeFiles of {self._portal!r}, {len(self._open)} open>"

    # -- Connecting ----------------------------------------------------------

    def init_with_config(self, connection: Any, config: Any) -> None:
        """Set what the kernel may remember, and tell that it is connected."""
        del connection
        if config is not None:
            config.entry_timeout = ENTRY_SECONDS
            config.attr_timeout = 0.0
            config.negative_timeout = 0.0
        self._began()

    # -- Looking -------------------------------------------------------------

    def getattr(self, path: str, info: Any = None) -> dict[str, int]:
        """Return the attributes of what is at *path*, open or not."""
        entry = self._open.get(info.fh) if info else None
        if entry is not None and entry.handle.branch.is_gone:
            # fstat of a file of a removed directory still works, as it does on sysfs.
            return self._attributes(stat.S_IFREG | entry.handle.file.mode, GONE_SIZE)
        found = self._portal.stat(path)
        kind = stat.S_IFDIR if found.is_dir else stat.S_IFREG
        return self._attributes(kind | found.mode, found.size)

    def _attributes(self, mode: int, size: int) -> dict[str, int]:
        """Return attributes; who mounted the tree owns it."""
        nr_links = 2 if stat.S_ISDIR(mode) else 1
        return {
            "st_mode": mode,
            "st_size": size,
            "st_nlink": nr_links,
            "st_uid": self._uid,
            "st_gid": self._gid,
        }

    def readdir(self, path: str, fh: int) -> Iterator[tuple[str, int, int]]:
        """List names and kinds of what is in a directory, itself and the one above included."""
        del fh
        kinds = {True: stat.S_IFDIR, False: stat.S_IFREG}
        yield from ((name, stat.S_IFDIR, 0) for name in (".", ".."))
        # The third number of each is where it stands; 0 leaves that to libfuse.
        yield from ((name, kinds[is_dir], 0) for name, is_dir in self._portal.entries(path))

    # -- Files ---------------------------------------------------------------

    def open(self, path: str, info: Any) -> int:
        """Open a file for whom it belongs to."""
        uid, _, _ = self._caller()
        if uid not in {ROOT_UID, self._uid}:
            raise refusal(errno.EACCES, f"{path} belongs to another user")
        wanted = info.flags & os.O_ACCMODE
        handle = self._portal.open(path, for_writing=wanted != os.O_RDONLY)
        info.fh = next(self._handles)
        # Every read and write comes here, as it was asked for.
        info.direct_io = True
        if hasattr(info, "parallel_direct_writes"):
            info.parallel_direct_writes = True
        self._open[info.fh] = _OpenFile(handle, appends=bool(info.flags & os.O_APPEND))
        return 0

    def read(self, path: str, size: int, offset: int, info: Any) -> bytes:
        """Return a part of the text, which is made anew when it is read from its beginning."""
        del path
        entry = self._open[info.fh]
        if not offset or entry.text is None:
            entry.text = self._portal.read_open(entry.handle)
        return entry.text[offset : offset + size]

    def write(self, path: str, data: bytes, offset: int, info: Any) -> int:
        """Store the bytes of one call."""
        del path
        entry = self._open[info.fh]
        return self._portal.write_open(entry.handle, data, None if entry.appends else offset)

    def release(self, path: str, info: Any) -> int:
        """Forget a file that nobody has open any more."""
        del path
        self._open.pop(info.fh, None)
        return 0

    def truncate(self, path: str, length: int, info: Any = None) -> int:
        """Do nothing: shells truncate what they write to, and that changes no value."""
        del path, length, info
        return 0

    # -- What cannot be done -------------------------------------------------

    def create(self, path: str, mode: int, info: Any) -> int:
        """Refuse to make a file."""
        del mode, info
        raise refusal(errno.EACCES, f"{path} cannot be made: the tree makes its files itself")

    def mknod(self, path: str, mode: int, device: int) -> int:
        """Refuse to make a file."""
        del mode, device
        raise refusal(errno.EACCES, f"{path} cannot be made: the tree makes its files itself")

    def mkdir(self, path: str, mode: int) -> int:
        """Refuse to make a directory: counts make them."""
        del mode
        raise refusal(errno.EPERM, f"{path} cannot be made by hand")

    def rmdir(self, path: str) -> int:
        """Refuse to remove a directory: counts remove them."""
        raise refusal(errno.EPERM, f"{path} cannot be removed by hand")

    def unlink(self, path: str) -> int:
        """Refuse to remove a file."""
        raise refusal(errno.EPERM, f"{path} cannot be removed")

    def rename(self, old: str, new: str, flags: int = 0) -> int:
        """Refuse to rename anything."""
        del flags
        raise refusal(errno.EPERM, f"{old} cannot become {new}")

    def chmod(self, path: str, mode: int) -> int:
        """Refuse to change permissions: they are part of the interface."""
        del mode
        raise refusal(errno.EPERM, f"the mode of {path} is fixed")

    def chown(self, path: str, uid: int, gid: int) -> int:
        """Refuse to change the owner."""
        del uid, gid
        raise refusal(errno.EPERM, f"the owner of {path} is fixed")
