from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from damon_async.control.admin import ADMIN
from damon_async.control.live import live_tree
from damon_async.control.node import READ_ONLY, READ_WRITE, Directory, Role
from damon_async.control.profiles import NEXT, Profile
from damon_async.control.tree import Tree
from damon_async.control.world import World
from damon_async.engine.engine import Damon

from .consoles import INTERVALS, NR_REGIONS, C, Console, K, Memory, S, T, since
from .doors import OpenConsole
from .stored import every_path, stored


@pytest.fixture(params=Profile)
def console(request: pytest.FixtureRequest, open_console: OpenConsole) -> Iterator[Console]:
    """Open the files of each profile, with one context, target, region and scheme."""
    with open_console.stored(request.param) as console:
        yield console


def of_profiles(first: str) -> pytest.MarkDecorator:
    """Run a test with the files of the profiles from a release on."""
    return pytest.mark.parametrize("console", since(first), indirect=True)


def _declared(directory: Directory) -> Iterator[Directory]:
    yield directory
    children = (*directory.directories, *([directory.child] if directory.child else ()))
    for each in children:
        yield from _declared(each)


@pytest.mark.parametrize("profile", Profile)
def test_new_tree(profile: Profile) -> None:
    """A new tree has one counter and nothing else (statement 1)."""
    tree = Tree(ADMIN, profile)
    assert tree.listdir() == ["kdamonds"]
    assert tree.listdir("kdamonds") == ["nr_kdamonds"]
    assert tree.read("kdamonds/nr_kdamonds") == b"0\n"


def test_counters_make_directories(console: Console) -> None:
    """A count in any base makes directories from 0 on (statements 5, 18 and 24)."""
    console.files.write("kdamonds/nr_kdamonds", "0x2")
    assert console.files.listdir("kdamonds") == ["nr_kdamonds", "0", "1"]
    assert console.text("kdamonds/nr_kdamonds") == "2"
    assert {"state", "pid", "contexts"} <= set(console.files.listdir("kdamonds/1"))
    assert console.text("kdamonds/1/contexts/nr_contexts") == "0"
    console.files.write("kdamonds/nr_kdamonds", "0")
    assert console.files.listdir("kdamonds") == ["nr_kdamonds"]


def test_counts_that_cannot_be(console: Console) -> None:
    """A count that is refused keeps the directories (statements 19, 22, 23)."""
    console.put(INTERVALS, sample_us=1234)
    console.refuses("kdamonds/nr_kdamonds", "-1", errno.EINVAL)
    console.refuses("kdamonds/nr_kdamonds", "abc", errno.EINVAL)
    console.refuses("kdamonds/nr_kdamonds", str(2**31), errno.ERANGE)
    console.refuses(f"{K}/contexts/nr_contexts", "2", errno.EINVAL)
    console.refuses(f"{K}/contexts/nr_contexts", "-1", errno.EINVAL)
    assert console.text(f"{INTERVALS}/sample_us") == "1234"


def test_counts_forget_values(console: Console) -> None:
    """Writing a count makes all directories anew, also the same count (statements 20 and 21)."""
    console.put(C, targets__nr_targets=3)
    console.put(T, pid_target=9)
    console.put(C, targets__nr_targets=1)
    assert console.text(f"{T}/pid_target") == "0"
    assert console.files.listdir(f"{C}/targets") == ["nr_targets", "0"]
    console.put(INTERVALS, sample_us=1234)
    console.put(K, contexts__nr_contexts=1)
    assert console.text(f"{INTERVALS}/sample_us") == "5000"


def test_counts_without_memory(console: Console) -> None:
    """A count for which there is no memory leaves nothing (statement 25)."""
    with pytest.raises(OSError, match=console.reason("too many")) as raised:
        console.put(T, regions__nr_regions=2**31 - 1)
    assert raised.value.errno == errno.ENOMEM
    assert console.text(f"{T}/regions/nr_regions") == "0"


def test_default_attributes(console: Console) -> None:
    """A fresh context monitors virtual memory as ever (statement 31)."""
    names = ("sample_us", "aggr_us", "update_us")
    assert [console.number(f"{INTERVALS}/{name}") for name in names] == [5000, 100000, 60000000]
    assert [console.number(f"{NR_REGIONS}/{name}") for name in ("min", "max")] == [10, 1000]
    assert console.text(f"{C}/operations") == "vaddr"


def test_default_schemes(console: Console) -> None:
    """A fresh scheme counts nothing and has no limits (statement 32)."""
    words = {f"{S}/action": "stat", f"{S}/watermarks/metric": "none"}
    others = {f"{S}/target_nid": "-1", f"{S}/quotas/goal_tuner": "consist"}
    for path in every_path(console.files, S):
        assert console.text(path) == {**words, **others}.get(path, "0"), path


