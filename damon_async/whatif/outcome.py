"""What a run came to, as plain values: reports need to know nothing of machines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from ..arrays import FloatArray, IntArray
from ..params.monitoring import Context
from ..params.quotas import Quotas
from ..params.schemes import Scheme
from ..schemes.stats import SchemeStats

NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True)
class Timeline:
    """
    The machine over time; all columns have the same length.

    Attributes:
        time_us: Instants, in microseconds, ascending; the first is the beginning.

        resident_bytes: Memory in use then.

        nr_refaults: Touches of pages that had been paged out, up to then.

        stall_ns: How long programs had waited for memory, up to then.

        work_ns: How long actions of schemes had taken, up to then.
    """

    time_us: IntArray
    resident_bytes: IntArray
    nr_refaults: IntArray
    stall_ns: IntArray
    work_ns: IntArray

    @property
    def mean_resident_bytes(self) -> float:
        """Memory in use, averaged over time; bytes."""
        length_us = int(self.time_us[-1] - self.time_us[0])
        if not length_us:
            return float(self.resident_bytes[-1])
        # What was seen at the end of a step is taken to hold for all of it:
        # actions take effect at steps.
        # As floats: a day of a large machine is more byte-microseconds than 63 bits hold.
        return float(self.resident_bytes[1:].astype(np.float64) @ np.diff(self.time_us)) / length_us


@dataclass(frozen=True)
class QuotaUse:
    """
    The charge windows of a scheme that have ended; all columns have the same length.

    Attributes:
        start_us: When each began, in microseconds.

        charged_bytes: What was charged in it.

        allowed_bytes: Its effective quota.

        spent_ns: How long its actions took.
    """

    start_us: IntArray
    charged_bytes: IntArray
    allowed_bytes: FloatArray
    spent_ns: IntArray

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.start_us)

    @property
    def shares(self) -> FloatArray:
        """
        How much of the quota each window used, from 0 to 1.

        float64, shape (nr_windows,). Nothing of nothing is nothing.
        """
        allowed = np.maximum(self.allowed_bytes, 1.0)
        return self.charged_bytes / allowed


@dataclass(frozen=True)
class SchemeOutcome:
    """
    What one scheme did.

    Attributes:
        context_idx: Index of its context.

        scheme: Its parameters.

        stats: Its counters at the end.

        quota: Its charge windows; none if it has no quota.

        is_active: Whether its watermarks let it act at the end.
    """

    context_idx: int
    scheme: Scheme
    stats: SchemeStats
    quota: QuotaUse
    is_active: bool = True

    @property
    def quotas(self) -> Quotas:
        """What limits it."""
        return self.scheme.quotas


@dataclass(frozen=True)
class Outcome:
    """
    One run, from the beginning to the end.

    Attributes:
        name: What people call the schemes that ran.

        contexts: The parameters, with spaces left out; none in a run that was
            left alone.

        nr_programs: How many programs shared the machine.

        timeline: The machine over time.

        schemes: What each scheme did, context by context.

        nr_paged_out: Pages that schemes paged out.

        nr_reclaimed: Pages that were paged out to make room, by nobody's wish.

        nr_faults: First touches of pages.

        nr_snapshots: Aggregations that ended.

        mean_nr_regions: Regions at the end of an aggregation, on average.

        nr_checks: How often the monitor looked at a page.

        check_ns: What one look takes; an assumption.

        cpu_s: What simulating all of it took here, in seconds; 0 if nobody
            measured it.
    """

    name: str
    contexts: tuple[Context, ...]
    nr_programs: int
    timeline: Timeline
    schemes: tuple[SchemeOutcome, ...]
    nr_paged_out: int
    nr_reclaimed: int
    nr_faults: int
    nr_snapshots: int
    mean_nr_regions: float
    nr_checks: int
    check_ns: int
    cpu_s: float = 0.0

    @property
    def duration_us(self) -> int:
        """How long it ran, in microseconds of its own clock."""
        return int(self.timeline.time_us[-1] - self.timeline.time_us[0])

    @cached_property
    def resident_bytes(self) -> float:
        """Memory in use, averaged over time; bytes."""
        return self.timeline.mean_resident_bytes

    @property
    def final_resident_bytes(self) -> int:
        """Memory in use at the end."""
        return int(self.timeline.resident_bytes[-1])

    @property
    def nr_refaults(self) -> int:
        """Touches of pages that had been paged out."""
        # Columns are sums up to an instant, so that the last is the total.
        return int(self.timeline.nr_refaults[-1])

    @property
    def stall_ns(self) -> int:
        """How long programs waited for memory, in nanoseconds, summed over all of them."""
        return int(self.timeline.stall_ns[-1])

    @property
    def action_share(self) -> float:
        """What the schemes' actions took of one core, from 0 to 1 (and beyond)."""
        return self._of_a_core(int(self.timeline.work_ns[-1]))

    @property
    def check_share(self) -> float:
        """What looking at pages took of one core, from 0 to 1 (and beyond)."""
        return self._of_a_core(self.nr_checks * self.check_ns)

    def saved_share(self, baseline: Outcome) -> float:
        """Return how much less memory is in use than in *baseline*, as a share of that."""
        if not baseline.resident_bytes:
            return 0.0
        return 1 - self.resident_bytes / baseline.resident_bytes

    def slowdown(self, baseline: Outcome) -> float:
        """
        Return how much longer programs take than in *baseline*, as a share.

        What they wait for is time that they do not run; the truth about their
        accesses is not stretched by it, so this is an estimate for small values.
        """
        own_us = max(1, self.duration_us * self.nr_programs)
        return (self.stall_ns - baseline.stall_ns) / 1000 / own_us

    def _of_a_core(self, time_ns: int) -> float:
        # Not cut off at 1: more than a core is the most useful warning there
        # is.
        return time_ns / 1000 / max(1, self.duration_us)
