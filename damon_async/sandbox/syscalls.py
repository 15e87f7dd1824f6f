"""The calls to Linux that Python 3.11 has no names for."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

CLONE_NEWNS: Final = 0x0002_0000
"""A mount namespace of one's own."""

CLONE_NEWUSER: Final = 0x1000_0000
"""A user namespace of one's own."""

CLONE_NEWPID: Final = 0x2000_0000
"""A process id namespace for the next child."""

MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15


def unshare(flags: int) -> None:
    """
    Leave namespaces that are shared with others, and have new ones.

    Raises:
        OSError: As of unshare(2), EPERM above all.
    """
    _check(_libc().unshare(flags), "unshare")


def mount(
    source: str | Path, target: str | Path, kind: str | None, flags: int = 0, data: str = ""
) -> None:
    """
    Mount a file system, or bind a place to another.

    Raises:
        OSError: As of mount(2), with *target* as its file name.
    """
    encoded = (os.fsencode(source), os.fsencode(target), None if kind is None else kind.encode())
    _check(_libc().mount(*encoded, ctypes.c_ulong(flags), data.encode()), str(target))


def bind(source: str | Path, target: str | Path) -> None:
    """
    Have *source*, with all that is mounted below it, at *target* as well.

    Raises:
        OSError: As of ``mount``.
    """
    mount(source, target, None, MS_BIND | MS_REC)


def die_with_parent(signal: int) -> None:
    """Have the kernel send *signal* to this process when its parent ends."""
    _check(_libc().prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl")


def set_name(name: str) -> None:
    """Call this thread *name*; process lists show the first 15 bytes."""
    _check(_libc().prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0), "prctl")


def _libc() -> ctypes.CDLL:
    """Return the C library, which remembers errno for us."""
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, name: str) -> None:
    """
    Look at what a call returned.

    Raises:
        OSError: If it failed.
    """
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
