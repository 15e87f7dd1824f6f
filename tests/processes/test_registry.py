"""Files in which processes say what they stand for."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from damon_async.errors import InputFileError, InvalidError
from damon_async.processes.proc import ProcessId
from damon_async.processes.registry import Entry, Registry, runtime_dir
from damon_async.processes.twin import Twin

from .fake_proc import FakeProc

ENTRY = Entry("zipf:size=1G", seed=3, page_size=2**21, started_us=5, is_repeated=True)

SEVEN = ProcessId(7, 123)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a runtime directory that does not exist yet."""
    return tmp_path / "run" / "damon_async"


@pytest.fixture
def registry(fake: FakeProc, folder: Path) -> Registry:
    """Return the registry of a machine on which process 7 asks."""
    fake.add(7, "masim", start_ticks=123)
    fake.become(7)
    return Registry(folder, fake.proc)


def leave(folder: Path, name: str, **values: object) -> Path:
    """Put a file into the directory, as a process would that was killed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps({"workload": "zipf", "namespace": "pid:[1]", **values}))
    return path


def test_processes_are_found_while_they_are_registered(registry: Registry, folder: Path) -> None:
    """What a process says is known from the beginning of the block to its end."""
    assert registry.find(SEVEN) is None
    with registry.registered(ENTRY) as is_registered:
        assert is_registered
        found = registry.find(SEVEN)
        assert found is not None
        assert (found.workload, found.seed, found.page_size) == ("zipf:size=1G", 3, 2**21)
        assert (found.started_us, found.is_repeated, found.namespace) == (5, True, "pid:[1]")
        assert found.twin == Twin("zipf:size=1G", is_repeated=True, seed=3, page_size=2**21)
        assert [path.name for path in folder.iterdir()] == ["7-123.json"]
    assert registry.find(SEVEN) is None
    assert list(folder.iterdir()) == []


def test_a_later_process_is_not_found(registry: Registry) -> None:
    """The file of a process says nothing of a later one with its pid."""
    with registry.registered(ENTRY):
        assert registry.find(ProcessId(7, 124)) is None


def test_errors_remove_the_file(registry: Registry, folder: Path) -> None:
    """However the block ends, the process is not registered any more."""
    with pytest.raises(SystemExit, match="143"), registry.registered(ENTRY):
        raise SystemExit(143)
    assert list(folder.iterdir()) == []


def test_the_directory_may_vanish(registry: Registry, folder: Path) -> None:
    """Somebody who cleans up under a running process does no harm."""
    with registry.registered(ENTRY):
        (folder / "7-123.json").unlink()
        folder.rmdir()
    assert registry.find(SEVEN) is None


def test_the_directory_is_private(registry: Registry, folder: Path) -> None:
    """Nobody else can see or write what is in the directory."""
    with registry.registered(ENTRY):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "7-123.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_directories_of_everybody_are_refused(registry: Registry, folder: Path, mode: int) -> None:
    """Where others may write, nothing is written, and nothing believed."""
    leave(folder, "7-123.json")
    folder.chmod(mode)
    with pytest.raises(InvalidError, match="others than its user may write to"):
        registry.find(SEVEN)
    with (
        pytest.raises(InvalidError, match="others than its user may write to"),
        registry.registered(ENTRY),
    ):
        pass


def test_links_are_refused(registry: Registry, folder: Path, tmp_path: Path) -> None:
    """A link in the place of the directory is not followed."""
    leave(tmp_path / "other", "7-123.json")
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "other")
    with pytest.raises(InvalidError, match="is no directory"):
        registry.find(SEVEN)


def test_a_file_in_its_place(registry: Registry, folder: Path) -> None:
    """Where there is a file, nobody can register."""
    folder.parent.mkdir()
    folder.write_text("")
    with (
        pytest.raises(InvalidError, match=r"cannot register in .*: File exists"),
        registry.registered(ENTRY),
    ):
        pass


def test_without_proc_nobody_registers(tmp_path: Path, folder: Path) -> None:
    """Where processes cannot be told apart, the block runs unregistered."""
    (tmp_path / "proc").mkdir()
    registry = Registry(folder, FakeProc(tmp_path / "proc").proc)
    with registry.registered(ENTRY) as is_registered:
        assert not is_registered
    assert not folder.exists()


def test_leftovers_are_removed(registry: Registry, fake: FakeProc, folder: Path) -> None:
    """Whoever registers removes the files of processes that have ended."""
    fake.add(8, start_ticks=5)
    fake.add(9, start_ticks=6, state="Z")
    alive = leave(folder, "8-5.json")
    dead = [leave(folder, name) for name in ("8-4.json", "9-6.json", "10-1.json")]
    with registry.registered(ENTRY):
        assert alive.exists()
        assert not any(path.exists() for path in dead)


def test_strangers_are_left_alone(registry: Registry, folder: Path) -> None:
    """Files of other containers, and files that are not ours at all, stay."""
    paths = [
        leave(folder, "8-4.json", namespace="pid:[2]"),
        leave(folder, "a-b.json"),
        leave(folder, "readme.json"),
        leave(folder, "8-4.txt"),
    ]
    broken = folder / "9-1.json"
    broken.write_text("{")
    assert registry.clean() == 0
    assert all(path.exists() for path in [*paths, broken])


def test_other_containers_are_not_believed(registry: Registry, folder: Path) -> None:
    """The same pid in another container is another process."""
    leave(folder, "7-123.json", namespace="pid:[2]")
    assert registry.find(SEVEN) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "does not name a workload"),
        (b'{"workload": 5}', "does not name a workload"),
        (b'{"workload": "zipf", "seed": "x"}', "are whole numbers from 0 on"),
        (b'{"workload": "zipf", "page_size": -1}', "are whole numbers from 0 on"),
        (b'{"workload": "zipf", "started_us": 1.5}', "are whole numbers from 0 on"),
    ],
)
def test_broken_files(registry: Registry, folder: Path, content: bytes, message: str) -> None:
    """A file that makes no sense is an error that names it."""
    leave(folder, "7-123.json").write_bytes(content)
    with pytest.raises(InputFileError, match=rf"7-123\.json: .*{message}"):
        registry.find(SEVEN)


def test_unreadable_files(registry: Registry, folder: Path) -> None:
    """A file that cannot be read is an error, too."""
    folder.mkdir(mode=0o700, parents=True)
    (folder / "7-123.json").mkdir()
    with pytest.raises(InputFileError, match=r"7-123\.json: cannot be read: Is a directory"):
        registry.find(SEVEN)


def test_later_releases_may_say_more(registry: Registry, folder: Path) -> None:
    """What is not known is passed over; what is missing has its default."""
    leave(folder, "7-123.json", colour="blue")
    assert registry.find(SEVEN) == Entry("zipf", namespace="pid:[1]")


def test_half_a_file_is_never_seen(
    registry: Registry, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the file cannot be completed, nothing stays behind."""

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with (
        pytest.raises(InvalidError, match=r"cannot register in .*: No space left on device"),
        registry.registered(ENTRY),
    ):
        pass
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"DAMON_ASYNC_RUNTIME_DIR": "/a/b", "XDG_RUNTIME_DIR": "/run/user/5"}, "/a/b"),
        ({"XDG_RUNTIME_DIR": "/run/user/5"}, "/run/user/5/damon_async"),
        ({"DAMON_ASYNC_RUNTIME_DIR": "", "XDG_RUNTIME_DIR": "/x"}, "/x/damon_async"),
    ],
)
def test_named_directories(variables: dict[str, str], expected: str) -> None:
    """The environment says where processes register."""
    assert runtime_dir(variables) == Path(expected)


@pytest.mark.parametrize("user", [0, 1000])
def test_unnamed_directories(user: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that, root has a directory of the system, and others have one each."""
    monkeypatch.setattr(os, "geteuid", lambda: user)
    own = Path(tempfile.gettempdir()) / "damon_async-1000"
    assert runtime_dir({}) == (own if user else Path("/run/damon_async"))


def test_the_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless others are given, the variables are those of this process."""
    monkeypatch.setenv("DAMON_ASYNC_RUNTIME_DIR", "/a/b")
    assert runtime_dir() == Path("/a/b")
    assert repr(Registry(runtime_dir())) == "<Registry /a/b>"
