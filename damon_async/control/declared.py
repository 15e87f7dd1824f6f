"""
Files and directories as data, declared once for all releases.

``File`` and ``Directory`` declare; ``Shape`` is what one release has of a directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from .profiles import SEED, Release
from .values import NR, Kind, Value

READ_WRITE: Final = 0o600

READ_ONLY: Final = 0o400


class Role(Enum):
    """Who knows what a file holds."""

    PLAIN = "plain"
    """The tree: what was written last."""

    COUNTER = "counter"
    """The tree: how many numbered children there are; a write makes them anew."""

    LIVE = "live"
    """What stands behind the tree: reads ask it, writes are requests that may wait."""

    ASKED = "asked"
    """The same, but its writes are done at once."""

    TOLD = "told"
    """The tree; but what stands behind it hears of writes."""


@dataclass(frozen=True, slots=True)
class File:
    """
    A file with one value.

    Attributes:
        name: As in the tree.

        kind: The class of its value.

        default: What it holds at first.

        since: The first release that has it.

        mode: ``READ_WRITE`` or ``READ_ONLY``.

        role: Who knows what it holds.

        locks_since: From which release on reading and writing take the interface
            lock; None if never. Counters take it for writing in all.

        until: The first release that has it no more; None if all newer ones do.

        can_read: Whether reading it is anything but EINVAL, whatever its mode.

        can_write: Likewise for writing.

        refuses: The errnos that its writes, or reads, can end with; None if its
            class and its role tell all of them.

        about: What it means, in one sentence with the unit.
    """

    name: str
    kind: Kind
    default: Value = 0
    since: Release = SEED
    mode: int = READ_WRITE
    role: Role = Role.PLAIN
    locks_since: Release | None = None
    until: Release | None = None
    can_read: bool = True
    can_write: bool = True
    refuses: tuple[int, ...] | None = None
    about: str = ""

    def is_in(self, release: Release) -> bool:
        """Tell whether *release* has it."""
        return self.since <= release and (self.until is None or release < self.until)

    def at(self, release: Release) -> File:
        """Return the form that the file has in *release*."""
        locks = self.locks_since is not None and self.locks_since <= release
        return replace(
            self, kind=self.kind.at(release), locks_since=self.locks_since if locks else None
        )

    @property
    def is_locking(self) -> bool:
        """Whether reads and writes take the interface lock."""
        return self.locks_since is not None


@dataclass(frozen=True, slots=True)
class Directory:
    """
    A directory: files, directories, and perhaps numbered children.

    Attributes:
        name: As in the tree; of numbered children, what they are, e.g. ``scheme``.

        files: What it always has.

        directories: Likewise.

        child: What its numbered children are; None if it has none.

        counter: The file that says how many there are, and makes them when it is
            written; empty if only the engine makes them.

        most: How many there may be; None if memory is the only limit.

        since: The first release that has it.

        named: What its children with names of their own are, which are made and
            removed one by one; None if it has none.

        about: What it is for, in one sentence.
    """

    name: str
    files: tuple[File, ...] = ()
    directories: tuple[Directory, ...] = ()
    child: Directory | None = None
    counter: str = ""
    most: int | None = None
    since: Release = SEED
    named: Directory | None = None
    about: str = ""

    @property
    def all_files(self) -> tuple[File, ...]:
        """Its files, the counter included."""
        if not self.counter:
            return self.files
        return (File(self.counter, NR, role=Role.COUNTER), *self.files)


class Shape:
    """
    A directory as one release has it.

    Args:
        declared: The directory.

        release: What it is made for.

    Attributes:
        declared: As above.

        files: By name.

        directories: By name.

        child: The shape of numbered children; None if there are none.

        named: The shape of children with names of their own; None if there are none.
    """

    __slots__ = ("child", "declared", "directories", "files", "named")

    def __init__(self, declared: Directory, release: Release) -> None:
        self.declared = declared
        self.files: Mapping[str, File] = {
            file.name: file.at(release) for file in declared.all_files if file.is_in(release)
        }
        self.directories: Mapping[str, Shape] = {
            each.name: Shape(each, release)
            for each in declared.directories
            if each.since <= release
        }
        self.child = Shape(declared.child, release) if declared.child is not None else None
        self.named = Shape(declared.named, release) if declared.named is not None else None
