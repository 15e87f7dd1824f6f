from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, strategies as st

from damon_async.testing.explore import Mode, ScheduleFailure, explore, replay
from damon_async.testing.tape import TapeError

from .programs import Program

MODES: tuple[Mode, ...] = ("random", "pct", "exhaustive")


async def lost_update() -> None:
    """Adds twice; loses one if the second begins while the first is at it."""
    total = 0

    async def add() -> None:
        nonlocal total
        seen = total
        await asyncio.sleep(0)
        total = seen + 1

    async def add_later() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await add()

    await asyncio.gather(add(), add_later())
    assert total == 2


async def lost_update_of_anyio() -> None:
    """The same, written for anyio."""
    total, limiter = 0, anyio.CapacityLimiter(2)

    async def add(nr_naps: int) -> None:
        nonlocal total
        for _ in range(nr_naps):
            await anyio.lowlevel.checkpoint()
        async with limiter:
            seen = total
            await anyio.sleep(0.5)
            total = seen + 1

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add, 0)
            await anyio.sleep(0.5)
            tasks.start_soon(add, 2)
    assert total == 2


async def locked_update() -> None:
    """Adds five times, under a lock of anyio or asyncio in turns."""
    total, lock, other = 0, asyncio.Lock(), anyio.Lock()

    async def add(nr: int) -> None:
        nonlocal total
        async with lock, other if nr % 2 else anyio.create_task_group():
            seen = total
            await asyncio.sleep(0)
            total = seen + 1

    async with anyio.create_task_group() as tasks:
        for nr in range(5):
            tasks.start_soon(add, nr)
    assert total == 5


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", [lost_update, lost_update_of_anyio])
def test_lost_updates_are_found(scenario: Program, mode: Mode) -> None:
    """Each mode finds a lost update that first come, first served never shows."""
    replay(scenario, "")
    with pytest.raises(
        ScheduleFailure, match=f"^{scenario.__name__} fails under schedule"
    ) as caught:
        explore(scenario, mode=mode, preemptions=4)
    assert isinstance(caught.value.__cause__, AssertionError)
    assert caught.value.error is caught.value.__cause__
    assert caught.value.seed == 0


@pytest.mark.parametrize("mode", MODES)
def test_correct_code_passes(mode: Mode) -> None:
    """Correct code of asyncio and anyio passes in each mode, and is counted."""
    found = explore(locked_update, mode=mode, schedules=100, seed=3, preemptions=4)
    assert (found.mode, found.seed, found.nr_schedules) == (mode, 3, 100)
    assert not found.is_complete
    assert found.nr_steps > 100 * 6
    assert found.schedules_per_s == pytest.approx(100 / found.seconds)


def test_message() -> None:
    """A failure shows the steps, marks those out of turn, and says how to repeat it."""

    async def scenario() -> None:
        log: list[str] = []

        async def put(name: str) -> None:
            log.append(name)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(put("a"), name="first")
            tasks.create_task(put("b"), name="second")
        if log != ["a", "b"]:
            raise ValueError(log)

    with pytest.raises(ScheduleFailure, match=r"^scenario fails") as caught:
        explore(scenario, mode="exhaustive")
    line = scenario.__code__.co_firstlineno + 6
    awaited = (
        f"testing/test_explore.py:{line} in scenario: async with asyncio.TaskGroup() as tasks:"
    )
    assert str(caught.value).splitlines() == [
        "scenario fails under schedule 1 of seed 0 (exhaustive): ValueError: ['b', 'a']",
        "step by step, * where a task was out of turn:",
        f"    0  main -> {awaited}",
        "*   1  second before first -> ended",
        "    2  first -> ended",
        "    3  main -> raised ValueError(['b', 'a'])",
        'replay(scenario, "1:1")',
    ]


