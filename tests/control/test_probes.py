"""Probes: what the newest release checks of them where a kdamond starts (spec interfaces 2.4d)."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator

import pytest

from damon_async.control.profiles import Profile

from .consoles import C, Console, T, open_console
from .stored import errno_of, stored

PROBES = f"{C}/monitoring_attrs/probes"
FILTER = f"{PROBES}/0/filters/0"


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    """Return a tree of the newest release, ready to start, with one probe that has one filter."""
    async with open_console(Profile.LATEST) as console:
        console.fresh_vaddr()
        console.put(PROBES, nr_probes=1, **{"0__filters__nr_filters": 1})
        yield console


async def test_plain_probes(console: Console) -> None:
    """Probes with filters that need no path start, whatever their path says."""
    console.put(FILTER, type="anon", path="/nowhere", matching="Y")
    console.put(PROBES, **{"0__weight": 7})
    await console.state("on")
    assert console.is_on()


async def test_memcg_that_is_there(console: Console) -> None:
    """A filter by memory cgroup starts if there is that cgroup, with a newline behind it or not."""
    console.put(FILTER, type="memcg", path="/\n")
    await console.state("on")
    assert console.is_on()


@pytest.mark.parametrize("path", ["/nowhere", ""])
async def test_memcg_that_is_not_there(console: Console, path: str) -> None:
    """A filter by a memory cgroup that there is not is EINVAL; of schemes it would be ENOMEM."""
    console.put(FILTER, type="memcg", path=path)
    await console.fails("on", errno.EINVAL, "there is no memory cgroup")
    assert not console.is_on()


async def test_all_probes_are_checked(console: Console) -> None:
    """Every filter of every probe is looked at."""
    console.put(PROBES, nr_probes=2, **{"1__filters__nr_filters": 2})
    console.put(f"{PROBES}/1/filters/1", type="memcg", path="/nowhere")
    await console.fails("on", errno.EINVAL, "probes/1/filters/1/path: there is no memory cgroup")


async def test_attributes_come_first(console: Console) -> None:
    """Bounds of regions are checked before probes, and targets after them."""
    console.put(FILTER, type="memcg", path="/nowhere")
    console.put(T, pid_target=999)
    console.put(f"{C}/monitoring_attrs/nr_regions", min=1)
    await console.fails("on", errno.EINVAL, "nr_regions")
    console.put(f"{C}/monitoring_attrs/nr_regions", min=10)
    await console.fails("on", errno.EINVAL, "memory cgroup")
    console.put(FILTER, path="/")
    await console.fails("on", errno.EINVAL, "there is no process 999")


async def test_commits_check_probes(console: Console) -> None:
    """A commit of such a probe is EINVAL as well, and the kdamond runs on."""
    await console.state("on")
    console.put(FILTER, type="memcg", path="/nowhere")
    await console.fails("commit", errno.EINVAL, "there is no memory cgroup")
    assert console.is_on()


def test_at_most_four() -> None:
    """More probes than there may be are EINVAL, and the old ones stay (1.3)."""
    console = stored(Profile.LATEST)
    console.put(PROBES, nr_probes=4)
    console.put(PROBES, **{"3__weight": 2**32 - 1})
    console.refuses(f"{PROBES}/nr_probes", "5", errno.EINVAL)
    assert console.number(f"{PROBES}/3/weight") == 2**32 - 1


@pytest.mark.parametrize("profile", [profile for profile in Profile if profile != "latest"])
def test_older_releases(profile: Profile) -> None:
    """No older release has probes."""
    console = stored(profile)
    assert errno_of(lambda: console.tree.listdir(PROBES)) == errno.ENOENT
