"""
The directories that a tree is made of.

``Branch`` is a directory that exists: it holds the values that differ from their
defaults, and makes what is below it when somebody looks, so that a million regions
cost nothing until then.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import Final

from .declared import READ_ONLY, READ_WRITE, Directory, File, Role, Shape
from .values import Value, refusal

# Whoever works on a tree finds here what its directories are declared with.
__all__ = [
    "MAX_CHILDREN",
    "READ_ONLY",
    "READ_WRITE",
    "Branch",
    "Directory",
    "File",
    "Role",
    "Shape",
]

MAX_CHILDREN: Final = 2**20
"""More in one directory are taken for a shortage of memory."""

NAME: Final = re.compile(r"(?!\.{1,2}$)[^/\0]{1,255}", re.DOTALL)
"""What a file or directory can be called."""


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
        self._lock: Lock = Lock() if parent is None else parent._lock  # noqa: SLF001 -- our own

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
        named = [child.name for child in self.named_children()]
        return [*self.shape.files, *self.shape.directories, *map(str, children), *named]

    def named_children(self) -> Iterator[Branch]:
        """Go through its children with names of their own, in the order they were made."""
        if self.shape.named is not None:
            # A copy: in other threads, looking makes directories.
            with self._lock:
                made = list(self._made.values())
            yield from (each for each in made if each.shape is self.shape.named)

    def add(self, name: str) -> Branch:
        """
        Make a child with the name *name*.

        Raises:
            OSError: EEXIST if something here has that name; EINVAL if it is no name.
        """
        if self.shape.named is None or not NAME.fullmatch(name):
            raise refusal(errno.EINVAL, f"{name[:64]!r} is no name for a directory here")
        if self.find(name) is not None or self.has(name):
            raise refusal(errno.EEXIST, f"there is a {name!r} already")
        made = Branch(self.shape.named, name, self)
        with self._lock:
            self._made[name] = made
        return made

    def remove(self, name: str) -> Branch:
        """
        Remove the child with the name *name*, and return it.

        Raises:
            OSError: ENOENT if there is none; EINVAL if it was not made by name.
        """
        found = self.find(name)
        if found is None and not self.has(name):
            raise refusal(errno.ENOENT, f"there is no {name[:64]!r}")
        if found is None or found.shape is not self.shape.named:
            raise refusal(errno.EINVAL, f"{name!r} cannot be removed")
        with self._lock:
            found.is_removed = True
            return self._made.pop(name)

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
            for name in [
                name for name, made in self._made.items() if made.shape is self.shape.child
            ]:
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
