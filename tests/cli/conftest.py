"""Run the command line inside the test's own process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
import structlog

from damon_async.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on stderr; fails if there is another."""
        (line,) = self.err.splitlines()
        return line


Cli: TypeAlias = Callable[..., Outcome]

Damo: TypeAlias = Callable[..., str]

DAMO_VERSION = "3.4.3"
"""The release whose output is compared."""


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Cli]:
    """Return a function that runs a command line in an empty folder, 80 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    yield run
    # The application configures the log for the whole process, which ends with
    # it; here the process goes on.
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def damo(tmp_path_factory: pytest.TempPathFactory) -> Damo:
    """Return a function that runs real damo and returns what it prints, without colours."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("damo", path=scripts)
    # It looks for its interpreter on the path, and may keep things at home.
    path = f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"HOME": str(tmp_path_factory.mktemp("home")), "PATH": path}

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(found), *words], env=environment, capture_output=True, text=True, check=True
        )
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)

    # damo asks file(1) what a record is.
    if found is None or shutil.which("file") is None or run("version").strip() != DAMO_VERSION:
        pytest.skip(f"needs damo {DAMO_VERSION} (extra 'test') and file(1)")
    return run


@pytest.fixture(scope="session")
def stairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a record of six seconds of stairs: four steps of a second each."""
    path = tmp_path_factory.mktemp("stairs") / "stairs.data"
    words = ["record", "stairs:size=64M,steps=4,step=1s", "--timeout", "6", "-o", str(path)]
    assert main(words) == 0
    structlog.reset_defaults()
    return path


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a record of two targets: stairs, and a hot block in cold memory."""
    path = tmp_path_factory.mktemp("pair") / "pair.data"
    words = ["--workload", "stairs:size=16M", "--workload", "hotspot:size=1G,hot=8M,at=0"]
    assert main(["record", *words, "--timeout", "4", "-o", str(path)]) == 0
    structlog.reset_defaults()
    return path
