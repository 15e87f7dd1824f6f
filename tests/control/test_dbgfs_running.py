from __future__ import annotations

import asyncio
import errno

import pytest

from damon_async.control.dbgfs import dbgfs_tree
from damon_async.control.live import TreePortal
from damon_async.control.pids import FIRST_PID
from damon_async.control.profiles import Profile
from damon_async.control.world import World
from damon_async.engine.clock import RealClock
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import NoMemoryError
from damon_async.monitor.monitor import Monitor
from damon_async.params.monitoring import Context, Ops

from .consoles import HEAP, MIB, Memory, quiet
from .debug_consoles import STAT_ALL, DebugConsole, every_profile, open_debug as open_in_process
from .debug_doors import OpenDebug


def stats(console: DebugConsole, path: str = "schemes", index: int = 0) -> list[int]:
    """Return the five statistics of a scheme."""
    return [int(word) for word in console.text(path).splitlines()[index].split()[18:]]


@every_profile
async def test_targets_are_needed(profile: Profile, open_debug: OpenDebug) -> None:
    """Unless every context has a target, nothing starts (statement 117)."""
    async with open_debug(profile) as console:
        await console.cannot_turn("on", errno.EINVAL, "the root has no targets")
        console.put(target_ids="1", mk_contexts="foo")
        await console.cannot_turn("on", errno.EINVAL, "foo has no targets")
        assert not console.is_on()
        assert console.damon.nr_running == 0
        console.put(foo__target_ids="paddr")
        await console.turn("on")
        assert console.damon.nr_running == 2


@every_profile
async def test_running(profile: Profile, open_debug: OpenDebug) -> None:
    """While contexts run their files can be read, and nothing can be changed (statement 118)."""
    async with open_debug(profile) as console:
        console.put(mk_contexts="foo", target_ids="1", schemes=STAT_ALL)
        console.put(foo__target_ids="1 2", foo__init_regions="0 0 4096")
        await console.turn(" on\n")
        assert console.is_on()
        assert console.text("kdamond_pid") == f"{FIRST_PID}\n"
        assert console.text("foo/kdamond_pid") == f"{FIRST_PID + 1}\n"
        for base in ("", "foo/"):
            console.refuses(f"{base}attrs", "1 2 3 4 5", errno.EBUSY)
            console.refuses(f"{base}schemes", STAT_ALL, errno.EBUSY)
            console.refuses(f"{base}target_ids", "1", errno.EBUSY)
            console.refuses(f"{base}init_regions", "0 0 4096", errno.EBUSY)
            console.cannot_read(f"{base}init_regions", errno.EBUSY)
            assert console.text(f"{base}attrs") == "5000 100000 60000000 10 1000\n"
        assert console.text("foo/target_ids") == "1 2\n"
        console.refuses("mk_contexts", "bar", errno.EBUSY)
        console.refuses("mk_contexts", "foo", errno.EBUSY)
        console.refuses("rm_contexts", "foo", errno.EBUSY)
        await console.cannot_turn("on", errno.EBUSY, "exclusive")
        assert console.is_on()


@every_profile
async def test_text_is_looked_at_first(profile: Profile, open_debug: OpenDebug) -> None:
    """What cannot be meant is refused as that, also while all is busy (4.3)."""
    async with open_debug(profile) as console:
        console.put(target_ids="1")
        await console.turn("on")
        console.refuses("attrs", "1 2 3 4", errno.EINVAL)
        console.refuses("attrs", "1 2 3 2 5", errno.EBUSY)
        console.refuses("schemes", STAT_ALL.replace(" 5 ", " 6 ", 1), errno.EINVAL)
        console.refuses("target_ids", "99", errno.ENOMEM)
        console.refuses("init_regions", "9 0 4096", errno.EBUSY)
        console.refuses("mk_contexts", " ", errno.EINVAL)
        await console.cannot_turn("foo", errno.EINVAL)


@every_profile
async def test_off(profile: Profile, open_debug: OpenDebug) -> None:
    """Turned off, processes are let go, and once is enough (statement 119)."""
    async with open_debug(profile) as console:
        console.put(target_ids="1", schemes=STAT_ALL, attrs="1000 2000 3000 5 50")
        await console.turn("on")
        assert await console.files.write_async(console.switch, "off\n") == 4
        assert not console.is_on()
        assert console.text("kdamond_pid") == "none\n"
        assert console.text("target_ids") == "\n"
        assert console.text("attrs") == "1000 2000 3000 5 50\n"
        assert console.text("schemes") == f"{STAT_ALL} 0 0 0 0 0\n"
        await console.cannot_turn("off", errno.EPERM)
        await console.cannot_turn("foo", errno.EINVAL)
        await console.cannot_turn("on", errno.EINVAL, "no targets")


@every_profile
async def test_off_before_on(profile: Profile, open_debug: OpenDebug) -> None:
    """What was never turned on cannot be turned off (4.5)."""
    async with open_debug(profile) as console:
        await console.cannot_turn("off", errno.EPERM, "does not run")


