from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from damon_async.control.admin import ADMIN
from damon_async.control.behavior import Behavior, InterfaceLock
from damon_async.control.profiles import Profile
from damon_async.control.tree import NodeStat, Tree

SAMPLE = "kdamonds/0/contexts/0/monitoring_attrs/intervals/sample_us"


@pytest.fixture
def tree() -> Tree:
    """Return a tree of the default profile with one context and nothing behind it."""
    tree = Tree(ADMIN)
    tree.write("kdamonds/nr_kdamonds", "1")
    tree.write("kdamonds/0/contexts/nr_contexts", "1")
    return tree


def errno_of(operation: Callable[[], object]) -> int | None:
    """Return the errno that *operation* fails with."""
    with pytest.raises(OSError, match=": ") as raised:
        operation()
    return raised.value.errno


def test_errnos_of_paths(tree: Tree) -> None:
    """Wrong paths fail as they do on a real file system."""
    assert errno_of(lambda: tree.read("kdamonds/1/state")) == errno.ENOENT
    assert errno_of(lambda: tree.read("kdamonds/../state")) == errno.ENOENT
    assert errno_of(lambda: tree.read("kdamonds/0/state/x")) == errno.ENOTDIR
    assert errno_of(lambda: tree.read("kdamonds/0")) == errno.EISDIR
    assert errno_of(lambda: tree.read("")) == errno.EISDIR
    assert errno_of(lambda: tree.write("kdamonds/0", "1")) == errno.EISDIR
    assert errno_of(lambda: tree.write("kdamonds/0/new", "1")) == errno.ENOENT
    assert errno_of(lambda: tree.listdir("kdamonds/0/pid")) == errno.ENOTDIR
    assert errno_of(lambda: tree.listdir("nothing")) == errno.ENOENT
    assert errno_of(lambda: tree.stat("kdamonds/a\0b")) == errno.ENOENT


def test_slashes_do_not_matter(tree: Tree) -> None:
    """Slashes at the ends, doubled ones and dots lead to the same file."""
    assert tree.read(f"/{SAMPLE}") == tree.read(f"./{SAMPLE.replace('/', '//')}") == b"5000\n"
    assert tree.listdir("/kdamonds/") == tree.listdir("kdamonds")


def test_modes(tree: Tree) -> None:
    """Files are 0600 or 0400 of 4096 bytes, and directories 0755 (statement 2)."""
    for path in ("kdamonds/nr_kdamonds", "kdamonds/0/state", SAMPLE):
        assert tree.stat(path) == NodeStat(is_dir=False, mode=0o600, size=4096)
    assert tree.stat("kdamonds/0/pid").mode == 0o400
    assert tree.stat("kdamonds/0") == NodeStat(is_dir=True, mode=0o755, size=0)
    assert tree.stat("").is_dir


async def test_read_only_files(tree: Tree) -> None:
    """A read-only file cannot be opened for writing, not even to write nothing (statement 3)."""
    assert errno_of(lambda: tree.write("kdamonds/0/pid", "1")) == errno.EACCES
    assert errno_of(lambda: tree.open("kdamonds/0/pid", for_writing=True)) == errno.EACCES
    handle = tree.open("kdamonds/0/pid")
    with pytest.raises(PermissionError, match="pid is read-only"):
        await handle.write_async(b"")


async def test_writing_nothing(tree: Tree) -> None:
    """A write of no bytes returns 0 and parses nothing (statement 4)."""
    assert tree.write("kdamonds/nr_kdamonds", b"") == 0
    assert tree.read("kdamonds/nr_kdamonds") == b"1\n"
    assert await tree.write_async("kdamonds/0/state", "") == 0


def test_writes_are_counted(tree: Tree) -> None:
    """A write returns the bytes it took, 4096 at most."""
    assert tree.write(SAMPLE, b"7\n") == 2
    assert tree.write(SAMPLE, "8") == 1
    assert tree.write("kdamonds/nr_kdamonds", b"1" + b"\0" * 9999) == 4096


def test_writes_on_one_handle(tree: Tree) -> None:
    """Several writes on one open file are independent (statement 17)."""
    handle = tree.open(SAMPLE, for_writing=True)
    assert handle.write(b"1") == handle.write(b"2") == 1
    assert handle.read() == tree.read(SAMPLE) == b"2\n"


def test_removed_directories(tree: Tree) -> None:
    """A file that is open in a removed directory is ENODEV from then on."""
    handle = tree.open(SAMPLE, for_writing=True)
    tree.write("kdamonds/0/contexts/nr_contexts", "1")
    assert errno_of(handle.read) == errno.ENODEV
    assert errno_of(lambda: handle.write(b"1")) == errno.ENODEV
    assert errno_of(lambda: handle.write(b"")) == errno.ENODEV
    assert tree.read(SAMPLE) == b"5000\n"


