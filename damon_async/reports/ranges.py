"""
Where and when there is something to see in a record.

Source:
    Output of damo 3.4.3; spec damo 5. Differs: address ranges are what was
    monitored at any time, joined; damo looks for gaps that all snapshots share,
    and misses some if regions move. Address 0 counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..records.record import Record
from ..records.snapshot import Snapshot
from .rows import ages_us


def mapped_ranges(snapshots: Sequence[Snapshot]) -> list[tuple[int, int]]:
    """
    Find the contiguous address ranges that were monitored at any time.

    Returns:
        Ascending ``(start, end)``.
    """
    # A set: most snapshots cover what the one before covered.
    spans: set[tuple[int, int]] = set()
    for snapshot in snapshots:
        spans.update(contiguous_spans(snapshot))
    joined: list[tuple[int, int]] = []
    # Ranges that touch are one: in a heatmap there would be no gap between
    # them.
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def contiguous_spans(snapshot: Snapshot) -> list[tuple[int, int]]:
    """
    Join the regions of a snapshot that touch.

    Args:
        snapshot: Of one target, in the order of addresses.

    Returns:
        Ascending ``(start, end)``, with gaps in between.
    """
    if not snapshot.nr_regions:
        return []
    is_new = np.concatenate(([True], snapshot.start[1:] != snapshot.end[:-1]))
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], snapshot.nr_regions) - 1
    return list(zip(snapshot.start[first].tolist(), snapshot.end[last].tolist(), strict=True))


def hottest_range(
    snapshots: Sequence[Snapshot], ranges: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    """
    Choose the range with the most accesses per byte, the first of equals.

    Args:
        snapshots: All count alike, however long they took.

        ranges: At least one, as ``mapped_ranges`` gives them.
    """
    bounds = np.array([start for start, _ in ranges], dtype=np.int64)
    heats = np.zeros(len(ranges))
    for snapshot in snapshots:
        # Every region lies wholly in one range.
        places = np.searchsorted(bounds, snapshot.start, side="right") - 1
        # As floats, because bytes times samples can exceed 63 bits.
        np.add.at(heats, places, snapshot.nr_accesses * snapshot.sizes.astype(np.float64))
    sizes = np.array([end - start for start, end in ranges])
    # Per byte, or the largest range would nearly always win.
    return ranges[int(np.argmax(heats / sizes))]


def time_range(record: Record) -> tuple[int, int]:
    """
    Tell when a record begins and ends, in nanoseconds.

    With intervals it begins before its first snapshot: ages say how long things
    had been as that found them.
    """
    start_ns = record.start_ns
    if record.intervals is not None and record.snapshots:
        oldest_us = int(ages_us(record.snapshots[0]).max(initial=0))
        start_ns -= oldest_us * 1000
    return start_ns, record.end_ns
