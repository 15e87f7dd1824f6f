"""What is particular to the tree of modules; the numbered statements are in tests/modules."""

from __future__ import annotations

import asyncio
import errno

import pytest
from structlog.testing import capture_logs

from damon_async.control.live import live_tree
from damon_async.control.module_tree import MODULE, NO_IDLE_TIMES, module_tree
from damon_async.control.pids import Pids
from damon_async.control.profiles import Profile
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.modules.enabled import EnabledModule

from ..modules.worlds import AGGR_US, GIB, LRU_SORT, MIB, RECLAIM, STAT, Ram, open_console

FLAGS = [Profile.V6_1, Profile.V6_12, Profile.V6_18]
"""Profiles whose commit_inputs is a flag."""

flag_profile = pytest.mark.parametrize("profile", FLAGS)


def test_every_file_says_what_it_is_for() -> None:
    """Every directory and file of the tree is explained in one sentence."""
    for module in MODULE.directories:
        (parameters,) = module.directories
        assert module.about.endswith(".")
        assert all(file.about.endswith(".") for file in parameters.files)
        names = [file.name for file in parameters.files]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("profile", list(Profile))
async def test_values_only_store(profile: Profile) -> None:
    """Parameters take any number one by one, whatever the others are, and nothing else."""
    async with open_console(profile) as console:
        for name in ("min_age", "wmarks_low", "max_nr_regions", "monitor_region_start"):
            console.put(RECLAIM, **{name: 2**64 - 1})
            assert console.number(RECLAIM, name) == 2**64 - 1
            await console.refuses(RECLAIM, name, "-1", errno.EINVAL)
            await console.refuses(RECLAIM, name, "1x", errno.EINVAL)
        await console.refuses(RECLAIM, "kdamond_pid", "1", errno.EACCES)
        await console.refuses(RECLAIM, "nr_quota_exceeds", "1", errno.EACCES)


async def test_only_writes_that_wait_wait() -> None:
    """Without waiting, enabled and commit_inputs cannot be written, and nothing happens."""
    async with open_console() as console:
        for name in ("enabled", "commit_inputs"):
            with pytest.raises(BlockingIOError, match="write_async") as raised:
                console.tree.write(f"{RECLAIM}/parameters/{name}", "Y")
            assert raised.value.errno == errno.EAGAIN
        assert console.damon.nr_running == 0


@pytest.mark.parametrize("module", [RECLAIM, LRU_SORT, STAT])
async def test_no_memory(module: str) -> None:
    """Where there is no physical memory, a module that acts is EINVAL, and STAT is ENOMEM."""
    async with open_console(ram=Ram([])) as console:
        number = errno.ENOMEM if module == STAT else errno.EINVAL
        await console.refuses(module, "enabled", "Y", number)
        assert console.text(module, "enabled") == "N"


