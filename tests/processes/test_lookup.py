"""From pids to memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog

from damon_async.control.world import World
from damon_async.processes.lookup import Processes
from damon_async.processes.process_space import ActingProcessSpace, ProcessSpace
from damon_async.processes.registry import runtime_dir
from damon_async.processes.rules import Rule, Rules
from damon_async.spaces.space import Space

from .conftest import Child
from .fake_proc import FakeProc

CONFIG = "a,1M\n\nfirst\n100\na,0,4096,1\n"

Finder = Callable[..., Processes]


@pytest.fixture
def finder(fake: FakeProc, tmp_path: Path) -> Finder:
    """Return a function that makes a lookup; its time is 50 s after the clock began."""

    def make(*rules: Rule, default: str | None = None, **options: Any) -> Processes:
        return Processes(
            lambda: 50_000_000,
            Rules(rules),
            tmp_path / "run",
            default,
            proc=fake.proc,
            **options,
        )

    return make


def name_of(space: Space | None) -> str:
    """Return what the largest mapping of a process is called."""
    assert space is not None
    return max(space.mappings(0), key=lambda each: each.end - each.start).name


def register(tmp_path: Path, name: str, **values: object) -> None:
    """Let a process say what it stands for."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / name).write_text(json.dumps(values))


@pytest.mark.parametrize("pid", [0, -1, -(2**70), 8, 2**70])
def test_nobody(finder: Finder, pid: int) -> None:
    """What is no process has no memory, whatever the number."""
    assert finder(default="uniform")(pid) is None


def test_others_do_not_exist(finder: Finder, fake: FakeProc) -> None:
    """Without a rule and without a default, a process has no memory."""
    fake.add(7, "sleep", "5")
    assert finder()(7) is None


def test_default(finder: Finder, fake: FakeProc) -> None:
    """The default is the memory of every process about which nothing else is known."""
    fake.add(7, "sleep", "5")
    assert name_of(finder(default="uniform:size=4M")(7)) == "uniform"


def test_kernel_threads_have_no_memory(finder: Finder, fake: FakeProc) -> None:
    """The kernel's own threads have nothing to monitor."""
    fake.add(2, name="kthreadd", flags=0x0020_0000)
    assert finder(default="uniform")(2) is None


def test_zombies_have_no_memory(finder: Finder, fake: FakeProc) -> None:
    """A process that has ended is none."""
    fake.add(7, "sleep", "5")
    found = finder(default="uniform:size=4M")
    assert found(7) is not None
    fake.add(7, state="Z")
    assert found(7) is None


def test_rules_come_before_the_default(finder: Finder, fake: FakeProc) -> None:
    """A process about which there is a rule has the memory that it says."""
    fake.add(7, "redis-server", "--port", "1")
    found = finder(Rule("redis-*", "zipf:size=4M"), default="uniform:size=4M")
    assert name_of(found(7)) == "zipf"


def test_registered_processes_come_first(finder: Finder, fake: FakeProc, tmp_path: Path) -> None:
    """What a process says itself counts more than any rule."""
    fake.add(7, "redis-server")
    register(tmp_path, "7-9000.json", workload="scan:size=4M")
    found = finder(Rule("redis-*", "zipf:size=4M"))
    assert name_of(found(7)) == "scan"


def test_programs_without_arguments(finder: Finder, fake: FakeProc) -> None:
    """Where there is no command line, the name of the program is taken."""
    fake.add(7, name="redis-server")
    assert name_of(finder(Rule("redis-*", "zipf:size=4M"))(7)) == "zipf"


def test_masim_s_configuration_is_read(finder: Finder, fake: FakeProc, tmp_path: Path) -> None:
    """A process that is masim has the memory of its configuration, in its folder."""
    (tmp_path / "a.cfg").write_text(CONFIG)
    fake.add(7, "masim", "a.cfg", folder=str(tmp_path))
    assert name_of(finder()(7)) == "a"


@pytest.mark.parametrize("start_ticks", [9000, 4000])
def test_time_begins_with_the_process(finder: Finder, fake: FakeProc, start_ticks: int) -> None:
    """The pattern is where it would be if it had begun with the process."""
    # The machine has been running for 100 s, and the clock for 50 s of them.
    fake.add(7, "access_memory", "2", "4096", "1000", start_ticks=start_ticks)
    space = finder()(7)
    assert space is not None
    started_us = start_ticks * 10_000 - 50_000_000
    named = {each.name: each.start for each in space.mappings(0)}
    addresses = np.array([[named["region 0"], named["region 1"]]])
    since = started_us + np.array([[-5000], [0], [999_000], [1_000_000], [2_000_000]])
    found = space.accessed(np.repeat(addresses, 5, 0), since, since + 1000)
    assert found.tolist() == [
        [False, False],
        [True, False],
        [True, False],
        [False, True],
        [False, False],
    ]


