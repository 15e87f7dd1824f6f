"""Sandboxes for tests: real namespaces, real FUSE, and the command itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SandboxRun = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def sandbox_allowed(mount_allowed: None) -> None:
    """Skip what needs a sandbox where there can be none."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    probe = subprocess.run(
        ["unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)), "true"],
        check=False,
        capture_output=True,
    )
    if probe.returncode:
        pytest.skip("there may be no namespaces here")


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
