"""
Where a tree may be mounted: never over an interface of the machine's own kernel.

What is below ``/sys`` may be the DAMON of the machine, running. Covering it is for
private mount namespaces, in which nobody else looks.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .values import refusal

KERNEL_TYPES: Final = frozenset({"sysfs", "debugfs", "tracefs", "proc", "configfs", "cgroup2"})
"""File systems that are interfaces of a kernel."""

FSNAME: Final = "damon_async"
"""What our mounts call themselves in the list of mounts."""

FIRST_PID_NAMESPACE: Final = 0xEFFFFFFC
"""The number of the process id namespace that a machine begins with."""

MOUNTINFO: Final = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Mount:
    """
    A line of ``mountinfo``.

    Attributes:
        point: Where it is.

        type: Of the file system, e.g. ``sysfs``.

        source: What is mounted there, in the words of whoever did.

        is_shared: Whether mounts below it show in other namespaces as well.
    """

    point: str
    type: str
    source: str
    is_shared: bool


def parse_mountinfo(text: str) -> list[Mount]:
    """
    Read the list of mounts of a process.

    Source:
        proc_pid_mountinfo(5).
    """
    mounts = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        # Blanks and the like in paths are written as octal numbers.
        point = fields[4].encode().decode("unicode_escape")
        shared = any(each.startswith("shared:") for each in fields[6:])
        mounts.append(Mount(point, kind[0], kind[1], shared))
    return mounts


def covering(path: Path, mounts: Iterable[Mount]) -> Mount | None:
    """Return the mount that *path*, absolute and without links, is on; None if unknown."""
    found: Mount | None = None
    for mount in mounts:
        is_below = path.is_relative_to(mount.point)
        # Of two at one place, the later one covers the earlier.
        if is_below and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def is_namespace_private() -> bool:
    """
    Tell whether mounts made by this process are its own business.

    They are if it has another mount namespace than the first process that it can
    see, or if that one is not the machine's.
    """
    if Path("/proc/self/ns/pid").stat().st_ino != FIRST_PID_NAMESPACE:
        return True
    try:
        return Path("/proc/1/ns/mnt").stat().st_ino != Path("/proc/self/ns/mnt").stat().st_ino
    except PermissionError:
        # Who cannot look there is not root, and has a namespace of root's at best.
        return False


def check_mount_point(path: Path) -> Path:
    """
    Return the directory *path*, absolute and without links, if a tree may be mounted there.

    Raises:
        OSError: ENOENT or ENOTDIR if there is no such directory; EPERM if it is an
            interface of the kernel that others can see, with what to do instead.
    """
    if not path.exists():
        raise refusal(errno.ENOENT, f"there is no directory {path} to mount on; make it first")
    if not path.is_dir():
        raise refusal(errno.ENOTDIR, f"{path} is no directory, so nothing can be mounted on it")
    path = path.resolve()
    mount = covering(path, parse_mountinfo(MOUNTINFO.read_text(encoding="utf-8")))
    is_kernels = mount is None or mount.type in KERNEL_TYPES or path.is_relative_to("/sys")
    if not is_kernels:
        return path
    if mount is None or mount.is_shared or not is_namespace_private():
        raise refusal(
            errno.EPERM,
            f"{path} belongs to the kernel of this machine, and covering it would show everywhere;"
            " use damon-async sandbox, or a private mount namespace:"
            f" unshare --mount damon-async mount {path}",
        )
    return path


def is_ours(path: Path) -> bool:
    """Tell whether *path* is on a tree that was mounted by this project."""
    mount = covering(path.resolve(), parse_mountinfo(MOUNTINFO.read_text(encoding="utf-8")))
    return mount is not None and mount.source == FSNAME and mount.type.startswith("fuse")
