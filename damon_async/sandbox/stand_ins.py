"""Real processes that stand in for kdamonds, so that process lists show them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ..engine.kdamond import Kdamond
from ..errors import NoMemoryError


class StandIns:
    """
    Keeps one sleeping process per running kdamond, of the same name.

    It is an observer of the engine, and tells trees the process ids.

    Args:
        folder: Where the programs are kept, one per name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: dict[Kdamond, subprocess.Popen[bytes]] = {}

    def __repr__(self) -> str:
        return f"<StandIns {[process.pid for process in self._processes.values()]}>"

    def __call__(self, kdamond: Kdamond) -> int:
        """
        Return the process id that a kdamond shows.

        Raises:
            NoMemoryError: If there is no process for it.
        """
        process = self._processes.get(kdamond)
        if process is None:
            raise NoMemoryError("a process that stands in for a kdamond")
        return process.pid

    def began(self, kdamond: Kdamond) -> None:
        """Start the process of a kdamond."""
        # The kernel calls a process as the file is called that it runs.
        program = self._folder / kdamond.name
        if not program.exists():
            program.symlink_to(shutil.which("sleep") or "/bin/sleep")
        self._processes[kdamond] = subprocess.Popen(  # noqa: S603 -- our own link
            [program, "infinity"], stdin=subprocess.DEVNULL, cwd="/"
        )

    def ended(self, kdamond: Kdamond) -> None:
        """End the process of a kdamond."""
        process = self._processes.pop(kdamond, None)
        if process is not None:
            process.kill()
            process.wait()
