"""Sandboxes for tests: real namespaces, real FUSE, and the command itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SandboxRun = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def in_sandbox(sandbox_allowed: None, tmp_path: Path) -> SandboxRun:
    """Run a shell script in a sandbox, in an empty directory; options come after it."""

    def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "damon_async",
            "sandbox",
            *options,
            "--",
            "sh",
            "-c",
            script,
        ]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=100
        )

    return run
