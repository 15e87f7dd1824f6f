from __future__ import annotations

import errno

import pytest

from damon_async.control.behavior import Behavior
from damon_async.control.medium import DEBUGFS, SYSFS, Medium
from damon_async.control.node import Branch, Directory, File, Role
from damon_async.control.profiles import Profile
from damon_async.control.tree import Handle, Tree
from damon_async.control.values import KEPT, PATH, U64, Value

ROOT = Directory(
    "root",
    (
        File("number", U64),
        File("text", PATH, b""),
        File("asked", U64, 1, role=Role.ASKED),
        File("live", KEPT, b"", role=Role.LIVE),
        File("deaf", U64, 2, can_write=False),
        File("mute", U64, 3, can_read=False),
    ),
)


class Listening(Behavior):
    """Writes down what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, Value]] = []
        self.nr_opened = 0

    def read(self, branch: Branch, file: File) -> Value:
        return branch.value(file.name) if file.role is Role.ASKED else b"%d" % len(self.heard)

    def asked(self, branch: Branch, file: File, value: Value) -> None:
        self.heard.append((file.name, value))
        super().asked(branch, file, value)

    async def write(self, branch: Branch, file: File, value: Value) -> None:
        self.heard.append((file.name, value))

    def opened(self, branch: Branch, file: File) -> None:
        self.nr_opened += 1


def tree(medium: Medium = DEBUGFS) -> tuple[Tree, Listening]:
    behavior = Listening()
    return Tree(ROOT, Profile.V6_1, behavior, medium), behavior


def fails(handle: Handle, data: bytes, number: int, offset: int | None = None) -> None:
    """Have a write to an open file refused."""
    with pytest.raises(OSError, match=":") as raised:
        handle.write(data, offset)
    assert raised.value.errno == number


def test_sizes() -> None:
    """Files report what their file system says, open or not."""
    for medium in (SYSFS, DEBUGFS):
        files, _ = tree(medium)
        assert files.stat("number").size == files.open("number").size == medium.size
    assert (SYSFS.size, DEBUGFS.size) == (4096, 0)


def test_one_write_per_open() -> None:
    """In debugfs an open file takes one write that succeeds (4.2, statement 114)."""
    files, _ = tree()
    handle = files.open("number", for_writing=True)
    fails(handle, b"x", errno.EINVAL)
    assert handle.write(b"7") == 1
    fails(handle, b"8", errno.EINVAL)
    assert handle.read() == b"7\n"
    assert files.open("number", for_writing=True).write(b"8") == 1


def test_offsets() -> None:
    """In debugfs a write elsewhere than at the beginning is EINVAL, and in sysfs no matter."""
    files, _ = tree()
    fails(files.open("number"), b"7", errno.EINVAL, offset=1)
    handle = files.open("number")
    assert handle.write(b"7", 0) == handle.write(b"8", 0) == 1
    files, _ = tree(SYSFS)
    handle = files.open("number")
    assert handle.write(b"7", 5) == handle.write(b"8") == 1
    assert handle.read() == b"8\n"


def test_reading_parts() -> None:
    """A read from further on gives the rest of the text, which is made anew."""
    files, _ = tree()
    files.write("number", "12345")
    handle = files.open("number")
    assert (handle.read(), handle.read(3), handle.read(99)) == (b"12345\n", b"45\n", b"")
    files.write("number", "67")
    assert handle.read(1) == b"7\n"


def test_long_writes() -> None:
    """Sysfs takes 4096 bytes of a longer write; debugfs takes all, or nothing (4.2)."""
    files, _ = tree(SYSFS)
    assert files.write("text", b"x" * 5000) == files.write("text", "x" * 5000) == 4096
    files, _ = tree()
    assert files.write("text", b"x" * 5000) == 5000
    assert len(files.read("text")) == 5001
    fails(files.open("text"), b"x" * (DEBUGFS.most + 1), errno.ENOMEM)
    assert files.write("text", b"y" * DEBUGFS.most) == DEBUGFS.most


def test_empty_writes() -> None:
    """Writing nothing is nothing in sysfs, and an empty text in debugfs."""
    for medium, text in ((SYSFS, b"old\n"), (DEBUGFS, b"\n")):
        files, _ = tree(medium)
        files.write("text", "old")
        assert files.write("text", b"") == 0
        assert files.read("text") == text


def test_each_opening_is_told() -> None:
    """What stands behind a debugfs tree hears of each opening, and of none in sysfs."""
    for medium, nr_opened in ((SYSFS, 0), (DEBUGFS, 3)):
        files, behavior = tree(medium)
        files.read("number")
        files.write("number", "1")
        files.open("deaf")
        assert behavior.nr_opened == nr_opened


def test_asked_files() -> None:
    """Of some files reads are answered, and writes done, by what stands behind the tree."""
    files, behavior = tree()
    assert files.write("asked", "5") == 1
    assert behavior.heard == [("asked", 5)]
    assert files.read("asked") == b"5\n"
    assert Tree(ROOT).write("asked", "6") == 1


async def test_files_that_wait_without_a_lock() -> None:
    """A file whose writes wait takes the interface lock only if it says so."""
    files, behavior = tree()
    with behavior.lock.held():
        with pytest.raises(BlockingIOError, match="live waits"):
            files.write("live", b"x")
        handle = files.open("live")
        assert await handle.write_async(b"x") == 1
        with pytest.raises(OSError, match="open it again"):
            await handle.write_async(b"y")
        assert await files.write_async("live", b"") == 0
    assert behavior.heard == [("live", b"x"), ("live", b"")]
    assert files.read("live") == b"2"


def test_one_way_files() -> None:
    """A file may have both permissions and refuse one of them with EINVAL (4.1)."""
    for medium in (SYSFS, DEBUGFS):
        files, _ = tree(medium)
        assert files.stat("deaf").mode == files.stat("mute").mode == 0o600
        fails(files.open("deaf", for_writing=True), b"1", errno.EINVAL)
        assert files.read("deaf") == b"2\n"
        assert files.write("mute", "1") == 1
        with pytest.raises(OSError, match="only written") as raised:
            files.read("mute")
        assert raised.value.errno == errno.EINVAL
