"""
The sysfs tree, declared once for all releases.

From these tables come which files there are, what may be written to them, what
they hold at first, what a listing shows, and the page that documents them.

Source:
    spec interfaces 1.1 to 1.3.
"""

from __future__ import annotations

from typing import Final

from .admin_monitoring import MONITORING_ATTRS, TARGET
from .admin_schemes import SCHEME
from .admin_words import LINES, OPERATIONS, STATE, V5_19, V6_17, V6_18
from .declared import READ_ONLY, Directory, File, Role
from .profiles import NEXT, Release
from .values import BOOL, I32, POSITIVE_U64, U32

CONTEXT: Final = Directory(
    "context",
    (
        File(
            "avail_operations",
            LINES,
            "",
            V5_19,
            READ_ONLY,
            Role.LIVE,
            about="The operations sets that there are, one per line.",
        ),
        File(
            "operations",
            OPERATIONS,
            "vaddr",
            about="How memory is looked at: of processes, of processes in fixed ranges, or of the machine.",
        ),
        File(
            "addr_unit", POSITIVE_U64, 1, V6_18, about="Bytes per unit of all addresses, for paddr."
        ),
        File(
            "pause",
            BOOL,
            False,
            NEXT,
            about="Y: keep everything, but look at nothing, from the next commit on.",
        ),
    ),
    (
        MONITORING_ATTRS,
        Directory("targets", child=TARGET, counter="nr_targets", about="What is monitored."),
        Directory(
            "schemes", child=SCHEME, counter="nr_schemes", about="What is done about it, in order."
        ),
    ),
    about="What one kdamond monitors, how, and what it does about it.",
)

KDAMOND: Final = Directory(
    "kdamond",
    (
        File(
            "state",
            STATE,
            "off",
            role=Role.LIVE,
            locks_since=Release(0, 0),
            about="on or off; what is written are commands.",
        ),
        File(
            "pid",
            I32,
            -1,
            mode=READ_ONLY,
            role=Role.LIVE,
            locks_since=Release(0, 0),
            about="Process id of the running kdamond; -1 if none runs.",
        ),
        File(
            "refresh_ms",
            U32,
            since=V6_17,
            role=Role.TOLD,
            about="Time between updates of result files without a command, in milliseconds; 0 none.",
        ),
    ),
    (
        Directory(
            "contexts", child=CONTEXT, counter="nr_contexts", most=1, about="What the kdamond runs."
        ),
    ),
    about="A worker that monitors.",
)

ADMIN: Final = Directory(
    "admin",
    about="Everything that users have a say in.",
    directories=(
        Directory("kdamonds", child=KDAMOND, counter="nr_kdamonds", about="The workers."),
    ),
)
"""The directory ``admin``, and all below."""
