"""Records that look like recordings: regions that split, heat up, age and cool down."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from damon_async.params.intervals import Intervals
from damon_async.records.record import Record

from ..records.makers import INTERVALS, Row, record

PAGE = 4096
LOW, HIGH = 86 * 2**40, 127 * 2**40
"""Where the two mappings of a history lie."""


def history(
    nr_snapshots: int = 30,
    nr_regions: int = 9,
    *,
    seed: int = 1,
    intervals: Intervals | None = INTERVALS,
    start_ns: int = 10**9,
    target_id: int = 0,
    kdamond_idx: int = 0,
) -> Record:
    """Return a record of two mappings that stay, with regions that change."""
    rng = np.random.default_rng(seed)
    snapshots = [_rows(rng, nr_regions) for _ in range(nr_snapshots)]
    return record(
        *snapshots,
        start_ns=start_ns,
        intervals=intervals,
        target_id=target_id,
        kdamond_idx=kdamond_idx,
    )


def _rows(rng: np.random.Generator, nr_regions: int) -> list[Row]:
    most = 20
    rows: list[Row] = []
    for base, nr_pages, count in ((LOW, 9_000, nr_regions // 3), (HIGH, 51_237, nr_regions)):
        cuts = np.sort(rng.choice(np.arange(1, nr_pages), count - 1, replace=False))
        bounds = [0, *cuts.tolist(), nr_pages]
        rows += [
            (
                base + low * PAGE,
                base + high * PAGE,
                int(rng.choice([0, 0, 0, 1, 5, most // 2, most - 1, most])),
                int(rng.choice([0, 1, 2, 7, 30])),
            )
            for low, high in pairwise(bounds)
        ]
    return rows
