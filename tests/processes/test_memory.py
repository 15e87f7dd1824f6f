"""Machines whose physical memory is monitored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from damon_async.control.world import World
from damon_async.errors import InvalidError
from damon_async.params.keywords import Action, GoalMetric, WatermarkMetric
from damon_async.processes.memory import iomem, machine_of
from damon_async.spaces.acting import ActingSpace
from damon_async.spaces.space import Mapping

GIB = 1024**3
MIB = 1024**2


def test_default_machine() -> None:
    """Unless told otherwise, a machine has 1 GiB from 4 GiB on."""
    ram = machine_of().ram
    assert ram == (Mapping(4 * GIB, 5 * GIB, 4096, "System RAM"),)
    assert iomem(ram) == "100000000-13fffffff : System RAM\n"


def test_memory_is_as_large_as_the_workload() -> None:
    """All that the workload maps is memory of the machine."""
    (ram,) = machine_of("uniform:size=64M,layout=flat").ram
    assert ram.end - ram.start == 64 * MIB
    (ram,) = machine_of("uniform:size=64M").ram
    assert ram.end - ram.start > 64 * MIB


def test_paddr_is_available() -> None:
    """A tree in whose world the machine is offers all operations sets."""
    assert World(memory=machine_of().memory).operations == ("vaddr", "fvaddr", "paddr")


def test_the_workload_is_what_happens() -> None:
    """Physical memory is touched as the workload says."""
    memory = machine_of("stairs:size=64M,steps=4,step=1s,layout=flat").memory
    addresses = 4 * GIB + 16 * MIB * np.arange(4)[None]
    since = np.array([[500_000], [2_500_000]])
    found = memory.accessed(np.repeat(addresses, 2, 0), since, since + 1000)
    assert found.tolist() == [[True, False, False, False], [False, False, True, False]]


def test_workloads_are_repeated(tmp_path: Path) -> None:
    """A machine is not over when its workload is."""
    config = tmp_path / "a.cfg"
    config.write_text("a,1M\n\nfirst\n100\na,0,4096,1\n")
    memory = machine_of(str(config)).memory
    assert memory.lifetime_us is None
    truth = memory.truth(4 * GIB, 5 * GIB, np.array([10**12, 10**12 + 50_000]))
    assert truth.counts.max() == 1


def test_capacity() -> None:
    """How much memory may be in use decides what watermarks and goals see."""
    spec = "hotspot:size=64M,layout=flat"
    usual, tight = machine_of(spec), machine_of(spec, capacity=32 * MIB)
    rates = [
        each.metrics.value(WatermarkMetric.FREE_MEM_RATE, nid=None, memcg_path=None, now_us=0)
        for each in (usual, tight)
    ]
    assert rates == [200, 0]
    used = tight.metrics.value(GoalMetric.NODE_MEM_USED_BP, nid=0, memcg_path=None, now_us=0)
    assert used == 10_000


def test_schemes_act_on_it() -> None:
    """Memory that a scheme pages out is free, and the metrics say so."""
    machine, memory, metrics = machine_of("uniform:size=64M,layout=flat,rate=0.0001")
    acting: ActingSpace = memory
    free = machine.account.free_bytes
    done = acting.apply(
        Action.PAGEOUT,
        np.array([[4 * GIB, 4 * GIB + 40 * MIB]]),
        filters=(),
        bypass=np.zeros(1, np.bool_),
        target_nid=-1,
        dests=(),
        now_us=1000,
    )
    assert done.applied.tolist() == [40 * MIB]
    rate = metrics.value(WatermarkMetric.FREE_MEM_RATE, nid=None, memcg_path=None, now_us=2000)
    assert (free, rate) == (16 * MIB, 700)


def test_history_does_not_grow() -> None:
    """A machine that runs for days keeps its last account only."""
    machine, _, metrics = machine_of("uniform:size=1M,layout=flat")
    for now_us in range(1000, 5000, 1000):
        metrics.value(WatermarkMetric.FREE_MEM_RATE, nid=None, memcg_path=None, now_us=now_us)
    assert [account.time_us for account in machine.history] == [4000]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nonsense", "no workload 'nonsense'"),
        ("uniform:size=2T", "a machine has at most 1099511627776, which is 1 TiB"),
        ("uniform:size=1G,colour=blue", "colour: no such option"),
    ],
)
def test_impossible_machines(spec: str, message: str) -> None:
    """What cannot be a machine is refused in one sentence."""
    with pytest.raises(InvalidError, match=message):
        machine_of(spec)


@pytest.mark.parametrize(
    ("ranges", "text"),
    [
        ([], ""),
        ([(0x1000, 0x9FC00)], "00001000-0009fbff : System RAM\n"),
        (
            [(0x100000, 0x40000000), (2**32, 2**36)],
            "00100000-3fffffff : System RAM\n100000000-fffffffff : System RAM\n",
        ),
    ],
)
def test_iomem(ranges: list[tuple[int, int]], text: str) -> None:
    """Each range is a line, eight digits at least, the last byte included."""
    assert iomem([Mapping(start, end) for start, end in ranges]) == text
