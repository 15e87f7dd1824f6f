"""
The releases and keywords of the sysfs tree.

Source:
    spec interfaces 1.2 and 2.2.
"""

from __future__ import annotations

from typing import Final

from .profiles import Release
from .values import Keyword

V5_19: Final = Release(5, 19)
V6_2: Final = Release(6, 2)
V6_3: Final = Release(6, 3)
V6_6: Final = Release(6, 6)
V6_7: Final = Release(6, 7)
V6_8: Final = Release(6, 8)
V6_9: Final = Release(6, 9)
V6_11: Final = Release(6, 11)
V6_12: Final = Release(6, 12)
V6_14: Final = Release(6, 14)
V6_15: Final = Release(6, 15)
V6_16: Final = Release(6, 16)
V6_17: Final = Release(6, 17)
V6_18: Final = Release(6, 18)
V6_19: Final = Release(6, 19)
V7_0: Final = Release(7, 0)
V7_1: Final = Release(7, 1)

STATE: Final = Keyword.of(
    "on off update_schemes_stats",
    v5_19="commit",
    v6_2="update_schemes_tried_regions clear_schemes_tried_regions",
    v6_6="update_schemes_tried_bytes",
    v6_8="commit_schemes_quota_goals",
    v6_9="update_schemes_effective_quotas",
    v6_15="update_tuned_intervals",
)
"""What may be written to ``state``; it reads as ``on`` or ``off``."""

OPERATIONS: Final = Keyword.of("vaddr paddr", v5_19="fvaddr")

LINES: Final = Keyword.of()
"""Text of several lines that nobody writes."""

ACTION: Final = Keyword.of(
    "willneed cold pageout hugepage nohugepage stat",
    v6_0="lru_prio lru_deprio",
    v6_11="migrate_hot migrate_cold",
    v7_2="collapse",
)

GOAL_TUNER: Final = Keyword.of(v7_1="consist temporal")

GOAL_METRIC: Final = Keyword.of(
    v6_9="user_input some_mem_psi_us",
    v6_16="node_mem_used_bp node_mem_free_bp",
    v6_19="node_memcg_used_bp node_memcg_free_bp",
    v7_0="active_mem_bp inactive_mem_bp",
    v7_2="node_eligible_mem_bp",
)

WATERMARK_METRIC: Final = Keyword.of("none free_mem_rate")

FILTER_TYPE: Final = Keyword.of(
    v6_3="anon memcg",
    v6_6="addr target",
    v6_10="young",
    v6_15="hugepage_size unmapped active",
)

CORE_FILTER_TYPE: Final = FILTER_TYPE.only(["addr", "target"])

OPS_FILTER_TYPE: Final = FILTER_TYPE.only(
    ["anon", "memcg", "young", "hugepage_size", "unmapped", "active"]
)

PROBE_FILTER_TYPE: Final = Keyword.of(v7_2="anon memcg")
"""All that is known of the list."""
