"""Consoles through both doors."""

from __future__ import annotations

from pathlib import Path

import pytest

from .debug_doors import OpenDebug
from .doors import Door, OpenConsole
from .module_doors import OpenModules


def _checked(request: pytest.FixtureRequest) -> Door:
    """Return the door of a test; skip where there can be none."""
    if request.param is Door.MOUNTED:
        request.getfixturevalue("mount_allowed")
    return Door(request.param)


@pytest.fixture(params=Door)
def open_console(request: pytest.FixtureRequest, tmp_path: Path) -> OpenConsole:
    """Return what opens consoles: in process, and through a real mount."""
    return OpenConsole(_checked(request), tmp_path)


@pytest.fixture(params=Door)
def open_debug(request: pytest.FixtureRequest, tmp_path: Path) -> OpenDebug:
    """Return what opens debugfs consoles: in process, and through a real mount."""
    return OpenDebug(_checked(request), tmp_path)


@pytest.fixture(params=Door)
def open_modules(request: pytest.FixtureRequest, tmp_path: Path) -> OpenModules:
    """Return what opens trees of modules: in process, and through a real mount."""
    return OpenModules(_checked(request), tmp_path)
