from __future__ import annotations

import errno

from damon_async.control.pids import FIRST_PID
from damon_async.control.profiles import Profile
from damon_async.params.monitoring import Context, Ops

from .consoles import INTERVALS, K, Memory
from .debug_consoles import every_profile, open_debug as open_in_process
from .debug_doors import OpenDebug


@every_profile
async def test_sysfs_keeps_it_off(profile: Profile, open_debug: OpenDebug) -> None:
    """While sysfs runs anything the switch reads as on, and on is EBUSY (102, 120)."""
    async with open_debug(profile) as console:
        await console.sysfs.start_vaddr()
        assert console.is_on()
        assert console.text("kdamond_pid") == "none\n"
        console.put(target_ids="1")
        await console.cannot_turn("on", errno.EBUSY, "contexts are running")
        await console.cannot_turn("off", errno.EPERM)
        console.refuses("mk_contexts", "foo", errno.EBUSY)
        console.refuses("rm_contexts", "foo", errno.EBUSY)
        # Its own context does not run, so its files are free.
        console.put(attrs="1 2 3 4 5", init_regions="0 0 4096")
        assert console.text("init_regions") == "0 0 4096\n"
        await console.sysfs.state("off")
        assert not console.is_on()
        await console.turn("on")


@every_profile
async def test_it_keeps_sysfs_off(profile: Profile, open_debug: OpenDebug) -> None:
    """While it is on a sysfs start is EBUSY, and sysfs files can be written (statement 103)."""
    async with open_debug(profile) as console:
        console.put(target_ids="1")
        await console.turn("on")
        console.sysfs.fresh_vaddr()
        await console.sysfs.fails("on", errno.EBUSY, "exclusive")
        assert not console.sysfs.is_on()
        console.sysfs.put(INTERVALS, sample_us=1000)
        assert console.sysfs.number(f"{INTERVALS}/sample_us") == 1000
        await console.turn("off")
        await console.sysfs.state("on")
        assert console.sysfs.number(f"{K}/pid") == FIRST_PID + 1


@every_profile
async def test_last_of_two_contexts(profile: Profile, open_debug: OpenDebug) -> None:
    """When one of two contexts ends by itself, sysfs waits for the other (statement 105)."""
    async with open_debug(profile) as console:
        console.processes.update({3: Memory(300_000), 4: Memory(700_000)})
        console.put(mk_contexts="foo", target_ids="3", foo__target_ids="4")
        await console.turn("on")
        console.sysfs.fresh_vaddr()
        await console.sleep_us(500_000)
        assert console.damon.nr_running == 1
        await console.sysfs.fails("on", errno.EBUSY, "exclusive group of 1")
        await console.sleep_us(500_000)
        assert not console.is_on()
        await console.sysfs.state("on")


async def test_any_exclusive_user() -> None:
    """Others who run alone keep it off, and are seen in the switch."""
    async with open_in_process() as console:
        console.put(target_ids="1")
        [alone] = await console.damon.start([Context(ops=Ops.PADDR)], exclusive=True)
        assert console.is_on()
        await console.cannot_turn("on", errno.EBUSY, "exclusive")
        await console.damon.stop([alone])
        await console.turn("on")
