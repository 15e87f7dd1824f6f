from __future__ import annotations

import errno

import pytest

from damon_async.control.profiles import Profile

from .consoles import (
    INTERVALS,
    NR_REGIONS,
    SAMPLE_US,
    C,
    K,
    S,
    T,
    since,
)
from .doors import OpenConsole

every_profile = pytest.mark.parametrize("profile", Profile)


@every_profile
async def test_before_the_first_on(profile: Profile, open_console: OpenConsole) -> None:
    """A fresh kdamond is off and has no pid (statement 47)."""
    async with open_console(profile) as console:
        console.fresh()
        assert (console.text(f"{K}/state"), console.text(f"{K}/pid")) == ("off", "-1")


@every_profile
async def test_words_are_checked(profile: Profile, open_console: OpenConsole) -> None:
    """A word that the release does not know is EINVAL (statements 48 and 78)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        for word in ("foo", "ON", " on", "on\n\n"):
            await console.fails(word, errno.EINVAL, "is not one of on, off")
        if profile is Profile.V5_18:
            await console.fails("commit", errno.EINVAL, "is not one of")
        else:
            await console.fails("commit", errno.EINVAL, "never started")


@every_profile
async def test_on_needs_a_context(profile: Profile, open_console: OpenConsole) -> None:
    """Without a context there is nothing to start (statement 49)."""
    async with open_console(profile) as console:
        console.put("kdamonds", nr_kdamonds=1)
        await console.fails("on", errno.EINVAL, "nr_contexts is 0")
        await console.fails("off", errno.EINVAL, "never started")


@every_profile
async def test_on(profile: Profile, open_console: OpenConsole) -> None:
    """A kdamond that is on says so and has a pid, and cannot be started twice (50, 51)."""
    async with open_console(profile) as console:
        await console.start_vaddr()
        pid = console.number(f"{K}/pid")
        assert console.is_on()
        assert pid > 0
        await console.fails("on", errno.EBUSY, "running already")
        assert console.number(f"{K}/pid") == pid
        console.put(K, contexts__nr_contexts=0)
        await console.fails("on", errno.EINVAL, "nr_contexts is 0")


@every_profile
@pytest.mark.parametrize(("least", "most"), [(2, 1000), (20, 10), (0, 0)])
async def test_bounds_of_regions(
    profile: Profile, least: int, most: int, open_console: OpenConsole
) -> None:
    """Fewer than three regions, or bounds out of order, are EINVAL (statements 52 and 53)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        console.put(NR_REGIONS, min=least, max=most)
        await console.fails("on", errno.EINVAL, "at least 3, and in order")
        assert not console.is_on()


@every_profile
async def test_order_of_intervals(profile: Profile, open_console: OpenConsole) -> None:
    """Sampling may be slower than aggregating in old releases only (statement 54)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        console.put(INTERVALS, sample_us=200_000)
        if profile.release >= (6, 12):
            await console.fails("on", errno.EINVAL, "is above aggr_us")
        else:
            await console.state("on")
            await console.sleep_us(1_000_000)
            assert console.is_on()


@every_profile
async def test_unknown_processes(profile: Profile, open_console: OpenConsole) -> None:
    """A process that is not there is EINVAL, and 0 never is (statement 55)."""
    async with open_console(profile) as console:
        for pid in (0, 77, -5):
            console.fresh_vaddr(pid=pid)
            await console.fails("on", errno.EINVAL, f"there is no process {pid}")
            assert not console.is_on()


@every_profile
async def test_physical_memory_is_one_target(profile: Profile, open_console: OpenConsole) -> None:
    """Physical memory with two targets is EINVAL (statement 56)."""
    async with open_console(profile) as console:
        console.fresh(nr_targets=2)
        console.put(C, operations="paddr")
        await console.fails("on", errno.EINVAL, "paddr has one target")


@every_profile
@pytest.mark.parametrize(
    "ranges",
    [
        [(2 * 4096, 4096)],
        [(0, 8192), (4096, 12288)],
        [(8192, 12288), (0, 4096)],
        [(0, 0)],
        [(0, 100), (200, 300)],
        [(4096, 4096)],
        [(0, 2**64 - 1)],
    ],
)
async def test_wrong_ranges(
    profile: Profile, ranges: list[tuple[int, int]], open_console: OpenConsole
) -> None:
    """Ranges that are empty, out of order or overlapping are EINVAL (statements 57 to 59)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        console.put_regions(ranges)
        await console.fails("on", errno.EINVAL, "regions/")


