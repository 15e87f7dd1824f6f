"""
The debugfs tree, declared once for all releases that have it.

Source:
    spec interfaces 4.1.
"""

from __future__ import annotations

import errno
from typing import Final

from ..engine.engine import Damon
from ..errors import InvalidError
from .dbgfs_behavior import DEPRECATED_SINCE, NOTICE, Dbgfs
from .dbgfs_text import Attrs, OnOff, SchemesFormat
from .medium import DEBUGFS
from .node import Directory, File, Role
from .pids import PidOf
from .profiles import SEED, Profile, Release
from .tree import Tree
from .values import KEPT
from .world import World

LAST: Final = Release(6, 12)
"""Newer profiles do not have the interface."""

# All are 0600 in the kernel, also those that can be read only, or written only.
CONTEXT_FILES: Final = (
    File(
        "attrs",
        KEPT,
        Attrs().text,
        role=Role.ASKED,
        refuses=(errno.EINVAL, errno.EBUSY),
        about="Sampling, aggregation and update interval in microseconds; fewest and most regions.",
    ),
    File(
        "target_ids",
        KEPT,
        b"\n",
        role=Role.ASKED,
        refuses=(errno.EINVAL, errno.EBUSY, errno.ENOMEM),
        about="Process ids; or paddr, which reads as 42.",
    ),
    File(
        "init_regions",
        KEPT,
        b"",
        role=Role.ASKED,
        refuses=(errno.EINVAL, errno.EBUSY),
        about="Regions to begin with, one per line: target, start, end.",
    ),
    File(
        "schemes",
        KEPT,
        b"",
        role=Role.ASKED,
        refuses=(errno.EINVAL, errno.EBUSY),
        about="A scheme per line: 18 numbers, and when read what it has done so far.",
    ),
    File(
        "kdamond_pid",
        KEPT,
        b"none\n",
        role=Role.ASKED,
        can_write=False,
        about="Process id of the running kdamond, or none.",
    ),
)

# Two names, one of them in each release: only the name says that it is deprecated.
SWITCHES: Final = tuple(
    File(
        name,
        OnOff(),
        "off",
        since,
        role=Role.LIVE,
        until=until,
        refuses=(errno.EINVAL, errno.EBUSY, errno.EPERM, errno.ENOMEM),
        about="on if anything runs, whoever started it; written, all contexts start or stop.",
    )
    for name, since, until in (
        ("monitor_on", SEED, DEPRECATED_SINCE),
        ("monitor_on_DEPRECATED", DEPRECATED_SINCE, None),
    )
)

ROOT: Final = Directory(
    "damon",
    (
        *CONTEXT_FILES,
        File(
            "mk_contexts",
            KEPT,
            b"",
            role=Role.ASKED,
            can_read=False,
            refuses=(errno.EINVAL, errno.EBUSY, errno.EEXIST),
            about="Makes a context directory of the name written.",
        ),
        File(
            "rm_contexts",
            KEPT,
            b"",
            role=Role.ASKED,
            can_read=False,
            refuses=(errno.EINVAL, errno.EBUSY, errno.ENOENT),
            about="Removes the context directory of the name written.",
        ),
        *SWITCHES,
        File(
            "DEPRECATED",
            KEPT,
            NOTICE,
            since=DEPRECATED_SINCE,
            role=Role.ASKED,
            can_write=False,
            about="Says that all of this is deprecated.",
        ),
    ),
    named=Directory("context", CONTEXT_FILES, about="A context more, which runs with the others."),
    about="The first context, and what is common to all.",
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
    profile, form = _checked(profile, schemes_format)
    behavior = Dbgfs(damon, profile, world, schemes_format=form, holds_time=holds_time, pids=pids)
    return Tree(ROOT, profile, behavior, DEBUGFS)


def _checked(profile: str, schemes_format: str) -> tuple[Profile, SchemesFormat]:
    """Read what was asked for; refuse kernels that have no such interface."""
    try:
        known, form = Profile(profile), SchemesFormat(schemes_format)
    except ValueError as error:
        msg = f"{error}; profiles: {', '.join(Profile)}; formats: A to E"
        raise InvalidError(msg) from None
    # Not an empty tree: whoever asks for one has mistaken the kernel or the interface.
    if known.release > LAST:
        fitting = ", ".join(each for each in Profile if each.release <= LAST)
        msg = f"profile {known} has no debugfs interface for DAMON: use {fitting}, or sysfs"
        raise InvalidError(msg)
    return known, form
