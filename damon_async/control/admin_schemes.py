"""
The part of the sysfs tree that says what is done about memory, and what became of it.

Source:
    spec interfaces 1.1 to 1.3.
"""

from __future__ import annotations

from typing import Final

from .admin_words import (
    ACTION,
    CORE_FILTER_TYPE,
    FILTER_TYPE,
    GOAL_METRIC,
    GOAL_TUNER,
    OPS_FILTER_TYPE,
    V6_2,
    V6_3,
    V6_6,
    V6_7,
    V6_8,
    V6_9,
    V6_11,
    V6_12,
    V6_14,
    V6_15,
    V6_16,
    V6_17,
    V6_19,
    V7_0,
    V7_1,
    WATERMARK_METRIC,
)
from .declared import READ_ONLY, Directory, File
from .profiles import NEXT, Release
from .values import BOOL, I32, PATH, U8, U32, U32E, U64, U64E, Keyword


def _range(name: str, about: str) -> Directory:
    """Declare the directory of two bounds."""
    return Directory(
        name,
        about=about,
        files=(
            File("min", U64, about="Smallest value that matches, inclusive."),
            File("max", U64, about="Largest value that matches, inclusive."),
        ),
    )


ACCESS_PATTERN: Final = Directory(
    "access_pattern",
    about="Which regions match.",
    directories=(
        _range("sz", "Their size, in bytes."),
        _range("nr_accesses", "Samples with an access per aggregation; the low 32 bits count."),
        _range("age", "For how many aggregations they are like that; the low 32 bits count."),
    ),
)

WEIGHTS: Final = Directory(
    "weights",
    (
        File(
            "sz_permil",
            U32,
            about="How much the size of a region counts for its priority, in permil.",
        ),
        File("nr_accesses_permil", U32, about="How much its access frequency counts, in permil."),
        File("age_permil", U32, about="How much its age counts, in permil."),
    ),
    about="Which regions come first where not all can be served.",
)

GOAL: Final = Directory(
    "goal",
    (
        File("target_metric", GOAL_METRIC, "user_input", V6_9, about="What is measured."),
        File(
            "target_value",
            U64,
            about="The value to reach, in the unit of the metric; 0 has the goal ignored.",
        ),
        File("current_value", U64, about="What user_input is now, in the same unit."),
        File("nid", I32, since=V6_16, about="NUMA node of the metrics node_*."),
        File(
            "path",
            PATH,
            b"",
            V6_19,
            locks_since=V6_12,
            about="Memory cgroup of the metrics node_memcg_*.",
        ),
    ),
    about="What the quota is tuned for.",
)

QUOTAS: Final = Directory(
    "quotas",
    (
        File(
            "ms",
            U64E,
            about="Time that the action may take per window, in milliseconds; 0 sets no limit.",
        ),
        File(
            "bytes",
            U64E,
            about="Memory that the action may be tried on per window, in bytes; 0 sets no limit.",
        ),
        File("reset_interval_ms", U64E, about="Length of the window, in milliseconds."),
        File(
            "effective_bytes",
            U64,
            since=V6_9,
            mode=READ_ONLY,
            about="The limit that results from all of them, in bytes, as of the last update.",
        ),
        File(
            "goal_tuner",
            GOAL_TUNER,
            "consist",
            V7_1,
            about="How the quota is led towards its goals.",
        ),
        File(
            "fail_charge_num",
            U32E,
            since=NEXT,
            about="Numerator of the share that is charged for bytes the action failed on.",
        ),
        File(
            "fail_charge_denom", U32E, since=NEXT, about="Denominator of that share; 0 charges all."
        ),
    ),
    (
        WEIGHTS,
        Directory(
            "goals",
            child=GOAL,
            counter="nr_goals",
            since=V6_8,
            about="What the quota is tuned for; the goal that is met best decides.",
        ),
    ),
    about="How much the scheme may do.",
)

WATERMARKS: Final = Directory(
    "watermarks",
    (
        File(
            "metric",
            WATERMARK_METRIC,
            "none",
            about="What the marks are compared with; none switches them off.",
        ),
        File("interval_us", U64, about="Time between two looks at the metric, in microseconds."),
        File("high", U64, about="Above it the scheme rests, in permil."),
        File("mid", U64, about="Between it and low the scheme wakes up, in permil."),
        File("low", U64, about="Below it the scheme rests, in permil."),
    ),
    about="When the scheme is awake.",
)


