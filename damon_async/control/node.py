"""
Files and directories as data, and the directories that a tree is made of.

``File`` and ``Directory`` declare, once for all releases. ``Shape`` is what one
release has of a directory. ``Branch`` is a directory that exists: it holds the
values that differ from their defaults, and makes what is below it when somebody
looks, so that a million regions cost nothing until then.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from threading import Lock
from typing import Final

from .profiles import SEED, Release
from .values import NR, Kind, Value, refusal

READ_WRITE: Final = 0o600

READ_ONLY: Final = 0o400

MAX_CHILDREN: Final = 2**20
"""More in one directory are taken for a shortage of memory."""


class Role(Enum):
    """Who knows what a file holds."""

    PLAIN = "plain"
    """The tree: what was written last."""

    COUNTER = "counter"
    """The tree: how many numbered children there are; a write makes them anew."""

    LIVE = "live"
    """What stands behind the tree: reads ask it, writes are requests to it."""

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

        about: What it means, in one sentence with the unit.
    """

    name: str
    kind: Kind
    default: Value = 0
    since: Release = SEED
    mode: int = READ_WRITE
    role: Role = Role.PLAIN
    locks_since: Release | None = None
    about: str = ""

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

        about: What it is for, in one sentence.
    """

    name: str
    files: tuple[File, ...] = ()
    directories: tuple[Directory, ...] = ()
    child: Directory | None = None
    counter: str = ""
    most: int | None = None
    since: Release = SEED
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
    """

    __slots__ = ("child", "declared", "directories", "files")

    def __init__(self, declared: Directory, release: Release) -> None:
        self.declared = declared
        self.files: Mapping[str, File] = {
            file.name: file.at(release) for file in declared.all_files if file.since <= release
        }
        self.directories: Mapping[str, Shape] = {
            each.name: Shape(each, release)
            for each in declared.directories
            if each.since <= release
        }
        self.child = Shape(declared.child, release) if declared.child is not None else None


class Branch:
    """
    A directory that exists.

    Args:
        shape: What it has.

        name: What it is called.

        values: What its files hold, if not their defaults.

    Attributes:
        shape: As above.

        name: As above.

        parent: The directory it is in; None for the root.

        nr_children: How many numbered children it has.

        is_removed: Whether it was removed itself; see ``is_gone``.
    """

    __slots__ = (
        "__weakref__",
        "_first",
        "_lock",
        "_made",
        "_rows",
        "_values",
        "is_removed",
        "name",
        "nr_children",
        "parent",
        "shape",
    )

    def __init__(
        self,
        shape: Shape,
        name: str = "",
        parent: Branch | None = None,
        values: Mapping[str, Value] | None = None,
    ) -> None:
        self.shape = shape
        self.name = name
        self.parent = parent
        self.nr_children = 0
        self._first = 0
        self._values: dict[str, Value] = dict(values or {})
        self._made: dict[str, Branch] = {}
        self._rows: Sequence[Mapping[str, Value]] = ()
        self.is_removed = False
        # One for the whole tree: other threads may look, and looking makes directories.
        self._lock: Lock = parent._lock if parent is not None else Lock()

    def __repr__(self) -> str:
        gone = ", removed" if self.is_gone else ""
        return f"<Branch {self.path or '/'}{gone}>"

    @property
    def path(self) -> str:
        """The names that lead to it, with slashes between them."""
        above = self.parent.path if self.parent is not None else ""
        return f"{above}/{self.name}".lstrip("/")

    @property
    def is_gone(self) -> bool:
        """Whether it, or a directory above it, was removed."""
        # A loop: every read through an open file comes through here.
        branch: Branch | None = self
        while branch is not None:
            if branch.is_removed:
                return True
            branch = branch.parent
        return False

    # -- Values --------------------------------------------------------------

    def value(self, name: str) -> Value:
        """Return what the file *name* holds."""
        file = self.shape.files[name]
        if file.role is Role.COUNTER:
            return self.nr_children
        return self._values.get(name, file.default)

    def has(self, name: str) -> bool:
        """Tell whether this release has a file or directory *name* here."""
        return name in self.shape.files or name in self.shape.directories

    def number(self, name: str, default: int = 0) -> int:
        """Return the number in the file *name*; *default* if this release has no such file."""
        return int(self.value(name)) if name in self.shape.files else default

    def set_value(self, name: str, value: Value) -> None:
        """Have the file *name* hold *value*; nothing if this release has no such file."""
        if name in self.shape.files:
            self._values[name] = value

    # -- Directories ---------------------------------------------------------

    def find(self, name: str) -> Branch | None:
        """Return the directory *name* in this one; None if there is none."""
        made = self._made.get(name)
        if made is not None:
            return made
        # Not while the children are made anew: it would survive as one of the old.
        with self._lock:
            return self._make(name)

    def _make(self, name: str) -> Branch | None:
        """Make the directory *name*, unless another thread was faster; None if there is none."""
        made = self._made.get(name)
        if made is None and (shape := self.shape.directories.get(name)) is not None:
            made = self._made[name] = Branch(shape, name, self)
        if made is None and self.shape.child is not None:
            index = self._index(name)
            if index is not None:
                values = self._rows[index] if self._rows else None
                made = self._made[name] = Branch(self.shape.child, name, self, values)
        return made

    def below(self, path: str) -> Branch:
        """
        Return the directory that *path* leads to, which the release is known to have.

        Raises:
            OSError: ENOENT if it does not.
        """
        branch = self
        for name in path.split("/"):
            found = branch.find(name)
            if found is None:
                raise refusal(errno.ENOENT, f"there is no {path} in {self.path}")
            branch = found
        return branch

    def children(self) -> Iterator[Branch]:
        """Go through its numbered children in order."""
        for index in range(self.nr_children):
            child = self.find(str(self._first + index))
            if child is not None:
                yield child

    def names(self) -> list[str]:
        """List all names in it: files, directories, children in order."""
        children = range(self._first, self._first + self.nr_children)
        return [*self.shape.files, *self.shape.directories, *map(str, children)]

    def renew_children(
        self, count: int, *, first: int = 0, rows: Sequence[Mapping[str, Value]] = ()
    ) -> None:
        """
        Remove all numbered children, and make new ones.

        Args:
            count: How many.

            first: The name of the first.

            rows: What their files hold, one row per child; empty for defaults.

        Raises:
            OSError: ENOMEM if they are too many; then there are none.
        """
        is_too_much = count > MAX_CHILDREN
        with self._lock:
            for name in [name for name in self._made if name not in self.shape.directories]:
                self._made.pop(name).is_removed = True
            self.nr_children = 0 if is_too_much else count
            self._first = first
            self._rows = rows
        if is_too_much:
            raise refusal(errno.ENOMEM, f"{count} are too many; at most {MAX_CHILDREN}")

    def _index(self, name: str) -> int | None:
        """Return the place of the numbered child *name*; None if it is not the name of one."""
        # No sign, no leading zero, and none of the digits of other scripts.
        if not (name.isascii() and name.isdigit()) or len(name) > 9 or name != str(int(name)):
            return None
        index = int(name) - self._first
        return index if 0 <= index < self.nr_children else None
