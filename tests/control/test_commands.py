from __future__ import annotations

import errno

import pytest

from damon_async.control.profiles import Profile

from .consoles import (
    INTERVALS,
    MIB,
    NR_REGIONS,
    SAMPLE_US,
    C,
    Console,
    K,
    Memory,
    S,
    since,
)
from .doors import OpenConsole

STATS = f"{S}/stats"
AGGR_US = 100_000


def both(first: str, before: str = "99.0") -> pytest.MarkDecorator:
    """Run a test in the profiles of some releases."""
    return pytest.mark.parametrize("profile", since(first, before))


@both("5.18")
async def test_stats_are_snapshots(profile: Profile, open_console: OpenConsole) -> None:
    """Statistics are 0 until they are asked for, and stay until asked again (86, 88)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        await console.sleep_us(1_000_000)
        assert console.number(f"{STATS}/nr_tried") == 0
        await console.state("update_schemes_stats")
        before = console.number(f"{STATS}/nr_tried")
        assert before > 0
        await console.state("off")
        await console.state("on")
        assert console.number(f"{STATS}/nr_tried") == before
        await console.sleep_us(150_000)
        await console.state("update_schemes_stats")
        assert 0 < console.number(f"{STATS}/nr_tried") < before


@both("5.18")
async def test_stats_of_what_does_not_run(profile: Profile, open_console: OpenConsole) -> None:
    """Who never ran has no statistics, and who ended has them in 5.18 only (statement 87)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        await console.fails("update_schemes_stats", errno.EINVAL, "never started")
        await console.state("on")
        await console.sleep_us(300_000)
        await console.state("off")
        if profile is Profile.V5_18:
            await console.state("update_schemes_stats")
            assert console.number(f"{STATS}/nr_tried") > 0
        else:
            number = errno.ECANCELED if profile is Profile.LATEST else errno.EINVAL
            await console.fails("update_schemes_stats", number, "has ended")


@both("6.2")
async def test_removed_directories_are_passed_over(
    profile: Profile, open_console: OpenConsole
) -> None:
    """Updates go on although directories of schemes were removed (statements 27 and 89)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=2)
        console.put(C, schemes__nr_schemes=0)
        await console.state("update_schemes_stats")
        await console.state("update_schemes_tried_regions")
        console.put(C, schemes__nr_schemes=1)
        await console.state("update_schemes_tried_regions")
        assert console.tried()


@both("6.6")
async def test_tried_regions(profile: Profile, open_console: OpenConsole) -> None:
    """A scheme for all is tried on all regions, in order of addresses (90, 91, 101)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        await console.sleep_us(1_000_000)
        await console.state("update_schemes_tried_regions")
        tried = console.tried()
        assert 10 <= len(tried) <= 1000
        assert tried == sorted(tried)
        assert all(start < end for start, end in tried)
        total = sum(end - start for start, end in tried)
        assert console.number(f"{S}/tried_regions/total_bytes") == total == 69 * MIB
        hot = f"{S}/tried_regions/0"
        assert console.number(f"{hot}/nr_accesses") == 20
        assert console.number(f"{hot}/age") > 0
        await console.state("update_schemes_tried_bytes")
        assert console.tried() == []
        assert console.number(f"{S}/tried_regions/total_bytes") == total


@both("6.2")
async def test_clear_tried_regions(profile: Profile, open_console: OpenConsole) -> None:
    """Clearing empties the directory; when off, in new releases only (statement 92)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        await console.state("update_schemes_tried_regions")
        handle = console.files.open(f"{S}/tried_regions/0/start")
        await console.state("clear_schemes_tried_regions")
        assert console.tried() == []
        assert console.number(f"{S}/tried_regions/total_bytes") == 0
        with pytest.raises(OSError, match=console.reason("was removed")):
            handle.read()
        await console.state("off")
        if profile.release < (6, 14):
            await console.fails("clear_schemes_tried_regions", errno.EINVAL, "has ended")
        else:
            await console.state("clear_schemes_tried_regions")


@both("6.2")
async def test_names_of_tried_regions(profile: Profile, open_console: OpenConsole) -> None:
    """Names begin at 0 for each scheme, but go on in old releases (statement 93)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=2)
        await console.state("update_schemes_tried_regions")
        names = console.files.listdir(f"{C}/schemes/1/tried_regions")
        first = min(int(name) for name in names if name.isdigit())
        assert first == (0 if profile.release >= (6, 14) else len(console.tried(0)))


@both("6.6")
async def test_nothing_is_tried(profile: Profile, open_console: OpenConsole) -> None:
    """An update returns although nothing matches, or the target ends meanwhile (94)."""
    async with open_console(profile) as console:
        console.processes[3] = Memory(150_000)
        console.fresh_vaddr(nr_schemes=1, pid=3)
        console.put(f"{S}/access_pattern", nr_accesses__min=200)
        await console.state("on")
        await console.state("update_schemes_tried_bytes")
        assert console.number(f"{S}/tried_regions/total_bytes") == 0
        if profile.release < (6, 14):
            await console.state("update_schemes_tried_bytes")
        else:
            await console.fails("update_schemes_tried_bytes", errno.ECANCELED, "canceled")
        assert not console.is_on()


