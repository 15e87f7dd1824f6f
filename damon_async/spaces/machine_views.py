"""The memory of a machine as spaces: one process's, or all of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from ..params.filters import Filter
from ..params.keywords import Action
from ..params.schemes import Dest
from .acting import Done
from .frames import Process
from .layout import PHYSICAL_START
from .machine import Machine
from .page_actions import PHYSICAL, VIRTUAL, PageActions, PageRequest
from .pages import HUGE, PAGE, Bit, Frames
from .space import Mapping, Space, Truth


class _View(ABC):
    """A way to look at the memory of a machine; schemes act on it through one door."""

    __slots__ = ("_actions", "_machine")

    def __init__(self, machine: Machine, supported: frozenset[Action]) -> None:
        self._machine = machine
        self._actions = PageActions(machine, supported)

    @abstractmethod
    def _behind(self, ranges: IntArray) -> list[list[Frames]]:
        """Return the pages behind each range; several pieces where it lies in several mappings."""

    def apply(
        self,
        action: Action,
        ranges: IntArray,
        *,
        filters: Sequence[Filter],
        bypass: BoolArray,
        target_nid: int,
        dests: Sequence[Dest],
        now_us: int,
    ) -> Done:
        """Carry out an action on ranges of addresses; see ``ActingSpace.apply``."""
        frames = self._behind(ranges)
        request = PageRequest(action, frames, filters, bypass, target_nid, dests, now_us)
        return self._actions.act(request)


class ProcessMemory(_View):
    """
    The address space of a process on a machine; schemes act on it.

    The truth is that of the process's own space. Where the machine has made
    huge pages, 512 pages share one accessed mark.

    Args:
        machine: Where it runs.

        pid: Which process.

    Raises:
        InvalidError: If no process has that pid.
    """

    __slots__ = ("_process", "_space")

    def __init__(self, machine: Machine, pid: int) -> None:
        super().__init__(machine, VIRTUAL)
        self._process = _process_of(machine, pid)
        self._space: Space = self._process.space

    def __repr__(self) -> str:
        return f"<ProcessMemory {self._process.pid} on {self._machine!r}>"

    @property
    def is_pure(self) -> bool:
        """Whether answers depend on the time asked about alone; actions change nothing."""
        return self._space.is_pure

    @property
    def lifetime_us(self) -> int | None:
        """When the process ends, None if it never does."""
        return self._space.lifetime_us

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return what is mapped."""
        return self._space.mappings(now_us)

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell for each address whether its page, small or huge, was touched."""
        answers = self._space.accessed(addresses, since_us, until_us)
        if self._machine.pages.nr_huge:
            self._ask_huge_pages(answers, addresses, since_us, until_us)
        return answers

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """Count touches of each small page."""
        return self._space.truth(start, end, instants_us)

    def _behind(self, ranges: IntArray) -> list[list[Frames]]:
        frames_of, pid = self._machine.frames.frames_of, self._process.pid
        return [list(frames_of(pid, low, high)) for low, high in ranges.tolist()]

    def _ask_huge_pages(
        self, answers: BoolArray, addresses: IntArray, since_us: IntArray, until_us: IntArray
    ) -> None:
        """Correct the answers for addresses in huge pages; in place."""
        machine = self._machine
        for segment in machine.frames.segments:
            if machine.frames.processes[segment.process] is not self._process:
                continue
            frames = (addresses - segment.start) // PAGE + segment.first
            inside = (frames >= segment.first) & (frames < segment.end) & ~answers
            rows, columns = np.nonzero(inside)
            numbers = frames[rows, columns]
            is_huge = (machine.pages.flags[numbers] & Bit.HUGE).astype(np.bool_)
            rows, columns, numbers = rows[is_huge], columns[is_huge], numbers[is_huge]
            if not len(numbers):
                continue
            # All 512 small pages of each: whichever was touched marks them all.
            blocks = numbers // HUGE * HUGE
            every = blocks[:, None] + np.arange(HUGE)
            small = (every - segment.first) * PAGE + segment.start
            found = self._space.accessed(small, since_us[rows], until_us[rows])
            answers[rows, columns] |= found.any(axis=1)


class PhysicalMemory(_View):
    """
    All memory of a machine, from 4 GiB on, as one space; schemes act on it.

    Args:
        machine: Whose memory.
    """

    __slots__ = ()

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, PHYSICAL)

    def __repr__(self) -> str:
        return f"<PhysicalMemory of {self._machine!r}>"

    @property
    def is_pure(self) -> bool:
        """Whether answers depend on the time asked about alone."""
        return all(process.space.is_pure for process in self._machine.frames.processes)

    @property
    def lifetime_us(self) -> int | None:
        """When the last process ends, None if one never does."""
        ends = [process.space.lifetime_us for process in self._machine.frames.processes]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return the memory as one range."""
        del now_us
        size = self._machine.frames.nr_pages * PAGE
        return (Mapping(PHYSICAL_START, PHYSICAL_START + size, PAGE, "System RAM"),)

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell for each address whether its page was touched."""
        frames = (addresses - PHYSICAL_START) // PAGE
        return self._machine.frames.accessed(frames, since_us, until_us)

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """Count touches of each page."""
        bounds, counts = [start], []
        for piece in self._machine.frames.pieces(self._frames(start, end)):
            truth = self._machine.frames.truth(piece, instants_us)
            shift = piece.frames.start * PAGE + PHYSICAL_START - piece.start
            low = piece.frames.start * PAGE + PHYSICAL_START
            if low > bounds[-1]:
                bounds.append(low)
                counts.append(0)
            bounds += (truth.bounds[1:] + shift).tolist()
            counts += truth.counts.tolist()
        if bounds[-1] < end:
            bounds.append(end)
            counts.append(0)
        return Truth(np.array(bounds), np.array(counts), len(instants_us) - 1)

    def _behind(self, ranges: IntArray) -> list[list[Frames]]:
        frames = [self._frames(low, high) for low, high in ranges.tolist()]
        return [[each] if each.start < each.stop else [] for each in frames]

    def _frames(self, start: int, end: int) -> Frames:
        """Return the pages behind the part of ``[start, end)`` that there is."""
        nr_pages = self._machine.frames.nr_pages
        low = max(0, (start - PHYSICAL_START) // PAGE)
        high = max(low, min(nr_pages, -(-(end - PHYSICAL_START) // PAGE)))
        return slice(low, high)


def _process_of(machine: Machine, pid: int) -> Process:
    """Return the process of a machine with that number."""
    for process in machine.frames.processes:
        if process.pid == pid:
            return process
    msg = f"no process {pid} on this machine; it has {[p.pid for p in machine.frames.processes]}"
    raise InvalidError(msg)