def test_a_workload_may_begin_later(finder: Finder, fake: FakeProc, tmp_path: Path) -> None:
    """A process that is registered can tell when its workload began."""
    fake.add(7, "program")
    (tmp_path / "a.cfg").write_text(CONFIG)
    workload = f"masim:{tmp_path}/a.cfg"
    register(tmp_path, "7-9000.json", workload=workload, started_us=99_999_000)
    space = finder(ends_with_workload=True)(7)
    assert space is not None
    assert space.lifetime_us == 50_000_000 - 1000 + 100_000


def test_the_same_process_has_the_same_memory(finder: Finder, fake: FakeProc) -> None:
    """However often somebody asks, and whatever its title is by now, it is the same."""
    found = finder(Rule("redis-*", "zipf:size=4M"))
    fake.add(7, "redis-server", "--port", "1")
    space = found(7)
    assert found(7) is space
    fake.add(7, "redis-server *:1")
    assert found(7) is space


def test_another_program_has_other_memory(finder: Finder, fake: FakeProc) -> None:
    """A process that becomes another program, as children do at first, is looked up anew."""
    found = finder(Rule("redis-*", "zipf:size=4M"), default="uniform:size=4M")
    fake.add(7, "python3", "run.py")
    assert name_of(found(7)) == "uniform"
    fake.add(7, "redis-server")
    assert name_of(found(7)) == "zipf"


def test_pids_are_used_again(finder: Finder, fake: FakeProc) -> None:
    """A later process with the same pid has memory of its own, and does not revive the first."""
    found = finder(default="uniform:size=4M")
    fake.add(7, "sleep", start_ticks=9000)
    first = found(7)
    fake.add(7, "sleep", start_ticks=9500)
    second = found(7)
    assert first is not None
    assert second is not None
    assert second is not first
    assert [first.lifetime_us, second.lifetime_us] == [50_000_000, None]


def test_schemes_can_act(finder: Finder, fake: FakeProc) -> None:
    """The memory of a process is that of a machine, unless it is too large for one."""
    fake.add(7, "sleep")
    assert isinstance(finder(default="uniform:size=4M")(7), ActingProcessSpace)
    huge = finder(default="uniform:size=100G")(7)
    assert isinstance(huge, ProcessSpace)
    assert not isinstance(huge, ActingProcessSpace)


def test_other_workloads_are_repeated(finder: Finder, fake: FakeProc) -> None:
    """Memory that ends begins anew; what masim does comes once."""
    fake.add(7, "sleep")
    space = finder(default="uniform:size=4M,rate=0,duration=1s", ends_with_workload=True)(7)
    assert space is not None
    assert space.lifetime_us is None
    address = np.array([[max(space.mappings(0), key=lambda each: each.end - each.start).start]])
    since = np.array([[100_000_000]])
    assert space.accessed(address, since, since + 1000).tolist() == [[True]]


@pytest.mark.parametrize("ends", [False, True])
def test_masim_comes_once(finder: Finder, fake: FakeProc, tmp_path: Path, *, ends: bool) -> None:
    """In virtual time the process ends with the configuration, else when it really does."""
    (tmp_path / "a.cfg").write_text(CONFIG)
    fake.add(7, "masim", str(tmp_path / "a.cfg"))
    space = finder(ends_with_workload=ends)(7)
    assert space is not None
    assert space.lifetime_us == (40_100_000 if ends else None)


@pytest.mark.parametrize("seed", [0, 1])
def test_seeds(finder: Finder, fake: FakeProc, tmp_path: Path, seed: int) -> None:
    """What is random follows the seed of the lookup, unless a process says its own."""
    fake.add(7, "sleep")
    fake.add(8, "sleep")
    register(tmp_path, "8-9000.json", workload="uniform:size=4M", seed=1)
    found = finder(default="uniform:size=4M", seed=seed)
    answers = []
    for pid in (7, 8):
        space = found(pid)
        assert space is not None
        pages = space.mappings(0)[2].start + 4096 * np.arange(1024)[None]
        answers.append(space.accessed(pages, np.array([[50_000_000]]), np.array([[50_050_000]])))
    assert (answers[0] == answers[1]).all() == (seed == 1)