@both("6.2")
async def test_no_schemes(profile: Profile, open_console: OpenConsole) -> None:
    """Without schemes there is nothing to wait for (statement 95)."""
    async with open_console(profile) as console:
        await console.start_vaddr()
        if profile.release < (6, 14):
            await console.state("update_schemes_tried_regions")
        else:
            await console.fails("update_schemes_tried_regions", errno.ECANCELED, "no schemes")
        assert console.is_on()


@both("6.6")
async def test_size_quota(profile: Profile, open_console: OpenConsole) -> None:
    """What is tried stays below the quota, and its use is counted (statement 96)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(f"{S}/quotas", bytes=MIB, reset_interval_ms=100)
        await console.state("on")
        for _ in range(5):
            await console.state("update_schemes_tried_bytes")
            assert console.number(f"{S}/tried_regions/total_bytes") <= MIB
        await console.state("update_schemes_stats")
        assert console.number(f"{STATS}/qt_exceeds") > 0


@both("6.7")
async def test_apply_intervals(profile: Profile, open_console: OpenConsole) -> None:
    """A scheme that is applied ten times as often is tried about as much more (98)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=2)
        console.put(f"{C}/schemes/1", apply_interval_us=10_000)
        await console.state("on")
        await console.sleep_us(2_000_000)
        await console.state("update_schemes_stats")
        # Bytes, because between aggregations there are more and smaller regions.
        sz_tried = [console.number(f"{C}/schemes/{index}/stats/sz_tried") for index in (0, 1)]
        assert sz_tried[1] / sz_tried[0] == pytest.approx(10, rel=0.2)


@both("6.15")
async def test_tuned_intervals(profile: Profile, open_console: OpenConsole) -> None:
    """The intervals in use can be asked for (statement 99)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        goal = {"access_bp": 5000, "aggrs": 3, "min_sample_us": 5_000, "max_sample_us": 10_000_000}
        console.put(f"{INTERVALS}/intervals_goal", **goal)
        await console.state("on")
        await console.sleep_us(3_000_000)
        assert console.number(f"{INTERVALS}/sample_us") == SAMPLE_US
        await console.state("update_tuned_intervals")
        intervals = console.kdamond.context.intervals
        assert console.number(f"{INTERVALS}/sample_us") == intervals.sample_us
        assert console.number(f"{INTERVALS}/aggr_us") == intervals.aggr_us
        assert intervals.sample_us != SAMPLE_US


@both("6.17")
async def test_refresh(profile: Profile, open_console: OpenConsole) -> None:
    """Files refresh themselves if asked to, tried regions do not (statement 100)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(K, refresh_ms=100)
        await console.state("on")
        await console.sleep_us(500_000)
        first = console.number(f"{STATS}/nr_tried")
        assert first > 0
        assert console.tried() == []
        console.put(K, refresh_ms=0)
        await console.sleep_us(500_000)
        second = console.number(f"{STATS}/nr_tried")
        console.put(K, refresh_ms=50)
        await console.sleep_us(500_000)
        assert first <= second < console.number(f"{STATS}/nr_tried")


@both("6.17")
async def test_refresh_gives_way(profile: Profile, open_console: OpenConsole) -> None:
    """Nothing is refreshed while the lock is held or the context directory is gone."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(K, refresh_ms=10)
        await console.state("on")
        with console.tree.lock.held():
            await console.sleep_us(500_000)
        assert console.number(f"{STATS}/nr_tried") == 0
        console.put(K, contexts__nr_contexts=0)
        await console.sleep_us(500_000)
        assert console.is_on()


@both("6.6")
async def test_bounds_of_tried_regions(profile: Profile, open_console: OpenConsole) -> None:
    """The number of tried regions follows the bounds that are in force (statement 101)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(NR_REGIONS, min=20, max=100)
        await console.state("on")
        for _ in range(3):
            await console.state("update_schemes_tried_regions")
            assert 20 <= len(console.tried()) <= 100
        console.put(NR_REGIONS, min=3, max=7)
        await console.state("commit")
        await console.sleep_us(2 * AGGR_US)
        await console.state("update_schemes_tried_regions")
        assert len(console.tried()) <= 7


def _asleep(console: Console) -> None:
    """Have the scheme sleep as long as more than a tenth of memory is free."""
    marks = {"metric": "free_mem_rate", "interval_us": 1_000_000}
    console.put(f"{S}/watermarks", **marks, high=100, mid=50, low=10)


class Free:
    """A machine half of whose memory is free."""

    def value(self, metric: object, **_: object) -> int:
        del metric
        return 500


@both("6.2")
async def test_schemes_asleep(profile: Profile, open_console: OpenConsole) -> None:
    """While all schemes sleep nothing is tried, but statistics are there (2.7)."""
    async with open_console(profile, metrics=Free()) as console:
        console.fresh_vaddr(nr_schemes=1)
        _asleep(console)
        await console.state("on")
        if profile.release < (6, 14):
            await console.state("update_schemes_tried_regions")
        else:
            await console.fails("update_schemes_tried_regions", errno.ECANCELED, "inactive")
        await console.state("update_schemes_stats")
        assert console.number(f"{STATS}/nr_tried") == 0
        assert console.is_on()
