from __future__ import annotations

import errno

import pytest

from damon_async.control.profiles import Profile

from .consoles import (
    HEAP,
    INTERVALS,
    MIB,
    NR_REGIONS,
    SAMPLE_US,
    C,
    S,
    T,
    since,
)
from .doors import OpenConsole

STATS = f"{S}/stats"
AGGR_US = 100_000


def both(first: str, before: str = "99.0") -> pytest.MarkDecorator:
    """Run a test in the profiles of some releases."""
    return pytest.mark.parametrize("profile", since(first, before))


@both("5.19")
async def test_commit(profile: Profile, open_console: OpenConsole) -> None:
    """What is written is in force once it is committed (statement 79)."""
    async with open_console(profile) as console:
        await console.start_vaddr()
        console.put(INTERVALS, aggr_us=50_000)
        await console.sleep_us(AGGR_US)
        assert console.kdamond.context.intervals.aggr_us == AGGR_US
        await console.state("commit")
        assert console.kdamond.context.intervals.aggr_us == 50_000


@both("5.19")
async def test_commit_of_nonsense(profile: Profile, open_console: OpenConsole) -> None:
    """A commit that is refused ends old kdamonds and leaves new ones as they are (80)."""
    async with open_console(profile) as console:
        await console.start_vaddr()
        console.put(NR_REGIONS, min=2, max=500)
        if profile.release < (6, 14):
            await console.state("commit")
            assert not console.is_on()
        else:
            await console.fails("commit", errno.EINVAL, "at least 3")
            assert console.is_on()
            assert console.kdamond.context.nr_regions.max == 1000


@both("5.19")
async def test_commit_of_fewer_schemes(profile: Profile, open_console: OpenConsole) -> None:
    """Schemes that are gone from the files end with a commit (statement 81)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=2)
        console.put(C, schemes__nr_schemes=1)
        await console.sleep_us(AGGR_US)
        assert len(console.kdamond.schemes) == 2
        await console.state("commit")
        assert len(console.kdamond.schemes) == 1


@both("5.19")
async def test_commit_keeps_statistics(profile: Profile, open_console: OpenConsole) -> None:
    """What was counted survives a commit (statement 82)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        await console.sleep_us(500_000)
        await console.state("update_schemes_stats")
        before = console.number(f"{STATS}/nr_tried")
        console.put(f"{S}/watermarks", interval_us=1000)
        await console.state("commit")
        await console.state("update_schemes_stats")
        assert console.number(f"{STATS}/nr_tried") >= before > 0


@both("5.19")
async def test_commit_keeps_regions(profile: Profile, open_console: OpenConsole) -> None:
    """A target without regions keeps those it has (statement 83)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        console.put(T, regions__nr_regions=1)
        console.put(f"{T}/regions/0", start=HEAP, end=HEAP + MIB)
        await console.state("on")
        await console.sleep_us(AGGR_US)
        console.put(T, regions__nr_regions=0)
        await console.state("commit")
        starts = await console.run(
            console.kdamond.call, lambda monitor: monitor.table.start.tolist()
        )
        assert starts[0] == HEAP


@both("6.19")
async def test_obsolete_targets(profile: Profile, open_console: OpenConsole) -> None:
    """An obsolete target is removed, and one that does not run is EINVAL (statement 84)."""
    async with open_console(profile) as console:
        console.fresh(nr_targets=2)
        console.put(f"{C}/targets", **{"0__pid_target": 1, "1__pid_target": 2})
        await console.state("on")
        console.put(T, obsolete_target="Y")
        await console.state("commit")
        (left,) = console.kdamond.context.targets
        assert left.pid == 2
        console.put(f"{C}/targets", **{"0__obsolete_target": "N", "1__obsolete_target": "Y"})
        await console.fails("commit", errno.EINVAL, "obsolete")
        assert console.is_on()


@both("6.8")
async def test_commit_of_goals(profile: Profile, open_console: OpenConsole) -> None:
    """Goals are committed without anything else (statements 85 and 97)."""
    async with open_console(profile) as console:
        console.fresh_vaddr(nr_schemes=1)
        console.put(f"{S}/quotas", bytes=64 * MIB, reset_interval_ms=100, goals__nr_goals=1)
        goal = f"{S}/quotas/goals/0"
        console.put(goal, target_value=10000, current_value=0)
        await console.state("on")
        sizes = []
        for _ in range(2):
            await console.sleep_us(300_000)
            await console.state("update_schemes_effective_quotas")
            sizes.append(console.number(f"{S}/quotas/effective_bytes"))
        assert sizes[0] < sizes[1]
        console.put(goal, current_value=15000)
        console.put(INTERVALS, sample_us=1000)
        await console.state("commit_schemes_quota_goals")
        await console.sleep_us(300_000)
        await console.state("update_schemes_effective_quotas")
        assert 1 <= console.number(f"{S}/quotas/effective_bytes") < sizes[1]
        assert console.kdamond.context.intervals.sample_us == SAMPLE_US


@both("6.19")
async def test_commit_of_unknown_memory_cgroups(
    profile: Profile, open_console: OpenConsole
) -> None:
    """A goal about a memory cgroup that there is not is EINVAL when goals are committed."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        console.put(S, quotas__goals__nr_goals=1)
        goal = f"{S}/quotas/goals/0"
        console.put(goal, target_metric="node_memcg_used_bp", target_value=1, path="/x")
        await console.fails("commit_schemes_quota_goals", errno.EINVAL, "no memory cgroup")
        await console.fails("commit", errno.ENOMEM, "no memory cgroup")
