"""What must be true of quotas: what is charged, and where the next walk goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..monitor.committing import removed_targets
from ..params.monitoring import Target
from ..schemes.quotas import QuotaState
from ..schemes.state import SchemeState

Pointers: TypeAlias = list[tuple[QuotaState, int | None]]
"""Quotas, and the place of the target that each should point at."""


def moved_pointers(
    states: Sequence[SchemeState], old: Sequence[Target], new: Sequence[Target]
) -> Pointers:
    """Return where quotas must point when *old* targets have become *new* ones."""
    gone = removed_targets(old, new)
    wanted: Pointers = []
    for s in states:
        place = s.quota.charge_target
        if place in gone:
            place = None
        elif place is not None:
            place -= sum(index < place for index in gone)
        wanted.append((s.quota, place))
    return wanted


class QuotaBooks:
    """
    Remembers what quotas allowed.

    Args:
        findings: Where to say what is wrong.
    """

    def __init__(self, findings: list[str]) -> None:
        self._findings = findings
        # Kept with the quota, so that its number cannot become another one's.
        self._most: dict[int, tuple[QuotaState, int | None, int]] = {}

    def compare_pointers(self, wanted: Pointers) -> None:
        """Compare what quotas point at with what they should."""
        for quota, place in wanted:
            # A limit that is gone takes its pointer with it.
            if quota.charge_target not in {place, None}:
                self._findings.append(
                    f"a quota points at target {quota.charge_target}, not at {place}"
                )

    def look(self, states: Sequence[SchemeState]) -> None:
        """Look at what was charged until now."""
        for s in states:
            quota, quotas = s.quota, s.scheme.quotas
            known, window_us, most = self._most.get(id(quota), (quota, None, 0))
            # Limits may change within a window: what counts is the largest there was.
            most = max(quota.esz, most if window_us == quota.window_start_us else 0)
            self._most[id(quota)] = (known, quota.window_start_us, most)
            # What is left is never cut finer than a page, but always down.
            if quota.is_limited and quota.charged_sz > most:
                self._findings.append(f"{quota.charged_sz} bytes are charged, of at most {most}")
            # Statistics are kept apart from charges, so one can be held against the other.
            charged = quota.total_charged_sz + quota.charged_sz
            is_dear = quotas.fail_charge_num > quotas.fail_charge_denom
            if charged > s.stats.sz_tried and not is_dear:
                tried = s.stats.sz_tried
                self._findings.append(f"{charged} bytes are charged, but {tried} were tried")
            if quota.charge_target is None and quota.charge_addr:
                self._findings.append("a quota points at an address of no target")