@of_profiles("6.12")
def test_default_filters_and_goals(console: Console) -> None:
    """Fresh filters, goals and destinations have their defaults (statements 30, 33, 34)."""
    console.put(S, filters__nr_filters=2, quotas__goals__nr_goals=2)
    filters, goals = f"{S}/filters", f"{S}/quotas/goals"
    assert console.files.listdir(filters) == ["nr_filters", "0", "1"]
    assert [console.text(f"{filters}/1/{name}") for name in ("type", "matching")] == ["anon", "N"]
    assert console.files.read(f"{filters}/1/memcg_path") == b"\n"
    values = [console.text(f"{goals}/1/{each}_value") for each in ("target", "current")]
    assert values == ["0", "0"]
    assert console.text(f"{goals}/1/target_metric") == "user_input"
    console.put(S, filters__nr_filters=0, quotas__goals__nr_goals=0)
    assert console.files.listdir(filters) == ["nr_filters"]
    assert console.files.listdir(goals) == ["nr_goals"]


@of_profiles("6.17")
def test_destinations(console: Console) -> None:
    """Destinations come and go with their count (statement 30)."""
    console.put(S, dests__nr_dests=2)
    assert console.files.listdir(f"{S}/dests/1") == ["id", "weight"]
    console.put(f"{S}/dests/1", id=3, weight=2**32 - 1)
    console.put(S, dests__nr_dests=0)
    assert console.files.listdir(f"{S}/dests") == ["nr_dests"]


def test_widths(console: Console) -> None:
    """Each file has its width, and each release its errno beyond it (statements 11 to 15)."""
    too_large = errno.EINVAL if console.tree.profile is Profile.V5_18 else errno.ERANGE
    console.put(f"{S}/access_pattern/sz", max=2**64 - 1)
    assert console.number(f"{S}/access_pattern/sz/max") == 2**64 - 1
    console.refuses(f"{S}/access_pattern/sz/max", str(2**64), too_large)
    console.refuses(f"{S}/quotas/bytes", str(2**64), errno.EINVAL)
    console.refuses(f"{S}/quotas/weights/sz_permil", str(2**32), too_large)
    console.refuses(f"{T}/pid_target", str(2**31), errno.EINVAL)
    console.put(T, pid_target=-5)
    assert console.files.read(f"{T}/pid_target") == b"-5\n"


@of_profiles("6.11")
def test_target_node(console: Console) -> None:
    """The node is -1 at first, and too large numbers are ERANGE (statement 16)."""
    assert console.files.read(f"{S}/target_nid") == b"-1\n"
    console.refuses(f"{S}/target_nid", str(2**31), errno.ERANGE)


def test_operations(console: Console) -> None:
    """Operations sets are taken by their exact names (statement 35)."""
    console.files.write(f"{C}/operations", "paddr\n")
    for text in ("PADDR", " paddr", "foo"):
        console.refuses(f"{C}/operations", text, errno.EINVAL)
    if console.tree.profile is Profile.V5_18:
        console.refuses(f"{C}/operations", "fvaddr", errno.EINVAL)
    else:
        console.put(C, operations="fvaddr")
        assert console.text(f"{C}/operations") == "fvaddr"


@pytest.mark.parametrize("profile", since("5.19"))
def test_available_operations(profile: Profile) -> None:
    """Only what is available is listed, one per line (statement 36)."""
    for memory, listed in ((None, b"vaddr\nfvaddr\n"), (Memory(), b"vaddr\nfvaddr\npaddr\n")):
        tree = live_tree(Damon(seed=1), profile, World(memory=memory))
        tree.write("kdamonds/nr_kdamonds", "1")
        tree.write(f"{K}/contexts/nr_contexts", "1")
        assert tree.read(f"{C}/avail_operations") == listed


def test_actions(console: Console) -> None:
    """Each action of a profile is taken and read back, and no other (statement 37)."""
    release = console.tree.profile.release
    known = ["willneed", "cold", "pageout", "hugepage", "nohugepage", "stat"]
    known += ["lru_prio", "lru_deprio"] * (release >= (6, 0))
    known += ["migrate_hot", "migrate_cold"] * (release >= (6, 11))
    known += ["collapse"] * (release >= NEXT)
    for action in known:
        console.put(S, action=action)
        assert console.text(f"{S}/action") == action
    for action in {"foo", "lru_prio", "migrate_hot", "collapse"} - set(known):
        console.refuses(f"{S}/action", action, errno.EINVAL)


def test_watermark_metrics(console: Console) -> None:
    """The metric of watermarks is one of two words (statement 38)."""
    console.put(f"{S}/watermarks", metric="free_mem_rate")
    console.refuses(f"{S}/watermarks/metric", "free", errno.EINVAL)


@of_profiles("6.12")
def test_filter_types(console: Console) -> None:
    """Filters have the types of their release (statements 39, 40 and 42)."""
    console.put(S, filters__nr_filters=1)
    one = f"{S}/filters/0"
    known = ["anon", "memcg", "addr", "target", "young"]
    newer = ["hugepage_size", "unmapped", "active"]
    for kind in [*known, *newer * (console.tree.profile.release >= (6, 15))]:
        console.put(one, type=kind)
    console.refuses(f"{one}/type", "foo", errno.EINVAL)
    if console.tree.profile.release < (6, 15):
        console.refuses(f"{one}/type", "active", errno.EINVAL)
    console.put(one, matching="on")
    assert console.text(f"{one}/matching") == "Y"
    console.refuses(f"{one}/matching", "x", errno.EINVAL)
    console.put(one, memcg_path="/a\n")
    assert console.files.read(f"{one}/memcg_path") == b"/a\n\n"


