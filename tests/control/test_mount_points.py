from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from damon_async.control import mount_points
from damon_async.control.mount_points import (
    Mount,
    check_mount_point,
    covering,
    is_ours,
    parse_mountinfo,
)

MOUNTINFO: Final = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw
24 23 0:7 / /sys/kernel/debug rw shared:8 master:2 - debugfs none rw
25 22 0:30 / /mnt/with\040blank\134and\011tab rw - tmpfs tmpfs rw
26 22 0:31 / /mnt/über rw - fuse.damon_async damon_async rw,user_id=0
27 22 0:32 / /mnt rw - tmpfs covers rw
""".strip()

CHECK: Final = """
from pathlib import Path
from damon_async.control.mount_points import check_mount_point
try:
    print(check_mount_point(Path("/sys")))
except OSError as error:
    print(error.errno, error)
"""


def test_mountinfo() -> None:
    """Each line tells where a mount is, of what type and source, and whether others see it."""
    mounts = parse_mountinfo(MOUNTINFO)
    assert mounts[0] == Mount("/", "ext4", "/dev/root", is_shared=True)
    assert mounts[2] == Mount("/sys/kernel/debug", "debugfs", "none", is_shared=True)
    assert mounts[3] == Mount("/mnt/with blank\\and\ttab", "tmpfs", "tmpfs", is_shared=False)
    assert mounts[4].point == "/mnt/über"


def test_covering() -> None:
    """A path is on the deepest mount above it, and of two at one place on the later one."""
    mounts = parse_mountinfo(MOUNTINFO)
    twice = [*mounts, Mount("/mnt", "ext4", "later", is_shared=False)]
    assert covering(Path("/sys/kernel/mm"), mounts) == mounts[1]
    assert covering(Path("/sysfs"), mounts) == mounts[0]
    assert covering(Path("/mnt/über/kdamonds"), mounts) == mounts[4]
    assert covering(Path("/mnt/x"), twice) == twice[-1]
    assert covering(Path("/"), []) is None


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have made-up mounts; return where they are listed."""
    file = tmp_path / "mountinfo"
    file.write_text(MOUNTINFO, encoding="utf-8")
    monkeypatch.setattr(mount_points, "MOUNTINFO", file)
    return file


def test_ordinary_directories(listed: Path, tmp_path: Path) -> None:
    """Any directory of an ordinary file system will do, and links to it are followed."""
    (tmp_path / "link").symlink_to(tmp_path)
    assert check_mount_point(tmp_path / "link") == tmp_path.resolve()


def test_no_directories(listed: Path, tmp_path: Path) -> None:
    """What is not there is ENOENT, and what is no directory is ENOTDIR."""
    with pytest.raises(FileNotFoundError, match="make it first"):
        check_mount_point(tmp_path / "nothing")
    with pytest.raises(NotADirectoryError, match="is no directory"):
        check_mount_point(listed)


@pytest.mark.parametrize("is_private", [True, False])
def test_shared_mounts_of_the_kernel(
    listed: Path, monkeypatch: pytest.MonkeyPatch, *, is_private: bool
) -> None:
    """Where others would see it, nothing is mounted over the kernel's directories."""
    monkeypatch.setattr(mount_points, "is_namespace_private", lambda: is_private)
    with pytest.raises(PermissionError, match="belongs to the kernel of this machine") as raised:
        check_mount_point(Path("/sys"))
    assert raised.value.errno == errno.EPERM
    assert "damon-async sandbox" in str(raised.value)
    assert "--mount-proc damon-async mount /sys" in str(raised.value)


@pytest.mark.parametrize("is_private", [True, False])
def test_private_mounts_of_the_kernel(
    listed: Path, monkeypatch: pytest.MonkeyPatch, *, is_private: bool
) -> None:
    """In a private mount namespace the kernel's directories may be covered."""
    listed.write_text(MOUNTINFO.replace("shared:7 ", ""), encoding="utf-8")
    monkeypatch.setattr(mount_points, "is_namespace_private", lambda: is_private)
    if is_private:
        assert check_mount_point(Path("/sys")) == Path("/sys")
    else:
        with pytest.raises(PermissionError, match="belongs to the kernel"):
            check_mount_point(Path("/sys"))


def test_unknown_mounts(listed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody knows what is mounted, nothing is mounted."""
    listed.write_text("", encoding="utf-8")
    monkeypatch.setattr(mount_points, "is_namespace_private", lambda: True)
    with pytest.raises(PermissionError, match="belongs to the kernel"):
        check_mount_point(tmp_path)


def test_ours(listed: Path, tmp_path: Path) -> None:
    """Our mounts are told by type and source."""
    assert not is_ours(tmp_path)
    line = f"30 22 0:40 / {tmp_path} rw - fuse.damon_async damon_async rw"
    listed.write_text(f"{MOUNTINFO}\n{line}", encoding="utf-8")
    assert is_ours(tmp_path)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["--mount", "--pid", "--fork", "--mount-proc"], "/sys"),
        (["--pid", "--fork"], "1 [Errno 1]"),
    ],
)
def test_namespaces(sandbox_allowed: None, options: list[str], answer: str) -> None:
    """A mount namespace of one's own is what it takes, and not one for pids."""
    command = ["unshare", *options, sys.executable, "-c", CHECK]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(answer)


@pytest.mark.parametrize(
    ("numbers", "is_private"),
    [
        ({"self/ns/user": 1}, True),
        ({"1/ns/mnt": 5, "self/ns/mnt": 6}, True),
        ({"1/ns/mnt": 5, "self/ns/mnt": 5, "self/ns/pid": 7, "self": 0}, True),
        # The processes of another pid namespace: pids are new, mounts are not.
        ({"1/ns/mnt": 5, "self/ns/mnt": 5, "self/ns/pid": 7, "self": 1}, False),
        ({"1/ns/mnt": 5, "self/ns/mnt": 5, "self": 0}, False),
        ({"1/ns/mnt": None, "self/ns/pid": 7, "self": 0}, False),
    ],
)
def test_private_namespaces(
    numbers: dict[str, int | None], monkeypatch: pytest.MonkeyPatch, *, is_private: bool
) -> None:
    """Namespaces are private by what differs from the machine's, and not if that is unknown."""
    first = {
        "self/ns/user": mount_points.FIRST_USER_NAMESPACE,
        "self/ns/pid": mount_points.FIRST_PID_NAMESPACE,
    }

    def number(path: Path) -> int:
        found = {**first, **numbers}[str(path.relative_to("/proc"))]
        if found is None:
            raise PermissionError(errno.EACCES, "not to be looked at", str(path))
        return found

    monkeypatch.setattr(mount_points, "_number", number)
    there = os.getpid() + (numbers.get("self") or 0)
    monkeypatch.setattr(mount_points, "_process_in_proc", lambda: there)
    assert mount_points.is_namespace_private() is is_private
