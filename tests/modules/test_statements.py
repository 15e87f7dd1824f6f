"""Statements 104 and 122 to 131 of the interface, through the tree of parameters."""

from __future__ import annotations

import errno

import pytest

from damon_async.control.profiles import Profile
from damon_async.errors import BusyError
from damon_async.params.monitoring import Context, Ops

from .worlds import (
    AGGR_US,
    GIB,
    HONEST,
    LRU_SORT,
    MIB,
    RECLAIM,
    STAT,
    open_console,
)

every_profile = pytest.mark.parametrize("profile", list(Profile))
honest_profile = pytest.mark.parametrize("profile", HONEST)

RECLAIM_DEFAULTS = {
    "min_age": 120_000_000,
    "quota_ms": 10,
    "quota_sz": 134_217_728,
    "quota_reset_interval_ms": 1_000,
    "wmarks_interval": 5_000_000,
    "wmarks_high": 500,
    "wmarks_mid": 400,
    "wmarks_low": 200,
    "sample_interval": 5_000,
    "aggr_interval": 100_000,
    "min_nr_regions": 10,
    "max_nr_regions": 1_000,
    "monitor_region_start": 0,
    "monitor_region_end": 0,
    "nr_reclaim_tried_regions": 0,
    "bytes_reclaim_tried_regions": 0,
    "nr_reclaimed_regions": 0,
    "bytes_reclaimed_regions": 0,
    "nr_quota_exceeds": 0,
}

LRU_SORT_DEFAULTS = {
    "hot_thres_access_freq": 500,
    "cold_min_age": 120_000_000,
    "quota_ms": 10,
    "quota_reset_interval_ms": 1_000,
    "wmarks_interval": 5_000_000,
    "wmarks_high": 200,
    "wmarks_mid": 150,
    "wmarks_low": 50,
    "sample_interval": 5_000,
    "aggr_interval": 100_000,
    "min_nr_regions": 10,
    "max_nr_regions": 1_000,
    "monitor_region_start": 0,
    "monitor_region_end": 0,
    **{
        f"{counted}_{kind}_{what}": 0
        for kind in ("hot", "cold")
        for counted, what in (
            ("nr_lru_sort_tried", "regions"),
            ("bytes_lru_sort_tried", "regions"),
            ("nr_lru_sorted", "regions"),
            ("bytes_lru_sorted", "regions"),
            ("nr", "quota_exceeds"),
        )
    },
}

NEWER = {
    RECLAIM: {
        "6.12": {"skip_anon", "quota_mem_pressure_us", "quota_autotune_feedback"},
        "6.18": {"addr_unit"},
        "latest": {"autotune_monitoring_intervals"},
    },
    LRU_SORT: {
        "6.18": {"addr_unit"},
        "latest": {"autotune_monitoring_intervals", "active_mem_bp", "filter_young_pages"},
    },
}
"""Parameters that only newer profiles have."""


def _expected(module: str, profile: Profile) -> set[str]:
    """Return the parameters that *module* has in *profile*, written out from the tables."""
    defaults = RECLAIM_DEFAULTS if module == RECLAIM else LRU_SORT_DEFAULTS
    names = {*defaults, "enabled", "kdamond_pid"}
    names |= {"commit_inputs"} if profile is not Profile.V5_18 else set()
    for since, newer in NEWER[module].items():
        names |= newer if profile.release >= Profile(since).release else set()
    return names


@every_profile
async def test_modules_there_are(profile: Profile) -> None:
    """Each release has its modules, with the parameters of its tables."""
    async with open_console(profile) as console:
        modules = {RECLAIM}
        modules |= {LRU_SORT} if profile is not Profile.V5_18 else set()
        modules |= {STAT} if profile in {Profile.V6_18, Profile.LATEST} else set()
        assert set(console.tree.listdir()) == modules
        for module in modules - {STAT}:
            assert set(console.names(module)) == _expected(module, profile)


