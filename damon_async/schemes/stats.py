"""What a scheme has done so far."""

from __future__ import annotations

from dataclasses import dataclass

from ..operations.events import DamosStat


@dataclass(slots=True)
class SchemeStats:
    """
    Counters of one scheme, since it was made; they survive commits.

    Attributes:
        nr_tried: Regions that the action was tried on, after cuts.

        sz_tried: Bytes of them.

        nr_applied: Regions in which it did something.

        sz_applied: Bytes that it did something to.

        sz_ops_filter_passed: Bytes that passed the back end's filters.

        qt_exceeds: Charge windows that ended with the quota used up; counted
            when the next one begins.

        nr_snapshots: Walks that reached the last region of all targets before
            the quota was used up. Differs from the kernel: once per walk,
            whatever the number of targets (P17).

        nr_failed: Requests to act that broke down.

        nr_unmeasured: Metrics of users that told nothing.

    Source:
        spec core 7.9.
    """

    nr_tried: int = 0
    sz_tried: int = 0
    nr_applied: int = 0
    sz_applied: int = 0
    sz_ops_filter_passed: int = 0
    qt_exceeds: int = 0
    nr_snapshots: int = 0
    nr_failed: int = 0
    nr_unmeasured: int = 0

    def event(self, now_us: int, scheme_idx: int) -> DamosStat:
        """Return the counters that the kernel has, as a record of a trace."""
        # Failures are ours; the kernel has no actions that break down.
        return DamosStat(
            now_us,
            0,
            scheme_idx,
            self.nr_tried,
            self.sz_tried,
            self.nr_applied,
            self.sz_applied,
            self.sz_ops_filter_passed,
            self.qt_exceeds,
            self.nr_snapshots,
        )
