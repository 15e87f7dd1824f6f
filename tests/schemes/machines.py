"""A machine that says what it is told to, for goals and watermarks."""

from __future__ import annotations

from collections.abc import Mapping

from damon_async.arrays import IntArray
from damon_async.params.keywords import GoalMetric, WatermarkMetric


class ToldMachine:
    """
    Answers with what stands in ``values``, 0 for anything else.

    Attributes:
        values: By metric; a list is used up from the front.

        asked: Every metric it was asked for, with node and memory cgroup.
    """

    def __init__(self, **values: int | list[int]) -> None:
        self.values = values
        self.asked: list[tuple[str, int | None, str | None]] = []

    def value(
        self,
        metric: GoalMetric | WatermarkMetric,
        *,
        nid: int | None,
        memcg_path: str | None,
        now_us: int,
    ) -> int:
        self.asked.append((str(metric), nid, memcg_path))
        found = self.values.get(str(metric), 0)
        return found.pop(0) if isinstance(found, list) else found


class PlacedMachine(ToldMachine):
    """A machine whose memory lies on two nodes: below *border* on 0, above it on 1."""

    def __init__(self, border: int, **values: int | list[int]) -> None:
        super().__init__(**values)
        self.border = border

    def sz_on_nodes(self, ranges: IntArray) -> Mapping[int, int]:
        below = sum(max(0, min(end, self.border) - start) for start, end in ranges.tolist())
        return {0: below, 1: int((ranges[:, 1] - ranges[:, 0]).sum()) - below}
