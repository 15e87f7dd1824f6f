"""What watermarks and goals of schemes may ask a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from ..arrays import IntArray
from ..params.keywords import GoalMetric, WatermarkMetric
from .layout import PHYSICAL_START
from .machine import Machine
from .pages import PAGE, as_slices

BP: Final = 10_000
"""Basis points in one."""

PERMIL: Final = 1_000
"""Permil in one."""


class MachineMetrics:
    """
    Answers questions about a machine at the time they are asked.

    Args:
        machine: Which one.

    Source:
        spec core 7.6 and 7.8.
    """

    __slots__ = ("_machine",)

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def __repr__(self) -> str:
        return f"<MachineMetrics of {self._machine!r}>"

    def value(
        self,
        metric: GoalMetric | WatermarkMetric,
        *,
        nid: int | None,
        memcg_path: str | None,
        now_us: int,
    ) -> int:
        """
        Return the current value of a metric.

        Args:
            metric: Which one; those that a machine cannot know are 0.

            nid: The node, for metrics that are about one.

            memcg_path: The memory cgroup, for metrics that are about one.

            now_us: The time, in microseconds; does not go back.

        Returns:
            Permil for ``free_mem_rate``; basis points for shares; for
            ``some_mem_psi_us`` microseconds of stall since the machine began.
        """
        account = self._machine.settle(now_us)
        if isinstance(metric, WatermarkMetric):
            return account.free_bytes * PERMIL // max(1, self._machine.capacity)
        pages = self._machine.pages
        match metric:
            case GoalMetric.SOME_MEM_PSI_US:
                return account.stall_ns // 1000
            case GoalMetric.ACTIVE_MEM_BP:
                return pages.nr_active * BP // max(1, int(pages.nr_resident.sum()))
            case GoalMetric.INACTIVE_MEM_BP:
                nr_resident = int(pages.nr_resident.sum())
                return (nr_resident - pages.nr_active) * BP // max(1, nr_resident)
            case GoalMetric.HUGEPAGE_MEM_BP:
                return pages.nr_huge * BP // max(1, int(pages.nr_resident.sum()))
            case GoalMetric.NODE_MEM_USED_BP | GoalMetric.NODE_MEMCG_USED_BP:
                return self._used_bp(metric, nid, memcg_path)
            case GoalMetric.NODE_MEM_FREE_BP | GoalMetric.NODE_MEMCG_FREE_BP:
                return BP - self._used_bp(metric, nid, memcg_path)
        return 0

    def sz_on_nodes(self, ranges: IntArray) -> Mapping[int, int]:
        """
        Return how much memory of physical address ranges is resident on each node.

        Args:
            ranges: int64, shape (nr_ranges, 2), ``[start, end)`` in bytes.

        Returns:
            Bytes by node; nodes without any are left out.
        """
        pages = self._machine.pages
        sizes = np.zeros(len(self._machine.nodes), np.int64)
        frames = np.clip((ranges - PHYSICAL_START) // PAGE, 0, len(pages))
        for each in as_slices(frames):
            sizes += pages.nr_on_nodes(each) * PAGE
        return {nid: size for nid, size in enumerate(sizes.tolist()) if size}

    def _used_bp(self, metric: GoalMetric, nid: int | None, memcg_path: str | None) -> int:
        """Return the used share of a node; what there is not is not used."""
        machine = self._machine
        if nid is None or not 0 <= nid < len(machine.nodes):
            return 0
        capacity = max(1, machine.nodes[nid].capacity // PAGE)
        row = machine.pages.nr_resident[nid]
        if not metric.needs_memcg:
            used = int(row.sum())
        elif memcg_path in machine.memcgs:
            used = int(row[machine.memcgs.index(memcg_path)])
        else:
            used = 0
        return min(BP, used * BP // capacity)
