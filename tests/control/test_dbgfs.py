from __future__ import annotations

import errno

import pytest
from structlog.testing import capture_logs

from damon_async.control.dbgfs import dbgfs_tree
from damon_async.control.profiles import Profile, Release
from damon_async.control.tree import NodeStat
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import InvalidError

from .consoles import Memory
from .debug_consoles import (
    PROFILES,
    STAT_ALL,
    DebugConsole,
    every_profile,
    open_debug as open_in_process,
)
from .debug_doors import OpenDebug
from .stored import every_path

CONTEXT_FILES = ["attrs", "target_ids", "init_regions", "schemes", "kdamond_pid"]


@every_profile
async def test_files(profile: Profile) -> None:
    """The root is a context with four files more, or five once it is deprecated (4.1)."""
    async with open_in_process(profile) as console:
        names = console.tree.listdir()
        extra = ["DEPRECATED"] if profile is Profile.V6_12 else []
        assert sorted(names) == sorted(
            [*CONTEXT_FILES, "mk_contexts", "rm_contexts", console.switch, *extra]
        )
        for path in every_path(console.tree):
            assert console.tree.stat(path) == NodeStat(is_dir=False, mode=0o600, size=0)
        assert console.tree.stat("").is_dir


def _tree_with(profile: str, schemes_format: str = "E") -> object:
    damon = Damon(clock=VirtualClock(), seed=1)
    return dbgfs_tree(damon, profile, schemes_format=schemes_format)


@pytest.mark.parametrize("profile", [each for each in Profile if each not in PROFILES])
def test_newer_kernels_have_none(profile: Profile) -> None:
    """A profile after 6.12 has no such tree, and the error names those that have (4)."""
    with pytest.raises(InvalidError, match=r"no debugfs interface.*5\.18, 6\.1, 6\.12") as raised:
        _tree_with(profile)
    assert raised.value.errno == errno.EINVAL


@pytest.mark.parametrize(("profile", "schemes_format"), [("6.5", "E"), ("6.1", "F")])
def test_unknown_trees(profile: str, schemes_format: str) -> None:
    """Profiles and formats that nobody knows are one clear error."""
    with pytest.raises(InvalidError, match=r"not a valid .*profiles: 5\.18.*formats: A to E"):
        _tree_with(profile, schemes_format)


@every_profile
async def test_the_past_says_so(profile: Profile, open_debug: OpenDebug) -> None:
    """From 6.9 on there are other names, and a line about it (statement 121)."""
    async with open_debug(profile) as console:
        names = console.files.listdir()
        is_old = profile.release < Release(6, 9)
        assert ("monitor_on" in names) == is_old
        assert ("monitor_on_DEPRECATED" in names) == ("DEPRECATED" in names) == (not is_old)
        if not is_old:
            text = console.text("DEPRECATED")
            assert "sysfs" in text
            assert text.index("\n") == len(text) - 1 > 0
            console.refuses("DEPRECATED", "x", errno.EINVAL, "only read")


@every_profile
async def test_one_warning_per_tree(profile: Profile) -> None:
    """From 6.9 on the first file that is opened logs a warning, and no other (4.1)."""
    async with open_in_process(profile) as console:
        with capture_logs() as logs:
            console.tree.listdir()
            console.tree.stat("attrs")
            assert logs == []
            for _ in range(3):
                console.tree.read("attrs")
                console.put(attrs="1 2 3 4 5")
        warnings = [(log["log_level"], log["file"]) for log in logs]
        assert warnings == ([] if profile.release < Release(6, 9) else [("warning", "attrs")])


@every_profile
async def test_attrs(profile: Profile, open_debug: OpenDebug) -> None:
    """Intervals and bounds are five numbers (statement 106)."""
    async with open_debug(profile) as console:
        assert console.text("attrs") == "5000 100000 60000000 10 1000\n"
        console.put(attrs="1 2 3 4 5")
        assert console.text("attrs") == "1 2 3 4 5\n"
        console.put(attrs=" 2\n3\t4 5 6 and more")
        assert console.text("attrs") == "2 3 4 5 6\n"


@every_profile
@pytest.mark.parametrize("text", ["1 2 3 4", "1 2 3 5 4", "1 2 3 2 5", " ", "\n", "1 2 -3 4 5"])
async def test_attrs_that_are_refused(profile: Profile, text: str, open_debug: OpenDebug) -> None:
    """Too few numbers and bounds that make no sense are EINVAL, and all stays (statement 107)."""
    async with open_debug(profile) as console:
        console.refuses("attrs", text, errno.EINVAL)
        assert console.text("attrs") == "5000 100000 60000000 10 1000\n"