@flag_profile
async def test_flag_waits_for_an_aggregation(profile: Profile) -> None:
    """Before 7.0 commit_inputs stays Y until the aggregation under way has ended (5.1)."""
    async with open_console(profile) as console:
        await console.enable(RECLAIM)
        await console.passes(AGGR_US // 2)
        console.put(RECLAIM, min_age=500_000)
        await console.write(RECLAIM, "commit_inputs", "Y")
        assert console.text(RECLAIM, "commit_inputs") == "Y"
        await console.passes(AGGR_US // 4)
        assert console.text(RECLAIM, "commit_inputs") == "Y"
        await console.passes(AGGR_US // 4)
        assert console.text(RECLAIM, "commit_inputs") == "N"
        assert console.kdamond.schemes.states[0].pattern.min_age == 5


@flag_profile
async def test_flag_can_be_taken_back(profile: Profile) -> None:
    """An N before the aggregation has ended means that nothing is committed."""
    async with open_console(profile) as console:
        await console.enable(RECLAIM)
        console.put(RECLAIM, min_age=500_000)
        await console.write(RECLAIM, "commit_inputs", "Y")
        await console.write(RECLAIM, "commit_inputs", "N")
        await console.passes(2 * AGGR_US)
        assert console.kdamond.schemes.states[0].pattern.min_age == 1200


@flag_profile
async def test_flag_waits_for_a_start(profile: Profile) -> None:
    """Before 7.0 a Y while nothing runs is kept, and consumed after the next start (5.1)."""
    async with open_console(profile) as console:
        await console.write(RECLAIM, "commit_inputs", "Y")
        await console.passes(2 * AGGR_US)
        assert console.text(RECLAIM, "commit_inputs") == "Y"
        await console.enable(RECLAIM)
        console.put(RECLAIM, min_age=500_000)
        await console.passes(2 * AGGR_US)
        assert console.text(RECLAIM, "commit_inputs") == "N"
        assert console.kdamond.schemes.states[0].pattern.min_age == 5


@flag_profile
async def test_flag_with_bad_parameters(profile: Profile) -> None:
    """Before 7.0 bad parameters stop the worker, and nobody is told (5.1)."""
    async with open_console(profile) as console:
        await console.enable(RECLAIM)
        console.put(RECLAIM, min_nr_regions=2)
        await console.write(RECLAIM, "commit_inputs", "Y")
        await console.passes(2 * AGGR_US)
        assert console.text(RECLAIM, "enabled") == "N"
        assert console.text(RECLAIM, "kdamond_pid") == "-1"
        assert console.text(RECLAIM, "commit_inputs") == "N"


async def test_newest_commit_says_why() -> None:
    """From 7.0 on the write itself waits, and bad parameters change nothing (5.1)."""
    async with open_console(Profile.LATEST) as console:
        await console.refuses(RECLAIM, "commit_inputs", "Y", errno.EINVAL)
        await console.write(RECLAIM, "commit_inputs", "N")
        await console.enable(RECLAIM)
        console.put(RECLAIM, min_nr_regions=2)
        await console.refuses(RECLAIM, "commit_inputs", "Y", errno.EINVAL)
        assert console.text(RECLAIM, "enabled") == "Y"
        console.put(RECLAIM, min_nr_regions=30, min_age=1_000_000)
        await console.write(RECLAIM, "commit_inputs", "Y")
        assert console.kdamond.context.nr_regions.min == 30
        await console.disable(RECLAIM)
        await console.refuses(RECLAIM, "commit_inputs", "Y", errno.ECANCELED)


@pytest.mark.parametrize("profile", [Profile.V6_18, Profile.LATEST])
async def test_a_commit_chooses_anew(profile: Profile) -> None:
    """A range of zeros is chosen anew with a commit, and written back again."""
    async with open_console(profile) as console:
        console.put(RECLAIM, monitor_region_start=GIB, monitor_region_end=GIB + MIB)
        await console.enable(RECLAIM)
        console.put(RECLAIM, monitor_region_start=0, monitor_region_end=0)
        await console.write(RECLAIM, "commit_inputs", "Y")
        await console.passes(2 * AGGR_US)
        assert console.number(RECLAIM, "monitor_region_end") == GIB + 64 * MIB
        assert console.running(RECLAIM).region.end == GIB + 64 * MIB


async def test_parameters_reach_the_scheme() -> None:
    """What is written before Y is what runs, flags included."""
    async with open_console(Profile.LATEST) as console:
        console.put(RECLAIM, quota_ms=7, quota_sz=4096, skip_anon="Y", quota_mem_pressure_us=9)
        console.put(RECLAIM, autotune_monitoring_intervals="Y")
        await console.enable(RECLAIM)
        running = console.running(RECLAIM)
        assert isinstance(running, EnabledModule)
        (scheme,) = console.kdamond.context.schemes
        assert (scheme.quotas.time_ms, scheme.quotas.sz_bytes) == (7, 4096)
        assert [goal.target_value for goal in scheme.quotas.goals] == [9]
        assert len(scheme.filters) == 1
        assert console.kdamond.context.intervals.intervals_goal.access_bp == 40


async def test_newest_sorting_weighs_ages() -> None:
    """LRU_SORT weighs ages in the newest profile only (5.3)."""
    for profile, weight in ((Profile.V6_18, 0), (Profile.LATEST, 1)):
        async with open_console(profile) as console:
            await console.enable(LRU_SORT)
            weights = {each.quotas.weights.age_permil for each in console.kdamond.context.schemes}
            assert weights == {weight}


async def test_counters_of_both_schemes() -> None:
    """Counters of LRU_SORT tell hot and cold apart."""
    async with open_console() as console:
        console.gauge.free_permil = 100
        console.put(LRU_SORT, cold_min_age=1_000_000)
        await console.enable(LRU_SORT)
        await console.passes(3_000_000)
        assert console.number(LRU_SORT, "bytes_lru_sort_tried_hot_regions") >= 8 * MIB
        assert console.number(LRU_SORT, "bytes_lru_sort_tried_cold_regions") > 0


async def test_counters_begin_anew() -> None:
    """A new run counts from 0, and until then the last run's counters are shown."""
    async with open_console() as console:
        console.put(RECLAIM, min_age=1_000_000)
        await console.enable(RECLAIM)
        await console.passes(3_000_000)
        await console.disable(RECLAIM)
        assert console.number(RECLAIM, "bytes_reclaim_tried_regions") > 0
        await console.enable(RECLAIM)
        assert console.number(RECLAIM, "bytes_reclaim_tried_regions") == 0


async def test_many_writers() -> None:
    """Of many who enable and disable at once each has its turn, and nobody is refused."""
    async with open_console() as console:
        await asyncio.gather(*(console.enable(RECLAIM) for _ in range(5)))
        assert console.damon.nr_running == 1
        words = ["N", "Y"] * 5
        await asyncio.gather(*(console.write(RECLAIM, "enabled", word) for word in words))
        assert console.text(RECLAIM, "enabled") == "Y"
        assert console.damon.nr_running == 1


async def test_pids_are_shared() -> None:
    """Trees that share numbers give no number twice."""
    async with Damon(clock=VirtualClock(), seed=1) as damon:
        with capture_logs():
            pids = Pids()
            tree = module_tree(damon, memory=Ram(), pids=pids)
            await tree.write_async(f"{RECLAIM}/parameters/enabled", "Y")
            first = int(tree.read(f"{RECLAIM}/parameters/kdamond_pid"))
            await tree.write_async(f"{RECLAIM}/parameters/enabled", "N")
            await tree.write_async(f"{STAT}/parameters/enabled", "Y")
            (kdamond,) = damon.kdamonds
            assert pids(kdamond) > first


async def test_sysfs_beside_modules() -> None:
    """103 and 104: sysfs and modules keep each other out, in both orders."""
    async with open_console() as console:
        sysfs = live_tree(console.damon)
        sysfs.write("kdamonds/nr_kdamonds", "1")
        sysfs.write("kdamonds/0/contexts/nr_contexts", "1")
        sysfs.write("kdamonds/0/contexts/0/operations", "vaddr")
        await console.enable(RECLAIM)
        with pytest.raises(OSError, match="busy") as raised:
            await sysfs.write_async("kdamonds/0/state", "on")
        assert raised.value.errno == errno.EBUSY
        assert sysfs.read("kdamonds/0/state") == b"off\n"


async def test_time_is_held() -> None:
    """If asked to, virtual time stands still while a module runs, except for writes that wait."""
    async with open_console(Profile.LATEST, holds_time=True) as console:
        await console.enable(RECLAIM)
        began_us = console.clock.now_us()
        for _ in range(50):
            await asyncio.sleep(0)
        assert console.clock.now_us() == began_us
        await console.write(RECLAIM, "commit_inputs", "Y")
        assert console.clock.now_us() <= began_us + AGGR_US
        await console.disable(RECLAIM)
        await console.passes(AGGR_US)
        assert console.clock.now_us() >= began_us + AGGR_US


async def test_stat_before_signs() -> None:
    """What stands behind the tree, and all its zeros, print themselves."""
    async with open_console() as console:
        assert "running: none" in repr(console.tree.behavior)
        await console.enable(STAT)
        assert "running: damon_stat" in repr(console.tree.behavior)
        assert console.tree.read(f"{STAT}/parameters/memory_idle_ms_percentiles") == NO_IDLE_TIMES