def test_flat_memory_is_surrounded(finder: Finder, fake: FakeProc) -> None:
    """Memory that stands alone gets the mappings that vaddr looks for."""
    fake.add(7, "sleep")
    space = finder(default="uniform:size=4M,layout=flat")(7)
    assert space is not None
    assert len(space.mappings(0)) == 4


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["masim", "/nowhere/a.cfg"], "cannot be read: No such file or directory"),
        (["masim", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["access_memory", "1"], "access_memory takes 3 numbers, not 1"),
        (["named", "x"], "no workload 'nonsense'"),
    ],
)
@pytest.mark.parametrize("default", [None, "uniform:size=4M"])
def test_what_cannot_be_read_is_logged(
    finder: Finder, fake: FakeProc, words: list[str], wrong: str, default: str | None
) -> None:
    """The default stands in for what makes no sense, and a warning says what that is."""
    fake.add(7, *words)
    with structlog.testing.capture_logs() as logs:
        space = finder(Rule("named", "nonsense"), default=default)(7)
    assert (name_of(space) if space is not None else None) == (default and "uniform")
    (warning,) = (each for each in logs if each["log_level"] == "warning")
    assert warning["pid"] == 7
    assert wrong in warning["error"]


@pytest.mark.parametrize("values", [{}, {"workload": "nonsense"}])
def test_broken_registrations_are_logged(
    finder: Finder, fake: FakeProc, tmp_path: Path, values: dict[str, object]
) -> None:
    """A file that makes no sense is no reason not to look at the process otherwise."""
    fake.add(7, "sleep")
    register(tmp_path, "7-9000.json", **values)
    with structlog.testing.capture_logs() as logs:
        assert name_of(finder(default="uniform:size=4M")(7)) == "uniform"
    assert "warning" in {each["log_level"] for each in logs}


def test_logs_that_fail_do_no_harm(finder: Finder, fake: FakeProc) -> None:
    """An application's processors of log lines may raise; the lookup does not."""

    def fail(*_: object) -> str:
        raise RuntimeError

    fake.add(7, "masim", "/nowhere/a.cfg")
    found = finder(default="uniform:size=4M")
    structlog.configure(processors=[fail])
    try:
        assert name_of(found(7)) == "uniform"
    finally:
        structlog.reset_defaults()


@pytest.mark.parametrize("names", [["cmdline"], ["cwd"], ["cmdline", "cwd"]])
def test_processes_may_vanish_in_between(finder: Finder, fake: FakeProc, names: list[str]) -> None:
    """A process of which half is gone already raises nothing."""
    fake.add(7, "masim", "a.cfg")
    fake.remove(7, *names)
    with structlog.testing.capture_logs():
        assert name_of(finder(default="uniform:size=4M")(7)) == "uniform"
    fake.remove(7, "stat")
    assert finder(default="uniform:size=4M")(7) is None


def test_the_dead_are_forgotten(finder: Finder, fake: FakeProc) -> None:
    """A lookup that runs for long does not keep every process that there ever was."""
    found = finder(default="uniform:size=4K")
    for pid in range(1, 200):
        fake.add(pid, "sleep")
        assert found(pid) is not None
        fake.remove(pid)
    assert len(found._known) < 100
    assert repr(found).startswith("<Processes ")


def test_a_real_child(child: Child) -> None:
    """A real process is found while it lives, and not once it has ended."""
    process = child("cat")
    found = Processes(lambda: 0, Rules([Rule("cat", "uniform:size=4M")]))
    world = World(process=found)
    space = world.alive(process.pid, 0)
    assert space is not None
    assert found(process.pid) is space
    process.kill()
    process.wait()
    assert world.alive(process.pid, 0) is None
    assert space.lifetime_us == 0


def test_the_masim_command(child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What our own command registers and what its command line says is the same memory."""
    monkeypatch.setenv("DAMON_ASYNC_RUNTIME_DIR", str(tmp_path / "run"))
    config = tmp_path / "a.cfg"
    config.write_text(CONFIG.replace("100\n", "1000000\n"))
    process = child(sys.executable, "-m", "damon_async", "masim", str(config), "-p")
    found = Processes(lambda: 0, registry=runtime_dir())
    assert process.stdout is not None
    assert process.stdout.readline() == b"region a: 1048576 bytes\n"
    space = found(process.pid)
    assert name_of(space) == "a"
    assert len(list((tmp_path / "run").iterdir())) == 1
    (registered,) = (tmp_path / "run").iterdir()
    registered.unlink()
    assert found(process.pid) is space
