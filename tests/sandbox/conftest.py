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


def _obstacle() -> str | None:
    """Say why there can be no sandbox on this machine; None if there can."""
    try:
        import mfusepy  # noqa: F401 -- whether libfuse3 can be loaded
    except (ImportError, OSError) as error:
        return f"mfusepy cannot be used: {error}"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse that may be opened"
    probe = subprocess.run(
        ["unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)), "true"],
        check=False,
        capture_output=True,
    )
    return None if probe.returncode == 0 else "there may be no namespaces here"


@pytest.fixture(scope="session")
def sandbox_allowed() -> None:
    """Skip what needs a sandbox where there can be none."""
    reason = "unshare is not installed" if shutil.which("unshare") is None else _obstacle()
    if reason is not None:
        pytest.skip(reason)


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
