"""What only a mount can show: file mechanics below the door."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from damon_async.control.profiles import Profile
from damon_async.engine.holding import TimeHold

from .consoles import INTERVALS, C, K, S
from .doors import Door, MountedConsole, MountedFiles, OpenConsole
from .stored import errno_of

SAMPLE = f"{INTERVALS}/sample_us"
NOBODY = 65534


@pytest.fixture
def console(request: pytest.FixtureRequest, mount_allowed: None) -> Iterator[MountedConsole]:
    """Open a mounted tree where other users can look."""
    profile = getattr(request, "param", Profile.V6_18)
    # Not below tmp_path, which is closed to other users.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        with OpenConsole(Door.MOUNTED, Path(name)).stored(profile) as console:
            assert isinstance(console, MountedConsole)
            yield console


@pytest.fixture
def top(console: MountedConsole) -> Path:
    """Where the tree is."""
    assert isinstance(console.door, MountedFiles)
    return console.door.top


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """Have a descriptor for the length of a ``with`` block."""
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def names(place: int | Path) -> list[str]:
    """List a directory, also one that is open."""
    with os.scandir(place) as entries:
        return [entry.name for entry in entries]


def test_nothing_is_made_by_hand(top: Path) -> None:
    """No directory, link or name can be made, removed or changed: EPERM."""
    for operation in (
        (top / "kdamonds/1").mkdir,
        (top / K).rmdir,
        (top / SAMPLE).unlink,
        lambda: (top / K).rename(top / "kdamonds/1"),
        lambda: (top / SAMPLE).rename(top / f"{INTERVALS}/aggr_us"),
        lambda: (top / "link").symlink_to(top),
        lambda: (top / "link").hardlink_to(top / SAMPLE),
        lambda: (top / SAMPLE).chmod(0o666),
        lambda: os.chown(top / SAMPLE, NOBODY, NOBODY),
    ):
        assert errno_of(operation) == errno.EPERM
    assert (top / SAMPLE).read_bytes() == b"5000\n"


def test_files_are_not_made(top: Path) -> None:
    """A new file is EACCES, however it is asked for; one that is there is just opened."""
    assert errno_of((top / "kdamonds/new").touch) == errno.EACCES
    assert errno_of(lambda: (top / "new").write_text("1")) == errno.EACCES
    assert errno_of(lambda: os.mkfifo(top / "new")) == errno.EACCES
    (top / SAMPLE).touch()
    assert (top / SAMPLE).read_bytes() == b"5000\n"


def test_truncation_changes_nothing(top: Path) -> None:
    """Opening to truncate or to append, and truncating, leave the value."""
    for flags in (os.O_TRUNC, os.O_APPEND, os.O_TRUNC | os.O_APPEND | os.O_CREAT):
        with opened(top / SAMPLE, os.O_WRONLY | flags):
            assert (top / SAMPLE).read_bytes() == b"5000\n"
    os.truncate(top / SAMPLE, 0)
    assert (top / SAMPLE).read_bytes() == b"5000\n"
    with opened(top / SAMPLE, os.O_RDWR | os.O_APPEND) as descriptor:
        assert os.write(descriptor, b"1") == os.write(descriptor, b"22") - 1 == 1
    assert (top / SAMPLE).read_bytes() == b"22\n"


def test_offsets_of_writes_do_not_matter(top: Path) -> None:
    """Wherever a write goes, it is a value of its own."""
    with opened(top / SAMPLE, os.O_RDWR) as descriptor:
        for offset in (0, 1, 4095, 1 << 20):
            assert os.pwrite(descriptor, b"%d" % offset, offset) == len(str(offset))
            assert os.pread(descriptor, 4096, 0) == b"%d\n" % offset


def test_reading_in_pieces(console: MountedConsole, top: Path) -> None:
    """A text that is read in pieces is that of its first piece; from its beginning it is new."""
    with opened(top / SAMPLE, os.O_RDONLY) as descriptor:
        assert os.read(descriptor, 2) == b"50"
        console.put(INTERVALS, sample_us=777777)
        assert os.read(descriptor, 2) == b"00"
        assert os.read(descriptor, 4096) == b"\n"
        assert os.read(descriptor, 4096) == b""
        os.lseek(descriptor, 0, os.SEEK_SET)
        assert os.read(descriptor, 4096) == b"777777\n"
        assert os.pread(descriptor, 3, 2) == b"777"
        assert os.pread(descriptor, 3, 100) == b""


def test_attributes(top: Path) -> None:
    """All belong to who mounted, are of 4096 bytes or directories, and say so in listings."""
    info = (top / SAMPLE).stat()
    assert (info.st_size, stat.filemode(info.st_mode)) == (4096, "-rw-------")
    assert (info.st_uid, info.st_gid) == (os.getuid(), os.getgid())
    assert (top / f"{K}/pid").stat().st_mode == stat.S_IFREG | 0o400
    assert (top / K).stat().st_mode == stat.S_IFDIR | 0o755
    with os.scandir(top / K) as entries:
        kinds = {entry.name: (entry.is_dir(), entry.is_file()) for entry in entries}
    assert kinds["contexts"] == (True, False)
    assert kinds["state"] == kinds["pid"] == (False, True)
    # Only names that the listing itself gave no kind would be looked up.
    found = subprocess.run(["find", top, "-type", "f"], check=True, capture_output=True, text=True)
    assert f"{top}/{SAMPLE}" in found.stdout.splitlines()
    assert os.statvfs(top).f_namemax == 255


def test_listings_name_themselves(top: Path) -> None:
    """A listing has the directory itself and the one above it, as shells show them."""
    done = subprocess.run(["ls", "-a", top / K], check=True, capture_output=True, text=True)
    assert done.stdout.split() == [".", "..", "contexts", "pid", "refresh_ms", "state"]


def test_directories_vanish_at_once(console: MountedConsole, top: Path) -> None:
    """After a count shrinks, nothing leads to what is gone: no path, no open directory."""
    console.put(C, schemes__nr_schemes=2)
    gone = top / f"{C}/schemes/1"
    with opened(gone, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        assert "action" in names(descriptor)
        assert (gone / "action").exists()
        console.put(C, schemes__nr_schemes=1)
        for operation in (
            gone.stat,
            lambda: names(gone),
            (gone / "action").stat,
            (gone / "action").read_bytes,
            lambda: names(descriptor),
            lambda: os.stat("action", dir_fd=descriptor),
            lambda: os.open("action", os.O_RDONLY, dir_fd=descriptor),
            lambda: os.open("quotas/bytes", os.O_RDONLY, dir_fd=descriptor),
        ):
            assert errno_of(operation) == errno.ENOENT
    assert "1" not in names(gone.parent)
    console.put(C, schemes__nr_schemes=2)
    assert (gone / "action").read_bytes() == b"stat\n"


def test_working_directories_vanish(console: MountedConsole, top: Path) -> None:
    """Who is in a directory that is removed finds nothing there any more."""
    script = 'cat action; read line; ls; cat action; ls .. && echo "$line"'
    shell = subprocess.Popen(
        ["sh", "-c", script],
        cwd=top / S,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert shell.stdout is not None
    assert shell.stdout.readline() == "stat\n"
    console.put(C, schemes__nr_schemes=0)
    out, errors = shell.communicate("end\n", timeout=20)
    assert out == "nr_schemes\nend\n"
    assert errors.count("No such file or directory") == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_other_users(top: Path) -> None:
    """Another user can look around, but open nothing, and is told so by access as well."""
    script = f"""
    cd {top}/{K} && ls && stat -c %a state
    cat state || echo refused
    echo on > state || echo refused
    test -r state || test -w state || echo neither
    test -x {top}/{K} && echo may enter
    """
    done = subprocess.run(
        ["sh", "-c", script], check=True, capture_output=True, text=True, user=NOBODY, group=NOBODY
    )
    assert done.stdout.split("\n") == [
        *["contexts", "pid", "refresh_ms", "state", "600", "refused", "refused"],
        *["neither", "may enter", ""],
    ]
    assert done.stderr.count("Permission denied") == 2


def test_access_of_the_owner(top: Path) -> None:
    """Who mounted may do to each file what its mode says, and run none."""
    assert os.access(top / SAMPLE, os.R_OK | os.W_OK)
    assert os.access(top / f"{K}/pid", os.R_OK)
    assert not os.access(top / SAMPLE, os.X_OK)
    assert os.access(top / K, os.R_OK | os.X_OK)
    assert not os.access(top / "nothing", os.F_OK)


@contextmanager
def _waiting(console: MountedConsole, word: str) -> Iterator[Thread]:
    """Have a thread wait for a command, for which time does not pass within the block."""
    assert console.room is not None
    hold = TimeHold(console.clock, "the test")
    console.room.call(hold.take)
    writer = Thread(target=console.files.write, args=(f"{K}/state", word))
    writer.start()
    while not console.state_behind._is_pending:
        console.text(SAMPLE)
    try:
        yield writer
        assert writer.is_alive()
    finally:
        console.room.call(hold.release)
        writer.join()


@pytest.mark.parametrize("console", [Profile.V6_12, Profile.V6_18], indirect=True)
async def test_who_waits_holds_up_nobody(console: MountedConsole) -> None:
    """While a command waits, others read, list and write; what takes the lock is EBUSY."""
    await _two_kdamonds(console)
    with _waiting(console, "update_schemes_stats"):
        other = "kdamonds/1/contexts/0/monitoring_attrs/intervals/sample_us"
        console.files.write(other, "1234")
        assert console.text(other) == "1234"
        assert console.files.listdir("kdamonds") == ["nr_kdamonds", "0", "1"]
        lent = 0 if console.tree.profile is Profile.V6_12 else errno.EBUSY
        for path in (f"{K}/pid", f"{K}/state", "kdamonds/1/state"):
            assert errno_of(partial(console.files.read, path)) == lent
        for path, text, number in (
            ("kdamonds/1/state", "commit", errno.EBUSY),
            ("kdamonds/nr_kdamonds", "2", errno.EBUSY),
            ("kdamonds/1/contexts/0/targets/nr_targets", "1", lent),
        ):
            assert errno_of(partial(console.files.write, path, text)) == number
    assert console.number(f"{S}/stats/nr_tried") >= 0
    await console.state("commit", 1)


async def _two_kdamonds(console: MountedConsole) -> None:
    """Start two kdamonds, the first with a scheme."""
    console.put("kdamonds", nr_kdamonds=2)
    for number in (0, 1):
        base = f"kdamonds/{number}/contexts"
        console.put(base, nr_contexts=1)
        console.put(f"{base}/0", operations="paddr", schemes__nr_schemes=1)
        await console.state("on", number)
