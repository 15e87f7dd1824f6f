"""The parts of a sandbox that need no namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from damon_async.control.profiles import Profile
from damon_async.engine.kdamond import Kdamond
from damon_async.errors import NoMemoryError
from damon_async.sandbox import namespaces, perf, stage, supervisor, syscalls
from damon_async.sandbox.stage import EVENTS, Stage, fill_home, write_program
from damon_async.sandbox.stand_ins import StandIns


class Named:
    """What of a kdamond a stand-in looks at."""

    def __init__(self, name: str) -> None:
        self.name = name


def kdamond(name: str) -> Kdamond:
    made: Any = Named(name)
    return cast("Kdamond", made)


@contextmanager
def running(stand_ins: StandIns, *kdamonds: Kdamond) -> Iterator[None]:
    """Have processes for kdamonds for the length of a block."""
    for each in kdamonds:
        stand_ins.began(each)
    try:
        yield
    finally:
        for each in kdamonds:
            stand_ins.ended(each)


class TestStandIns:
    def test_named(self, tmp_path: Path) -> None:
        """A process of the name of a kdamond runs for as long as that does."""
        stand_ins, one = StandIns(tmp_path), kdamond("kdamond.3")
        with running(stand_ins, one):
            comm = Path(f"/proc/{stand_ins(one)}/comm")
            # What was forked has the name when it has become the program.
            while (name := comm.read_text()) != "kdamond.3\n":
                os.sched_yield()
        assert name == "kdamond.3\n"
        assert not comm.exists()

    def test_two_of_a_name(self, tmp_path: Path) -> None:
        """Two kdamonds of one name have processes of their own."""
        stand_ins, one, other = StandIns(tmp_path), kdamond("kdamond.0"), kdamond("kdamond.0")
        with running(stand_ins, one, other):
            assert stand_ins(one) != stand_ins(other)
            assert str(stand_ins(other)) in repr(stand_ins)

    def test_none(self, tmp_path: Path) -> None:
        """A kdamond that nobody spoke of has no process."""
        with pytest.raises(NoMemoryError, match="stands in for a kdamond"):
            StandIns(tmp_path)(kdamond("kdamond.9"))

    def test_ended_twice(self, tmp_path: Path) -> None:
        """To hear of an end again does no harm."""
        stand_ins, one = StandIns(tmp_path), kdamond("kdamond.0")
        with running(stand_ins, one):
            stand_ins.ended(one)
        assert repr(stand_ins) == "<StandIns []>"


class TestHome:
    def test_links(self, tmp_path: Path) -> None:
        """What is at home is there by links, except what damo has learnt of the kernel."""
        outside, inside = tmp_path / "outside", tmp_path / "inside"
        outside.mkdir()
        inside.mkdir()
        (outside / ".gitconfig").write_text("mine")
        (outside / ".damo.sysinfo").write_text("of another kernel")
        fill_home(outside, inside)
        assert [path.name for path in inside.iterdir()] == [".gitconfig"]
        assert (inside / ".gitconfig").read_text() == "mine"

    def test_no_home(self, tmp_path: Path) -> None:
        """Without a home it is empty."""
        fill_home(tmp_path / "none", tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestEnvironment:
    def test_programs(self) -> None:
        """Our perf comes first, what is missing last, and between them the machine's."""
        path = Stage(Profile.V6_18).environment({"PATH": "/a:/b"})["PATH"].split(os.pathsep)
        assert path[0] == str(stage.BIN)
        assert path[1:3] == ["/a", "/b"]
        assert path[-1] == str(stage.SPARE_BIN)

    def test_the_rest(self) -> None:
        """Other variables stay, and home is one of ours."""
        found = Stage(Profile.V6_18).environment({"HOME": "/root", "LANG": "C"})
        assert (found["LANG"], found["HOME"]) == ("C", str(stage.HOME))
        assert found["DAMON_ASYNC_RUNTIME_DIR"] == str(stage.REGISTRY)


class TestPrograms:
    @pytest.mark.parametrize("name", ["perf", "masim"])
    def test_anywhere(self, tmp_path: Path, name: str) -> None:
        """Programs find the package in whatever directory they are called."""
        write_program(tmp_path, name)
        words = [str(tmp_path / name), "--version" if name == "perf" else "--help"]
        done = subprocess.run(words, check=False, capture_output=True, text=True, cwd="/")
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_module_of_the_same_name(self, tmp_path: Path) -> None:
        """Modules in the working directory are not taken for those of Python."""
        write_program(tmp_path, "perf")
        (tmp_path / "argparse.py").write_text("raise SystemExit(9)")
        done = subprocess.run([tmp_path / "perf", "--version"], check=False, cwd=tmp_path)
        assert done.returncode == 0


def test_events_have_their_releases() -> None:
    """Only the oldest event is there in the oldest profile, and all in the latest."""
    there = {
        each.value: [name for name, since in EVENTS.items() if since <= each.release]
        for each in Profile
    }
    assert there["5.18"] == ["damon_aggregated"]
    assert there["6.12"] == ["damon_aggregated", "damos_before_apply"]
    assert len(there["latest"]) == len(EVENTS)


def test_perf_knows_where_the_server_is() -> None:
    """The two that may not import each other name the same places."""
    assert perf.SOCKET == stage.SOCKET
    assert perf.EVENTS == stage.TRACEFS / "available_events"
    assert perf.SPARE_EVENTS == stage.OURS / "tracing" / "available_events"


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -15 $$", 143)])
def test_codes(script: str, code: int) -> None:
    """A process that was killed has the code that a shell shows for it."""
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", script], dict(os.environ))
    _, status = os.waitpid(pid, 0)
    assert namespaces.exit_code(status) == code


def test_refusals_name_the_call() -> None:
    """What the kernel refuses is an error with the place it was about."""
    with pytest.raises(OSError, match="nowhere at all"):
        syscalls.bind("/nowhere at all", "/nowhere at all")


def test_codes_of_shells() -> None:
    """Commands that are not there, or cannot be run, have the codes of shells."""
    shell = shutil.which("sh") or "/bin/sh"
    none = subprocess.run([shell, "-c", "/no/such"], check=False, capture_output=True)
    folder = subprocess.run([shell, "-c", sys.prefix], check=False, capture_output=True)
    assert none.returncode == supervisor.NOT_FOUND
    assert folder.returncode == supervisor.NOT_EXECUTABLE
