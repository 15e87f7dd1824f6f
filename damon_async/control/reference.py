"""
The reference page of a tree, made from its declarations.

Nothing in it is written twice: a file that is declared is documented, and what is
not declared any more is gone from the page.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from .declared import READ_ONLY, Directory, File, Role
from .lookup import declared_directories
from .profiles import SEED, Release
from .stored_tree import text_of
from .values import Bool, Integer, KeptText, Keyword, Kind, PathText

LAST: Final = Release(7, 1)
"""The last release whose files are known one by one."""

COLUMNS: Final = ("file", "mode", "holds", "default", "since", "refuses with", "meaning")

REQUEST_ERRNOS: Final = (
    errno.EINVAL,
    errno.EBUSY,
    errno.ENOMEM,
    errno.EPERM,
    errno.ECANCELED,
)
"""What commands are refused with."""


WIDEST: Final = 32
"""Of defaults that are longer no more letters than this are shown."""


@dataclass(frozen=True, slots=True)
class Page:
    """
    What a page says besides its tables.

    Attributes:
        title: The headline.

        root: Where a kernel has the tree.

        intro: Paragraphs before the tables.
    """

    title: str
    root: str
    intro: tuple[str, ...] = ()


SYSFS_PAGE: Final = Page(
    "Files of the sysfs tree",
    "/sys/kernel/mm/damon/admin",
    (
        (
            "One value per file. Numbers are decimal, or hexadecimal behind `0x`, or octal "
            "behind `0`; they read as decimals. Too large ones are `ERANGE`, before 6.1 `EINVAL`. One newline may end what is written."
        ),
        (
            "A write to a file called `nr_...` removes all numbered directories beside it, and "
            "makes as many new ones, from 0 on, with all values at their defaults."
        ),
        (
            "What is written while a kdamond runs is stored, and counts from the next `commit` "
            "on. Results change only when `state` has them updated, or by `refresh_ms`."
        ),
        (
            "Everywhere: `ENOENT` for files that a release does not have, `EACCES` for opening "
            "a read-only file for writing, `ENODEV` for an open file whose directory was removed."
        ),
    ),
)
"""The page of the tree in sysfs."""


def reference(declared: Directory, page: Page) -> str:
    """
    Return the reference page of a tree, as markdown.

    Args:
        declared: The root.

        page: What else it says.
    """
    return "\n\n".join(_blocks(declared, page)) + "\n"


def _blocks(declared: Directory, page: Page) -> Iterator[str]:
    yield f"# {page.title}"
    yield f"Paths are relative to `{page.root}`. This page is made from the declarations."
    yield from page.intro
    for path, directory, since in declared_directories(declared):
        yield from _section(path, directory, since)


def _section(path: str, directory: Directory, since: Release) -> Iterator[str]:
    # The root has a headline already if there is nothing in it.
    if not path and not directory.all_files:
        return
    yield f"## `{path or '/'}`"
    about = " ".join(filter(None, (directory.about, _since_sentence(since))))
    if about:
        yield about
    files = directory.all_files
    if files:
        yield _table([COLUMNS, *(_row(file, directory, since) for file in files)])
    # Below the table, for most lists of words are wider than it is.
    for file in files:
        if isinstance(file.kind, Keyword) and file.kind.words:
            yield f"`{file.name}`: {_words(file.kind, max(since, file.since))}."


def _since_sentence(since: Release) -> str:
    return f"Since {_release(since)}." if since > SEED else ""


def _row(file: File, directory: Directory, since: Release) -> tuple[str, ...]:
    return (
        f"`{file.name}`",
        f"{file.mode:04o}",
        holds(file.kind),
        _default(file),
        _span(file, since),
        ", ".join(f"`{errno.errorcode[number]}`" for number in refusals(file)),
        file.about or _counter_about(file, directory),
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *others = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(COLUMNS), *others])


def _cell(text: str) -> str:
    # A bar would begin a new cell, and a newline end the table.
    return text.replace("|", "\\|").replace("\n", " ")


def holds(kind: Kind) -> str:
    """Say in some words what values of a class are."""
    match kind:
        case Integer(bits=bits, is_signed=is_signed, least=least):
            # Counts have a sign that is of no use to them.
            sign = "signed" if is_signed and least is None else "unsigned"
            from_least = f", at least {least}" if least else ""
            return f"{sign} {bits - (is_signed and least is not None)} bits{from_least}"
        case Bool():
            return "`Y` or `N`"
        case Keyword(words=words):
            return "keyword" if words else "lines"
        case PathText():
            return "text, kept to the byte"
        case KeptText():
            return "text"
    # Kinds of other trees say it in their first line.
    return (type(kind).__doc__ or "text").strip().partition("\n")[0].rstrip(".").lower()


def refusals(file: File) -> tuple[int, ...]:
    """List what a file can answer to a write, or a read, that all files do not."""
    if file.refuses is not None:
        return file.refuses
    locks = (errno.EBUSY,) if file.is_locking or file.role is Role.COUNTER else ()
    if not file.can_write:
        return (errno.EINVAL, *locks)
    if file.mode == READ_ONLY:
        return locks
    # What is asked for may fail in ways that no class of values knows.
    if file.role is Role.LIVE:
        return REQUEST_ERRNOS
    found: tuple[int, ...] = ()
    if isinstance(file.kind, Integer):
        found = (errno.EINVAL,) if file.kind.is_flat else (errno.EINVAL, errno.ERANGE)
    elif not isinstance(file.kind, PathText):
        found = (errno.EINVAL,)
    return found + locks + (errno.ENOMEM,) * (file.role is Role.COUNTER)


def _default(file: File) -> str:
    if not file.can_read:
        return "not to be read"
    # As it is read, not as we keep it.
    text = text_of(file.kind.show(file.default))
    # Some hold a line that would be wider than all else together.
    is_long = len(text) > WIDEST
    return f"`{text[:WIDEST]}`{'…' * is_long}" if text else "empty"


def _span(file: File, since: Release) -> str:
    first = _release(max(file.since, since))
    return first if file.until is None else f"{first}, before {file.until}"


def _release(release: Release) -> str:
    # Of what is newer than the last one that is known, nobody knows where it began.
    return f"after {LAST}" if release > LAST else str(release)


def _counter_about(file: File, directory: Directory) -> str:
    if file.role is not Role.COUNTER:
        return ""
    most = f"; at most {directory.most}" if directory.most is not None else ""
    return f"How many directories there are, from 0 on{most}."


def _words(kind: Keyword, since: Release) -> str:
    # A word that is as old as its file needs no date.
    return ", ".join(
        f"`{word.text}`" + (f" ({_release(word.since)})" if word.since > since else "")
        for word in kind.words
    )
