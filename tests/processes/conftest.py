"""What tests of processes need: a fake ``/proc``, and real children."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .fake_proc import FakeProc


@pytest.fixture
def fake(tmp_path: Path) -> FakeProc:
    """Return a ``/proc`` without any process."""
    root = tmp_path / "proc"
    root.mkdir()
    return FakeProc(root)


Child = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def child() -> Iterator[Child]:
    """Return a function that starts a real process, which is ended after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        if not Path("/proc/self/stat").exists():
            pytest.skip("needs a /proc to look at real processes")
        started.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
