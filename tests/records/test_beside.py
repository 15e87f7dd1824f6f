"""Files that appear when they are complete."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from damon_async.errors import InvalidError
from damon_async.records.beside import BesideFile, written_beside


def names(folder: Path) -> list[str]:
    """List a folder."""
    return sorted(each.name for each in folder.iterdir())


def test_appears_at_the_end(tmp_path: Path) -> None:
    """Nothing of the name is there until the block has ended."""
    path = tmp_path / "out"
    with written_beside(path) as out:
        out.write(b"done")
        assert not path.exists()
    assert path.read_bytes() == b"done"
    assert names(tmp_path) == ["out"]


def test_mode(tmp_path: Path) -> None:
    """The file has the permissions that were asked for, not those of the umask."""
    for mode in (0o600, 0o644):
        with written_beside(tmp_path / "out", mode) as out:
            out.write(b"")
        assert (tmp_path / "out").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_error_leaves_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    """A block that fails leaves the old file, and nothing of the new one."""
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(error, match="no"), written_beside(path):
        raise error("no")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["out"]


class FullDisk(io.BytesIO):
    """A file whose last bytes find no room."""

    def close(self) -> None:
        """Fail as a flush to a full disk does."""
        raise OSError(28, "No space left on device")


def test_dropped_on_full_disk(tmp_path: Path) -> None:
    """A file that is dropped leaves no trace even if its last bytes find no room."""
    file = BesideFile(tmp_path / "out")
    file.out.close()
    file.out = FullDisk()
    file.drop()
    assert names(tmp_path) == []


def test_dropped(tmp_path: Path) -> None:
    """A file that is dropped leaves no trace."""
    file = BesideFile(tmp_path / "out")
    file.out.write(b"half")
    file.drop()
    assert names(tmp_path) == []


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is told before anything is written."""
    with pytest.raises(InvalidError, match=r"cannot write .*gone/out: No such file or directory"):
        BesideFile(tmp_path / "gone" / "out")


def test_folder_as_file(tmp_path: Path) -> None:
    """A folder cannot be written as a file."""
    with pytest.raises(InvalidError, match=r"cannot write .*: is a directory"):
        BesideFile(tmp_path)


def test_target_becomes_a_folder(tmp_path: Path) -> None:
    """What gets into the way while writing is told at the end, and nothing is left over."""
    file = BesideFile(tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("")
    with pytest.raises(InvalidError, match=r"cannot write .*out"):
        file.keep()
    assert names(tmp_path) == ["out"]
