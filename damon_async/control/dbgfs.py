"""
The debugfs tree, declared once for all releases that have it.

Source:
    spec interfaces 4.1.
"""

from __future__ import annotations

from typing import Final

from ..engine.engine import Damon
from ..errors import InvalidError
from .dbgfs_behavior import DEPRECATED_SINCE, Dbgfs
from .dbgfs_text import OnOff, SchemesFormat
from .medium import DEBUGFS
from .node import Directory, File, Role
from .pids import PidOf
from .profiles import Profile, Release
from .tree import Tree
from .values import KEPT
from .world import World

LAST: Final = Release(6, 12)
"""Newer profiles do not have the interface."""

CONTEXT_FILES: Final = (
    File("attrs", KEPT, role=Role.ASKED),
    File("target_ids", KEPT, role=Role.ASKED),
    File("init_regions", KEPT, role=Role.ASKED),
    File("schemes", KEPT, role=Role.ASKED),
    File("kdamond_pid", KEPT, role=Role.ASKED, can_write=False),
)

ROOT: Final = Directory(
    "damon",
    (
        *CONTEXT_FILES,
        File("mk_contexts", KEPT, role=Role.ASKED, can_read=False),
        File("rm_contexts", KEPT, role=Role.ASKED, can_read=False),
        File("monitor_on", OnOff(), "off", role=Role.LIVE, until=DEPRECATED_SINCE),
        File("monitor_on_DEPRECATED", OnOff(), "off", DEPRECATED_SINCE, role=Role.LIVE),
        File("DEPRECATED", KEPT, since=DEPRECATED_SINCE, role=Role.ASKED, can_write=False),
    ),
    named=Directory("context", CONTEXT_FILES),
)
"""The directory ``damon`` of a debugfs, which is a context itself, and all below."""


def dbgfs_tree(
    damon: Damon,
    profile: Profile | str = Profile.V6_12,
    world: World | None = None,
    *,
    schemes_format: SchemesFormat | str = SchemesFormat.E,
    holds_time: bool = False,
    pids: PidOf | None = None,
) -> Tree:
    """
    Return a debugfs tree that runs kdamonds.

    Its contexts start as one exclusive group: they share the gate of *damon* with
    all else that runs there, and run alone.

    Args:
        damon: Runs them; must be open when they are started.

        profile: Which kernel's interface it is, also as text; 6.12 or older.

        world: The processes and the memory that the files can be about; by default
            none.

        schemes_format: What a record of ``schemes`` is made of, A to E, also as
            text. Kernels older than all profiles had other ones than E.

        holds_time: Whether virtual time stands still while contexts run.

        pids: Names kdamonds; give all trees on one engine the same. By default
            numbers of its own.

    Raises:
        InvalidError: If the profile does not have the interface, or there is no
            such format.
    """
    try:
        profile, schemes_format = Profile(profile), SchemesFormat(schemes_format)
    except ValueError as error:
        raise InvalidError(f"{error}; profiles: {', '.join(Profile)}; formats: A to E") from None
    if profile.release > LAST:
        fitting = ", ".join(each for each in Profile if each.release <= LAST)
        msg = f"profile {profile} has no debugfs interface for DAMON: use {fitting}, or sysfs"
        raise InvalidError(msg)
    behavior = Dbgfs(
        damon,
        profile,
        world,
        schemes_format=schemes_format,
        holds_time=holds_time,
        pids=pids,
    )
    return Tree(ROOT, profile, behavior, DEBUGFS)
