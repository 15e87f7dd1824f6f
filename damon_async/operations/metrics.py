"""What goals and watermarks may ask the simulated machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from ..arrays import IntArray
from ..params.keywords import GoalMetric, WatermarkMetric


class Metrics(Protocol):
    """The machine as seen by the inputs of schemes."""

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
            metric: Never ``user_input``, ``none`` or ``node_eligible_mem_bp``,
                which are not the machine's to know.

            nid: The node, for metrics that are about one.

            memcg_path: The memory cgroup, for metrics that are about one.

            now_us: The time, in microseconds; does not go back.

        Returns:
            Permil for ``free_mem_rate``, basis points for shares. For
            ``some_mem_psi_us`` all microseconds of stall since the machine
            began; the caller takes the difference.

        Source:
            spec core 7.6 and 7.8. An unknown node is used 0 and free 10000, an
            unknown memory cgroup likewise.
        """
        ...


@runtime_checkable
class Placement(Protocol):
    """A machine that knows on which node memory lies."""

    def sz_on_nodes(self, ranges: IntArray) -> Mapping[int, int]:
        """
        Return how much of some physical memory lies on each node.

        Args:
            ranges: int64, shape (nr_ranges, 2), ``[start, end)`` in bytes.

        Returns:
            Bytes by node; nodes without any may be left out.
        """
        ...
