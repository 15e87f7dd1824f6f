"""Where a recording goes."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from damon_async.cli.outputs import RecordOutput, display_path
from damon_async.errors import InvalidError
from damon_async.params.monitoring import Context, Kdamond, Ops, Target
from damon_async.records.files import read_records
from damon_async.records.side_files import Workload, read_kdamonds, read_workloads
from damon_async.records.snapshot import Snapshot
from damon_async.records.writer import RecordForm

KDAMONDS = (Kdamond([Context(Ops.FVADDR, [Target(regions="4K-8K")])]),)
WORKLOADS = (Workload("zipf:size=1G", 7),)


def column(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a column of a snapshot."""
    return np.array(numbers, dtype=np.int64)


SNAPSHOT = Snapshot(
    0, 100_000_000, 5_000, 100_000, column(0), column(4096), column(8192), column(3), column(1)
)


def open_output(
    path: Path | str, form: RecordForm = RecordForm.JSON_COMPRESSED, mode: int = 0o600
) -> RecordOutput:
    """Return an output for one kdamond."""
    return RecordOutput(str(path), form, mode, KDAMONDS, WORKLOADS)


def test_record_and_companions_appear_together(tmp_path: Path) -> None:
    """The record, its parameters and its workload lie in the folder, and nothing else."""
    path = tmp_path / "x.data"

    with open_output(path) as out:
        out.add(0, SNAPSHOT)
        assert not path.exists()
        out.finish()

    (record,) = read_records(path)
    assert record.snapshots[0].nr_accesses.tolist() == [3]
    assert record.intervals == KDAMONDS[0].contexts[0].intervals
    assert read_kdamonds(path) == KDAMONDS
    assert tuple(read_workloads(path)) == WORKLOADS
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "x.data",
        "x.data.kdamonds",
        "x.data.workload",
    ]


@pytest.mark.parametrize("error", [ValueError("bug"), KeyboardInterrupt("Ctrl-C")])
def test_nothing_is_left_of_an_unfinished_record(tmp_path: Path, error: BaseException) -> None:
    """Whatever ends the block before finish, no file appears and the old one stays."""
    path = tmp_path / "x.data"
    path.write_text("old")

    def record() -> None:
        with open_output(path) as out:
            out.add(0, SNAPSHOT)
            raise error

    with pytest.raises(type(error), match=str(error)):
        record()

    assert [each.name for each in tmp_path.iterdir()] == ["x.data"]
    assert path.read_text() == "old"


def test_older_files_are_kept(tmp_path: Path) -> None:
    """An older record and its companions are renamed as damo does, replacing still older ones."""
    path = tmp_path / "x.data"
    for age in (1, 2, 3):
        with open_output(path) as out:
            for _ in range(age):
                out.add(0, SNAPSHOT)
            out.finish()

    assert len(read_records(path)[0].snapshots) == 3
    assert len(read_records(tmp_path / "x.data.old")[0].snapshots) == 2
    assert len(list(tmp_path.iterdir())) == 6


def test_permissions(tmp_path: Path) -> None:
    """All files get the wanted permissions."""
    with open_output(tmp_path / "x.data", mode=0o640) as out:
        out.add(0, SNAPSHOT)
        out.finish()

    modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {0o640}


@pytest.mark.parametrize(
    ("form", "head"),
    [
        (RecordForm.JSON, b'[{"'),
        (RecordForm.JSON_COMPRESSED, b"x"),
        (RecordForm.PERF_SCRIPT, b"kdamond.0 "),
    ],
)
def test_stdout(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, form: RecordForm, head: bytes
) -> None:
    """A dash writes the record to stdout, and no file anywhere."""
    with open_output("-", form) as out:
        out.add(0, SNAPSHOT)
        out.finish()

    assert capfdbinary.readouterr().out.startswith(head)
    assert not list(tmp_path.iterdir())


def test_no_binary_data_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compressed data is refused where it would garble a terminal."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    with pytest.raises(InvalidError, match=r"^json_compressed is not for terminals"):
        open_output("-")
    with open_output("-", RecordForm.JSON):
        pass


@pytest.mark.parametrize(
    ("path", "message"),
    [("missing/x.data", "No such file or directory"), (".", "is a directory")],
)
def test_impossible_places_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str
) -> None:
    """A place where nothing can be written is refused before anything is recorded."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidError, match=message):
        open_output(path)


def test_old_record_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the new record cannot be put in its place, the old one is still there."""
    path = tmp_path / "x.data"
    path.write_text("old")

    def replace(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    with open_output(path) as out:
        out.add(0, SNAPSHOT)
        with pytest.raises(InvalidError, match="No space left on device"):
            out.finish()

    assert path.read_text() == "old"


def test_old_record_is_copied_where_links_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On file systems without links an older record is kept too."""
    path = tmp_path / "x.data"
    path.write_text("old")

    def hardlink_to(self: Path, target: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", hardlink_to)
    with open_output(path) as out:
        out.add(0, SNAPSHOT)
        out.finish()

    assert (tmp_path / "x.data.old").read_text() == "old"
    assert len(read_records(path)) == 1


def test_devices_are_not_replaced() -> None:
    """What is no ordinary file is left alone."""
    with pytest.raises(InvalidError, match=r"^cannot write /dev/null: is no ordinary file; use -"):
        open_output("/dev/null")


def test_names_in_messages() -> None:
    """Stdout has a name, other files are called as the user does."""
    assert display_path("-") == "stdout"
    assert display_path("./a/x.data") == "./a/x.data"