@every_profile
async def test_physical_memory_stays(profile: Profile, open_debug: OpenDebug) -> None:
    """After the end physical memory is still the target, but has no regions (4.5)."""
    async with open_debug(profile) as console:
        console.put(target_ids="paddr")
        console.put(init_regions=f"0 {HEAP} {HEAP + 64 * MIB}")
        await console.turn("on")
        await console.turn("off")
        assert console.text("target_ids") == "42\n"
        assert not console.text("init_regions")
        await console.turn("on")
        await console.sleep_us(300_000)
        # None are chosen automatically.
        (kdamond,) = console.damon.kdamonds
        assert kdamond.statistics().nr_snapshots > 0
        await console.turn("off")


@every_profile
async def test_ends_by_itself(profile: Profile, open_debug: OpenDebug) -> None:
    """When its last process ends a context has no targets left (4.5)."""
    async with open_debug(profile) as console:
        console.processes[3] = Memory(lifetime_us=300_000)
        console.put(target_ids="3")
        await console.turn("on")
        await console.sleep_us(250_000)
        assert console.is_on()
        assert console.text("target_ids") == "3\n"
        await console.sleep_us(250_000)
        assert not console.is_on()
        assert console.text("target_ids") == "\n"
        console.put(target_ids="1")
        await console.turn("on")


@every_profile
async def test_off_stops_at_one_that_has_ended(profile: Profile, open_debug: OpenDebug) -> None:
    """The first context that does not run is EPERM, and later ones go on (4.5)."""
    async with open_debug(profile) as console:
        console.processes[3] = Memory(lifetime_us=300_000)
        console.put(mk_contexts="a", target_ids="1", a__target_ids="3")
        console.put(mk_contexts="b")
        console.put(b__target_ids="2")
        await console.turn("on")
        await console.sleep_us(500_000)
        await console.cannot_turn("off", errno.EPERM, "a does not run")
        assert console.text("kdamond_pid") == "none\n"
        assert console.text("b/kdamond_pid") == f"{FIRST_PID + 2}\n"
        assert console.is_on()
        await console.cannot_turn("off", errno.EPERM, "the root does not run")
        console.refuses("b/attrs", "1 2 3 4 5", errno.EBUSY)
        # What is over is free again.
        console.put(a__attrs="1 2 3 4 5")


@every_profile
async def test_statistics_are_live(profile: Profile, open_debug: OpenDebug) -> None:
    """Statistics grow as they are read, without any command (4.3)."""
    async with open_debug(profile) as console:
        console.put(target_ids="1", schemes=f"{STAT_ALL}\n{STAT_ALL}")
        await console.turn("on")
        assert stats(console) == [0] * 5
        seen = []
        for _ in range(3):
            await console.sleep_us(200_000)
            seen.append(stats(console))
            assert stats(console, index=1) == seen[-1]
        tried = [each[0] for each in seen]
        assert 0 < tried[0] < tried[1] < tried[2]
        assert all(each[2:] == [0, 0, 0] for each in seen)
        await console.turn("off")
        # What it did last may have been after it was read.
        assert stats(console)[0] >= tried[-1]


async def test_statistics_go_on(open_debug: OpenDebug) -> None:
    """A scheme keeps counting over runs, until schemes are written anew."""
    async with open_debug() as console:
        console.put(target_ids="1", schemes=STAT_ALL)
        await console.turn("on")
        await console.sleep_us(300_000)
        await console.turn("off")
        first = stats(console)[0]
        console.put(target_ids="1")
        await console.turn("on")
        assert stats(console)[0] == first > 0
        await console.sleep_us(300_000)
        assert stats(console)[0] > first
        await console.turn("off")
        console.put(schemes=STAT_ALL)
        assert stats(console) == [0] * 5


async def test_statistics_of_schemes_taken_away() -> None:
    """If somebody commits fewer schemes in the program, the others show what they had."""
    async with open_in_process() as console:
        console.put(target_ids="1", schemes=f"{STAT_ALL}\n{STAT_ALL}")
        await console.turn("on")
        await console.clock.sleep_us(300_000)
        (kdamond,) = console.damon.kdamonds
        less = kdamond.context.model_copy(update={"schemes": kdamond.context.schemes[:1]})
        await kdamond.commit(less)
        assert stats(console)[0] > 0
        assert stats(console, index=1) == [0] * 5


async def test_what_the_engine_gets(open_debug: OpenDebug) -> None:
    """The files of a context are what the engine runs (4.3)."""
    async with open_debug() as console:
        console.put(attrs="1000 20000 300000 5 50", target_ids="1 2", schemes=STAT_ALL)
        console.put(init_regions="1 4096 8192 1 8192 20000")
        await console.turn("on")
        context = console.damon.kdamonds[0].context
        assert context.ops is Ops.VADDR
        assert vars(context.nr_regions) == {"min": 5, "max": 50}
        intervals = context.intervals
        assert (intervals.sample_us, intervals.aggr_us) == (1000, 20_000)
        assert intervals.update_us == 300_000
        assert [target.pid for target in context.targets] == [1, 2]
        ranges = [[(each.start, each.end) for each in t.regions] for t in context.targets]
        assert ranges == [[], [(4096, 8192), (8192, 20480)]]
        assert len(context.schemes) == 1


