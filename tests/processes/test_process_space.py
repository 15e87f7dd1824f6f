"""Memory that begins and ends with a process."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.monitor.monitor import Monitor
from damon_async.operations.vaddr import Vaddr
from damon_async.params.intervals import Intervals
from damon_async.params.keywords import Action
from damon_async.params.monitoring import Context, Target
from damon_async.processes.lookup import Processes
from damon_async.processes.process_space import ActingProcessSpace, ProcessSpace
from damon_async.processes.rules import Rule, Rules
from damon_async.spaces.frames import Process
from damon_async.spaces.generators import Stairs
from damon_async.spaces.machine import Machine
from damon_async.spaces.machine_views import ProcessMemory
from damon_async.spaces.space import Space

from .conftest import Child

MIB = 1024**2
SECOND = 1_000_000


class Life:
    """A process that a test ends, and the time at which it does."""

    def __init__(self) -> None:
        self.is_alive = True
        self.now_us = 0
        self.nr_asked = 0

    def asked(self) -> bool:
        self.nr_asked += 1
        return self.is_alive

    def time(self) -> int:
        return self.now_us

    def space(self, started_us: int = 0, *, ends: bool = False, duration_us: int = 0) -> Space:
        inner = steps(duration_us)
        return ProcessSpace(inner, started_us, self.asked, self.time, ends_with_space=ends)


def steps(duration_us: int = 0) -> Space:
    """Return two steps of 1 MiB, each hot for a second."""
    recipe = Stairs(size=2 * MIB, steps=2, step_us=SECOND, duration_us=duration_us)
    return recipe.space()


def bottom(space: Space) -> int:
    """Return where the steps begin."""
    return space.mappings(0)[2].start


def hot(space: Space, since_us: int, until_us: int) -> list[bool]:
    """Tell which of the steps are touched in an interval."""
    first = bottom(steps())
    addresses = np.array([[first, first + MIB]])
    found = space.accessed(addresses, np.array([[since_us]]), np.array([[until_us]]))
    return [bool(answer) for answer in found[0]]


def test_it_is_a_space() -> None:
    """It is what the operations sets ask for, and does not pretend to act."""
    space = Life().space()
    assert isinstance(space, Space)
    assert space.is_pure
    assert not hasattr(space, "apply")


@pytest.mark.parametrize("started_us", [-10 * SECOND, -SECOND, 0, 5 * SECOND])
def test_time_begins_with_the_process(started_us: int) -> None:
    """The first step is hot in the second after the start, the other in the next."""
    space = Life().space(started_us)
    assert hot(space, started_us, started_us + 1000) == [True, False]
    assert hot(space, started_us + SECOND, started_us + SECOND + 1000) == [False, True]


def test_nobody_knows_the_end_of_the_living() -> None:
    """While the process lives there is no end, whatever the workload."""
    assert Life().space().lifetime_us is None
    assert Life().space(duration_us=SECOND).lifetime_us is None


def test_the_end_is_when_it_is_noticed() -> None:
    """A process that ended is gone from the time on at which somebody asked."""
    life = Life()
    space = life.space()
    life.is_alive, life.now_us = False, 700
    assert space.lifetime_us == 700
    life.now_us = 900
    assert space.lifetime_us == 700


def test_the_dead_are_not_asked_again() -> None:
    """Once ended, a process does not come back, and nobody looks for it."""
    life = Life()
    space = life.space()
    life.is_alive = False
    assert space.lifetime_us == 0
    life.is_alive = True
    assert space.lifetime_us == 0
    assert life.nr_asked == 1


def test_nothing_is_mapped_after_the_end() -> None:
    """The mappings go with the process; those of the past stay."""
    life = Life()
    space = life.space()
    life.is_alive, life.now_us = False, 700
    assert space.lifetime_us == 700
    assert len(space.mappings(699)) == 4
    assert space.mappings(700) == ()


def test_the_past_stays_as_it_was() -> None:
    """What was touched before the end is still known; nothing is touched after it."""
    life = Life()
    space = life.space()
    life.is_alive, life.now_us = False, 700
    assert space.lifetime_us == 700
    assert hot(space, 600, 650) == [True, False]
    assert hot(space, 650, 5 * SECOND) == [True, False]
    assert hot(space, 700, 5 * SECOND) == [False, False]


def test_truth_ends_too() -> None:
    """Intervals after the end count for nothing, but are counted as intervals."""
    life = Life()
    space = life.space(100)
    life.is_alive, life.now_us = False, 100 + 2500
    assert space.lifetime_us == 2600
    first = bottom(steps())
    truth = space.truth(first, first + 2 * MIB, np.arange(100, 6100, 1000))
    assert truth.bounds.tolist() == [first, first + MIB, first + 2 * MIB]
    assert (truth.counts.tolist(), truth.nr_intervals) == ([3, 0], 5)


def test_a_workload_that_is_over_is_silent() -> None:
    """Nothing is touched any more, but what was mapped stays mapped while it lives."""
    space = Life().space(50, duration_us=SECOND)
    assert hot(space, 2 * SECOND, 3 * SECOND) == [False, False]
    assert len(space.mappings(10 * SECOND)) == 4


def test_a_process_may_end_with_its_workload() -> None:
    """In virtual time, the end of the workload is that of the process."""
    space = Life().space(50, ends=True, duration_us=SECOND)
    assert space.lifetime_us == SECOND + 50
    assert space.mappings(SECOND + 50) == ()


def test_the_earlier_end_counts() -> None:
    """A process that is killed before its workload is over is gone."""
    life = Life()
    space = life.space(50, ends=True, duration_us=SECOND)
    life.is_alive, life.now_us = False, 700
    assert space.lifetime_us == 700


def test_actions_are_passed_on() -> None:
    """What a scheme does takes effect, in the time of the memory."""
    life = Life()
    machine = Machine([Process(1, steps())], keeps_history=False)
    space = ActingProcessSpace(ProcessMemory(machine, 1), 5000, life.asked, life.time)
    first = bottom(steps())
    done = space.apply(
        Action.PAGEOUT,
        np.array([[first + MIB, first + 2 * MIB]]),
        filters=(),
        bypass=np.zeros(1, np.bool_),
        target_nid=-1,
        dests=(),
        now_us=7000,
    )
    assert done.applied.tolist() == [MIB]
    assert machine.account.time_us == 2000
    assert len(machine.history) == 1


def test_repr_tells_the_end() -> None:
    """It says when the process began and ended."""
    life = Life()
    space = life.space(50)
    assert repr(space).startswith("<ProcessSpace of <PatternSpace 'stairs'")
    assert repr(space).endswith(" from 50 us>")
    life.is_alive, life.now_us = False, 700
    assert space.lifetime_us == 700
    assert repr(space).endswith(" from 50 us, ended at 700 us>")


def monitor_of(space: Space) -> Monitor:
    """Return what monitors a space as the memory of a process."""
    intervals = Intervals(1000, 10_000, 1_000_000)
    context = Context(targets=(Target(space=space),), intervals=intervals)
    monitor = Monitor(context, Vaddr(), np.random.default_rng(0))
    monitor.begin(0)
    return monitor


def test_monitoring_ends_with_the_process() -> None:
    """At the first window after the end the target is gone, and monitoring is over."""
    life = Life()
    monitor = monitor_of(life.space())
    assert len(monitor.step(20_000)) == 2
    life.is_alive, life.now_us = False, 23_000
    monitor.step(30_000)
    assert monitor.ended


def test_monitoring_ends_with_a_real_process(child: Child) -> None:
    """A process that is killed takes its target with it."""
    process = child("cat")
    time_us = [0]
    found = Processes(lambda: time_us[0], Rules([Rule("cat", "stairs:size=2M")]))
    space = found(process.pid)
    assert space is not None
    monitor = monitor_of(space)
    assert monitor.step(20_000)
    process.kill()
    process.wait()
    time_us[0] = 20_000
    monitor.step(30_000)
    assert monitor.ended
    assert found(process.pid) is None


def test_ranges_are_those_of_the_workload() -> None:
    """Vaddr finds the three regions of a process."""
    ranges = Vaddr().ranges(Target(space=Life().space(50)), 60, 4096)
    assert ranges is not None
    assert len(ranges) == 3
    assert np.diff(ranges[1]).tolist() == [2 * MIB]
