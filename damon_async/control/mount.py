"""
A tree as a real file system, through libfuse.

Each mount has a thread that serves it, with more of libfuse's own behind it. The tree
stays in the thread of its event loop.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import Any, Final

import anyio
from anyio import to_thread

from ..errors import MissingExtraError
from .fuse_files import TreeFiles
from .live import TreePortal
from .mount_points import FSNAME, check_mount_point
from .tree import Tree
from .values import refusal

MAX_THREADS: Final = 64
"""How many requests are answered side by side; libfuse's own limit is ten."""

MOUNT_SECONDS: Final = 20.0
"""How long the kernel may take to connect, in seconds."""

MNT_DETACH: Final = 2
"""For umount2: take the mount out at once, and let go of it when nobody uses it."""


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
    files = TreeFiles(portal, fuse.fuse_get_context, began.set)
    failures: list[str] = []

    def serve() -> None:
        try:
            fuse.FUSE(files, str(point), raw_fi=True, foreground=True, **_options())
        except RuntimeError as error:
            failures.append(str(error))
        finally:
            began.set()

    async with anyio.create_task_group() as group:
        limiter = anyio.CapacityLimiter(2)
        group.start_soon(partial(to_thread.run_sync, serve, limiter=limiter))
        with anyio.CancelScope(shield=True):
            is_told = await to_thread.run_sync(began.wait, MOUNT_SECONDS, limiter=limiter)
        if failures or not is_told:
            raise refusal(
                errno.EIO,
                f"libfuse could not mount on {point} ({', '.join(failures) or 'no answer'});"
                " it needs /dev/fuse, and either root or fusermount3 of the package fuse3",
            )
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(_unmount, point, limiter=limiter)


def _options() -> dict[str, Any]:
    """Return what libfuse is asked for."""
    options: dict[str, Any] = {"fsname": FSNAME, "max_threads": MAX_THREADS, "max_idle_threads": 8}
    if os.geteuid() == 0:
        # Others may look, as on sysfs; opening is refused to them one by one.
        options["allow_other"] = True
    return options


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


def _unmount(point: Path) -> None:
    """Take the mount away, also while files on it are open."""
    if os.geteuid() == 0:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.umount2(os.fsencode(point), MNT_DETACH)
        return
    command = shutil.which("fusermount3") or "fusermount3"
    subprocess.run([command, "-u", "-z", "-q", str(point)], check=False)  # noqa: S603 -- our mount
