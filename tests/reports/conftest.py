"""Running real damo beside our reports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

Damo: TypeAlias = Callable[..., str]
"""Runs ``damo report`` with the given arguments and returns what it prints."""


@pytest.fixture(scope="session")
def damo(tmp_path_factory: pytest.TempPathFactory) -> Damo:
    """Return a function that runs the real tool on a file; skip where it is missing."""
    beside = Path(sys.executable).with_name("damo")
    command = str(beside) if beside.exists() else shutil.which("damo")
    if command is None:
        pytest.skip("needs damo, from the package registry")
    if shutil.which("file") is None:
        pytest.skip("needs file(1), by which damo recognises record files")
    home = tmp_path_factory.mktemp("damo")
    # It looks for its own interpreter on the path, and may write where it runs.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"HOME": str(home), "PATH": path}

    def run(*arguments: object, keep_colors: bool = False) -> str:
        done = subprocess.run(
            [command, "report", *map(str, arguments)],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        text = done.stdout if keep_colors else re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        # Long reports go through a pager, which adds a line.
        return text.rstrip("\n")

    return run
