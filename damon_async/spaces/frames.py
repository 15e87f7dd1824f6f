"""Where the memory of processes lies among the pages of a machine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from .pages import PAGE, Frames
from .space import Space, Truth
from .truth import Ranged


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
        self._starts = [segment.first for segment in self.segments]
        self._firsts = np.array(self._starts, np.int64)
        self._ends = np.array([segment.end for segment in self.segments], np.int64)
        # Found out once: checking a protocol takes as long as a question.
        spaces = [self.processes[segment.process].space for segment in self.segments]
        self._ranged = [space if isinstance(space, Ranged) else None for space in spaces]

    def pieces(self, frames: Frames) -> Iterator[Piece]:
        """Yield the pages of a range, segment by segment."""
        # Of a list: for one number at a time that is ten times as fast as of an array.
        index = bisect_right(self._starts, frames.start) - 1
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
        whole = np.array([[frames.start, frames.stop]], np.int64)
        ranges = self.touched_ranges(whole, since_us, until_us).ravel()
        # Untouched up to the first bound, touched up to the next one, and so on.
        bounds = np.concatenate(([frames.start], ranges, [frames.stop]))
        lengths = bounds[1:] - bounds[:-1]
        is_touched = np.zeros(len(lengths), np.bool_)
        is_touched[1::2] = True
        return np.repeat(is_touched, lengths)

    def touched_ranges(self, ranges: IntArray, since_us: int, until_us: int) -> IntArray:
        """
        Return what was touched in an interval of some ranges of pages.

        Args:
            ranges: int64, shape (nr_ranges, 2): first page and the one behind the
                last, ascending and not overlapping.

            since_us: When the interval begins.

            until_us: When it ends.

        Returns:
            int64, shape (nr_touched, 2), like *ranges*.
        """
        # All of a segment at once: asking a space takes long, however little it is about.
        firsts = ranges[:, 1].searchsorted(self._firsts, "right").tolist()
        lasts = ranges[:, 0].searchsorted(self._ends, "left").tolist()
        found = [np.zeros((0, 2), np.int64)]
        for index, (segment, first, last) in enumerate(
            zip(self.segments, firsts, lasts, strict=True)
        ):
            if first < last:
                own = ranges[first:last].clip(segment.first, segment.end)
                found.append(self._touched_in(index, own, since_us, until_us))
        return np.concatenate(found)

    def _touched_in(self, index: int, ranges: IntArray, since_us: int, until_us: int) -> IntArray:
        """Return what was touched of some ranges of one segment."""
        segment, ranged = self.segments[index], self._ranged[index]
        # From pages of the machine to those of the process.
        shift = segment.first - segment.start // PAGE
        bounds = (ranges - shift) * PAGE
        if ranged is not None:
            return ranged.touched_runs(bounds, since_us, until_us) // PAGE + shift
        space = self.processes[segment.process].space
        instants = np.array([since_us, until_us], np.int64)
        found = []
        for start, end in bounds.tolist():
            truth = space.truth(start, end, instants)
            runs = np.stack((truth.bounds[:-1], truth.bounds[1:]), axis=1)
            found.append(runs[truth.counts > 0])
        return np.concatenate(found) // PAGE + shift

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
        if not frames.size:
            return answers
        # A column is a region, which nearly always lies in one segment as a whole:
        # each segment is asked about its own columns only.
        lows, highs = frames.min(axis=0), frames.max(axis=0)
        if (lows[1:] < lows[:-1]).any():
            order = np.argsort(lows, kind="stable")
            answers[:, order] = self.accessed(frames[:, order], since_us, until_us)
            return answers
        starts = np.maximum.accumulate(highs).searchsorted(self._firsts).tolist()
        stops = lows.searchsorted(self._ends).tolist()
        for segment, start, stop in zip(self.segments, starts, stops, strict=True):
            if start >= stop:
                continue
            part = slice(start, stop)
            own = frames[:, part]
            space = self.processes[segment.process].space
            addresses = own * PAGE + (segment.start - segment.first * PAGE)
            if lows[part].min() >= segment.first and highs[part].max() < segment.end:
                answers[:, part] = space.accessed(addresses, since_us, until_us)
                continue
            chosen = (own >= segment.first) & (own < segment.end)
            addresses[~chosen] = -1
            answers[:, part] |= chosen & space.accessed(addresses, since_us, until_us)
        return answers
