"""When an apply round happens, and what holds then."""

from __future__ import annotations

from typing import NamedTuple

from ..arrays import BoolArray
from ..operations.metrics import Metrics
from ..params.intervals import Intervals


class Moment(NamedTuple):
    """
    What an apply round needs to know beside regions and schemes.

    A tuple, because one is made for each round, and frozen dataclasses are
    several times slower to make.

    Attributes:
        now_us: The time, in microseconds.

        passed: Sampling intervals since the monitor began.

        intervals: What frequencies and ages are counted in.

        min_region_sz: The smallest region, in bytes; bounds are multiples of it.

        sz_limit: Largest size of a region that cuts are joined to, in bytes.

        can_act: Whether the operations set acts at all. If not, schemes with
            built-in actions only count, and reset ages.

        metrics: The machine that goals measure; None if there is none.

        valid_targets: bool, shape (nr_targets,): which targets still exist;
            None if all do.

        addr_unit: Bytes of physical memory per byte of a region.
    """

    now_us: int
    passed: int
    intervals: Intervals
    min_region_sz: int = 4096
    sz_limit: int = 2**63 - 1
    can_act: bool = True
    metrics: Metrics | None = None
    valid_targets: BoolArray | None = None
    addr_unit: int = 1
