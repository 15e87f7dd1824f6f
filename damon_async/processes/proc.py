"""
What the kernel tells of processes, in ``/proc``.

A process may vanish between any two reads, and may hide from other users; both
look here as if it did not exist.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

PROC: Final = Path("/proc")
"""Where the kernel tells it."""

_US_PER_S: Final = 1_000_000
_USUAL_TICKS: Final = 100

# Fields of /proc/PID/stat, counted from the one behind the name.
_STATE: Final = 0
_FLAGS: Final = 6
_START: Final = 19

_DEAD: Final = frozenset("ZXx")
_KERNEL_THREAD: Final = 0x0020_0000
"""A flag of tasks that have no memory of their own."""


class ProcessId(NamedTuple):
    """One process, told apart from those that have had its pid before."""

    pid: int

    start_ticks: int
    """When it began: clock ticks since the machine did."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a process at an instant."""

    id: ProcessId

    name: str
    """Of its program, at most 15 bytes."""

    is_kernel_thread: bool
    """Whether it has no memory to be monitored."""


class Proc:
    """
    Reads about processes; nothing is kept between two questions.

    Args:
        root: Where the kernel tells of them. Pids are those of the pid namespace
            that this was mounted in.

        ticks_per_s: How long a tick is; by default as the system says.
    """

    __slots__ = ("_prefix", "_root", "_ticks_per_s")

    def __init__(self, root: Path = PROC, ticks_per_s: int | None = None) -> None:
        self._root = root
        self._prefix = str(root)
        # Where there is no such question, there is no /proc either.
        known = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else _USUAL_TICKS
        self._ticks_per_s = ticks_per_s or known

    def __repr__(self) -> str:
        return f"<Proc {self._root}>"

    def status(self, pid: int | None = None) -> Status | None:
        """
        Return what is known of a process, None if it does not exist or has ended.

        Args:
            pid: Which one; None is the one that asks.
        """
        text = self._read("self" if pid is None else pid, "stat").decode("utf-8", "replace")
        # The name may hold blanks and parentheses itself; only the last one ends it.
        head, _, tail = text.rpartition(")")
        number, _, name = head.partition("(")
        fields = tail.split()
        try:
            if fields[_STATE] in _DEAD:
                return None
            id_ = ProcessId(int(number), int(fields[_START]))
            is_kernel_thread = bool(int(fields[_FLAGS]) & _KERNEL_THREAD)
        except (IndexError, ValueError):
            return None
        return Status(id_, name, is_kernel_thread)

    def is_alive(self, id_: ProcessId) -> bool:
        """Tell whether a process, and no later one with its pid, has not ended yet."""
        status = self.status(id_.pid)
        return status is not None and status.id == id_

    def words(self, pid: int) -> tuple[str, ...]:
        """Return the command line of a process; empty if it has none, or is gone."""
        content = self._read(pid, "cmdline")
        # Each word ends with a zero; what renames itself often forgets the last one.
        words = content.removesuffix(b"\0").split(b"\0") if content else []
        return tuple(os.fsdecode(word) for word in words)

    def folder(self, pid: int) -> Path | None:
        """Return the working directory of a process, None if that is not to be known."""
        try:
            return (self._root / str(pid) / "cwd").readlink()
        except OSError:
            return None

    def start_us(self, id_: ProcessId) -> int:
        """Return when a process began, in microseconds since the machine did."""
        return id_.start_ticks * _US_PER_S // self._ticks_per_s

    def uptime_us(self) -> int:
        """Return for how long the machine has been running, in microseconds; to 10 ms."""
        # And not the system's clock for it: a container's /proc may have its own idea,
        # and the starts of processes follow that.
        seconds, *_ = (self._read("uptime") or b"0").split()
        return round(float(seconds) * _US_PER_S)

    def namespace(self) -> str:
        """Name the pid namespace of the process that asks; empty if that is not to be known."""
        try:
            return str((self._root / "self" / "ns" / "pid").readlink())
        except OSError:
            return ""

    def _read(self, *parts: str | int) -> bytes:
        # ESRCH while it vanishes, ENOENT after that, EACCES if it is somebody else's.
        # Without pathlib's detours: this is asked for each window of sampling.
        try:
            with open("/".join((self._prefix, *map(str, parts))), "rb", 0) as file:  # noqa: PTH123
                return file.read()
        except OSError:
            return b""
