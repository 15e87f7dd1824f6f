from __future__ import annotations

import errno

import pytest

from damon_async.control.profiles import NEXT, Profile
from damon_async.params.monitoring import Context, Ops

from .consoles import (
    INTERVALS,
    MIB,
    C,
    K,
    Memory,
    S,
    T,
    since,
)
from .doors import OpenConsole

every_profile = pytest.mark.parametrize("profile", Profile)


@every_profile
async def test_off(profile: Profile, open_console: OpenConsole) -> None:
    """Stopping works once; a second time is EPERM before 7.2 (statements 70 to 72)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        await console.fails("off", errno.EINVAL, "never started")
        await console.state("on")
        assert await console.files.write_async(f"{K}/state", "off\n") == 4
        assert (console.text(f"{K}/state"), console.text(f"{K}/pid")) == ("off", "-1")
        if profile.release < NEXT:
            await console.fails("off", errno.EPERM, "ended already")
        else:
            await console.state("off")


@every_profile
async def test_context_removed_while_on(profile: Profile, open_console: OpenConsole) -> None:
    """Without its context directory a kdamond can still be stopped (statement 73)."""
    async with open_console(profile) as console:
        await console.start_vaddr()
        console.put(K, contexts__nr_contexts=0)
        if profile is not Profile.V5_18:
            await console.fails("commit", errno.EINVAL, "nr_contexts is 0")
        await console.fails("update_schemes_stats", errno.EINVAL, "nr_contexts is 0")
        assert console.is_on()
        await console.state("off")
        assert not console.is_on()


@every_profile
async def test_last_process_ends(profile: Profile, open_console: OpenConsole) -> None:
    """A kdamond ends with its last process and leaves all values (statements 74 to 76)."""
    async with open_console(profile) as console:
        console.processes.update({3: Memory(300_000), 4: Memory(600_000)})
        console.fresh(nr_schemes=1, nr_targets=2)
        console.put(f"{C}/targets", **{"0__pid_target": 3, "1__pid_target": 4})
        console.match_all(0)
        await console.state("on")
        await console.sleep_us(400_000)
        assert console.is_on()
        await console.state("update_schemes_stats")
        tried = console.number(f"{S}/stats/nr_tried")
        await console.sleep_us(400_000)
        assert (console.text(f"{K}/state"), console.text(f"{K}/pid")) == ("off", "-1")
        assert console.number(f"{C}/targets/1/pid_target") == 4
        assert console.number(f"{S}/stats/nr_tried") == tried > 0
        await console.fails("on", errno.EINVAL, "there is no process 3")
        console.put(f"{C}/targets", **{"0__pid_target": 1, "1__pid_target": 2})
        await console.state("on")


@every_profile
async def test_two_kdamonds(profile: Profile, open_console: OpenConsole) -> None:
    """Several kdamonds run together and stop apart (statement 77)."""
    async with open_console(profile) as console:
        console.put("kdamonds", nr_kdamonds=2)
        for number in (0, 1):
            base = f"kdamonds/{number}/contexts"
            console.put(base, nr_contexts=1)
            console.put(f"{base}/0", operations="paddr")
            await console.state("on", number)
        assert console.number(f"{K}/pid") != console.number("kdamonds/1/pid")
        await console.state("off", 0)
        assert (console.is_on(0), console.is_on(1)) == (False, True)
        console.refuses("kdamonds/nr_kdamonds", "2", errno.EBUSY)


@every_profile
async def test_counts_while_on(profile: Profile, open_console: OpenConsole) -> None:
    """While anything runs, only the kdamonds cannot be counted anew (26 to 29)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        for text in ("0", "1", "2"):
            console.refuses("kdamonds/nr_kdamonds", text, errno.EBUSY)
        console.refuses("kdamonds/nr_kdamonds", "-1", errno.EINVAL)
        console.put(T, regions__nr_regions=2)
        console.put(C, targets__nr_targets=0, schemes__nr_schemes=0)
        assert console.is_on()
        await console.state("off")
        console.put("kdamonds", nr_kdamonds=0)
        assert console.files.listdir("kdamonds") == ["nr_kdamonds"]


@every_profile
async def test_exclusive_users_keep_it_off(profile: Profile, open_console: OpenConsole) -> None:
    """While somebody runs alone, a start is EBUSY and files can be written (103, 104)."""
    async with open_console(profile) as console:
        console.fresh_vaddr()
        [alone] = await console.run(console.damon.start, [Context(ops=Ops.PADDR)], exclusive=True)
        await console.fails("on", errno.EBUSY, "exclusive")
        assert not console.is_on()
        console.put(INTERVALS, sample_us=1000)
        await console.run(console.damon.stop, [alone])
        await console.state("on")
        assert console.is_on()


@every_profile
async def test_it_keeps_exclusive_users_off(profile: Profile, open_console: OpenConsole) -> None:
    """While the tree runs anything, nobody can start alone (statement 102)."""
    async with open_console(profile) as console:
        await console.start_vaddr()
        with pytest.raises(Exception, match="cannot start") as raised:
            await console.run(console.damon.start, [Context(ops=Ops.PADDR)], exclusive=True)
        assert getattr(raised.value, "errno", None) == errno.EBUSY


@pytest.mark.parametrize("profile", since("6.18"))
async def test_units_of_addresses(profile: Profile, open_console: OpenConsole) -> None:
    """The smallest region of physical memory is a page in its own unit."""
    async with open_console(profile) as console:
        console.fresh(nr_targets=1)
        console.put(C, operations="paddr", addr_unit=8)
        console.put_regions([(0, 4 * MIB)])
        await console.state("on")
        context = console.kdamond.context
        assert (context.addr_unit, context.min_region_sz) == (8, 512)
        await console.state("off")
        console.put(C, addr_unit=3)
        await console.fails("on", errno.EINVAL, "power of two")


async def test_obsolete_targets_cannot_be_started(open_console: OpenConsole) -> None:
    """In the latest release a target that is to be removed cannot be started."""
    for profile, is_taken in ((Profile.V6_18, True), (Profile.LATEST, False)):
        async with open_console(profile) as console:
            console.fresh_vaddr()
            if is_taken:
                await console.state("on")
            else:
                console.put(T, obsolete_target="Y")
                await console.fails("on", errno.EINVAL, "obsolete")