def _filters(name: str, kind: Keyword, since: Release, about: str) -> Directory:
    """Declare one of the three directories of filters."""
    child = Directory(
        "filter",
        (
            # The default is the same everywhere, also where nobody could write it.
            File("type", kind, "anon", about="What is asked about memory."),
            File(
                "matching",
                BOOL,
                False,
                about="Y: the filter is about memory of the type; N: about all other memory.",
            ),
            File(
                "allow", BOOL, False, V6_14, about="Y: that memory is let pass; N: it is left out."
            ),
            File(
                "memcg_path",
                PATH,
                b"",
                locks_since=V6_12,
                about="The memory cgroup of type memcg, by its path.",
            ),
            File("addr_start", U64, since=V6_6, about="First address of type addr, in bytes."),
            File("addr_end", U64, since=V6_6, about="First address behind it, in bytes."),
            File("min", U64, since=V6_15, about="Smallest page of type hugepage_size, in bytes."),
            File("max", U64, since=V6_15, about="Largest page of type hugepage_size, in bytes."),
            File("damon_target_idx", I32, since=V6_6, about="Index of the target of type target."),
        ),
        about="A question about memory; the first that fits decides.",
    )
    return Directory(name, child=child, counter="nr_filters", since=since, about=about)


DEST: Final = Directory(
    "dest",
    (
        File("id", U32, about="NUMA node to migrate to."),
        File("weight", U32, about="Its share of the memory, relative to the others."),
    ),
    about="One of several nodes to migrate to.",
)

STATS: Final = Directory(
    "stats",
    (
        File("nr_tried", U64, mode=READ_ONLY, about="Regions that the action was tried on."),
        File("sz_tried", U64, mode=READ_ONLY, about="Their sizes in all, in bytes."),
        File(
            "nr_applied",
            U64,
            mode=READ_ONLY,
            about="Regions that it was applied to, at least in part.",
        ),
        File("sz_applied", U64, mode=READ_ONLY, about="Memory that it was applied to, in bytes."),
        File(
            "sz_ops_filter_passed",
            U64,
            since=V6_14,
            mode=READ_ONLY,
            about="Memory that passed the filters of the operations set, in bytes.",
        ),
        File("qt_exceeds", U64, mode=READ_ONLY, about="How often the quota was used up."),
        File(
            "nr_snapshots",
            U64,
            since=V7_0,
            mode=READ_ONLY,
            about="How often the scheme has gone through all regions.",
        ),
        File(
            "max_nr_snapshots",
            U64,
            since=V7_0,
            about="After how many of these it ends its work; 0 never.",
        ),
    ),
    about="What the scheme has done since it was turned on, as of the last update.",
)

TRIED_REGION: Final = Directory(
    "tried_region",
    (
        File("start", U64, mode=READ_ONLY, about="First address, in bytes."),
        File("end", U64, mode=READ_ONLY, about="First address behind it, in bytes."),
        File(
            "nr_accesses",
            U32,
            mode=READ_ONLY,
            about="Samples with an access per aggregation, when the action was tried.",
        ),
        File(
            "age", U32, mode=READ_ONLY, about="For how many aggregations it was accessed like that."
        ),
        File(
            "sz_filter_passed",
            U64,
            since=V6_14,
            mode=READ_ONLY,
            about="How much of it passed the filters of the operations set, in bytes.",
        ),
    ),
    (
        Directory(
            "probes",
            child=Directory(
                "probe",
                (
                    File(
                        "hits",
                        U8,
                        mode=READ_ONLY,
                        about="Samples in which the attribute was found.",
                    ),
                ),
                about="An attribute, in the order of the context.",
            ),
            since=NEXT,
            about="How often attributes were found there.",
        ),
    ),
    about="A region that the action was tried on.",
)

SCHEME: Final = Directory(
    "scheme",
    (
        File("action", ACTION, "stat", about="What to do with memory that matches."),
        File(
            "target_nid",
            I32,
            -1,
            V6_11,
            about="NUMA node that migrate_hot and migrate_cold move to; -1 is none.",
        ),
        File(
            "apply_interval_us",
            U64,
            since=V6_7,
            about="Time between two rounds, in microseconds; 0 takes aggr_us.",
        ),
    ),
    (
        ACCESS_PATTERN,
        QUOTAS,
        WATERMARKS,
        _filters("filters", FILTER_TYPE, V6_3, "Which memory to leave out, or to take."),
        _filters("core_filters", CORE_FILTER_TYPE, V6_15, "The same, of regions; asked first."),
        _filters("ops_filters", OPS_FILTER_TYPE, V6_15, "The same, of pages; asked second."),
        Directory(
            "dests",
            child=DEST,
            counter="nr_dests",
            since=V6_17,
            about="Nodes to migrate to; they win over target_nid.",
        ),
        STATS,
        Directory(
            "tried_regions",
            (
                File(
                    "total_bytes",
                    U64,
                    since=V6_6,
                    mode=READ_ONLY,
                    about="Sizes of the regions in all, in bytes, as of the last update.",
                ),
            ),
            child=TRIED_REGION,
            since=V6_2,
            about="The regions of one round; state has them collected.",
        ),
    ),
    about="An action for memory that is accessed in some way.",
)
