"""What is read of processes, whatever state they are in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from damon_async.processes.proc import Proc, ProcessId, Status

from .conftest import Child
from .fake_proc import FakeProc


def test_status_of_a_process(fake: FakeProc) -> None:
    """A process is told by its pid and its start, and has the name of its program."""
    fake.add(7, "sleep", "1", name="sleep", start_ticks=123)
    assert fake.proc.status(7) == Status(ProcessId(7, 123), "sleep", is_kernel_thread=False)


@pytest.mark.parametrize("name", ["a b", "a) S 1 (b", "((", "))", "", "é"])
def test_names_may_hold_anything(fake: FakeProc, name: str) -> None:
    """Blanks and parentheses in the name of a program do not shift the other fields."""
    fake.add(7, name=name, start_ticks=123)
    assert fake.proc.status(7) == Status(ProcessId(7, 123), name, is_kernel_thread=False)


@pytest.mark.parametrize("state", ["Z", "X", "x"])
def test_the_dead_do_not_exist(fake: FakeProc, state: str) -> None:
    """A process that has ended but was not waited for counts as ended."""
    fake.add(7, state=state)
    assert fake.proc.status(7) is None


@pytest.mark.parametrize("state", ["R", "S", "D", "T", "t", "I"])
def test_the_living_exist(fake: FakeProc, state: str) -> None:
    """Whatever a process waits for, it exists."""
    fake.add(7, state=state)
    assert fake.proc.status(7) is not None


def test_kernel_threads_are_told(fake: FakeProc) -> None:
    """The flag of the kernel's own threads is seen."""
    fake.add(2, name="kthreadd", flags=0x208040)
    status = fake.proc.status(2)
    assert status is not None
    assert status.is_kernel_thread


@pytest.mark.parametrize("text", ["", "7", "7 (a", "7 (a) S 1 2", "x (a) S" + " 1" * 30])
def test_half_a_status_is_none(fake: FakeProc, text: str) -> None:
    """What cannot be understood, or is cut short, is no process."""
    fake.add(7)
    (fake.root / "7" / "stat").write_text(text)
    assert fake.proc.status(7) is None


@given(content=st.binary(max_size=200))
def test_any_status_can_be_read(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever stands there, reading it raises nothing."""
    root = tmp_path_factory.mktemp("proc")
    (root / "7").mkdir()
    for name in ("stat", "cmdline"):
        (root / "7" / name).write_bytes(content)
    proc = Proc(root)
    assert proc.status(7) is None or proc.is_alive(ProcessId(7, 0)) in {True, False}
    assert all("\0" not in word for word in proc.words(7))


def test_nobody(fake: FakeProc) -> None:
    """Of a process that there is not, nothing is known."""
    assert fake.proc.status(8) is None
    assert fake.proc.status() is None
    assert fake.proc.words(8) == ()
    assert fake.proc.folder(8) is None
    assert not fake.proc.is_alive(ProcessId(8, 0))


def test_a_later_process_is_another(fake: FakeProc) -> None:
    """A process that got the pid of one that ended does not keep that one alive."""
    fake.add(7, start_ticks=123)
    first = ProcessId(7, 123)
    assert fake.proc.is_alive(first)
    fake.add(7, start_ticks=456)
    assert not fake.proc.is_alive(first)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"sleep\x001\0", ("sleep", "1")),
        (b"a\0\0b\0", ("a", "", "b")),
        (b"redis-server *:6379", ("redis-server *:6379",)),
        (b"caf\xe9\0", (os.fsdecode(b"caf\xe9"),)),
        (b"", ()),
    ],
)
def test_words_of_a_command_line(fake: FakeProc, content: bytes, words: tuple[str, ...]) -> None:
    """Words end with a zero, may be empty, and may be of any encoding."""
    fake.add(7)
    (fake.root / "7" / "cmdline").write_bytes(content)
    assert fake.proc.words(7) == words


def test_folder(fake: FakeProc) -> None:
    """The working directory is where the link leads to."""
    fake.add(7, folder="/some/where")
    assert fake.proc.folder(7) == Path("/some/where")


def test_times(fake: FakeProc) -> None:
    """Starts and the uptime are microseconds since the machine began."""
    assert fake.proc.start_us(ProcessId(7, 123)) == 1_230_000
    assert fake.proc.uptime_us() == 100_000_000
    (fake.root / "uptime").unlink()
    assert fake.proc.uptime_us() == 0


def test_namespace(fake: FakeProc) -> None:
    """The pid namespace has a name, which is empty where it cannot be seen."""
    assert fake.proc.namespace() == "pid:[1]"
    (fake.root / "self" / "ns" / "pid").unlink()
    assert fake.proc.namespace() == ""


def test_real_child(child: Child) -> None:
    """A real process exists until it is killed, also before anybody waits for it."""
    proc = Proc()
    process = child("cat")
    status = proc.status(process.pid)
    assert status is not None
    assert proc.is_alive(status.id)
    assert proc.start_us(status.id) <= proc.uptime_us()
    process.kill()
    # The end of its output is the end of the process, or nearly so; waiting is the end.
    process.wait()
    assert proc.status(process.pid) is None
    assert not proc.is_alive(status.id)


def test_oneself(child: Child) -> None:
    """Without a pid, it is the process that asks."""
    child("true")
    status = Proc().status()
    assert status is not None
    assert status.id.pid == os.getpid()
    assert Proc().words(os.getpid())
    assert Proc().folder(os.getpid()) == Path.cwd()
