"""
The values of a tree as plain data: taken in one walk, written as lines, compared.

A value here is the text of a file without the newline that ends it. What a tree is
made of, in process, mounted, or as lines in a dump, does not matter any more then.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, Protocol, TypeAlias

from ..errors import ParametersError, Problem
from .declared import READ_ONLY, Directory, File, Role
from .lookup import declared_file, natural
from .values import refusal

Values: TypeAlias = Mapping[str, str]
"""What files hold, by paths from the root."""

COMMENT: Final = "#"
"""What lines begin with that say nothing."""

# Bytes that are no UTF-8 are letters of their own range here.
_ESCAPES: Final = {
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    **{chr(0xDC00 + byte): f"\\x{byte:02x}" for byte in range(0x80, 0x100)},
}

_UNESCAPES: Final = {escape: text for text, escape in _ESCAPES.items()}

_ESCAPED: Final = re.compile(r"\\(?:[\\nr]|x[89a-f][0-9a-f])")


class Files(Protocol):
    """What can be walked: a ``Tree``, a folder, a dump."""

    def entries(self, path: str = "") -> list[tuple[str, bool]]:
        """List names in a directory, and whether each is a directory itself."""
        ...

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        ...


class Taken(NamedTuple):
    """What one walk brought back."""

    values: dict[str, str]
    """What files hold."""

    missed: dict[str, OSError]
    """What could not be read, and why: somebody changes the tree meanwhile, or it
    is busy. Later it may work."""


class Difference(NamedTuple):
    """A file that holds different values in two trees."""

    path: str
    """From the root."""

    left: str | None
    """What it holds in the first tree; None if it is not there."""

    right: str | None
    """The same in the second."""


# -- Taking ------------------------------------------------------------------


def take(files: Files, base: str = "") -> Taken:
    """
    Read all files below *base*, each once, in the order of their paths.

    Directories that vanish meanwhile and files that cannot be read are noted, and
    the walk goes on; nothing is tried twice.

    Args:
        files: What to walk.

        base: Where to begin.

    Raises:
        OSError: If *base* itself cannot be listed.
    """
    taken = Taken({}, {})
    _take(files, base.strip("/"), files.entries(base), taken)
    return taken


def _take(files: Files, base: str, entries: list[tuple[str, bool]], taken: Taken) -> None:
    # Files before directories: those that vanish while others are read are lost.
    for name, is_directory in sorted(entries, key=lambda entry: (entry[1], natural(entry[0]))):
        path = f"{base}/{name}".lstrip("/")
        try:
            if is_directory:
                _take(files, path, files.entries(path), taken)
            else:
                taken.values[path] = text_of(files.read(path))
        except OSError as error:
            taken.missed[path] = error


def text_of(data: bytes) -> str:
    """Return the value that a file says: its text without one final newline."""
    # Bytes that are no UTF-8 come out again as they went in.
    return data.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def canonical(values: Values, declared: Directory) -> dict[str, str]:
    """
    Return values as a tree would say them: numbers in decimal, Y or N.

    Args:
        values: As somebody wrote them. What is no value of its file stays as it is.

        declared: The root.
    """
    return {
        path: _canonical(value, declared_file(declared, path)) for path, value in values.items()
    }


def _canonical(value: str, file: File | None) -> str:
    if file is None:
        return value
    try:
        return text_of(file.kind.show(file.kind.parse(value.encode("utf-8", "surrogateescape"))))
    except OSError:
        # Whoever is given it says what is wrong with it.
        return value


def is_setting(file: File | None) -> bool:
    """Tell whether a file holds what users want, not what became of it."""
    return file is not None and file.mode != READ_ONLY and file.role is not Role.LIVE


# -- Lines -------------------------------------------------------------------


def to_lines(values: Values) -> str:
    """Return values as lines ``path: value``; backslashes, newlines and odd bytes escaped."""
    return "".join(f"{path}: {_escaped(value)}\n" for path, value in values.items())


def from_lines(text: str) -> dict[str, str]:
    """
    Read lines ``path: value``; empty ones and comments are skipped.

    Args:
        text: As ``to_lines`` returns it.

    Raises:
        ParametersError: If any line is none; all of them are listed.
    """
    values: dict[str, str] = {}
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith(COMMENT):
            continue
        path, colon, value = line.partition(":")
        # In a hand-written file there may be no blank, but a value may begin with one.
        name, where = path.strip().strip("/"), f"line {number}"
        if not colon or not name:
            problems.append(Problem(where, f"{line[:64]!r} is not of the form path: value"))
        elif name in values:
            problems.append(Problem(where, f"{name} is there twice"))
        else:
            values[name] = _plain(value.removeprefix(" "))
    if problems:
        raise ParametersError(problems)
    return values


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in value)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: _UNESCAPES[found[0]], text)


class StoredTree:
    """
    A tree of values that nothing stands behind: a dump, to be looked at.

    Args:
        values: What it holds.

    Attributes:
        values: As above.
    """

    def __init__(self, values: Values) -> None:
        self.values = dict(values)
        self._below: dict[str, dict[str, bool]] = {"": {}}
        for path in self.values:
            # Directories are known by what is in them, so empty ones are not.
            parts = path.split("/")
            for depth, name in enumerate(parts):
                is_directory = depth < len(parts) - 1
                above = "/".join(parts[:depth])
                self._below.setdefault(above, {})[name] = is_directory

    def __repr__(self) -> str:
        return f"<StoredTree of {len(self.values)} files>"

    def entries(self, path: str = "") -> list[tuple[str, bool]]:
        """
        List names in a directory, and whether each is a directory itself.

        Raises:
            OSError: ENOENT if there is none, ENOTDIR if it is a file.
        """
        path = path.strip("/")
        if path in self.values:
            raise refusal(errno.ENOTDIR, f"{path} is a file")
        if path not in self._below:
            raise refusal(errno.ENOENT, f"there is no {path!r} in the dump")
        return list(self._below[path].items())

    def read(self, path: str) -> bytes:
        """
        Return what a file holds, with the newline at the end.

        Raises:
            OSError: ENOENT if there is none, EISDIR if it is a directory.
        """
        path = path.strip("/")
        if path in self._below:
            raise refusal(errno.EISDIR, f"{path or '/'} is a directory")
        if path not in self.values:
            raise refusal(errno.ENOENT, f"there is no {path!r} in the dump")
        return self.values[path].encode("utf-8", "surrogateescape") + b"\n"


# -- Comparing ---------------------------------------------------------------


def differences(
    left: Values, right: Values, declared: Directory, *, settings_only: bool = False
) -> Iterator[Difference]:
    """
    Find the files that hold different values.

    A setting that one side does not have counts as its default there: releases have
    different files, and documents name few.

    Args:
        left: One tree.

        right: Another one.

        declared: Where defaults come from.

        settings_only: Leave out results, such as statistics, ``pid`` and ``state``.
    """
    for path in sorted(left.keys() | right.keys(), key=natural):
        # Of the latest tree: names mean the same in all releases.
        file = declared_file(declared, path)
        if settings_only and not is_setting(file):
            continue
        default = _default(file)
        ours, theirs = left.get(path, default), right.get(path, default)
        if ours != theirs:
            yield Difference(path, ours, theirs)


def _default(file: File | None) -> str | None:
    """Return what a setting holds at first; None of results."""
    if file is None or not is_setting(file):
        return None
    return text_of(file.kind.show(file.default))