@every_profile
@pytest.mark.parametrize("ranges", [[(100, 100)], [(0, 4096), (4096, 8192)], [(5, 6)], []])
async def test_ranges(
    profile: Profile, ranges: list[tuple[int, int]], open_console: OpenConsole
) -> None:
    """Ranges are rounded to pages, and may touch each other (statements 59 and 60)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        console.put_regions(ranges)
        await console.state("on")
        assert console.is_on()


async def test_reversed_within_a_page(open_console: OpenConsole) -> None:
    """The latest release looks at ranges only after rounding them."""
    for profile, is_taken in ((Profile.V6_18, False), (Profile.LATEST, True)):
        async with open_console(profile) as console:
            console.fresh_vaddr()
            console.put_regions([(200, 100)])
            if is_taken:
                await console.state("on")
            else:
                await console.fails("on", errno.EINVAL, "is empty")


@pytest.mark.parametrize("profile", since("6.12"))
async def test_filters_that_make_no_sense(profile: Profile, open_console: OpenConsole) -> None:
    """A filter that cannot be made is ENOMEM (statement 61)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(S, filters__nr_filters=1)
        one = f"{S}/filters/0"
        console.put(one, type="memcg", memcg_path="/nowhere\n")
        await console.fails("on", errno.ENOMEM, "there is no memory cgroup '/nowhere'")
        console.put(one, type="addr", addr_start=10, addr_end=5)
        await console.fails("on", errno.ENOMEM, "addr_start 10 is above addr_end 5")
        console.put(one, addr_end=10)
        await console.state("on")


@pytest.mark.parametrize("profile", since("6.15"))
async def test_filters_of_sizes(profile: Profile, open_console: OpenConsole) -> None:
    """Sizes of huge pages out of order are ENOMEM, too (statement 61)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(S, ops_filters__nr_filters=1)
        console.put(f"{S}/ops_filters/0", type="hugepage_size", min=2, max=1)
        await console.fails("on", errno.ENOMEM, "min 2 is above max 1")
        console.put(f"{S}/ops_filters/0", type="memcg", memcg_path="/\n")
        await console.state("on")


@pytest.mark.parametrize("profile", since("6.15"))
async def test_goals_of_intervals(profile: Profile, open_console: OpenConsole) -> None:
    """The tuning of intervals is checked if it is on (statement 62)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        goal = f"{INTERVALS}/intervals_goal"
        console.put(goal, min_sample_us=10, max_sample_us=5)
        await console.state("on")
        await console.state("off")
        console.put(goal, aggrs=3)
        await console.fails("on", errno.EINVAL, "is not between")
        console.put(goal, min_sample_us=1, max_sample_us=10)
        await console.fails("on", errno.EINVAL, "is not between")
        console.put(goal, max_sample_us=10_000)
        await console.state("on")


@pytest.mark.parametrize("profile", since("6.12"))
async def test_goals_without_a_target(profile: Profile, open_console: OpenConsole) -> None:
    """A goal whose target is 0 is passed over (statement 63)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(S, quotas__goals__nr_goals=2)
        console.put(f"{S}/quotas/goals/1", target_value=5, current_value=3)
        await console.state("on")
        (goal,) = console.kdamond.context.schemes[0].quotas.goals
        assert (goal.target_value, goal.current_value) == (5, 3)


@every_profile
async def test_schemes_are_not_checked(profile: Profile, open_console: OpenConsole) -> None:
    """A scheme that can never be tried may be started (statement 64)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(f"{S}/access_pattern/sz", min=2, max=1)
        console.put(f"{S}/watermarks", high=1, mid=2, low=3)
        console.put(f"{S}/quotas", ms=10, reset_interval_ms=5)
        await console.state("on")
        await console.sleep_us(500_000)
        await console.state("update_schemes_stats")
        assert console.number(f"{S}/stats/nr_tried") == 0


@every_profile
@pytest.mark.parametrize(("written", "used"), [(2**32, 0), (2**64 - 1, 2**32 - 1)])
async def test_low_bits(
    profile: Profile, written: int, used: int, open_console: OpenConsole
) -> None:
    """Only 32 bits of a frequency reach the scheme, but all are read back (statement 65)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(f"{S}/access_pattern", nr_accesses__max=written)
        await console.state("on")
        assert console.kdamond.context.schemes[0].access_pattern.nr_accesses.max == used
        assert console.number(f"{S}/access_pattern/nr_accesses/max") == written


@every_profile
async def test_unavailable_operations(profile: Profile, open_console: OpenConsole) -> None:
    """Operations that are known but not available are EINVAL (statement 66)."""
    async with open_console(profile, has_memory=False) as console:
        console.fresh()
        console.put(C, operations="paddr")
        await console.fails("on", errno.EINVAL, "paddr is not available")


@every_profile
async def test_nothing_to_monitor(profile: Profile, open_console: OpenConsole) -> None:
    """Without targets virtual memory ends at once, and physical memory goes on (67, 68)."""
    async with open_console(profile) as console:
        console.fresh()
        await console.state("on")
        await console.sleep_us(SAMPLE_US)
        assert not console.is_on()
        console.put(C, operations="paddr")
        await console.state("on")
        await console.sleep_us(10 * SAMPLE_US)
        assert console.is_on()


@every_profile
async def test_failed_on_forgets(profile: Profile, open_console: OpenConsole) -> None:
    """A start that fails forgets the run before it (statement 69)."""
    async with open_console(profile) as console:
        await console.start_vaddr()
        await console.state("off")
        console.put(T, pid_target=77)
        await console.fails("on", errno.EINVAL, "there is no process")
        await console.fails("off", errno.EINVAL, "never started")
