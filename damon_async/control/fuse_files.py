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
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Protocol

from .live import TreePortal
from .tree import Handle
from .values import refusal

ROOT_UID: Final = 0

PAGE_SIZE: Final = 4096

NAME_MAX: Final = 255
"""The longest name of a file, in bytes."""

READDIRPLUS: Final = 1 << 13
"""FUSE_CAP_READDIRPLUS of libfuse: listings that come with attributes."""

ENTRY_SECONDS: Final = 3600.0
"""
How long the kernel may remember that a name exists, in seconds.

Long, because what is done with a remembered name still asks the tree: attributes,
listings and opening are never cached, so a directory vanishes at once for all of
them. Names that do not exist are never remembered.
"""


class Requests(Protocol):
    """What libfuse knows of the request that the thread which asks is answering."""

    def keep_thread(self) -> None:
        """Make further requests in this thread cheaper; called again and again."""

    def caller(self) -> tuple[int, int, int]:
        """Return user, group and process id of whom it is of."""

    def is_interrupted(self) -> bool:
        """Tell whether whoever waits for the answer got a signal meanwhile."""


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

        requests: What libfuse knows of the request that is being answered.

        began: Called once the kernel is connected.

    Attributes:
        is_ending: Whether commands that wait are to be given up, because the tree
            is being unmounted.

    Source:
        spec interfaces 0.4.
        Differs: while somebody writes to a file and waits, a second write to the same
        file waits for it, where libfuse is older than 3.15; there it cannot tell the
        kernel that writes to one file may run side by side. Who has a directory open,
        or is in it, that is removed and made anew, is in the new one. ``fstat`` of an
        open file is ENOENT once its directory was removed. Permissions and owners
        are fixed.
    """

    use_ns = True

    def __init__(self, portal: TreePortal, requests: Requests, began: Callable[[], None]) -> None:
        self._portal = portal
        self._requests = requests
        self._began = began
        self._open: dict[int, _OpenFile] = {}
        self._handles = count(1)
        self._uid, self._gid = os.getuid(), os.getgid()
        self._begin_ns = time.time_ns()
        self.is_ending = False

    def __repr__(self) -> str:
        return f"<TreeFiles of {self._portal!r}, {len(self._open)} open>"

    # -- Connecting ----------------------------------------------------------

    def init_with_config(self, connection: Any, config: Any) -> None:
        """Set what the kernel may remember, and tell that it is connected."""
        if connection is not None:
            # Attributes with a listing are of no use to anybody who may not keep them.
            connection.want &= ~READDIRPLUS
        if config is not None:
            config.entry_timeout = ENTRY_SECONDS
            config.attr_timeout = 0.0
            config.negative_timeout = 0.0
        self._began()

    # -- Looking -------------------------------------------------------------

    def getattr(self, path: str, info: Any = None) -> dict[str, int]:
        """Return the attributes of what is at *path*."""
        del info
        self._requests.keep_thread()
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
            "st_mtime": self._begin_ns,
            "st_ctime": self._begin_ns,
        }

    def access(self, path: str, wanted: int) -> int:
        """Tell whether the caller may do something; asked by ``access`` and ``chdir`` only."""
        mode = self._portal.stat(path).mode
        uid, _, _ = self._requests.caller()
        # To root everything is allowed, except to execute what nobody can.
        allowed = (mode >> 6 | 0o6) if uid == ROOT_UID else mode >> 6
        if self._is_stranger:
            allowed = mode
        if wanted & ~allowed & 0o7:
            raise refusal(errno.EACCES, f"{path} is not for user {uid}")
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        """Return what is known of the file system: that names have a limit."""
        del path
        return {"f_bsize": PAGE_SIZE, "f_frsize": PAGE_SIZE, "f_namemax": NAME_MAX}

    @property
    def _is_stranger(self) -> bool:
        """Whether the caller is neither root nor who mounted the tree."""
        uid, _, _ = self._requests.caller()
        return uid not in {ROOT_UID, self._uid}

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
        self._requests.keep_thread()
        if self._is_stranger:
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
        """
        Store the bytes of one call, and wait for what they ask for.

        Whoever is killed while it waits need not wait for the answer.
        """
        del path
        entry = self._open[info.fh]
        place = None if entry.appends else offset
        try:
            return self._portal.write_open(entry.handle, data, place, is_given_up=self._is_given_up)
        except CancelledError:
            raise refusal(errno.EINTR, f"{self._portal!r} was closed") from None

    def _is_given_up(self) -> bool:
        return self.is_ending or self._requests.is_interrupted()

    def release(self, path: str, info: Any) -> int:
        """Forget a file that nobody has open any more."""
        del path
        self._open.pop(info.fh, None)
        return 0

    def truncate(self, path: str, length: int, info: Any = None) -> int:
        """Do nothing: shells truncate what they write to, and that changes no value."""
        del path, length, info
        return 0

    def utimens(self, path: str, times: Any = None) -> int:
        """Do nothing: what is touched keeps its times, and that is no mistake."""
        del path, times
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

    def symlink(self, target: str, source: str) -> int:
        """Refuse to make a link."""
        del source
        raise refusal(errno.EPERM, f"{target} cannot be made by hand")

    def link(self, target: str, source: str) -> int:
        """Refuse to give a file another name."""
        raise refusal(errno.EPERM, f"{source} cannot become {target}")

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
