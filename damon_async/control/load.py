"""
Staging values in a tree: which writes it takes, in which order.

Whatever is staged is values by path first, so that documents, dumps and lines
written by hand are all staged alike.
"""

from __future__ import annotations

import errno
from typing import Final, NamedTuple, Protocol

from ..errors import InvalidError
from .declared import Directory, File, Role
from .explain import explained
from .lookup import declared_file, natural
from .stored_tree import Files, Values, is_setting, text_of

NR_KDAMONDS: Final = "kdamonds/nr_kdamonds"

REFRESH: Final = "refresh_ms"


class Write(NamedTuple):
    """One value to be written."""

    path: str
    """From the root."""

    value: str
    """As text."""


class Writable(Files, Protocol):
    """A tree that can be written to."""

    def write(self, path: str, data: bytes) -> int:
        """Write to a file, at once and whole."""
        ...


def writes_of(values: Values, declared: Directory) -> list[Write]:
    """
    Return the writes that make a fresh tree hold *values*.

    Counts come first, from the root downwards, for they make directories. What a
    fresh directory holds anyway is left out: so no file is named that an older
    kernel does not have and nobody needs. Results, ``state`` included, are left
    out as well.

    Args:
        values: By path from the root.

        declared: The root.

    Raises:
        InvalidError: If there is no such file in any release.
    """
    counts: list[Write] = []
    others: list[Write] = []
    for path, value in values.items():
        file = declared_file(declared, path)
        if file is None:
            raise InvalidError(f"{path}: no release has such a file")
        if not is_setting(file) or _is_default(file, value):
            continue
        (counts if file.role is Role.COUNTER else others).append(Write(path, value))
    # By depth: a count makes the directories that deeper ones are in.
    counts.sort(key=lambda write: (write.path.count("/"), natural(write.path)))
    return counts + sorted(others, key=lambda write: natural(write.path))


def stage(files: Writable, values: Values, declared: Directory) -> int:
    """
    Have a tree hold *values*; what it held before is gone.

    While something runs the number of kdamonds must stay; the contexts are made
    anew then, which the running kdamonds see at the next ``commit``.

    Args:
        files: The tree.

        values: By path from the root.

        declared: The root.

    Returns:
        How many files were written.

    Raises:
        InvalidError: If there is no such file in any release; nothing was written.

        OSError: If the tree refuses a value, with its errno; the tree is staged in
            part then.
    """
    # All of it before the first write: what cannot be is refused with nothing changed.
    writes = writes_of(values, declared)
    nr_kdamonds = values.get(NR_KDAMONDS, "0")
    if text_of(files.read(NR_KDAMONDS)) == nr_kdamonds:
        writes = _within_kdamonds(files, writes, values)
    elif not writes:
        # None at all is what fresh trees have, but this one does not.
        writes = [Write(NR_KDAMONDS, nr_kdamonds)]
    for done, (path, value) in enumerate(writes):
        try:
            files.write(path, value.encode("utf-8", "surrogateescape"))
        except OSError as error:
            number = error.errno or errno.EIO
            told = explained(path, value, number, declared_file(declared, path))
            how_far = f"{done} of {len(writes)} values were written before" if done else ""
            # No way back: what was there before is gone with the first count.
            raise OSError(number, "; ".join(filter(None, (told, how_far)))) from None
    return len(writes)


def _within_kdamonds(files: Files, writes: list[Write], values: Values) -> list[Write]:
    """Return what to write where the kdamonds are there already and stay."""
    names = [name for name, is_directory in files.entries("kdamonds") if is_directory]
    fresh: dict[str, str] = {}
    for name in sorted(names, key=natural):
        path = f"kdamonds/{name}/contexts/nr_contexts"
        # Always written, for that makes the context anew.
        fresh[path] = values.get(path, "0")
        refresh = f"kdamonds/{name}/{REFRESH}"
        # Not below the contexts, so it is what it was; and older kernels have none.
        if (REFRESH, False) in files.entries(f"kdamonds/{name}"):
            fresh[refresh] = values.get(refresh, "0")
    others = [write for write in writes if write.path not in {NR_KDAMONDS, *fresh}]
    return [Write(path, value) for path, value in fresh.items()] + others


def _is_default(file: File, value: str) -> bool:
    """Tell whether a fresh file holds *value*; compared as the file would read it."""
    try:
        parsed = file.kind.parse(value.encode("utf-8", "surrogateescape"))
    except OSError:
        # Whoever is written to says what is wrong with it.
        return False
    return parsed == file.default
