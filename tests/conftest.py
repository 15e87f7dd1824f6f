"""Fixtures that tests of every room may use."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
