"""Statements 122 to 131 through both doors; in process more is tried in tests/modules."""

from __future__ import annotations

import errno

import pytest

from damon_async.control.profiles import Profile

from ..modules.test_statements import LRU_SORT_DEFAULTS, RECLAIM_DEFAULTS
from ..modules.worlds import AGGR_US, GIB, HONEST, LRU_SORT, MIB, RECLAIM, STAT, Console
from .module_doors import OpenModules

every_profile = pytest.mark.parametrize("profile", list(Profile))
honest_profile = pytest.mark.parametrize("profile", HONEST)
acting_module = pytest.mark.parametrize("module", [RECLAIM, LRU_SORT])


@every_profile
async def test_defaults(profile: Profile, open_modules: OpenModules) -> None:
    """Defaults read back exactly, and nobody runs (statement 122)."""
    async with open_modules(profile) as console:
        tables = {RECLAIM: RECLAIM_DEFAULTS, LRU_SORT: LRU_SORT_DEFAULTS}
        for module in [RECLAIM] if profile is Profile.V5_18 else tables:
            names = console.names(module)
            assert set(names) > set(tables[module])
            found = {name: console.text(module, name) for name in names}
            assert (found["kdamond_pid"], found["enabled"]) == ("-1", "N")
            assert {name: int(found[name]) for name in tables[module]} == tables[module]


async def test_stat_defaults(open_modules: OpenModules) -> None:
    """DAMON_STAT is off, and all its percentiles are 0 (statement 122)."""
    async with open_modules(Profile.LATEST) as console:
        assert console.text(STAT, "enabled") == "N"
        assert console.text(STAT, "kdamond_pid") == "-1"
        assert console.text(STAT, "memory_idle_ms_percentiles") == ",".join(["0"] * 101)


@acting_module
async def test_on_and_off(module: str, open_modules: OpenModules) -> None:
    """Y makes exactly one worker with a pid, and N leaves none (statement 123)."""
    async with open_modules() as console:
        await console.enable(module)
        assert console.damon.nr_running == 1
        assert console.number(module, "kdamond_pid") > 0
        assert console.text(module, "enabled") == "Y"
        await console.disable(module)
        assert console.damon.nr_running == 0
        assert console.text(module, "kdamond_pid") == "-1"
        assert console.text(module, "enabled") == "N"


@every_profile
async def test_words(profile: Profile, open_modules: OpenModules) -> None:
    """`maybe` is EINVAL, and a second Y succeeds and leaves the pid (statement 124)."""
    async with open_modules(profile) as console:
        await console.refuses(RECLAIM, "enabled", "maybe", errno.EINVAL)
        await console.enable(RECLAIM)
        pid = console.number(RECLAIM, "kdamond_pid")
        await console.enable(RECLAIM)
        assert console.number(RECLAIM, "kdamond_pid") == pid
        assert console.damon.nr_running == 1


@honest_profile
@pytest.mark.parametrize(
    ("module", "values"),
    [
        (RECLAIM, {"aggr_interval": 0}),
        (LRU_SORT, {"sample_interval": 0}),
        (RECLAIM, {"min_nr_regions": 2}),
        (LRU_SORT, {"min_nr_regions": 2}),
        (RECLAIM, {"monitor_region_start": 8192, "monitor_region_end": 4096}),
    ],
)
async def test_bad_parameters(
    module: str, values: dict[str, int], profile: Profile, open_modules: OpenModules
) -> None:
    """Bad parameters are stored; then Y is EINVAL, and reads N (statements 125, 126)."""
    async with open_modules(profile) as console:
        console.put(module, **values)
        assert {name: console.number(module, name) for name in values} == values
        await console.refuses(module, "enabled", "Y", errno.EINVAL)
        assert console.text(module, "enabled") == "N"
        assert console.damon.nr_running == 0


@honest_profile
async def test_chosen_range(profile: Profile, open_modules: OpenModules) -> None:
    """A range of zeros reads as the chosen one after Y (statement 127)."""
    async with open_modules(profile) as console:
        await console.enable(RECLAIM)
        start = MIB if profile is Profile.LATEST else GIB
        assert console.number(RECLAIM, "monitor_region_start") == start
        assert console.number(RECLAIM, "monitor_region_end") == GIB + 64 * MIB


def _least_age(console: Console) -> int:
    """Return from which age on, in aggregations, the only scheme acts."""
    (scheme,) = console.kdamond.context.schemes
    return scheme.access_pattern.age.min


@honest_profile
async def test_commit(profile: Profile, open_modules: OpenModules) -> None:
    """A parameter counts only from commit_inputs on, which then reads N (statement 128)."""
    async with open_modules(profile) as console:
        await console.enable(RECLAIM)
        console.put(RECLAIM, min_age=1_000_000)
        await console.passes(3 * AGGR_US)
        assert _least_age(console) == 1200
        await console.write(RECLAIM, "commit_inputs", "Y")
        await console.passes(2 * AGGR_US)
        assert _least_age(console) == 10
        assert console.text(RECLAIM, "commit_inputs") == "N"
        assert console.text(RECLAIM, "enabled") == "Y"


async def test_thresholds(open_modules: OpenModules) -> None:
    """Idle is an age of 1200 and no access; hot are 10 samples, in 5 ms each (statement 129)."""
    async with open_modules() as console:
        await console.enable(RECLAIM)
        (state,) = console.kdamond.schemes.states
        assert state.pattern.min_age == 1200
        assert (state.pattern.min_nr_accesses, state.pattern.max_nr_accesses) == (0, 0)
        await console.disable(RECLAIM)
        await console.enable(LRU_SORT)
        hot, cold = console.kdamond.schemes.states
        assert hot.pattern.min_nr_accesses == 10
        assert [state.scheme.quotas.time_ms for state in (hot, cold)] == [5, 5]


async def test_watermarks(open_modules: OpenModules) -> None:
    """With much memory free nothing is tried, and with less something (statement 130)."""
    async with open_modules() as console:
        console.put(RECLAIM, min_age=1_000_000, wmarks_interval=1_000_000)
        console.gauge.free_permil = 501
        await console.enable(RECLAIM)
        await console.passes(5_000_000)
        assert console.number(RECLAIM, "nr_reclaim_tried_regions") == 0
        console.gauge.free_permil = 399
        await console.passes(5_000_000)
        assert console.number(RECLAIM, "nr_reclaim_tried_regions") > 0


async def test_percentiles(open_modules: OpenModules) -> None:
    """After five seconds there are 101 numbers that do not fall (statement 131)."""
    async with open_modules() as console:
        await console.enable(STAT)
        await console.passes(5_000_000)
        assert console.text(STAT, "memory_idle_ms_percentiles") == ",".join(["0"] * 101)
        await console.passes(2_000_000)
        text = console.text(STAT, "memory_idle_ms_percentiles")
        numbers = [int(each) for each in text.split(",")]
        assert len(numbers) == 101
        assert numbers == sorted(numbers)
        assert numbers[0] < numbers[-1]
