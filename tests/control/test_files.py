"""What opening, reading and writing does, through both doors."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

import pytest

from damon_async.control.profiles import Profile
from damon_async.control.tree import NodeStat

from .consoles import INTERVALS, C, Console, K, S, T
from .doors import OpenConsole
from .stored import errno_of

SAMPLE = f"{INTERVALS}/sample_us"


@pytest.fixture(params=Profile)
def console(request: pytest.FixtureRequest, open_console: OpenConsole) -> Iterator[Console]:
    """Open the files of each profile, with one context, target, region and scheme."""
    with open_console.stored(request.param) as console:
        yield console


def fails(number: int, operation: Callable[[], object]) -> None:
    """Have an operation refused with an errno."""
    assert errno_of(operation) == number


def test_first_look(console: Console) -> None:
    """A tree without kdamonds has their counter and nothing else (statement 1)."""
    console.put("kdamonds", nr_kdamonds=0)
    assert console.files.listdir("kdamonds") == ["nr_kdamonds"]
    assert console.files.read("kdamonds/nr_kdamonds") == b"0\n"


def test_modes(console: Console) -> None:
    """Files are 0600 or 0400 of 4096 bytes, and directories 0755 (statement 2)."""
    for path in ("kdamonds/nr_kdamonds", f"{K}/state", SAMPLE):
        assert console.files.stat(path) == NodeStat(is_dir=False, mode=0o600, size=4096)
    for path in (f"{K}/pid", f"{S}/stats/nr_tried"):
        assert console.files.stat(path) == NodeStat(is_dir=False, mode=0o400, size=4096)
    for path in ("kdamonds", K, f"{S}/stats", T):
        assert console.files.stat(path)[:2] == (True, 0o755)


def test_read_only_files(console: Console) -> None:
    """A read-only file cannot be opened for writing, not even by root (statement 3)."""
    fails(errno.EACCES, lambda: console.files.open(f"{K}/pid", for_writing=True))
    fails(errno.EACCES, lambda: console.files.write(f"{S}/stats/nr_tried", "1"))


def test_writing_nothing(console: Console) -> None:
    """A write of no bytes returns 0 and parses nothing (statement 4)."""
    assert console.files.write("kdamonds/nr_kdamonds", b"") == 0
    assert console.text("kdamonds/nr_kdamonds") == "1"


def test_numbers(console: Console) -> None:
    """Numbers may be octal, hexadecimal or signed, and end with a newline (6 and 8)."""
    for text, number in (("010", 8), ("+7\n", 7), ("0x1F", 31), ("0\n", 0)):
        assert console.files.write(SAMPLE, text) == len(text)
        assert console.number(SAMPLE) == number


def test_no_numbers(console: Console) -> None:
    """What is not exactly a number is EINVAL and changes nothing (statements 7, 9 and 10)."""
    for text in ("08", "7\n\n", " 7", "7 ", "7us", "7.0", "\n", "abc", "-1", "0x", "\0"):
        console.refuses(SAMPLE, text, errno.EINVAL)
    assert console.text(SAMPLE) == "5000"


def test_writes_on_one_file(console: Console) -> None:
    """Several writes on one open file are independent (statement 17)."""
    file = console.files.open(SAMPLE, for_writing=True)
    assert file.write(b"1") == file.write(b"2") == 1
    assert file.read() == console.files.read(SAMPLE) == b"2\n"
    with pytest.raises(OSError, match="Invalid argument"):
        file.write(b"x")
    assert file.write(b"30") == 2
    assert file.read() == b"30\n"


@pytest.mark.parametrize("size", [4096, 4097, 5000, 300_000])
def test_long_writes(console: Console, size: int) -> None:
    """Of long writes 4096 bytes are taken, and the rest is not looked at."""
    # What is behind a NUL does not count.
    assert console.files.write(SAMPLE, b"7".ljust(4096, b"\0").ljust(size, b"x")) == 4096
    assert console.text(SAMPLE) == "7"
    console.refuses(SAMPLE, b"9" * size, _too_large(console))


def _too_large(console: Console) -> int:
    return errno.EINVAL if console.tree.profile is Profile.V5_18 else errno.ERANGE


def test_removed_directories(console: Console) -> None:
    """A file that is open in a removed directory is ENODEV from then on."""
    file = console.files.open(SAMPLE, for_writing=True)
    state = console.files.open(f"{K}/pid")
    console.put(K, contexts__nr_contexts=1)
    fails(errno.ENODEV, file.read)
    fails(errno.ENODEV, lambda: file.write(b"1"))
    assert console.text(SAMPLE) == "5000"
    assert state.read() == b"-1\n"
    console.put("kdamonds", nr_kdamonds=0)
    fails(errno.ENODEV, state.read)
    fails(errno.ENOENT, lambda: console.files.read(SAMPLE))


def test_paths(console: Console) -> None:
    """Wrong paths fail as everywhere."""
    files = console.files
    fails(errno.ENOENT, lambda: files.read("kdamonds/1/state"))
    fails(errno.ENOENT, lambda: files.write("kdamonds/01/state", "on"))
    fails(errno.ENOTDIR, lambda: files.read(f"{K}/state/x"))
    fails(errno.EISDIR, lambda: files.write(K, "1"))
    fails(errno.ENOTDIR, lambda: files.listdir(f"{K}/pid"))
    fails(errno.ENOENT, lambda: files.listdir(f"{C}/nothing"))
    fails(errno.ENOENT, lambda: files.stat("nothing"))
