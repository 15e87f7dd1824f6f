from __future__ import annotations

import errno
from contextlib import suppress
from functools import partial
from typing import Final

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from damon_async.control.profiles import Profile
from damon_async.control.tree import Tree

from .consoles import C, Console, K, S, T, open_console
from .stored import errno_of, every_path, stored

DOCUMENTED: Final = {
    errno.EINVAL,
    errno.ERANGE,
    errno.ENOMEM,
    errno.EBUSY,
    errno.EACCES,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EAGAIN,
}

TEXTS: Final = st.one_of(
    st.binary(max_size=64),
    st.integers(-(2**70), 2**70).map(lambda number: b"%d" % number),
    st.from_regex(rb"[ +-]?(0x)?[0-9a-fA-F]{1,24}[ \nx.]?", fullmatch=True),
    st.sampled_from([b"on", b"off\n", b"Y", b"stat", b"anon\n", b"\xff\xfe", "\uff11".encode()]),
    st.binary(min_size=4000, max_size=5000),
)

NAMES: Final = ["kdamonds", "0", "1", "contexts", "state", "..", ".", "", "nr_kdamonds", "a\0b"]


def contents(tree: Tree) -> dict[str, bytes]:
    """Return the texts of all files."""
    return {path: tree.read(path) for path in every_path(tree)}


@pytest.mark.parametrize("profile", Profile)
@given(data=st.data())
def test_writes(profile: Profile, data: st.DataObject) -> None:
    """A write is taken, or is refused with a documented errno and changes nothing."""
    tree = stored(profile).tree
    before = contents(tree)
    path = data.draw(st.sampled_from(sorted(before)))
    text = data.draw(TEXTS)
    number = errno_of(lambda: tree.write(path, text))
    assert number in {0, *DOCUMENTED}
    if number == errno.ENOMEM:
        assert tree.read(path) == b"0\n"
    elif number:
        assert contents(tree) == before


@given(st.lists(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), max_size=6), TEXTS)
def test_paths(names: list[str], text: bytes) -> None:
    """Any text is a path that leads somewhere, or is refused with a documented errno."""
    tree = stored(Profile.V6_18).tree
    path = "/".join(names)
    assert errno_of(lambda: tree.read(path)) in {0, *DOCUMENTED}
    assert errno_of(lambda: tree.stat(path)) in {0, *DOCUMENTED}
    assert errno_of(lambda: tree.listdir(path)) in {0, *DOCUMENTED}
    assert errno_of(lambda: tree.write(path, text)) in {0, *DOCUMENTED}


@given(st.text(max_size=20))
def test_texts(text: str) -> None:
    """Any text may be written, half surrogates included, and is taken or refused."""
    tree = stored(Profile.V6_18).tree
    tree.write(f"{S}/filters/nr_filters", "1")
    assert errno_of(lambda: tree.write(f"{S}/filters/0/memcg_path", text)) in {0, errno.EINVAL}
    assert errno_of(lambda: tree.write(f"{S}/action", text)) in {0, errno.EINVAL}
    assert errno_of(lambda: tree.write(f"{T}/pid_target", text)) in {0, errno.EINVAL}


ANY_NUMBER: Final = st.one_of(
    st.integers(0, 10), st.sampled_from([2**31 - 1, 2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1])
)


@pytest.mark.parametrize("profile", Profile)
@given(data=st.data())
async def test_any_configuration(profile: Profile, data: st.DataObject) -> None:
    """Whatever numbers the files hold, a start is taken or refused, and the engine works on."""
    async with open_console(profile) as console:
        console.fresh(nr_schemes=1, nr_targets=1)
        console.put(T, regions__nr_regions=1, pid_target=1)
        paths = [path for path in every_path(console.tree, C) if _is_number(console, path)]
        chosen = data.draw(st.dictionaries(st.sampled_from(paths), ANY_NUMBER, max_size=8))
        for path, number in chosen.items():
            refused = errno_of(partial(console.tree.write, path, str(number)))
            assert refused in {0, errno.ERANGE, errno.EINVAL}
        console.put(C, operations=data.draw(st.sampled_from(["vaddr", "paddr"])))
        await _run_briefly(console)
        console.fresh_vaddr()
        await console.state("on")
        assert console.is_on()


def _is_number(console: Console, path: str) -> bool:
    """Tell whether a file is a number that users may write, and no count."""
    name = path.rpartition("/")[2]
    is_writable = console.tree.stat(path).mode == 0o600
    return is_writable and not name.startswith("nr_") and console.text(path).isdigit()


async def _run_briefly(console: Console) -> None:
    """Start, look, and stop, if that is possible at all."""
    with suppress(OSError):
        await console.state("on")
    started = console.damon.kdamonds
    with suppress(OSError):
        await console.state("update_schemes_stats")
    if console.is_on():
        await console.state("off")
    # It may not be possible, but nothing may break.
    assert [kdamond.error for kdamond in started] == [None] * len(started)


class Counting(RuleBasedStateMachine):
    """Counters against a plain model of what they count."""

    @initialize()
    def begin(self) -> None:
        self.tree = stored(Profile.V6_18).tree
        self.schemes = [b"stat\n"]

    @rule(number=st.integers(0, 5))
    def count(self, number: int) -> None:
        self.tree.write(f"{C}/schemes/nr_schemes", str(number))
        self.schemes = [b"stat\n"] * number

    @rule(index=st.integers(0, 5), action=st.sampled_from([b"cold", b"pageout\n", b"none"]))
    def act(self, index: int, action: bytes) -> None:
        number = errno_of(lambda: self.tree.write(f"{C}/schemes/{index}/action", action))
        if index >= len(self.schemes):
            assert number == errno.ENOENT
        elif action == b"none":
            assert number == errno.EINVAL
        else:
            assert not number
            self.schemes[index] = action.removesuffix(b"\n") + b"\n"

    @rule()
    def look(self) -> None:
        paths = [f"{C}/schemes/{index}/action" for index in range(len(self.schemes))]
        assert [self.tree.read(path) for path in paths] == self.schemes
        assert self.tree.read(f"{K}/contexts/nr_contexts") == b"1\n"


def test_counters_follow_their_model() -> None:
    """After any writes to counters and children the tree is as a plain list says."""
    run_state_machine_as_test(Counting)
