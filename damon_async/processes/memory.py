"""The physical memory of a synthetic machine, and what the system tells of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ..errors import InvalidError
from ..spaces.costs import Node
from ..spaces.frames import Process
from ..spaces.machine import Machine
from ..spaces.machine_metrics import MachineMetrics
from ..spaces.machine_views import PhysicalMemory
from ..spaces.space import Mapping
from ..spaces.workload import open_workload
from .repeated import repeated

DEFAULT_MEMORY: Final = "hotspot:size=1G,layout=flat"
"""The workload of a machine of which nothing is said."""

MAX_MEMORY: Final = 1024**4
"""Largest memory of a machine, in bytes: it takes three bytes for each page of 4 KiB."""

SYSTEM_RAM: Final = "System RAM"
"""What the system calls memory."""

# As wide as the kernel prints them; larger numbers are printed in full.
_ADDRESS_WIDTH: Final = 8


class PhysicalMachine(NamedTuple):
    """A machine on which one workload runs, for ``paddr`` and for schemes."""

    machine: Machine
    """What holds the state of its pages."""

    memory: PhysicalMemory
    """All of its memory, from 4 GiB on; schemes act on it."""

    metrics: MachineMetrics
    """What watermarks and goals ask."""

    @property
    def ram(self) -> tuple[Mapping, ...]:
        """Where it has memory, ascending."""
        return tuple(self.memory.mappings(0))


def machine_of(
    spec: str = DEFAULT_MEMORY, *, capacity: int | None = None, seed: int = 0
) -> PhysicalMachine:
    """
    Make a machine whose memory a workload uses; the workload never ends.

    What the workload maps becomes one range of physical memory, mapping after
    mapping. The memory of processes that are found by pid is not part of it.

    Args:
        spec: The workload, as for ``open_workload``.

        capacity: Bytes of memory that may be in use at a time, for watermarks and
            goals; if less than the workload maps, the rest is paged out. By default a
            quarter more than that.

        seed: For what is random.

    Raises:
        DamonError: If there is no such workload.

        InvalidError: If it maps nothing, or more than a machine can have.
    """
    # paddr never ends, and memory that is silent for ever is nothing to look at.
    space = repeated(open_workload(spec, seed=seed))
    mapped = sum(mapping.end - mapping.start for mapping in space.mappings(0))
    if mapped > MAX_MEMORY:
        raise InvalidError(
            f"{spec} maps {mapped} bytes; a machine has at most {MAX_MEMORY}, which is 1 TiB"
        )
    nodes = () if capacity is None else (Node(capacity=capacity),)
    machine = Machine([Process(1, space)], nodes=nodes, keeps_history=False)
    return PhysicalMachine(machine, PhysicalMemory(machine), MachineMetrics(machine))


def iomem(ram: Iterable[Mapping]) -> str:
    """
    Return what ``/proc/iomem`` would say of a machine.

    Args:
        ram: Where it has memory, ascending.

    Returns:
        A line per range, such as ``100000000-13fffffff : System RAM``. Ends are the last
        bytes, not the ones behind.
    """
    width = _ADDRESS_WIDTH
    return "".join(
        f"{start:0{width}x}-{end - 1:0{width}x} : {SYSTEM_RAM}\n" for start, end, *_ in ram
    )