@every_profile
async def test_122_defaults(profile: Profile) -> None:
    """122: defaults read back exactly, with nobody running."""
    async with open_console(profile) as console:
        tables = {RECLAIM: RECLAIM_DEFAULTS, LRU_SORT: LRU_SORT_DEFAULTS}
        for module in set(console.tree.listdir()) - {STAT}:
            for name, value in tables[module].items():
                assert console.tree.read(f"{module}/parameters/{name}") == b"%d\n" % value
            assert console.text(module, "kdamond_pid") == "-1"
            assert console.text(module, "enabled") == "N"


async def test_122_stat_defaults() -> None:
    """122: DAMON_STAT reads N and zeros, a hundred and one of them in one file."""
    async with open_console(Profile.LATEST) as console:
        assert console.text(STAT, "enabled") == "N"
        assert console.text(STAT, "kdamond_pid") == "-1"
        assert console.text(STAT, "memory_idle_ms_percentiles") == ",".join(["0"] * 101)
        assert console.number(STAT, "estimated_memory_bandwidth") == 0
        assert console.number(STAT, "aggr_interval_us") == 0


async def test_122_newer_defaults() -> None:
    """122: what only the newest release has is off, and an address is a byte."""
    async with open_console(Profile.LATEST) as console:
        for module in (RECLAIM, LRU_SORT):
            assert console.text(module, "autotune_monitoring_intervals") == "N"
            assert console.text(module, "addr_unit") == "1"
        assert console.text(RECLAIM, "skip_anon") == "N"
        assert console.number(RECLAIM, "quota_mem_pressure_us") == 0
        assert console.number(RECLAIM, "quota_autotune_feedback") == 0
        assert console.number(LRU_SORT, "active_mem_bp") == 0
        assert console.text(LRU_SORT, "filter_young_pages") == "N"


@every_profile
async def test_modes(profile: Profile) -> None:
    """Settings are 0600, counters and the pid 0400, directories 0755."""
    async with open_console(profile) as console:
        parameters = f"{RECLAIM}/parameters"
        assert console.tree.stat(parameters).mode == 0o755
        for name in console.names(RECLAIM):
            is_counter = name in {"kdamond_pid", "nr_quota_exceeds"} or "reclaim" in name
            assert console.tree.stat(f"{parameters}/{name}").mode == (
                0o400 if is_counter else 0o600
            )


@pytest.mark.parametrize("module", [RECLAIM, LRU_SORT, STAT])
async def test_123_on_and_off(module: str) -> None:
    """123: Y makes exactly one worker with a pid, N leaves none."""
    async with open_console(Profile.LATEST) as console:
        await console.enable(module)
        assert console.damon.nr_running == 1
        assert console.damon.running_exclusive
        assert console.number(module, "kdamond_pid") > 0
        assert console.text(module, "enabled") == "Y"
        await console.disable(module)
        assert console.damon.nr_running == 0
        assert console.text(module, "kdamond_pid") == "-1"
        assert console.text(module, "enabled") == "N"


@every_profile
async def test_124_words(profile: Profile) -> None:
    """124: `maybe` is EINVAL; a second Y, and an N while it is off, change nothing."""
    async with open_console(profile) as console:
        await console.refuses(RECLAIM, "enabled", "maybe", errno.EINVAL)
        await console.disable(RECLAIM)
        await console.enable(RECLAIM)
        pid = console.number(RECLAIM, "kdamond_pid")
        await console.enable(RECLAIM)
        assert console.number(RECLAIM, "kdamond_pid") == pid
        assert console.damon.nr_running == 1