@of_profiles("6.15")
def test_split_filters(console: Console) -> None:
    """Core filters are about regions, and filters of operations about pages (statement 41)."""
    console.put(S, core_filters__nr_filters=1, ops_filters__nr_filters=1, filters__nr_filters=1)
    core, ops = f"{S}/core_filters/0", f"{S}/ops_filters/0"
    assert console.text(f"{core}/type") == console.text(f"{ops}/type") == "anon"
    console.refuses(f"{core}/type", "anon", errno.EINVAL)
    console.refuses(f"{ops}/type", "addr", errno.EINVAL)
    console.put(core, type="addr")
    console.put(ops, type="young")
    for kind in ("addr", "young"):
        console.put(f"{S}/filters/0", type=kind)


@of_profiles("6.18")
def test_address_units(console: Console) -> None:
    """The unit of addresses is 1 or more (statement 43)."""
    assert console.text(f"{C}/addr_unit") == "1"
    console.refuses(f"{C}/addr_unit", "0", errno.EINVAL)
    console.put(C, addr_unit=2)


@of_profiles("6.17")
def test_refresh_interval(console: Console) -> None:
    """The refresh interval is any number of milliseconds (statement 44)."""
    assert console.text(f"{K}/refresh_ms") == "0"
    console.put(K, refresh_ms=1000)
    console.refuses(f"{K}/refresh_ms", "-1", errno.EINVAL)


def test_order_is_not_checked(console: Console) -> None:
    """A minimum may be written that is above the maximum (statements 45 and 46)."""
    console.put(NR_REGIONS, min=100, max=5)
    if console.tree.profile.release >= (6, 12):
        console.put(S, filters__nr_filters=1)
        console.put(f"{S}/filters/0", addr_start=10, addr_end=5)


@pytest.mark.parametrize("profile", Profile)
def test_profiles_have_the_seed(profile: Profile) -> None:
    """Every file of 5.18 is there in every profile."""
    seed = set(every_path(stored(Profile.V5_18).tree))
    assert seed <= set(every_path(stored(profile).tree))


def test_seed_is_complete() -> None:
    """The first release has the 39 files of its list and nothing else."""
    assert sorted(path.rpartition("/")[2] for path in every_path(stored(Profile.V5_18).tree)) == (
        sorted(
            [
                "nr_kdamonds",
                "state",
                "pid",
                "nr_contexts",
                "operations",
                "sample_us",
                "aggr_us",
                "update_us",
                "min",
                "max",
                "nr_targets",
                "pid_target",
                "nr_regions",
                "start",
                "end",
                "nr_schemes",
                "action",
                "min",
                "max",
                "min",
                "max",
                "min",
                "max",
                "ms",
                "bytes",
                "reset_interval_ms",
                "sz_permil",
                "nr_accesses_permil",
                "age_permil",
                "metric",
                "interval_us",
                "high",
                "mid",
                "low",
                "nr_tried",
                "sz_tried",
                "nr_applied",
                "sz_applied",
                "qt_exceeds",
            ]
        )
    )


def test_releases_only_add() -> None:
    """What one profile has, all later ones have."""
    paths = [set(every_path(stored(profile).tree)) for profile in Profile]
    assert all(old < new for old, new in pairwise(paths))


def test_declared_once() -> None:
    """No directory has two entries of a name, and each has its counter or its maker."""
    for directory in _declared(ADMIN):
        names = [file.name for file in directory.all_files]
        names += [each.name for each in directory.directories]
        assert len(names) == len(set(names)), directory.name
        made_by_engine = {"tried_regions", "probes"}
        assert (
            bool(directory.counter) or directory.child is None or (directory.name in made_by_engine)
        )


def test_modes_of_files() -> None:
    """A file is written by users or by the engine, and live ones are among both."""
    for directory in _declared(ADMIN):
        for file in directory.all_files:
            assert file.mode in {READ_ONLY, READ_WRITE}
            assert file.role is not Role.COUNTER or file.mode == READ_WRITE


def test_table_of_the_specification(shared: Path) -> None:
    """Every name that the specification's tree has is declared, and no other one."""
    text = (shared / "spec" / "interfaces.md").read_text()
    shape = text.split("### 1.1 Shape")[1].split("```")[1]
    listed = set(re.findall(r"[a-z][a-z_]+", shape)) - {"k", "c", "t", "r", "s", "f", "g", "d"}
    declared = {
        name
        for directory in _declared(ADMIN)
        for name in (
            *(file.name for file in directory.all_files),
            *(each.name for each in directory.directories),
        )
    }
    assert declared == listed
