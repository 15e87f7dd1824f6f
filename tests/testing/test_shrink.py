from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.errors import UnsatisfiedAssumption

from damon_async.testing.explore import ScheduleFailure, explore
from damon_async.testing.orders import FirstCome, Played, RandomWalk, seeded
from damon_async.testing.runs import Rules, Run, run
from damon_async.testing.shrink import Shrinker, schedules_of
from damon_async.testing.tape import Tape, parse_tape

RULES = Rules()


Pair = tuple[str, str]


class SawItError(Exception):
    """Every pair was seen the forbidden way round."""


class Play:
    """
    Three tasks that take three steps each; fails if all pairs are in the order given.

    Args:
        pairs: Names of steps; the first of each pair must not come before the second.
    """

    def __init__(self, *pairs: Pair) -> None:
        self.nr_runs = 0
        self.pairs = pairs

    async def scenario(self) -> None:
        path: list[str] = []

        async def walk(name: str) -> None:
            for step in range(3):
                path.append(f"{name}{step}")
                await asyncio.sleep(0)

        await asyncio.gather(*map(walk, "abc"))
        if self.pairs and all(path.index(x) < path.index(y) for x, y in self.pairs):
            raise SawItError

    def __call__(self, tape: Tape) -> Run:
        self.nr_runs += 1
        return run(self.scenario, Played(tape), RULES)

    def failed(self) -> Run:
        """Return some run that fails."""
        for seed in range(100):
            each = run(self.scenario, RandomWalk(seeded(str(seed))), RULES)
            if each.error is not None:
                return each
        raise UnsatisfiedAssumption


NAMES = st.sampled_from([f"{name}{step}" for name in "abc" for step in range(3)])
PAIRS = st.lists(
    st.tuples(NAMES, NAMES).filter(lambda pair: pair[0][0] > pair[1][0]), min_size=1, max_size=3
)


@settings(max_examples=20)
@given(PAIRS)
def test_nothing_can_be_left_out(pairs: list[Pair]) -> None:
    """A shrunk tape fails in the same way, and without any one of its deviations it does not."""
    play = Play(*pairs)
    best = Shrinker(play, play.failed()).shrink()
    assert isinstance(play(best.tape).error, SawItError)
    for index in range(len(best.tape)):
        assert play(best.tape[:index] + best.tape[index + 1 :]).error is None


@settings(max_examples=5)
@given(PAIRS)
def test_none_has_fewer(pairs: list[Pair]) -> None:
    """If runs suffice, no schedule with fewer deviations fails."""
    play = Play(*pairs)
    best = Shrinker(play, play.failed()).shrink()
    # What is looked through within the limits: all schedules with up to two deviations.
    fewer = schedules_of(play, min(len(best.tape) - 1, 2)) if best.tape else ()
    assert all(each.error is None for each in fewer)


def test_shrinking_is_bounded() -> None:
    """After so many runs, or so many steps, shrinking is content with what it has."""
    failed = Play(("c2", "a0")).failed()
    for limits in ({"max_runs": 3}, {"max_calls": 3 * failed.nr_calls}):
        play = Play(("c2", "a0"))
        best = Shrinker(play, failed, **limits).shrink()
        assert 1 <= play.nr_runs <= 5
        assert len(best.tape) <= len(failed.tape)


def test_other_errors_do_not_count() -> None:
    """A simpler schedule that fails otherwise is not taken for the same failure."""

    async def scenario() -> None:
        log: list[str] = []

        async def put(name: str) -> None:
            log.append(name)

        await asyncio.gather(*map(put, "abc"))
        if log == ["c", "b", "a"]:
            raise KeyError
        if log != ["a", "b", "c"]:
            raise ValueError

    def play(tape: Tape) -> Run:
        return run(scenario, Played(tape), RULES)

    best = Shrinker(play, play(((1, 2), (2, 1)))).shrink()
    assert best.tape == ((1, 2), (2, 1))
    assert isinstance(best.error, KeyError)


def test_groups_with_the_same_errors_are_the_same() -> None:
    """How many tasks failed in the same way makes no difference."""

    async def scenario() -> None:
        log: list[str] = []

        async def put(name: str) -> None:
            log.append(name)
            if log[0] == "c" and (name == "c" or log[1] == "b"):
                raise ValueError

        async with asyncio.TaskGroup() as tasks:
            for name in "abc":
                tasks.create_task(put(name))

    def play(tape: Tape) -> Run:
        return run(scenario, Played(tape), RULES)

    assert Shrinker(play, play(((1, 2), (2, 1)))).shrink().tape == ((1, 2),)


def test_fewer_is_better_than_smaller() -> None:
    """The simplest of all schedules that fail comes first, and among those who overtakes least."""
    schedules = list(schedules_of(Play(), 2))
    sizes = [len(each.tape) for each in schedules]
    assert sizes == sorted(sizes)
    assert len({each.tape for each in schedules}) == len(schedules)
    assert schedules[0].tape == run(Play().scenario, FirstCome(), RULES).tape == ()


def test_a_long_failure_becomes_short() -> None:
    """A failure that needs one deviation is shown with one, however restless the schedule was."""

    async def scenario() -> None:
        # Tasks that take many steps and do no harm, and one that must not be late.
        flag = False

        async def noise() -> None:
            for _ in range(20):
                await asyncio.sleep(0)

        async def set_flag() -> None:
            nonlocal flag
            await asyncio.sleep(0)
            flag = True

        async def look() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert flag

        await asyncio.gather(set_flag(), noise(), look(), noise())

    with pytest.raises(ScheduleFailure, match=r"^scenario fails under schedule ") as caught:
        explore(scenario)
    assert len(parse_tape(caught.value.tape)) <= 2


def test_what_does_not_fail_again() -> None:
    """A scenario that depends on more than the schedule is told so."""
    rolls = random.Random(2)

    async def scenario() -> None:
        await asyncio.sleep(0)
        assert rolls.random() > 0.02, "bad luck"

    with pytest.raises(ScheduleFailure, match=r"but not again: it depends on more than the sch"):
        explore(scenario)