def test_replay_line() -> None:
    """The last line of a failure is Python that repeats it to the byte."""
    with pytest.raises(ScheduleFailure, match=r"replay\(lost_update, ") as caught:
        explore(lost_update, seed=5)
    line = str(caught.value).splitlines()[-1]
    with pytest.raises(ScheduleFailure, match=r"^lost_update fails under a replay: ") as again:
        eval(line)
    assert again.value.trace == caught.value.trace
    assert again.value.tape == caught.value.tape
    assert str(again.value).splitlines()[1:] == str(caught.value).splitlines()[1:]


@given(
    st.dictionaries(st.integers(0, 60), st.integers(1, 4)),
    st.sampled_from([lost_update, lost_update_of_anyio, locked_update]),
)
def test_replays_are_equal(deviations: dict[int, int], scenario: Program) -> None:
    """Any tape gives the same outcome and trace each time it is played."""
    tape = ",".join(f"{step}:{deviations[step]}" for step in sorted(deviations))
    assert outcome(scenario, tape) == outcome(scenario, tape)


def outcome(scenario: Program, tape: str) -> str:
    try:
        return replay(scenario, tape)
    except ScheduleFailure as failure:
        return str(failure)


PROGRAM = """
import asyncio, sys
import anyio
from damon_async.testing.explore import ScheduleFailure, explore, replay

async def scenario():
    log = []
    async def work(name):
        try:
            async with anyio.create_task_group() as tasks:
                for nr in range(3):
                    tasks.start_soon(anyio.sleep, nr)
                log.append(name)
        finally:
            log.append(name)
    try:
        async with asyncio.TaskGroup() as tasks:
            for name in "abcd":
                tasks.create_task(work(name), name=name)
            await asyncio.sleep(0.5)
            raise ValueError
    except ExceptionGroup:
        pass
    assert "".join(log) in {"abcdabcd", "abcddcba"}, "".join(log)

try:
    explore(scenario, mode=sys.argv[1], seed=1)
except ScheduleFailure as failure:
    print(failure)
    print(replay(scenario, "1:2,3:1,9:2") if sys.argv[1] == "none" else "")
"""


@pytest.mark.parametrize("mode", MODES)
def test_hash_seeds_do_not_matter(mode: Mode, tmp_path: Path) -> None:
    """Failure and trace are the same to the byte, whatever PYTHONHASHSEED says."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    outputs = set()
    for seed in ("0", "1", "random"):
        run = subprocess.run(
            [sys.executable, path, mode],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        )
        outputs.add(run.stdout)
    [output] = outputs
    assert 'replay(scenario, "' in output


# -- Isolation ------------------------------------------------------------------


def test_runs_do_not_depend_on_runs_before() -> None:
    """The same schedule has the same trace before and after a thousand others."""
    before = replay(locked_update, "2:3,7:1")
    explore(locked_update)
    assert replay(locked_update, "2:3,7:1") == before


def test_loops_are_closed() -> None:
    """Each run has a loop of its own, whose time begins at 0 and which is closed."""
    loops = []

    async def scenario() -> None:
        loops.append(asyncio.get_running_loop())
        assert loops[-1].time() == 0
        await asyncio.sleep(7)

    explore(scenario, schedules=5)
    assert len({id(loop) for loop in loops}) == 5
    assert all(loop.is_closed() for loop in loops)


async def test_under_a_running_loop() -> None:
    """In an async test, explorations and replays work like anywhere else."""
    assert explore(locked_update, schedules=20).nr_schedules == 20
    with pytest.raises(ScheduleFailure, match=r"^lost_update fails"):
        explore(lost_update)
    assert replay(lost_update, "").endswith("main -> ended")


# -- Refusals -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "chaos"}, "'chaos' is no mode; use one of random, pct, exhaustive"),
        ({"schedules": 0}, "schedules is 0; at least 1"),
        ({"depth": 0}, "depth is 0; at least 1"),
        ({"preemptions": -1}, "preemptions is -1; at least 0"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    """What cannot be explored is refused in a sentence."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        explore(lost_update, **options)


def test_tapes_are_checked() -> None:
    """What is no tape is refused before anything runs."""
    with pytest.raises(TapeError, match=r"^'three' is no tape"):
        replay(lost_update, "three")
