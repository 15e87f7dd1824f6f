from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import cached_property

import pytest
from anyio import to_thread

from damon_async.control.admin import ADMIN
from damon_async.control.live import TreePortal, live_tree
from damon_async.control.node import Branch, File
from damon_async.control.profiles import Profile
from damon_async.control.state import State
from damon_async.control.tree import Tree
from damon_async.control.values import Value
from damon_async.control.world import World
from damon_async.engine.clock import RealClock
from damon_async.engine.engine import Damon
from damon_async.engine.holding import TimeHold
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.params.monitoring import Context, Ops

from .consoles import (
    HEAP,
    INTERVALS,
    SAMPLE_US,
    C,
    Console,
    K,
    Memory,
    S,
    T,
    open_console,
    quiet,
    since,
)


@pytest.mark.parametrize("profile", since("6.14"))
async def test_waiting_keeps_the_lock(profile: Profile) -> None:
    """In new releases, others get EBUSY while a command waits (0.5)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(console.state("update_schemes_stats"))
            await asyncio.sleep(0)
            assert not waiting.done()
            await console.fails("update_schemes_stats", errno.EBUSY, "interface lock")
            with pytest.raises(OSError, match="interface lock"):
                console.tree.read(f"{K}/pid")
            with pytest.raises(OSError, match="interface lock"):
                console.put(T, regions__nr_regions=1)
            # Plain files take no lock.
            console.put(S, action="stat")
        assert console.is_on()


@pytest.mark.parametrize("profile", since("5.19", "6.14"))
async def test_waiting_lends_the_lock(profile: Profile) -> None:
    """In old releases, others can look while a command waits, but not command (0.5)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(console.state("update_schemes_stats"))
            await asyncio.sleep(0)
            assert not waiting.done()
            assert console.is_on()
            await console.fails("commit", errno.EBUSY, "not answered yet")
            console.refuses("kdamonds/nr_kdamonds", "1", errno.EBUSY)
            console.put(C, schemes__nr_schemes=0)
        assert not console.tree.lock.is_held


