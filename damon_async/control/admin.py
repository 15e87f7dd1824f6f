"""
The sysfs tree, declared once for all releases.

From these tables come which files there are, what may be written to them, what
they hold at first, and what a listing shows.

Source:
    spec interfaces 1.1 to 1.3.
"""

from __future__ import annotations

from typing import Final

from .node import READ_ONLY, Directory, File, Role
from .profiles import NEXT, Release
from .values import BOOL, I32, I32E, PATH, POSITIVE_U64, U8, U32, U32E, U64, U64E, Keyword

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

MAX_PROBES: Final = 4
"""As many as are believed to be allowed."""

# -- Keywords ----------------------------------------------------------------

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

# -- Monitoring --------------------------------------------------------------

INTERVALS_GOAL: Final = Directory(
    "intervals_goal",
    (
        File("access_bp", U64),
        File("aggrs", U64),
        File("min_sample_us", U64),
        File("max_sample_us", U64),
    ),
    since=V6_15,
)

INTERVALS: Final = Directory(
    "intervals",
    (
        File("sample_us", U64, 5_000),
        File("aggr_us", U64, 100_000),
        File("update_us", U64, 60_000_000),
    ),
    (INTERVALS_GOAL,),
)

NR_REGIONS: Final = Directory("nr_regions", (File("min", U64, 10), File("max", U64, 1_000)))

PROBE_FILTER: Final = Directory(
    "filter",
    (
        File("type", PROBE_FILTER_TYPE, "anon"),
        File("matching", BOOL, False),
        File("allow", BOOL, False),
        File("path", PATH, b"", locks_since=V6_12),
    ),
)

PROBE: Final = Directory(
    "probe",
    (File("weight", U32),),
    (Directory("filters", child=PROBE_FILTER, counter="nr_filters"),),
)

MONITORING_ATTRS: Final = Directory(
    "monitoring_attrs",
    directories=(
        INTERVALS,
        NR_REGIONS,
        Directory("probes", child=PROBE, counter="nr_probes", most=MAX_PROBES, since=NEXT),
    ),
)

REGION: Final = Directory("region", (File("start", U64), File("end", U64)))

TARGET: Final = Directory(
    "target",
    (File("pid_target", I32E), File("obsolete_target", BOOL, False, V6_19)),
    (Directory("regions", child=REGION, counter="nr_regions"),),
)

# -- Schemes -----------------------------------------------------------------


def _range(name: str) -> Directory:
    """Declare the directory of two bounds."""
    return Directory(name, (File("min", U64), File("max", U64)))


ACCESS_PATTERN: Final = Directory(
    "access_pattern", directories=(_range("sz"), _range("nr_accesses"), _range("age"))
)

WEIGHTS: Final = Directory(
    "weights",
    (File("sz_permil", U32), File("nr_accesses_permil", U32), File("age_permil", U32)),
)

GOAL: Final = Directory(
    "goal",
    (
        File("target_metric", GOAL_METRIC, "user_input", V6_9),
        File("target_value", U64),
        File("current_value", U64),
        File("nid", I32, since=V6_16),
        File("path", PATH, b"", V6_19, locks_since=V6_12),
    ),
)

QUOTAS: Final = Directory(
    "quotas",
    (
        File("ms", U64E),
        File("bytes", U64E),
        File("reset_interval_ms", U64E),
        File("effective_bytes", U64, since=V6_9, mode=READ_ONLY),
        File("goal_tuner", GOAL_TUNER, "consist", V7_1),
        File("fail_charge_num", U32E, since=NEXT),
        File("fail_charge_denom", U32E, since=NEXT),
    ),
    (WEIGHTS, Directory("goals", child=GOAL, counter="nr_goals", since=V6_8)),
)

WATERMARKS: Final = Directory(
    "watermarks",
    (
        File("metric", WATERMARK_METRIC, "none"),
        File("interval_us", U64),
        File("high", U64),
        File("mid", U64),
        File("low", U64),
    ),
)