@every_profile
async def test_order_of_intervals(profile: Profile, open_debug: OpenDebug) -> None:
    """Sampling less often than aggregating is EINVAL in 6.12, and taken before (4.3)."""
    async with open_debug(profile) as console:
        if profile is Profile.V6_12:
            console.refuses("attrs", "200 100 300 10 100", errno.EINVAL, "above")
        else:
            console.put(attrs="200 100 300 10 100", target_ids="1")
            await console.turn("on")
            assert console.text("attrs") == "200 100 300 10 100\n"
            assert console.damon.kdamonds[0].context.intervals.aggr_us == 200


@every_profile
async def test_targets(profile: Profile, open_debug: OpenDebug) -> None:
    """Targets are process ids up to the first word that is none (statement 108)."""
    async with open_debug(profile) as console:
        assert console.text("target_ids") == "\n"
        console.put(target_ids="1 2")
        assert console.text("target_ids") == "1 2\n"
        console.put(target_ids="2 1 abc 2")
        assert console.text("target_ids") == "2 1\n"
        console.put(target_ids="abc 2")
        assert console.text("target_ids") == "\n"
        console.put(target_ids="1")
        console.put(target_ids="\n")
        assert console.text("target_ids") == "\n"


@every_profile
async def test_targets_that_are_not_there(profile: Profile, open_debug: OpenDebug) -> None:
    """A process that is not there is ENOMEM, and the targets stay (statement 109)."""
    async with open_debug(profile) as console:
        console.put(target_ids="2")
        console.processes[3] = Memory(lifetime_us=0)
        for text in ("99", "1 99", "-1", "0", "3"):
            console.refuses("target_ids", text, errno.ENOMEM, "no process")
        assert console.text("target_ids") == "2\n"


@every_profile
async def test_physical_memory(profile: Profile, open_debug: OpenDebug) -> None:
    """Physical memory is one target of a name of its own (statement 110)."""
    async with open_debug(profile) as console:
        for text in ("paddr\n", "paddr"):
            console.put(target_ids=text)
            assert console.text("target_ids") == "42\n"
        console.put(target_ids="paddrs")
        assert console.text("target_ids") == "\n"
    async with open_debug(profile, has_memory=False) as console:
        console.put(target_ids="1")
        console.refuses("target_ids", "paddr", errno.EINVAL, "no physical memory")
        assert console.text("target_ids") == "1\n"


async def test_most_targets(open_debug: OpenDebug) -> None:
    """Of very many process ids the first 32 are taken (4.3)."""
    async with open_debug() as console:
        console.put(target_ids="1 " * 40)
        assert console.text("target_ids").split() == ["1"] * 32


@every_profile
async def test_regions(profile: Profile, open_debug: OpenDebug) -> None:
    """Regions are triples of a target and two addresses (statement 115)."""
    async with open_debug(profile) as console:
        console.put(target_ids="1")
        console.put(init_regions="0 0 4096 0 4096 8192")
        assert console.text("init_regions") == "0 0 4096\n0 4096 8192\n"
        for text in ("5 0 4096", "0 0 8192 0 4096 12288", "0 8192 12288 0 0 4096", "0 5 5"):
            console.put(init_regions="0 0 4096")
            console.refuses("init_regions", text, errno.EINVAL)
            assert not console.text("init_regions")


async def test_regions_of_several_targets(open_debug: OpenDebug) -> None:
    """Regions are listed by target, and an incomplete triple ends them silently (4.3)."""
    async with open_debug() as console:
        console.put(target_ids="1 2")
        console.put(init_regions="1 10 20\n0 10 20\n1 20 30 0 90")
        assert console.text("init_regions") == "0 10 20\n1 10 20\n1 20 30\n"
        console.put(init_regions="x")
        assert not console.text("init_regions")
        console.put(init_regions="0 1 2")
        console.put(target_ids="1 2")
        assert not console.text("init_regions")


async def test_regions_beyond_all_addresses() -> None:
    """Addresses end where those of the engine do, short of a page."""
    async with open_in_process() as console:
        console.put(target_ids="paddr")
        console.refuses("init_regions", f"0 0 {2**63}", errno.EINVAL, "above")
        console.put(init_regions=f"0 0 {2**63 - 4097}")
        await console.turn("on")


