"""
A tree in a directory: mounted by somebody, or a copy of one.

Reading is for every directory. Writing is not for the interface of this machine's
own kernel, where it would change the DAMON that runs here.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from .explain import NOT_OURS
from .mount_points import FSNAME, KERNEL_TYPES, MOUNTINFO, Mount, covering, parse_mountinfo
from .values import refusal

MOST_READ: Final = 2**20
"""Bytes that are read of a file at most; those of a tree have far fewer."""


class Folder:
    """
    The files below a directory.

    Args:
        path: The root of the tree.

    Raises:
        OSError: ENOENT or ENOTDIR if there is no such directory.

    Attributes:
        path: As above, without links.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # The commonest case on machines without DAMON, so it says what to do.
        if not os.path.lexists(path):
            raise refusal(
                errno.ENOENT,
                f"there is no tree at {os.fspath(path)}; damon-async sandbox has one",
            )
        if not Path(path).is_dir():
            raise refusal(errno.ENOTDIR, f"{os.fspath(path)} is no directory")
        self.path = Path(path).resolve()

    def __repr__(self) -> str:
        return f"<Folder {self.path}>"

    def entries(self, path: str = "") -> list[tuple[str, bool]]:
        """
        List names in a directory, and whether each is a directory itself.

        Raises:
            OSError: If it is none, or cannot be looked into.
        """
        # Links are files here: a tree has none, and one could lead in circles.
        with os.scandir(self._place(path)) as found:
            return [(each.name, each.is_dir(follow_symlinks=False)) for each in found]

    def read(self, path: str) -> bytes:
        """
        Return what a file holds.

        Raises:
            OSError: If it is none, or cannot be read now.
        """
        # Not through a buffer, and with an end: not every file of a copy need have one.
        handle = os.open(self._place(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            data = bytearray()
            while len(data) < MOST_READ and (more := os.read(handle, MOST_READ)):
                data += more
            return bytes(data[:MOST_READ])
        finally:
            os.close(handle)

    def write(self, path: str, data: bytes) -> int:
        """
        Write to a file, in one piece.

        Raises:
            OSError: EPERM if the file belongs to the kernel of this machine; nothing
                happened. Else what the file answers.
        """
        place = self._place(path).resolve()
        # Each file: a link or a mount below the root leads anywhere.
        check_writable(place)
        # Ordinary files would keep the end of a longer value; there are no new ones.
        flags = os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(place, flags)
        try:
            return os.write(handle, data)
        finally:
            os.close(handle)

    def _place(self, path: str) -> Path:
        return self.path / path.strip("/")


def check_writable(place: Path, mounts: list[Mount] | None = None) -> None:
    """
    Refuse to write to an interface of this machine's kernel.

    Args:
        place: A file or directory, absolute and without links.

        mounts: What is mounted; None asks the system.

    Raises:
        OSError: EPERM if it is one, or may be one, with what to do instead.
    """
    if mounts is None:
        mounts = parse_mountinfo(MOUNTINFO.read_text(encoding="utf-8"))
    mount = covering(place, mounts)
    # By both: the source is a text that any mount may have.
    if mount is not None and mount.type.startswith("fuse") and mount.source == FSNAME:
        return
    # By place as well: what covers a part of /sys is somebody's stand-in for it.
    is_kernels = place.is_relative_to("/sys") or place.is_relative_to("/proc")
    if mount is None or mount.type in KERNEL_TYPES or is_kernels:
        raise refusal(errno.EPERM, f"{place} {NOT_OURS}")
