"""Fixtures that tests of every room may use."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Timed assertions fail on busy machines. What else the profile in force says
# (hypothesis has one of its own for CI) stays.
settings.register_profile(
    "patient",
    parent=settings(),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")

# Tests mount trees in their own process and start shells in them. With vfork Python would
# keep its lock until a shell has got there, and nobody could answer it.
vars(subprocess)["_USE_VFORK"] = False


def _trees(folder: Path) -> dict[Path, ast.Module]:
    """Parse every Python file below *folder*; keys are relative to it."""
    return {
        path.relative_to(folder): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in sorted(folder.rglob("*.py"))
    }


@pytest.fixture(scope="session")
def mount_allowed() -> None:
    """Skip what mounts a tree where nothing can be mounted."""
    try:
        import mfusepy  # noqa: F401 -- whether libfuse3 can be loaded
    except (ImportError, OSError) as error:
        pytest.skip(f"mfusepy cannot be used: {error}")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("there is no /dev/fuse that may be opened")
    if os.geteuid() and shutil.which("fusermount3") is None:
        pytest.skip("fusermount3 of the package fuse3 is not installed")


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


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real traces beside the repository; skip without it."""
    folder = ROOT.parent / "shared"
    if not (folder / "traces").is_dir():
        pytest.skip(f"needs the real traces in {folder}")
    return folder


@pytest.fixture(scope="session")
def package_trees() -> Mapping[Path, ast.Module]:
    """Return the syntax trees of the package, by path inside it."""
    return _trees(ROOT / "damon_async")


@pytest.fixture(scope="session")
def test_trees() -> Mapping[Path, ast.Module]:
    """Return the syntax trees of the tests, by path inside their folder."""
    return _trees(ROOT / "tests")