BAD = [
    pytest.param(RECLAIM, {"aggr_interval": 0}, id="125 reclaim"),
    pytest.param(LRU_SORT, {"sample_interval": 0}, id="125 lru_sort"),
    pytest.param(RECLAIM, {"min_nr_regions": 2}, id="126 regions"),
    pytest.param(LRU_SORT, {"min_nr_regions": 2}, id="126 lru_sort"),
    pytest.param(
        RECLAIM, {"monitor_region_start": 8192, "monitor_region_end": 4096}, id="126 range"
    ),
    pytest.param(RECLAIM, {"min_nr_regions": 20, "max_nr_regions": 10}, id="crossed regions"),
    pytest.param(RECLAIM, {"sample_interval": 200_000}, id="long samples"),
    pytest.param(
        RECLAIM, {"monitor_region_start": 4096, "monitor_region_end": 4096}, id="empty range"
    ),
]


@honest_profile
@pytest.mark.parametrize(("module", "values"), BAD)
async def test_125_126_bad_parameters(
    module: str, values: dict[str, int], profile: Profile
) -> None:
    """125 and 126: bad parameters are stored, then Y is EINVAL and reads N."""
    async with open_console(profile) as console:
        console.put(module, **values)
        await console.refuses(module, "enabled", "Y", errno.EINVAL)
        assert console.text(module, "enabled") == "N"
        assert console.damon.nr_running == 0
        for name, value in values.items():
            assert console.number(module, name) == value


@pytest.mark.parametrize("profile", [p for p in Profile if p not in HONEST])
async def test_old_kernels_say_nothing(profile: Profile) -> None:
    """Before 6.2 a Y that cannot be carried out succeeds, and still reads N (5.1)."""
    async with open_console(profile) as console:
        console.put(RECLAIM, aggr_interval=0)
        await console.enable(RECLAIM)
        assert console.text(RECLAIM, "enabled") == "N"
        assert console.damon.nr_running == 0


@pytest.mark.parametrize(("unit", "number"), [(3, errno.EINVAL), (4096, 0), (8192, 0), (2, 0)])
async def test_addr_unit(unit: int, number: int) -> None:
    """A unit of 0 is EINVAL at the write, one that breaks pages only at the start (5.1)."""
    async with open_console() as console:
        await console.refuses(RECLAIM, "addr_unit", "0", errno.EINVAL)
        console.put(RECLAIM, addr_unit=unit)
        if number:
            await console.refuses(RECLAIM, "enabled", "Y", number)
            return
        await console.enable(RECLAIM)
        assert console.number(RECLAIM, "monitor_region_start") == GIB // unit
        assert console.number(RECLAIM, "monitor_region_end") == (GIB + 64 * MIB) // unit


@honest_profile
async def test_127_the_range_is_chosen(profile: Profile) -> None:
    """127: after Y the parameters hold the biggest range, or the newest kernel's span."""
    async with open_console(profile) as console:
        await console.enable(RECLAIM)
        start = MIB if profile is Profile.LATEST else GIB
        assert console.number(RECLAIM, "monitor_region_start") == start
        assert console.number(RECLAIM, "monitor_region_end") == GIB + 64 * MIB


async def test_127_a_given_range_stays() -> None:
    """127: a range that was given is monitored in whole pages, and reads as written."""
    async with open_console() as console:
        console.put(RECLAIM, monitor_region_start=GIB + 100, monitor_region_end=GIB + MIB + 100)
        await console.enable(RECLAIM)
        assert console.number(RECLAIM, "monitor_region_start") == GIB + 100
        region = console.running(RECLAIM).region
        assert (region.start, region.end) == (GIB, GIB + MIB + 4096)


@honest_profile
async def test_128_commit(profile: Profile) -> None:
    """128: a parameter counts from commit_inputs on, which then reads N."""
    async with open_console(profile) as console:
        await console.enable(RECLAIM)
        console.put(RECLAIM, min_age=1_000_000)

        def least() -> int:
            (scheme,) = console.kdamond.context.schemes
            return scheme.access_pattern.age.min

        await console.passes(3 * AGGR_US)
        assert least() == 1200
        await console.write(RECLAIM, "commit_inputs", "Y")
        await console.passes(2 * AGGR_US)
        assert least() == 10
        assert console.text(RECLAIM, "commit_inputs") == "N"
        assert console.text(RECLAIM, "enabled") == "Y"