@pytest.mark.parametrize("profile", since("5.19", "6.14"))
async def test_stopped_while_a_command_waits(profile: Profile) -> None:
    """In old releases a command whose kdamond ends meanwhile succeeds and does nothing (2.7)."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(console.state("update_schemes_stats"))
            await asyncio.sleep(0)
            await console.state("off")
        assert console.number(f"{S}/stats/nr_tried") == 0
        assert not console.tree.lock.is_held


async def test_engine_stopped_while_a_command_waits() -> None:
    """In new releases a command whose kdamond ends meanwhile is ECANCELED (2.7)."""
    async with open_console() as console:
        await console.start_vaddr(nr_schemes=1)
        kdamond = console.kdamond
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(console.fails("update_schemes_stats", errno.ECANCELED))
            await asyncio.sleep(0)
            kdamond.stop_nowait()
        assert not console.is_on()


@pytest.mark.parametrize("word", ["update_schemes_stats", "update_schemes_tried_regions", "commit"])
@pytest.mark.parametrize("profile", [Profile.V6_12, Profile.V6_18])
async def test_cancelled_commands(profile: Profile, word: str) -> None:
    """A command that is cancelled leaves nothing held, and the next one works."""
    async with open_console(profile) as console:
        await console.start_vaddr(nr_schemes=1)
        for nr_turns in range(4):
            task = asyncio.create_task(console.state(word))
            for _ in range(nr_turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert not console.tree.lock.is_held
            await console.state(word)
        assert console.is_on()


async def test_commands_take_the_time_they_need() -> None:
    """With a virtual clock, a command moves time to where it is handled, and no further."""
    async with open_console() as console:
        await console.start_vaddr(nr_schemes=1)
        await console.state("update_schemes_stats")
        assert console.clock.now_us() == SAMPLE_US
        await console.state("update_schemes_tried_bytes")
        assert console.clock.now_us() == 100_000
        for _ in range(50):
            await asyncio.sleep(0)
        assert console.clock.now_us() == 100_000
        await console.state("off")
        assert console.clock.now_us() == 100_000


def _start(write: Callable[[str, str], object]) -> None:
    """Start monitoring process 1 through whatever door *write* is."""
    write("kdamonds/nr_kdamonds", "1")
    write(f"{K}/contexts/nr_contexts", "1")
    write(f"{C}/targets/nr_targets", "1")
    write(f"{C}/schemes/nr_schemes", "1")
    for name in ("sz", "nr_accesses", "age"):
        write(f"{S}/access_pattern/{name}/max", "4294967295")
    write(f"{T}/pid_target", "1")
    write(f"{K}/state", "on")


async def test_portal() -> None:
    """From another thread the whole tree is there, and errors are the same."""
    clock = VirtualClock()
    world = World(process={1: Memory()}.get)
    with quiet():
        async with Damon(clock=clock, seed=7) as damon:
            tree = live_tree(damon, "6.18", world, holds_time=True)

            def work(portal: TreePortal) -> None:
                _start(portal.write)
                assert portal.read(f"{K}/state") == b"on\n"
                portal.write(f"{K}/state", "update_schemes_tried_regions")
                assert portal.read(f"{S}/tried_regions/0/start") == b"%d\n" % HEAP
                assert portal.stat(f"{S}/tried_regions/0").is_dir
                assert "0" in portal.listdir(f"{S}/tried_regions")
                handle = portal.open(f"{K}/state", for_writing=True)
                assert portal.write_open(handle, "off\n") == 4
                assert portal.read_open(handle) == b"off\n"
                with pytest.raises(PermissionError, match="read-only"):
                    portal.write(f"{K}/pid", "1")

            async with TreePortal(tree) as portal:
                assert repr(portal) == "<TreePortal of <Tree admin of 6.18>>"
                await to_thread.run_sync(work, portal)
    # Held time went as far as the update needed.
    assert clock.now_us() == 100_000


async def test_threads_at_once() -> None:
    """Many threads read whole values only, each sees its own writes, and none is lost."""
    nr_threads, nr_writes = 8, 50
    with quiet():
        async with Damon(clock=VirtualClock(), seed=7) as damon:
            tree = live_tree(damon)
            tree.write("kdamonds/nr_kdamonds", "1")
            tree.write(f"{K}/contexts/nr_contexts", "1")
            tree.write(f"{C}/targets/nr_targets", str(nr_threads))
            texts = {b"%d\n" % (index * 1111) for index in range(nr_threads)} | {b"5000\n"}

            def work(portal: TreePortal, index: int) -> None:
                own = f"{C}/targets/{index}/pid_target"
                for number in range(nr_writes):
                    portal.write(f"{INTERVALS}/sample_us", str(index * 1111))
                    assert portal.read(f"{INTERVALS}/sample_us") in texts
                    portal.write(own, str(number))
                    assert portal.read(own) == b"%d\n" % number

            async with TreePortal(tree) as portal, asyncio.TaskGroup() as tasks:
                for index in range(nr_threads):
                    tasks.create_task(to_thread.run_sync(work, portal, index))
            last = [tree.read(f"{C}/targets/{index}/pid_target") for index in range(nr_threads)]
            assert last == [b"%d\n" % (nr_writes - 1)] * nr_threads


class Noted(State):
    """Tells when a command has begun."""

    async def write(self, branch: Branch, file: File, value: Value) -> None:
        if value == "update_schemes_stats":
            self.has_begun.set()
        await super().write(branch, file, value)

    @cached_property
    def has_begun(self) -> asyncio.Event:
        return asyncio.Event()


async def test_held_time() -> None:
    """A tree that holds time lets it go when nothing runs, however that came about."""
    clock = VirtualClock()
    with quiet():
        async with Damon(clock=clock, seed=7) as damon:
            tree = live_tree(damon, world=World(process={1: Memory()}.get), holds_time=True)
            console = Console(tree, damon, clock)
            console.fresh_vaddr()
            [alone] = await damon.start([Context(ops=Ops.PADDR)], exclusive=True)
            await console.fails("on", errno.EBUSY)
            await clock.sleep_us(1000)
            await damon.stop([alone])
            await console.state("on")
            for _ in range(50):
                await asyncio.sleep(0)
            assert clock.now_us() == 1000
            await console.state("off")
            await clock.sleep_us(1000)
            assert clock.now_us() == 2000


async def test_portal_ends() -> None:
    """A command that waits when the portal is closed is cancelled."""
    world = World(process={1: Memory()}.get)
    with quiet():
        async with Damon(clock=RealClock(), seed=7) as damon:
            behavior = Noted(damon, world=world)
            tree = Tree(ADMIN, behavior=behavior)

            def work(portal: TreePortal) -> None:
                _start(portal.write)
                portal.write(f"{K}/state", "off")
                for name in ("aggr_us", "sample_us"):
                    portal.write(f"{INTERVALS}/{name}", str(3600 * 10**6))
                portal.write(f"{K}/state", "on")
                # It would be handled in an hour.
                with pytest.raises(CancelledError, match=r"^$"):
                    portal.write(f"{K}/state", "update_schemes_stats")

            async with asyncio.TaskGroup() as tasks, TreePortal(tree) as portal:
                tasks.create_task(to_thread.run_sync(work, portal))
                await behavior.has_begun.wait()
            assert not tree.lock.is_held


async def test_real_clock() -> None:
    """With a real clock a command waits for the next sampling, as long as it takes."""
    with quiet():
        async with Damon(clock=RealClock(), seed=7) as damon:
            tree = live_tree(damon, world=World(process={1: Memory()}.get))
            console = Console(tree, damon, VirtualClock())
            console.fresh_vaddr(nr_schemes=1)
            await console.state("on")
            await console.state("update_schemes_stats")
            assert console.is_on()
            await console.state("off")
            assert not console.is_on()


async def test_kdamonds_of_directories() -> None:
    """The kdamond behind a directory can be asked for."""
    async with open_console() as console:
        console.fresh_vaddr()
        behavior = console.state_behind
        directory = console.tree.root.below(K)
        assert behavior.kdamond(directory) is None
        await console.state("on")
        assert behavior.kdamond(directory) is console.kdamond
        assert repr(behavior) == "<State 6.18, 1 running>"
        behavior.close()


async def test_commands_can_be_given_up() -> None:
    """Whoever waits through a portal may stop to wait, and the command ends before he is told."""
    world = World(process={1: Memory()}.get)
    with quiet():
        async with Damon(clock=VirtualClock(), seed=7) as damon:
            behavior = Noted(damon, world=world, holds_time=True)
            tree = Tree(ADMIN, behavior=behavior)
            hold = TimeHold(damon.clock, "the test")

            def work(portal: TreePortal) -> None:
                _start(portal.write)
                portal.write(f"{INTERVALS}/sample_us", "1234")
                portal._portal.call(hold.take)
                handle = portal.open(f"{K}/state", for_writing=True)
                with pytest.raises(InterruptedError, match="nobody waits for state any more"):
                    portal.write_open(
                        handle, "update_schemes_stats", is_given_up=behavior.has_begun.is_set
                    )
                assert not tree.lock.is_held
                portal._portal.call(hold.release)
                # It is not given up if it is answered before.
                given_up = portal.write_open(handle, "commit", is_given_up=lambda: False)
                assert given_up == len("commit")

            async with TreePortal(tree) as portal:
                await to_thread.run_sync(work, portal)
    assert not tree.lock.is_held


async def test_portals_raise_what_was_raised() -> None:
    """What is raised in the scope of a portal comes out as it is."""
    with pytest.raises(KeyError, match="mine"):
        async with TreePortal(Tree(ADMIN)):
            raise KeyError("mine")
