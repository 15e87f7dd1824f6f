"""Consoles through both doors."""

from __future__ import annotations

from pathlib import Path

import pytest

from .doors import Door, OpenConsole


@pytest.fixture(params=Door)
def open_console(request: pytest.FixtureRequest, tmp_path: Path) -> OpenConsole:
    """Return what opens consoles: in process, and through a real mount."""
    if request.param is Door.MOUNTED:
        request.getfixturevalue("mount_allowed")
    return OpenConsole(request.param, tmp_path)
