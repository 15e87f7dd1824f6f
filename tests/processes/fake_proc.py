"""A ``/proc`` of files, so that processes can be whatever a test wants."""

from __future__ import annotations

from pathlib import Path

from damon_async.processes.proc import Proc

TICKS_PER_S = 100
"""Of the fake clock."""


class FakeProc:
    """Processes that are folders; the machine has been running for 100 s."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.proc = Proc(root, TICKS_PER_S)
        (root / "self" / "ns").mkdir(parents=True)
        (root / "self" / "ns" / "pid").symlink_to("pid:[1]")
        (root / "uptime").write_text("100.00 50.00\n")

    def add(
        self,
        pid: int,
        *words: str,
        name: str = "program",
        state: str = "S",
        start_ticks: int = 9000,
        flags: int = 0,
        folder: str = "/somewhere",
    ) -> None:
        """Let a process begin, or become another."""
        home = self.root / str(pid)
        home.mkdir(exist_ok=True)
        fields = [state, 1, 1, 1, 0, -1, flags, *[0] * 12, start_ticks, *[0] * 30]
        (home / "stat").write_text(f"{pid} ({name}) {' '.join(map(str, fields))}\n")
        (home / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
        (home / "cwd").unlink(missing_ok=True)
        (home / "cwd").symlink_to(folder)

    def remove(self, pid: int, *names: str) -> None:
        """Let a process vanish, or only some of what is told of it."""
        for name in names or ("stat", "cmdline", "cwd"):
            (self.root / str(pid) / name).unlink()

    def become(self, pid: int) -> None:
        """Let a process be the one that asks."""
        for name in ("stat", "cmdline"):
            text = (self.root / str(pid) / name).read_bytes()
            (self.root / "self" / name).write_bytes(text)