def _filters(name: str, kind: Keyword, since: Release) -> Directory:
    """Declare one of the three directories of filters."""
    child = Directory(
        "filter",
        (
            # The default is the same everywhere, also where nobody could write it.
            File("type", kind, "anon"),
            File("matching", BOOL, False),
            File("allow", BOOL, False, V6_14),
            File("memcg_path", PATH, b"", locks_since=V6_12),
            File("addr_start", U64, since=V6_6),
            File("addr_end", U64, since=V6_6),
            File("min", U64, since=V6_15),
            File("max", U64, since=V6_15),
            File("damon_target_idx", I32, since=V6_6),
        ),
    )
    return Directory(name, child=child, counter="nr_filters", since=since)


DEST: Final = Directory("dest", (File("id", U32), File("weight", U32)))

STATS: Final = Directory(
    "stats",
    (
        File("nr_tried", U64, mode=READ_ONLY),
        File("sz_tried", U64, mode=READ_ONLY),
        File("nr_applied", U64, mode=READ_ONLY),
        File("sz_applied", U64, mode=READ_ONLY),
        File("sz_ops_filter_passed", U64, since=V6_14, mode=READ_ONLY),
        File("qt_exceeds", U64, mode=READ_ONLY),
        File("nr_snapshots", U64, since=V7_0, mode=READ_ONLY),
        File("max_nr_snapshots", U64, since=V7_0),
    ),
)

TRIED_REGION: Final = Directory(
    "tried_region",
    (
        File("start", U64, mode=READ_ONLY),
        File("end", U64, mode=READ_ONLY),
        File("nr_accesses", U32, mode=READ_ONLY),
        File("age", U32, mode=READ_ONLY),
        File("sz_filter_passed", U64, since=V6_14, mode=READ_ONLY),
    ),
    (
        Directory(
            "probes",
            child=Directory("probe", (File("hits", U8, mode=READ_ONLY),)),
            since=NEXT,
        ),
    ),
)

SCHEME: Final = Directory(
    "scheme",
    (
        File("action", ACTION, "stat"),
        File("target_nid", I32, -1, V6_11),
        File("apply_interval_us", U64, since=V6_7),
    ),
    (
        ACCESS_PATTERN,
        QUOTAS,
        WATERMARKS,
        _filters("filters", FILTER_TYPE, V6_3),
        _filters("core_filters", CORE_FILTER_TYPE, V6_15),
        _filters("ops_filters", OPS_FILTER_TYPE, V6_15),
        Directory("dests", child=DEST, counter="nr_dests", since=V6_17),
        STATS,
        Directory(
            "tried_regions",
            (File("total_bytes", U64, since=V6_6, mode=READ_ONLY),),
            child=TRIED_REGION,
            since=V6_2,
        ),
    ),
)

# -- The whole ---------------------------------------------------------------

CONTEXT: Final = Directory(
    "context",
    (
        File("avail_operations", LINES, "", V5_19, READ_ONLY, Role.LIVE),
        File("operations", OPERATIONS, "vaddr"),
        File("addr_unit", POSITIVE_U64, 1, V6_18),
        File("pause", BOOL, False, NEXT),
    ),
    (
        MONITORING_ATTRS,
        Directory("targets", child=TARGET, counter="nr_targets"),
        Directory("schemes", child=SCHEME, counter="nr_schemes"),
    ),
)

KDAMOND: Final = Directory(
    "kdamond",
    (
        File("state", STATE, "off", role=Role.LIVE, locks_since=Release(0, 0)),
        File("pid", I32, -1, mode=READ_ONLY, role=Role.LIVE, locks_since=Release(0, 0)),
        File("refresh_ms", U32, since=V6_17, role=Role.TOLD),
    ),
    (Directory("contexts", child=CONTEXT, counter="nr_contexts", most=1),),
)

ADMIN: Final = Directory(
    "admin",
    directories=(Directory("kdamonds", child=KDAMOND, counter="nr_kdamonds"),),
)
"""The directory ``admin``, and all below."""
