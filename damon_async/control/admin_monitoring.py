"""
The part of the sysfs tree that says what is monitored, and how.

Source:
    spec interfaces 1.1 to 1.3.
"""

from __future__ import annotations

from typing import Final

from .admin_words import PROBE_FILTER_TYPE, V6_12, V6_15, V6_19
from .declared import Directory, File
from .profiles import NEXT
from .values import BOOL, I32E, PATH, U32, U64

MAX_PROBES: Final = 4
"""As many as are believed to be allowed."""

INTERVALS_GOAL: Final = Directory(
    "intervals_goal",
    (
        File("access_bp", U64, about="Wanted share of samples that see an access, in 1/10000."),
        File("aggrs", U64, about="Aggregations per tuning step; 0 tunes nothing."),
        File(
            "min_sample_us",
            U64,
            about="Shortest sampling interval that tuning may choose, in microseconds.",
        ),
        File(
            "max_sample_us",
            U64,
            about="Longest sampling interval that tuning may choose, in microseconds.",
        ),
    ),
    since=V6_15,
    about="Tuning of the intervals by how much access is seen.",
)

INTERVALS: Final = Directory(
    "intervals",
    (
        File(
            "sample_us",
            U64,
            5_000,
            about="Time between two samples of a region, in microseconds; 0 counts as 1.",
        ),
        File(
            "aggr_us",
            U64,
            100_000,
            about="Time over which samples are counted before results are published, in microseconds.",
        ),
        File(
            "update_us",
            U64,
            60_000_000,
            about="Time between two looks at the memory layout of targets, in microseconds.",
        ),
    ),
    (INTERVALS_GOAL,),
    about="How often to look.",
)

NR_REGIONS: Final = Directory(
    "nr_regions",
    about="How finely to look.",
    files=(
        File("min", U64, 10, about="Fewest regions to divide memory into; at least 3."),
        File("max", U64, 1_000, about="Most regions to divide memory into, which bounds the work."),
    ),
)

PROBE_FILTER: Final = Directory(
    "filter",
    (
        File("type", PROBE_FILTER_TYPE, "anon", about="What is asked about a page."),
        File(
            "matching",
            BOOL,
            False,
            about="Y: the filter is about pages of the type; N: about all others.",
        ),
        File("allow", BOOL, False, about="Y: those pages count; N: they do not."),
        File("path", PATH, b"", locks_since=V6_12, about="The memory cgroup of type memcg."),
    ),
    about="A question about pages.",
)

PROBE: Final = Directory(
    "probe",
    (File("weight", U32, about="How much a hit of this probe counts, relative to the others."),),
    (Directory("filters", child=PROBE_FILTER, counter="nr_filters", about="Which pages count."),),
    about="An attribute of memory that is counted as accesses are.",
)

MONITORING_ATTRS: Final = Directory(
    "monitoring_attrs",
    about="How to monitor.",
    directories=(
        INTERVALS,
        NR_REGIONS,
        Directory(
            "probes",
            child=PROBE,
            counter="nr_probes",
            most=MAX_PROBES,
            since=NEXT,
            about="Attributes of memory that are counted along.",
        ),
    ),
)

REGION: Final = Directory(
    "region",
    about="A range of addresses, half-open.",
    files=(
        File(
            "start", U64, about="First address, in bytes; in units of addr_unit if that is not 1."
        ),
        File("end", U64, about="First address behind it, in the same unit."),
    ),
)

TARGET: Final = Directory(
    "target",
    (
        File(
            "pid_target",
            I32E,
            about="Process to monitor, for vaddr and fvaddr; looked up at on and commit.",
        ),
        File(
            "obsolete_target",
            BOOL,
            False,
            V6_19,
            about="Y: commit removes the running target at the same index.",
        ),
    ),
    (
        Directory(
            "regions",
            child=REGION,
            counter="nr_regions",
            about="Where to look; none leaves it to the operations set.",
        ),
    ),
    about="An address space to monitor.",
)
