"""Small worlds to try schemes on."""

from __future__ import annotations

from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import AddressRange, Context, Ops, Target
from damon_async.params.schemes import Scheme
from damon_async.spaces.frames import Process
from damon_async.spaces.generator_base import Layout
from damon_async.spaces.generators import Hotspot, Phases, PlannedPhase
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_views import PhysicalMemory, ProcessMemory
from damon_async.spaces.space import Space
from damon_async.whatif.outcome import Outcome
from damon_async.whatif.runner import ContextsOn, Run, World

MIB = 1 << 20
QUICK = Intervals("20 ms", "100 ms", "1 s")

PLAN = tuple(
    PlannedPhase(duration_us=2_000_000, hot=(AddressRange(low * MIB, (low + 8) * MIB),))
    for low in (0, 8)
)

COLD = {"nr_accesses": ("0 %", "0 %"), "age": ("500 ms", "max")}
"""What has not been touched for half a second."""

RECLAIM = Scheme("pageout", COLD)


def half_hot() -> Space:
    """Return 16 MiB of which the first half is always in use."""
    return Hotspot(size=16 * MIB, hot=8 * MIB, at=0, layout=Layout.FLAT).space()


def in_turns() -> Space:
    """Return 16 MiB of which the halves are in use in turns, two seconds each."""
    return Phases(size=16 * MIB, plan=PLAN, layout=Layout.FLAT).space()


def world(*spaces: Space, seconds: int = 6, **options: object) -> World:
    """Return a world of programs."""
    processes = tuple(Process(pid, space) for pid, space in enumerate(spaces, start=1))
    return World(processes, seconds * 1_000_000, **options)  # type: ignore[arg-type]


def with_schemes(
    *schemes: Scheme, nr_contexts: int = 1, intervals: Intervals = QUICK
) -> ContextsOn:
    """Return what monitors all memory of a machine."""

    def contexts_on(machine: Machine) -> tuple[Context, ...]:
        memory = PhysicalMemory(machine)
        (mapping,) = memory.mappings(0)
        target = Target(regions=[AddressRange(mapping.start, mapping.end)], space=memory)
        context = Context(Ops.PADDR, [target], intervals, schemes=schemes)
        return (context,) * nr_contexts

    return contexts_on


def on_processes(*schemes: Scheme) -> ContextsOn:
    """Return what monitors the memory of each process, as targets of one context."""

    def contexts_on(machine: Machine) -> tuple[Context, ...]:
        pids = [process.pid for process in machine.frames.processes]
        targets = [Target(pid=pid, space=ProcessMemory(machine, pid)) for pid in pids]
        return (Context(Ops.VADDR, targets, QUICK, schemes=schemes),)

    return contexts_on


def play(there: World, *schemes: Scheme) -> Outcome:
    """Try schemes; none leaves the world alone."""
    return Run(there, "run", with_schemes(*schemes)).play() if schemes else Run(there, "-").play()


def quota(**limits: object) -> Scheme:
    """Return the scheme with a quota per second."""
    return Scheme("pageout", COLD, quotas={"reset_interval_ms": 1000, **limits})
