"""
How much a scheme may still do: charge windows, effective size, and what is charged.

All is plain integers; time is microseconds, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..arrays import IntArray
from ..params.quotas import Quotas
from ..units import U64_MAX
from .sums import Sums

NS_PER_MS: Final = 1_000_000

FIRST_THROUGHPUT: Final = 4096 * 1024
"""Bytes per millisecond that an action does before it was ever timed."""

INT64_MAX: Final = 2**63 - 1


@dataclass(slots=True)
class QuotaState:
    """
    What the quota of a scheme remembers; it survives commits.

    Attributes:
        is_limited: Whether there is any limit. One of 0 bytes is a limit, too:
            nothing is allowed (P14).

        esz: The effective quota: bytes that may be charged per window.

        esz_bp: What goals are fed back to, in 1/10000 bytes.

        charged_sz: Bytes charged in the window.

        total_charged_sz: Bytes charged in all windows that have ended.

        total_charged_ns: What actions have taken altogether.

        window_start_us: When the window began; None if none ever did.

        charge_target: Index of the target in which the quota was used up, and
            where the next walk goes on; None if it starts from the beginning.

        charge_addr: One past the last byte that was served there.

        min_score: What a region must be worth at least.

    Source:
        spec core 2.4 and 7.4.
    """

    is_limited: bool = False
    esz: int = 0
    esz_bp: int = 0
    charged_sz: int = 0
    total_charged_sz: int = 0
    total_charged_ns: int = 0
    window_start_us: int | None = None
    charge_target: int | None = None
    charge_addr: int = 0
    min_score: int = 0

    def is_full(self, unit: int) -> bool:
        """Tell whether less than *unit* bytes, the smallest region, are left (P16)."""
        return self.is_limited and self.esz - self.charged_sz < max(1, unit)

    # -- Windows -------------------------------------------------------------

    def needs_window(self, quotas: Quotas, now_us: int) -> bool:
        """Tell whether a charge window has to begin at *now_us*, the first one included (P13)."""
        if self.window_start_us is None:
            return True
        # Compared like this, "max" is just a very long window.
        elapsed_us = now_us - self.window_start_us
        return not 0 <= elapsed_us < quotas.reset_interval_ms * 1000

    def begin_window(self, now_us: int, unit: int) -> bool:
        """
        Begin a charge window; the effective size is the caller's to renew.

        Returns:
            Whether the one before ended with the quota used up.
        """
        # Before the first window there was none that could have been exceeded.
        was_full = self.window_start_us is not None and self.is_full(unit)
        # Only now, and the time at once: an unfinished window would look slow.
        self.total_charged_sz += self.charged_sz
        self.charged_sz = 0
        self.window_start_us = now_us
        return was_full

    def set_esz(self, quotas: Quotas, unit: int) -> bool:
        """
        Compute the effective size from all limits; the smallest one holds.

        Args:
            quotas: The limits. What goals make of them is ``esz_bp``.

            unit: The smallest region, in bytes. A time quota always allows that
                much, lest it never learns how long an action takes.

        Returns:
            Whether it has changed.

        Source:
            spec core 7.4.2, the paragraph on G4; examples E24, E29, E30.
        """
        # 0 is how parameters say that there is no such limit, except for goals: what
        # they allow may really be nothing (P14).
        limits = []
        if quotas.sz_bytes:
            limits.append(quotas.sz_bytes)
        if quotas.goals:
            limits.append(self.esz_bp // 10_000)
        if quotas.time_ms:
            limits.append(max(unit, self.throughput * quotas.time_ms))
        before, self.esz = self.esz, min([*limits, U64_MAX])
        return self.esz != before

    @property
    def throughput(self) -> int:
        """Bytes per millisecond that actions have done so far."""
        if not self.total_charged_ns:
            return FIRST_THROUGHPUT
        return self.total_charged_sz * NS_PER_MS // self.total_charged_ns

    def forget(self) -> None:
        """
        Drop the window, because there is no limit any more.

        Source:
            P37. What throughput was measured stays true.
        """
        self.is_limited = False
        self.esz = self.charged_sz = self.min_score = 0
        self.window_start_us = None
        self.forget_pointer()

    # -- Charging ------------------------------------------------------------

    def fitting(self, sums: Sums, unit: int, *, is_estimate: bool) -> tuple[int, int]:
        """
        Return which regions surely fit what is left.

        Args:
            sums: Shape (nr_regions,): bytes up to and including each region, in
                the order of service.

            unit: The smallest region, in bytes; at least as much is left.

            is_estimate: Whether less than that may be charged for them, so that
                the first region that may not fit has to wait for the answers.

        Returns:
            How many regions can be served if all of them are charged in full,
            and after how many bytes the last one of them must be cut; 0 if it
            fits as a whole.

        Source:
            spec core 7.3, apply_one step 1, and example E41.
        """
        left = self.esz - self.charged_sz
        if sums.dtype == np.int64:
            # Such sums are below; an array of int64 is not to be searched for more.
            left = min(left, INT64_MAX)
        # Service ends behind the first region that leaves less than a unit.
        last = int(sums.searchsorted(left - unit, side="right"))
        if last == len(sums):
            return last, 0
        if sums[last] <= left:
            # It fits as a whole, and what it leaves is too little for another one.
            return last + 1, 0
        if last and is_estimate:
            return last, 0
        left -= int(sums[last - 1]) if last else 0
        return last + 1, left - left % unit

    def charge(self, quotas: Quotas, sizes: IntArray, applied: IntArray, asked: int) -> None:
        """
        Charge what an action was asked for, or less where it failed.

        Args:
            quotas: Says what failures cost.

            sizes: int64, shape (nr_ranges,): bytes asked for.

            applied: int64, same shape: bytes done.

            asked: Sum of *sizes*.

        Source:
            spec core 7.4.4, example E35.
        """
        if not self.is_limited:
            return
        num, denom = quotas.fail_charge_num, quotas.fail_charge_denom
        if not denom:
            self.charged_sz += asked
            return
        # Plain integers: a size times a numerator may exceed 63 bits.
        for size, done in zip(sizes.tolist(), applied.tolist(), strict=True):
            # Whole pages may exceed what was asked for, but are not charged.
            failed = max(0, size - done)
            self.charged_sz += size - failed + failed * num // denom

    # -- Carry-over pointer --------------------------------------------------

    def point_behind(self, target: int, address: int) -> None:
        """Have the next walk go on at *address* of the target with index *target*."""
        self.charge_target, self.charge_addr = target, address

    def forget_pointer(self) -> None:
        """Have the next walk start from the beginning."""
        self.charge_target, self.charge_addr = None, 0

    def target_removed(self, index: int) -> None:
        """
        Adapt to a target list that lacks the target at *index*.

        Source:
            spec core 2.7 and P19.
        """
        if self.charge_target is None or self.charge_target < index:
            return
        if self.charge_target == index:
            self.forget_pointer()
        else:
            # The kernel points at the target itself; a place moves with the list.
            self.charge_target -= 1