async def test_group_that_starts_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts before one that cannot be started run, and can be seen (2.9)."""
    async with open_in_process() as console:
        console.put(mk_contexts="foo", target_ids="1", foo__target_ids="2")
        made: list[Context] = []

        def new_monitor(self: Damon, context: Context) -> Monitor:
            made.append(context)
            if len(made) == 2:
                raise NoMemoryError("regions")
            return original(self, context)

        original = Damon._new_monitor
        monkeypatch.setattr(Damon, "_new_monitor", new_monitor)
        await console.cannot_turn("on", errno.ENOMEM)
        assert console.is_on()
        assert console.text("kdamond_pid") == f"{FIRST_PID}\n"
        assert console.text("foo/kdamond_pid") == "none\n"
        console.refuses("attrs", "1 2 3 4 5", errno.EBUSY)
        await console.cannot_turn("off", errno.EPERM, "foo does not run")
        assert not console.is_on()


async def test_changes_during_a_start() -> None:
    """While a start is under way nothing of the group can be changed."""
    async with open_in_process() as console:
        console.put(mk_contexts="foo", target_ids="1", foo__target_ids="2")
        starting = asyncio.create_task(console.turn("on"))
        for _ in range(9):
            await asyncio.sleep(0)
            if console.damon.nr_running:
                break
        assert console.damon.nr_running == 2
        assert not starting.done()
        console.refuses("foo/attrs", "1 2 3 4 5", errno.EBUSY)
        console.refuses("rm_contexts", "foo", errno.EBUSY)
        stopping = asyncio.create_task(console.turn("off"))
        await asyncio.gather(starting, stopping)
        assert not console.is_on()


@pytest.mark.parametrize("word", ["on", "off"])
async def test_cancelled_words(word: str) -> None:
    """A word that is cancelled leaves nothing half done that the next could not mend."""
    for nr_turns in range(5):
        async with open_in_process() as console:
            console.put(target_ids="paddr")
            if word == "off":
                await console.turn("on")
            task = asyncio.create_task(console.turn(word))
            for _ in range(nr_turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0)
            is_running = console.damon.nr_running == 1
            assert (console.text("kdamond_pid") != "none\n") == is_running
            await console.turn("off" if is_running else "on")


async def test_held_time() -> None:
    """A tree that holds time does so from on to off."""
    async with open_in_process(holds_time=True) as console:
        console.put(target_ids="1")
        await console.turn("on")
        sleeping = asyncio.create_task(console.clock.sleep_us(1000))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not sleeping.done()
        await console.turn("off")
        await sleeping
        await console.cannot_turn("on", errno.EINVAL)
        await console.clock.sleep_us(1000)
        console.put(target_ids="1")
        await console.turn("on")
        console.behavior.close()
        await console.clock.sleep_us(1000)
        assert repr(console.behavior) == "<Dbgfs 6.12, 1 of 1 running>"


async def test_portal() -> None:
    """From another thread the tree is the same, and an open file takes one write."""
    clock = VirtualClock()
    world = World(process={1: Memory()}.get)

    def work(portal: TreePortal) -> None:
        portal.write("mk_contexts", "foo")
        portal.write("target_ids", "1")
        portal.write("foo/target_ids", "1")
        handle = portal.open("attrs", for_writing=True)
        assert portal.write_open(handle, b"1 2 3 4 5\n", 0) == 10
        with pytest.raises(OSError, match="open it again"):
            portal.write_open(handle, b"2 3 4 5 6\n", 10)
        assert portal.read_open(handle, 2) == b"2 3 4 5\n"
        portal.write("monitor_on", "on\n")
        assert portal.read("monitor_on") == b"on\n"
        with pytest.raises(OSError, match="is running"):
            portal.write("rm_contexts", "foo")
        portal.write("monitor_on", "off\n")
        assert ("foo", True) in portal.entries()

    with quiet():
        async with Damon(clock=clock, seed=7) as damon:
            tree = dbgfs_tree(damon, "6.1", world)
            async with TreePortal(tree) as portal:
                await asyncio.to_thread(work, portal)


async def test_real_clock() -> None:
    """With a real clock all is the same."""
    with quiet():
        async with Damon(clock=RealClock(), seed=7) as damon:
            tree = dbgfs_tree(damon, "6.1", World(process={1: Memory()}.get))
            tree.write("target_ids", "1")
            await tree.write_async("monitor_on", "on")
            assert tree.read("monitor_on") == b"on\n"
            await tree.write_async("monitor_on", "off")
            assert tree.read("target_ids") == b"\n"


async def test_plain_writes_do_not_wait() -> None:
    """A plain write to the switch is EAGAIN, unless the word is wrong already."""
    async with open_in_process() as console:
        console.refuses(console.switch, "on", errno.EAGAIN)
        console.refuses(console.switch, "onn", errno.EINVAL)
        assert not console.is_on()
