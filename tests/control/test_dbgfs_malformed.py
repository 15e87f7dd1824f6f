from __future__ import annotations

import errno
from contextlib import suppress
from functools import partial
from typing import Final

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from damon_async.control.dbgfs import dbgfs_tree
from damon_async.control.profiles import Profile
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock

from .consoles import Memory
from .debug_consoles import DebugConsole, every_profile, open_debug
from .stored import errno_of, every_path

DOCUMENTED: Final = {0, errno.EINVAL, errno.ENOMEM, errno.EEXIST, errno.ENOENT}
"""What a write may end with while nothing runs, the switch apart."""

NUMBERS: Final = st.one_of(st.integers(0, 20), st.integers(-(2**70), 2**70)).map(str)

TEXTS: Final = st.one_of(
    st.binary(max_size=64),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=32).map(str.encode),
    st.lists(NUMBERS, max_size=40).map(" ".join).map(str.encode),
    st.sampled_from(
        [b"paddr", b"paddr\n", b"on", b"off", b"attrs", b"foo", b"1 2", b"\0", b"9" * 99]
    ),
)


INTERVALS: Final = st.sampled_from([0, 1, 99, 5000, 2**63, 2**64 - 1])

# As many regions as anybody could want would be made, and take as long as they take.
ATTRS: Final = st.tuples(
    INTERVALS, INTERVALS, INTERVALS, st.integers(0, 50), st.integers(0, 200)
).map(lambda numbers: " ".join(map(str, numbers)))
"""Intervals that are out of all proportion, and bounds that are not."""


def contents(console: DebugConsole) -> dict[str, bytes]:
    """Return what all files say."""
    paths = [path for path in every_path(console.tree) if not path.endswith("_contexts")]
    return {path: console.tree.read(path) for path in paths}


@every_profile
@given(data=st.data())
async def test_malformed_writes(profile: Profile, data: st.DataObject) -> None:
    """Any bytes end in a documented errno or are taken; what fails changes nothing."""
    async with open_debug(profile) as console:
        console.put(mk_contexts="foo", target_ids="1 2", foo__target_ids="paddr")
        console.put(init_regions="0 0 4096 1 4096 8192")
        names = ["attrs", "target_ids", "init_regions", "schemes", "kdamond_pid"]
        paths = [*names, *(f"foo/{name}" for name in names), "mk_contexts", "rm_contexts"]
        for path, text in data.draw(st.lists(st.tuples(st.sampled_from(paths), TEXTS), max_size=6)):
            if not console.tree.root.find("foo") and path.startswith("foo/"):
                continue
            before = contents(console)
            number = errno_of(partial(console.tree.write, path, text))
            assert number in DOCUMENTED
            # A refused list of regions leaves none, as documented.
            if number and path.endswith("init_regions"):
                before[path] = b""
            assert not number or contents(console) == before


@every_profile
@given(data=st.data())
async def test_any_configuration(profile: Profile, data: st.DataObject) -> None:
    """Whatever the files were made to say, a start is taken or refused, and the engine works on."""
    async with open_debug(profile) as console:
        console.put(target_ids=data.draw(st.sampled_from(["1", "1 2", "paddr"])))
        with suppress(OSError):
            console.tree.write("attrs", data.draw(ATTRS))
        for path in ("init_regions", "schemes"):
            numbers = data.draw(st.lists(NUMBERS, max_size=36))
            with suppress(OSError):
                console.tree.write(path, " ".join(numbers))
        with suppress(OSError):
            await console.turn("on")
        started = console.damon.kdamonds
        await console.clock.sleep_us(500)
        contents_before_end = console.text("schemes")
        with suppress(OSError):
            await console.turn("off")
        assert [kdamond.error for kdamond in started] == [None] * len(started)
        assert len(console.text("schemes")) >= len(contents_before_end)
        console.put(attrs="5000 100000 60000000 10 1000", target_ids="1", schemes="\n")
        await console.turn("on")
        assert console.is_on()


class Contexts(RuleBasedStateMachine):
    """Directories against a plain set of names."""

    @initialize()
    def begin(self) -> None:
        damon = Damon(clock=VirtualClock(), seed=1)
        self.tree = dbgfs_tree(damon, "6.1", World(process={1: Memory()}.get))
        self.fixed = set(self.tree.listdir())
        self.attrs: dict[str, str] = {}

    @rule(name=st.sampled_from(["a", "b", "c", "attrs"]))
    def make(self, name: str) -> None:
        number = errno_of(lambda: self.tree.write("mk_contexts", name))
        if name in self.fixed | self.attrs.keys():
            assert number == errno.EEXIST
        else:
            assert not number
            self.attrs[name] = "5000 100000 60000000 10 1000\n"

    @rule(name=st.sampled_from(["a", "b", "c", "attrs"]))
    def remove(self, name: str) -> None:
        number = errno_of(lambda: self.tree.write("rm_contexts", name))
        if name in self.fixed:
            assert number == errno.EINVAL
        else:
            assert number == (0 if self.attrs.pop(name, None) else errno.ENOENT)

    @rule(name=st.sampled_from(["a", "b", "c"]), sample=st.integers(1, 9))
    def change(self, name: str, sample: int) -> None:
        number = errno_of(lambda: self.tree.write(f"{name}/attrs", f"{sample} 10 20 3 4"))
        assert number == (0 if name in self.attrs else errno.ENOENT)
        if not number:
            self.attrs[name] = f"{sample} 10 20 3 4\n"

    @rule()
    def look(self) -> None:
        assert set(self.tree.listdir()) == self.fixed | self.attrs.keys()
        for name, text in self.attrs.items():
            assert self.tree.read(f"{name}/attrs").decode() == text


def test_contexts_follow_their_model() -> None:
    """After any makings and removals there are the directories that a plain set says."""
    run_state_machine_as_test(Contexts)


@pytest.mark.parametrize("text", ["9" * 100_000, "1 " * 100_000, "\n" * 100_000, "x" * 100_000])
async def test_long_texts(text: str) -> None:
    """Long texts take no time to speak of, and end like short ones (4.2)."""
    async with open_debug() as console:
        for path in ("attrs", "target_ids", "init_regions", "schemes", "mk_contexts"):
            assert errno_of(partial(console.tree.write, path, text)) in DOCUMENTED
