"""
A tree as a real file system, through libfuse.

Each mount has a thread that serves it, with more of libfuse's own behind it. The tree
stays in the thread of its event loop.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Event, Thread, local
from types import ModuleType
from typing import Any, Final

import anyio
from anyio import to_thread

from ..errors import MissingExtraError
from .fuse_files import TreeFiles
from .live import TreePortal
from .mount_points import FSNAME, check_mount_point, is_ours
from .tree import Tree
from .values import refusal

LIMITED_SINCE: Final = (3, 12)
"""The first libfuse that limits its threads; before, the option is unknown."""

MAX_THREADS: Final = 64
"""How many requests are answered side by side; libfuse's own limit is ten."""

MOUNT_SECONDS: Final = 20.0
"""How long the kernel may take to connect, and to let go, in seconds."""

MNT_FORCE: Final = 1
"""For umount2: break the connection, so that nobody who has a file open keeps it."""

MNT_DETACH: Final = 2
"""For umount2: take the mount out at once, and let go of it when nobody uses it."""

CONNECTIONS: Final = Path("/sys/fs/fuse/connections")
"""Where those who mounted can break their connections, if somebody mounted that."""


@asynccontextmanager
async def mounted(
    tree: Tree, directory: Path | str, *, portal: TreePortal | None = None
) -> AsyncIterator[Path]:
    """
    Have *tree* at *directory* for the length of an ``async with`` block.

    Args:
        tree: Whatever is mounted; its engine must be open for as long.

        directory: An existing directory; not one of the kernel's, except in a
            private mount namespace.

        portal: Of the tree, open; by default one of its own.

    Yields:
        Where it is, absolute and without links.

    Processes that are started from this one must neither begin on the mount (``cwd``) nor inherit
    files that are open on it: with vfork Python keeps its lock until they have begun, and
    without the lock nobody answers them. ``subprocess._USE_VFORK = False`` avoids that.

    Raises:
        OSError: ENOENT, ENOTDIR or EPERM as of ``check_mount_point``; EIO if libfuse
            could not mount, with what it wants.

        MissingExtraError: If mfusepy or libfuse3 is not there.
    """
    point = await to_thread.run_sync(check_mount_point, Path(directory))
    fuse = _mfusepy()
    if portal is None:
        async with TreePortal(tree) as own, _served(fuse, own, point):
            yield point
    else:
        async with _served(fuse, portal, point):
            yield point


@asynccontextmanager
async def _served(fuse: ModuleType, portal: TreePortal, point: Path) -> AsyncIterator[None]:
    """Have libfuse serve a tree at *point*, in threads of its own."""
    began = Event()
    files = TreeFiles(portal, _LibfuseRequests(fuse), began.set)
    failures: list[str] = []

    def serve() -> None:
        try:
            fuse.FUSE(
                files, str(point), raw_fi=True, foreground=True, **mount_options(_version(fuse))
            )
        except RuntimeError as error:
            failures.append(str(error))
        finally:
            began.set()

    # Not a task of a group, which would wrap whatever is raised in the block.
    thread = Thread(target=serve, name=f"{FSNAME} on {point}", daemon=True)
    thread.start()
    try:
        with anyio.CancelScope(shield=True):
            is_told = await to_thread.run_sync(began.wait, MOUNT_SECONDS)
        if failures or not is_told:
            raise refusal(
                errno.EIO,
                f"libfuse could not mount on {point} ({', '.join(failures) or 'no answer'});"
                " it needs /dev/fuse, and either root or fusermount3 of the package fuse3",
            )
        yield
    finally:
        # Commands that wait would keep libfuse's threads, and those the mount.
        files.is_ending = True
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(_unmount, point, thread)


def mount_options(version: tuple[int, int]) -> dict[str, Any]:
    """Return what libfuse of *version* is asked for."""
    # No thread ends before the mount does: Python remembers each.
    options: dict[str, Any] = {"fsname": FSNAME, "max_idle_threads": MAX_THREADS}
    if version >= LIMITED_SINCE:
        options["max_threads"] = MAX_THREADS
    if os.geteuid() == 0:
        # Others may look, as on sysfs; opening is refused to them one by one.
        options["allow_other"] = True
    return options


def _version(fuse: ModuleType) -> tuple[int, int]:
    """Return the version of libfuse that is loaded."""
    return fuse.fuse_version_major, fuse.fuse_version_minor


def _mfusepy() -> ModuleType:
    """
    Return the module mfusepy.

    Raises:
        MissingExtraError: If it, or libfuse3, is not there.
    """
    try:
        import mfusepy as module
    except (ImportError, OSError) as error:
        raise MissingExtraError("fuse", "mounting a tree (with libfuse3 of the system)") from error
    fuse: ModuleType = module
    return fuse


class _LibfuseRequests:
    """
    The request of the current thread, as libfuse knows it.

    Args:
        fuse: mfusepy.
    """

    def __init__(self, fuse: ModuleType) -> None:
        self._context = fuse.fuse_get_context
        # Not among the functions that mfusepy has names for.
        self._interrupted = fuse._libfuse.fuse_interrupted  # noqa: SLF001 -- see above
        self._thread = local()

    def keep_thread(self) -> None:
        """
        Have Python remember the thread until the process ends.

        Otherwise it makes what it needs to know of a thread that is not its own, stack
        included, for each request anew, which costs more than most answers.
        """
        if not hasattr(self._thread, "is_kept"):
            self._thread.is_kept = True
            with suppress(AttributeError):
                # Entered once more than left. Other interpreters than CPython have none.
                ctypes.pythonapi.PyGILState_Ensure()

    def caller(self) -> tuple[int, int, int]:
        """Return user, group and process id of whom it is of."""
        user, group, process = self._context()
        return user, group, process

    def is_interrupted(self) -> bool:
        """Tell whether whoever waits for the answer got a signal meanwhile."""
        return bool(self._interrupted())


def _unmount(point: Path, thread: Thread) -> None:
    """
    Take the mount away, also while files on it are open, and wait for its thread.

    Those files are of no use from then on: ENOTCONN.
    """
    # Somebody else may have taken it away, and mounted another thing there.
    if thread.is_alive() and is_ours(point):
        _detach(point)
    # Who may not break connections waits for those who have files open, for a while.
    thread.join(MOUNT_SECONDS)


def _detach(point: Path) -> None:
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.umount2(os.fsencode(point), MNT_FORCE | MNT_DETACH)
        return
    command = shutil.which("fusermount3") or "fusermount3"
    with suppress(OSError):
        # Without this, it ends once the last file on it is closed.
        minor = os.minor(point.stat().st_dev)
        (CONNECTIONS / str(minor) / "abort").write_text("1", encoding="ascii")
    subprocess.run([command, "-u", "-z", "-q", str(point)], check=False)  # noqa: S603 -- our mount
