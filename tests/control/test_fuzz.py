"""Malformed writes by the hundred thousand, from a seed; see test_malformed.py as well."""

from __future__ import annotations

import asyncio
import errno
import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Final

import pytest

from damon_async.control.node import Branch
from damon_async.control.profiles import Profile
from damon_async.control.tree import Tree

from .consoles import Console, Files, K, Memory, S, open_console
from .doors import Door, OpenConsole
from .stored import errno_of, every_path, stored

NR_WRITES: Final = 100_000
NR_MOUNTED: Final = 3_000

DOCUMENTED: Final = {
    *(errno.EINVAL, errno.ERANGE, errno.ENOMEM, errno.EBUSY, errno.EACCES),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EAGAIN),
}

WORDS: Final = [
    *("on", "off", "commit", "ON", " on", "update_schemes_stats", "foo", "Y", "n", "stat"),
    *("vaddr", "paddr", "pageout", "anon", "memcg", "user_input", "/a\n", "\n", "", "\ud800"),
]

SPOILED: Final = [b"\0", b" ", b"\n\n", b"x", b"\xff\xfe", b"-", b"1_0", b"0x", b"9" * 40]


def _number(random: Random) -> bytes:
    """Make up a number, often one at the edge of a class."""
    bits = random.choice([1, 8, 16, 31, 32, 53, 63, 64, 65, 200])
    number = random.choice([1, -1]) * (2**bits - random.choice([0, 1, -1]))
    return random.choice(["{}", "{:#x}", "0{:o}", "+{}", "{}\n", "{}.0"]).format(number).encode()


def _text(random: Random) -> bytes | str:
    """Make up what is written: numbers, words, other encodings, and noise."""
    kind = random.randrange(6)
    if kind == 0:
        return random.choice(WORDS)
    if kind == 1:
        return random.randbytes(random.choice([1, 3, 17, 300]))
    if kind == 2:
        return "12 \u0661\uff11\u00b2on".encode(random.choice(["utf-16", "utf-32", "utf-8"]))
    if kind == 3:
        return _number(random).rjust(random.choice([1, 4096, 5000]), b"0")
    number = _number(random)
    return number if kind == 4 else number + random.choice(SPOILED)


def _path(random: Random, paths: list[str]) -> str:
    """Choose a path that is there, or spoil one."""
    path = random.choice(paths)
    if random.random() < 0.9:
        return path
    middle = random.randrange(len(path))
    wrong = random.choice(["/", "//", "..", "\0", "\udcff", "9", "0", "x" * 300, "\u0661"])
    return path[:middle] + wrong + path[middle + random.randrange(3) :]


def _shape(branch: Branch, path: str = "") -> Iterator[tuple[object, ...]]:
    """Go through all that a tree holds, without reading it file by file."""
    if branch.nr_children or branch._values:
        yield path, branch.nr_children, tuple(sorted(branch._values.items()))
    for name, made in branch._made.items():
        yield from _shape(made, f"{path}/{name}")


def fingerprint(tree: Tree) -> set[tuple[object, ...]]:
    """Return what is the same as long as nothing changed that anybody wrote."""
    return set(_shape(tree.root))


def _some_files(files: Files) -> list[str]:
    """Return paths of files that are written, with the counters of big changes left out."""
    return [
        path
        for path in every_path(files)
        if not path.endswith(("nr_kdamonds", "nr_contexts", "nr_targets", "nr_schemes"))
    ]


def _is_too_many(number: int, path: str) -> bool:
    """Tell whether a count was refused as too large, which leaves nothing."""
    return number == errno.ENOMEM and path.rpartition("/")[2].startswith("nr_")


