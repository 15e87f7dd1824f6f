"""
Where a tree may be mounted: never over an interface of the machine's own kernel.

What is below ``/sys`` may be the DAMON of the machine, running. Covering it is for
private mount namespaces, in which nobody else looks.
"""

from __future__ import annotations

import errno
import os
import re
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

FIRST_USER_NAMESPACE: Final = 0xEFFFFFFD
"""The number of the user namespace that a machine begins with."""

ESCAPED: Final = re.compile(r"\\([0-7]{3})")
"""A blank or the like in a path of ``mountinfo``, as an octal number."""

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
        point = ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])
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
    see, or if that one is not the machine's; and in another user namespace than the
    machine's nobody can mount where the machine sees it. Where that cannot be
    known, they are not.
    """
    proc = Path("/proc")
    if _number(proc / "self/ns/user") != FIRST_USER_NAMESPACE:
        return True
    try:
        if _number(proc / "1/ns/mnt") != _number(proc / "self/ns/mnt"):
            return True
    except PermissionError:
        # Who cannot look there is not root, and has a namespace of root's at best.
        return False
    # A new pid namespace alone is not enough: then /proc still is that of the old one.
    is_proc_ours = _process_in_proc() == os.getpid()
    return is_proc_ours and _number(proc / "self/ns/pid") != FIRST_PID_NAMESPACE


def _number(namespace: Path) -> int:
    """Return the number that the kernel gave a namespace."""
    return namespace.stat().st_ino


def _process_in_proc() -> int:
    """Return what /proc takes for the pid of this process."""
    return int(str(Path("/proc/self").readlink()))


def _mounts() -> list[Mount]:
    return parse_mountinfo(MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape"))


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
    mount = covering(path, _mounts())
    is_kernels = mount is None or mount.type in KERNEL_TYPES or path.is_relative_to("/sys")
    if not is_kernels:
        return path
    if mount is None or mount.is_shared or not is_namespace_private():
        raise refusal(
            errno.EPERM,
            f"{path} belongs to the kernel of this machine, and covering it would show everywhere;"
            " use damon-async sandbox, or a private mount namespace:"
            f" unshare --mount --pid --fork --mount-proc damon-async mount {path}",
        )
    return path


def is_ours(path: Path) -> bool:
    """Tell whether *path* is on a tree that was mounted by this project."""
    mount = covering(path.resolve(), _mounts())
    return mount is not None and mount.source == FSNAME and mount.type.startswith("fuse")
