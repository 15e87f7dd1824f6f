"""Finding declarations by path, and the order of paths."""

from __future__ import annotations

from collections.abc import Iterator

from .declared import Directory, File
from .profiles import SEED, Release


def declared_file(declared: Directory, path: str) -> File | None:
    """
    Return the declaration of the file at *path*, of whatever release.

    Args:
        declared: The root.

        path: From the root; numbered directories need not exist.
    """
    *above, name = path.strip("/").split("/")
    found = declared
    for step in above:
        below = _below(found, step)
        if below is None:
            return None
        found = below
    return next((file for file in found.all_files if file.name == name), None)


def declared_directories(
    declared: Directory, path: str = "", since: Release = SEED
) -> Iterator[tuple[str, Directory, Release]]:
    """
    Go through a directory and all below it.

    Args:
        declared: Where to begin.

        path: What it is called.

        since: The first release that has the directory above it.

    Yields:
        Paths, declarations, and the first releases that have them. Numbered
        directories are called by what they are, e.g. ``<scheme>``.
    """
    # A directory is never older than the one that it is in.
    since = max(since, declared.since)
    yield path, declared, since
    for each in declared.directories:
        yield from declared_directories(each, f"{path}/{each.name}".lstrip("/"), since)
    for child in (declared.child, declared.named):
        if child is not None:
            yield from declared_directories(child, f"{path}/<{child.name}>".lstrip("/"), since)


def natural(path: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts paths as people do: 2 before 10."""
    # Numbers before words, which cannot be compared with them.
    return tuple(
        (int(part), "") if part.isdecimal() and part.isascii() else (-1, part)
        for part in path.split("/")
    )


def _below(declared: Directory, name: str) -> Directory | None:
    # Declared names first, as in a tree itself.
    for each in declared.directories:
        if each.name == name:
            return each
    return declared.child if name.isdecimal() else declared.named
