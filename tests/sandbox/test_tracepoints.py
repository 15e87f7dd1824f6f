"""What the tracepoints of DAMON say, statement by statement."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby, pairwise

import pytest

from damon_async.control.live import live_tree
from damon_async.control.profiles import Profile
from damon_async.control.tree import Tree
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.observing import Tracer
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.operations.events import TraceEvent
from damon_async.spaces.workload import open_workload

K = "kdamonds/0"
C = f"{K}/contexts/0"
S = f"{C}/schemes/0"
AGGR_US = 100_000

AGGREGATED = re.compile(r"^target_id=(\d+) nr_regions=(\d+) (\d+)-(\d+): (\d+) (\d+)$")
APPLIED = re.compile(
    r"^ctx_idx=0 scheme_idx=(\d+) target_idx=(\d+) nr_regions=(\d+) (\d+)-(\d+): (\d+) (\d+)$"
)

Heard = list[TraceEvent]


@asynccontextmanager
async def staged(profile: Profile, nr_targets: int = 2) -> AsyncIterator[tuple[Tree, Damon]]:
    """Have a tree with a kdamond for processes, and one scheme for all their memory."""
    clock = VirtualClock()
    memory = [open_workload("stairs:size=64M", seed=seed) for seed in range(nr_targets)]
    world = World(process=lambda pid: memory[pid - 1] if 0 < pid <= nr_targets else None)
    async with Damon(clock=clock, seed=1) as damon:
        tree = live_tree(damon, profile, world)
        values = {
            "kdamonds/nr_kdamonds": 1,
            f"{K}/contexts/nr_contexts": 1,
            f"{C}/targets/nr_targets": nr_targets,
            **{f"{C}/targets/{index}/pid_target": index + 1 for index in range(nr_targets)},
            f"{C}/schemes/nr_schemes": 1,
            f"{S}/access_pattern/sz/max": 2**64 - 1,
            f"{S}/access_pattern/nr_accesses/max": 2**32 - 1,
            f"{S}/access_pattern/age/max": 2**32 - 1,
            f"{S}/action": "stat",
        }
        for path, value in values.items():
            tree.write(path, str(value))
        yield tree, damon


@asynccontextmanager
async def listened(profile: Profile) -> AsyncIterator[tuple[Tree, Damon, Heard]]:
    """Have it started, with all its events from the beginning."""
    heard: Heard = []
    tracer = Tracer(lambda _, event: heard.append(event))
    tracer.listen(on=True)
    async with staged(profile) as (tree, damon):
        with damon.observers.added(tracer):
            await tree.write_async(f"{K}/state", "on")
            yield tree, damon, heard


@pytest.fixture(params=list(Profile), ids=lambda each: each.value)
def profile(request: pytest.FixtureRequest) -> Profile:
    """Each profile in turn."""
    found: Profile = request.param
    return found


def named(heard: Heard, name: str) -> Heard:
    return [event for event in heard if event.event == name]


async def test_132_lines_of_aggregations(profile: Profile) -> None:
    """Per aggregation and target there are exactly nr_regions lines, ordered by address."""
    rounds = await _aggregations(profile)
    assert len(rounds) >= 20
    for lines in rounds.values():
        assert {int(line[2]) for line in lines} == {len(lines)}
        assert all(int(one[4]) <= int(other[3]) for one, other in pairwise(lines))


async def test_132_targets_come_in_turn(profile: Profile) -> None:
    """The lines of a target come together, those of the first target first."""
    lines = [line for each in (await _aggregations(profile)).values() for line in each]
    turns = [key for key, _ in groupby(int(line[1]) for line in lines)]
    assert turns == [0, 1] * (len(turns) // 2)


async def test_133_no_more_accesses_than_samples(profile: Profile) -> None:
    """A region is found accessed in at most all samples of an aggregation."""
    counts = [int(line[5]) for lines in (await _aggregations(profile)).values() for line in lines]
    assert 0 < max(counts) <= AGGR_US // 5_000


async def _aggregations(profile: Profile) -> dict[tuple[int, int], list[re.Match[str]]]:
    """Return the lines of a second, by aggregation and target."""
    rounds: dict[tuple[int, int], list[re.Match[str]]] = defaultdict(list)
    for event in named(await _heard(profile), "damon_aggregated"):
        line = AGGREGATED.match(event.line)
        assert line is not None, event.line
        rounds[event.time_us, int(line[1])].append(line)
    return rounds


async def _heard(profile: Profile) -> Heard:
    """Return all events of a little more than a second, from the beginning."""
    async with listened(profile) as (_, damon, heard):
        await damon.clock.sleep_us(11 * AGGR_US)
    return heard


async def test_134_lines_of_schemes(profile: Profile) -> None:
    """The lines about a scheme have their form, one for each region that was tried."""
    async with listened(profile) as (tree, damon, heard):
        await damon.clock.sleep_us(11 * AGGR_US)
        await tree.write_async(f"{K}/state", "update_schemes_stats")
        nr_tried = int(tree.read(f"{S}/stats/nr_tried"))
        lines = [event.line for event in named(heard, "damos_before_apply")]
    assert all(APPLIED.match(line) for line in lines)
    assert len(lines) == nr_tried > 0


@pytest.mark.parametrize("text", [each.value for each in Profile if each.release >= (6, 2)])
async def test_135_lines_and_tried_regions(text: str) -> None:
    """The regions shown as tried are those of the lines of the same round."""
    async with listened(Profile(text)) as (tree, damon, heard):
        await damon.clock.sleep_us(3 * AGGR_US)
        await tree.write_async(f"{K}/state", "update_schemes_tried_regions")
        folder = f"{S}/tried_regions"
        names = [name for name in tree.listdir(folder) if name.isdigit()]
        shown = [
            tuple(int(tree.read(f"{folder}/{name}/{file}")) for file in ("start", "end"))
            for name in names
        ]
    rounds: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for event in named(heard, "damos_before_apply"):
        line = APPLIED.match(event.line)
        assert line is not None
        rounds[event.time_us].append((int(line[4]), int(line[5])))
    assert sorted(shown) in [sorted(each) for each in rounds.values()]


async def test_nobody_listens() -> None:
    """Kdamonds make no events unless somebody listens."""
    heard: list[tuple[Kdamond, TraceEvent]] = []
    tracer = Tracer(lambda kdamond, event: heard.append((kdamond, event)))
    async with staged(Profile.V6_18) as (tree, damon):
        with damon.observers.added(tracer):
            await tree.write_async(f"{K}/state", "on")
            await damon.clock.sleep_us(3 * AGGR_US)
            assert heard == []
            tracer.listen(on=True)
            await damon.clock.sleep_us(3 * AGGR_US)
            nr_heard = len(heard)
            tracer.listen(on=False)
            await damon.clock.sleep_us(3 * AGGR_US)
    assert len(heard) == nr_heard > 0
