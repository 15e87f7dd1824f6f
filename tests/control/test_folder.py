"""Trees in directories: read anywhere, never written where a kernel listens."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from damon_async.control import folder as folder_module
from damon_async.control.admin import ADMIN
from damon_async.control.explain import explained, takes
from damon_async.control.folder import MOST_READ, Folder, check_writable
from damon_async.control.lookup import declared_file
from damon_async.control.mount_points import Mount
from damon_async.control.stored_tree import take

from .consoles import C, K, S
from .stored import errno_of

PLAIN = Mount("/", "ext4", "/dev/sda1", is_shared=False)
OURS = Mount("/sys/kernel/mm/damon/admin", "fuse", "damon_async", is_shared=False)
SYSFS = Mount("/sys", "sysfs", "sysfs", is_shared=True)
ADMIN_PATH = Path(OURS.point, "kdamonds/nr_kdamonds")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a directory with two files of a tree."""
    (tmp_path / "kdamonds/0").mkdir(parents=True)
    (tmp_path / "kdamonds/nr_kdamonds").write_text("1\n")
    (tmp_path / "kdamonds/0/state").write_text("off\n")
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("place", "mounts", "is_allowed"),
    [
        ("/home/me/tree/kdamonds/nr_kdamonds", [PLAIN], True),
        (ADMIN_PATH, [PLAIN, SYSFS, OURS], True),
        (ADMIN_PATH, [PLAIN, SYSFS], False),
        # Also where it looks like any other file system, or is mounted elsewhere.
        (ADMIN_PATH, [PLAIN], False),
        ("/mnt/x", [PLAIN, Mount("/mnt", "sysfs", "none", is_shared=False)], False),
        ("/mnt/x", [PLAIN, Mount("/mnt", "debugfs", "none", is_shared=False)], False),
        # Somebody else's mount, and one that only claims to be ours.
        (ADMIN_PATH, [PLAIN, Mount("/sys", "fuse.lxcfs", "lxcfs", is_shared=False)], False),
        (ADMIN_PATH, [PLAIN, Mount("/sys", "sysfs", "damon_async", is_shared=False)], False),
        # A kernel's file system mounted over ours.
        (ADMIN_PATH, [PLAIN, OURS, SYSFS, Mount(OURS.point, "sysfs", "s", is_shared=False)], False),
        ("/proc/1/oom_score_adj", [PLAIN], False),
        ("/anything", [], False),
    ],
)
def test_who_is_written_to(place: str, mounts: list[Mount], is_allowed: bool) -> None:
    """Only our own mounts and ordinary directories outside of /sys are written to."""
    number = errno_of(lambda: check_writable(Path(place), mounts))
    assert number == (0 if is_allowed else errno.EPERM)


def test_refusal_says_where_else() -> None:
    """Who is refused is told how to get a tree."""
    with pytest.raises(
        PermissionError, match=r"belongs to the kernel .* damon-async sandbox has a"
    ):
        check_writable(ADMIN_PATH, [PLAIN, SYSFS])


def test_folder_reads(folder: Folder) -> None:
    """A directory is read like any tree."""
    assert take(folder).values == {"kdamonds/nr_kdamonds": "1", "kdamonds/0/state": "off"}
    assert sorted(folder.entries("kdamonds")) == [("0", True), ("nr_kdamonds", False)]
    assert "Folder" in repr(folder)


def test_folder_errors(folder: Folder) -> None:
    """What cannot be read has the errno of the system."""
    assert errno_of(lambda: folder.read("nothing")) == errno.ENOENT
    assert errno_of(lambda: folder.read("kdamonds")) == errno.EISDIR
    assert errno_of(lambda: folder.entries("kdamonds/nr_kdamonds")) == errno.ENOTDIR


def test_endless_files(folder: Folder, tmp_path: Path) -> None:
    """Of a file without an end a part is read, and links to directories lead nowhere."""
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert folder.read("endless") == bytes(MOST_READ)
    assert set(take(folder).missed) == {"loop"}


def test_no_folder(tmp_path: Path) -> None:
    """Where there is no directory there is no tree."""
    (tmp_path / "file").touch()
    assert errno_of(lambda: Folder(tmp_path / "file")) == errno.ENOTDIR
    with pytest.raises(FileNotFoundError, match=r"there is no tree at .*damon-async sandbox"):
        Folder(tmp_path / "nothing")


def test_folder_writes(folder: Folder) -> None:
    """A write replaces the whole value, and makes no files."""
    assert folder.write("kdamonds/0/state", b"on") == 2
    assert folder.read("kdamonds/0/state") == b"on"
    assert errno_of(lambda: folder.write("kdamonds/new", b"1")) == errno.ENOENT
    assert not (folder.path / "kdamonds/new").exists()


def test_links_are_followed_before_the_check(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link, or dots, that lead to a kernel's files do not get around the check."""
    kernel = tmp_path / "kernel"
    kernel.mkdir()
    (kernel / "file").write_text("untouched")
    (folder.path / "link").symlink_to(kernel)
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {kernel} rw - sysfs b rw\n")
    monkeypatch.setattr(folder_module, "MOUNTINFO", mountinfo)
    assert errno_of(lambda: folder.write("link/file", b"changed")) == errno.EPERM
    assert errno_of(lambda: folder.write("kdamonds/../kernel/file", b"changed")) == errno.EPERM
    assert (kernel / "file").read_text() == "untouched"
    assert folder.write("kdamonds/0/state", b"on") == 2


# -- Sentences ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "number", "sentence"),
    [
        (f"{K}/state", None, errno.EBUSY, "cannot be read (EBUSY): something else is going on"),
        (f"{K}/pid", "1", errno.EACCES, "does not take '1' (EACCES): it is read-only"),
        (f"{K}/state", "off", errno.EPERM, "the kdamond has ended already"),
        (f"{K}/state", "offf", errno.EINVAL, "it takes one of on, off, update_schemes_stats"),
        (f"{K}/state", "on", errno.EINVAL, "what the files of this kdamond say cannot be run"),
        (f"{K}/refresh_ms", "-1", errno.EINVAL, "a whole number from 0 to 4294967295"),
        (f"{S}/target_nid", "x", errno.EINVAL, "from -2147483648 to 2147483647"),
        (f"{C}/targets/nr_targets", "-1", errno.EINVAL, "from 0 to 2147483647"),
        (f"{C}/pause", "x", errno.EINVAL, "it takes Y or N"),
        (f"{S}/action", "collapse", errno.EINVAL, "this kernel does not; newer ones take"),
        (f"{S}/action", "stat", errno.EACCES, "only root may"),
        (f"{S}/action", "stat", errno.EPERM, "it belongs to the kernel of this machine"),
        (f"{S}/action", None, errno.EACCES, "only root may"),
        ("nothing", "1", errno.ENOENT, "there is no such file"),
        ("nothing", "1", errno.EINVAL, "Invalid argument"),
        ("x", "9" * 99, errno.ENODEV, "...' (ENODEV): its directory was removed"),
        ("x", "1", 99999, "(99999): Unknown error 99999"),
    ],
)
def test_sentences(path: str, value: str | None, number: int, sentence: str) -> None:
    """Every errno is one sentence that says what would be right."""
    told = explained(path, value, number, declared_file(ADMIN, path))
    assert told.startswith(path)
    assert sentence in told
    assert "\n" not in told


def test_what_paths_take() -> None:
    """Files of paths take any text."""
    file = declared_file(ADMIN, f"{S}/filters/0/memcg_path")
    assert file is not None
    assert takes(file) == "a text"
