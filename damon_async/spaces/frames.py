"""Where the memory of processes lies among the pages of a machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from .pages import PAGE, Frames
from .space import Space, Truth


@dataclass(frozen=True, slots=True)
class Process:
    """
    A program that runs on a machine.

    Attributes:
        pid: Its number, unique on the machine.

        space: Its memory, and the truth about its accesses.

        memcg: Path of its memory cgroup.

        node: The memory node that its pages are on at first.

        is_anon: Whether its memory is anonymous; file-backed if not.

        is_mapped: Whether its memory is mapped; if not, it is page cache that programs
            only read and write.
    """

    pid: int
    space: Space
    memcg: str = "/"
    node: int = 0
    is_anon: bool = True
    is_mapped: bool = True


class Segment(NamedTuple):
    """One mapping of one process, and the pages behind it."""

    process: int
    """Index of the process."""

    start: int
    """First address of the mapping, in bytes."""

    first: int
    """Number of its first page on the machine."""

    nr_pages: int
    """How many pages it has."""

    @property
    def end(self) -> int:
        """Number of the page behind its last one."""
        return self.first + self.nr_pages


class Piece(NamedTuple):
    """Pages of one segment, and the addresses at which their process sees them."""

    process: int
    """Index of the process."""

    frames: Frames
    """Numbers of the pages."""

    start: int
    """Address of the first one, in bytes."""

    @property
    def end(self) -> int:
        """Address behind the last one."""
        nr_pages: int = self.frames.stop - self.frames.start
        return self.start + nr_pages * PAGE


class FrameMap:
    """
    Which page of the machine stands behind which address of which process.

    A page keeps its number for life, resident or not, and on whichever node.

    Args:
        processes: Whose mappings, as they are at the beginning, get pages, one
            mapping after the other.

    Raises:
        InvalidError: If two processes have the same pid.
    """

    def __init__(self, processes: Sequence[Process]) -> None:
        pids = [process.pid for process in processes]
        twice = {pid for pid in pids if pids.count(pid) > 1}
        if twice:
            msg = f"pid {min(twice)} is given twice; each process needs a number of its own"
            raise InvalidError(msg)
        self.processes = tuple(processes)
        self.segments: list[Segment] = []
        first = 0
        for index, process in enumerate(processes):
            for mapping in process.space.mappings(0):
                nr_pages = (mapping.end - mapping.start) // PAGE
                self.segments.append(Segment(index, mapping.start, first, nr_pages))
                first += nr_pages
        self.nr_pages = first
        self._firsts = np.array([segment.first for segment in self.segments], np.int64)

    def pieces(self, frames: Frames) -> Iterator[Piece]:
        """Yield the pages of a range, segment by segment."""
        index = int(np.searchsorted(self._firsts, frames.start, "right")) - 1
        while index < len(self.segments):
            segment = self.segments[index]
            low, high = max(frames.start, segment.first), min(frames.stop, segment.end)
            if low >= high and segment.first >= frames.stop:
                return
            if low < high:
                address = segment.start + (low - segment.first) * PAGE
                yield Piece(segment.process, slice(low, high), address)
            index += 1

    def frames_of(self, pid: int, start: int, end: int) -> Iterator[Frames]:
        """Yield the pages behind the mapped part of ``[start, end)`` of a process."""
        for segment in self.segments:
            if self.processes[segment.process].pid != pid:
                continue
            low = max(start, segment.start) // PAGE - segment.start // PAGE
            high = -(-min(end, segment.start + segment.nr_pages * PAGE) // PAGE)
            high -= segment.start // PAGE
            if low < high:
                yield slice(segment.first + low, segment.first + high)

    def truth(self, piece: Piece, instants_us: IntArray) -> Truth:
        """Return how often the pages of a piece were touched; addresses are the process's."""
        space = self.processes[piece.process].space
        return space.truth(piece.start, piece.end, instants_us)

    def touched(self, frames: Frames, since_us: int, until_us: int) -> BoolArray:
        """Tell which pages were touched in an interval: bool, shape (nr_frames,)."""
        instants = np.array([since_us, until_us], np.int64)
        answers = np.zeros(frames.stop - frames.start, np.bool_)
        for piece in self.pieces(frames):
            truth = self.truth(piece, instants)
            inner = slice(piece.frames.start - frames.start, piece.frames.stop - frames.start)
            answers[inner] = np.repeat(truth.counts > 0, np.diff(truth.bounds) // PAGE)
        return answers

    def touched_ranges(self, frames: Frames, since_us: int, until_us: int) -> Iterator[Frames]:
        """Yield the ranges of pages that were touched in an interval, ascending."""
        instants = np.array([since_us, until_us], np.int64)
        for piece in self.pieces(frames):
            truth = self.truth(piece, instants)
            bounds = (truth.bounds - piece.start) // PAGE + piece.frames.start
            for index in np.flatnonzero(truth.counts).tolist():
                yield slice(int(bounds[index]), int(bounds[index + 1]))

    def accessed(self, frames: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """
        Tell for page numbers what ``Space.accessed`` tells for addresses.

        Args:
            frames: int64, shape (nr_intervals, nr_pages); those below 0 or too
                large are not accessed.

            since_us: int64, shape (nr_intervals, 1).

            until_us: int64, shape (nr_intervals, 1).
        """
        answers = np.zeros(frames.shape, np.bool_)
        index = np.searchsorted(self._firsts, frames, "right") - 1
        inside = (index >= 0) & (frames < self.nr_pages)
        # A column is a region, which nearly always lies in one segment as a whole:
        # each segment is asked about its own columns only.
        low, high = index.min(axis=0, initial=len(self.segments)), index.max(axis=0, initial=-1)
        for number in np.unique(index[inside]).tolist():
            segment = self.segments[number]
            columns = np.flatnonzero((low <= number) & (high >= number))
            own = frames[:, columns]
            chosen = inside[:, columns] & (index[:, columns] == number)
            addresses = np.where(chosen, (own - segment.first) * PAGE + segment.start, -1)
            space = self.processes[segment.process].space
            answers[:, columns] |= chosen & space.accessed(addresses, since_us, until_us)
        return answers
