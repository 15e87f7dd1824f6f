"""Scripts that run once in a sandbox, whose findings many tests then look at."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"

SECONDS = 100
"""How long a script may take on a machine that is busy."""

_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Said:
    """
    What the commands of a script said, by the names that the script gives them.

    Attributes:
        folder: Where the script ran.
    """

    folder: Path

    def out(self, name: str) -> str:
        """Return what came on stdout, colours left out."""
        return _COLOR.sub("", (self.folder / f"{name}.out").read_text())

    def err(self, name: str) -> str:
        return (self.folder / f"{name}.err").read_text()

    def rc(self, name: str) -> int:
        return int((self.folder / f"{name}.rc").read_text())

    def word(self, name: str) -> str:
        """Return what came on stdout as one word, for files of one value."""
        return self.out(name).strip()


def sandboxed(
    command: list[str], folder: Path, *options: str, **given: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a sandbox; returns what it said."""
    words = [sys.executable, "-m", "damon_async", "sandbox", *options, "--", *command]
    return subprocess.run(
        words,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=SECONDS,
        env={**os.environ, "SCRIPTS": str(SCRIPTS), **given},
    )


def scripted(factory: pytest.TempPathFactory, script: str, *options: str) -> Said:
    """
    Run a script in a sandbox, once for all processes that the tests are spread over.

    Args:
        factory: Makes directories.

        script: File in the folder of scripts.

        options: Of the sandbox.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / re.sub(r"\W+", "_", "_".join((script, *options)))
    with (base / f"{folder.name}.lock").open("w") as lock:
        # Whoever comes second waits for the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            done = sandboxed(["sh", str(SCRIPTS / script)], folder, *options)
            (folder / "all.out").write_text(done.stdout)
            (folder / "all.err").write_text(done.stderr)
            (folder / "all.rc").write_text(str(done.returncode))
    return Said(folder)


def skip_without(program: str) -> None:
    """Skip the test if a program is not installed beside Python or on the way to it."""
    own = str(Path(sys.executable).parent)
    if shutil.which(program, path=os.pathsep.join((own, os.environ.get("PATH", "")))) is None:
        pytest.skip(f"{program} is not installed")
