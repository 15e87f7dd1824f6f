"""Parameters become files, and a tree is staged with them."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given, settings, strategies as st

from damon_async.control.admin import ADMIN
from damon_async.control.declared import Role
from damon_async.control.dump import kdamonds_of
from damon_async.control.load import Write, stage, writes_of
from damon_async.control.lookup import declared_file
from damon_async.control.parameter_files import values_of
from damon_async.control.profiles import Profile
from damon_async.control.stored_tree import differences
from damon_async.control.tree import Tree
from damon_async.errors import InvalidError
from damon_async.params.document import load_document, to_document
from damon_async.params.filters import Filter
from damon_async.params.monitoring import Context, Kdamond, Target
from damon_async.params.patterns import AccessPattern
from damon_async.params.schemes import Scheme

from .consoles import C, K, S, T, open_console
from .staged import PROMOTE, RECLAIM, kdamonds, staged, taken
from .stored import stored


@settings(max_examples=30)
@given(kdamonds)
def test_round_trip(drawn: list[Kdamond]) -> None:
    """What a tree is staged with can be read out of it again, to the letter."""
    assert list(kdamonds_of(taken(staged(drawn)))) == drawn


@settings(max_examples=20)
@given(kdamonds)
def test_round_trip_of_documents(drawn: list[Kdamond]) -> None:
    """A document that went through a tree says the same."""
    document = to_document(drawn, raw=True)
    through = kdamonds_of(taken(staged(load_document(document))))
    assert to_document(through, raw=True) == document


def test_values() -> None:
    """Parameters are the texts of the files they belong into."""
    values = values_of([RECLAIM])
    assert values["kdamonds/nr_kdamonds"] == "1"
    assert values[f"{K}/refresh_ms"] == "1000"
    assert values[f"{C}/operations"] == "paddr"
    assert values[f"{C}/monitoring_attrs/intervals/intervals_goal/access_bp"] == "400"
    assert values[f"{T}/regions/1/start"] == str(16 << 30)
    assert values[f"{S}/quotas/goals/0/target_metric"] == "user_input"
    assert values[f"{S}/filters/0/matching"] == "N"
    assert f"{S}/filters/0/addr_start" not in values


def test_shares_and_times_become_counts() -> None:
    """Percent and times are staged as samples and aggregations (damo 2, conversion)."""
    pattern = AccessPattern(nr_accesses=(5, 50), age=("150 ms", "1 s"))
    values = values_of([Kdamond([Context("vaddr", schemes=[Scheme(access_pattern=pattern)])])])
    base = f"{S}/access_pattern"
    names = ("nr_accesses/min", "nr_accesses/max", "age/min", "age/max")
    assert [values[f"{base}/{name}"] for name in names] == ["1", "10", "1", "10"]


@pytest.mark.parametrize("sample_us", [1000, 2000, 4000, 5000])
def test_everything_stays_everything(sample_us: int) -> None:
    """No upper bound is cut to a small one by the 32 bits of a scheme (damo 8.1)."""
    intervals = {"sample_us": sample_us, "aggr_us": 100_000}
    values = values_of([Kdamond([Context("vaddr", intervals=intervals, schemes=[Scheme()])])])
    for name in ("nr_accesses", "age"):
        assert values[f"{S}/access_pattern/{name}/max"] == str(2**32 - 1)


def test_functions_have_no_file() -> None:
    """Functions of users are refused by name: no file can hold them."""
    scheme = Scheme(action=test_values)
    with pytest.raises(InvalidError, match="test_values has no file to stand in"):
        values_of([Kdamond([Context("vaddr", schemes=[scheme])])])


def test_halves_of_letters() -> None:
    """What JSON can say and no file can hold is refused."""
    odd = Filter("memcg", memcg_path="/\ud800")
    with pytest.raises(InvalidError, match="is no text: surrogates not allowed"):
        values_of([Kdamond([Context("vaddr", schemes=[Scheme(filters=[odd])])])])


def test_smallest_regions_have_no_file() -> None:
    """Regions smaller or larger than the kernel makes them cannot be staged."""
    with pytest.raises(InvalidError, match="min_region_sz 8192 has no file"):
        values_of([Kdamond([Context("vaddr", min_region_sz=8192)])])


def test_counts_come_first() -> None:
    """All counts are written before all values, each after those above it."""
    writes = writes_of(values_of([RECLAIM, PROMOTE]), ADMIN)
    roles = [getattr(declared_file(ADMIN, write.path), "role", None) for write in writes]
    nr_counts = roles.count(Role.COUNTER)
    assert roles[:nr_counts] == [Role.COUNTER] * nr_counts
    depths = [write.path.count("/") for write in writes[:nr_counts]]
    assert depths == sorted(depths)
    assert writes[0] == Write("kdamonds/nr_kdamonds", "2")


def test_results_are_not_written() -> None:
    """Neither results nor state are staged, nor what a fresh directory holds anyway."""
    values = {
        "kdamonds/nr_kdamonds": "1",
        f"{K}/state": "on",
        f"{K}/pid": "7",
        f"{C}/monitoring_attrs/intervals/sample_us": "0x1388",
        f"{C}/monitoring_attrs/intervals/aggr_us": "1",
        f"{S}/stats/nr_tried": "3",
        f"{S}/stats/max_nr_snapshots": "4",
    }
    paths = [write.path for write in writes_of(values, ADMIN)]
    aggr = f"{C}/monitoring_attrs/intervals/aggr_us"
    assert paths == ["kdamonds/nr_kdamonds", aggr, f"{S}/stats/max_nr_snapshots"]


def test_unknown_files() -> None:
    """A file that no release has is refused before anything is written."""
    tree = Tree(ADMIN)
    with pytest.raises(InvalidError, match="kdamonds/0/color: no release has such a file"):
        stage(tree, {"kdamonds/nr_kdamonds": "1", f"{K}/color": "red"}, ADMIN)
    assert tree.read("kdamonds/nr_kdamonds") == b"0\n"


@pytest.mark.parametrize("profile", Profile)
def test_old_releases(profile: Profile) -> None:
    """What needs no newer file can be staged in every release."""
    simple = Kdamond([Context("vaddr", [Target(pid=3)], schemes=[Scheme("pageout")])])
    tree = staged([simple], profile)
    assert tree.read(f"{T}/pid_target") == b"3\n"
    assert tree.read(f"{S}/action") == b"pageout\n"


def test_new_files_in_old_releases() -> None:
    """What a release has no file for is told with the path, and how far it came."""
    with pytest.raises(
        OSError, match=r"nr_filters does not take '1' \(ENOENT\).* before"
    ) as raised:
        staged([RECLAIM], Profile.V5_18)
    assert raised.value.errno == errno.ENOENT


def test_new_words_in_old_releases() -> None:
    """What a release does not know is told with what newer ones take."""
    lru = Kdamond([Context("vaddr", schemes=[Scheme("lru_prio")])])
    with pytest.raises(OSError, match="this kernel does not; newer ones take one of") as raised:
        staged([lru], Profile.V5_18)
    assert raised.value.errno == errno.EINVAL


@pytest.mark.parametrize("profile", Profile)
def test_dumps_of_every_release(profile: Profile) -> None:
    """What is taken of a tree of any release stages another one of it, file by file."""
    console = stored(profile)
    console.put(T, pid_target=-7, regions__0__end=4096)
    console.put(S, action="cold", quotas__bytes=2**64 - 1, watermarks__metric="free_mem_rate")
    console.put(f"{C}/monitoring_attrs/intervals", sample_us=1, aggr_us=2, update_us=0)
    copy = Tree(ADMIN, profile)
    stage(copy, taken(console.tree), ADMIN)
    settings = differences(taken(console.tree), taken(copy), ADMIN, settings_only=True)
    assert list(settings) == []


@pytest.mark.parametrize("profile", Profile)
def test_dumps_of_older_releases(profile: Profile) -> None:
    """What is taken of a tree of any release stages the newest one."""
    old = taken(stored(profile).tree)
    new = staged([])
    stage(new, old, ADMIN)
    assert list(differences(old, taken(new), ADMIN, settings_only=True)) == []


@settings(max_examples=40)
@given(st.data())
def test_any_values(data: st.DataObject) -> None:
    """Whatever is staged, it is done or refused with an errno, and the tree works on."""
    values = values_of([RECLAIM])
    texts = st.sampled_from(["", "-1", "0", "7", "Y", "no such word", "0x", "9" * 40]) | st.text()
    for path in data.draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=4)):
        values[path] = data.draw(texts)
    tree = Tree(ADMIN, Profile.LATEST)
    try:
        stage(tree, values, ADMIN)
    except OSError as refused:
        known = {errno.EINVAL, errno.ERANGE, errno.ENOENT, errno.ENOMEM}
        assert refused.errno in known  # noqa: PT017 # most of them are not refused
    stage(tree, values_of([RECLAIM]), ADMIN)
    assert values_of(kdamonds_of(taken(tree))) == values_of([RECLAIM])


def test_staging_forgets() -> None:
    """What a tree held before is gone, also where the number of kdamonds stays."""
    tree = staged([RECLAIM])
    fresh = Kdamond([Context("vaddr", [Target(pid=3)])])
    stage(tree, values_of([fresh]), ADMIN)
    assert kdamonds_of(taken(tree)) == (fresh,)
    assert taken(tree) == taken(staged([fresh]))


def test_staging_nothing() -> None:
    """A tree can be staged with no kdamond at all, or one without a context."""
    tree = staged([PROMOTE])
    stage(tree, {"kdamonds/nr_kdamonds": "1"}, ADMIN)
    assert tree.read(f"{K}/contexts/nr_contexts") == b"0\n"
    stage(tree, {}, ADMIN)
    assert tree.read("kdamonds/nr_kdamonds") == b"0\n"


async def test_staging_while_running() -> None:
    """While a kdamond runs its files can be staged anew, and a commit takes them over."""
    async with open_console(Profile.LATEST) as console:
        await console.start_vaddr()
        slow = Context("vaddr", [Target(pid=1)], {"sample_us": 7000, "aggr_us": 70_000})
        stage(console.tree, values_of([Kdamond([slow])]), ADMIN)
        assert console.is_on()
        await console.state("commit")
        assert console.kdamond.context.intervals.sample_us == 7000


async def test_staging_more_while_running() -> None:
    """While a kdamond runs there can be no other number of them (EBUSY)."""
    async with open_console() as console:
        await console.start_vaddr()
        with pytest.raises(OSError, match=r"nr_kdamonds does not take '2' \(EBUSY\)") as raised:
            stage(console.tree, values_of([PROMOTE, PROMOTE]), ADMIN)
        assert raised.value.errno == errno.EBUSY
        assert console.text("kdamonds/nr_kdamonds") == "1"


async def test_staged_context_starts() -> None:
    """A kdamond that was staged from parameters starts, with these parameters."""
    async with open_console(Profile.LATEST) as console:
        wanted = Kdamond([Context("vaddr", [Target(pid=2)], schemes=[Scheme("pageout")])])
        stage(console.tree, values_of([wanted]), ADMIN)
        await console.state("on")
        (scheme,) = console.kdamond.context.schemes
        assert scheme.action == "pageout"