async def test_129_schemes() -> None:
    """129: age from 1200 and no access at all; hot from 10 samples, 5 ms for each scheme."""
    async with open_console() as console:
        await console.enable(RECLAIM)
        pattern = console.kdamond.schemes.states[0].pattern
        assert pattern.min_age == 1200
        assert (pattern.min_nr_accesses, pattern.max_nr_accesses) == (0, 0)
        await console.disable(RECLAIM)
        await console.enable(LRU_SORT)
        hot, cold = console.kdamond.schemes.states
        assert hot.pattern.min_nr_accesses == 10
        assert cold.pattern.min_age == 1200
        assert [state.scheme.quotas.time_ms for state in (hot, cold)] == [5, 5]


@every_profile
async def test_130_watermarks(profile: Profile) -> None:
    """130: with much memory free nothing is tried; with less, cold regions are."""
    async with open_console(profile) as console:
        console.put(RECLAIM, min_age=1_000_000, wmarks_interval=1_000_000)
        console.gauge.free_permil = 501
        await console.enable(RECLAIM)
        await console.passes(10_000_000)
        assert console.number(RECLAIM, "nr_reclaim_tried_regions") == 0
        console.gauge.free_permil = 399
        await console.passes(10_000_000)
        tried = console.number(RECLAIM, "bytes_reclaim_tried_regions")
        assert tried > 0
        assert console.number(RECLAIM, "nr_reclaim_tried_regions") > 0
        # Nothing here can be paged out.
        assert console.number(RECLAIM, "bytes_reclaimed_regions") == 0
        await console.disable(RECLAIM)
        assert console.number(RECLAIM, "bytes_reclaim_tried_regions") == tried


@pytest.mark.parametrize("profile", [Profile.V6_18, Profile.LATEST])
async def test_131_stat(profile: Profile) -> None:
    """131: zeros for five seconds, then 101 numbers that do not fall."""
    async with open_console(profile) as console:
        await console.enable(STAT)
        await console.passes(5_000_000)
        assert console.text(STAT, "memory_idle_ms_percentiles") == ",".join(["0"] * 101)
        assert console.number(STAT, "estimated_memory_bandwidth") == 0
        await console.passes(2_000_000)
        text = console.text(STAT, "memory_idle_ms_percentiles")
        numbers = [int(each) for each in text.split(",")]
        assert len(numbers) == 101
        assert numbers == sorted(numbers)
        # An eighth of the memory, or a little less where gaps count, is in use.
        assert numbers[0] < 0 < numbers[-1]
        assert console.number(STAT, "estimated_memory_bandwidth") > 0
        assert console.number(STAT, "aggr_interval_us") >= AGGR_US


@honest_profile
async def test_104_modules_run_alone(profile: Profile) -> None:
    """104: while a module runs, everybody else is EBUSY, and starts once it ended."""
    async with open_console(profile) as console:
        await console.enable(RECLAIM)
        await console.refuses(LRU_SORT, "enabled", "Y", errno.EBUSY)
        assert console.text(LRU_SORT, "enabled") == "N"
        with pytest.raises(BusyError, match="exclusive"):
            await console.damon.start([Context(ops=Ops.PADDR)])
        await console.disable(RECLAIM)
        await console.enable(LRU_SORT)


@honest_profile
async def test_102_a_module_waits_for_nobody(profile: Profile) -> None:
    """102: while anything else runs, Y is EBUSY and reads N."""
    async with open_console(profile) as console:
        [kdamond] = await console.damon.start([Context(ops=Ops.PADDR)])
        await console.refuses(RECLAIM, "enabled", "Y", errno.EBUSY)
        await console.damon.stop([kdamond])
        await console.enable(RECLAIM)