def test_texts_that_are_none(tree: Tree) -> None:
    """Texts are encoded as paths are, and what cannot be encoded is EINVAL."""
    assert errno_of(lambda: tree.write(SAMPLE, "\ud800")) == errno.EINVAL
    tree.write("kdamonds/0/contexts/0/schemes/nr_schemes", "1")
    filters = "kdamonds/0/contexts/0/schemes/0/filters"
    tree.write(f"{filters}/nr_filters", "1")
    tree.write(f"{filters}/0/memcg_path", "/\udcff")
    assert tree.read(f"{filters}/0/memcg_path") == b"/\xff\n"


async def test_nothing_runs_behind_stored_trees(tree: Tree) -> None:
    """A tree that only stores reads as off and refuses to start anything."""
    assert tree.read("kdamonds/0/state") == b"off\n"
    assert tree.read("kdamonds/0/pid") == b"-1\n"
    with pytest.raises(OSError, match="nothing runs"):
        await tree.write_async("kdamonds/0/state", "on")
    assert await tree.read_async("kdamonds/0/state") == b"off\n"


def test_plain_writes_do_not_wait(tree: Tree) -> None:
    """A write that would have to wait is EAGAIN, unless its word is wrong already."""
    assert errno_of(lambda: tree.write("kdamonds/0/state", "on")) == errno.EAGAIN
    assert errno_of(lambda: tree.write("kdamonds/0/state", "ON")) == errno.EINVAL


@pytest.mark.parametrize("profile", Profile)
def test_lock_is_tried(profile: Profile) -> None:
    """While the lock is held, what takes it is EBUSY, and other files are not."""
    behavior = Behavior()
    tree = Tree(ADMIN, profile, behavior)
    tree.write("kdamonds/nr_kdamonds", "1")
    tree.write("kdamonds/0/contexts/nr_contexts", "1")
    with behavior.lock.held():
        assert errno_of(lambda: tree.read("kdamonds/0/state")) == errno.EBUSY
        assert errno_of(lambda: tree.read("kdamonds/0/pid")) == errno.EBUSY
        assert errno_of(lambda: tree.write("kdamonds/0/state", "foo")) == errno.EBUSY
        assert errno_of(lambda: tree.write("kdamonds/nr_kdamonds", "1")) == errno.EBUSY
        # A number that cannot be is refused before anybody looks at the lock.
        assert errno_of(lambda: tree.write("kdamonds/nr_kdamonds", "-1")) == errno.EINVAL
        assert tree.read("kdamonds/nr_kdamonds") == b"1\n"
        assert tree.write(SAMPLE, "7") == 1
    assert not tree.lock.is_held


@pytest.mark.parametrize("profile", [Profile.V6_12, Profile.V6_18, Profile.LATEST])
def test_paths_take_the_lock(profile: Profile) -> None:
    """From 6.12 on, paths of memory cgroups are read and written under the lock."""
    tree = Tree(ADMIN, profile)
    for name in ("nr_kdamonds", "0/contexts/nr_contexts", "0/contexts/0/schemes/nr_schemes"):
        tree.write(f"kdamonds/{name}", "1")
    filters = "kdamonds/0/contexts/0/schemes/0/filters"
    tree.write(f"{filters}/nr_filters", "1")
    with tree.lock.held():
        assert errno_of(lambda: tree.read(f"{filters}/0/memcg_path")) == errno.EBUSY
        assert errno_of(lambda: tree.write(f"{filters}/0/memcg_path", "/a")) == errno.EBUSY


def test_lock_can_be_lent() -> None:
    """Whoever holds the lock can lend it and has it back afterwards."""
    lock = InterfaceLock()
    with lock.held():
        with lock.lent():
            assert repr(lock) == "<InterfaceLock free>"
            lock.check()
        assert lock.is_held
        with pytest.raises(OSError, match="another operation has the interface lock"):
            lock.check()
    assert not lock.is_held


def test_known_paths_are_looked_up_anew(tree: Tree) -> None:
    """A path that was read leads to the new file once its directory was made anew."""
    tree.write(SAMPLE, "7")
    assert tree.read(SAMPLE) == b"7\n"
    tree.write("kdamonds/0/contexts/nr_contexts", "1")
    assert tree.read(SAMPLE) == b"5000\n"
    tree.write("kdamonds/0/contexts/nr_contexts", "0")
    assert errno_of(lambda: tree.read(SAMPLE)) == errno.ENOENT


def test_many_paths(tree: Tree) -> None:
    """More paths than are remembered can be read, and read again."""
    tree.write("kdamonds/nr_kdamonds", "5000")
    for _ in range(2):
        assert {tree.read(f"kdamonds/{index}/pid") for index in range(5000)} == {b"-1\n"}


def test_reprs(tree: Tree) -> None:
    """Trees and open files say what they are."""
    assert repr(tree) == "<Tree admin of 6.18>"
    assert repr(tree.open("kdamonds/0/state")) == "<Handle of kdamonds/0/state>"
