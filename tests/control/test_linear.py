"""Eight writers at once, through the portal and through a mount."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Hashable, Iterator
from itertools import permutations
from pathlib import Path
from random import Random
from threading import Barrier, Thread
from time import perf_counter_ns
from typing import Final

import pytest
from hypothesis import given, strategies as st

from damon_async.control.live import TreePortal
from damon_async.control.profiles import Profile

from .consoles import INTERVALS, C, Files, S, T
from .doors import Door, MountedConsole, OpenConsole
from .linear import Operation, objection

NR_WRITERS: Final = 8
NR_OPERATIONS: Final = 1_000

NUMBERS: Final = (
    *(f"{INTERVALS}/{name}" for name in ("sample_us", "aggr_us", "update_us")),
    *(f"{S}/access_pattern/sz/{name}" for name in ("min", "max")),
    f"{T}/regions/nr_regions",
)
PATH: Final = f"{S}/filters/0/memcg_path"


def _could_be(history: tuple[Operation, ...]) -> bool:
    """Tell by trying all orders whether a history is possible."""

    def is_sequential(order: tuple[Operation, ...]) -> bool:
        held: Hashable = None
        for index, each in enumerate(order):
            if any(later.end < each.begin for later in order[index:]):
                return False
            if each.is_write:
                held = each.value
            elif each.value != held:
                return False
        return True

    return any(is_sequential(order) for order in permutations(history))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Operation, ...]:
    """Draw operations with bounds that are all different."""
    nr_values = draw(st.integers(1, 3))
    values = [*range(nr_values), *draw(st.lists(st.integers(0, nr_values - 1), max_size=3))]
    times = draw(st.permutations(range(2 * len(values))))
    pairs = zip(times[::2], times[1::2], strict=True)
    return tuple(
        Operation(min(pair), max(pair), value, is_write=index < nr_values)
        for index, (value, pair) in enumerate(zip(values, pairs, strict=True))
    )


@given(histories())
def test_checker(history: tuple[Operation, ...]) -> None:
    """Zones find what trying all orders finds."""
    assert (objection(history) is None) == _could_be(history)


def test_checker_knows_torn_values() -> None:
    """A value that nobody wrote is objected to, and so is one that came back."""
    first = Operation(0, 1, "a", is_write=True)
    second = Operation(2, 3, "b", is_write=True)
    assert objection([first, second, Operation(4, 5, "b", is_write=False)]) is None
    assert objection([first, Operation(2, 3, "x", is_write=False)]) == "'x' was written 0 times"
    late = objection([first, second, Operation(4, 5, "a", is_write=False)])
    assert late == "'b' was there while 'a' was"


class Writer(Thread):
    """
    Writes values that nobody else writes, and reads.

    Args:
        files: Where.

        number: Which writer it is.

        barrier: All begin at once.
    """

    def __init__(self, files: Files | TreePortal, number: int, barrier: Barrier) -> None:
        super().__init__()
        self.history: list[tuple[str, Operation]] = []
        self.failures: list[Exception] = []
        self._files = files
        self._number = number
        self._barrier = barrier

    def run(self) -> None:
        random = Random(self._number)
        self._barrier.wait()
        try:
            for index in range(NR_OPERATIONS):
                # None of the values that were there first, and no count that is too large.
                self._do(random, 10_000 + index * NR_WRITERS + self._number)
        except Exception as error:  # noqa: BLE001 -- shown by the test
            self.failures.append(error)

    def _do(self, random: Random, number: int) -> None:
        """Write or read one of the files."""
        path = random.choice([*NUMBERS, PATH])
        # A long text, to be torn if anything is.
        text = b"%d" % number if path != PATH else b"/%d" % number * 400
        is_write = random.random() < 0.5
        begin = perf_counter_ns()
        if is_write:
            self._files.write(path, text)
        else:
            text = self._files.read(path).removesuffix(b"\n")
        end = perf_counter_ns()
        self.history.append((path, Operation(begin, end, text, is_write)))


def _work(files: Files | TreePortal) -> list[tuple[str, Operation]]:
    """Have all writers work, and look at every file before and after."""
    before = [
        (path, Operation(-1, 0, files.read(path).removesuffix(b"\n"), is_write=True))
        for path in (*NUMBERS, PATH)
    ]
    barrier = Barrier(NR_WRITERS)
    writers = [Writer(files, number, barrier) for number in range(NR_WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.failures for writer in writers] == [[]] * NR_WRITERS
    now = perf_counter_ns()
    after = [
        (path, Operation(now, now + 1, files.read(path).removesuffix(b"\n"), is_write=False))
        for path in (*NUMBERS, PATH)
    ]
    return [*before, *(each for writer in writers for each in writer.history), *after]


@pytest.fixture
def hurried() -> Iterator[None]:
    """Have threads interrupt each other all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("door", Door)
def test_writers_at_once(door: Door, hurried: None, mount_allowed: None, tmp_path: Path) -> None:
    """Whatever eight writers do at once, it could have been done one after the other."""
    with OpenConsole(Door.MOUNTED, tmp_path).stored(Profile.V6_18) as console:
        assert isinstance(console, MountedConsole)
        console.put(S, filters__nr_filters=1)
        files = console.files if door is Door.MOUNTED else console.portal
        assert files is not None
        by_path: defaultdict[str, list[Operation]] = defaultdict(list)
        for path, operation in _work(files):
            by_path[path].append(operation)
        assert sum(map(len, by_path.values())) == NR_WRITERS * NR_OPERATIONS + 2 * len(by_path)
        assert {path: objection(history) for path, history in by_path.items()} == dict.fromkeys(
            by_path
        )
        # Directories are as many as were counted last.
        regions = console.files.listdir(f"{T}/regions")
        assert len(regions) == console.number(f"{T}/regions/nr_regions") + 1
        assert console.files.stat(C).is_dir