@pytest.mark.parametrize("profile", Profile)
def test_malformed_writes(profile: Profile) -> None:
    """Of 100,000 writes each is taken or refused as documented, and then changes nothing."""
    random = Random(f"fuzz {profile}")
    console = stored(profile)
    tree = console.tree
    paths = _some_files(tree)
    seen: Counter[int] = Counter()
    before = fingerprint(tree)
    for _ in range(NR_WRITES // len(Profile)):
        path, text = _path(random, paths), _text(random)
        number = errno_of(partial(tree.write, path, text))
        seen[number] += 1
        if number and not _is_too_many(number, path):
            assert fingerprint(tree) == before, (path, text)
        else:
            before = fingerprint(tree)
    assert seen.keys() <= {0, *DOCUMENTED}
    # It is about refusals, and about more than one of them.
    assert seen[0] < sum(seen.values()) / 2
    assert {errno.EINVAL, errno.EACCES, errno.ENOENT, errno.EAGAIN} <= seen.keys()


@pytest.mark.parametrize("profile", [Profile.V5_18, Profile.V6_18])
async def test_malformed_writes_while_it_runs(profile: Profile) -> None:
    """What is written to a running kdamond's files is taken or refused, and it runs on."""
    random = Random(f"running {profile}")
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        paths = [path for path in _some_files(console.tree) if path != f"{K}/state"]
        for _ in range(2_000):
            number = errno_of(partial(console.tree.write, _path(random, paths), _text(random)))
            assert number in {0, *DOCUMENTED}
        await console.sleep_us(1_000_000)
        assert console.is_on()
        for _ in range(200):
            text = _text(random)
            word = text if isinstance(text, str) else text.decode("latin-1")
            if word.removesuffix("\n") not in {"", "off", "commit", "update_schemes_stats"}:
                await console.fails(word, errno.EBUSY if word == "on" else errno.EINVAL)
        await console.state("off")
        await console.start_vaddr(nr_schemes=1)
        assert console.is_on()


def test_malformed_writes_mounted(mount_allowed: None, open_mounted: OpenConsole) -> None:
    """Over the mount the same texts are taken or refused alike, and change as little."""
    random = Random("mounted")
    with open_mounted.stored(Profile.V6_18) as console:
        twin = stored(Profile.V6_18).tree
        paths = [path for path in _some_files(twin) if path != f"{K}/state"]
        for _ in range(NR_MOUNTED):
            # System calls cannot have a NUL in a path.
            path, text = _path(random, paths).replace("\0", "\1"), _bytes_of(_text(random))
            number = errno_of(partial(console.files.write, path, text))
            assert number in {0, *DOCUMENTED, errno.ENAMETOOLONG}, (path, text)
            if _is_plain(path):
                assert number == errno_of(partial(twin.write, path, text)), (path, text)
                assert fingerprint(console.tree) == fingerprint(twin), (path, text)
        assert _works(console)


def _bytes_of(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _is_plain(path: str) -> bool:
    """Tell whether a path means the same to a kernel: it knows ``..``, and limits."""
    names = path.split("/")
    is_short = all(len(os.fsencode(name)) <= 255 for name in names)
    return is_short and ".." not in names


def _works(console: Console) -> bool:
    """Start something as if nothing had happened."""
    console.fresh_vaddr(nr_schemes=1)
    console.files.write(f"{K}/state", "on")
    console.files.write(f"{K}/state", "update_schemes_tried_regions")
    return console.is_on() and bool(console.tried())


@pytest.fixture
def open_mounted(tmp_path_factory: pytest.TempPathFactory) -> OpenConsole:
    """Return what opens mounted consoles."""
    return OpenConsole(Door.MOUNTED, tmp_path_factory.mktemp("fuzz"))


WALKS: Final = ("update_schemes_tried_bytes", "update_schemes_tried_regions")


@pytest.mark.parametrize("word", WALKS)
async def test_huge_apply_intervals(word: str) -> None:
    """An update waits for a scheme's apply interval, however long, but no longer than the run."""
    async with open_console() as console:
        console.processes[3] = Memory(lifetime_us=10_000_000)
        console.fresh_vaddr(nr_schemes=1, pid=3)
        console.put(S, apply_interval_us=2**64 - 1)
        await console.state("on")
        await console.fails(word, errno.ECANCELED)
        assert not console.is_on()
        assert console.clock.now_us() >= 10_000_000
        assert console.number(f"{S}/tried_regions/total_bytes") == 0


@pytest.mark.parametrize("word", WALKS)
async def test_huge_apply_intervals_can_be_left(word: str) -> None:
    """Who does not want to wait that long cancels, and the next command is carried out."""
    async with open_console() as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(S, apply_interval_us=2**64 - 1)
        await console.state("on")
        waiting = asyncio.create_task(console.state(word))
        for _ in range(1_000):
            await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert not console.tree.lock.is_held
        console.put(S, apply_interval_us=0)
        await console.state("commit")
        await console.state(word)
        assert console.number(f"{S}/tried_regions/total_bytes") > 0