async def test_old_regions_name_their_targets(open_debug: OpenDebug) -> None:
    """Before 5.18 regions named targets by id (4.3)."""
    async with open_debug(schemes_format="D") as console:
        console.put(target_ids="2 1")
        console.put(init_regions="1 10 20 2 30 40")
        assert console.text("init_regions") == "2 30 40\n1 10 20\n"
        console.refuses("init_regions", "0 10 20", errno.EINVAL, "no target 0")
        console.put(target_ids="paddr")
        console.put(init_regions="42 0 4096")


@every_profile
async def test_contexts_come_and_go(profile: Profile, open_debug: OpenDebug) -> None:
    """Directories are made and removed by name (statement 116)."""
    async with open_debug(profile) as console:
        console.put(mk_contexts="foo\n")
        assert console.files.stat("foo").mode == 0o755
        assert sorted(console.files.listdir("foo")) == sorted(CONTEXT_FILES)
        console.refuses("mk_contexts", "foo", errno.EEXIST)
        console.refuses("mk_contexts", "attrs", errno.EEXIST)
        console.put(foo__attrs="1 2 3 4 5")
        assert console.text("attrs").startswith("5000 ")
        handle = console.files.open("foo/attrs")
        console.put(rm_contexts="foo and others")
        assert "foo" not in console.files.listdir()
        with pytest.raises(OSError, match=console.reason("removed")):
            handle.read()
        console.refuses("rm_contexts", "foo", errno.ENOENT)
        console.refuses("rm_contexts", "attrs", errno.EINVAL)
        console.put(mk_contexts="\t foo bar")
        assert console.text("foo/attrs").startswith("5000 ")
        assert "bar" not in console.files.listdir()


@every_profile
@pytest.mark.parametrize("text", [" ", "\n", "\0foo", ".", "..", "a/b", "x" * 300])
async def test_names_that_are_none(profile: Profile, text: str, open_debug: OpenDebug) -> None:
    """What cannot be the name of a directory makes none (4.3)."""
    async with open_debug(profile) as console:
        before = console.files.listdir()
        console.refuses("mk_contexts", text, errno.EINVAL)
        assert console.files.listdir() == before


@every_profile
async def test_writes_of_nothing(profile: Profile) -> None:
    """Nothing at all is a text, too, which no mount passes on: no name, five numbers or scheme."""
    async with open_in_process(profile) as console:
        console.put(schemes=STAT_ALL)
        for name in ("attrs", "mk_contexts", "rm_contexts"):
            console.refuses(name, "", errno.EINVAL)
        console.put(schemes="")
        assert not console.text("schemes")


async def test_names_in_any_encoding(open_debug: OpenDebug) -> None:
    """Names are bytes; those that are no text can be used all the same."""
    async with open_debug() as console:
        console.files.write("mk_contexts", b"\xff\n")
        assert console.files.read("\udcff/kdamond_pid") == b"none\n"
        console.files.write("rm_contexts", b"\xff")
        assert "\udcff" not in console.files.listdir()


@every_profile
async def test_files_that_go_one_way(profile: Profile, open_debug: OpenDebug) -> None:
    """Some files cannot be read and some not be written, whatever their mode (4.1, 4.3)."""
    async with open_debug(profile) as console:
        for name in ("mk_contexts", "rm_contexts"):
            console.cannot_read(name, errno.EINVAL)
        console.refuses("kdamond_pid", "1", errno.EINVAL)
        assert console.text("kdamond_pid") == "none\n"


@every_profile
async def test_second_writes(profile: Profile, open_debug: OpenDebug) -> None:
    """A second write on one open file is EINVAL, and changes nothing (statement 114)."""
    async with open_debug(profile) as console:
        _writes_once(console, "attrs", "1 2 3 4 5", "2 3 4 5 6")
        _writes_once(console, "target_ids", "1", "2")
        _writes_once(console, "schemes", "\n", "\n")
        handle = console.files.open(console.switch, for_writing=True)
        await handle.write_async("on")
        with pytest.raises(OSError, match=console.reason("open it again")) as raised:
            await handle.write_async("off")
        assert raised.value.errno == errno.EINVAL
        assert console.is_on()


def _writes_once(console: DebugConsole, name: str, first: str, second: str) -> None:
    handle = console.tree.open(name, for_writing=True)
    handle.write(first)
    text = console.text(name)
    with pytest.raises(OSError, match="open it again") as raised:
        handle.write(second)
    assert raised.value.errno == errno.EINVAL
    assert console.text(name) == text
