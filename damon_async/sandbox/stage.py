"""
The stage of a sandbox: file systems of ours where tools look for the kernel's.

Nothing is written outside the namespace, and nothing of the machine's own DAMON can be
seen from inside: its directories are covered before anything else is done.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..control.profiles import Profile, Release
from . import syscalls

KERNEL_MM: Final = Path("/sys/kernel/mm")
MODULES: Final = Path("/sys/module")
DEBUGFS: Final = Path("/sys/kernel/debug")
TRACEFS: Final = Path("/sys/kernel/tracing")

ADMIN: Final = KERNEL_MM / "damon" / "admin"
"""Where the sysfs tree is."""

DBGFS: Final = DEBUGFS / "damon"
"""Where the debugfs tree is, if it was asked for."""

OURS: Final = KERNEL_MM / "damon_async"
"""What the sandbox needs for itself; on a file system that vanishes with it."""

BIN: Final = OURS / "bin"
"""Programs that come before those of the machine."""

SPARE_BIN: Final = OURS / "spare"
"""Programs for machines that do not have them."""

HOME: Final = OURS / "home"
"""The home directory inside."""

SOCKET: Final = OURS / "trace"
"""Where trace events can be had."""

STAND_INS: Final = OURS / "kdamonds"
"""The programs that stand in for kdamonds in process lists."""

MODULE_TREE: Final = OURS / "modules"
"""Where the tree of all modules is mounted; each is bound to its place from there."""

REGISTRY: Final = OURS / "processes"
"""Where processes say what memory they stand for."""

EVENTS: Final[Mapping[str, Release]] = {
    "damon_aggregated": Release(5, 15),
    "damos_before_apply": Release(6, 7),
    "damon_monitor_intervals_tune": Release(6, 17),
    "damos_esz": Release(6, 17),
    "damos_stat_after_apply_interval": Release(7, 0),
}
"""
The trace events, and the first release that has each.

Source:
    spec interfaces 6.
"""

_SCRIPT: Final = """\
#!/bin/sh
# Made for one sandbox; gone with it.
PYTHONPATH='{package}'"${{PYTHONPATH:+:$PYTHONPATH}}" exec '{python}' -P -m {module} "$@"
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """
    What is where.

    Attributes:
        profile: Which kernel's files there are.

        has_dbgfs: Whether there is a debugfs interface.

        modules: Which modules there are.
    """

    profile: Profile
    has_dbgfs: bool = False
    modules: tuple[str, ...] = ()

    def build(self) -> None:
        """
        Build it, in a mount namespace of its own.

        Raises:
            OSError: If something cannot be mounted.
        """
        rebuild(KERNEL_MM, without={"damon"})
        for folder in (ADMIN, BIN, SPARE_BIN, STAND_INS, HOME, REGISTRY, MODULE_TREE):
            folder.mkdir(parents=True)
        self._build_modules()
        if DEBUGFS.is_dir():
            syscalls.mount("damon_async", DEBUGFS, "tmpfs")
            if self.has_dbgfs:
                DBGFS.mkdir()
        fill_home(Path("~").expanduser(), HOME)
        for name in ("perf", "masim"):
            write_program(BIN if name == "perf" else SPARE_BIN, name)
        self._build_tracefs()

    def bind_modules(self) -> None:
        """Have each module's directory at its place, once their tree is mounted."""
        for name in self.modules:
            syscalls.bind(MODULE_TREE / name, MODULES / name)

    def show_mounts(self) -> None:
        """
        Have the list of mounts name our file systems by the kernel's names.

        Tools look there for what the kernel offers, and a file system cannot choose
        the name of its kind. To be done when everything is mounted.
        """
        places = {"tracefs": self._tracefs}
        if self.has_dbgfs:
            places["debugfs"] = DEBUGFS
        text = Path("/proc/self/mounts").read_text(encoding="utf-8")
        lines = [f"{kind} {place} {kind} rw,relatime 0 0\n" for kind, place in places.items()]
        file = OURS / "mounts"
        file.write_text(text + "".join(lines), encoding="utf-8")
        cover_link(Path("/proc/mounts"), file)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the command, from the one outside."""
        own = str(Path(sys.executable).parent)
        path = [str(BIN), given.get("PATH", os.defpath), own, str(SPARE_BIN)]
        return {
            **given,
            "PATH": os.pathsep.join(path),
            "HOME": str(HOME),
            "DAMON_ASYNC_RUNTIME_DIR": str(REGISTRY),
        }

    @property
    def _tracefs(self) -> Path:
        return TRACEFS if TRACEFS.is_dir() else OURS / "tracing"

    def _build_modules(self) -> None:
        if not MODULES.is_dir():
            return
        hidden = [each.name for each in MODULES.glob("damon*")]
        if not self.modules and not hidden:
            return
        rebuild(MODULES, without=hidden)
        for name in self.modules:
            (MODULES / name).mkdir()

    def _build_tracefs(self) -> None:
        """Build what tools look at before they ask perf for the events."""
        place = self._tracefs
        place.mkdir(exist_ok=True) if place.is_relative_to(OURS) else None
        syscalls.mount("damon_async", place, "tmpfs")
        names = [name for name, since in EVENTS.items() if since <= self.profile.release]
        text = "".join(f"damon:{name}\n" for name in names)
        (place / "available_events").write_text(text, encoding="ascii")
        for number, name in enumerate(names, start=1):
            folder = place / "events" / "damon" / name
            folder.mkdir(parents=True)
            (folder / "id").write_text(f"{number}\n", encoding="ascii")
            (folder / "enable").write_text("0\n", encoding="ascii")


def rebuild(folder: Path, without: Collection[str]) -> None:
    """
    Cover a directory of sysfs by one that we can add to, with the same things in it.

    Args:
        folder: The directory.

        without: What is not to be seen there any more.
    """
    names = [entry for entry in os.scandir(folder) if entry.name not in without]
    before = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        syscalls.mount("damon_async", folder, "tmpfs", data="mode=755")
        for entry in names:
            target = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                target.mkdir()
            else:
                target.touch()
            # Through the descriptor: by its path, it is covered already.
            syscalls.bind(f"/proc/self/fd/{before}/{entry.name}", target)
    finally:
        os.close(before)


def fill_home(outside: Path, inside: Path) -> None:
    """
    Fill a home directory with links to all that is in the one outside.

    Files that tools leave at home are gone with the sandbox, as is what they have
    learnt there of a kernel that is not this machine's. So are the caches of real tools
    about the real kernel hidden.
    """
    try:
        entries = list(os.scandir(outside))
    except OSError:
        # Without a home, or without permission, it is an empty one.
        return
    for entry in entries:
        if not entry.name.startswith(".damo"):
            (inside / entry.name).symlink_to(entry.path)


def write_program(folder: Path, name: str) -> None:
    """Write a program that is a part of this package, for any working directory."""
    modules = {"perf": "damon_async.sandbox.perf", "masim": "damon_async masim"}
    package = Path(__file__).resolve().parents[2]
    file = folder / name
    text = _SCRIPT.format(package=package, python=sys.executable, module=modules[name])
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def cover_link(link: Path, file: Path) -> None:
    """Have *file* seen where a symbolic link is, which itself is covered, not its target."""
    number = os.open(link, os.O_PATH | os.O_NOFOLLOW)
    try:
        syscalls.bind(file, f"/proc/self/fd/{number}")
    finally:
        os.close(number)


def show_memory(text: str) -> None:
    """Have the system tell of physical memory as *text* does: it is there that tools look."""
    file = OURS / "iomem"
    file.write_text(text, encoding="ascii")
    syscalls.bind(file, "/proc/iomem")
