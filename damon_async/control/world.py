"""What is around a tree: the processes, memory and memory cgroups that its files name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..spaces.space import Space


def _no_process(pid: int) -> Space | None:
    """Know no process at all."""
    del pid
    return None


def _is_root(path: str) -> bool:
    """Know the memory cgroup that every machine has."""
    return path == "/"


@dataclass(frozen=True, slots=True)
class World:
    """
    Whom the files of a tree can be about.

    Attributes:
        process: Returns the address space of the process with a pid; None if there
            is no such process. Asked at each ``on`` and ``commit``.

        memory: Physical memory; None if there is none to be monitored, and then
            ``paddr`` is not available.

        has_memcg: Tells whether there is a memory cgroup of a path.

    Source:
        spec interfaces 0.6.
    """

    process: Callable[[int], Space | None] = _no_process
    memory: Space | None = None
    has_memcg: Callable[[str], bool] = _is_root

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations sets that are available, in the order of their list."""
        return ("vaddr", "fvaddr", "paddr") if self.memory is not None else ("vaddr", "fvaddr")

    def alive(self, pid: int, now_us: int) -> Space | None:
        """Return the address space of a process that has not ended by *now_us*; None else."""
        space = self.process(pid) if pid > 0 else None
        if space is None:
            return None
        end_us = space.lifetime_us
        return space if end_us is None or now_us < end_us else None
