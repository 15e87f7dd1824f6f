"""Where trees are for the command line: mounted, or in files of several forms."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ..control.admin import ADMIN
from ..control.explain import explained
from ..control.folder import Folder, check_writable
from ..control.lookup import declared_file
from ..control.parameter_files import values_of
from ..control.stored_tree import StoredTree, Values, canonical, from_lines, is_setting, take
from ..errors import InputFileError, InvalidError
from ..params.document import load_document_file
from .text import say

DOCUMENT_ENDINGS: Final = {".json", ".yaml", ".yml"}
"""What names of parameter documents end with; JSON is also known by how it begins."""

MOST_TOLD: Final = 5
"""Files that are told one by one if they cannot be read."""


class Place(NamedTuple):
    """A tree as values."""

    values: Values
    """By path from the root."""

    is_document: bool
    """Whether it was a parameter document, which has no results."""


def open_place(place: str) -> Folder | StoredTree:
    """
    Open a tree to be looked at.

    Args:
        place: A directory; or a file with lines, or with a parameter document.

    Raises:
        InputFileError: If the file is neither.

        OSError: ENOENT if there is nothing.
    """
    if Path(place).is_file():
        return StoredTree(_read_file(place).values)
    return Folder(place)


def open_folder(place: str) -> Folder:
    """
    Open a tree to be written to.

    Raises:
        InvalidError: If it is a file.

        OSError: ENOENT if there is nothing, EPERM if it belongs to the kernel of this
            machine.
    """
    if Path(place).is_file():
        raise InvalidError(
            f"{place} is a dump, which nothing can be written to; edit it, or load it into a tree"
        )
    folder = Folder(place)
    # The root first, though each file is looked at again: it makes the better sentence.
    check_writable(folder.path)
    return folder


def values_at(place: str) -> Place:
    """
    Read all values of a tree, and tell on stderr which could not be read.

    Args:
        place: As of ``open_place``.

    Raises:
        InputFileError: If a file is no tree.

        InvalidError: If a setting could not be read, so that what is there is not the
            whole.

        OSError: ENOENT if there is nothing.
    """
    if Path(place).is_file():
        return _read_file(place)
    # One walk, nothing twice: what changes meanwhile cannot be read as of one instant.
    values, missed = take(Folder(place))
    _tell(missed)
    return Place(values, is_document=False)


def _tell(missed: Mapping[str, OSError]) -> None:
    """
    Tell which files could not be read.

    Raises:
        InvalidError: If one of them is a setting.
    """
    told = [explained(path, None, error.errno or 0) for path, error in missed.items()]
    more = len(told) - MOST_TOLD
    for sentence in told[:MOST_TOLD]:
        say(sentence)
    if more > 0:
        say(f"and {more} more cannot be read")
    # A vanished file is no loss, but it shows that the others were of two times.
    settings = [path for path in missed if is_setting(declared_file(ADMIN, path))]
    if settings:
        is_secret = missed[settings[0]].errno == errno.EACCES
        what_to_do = "become root" if is_secret else "try again"
        raise InvalidError(f"{settings[0]} is missing, so this is not the whole tree; {what_to_do}")


def _read_file(path: str) -> Place:
    if Path(path).suffix.lower() in DOCUMENT_ENDINGS or _begins_as_json(path):
        return Place(_values_of_document(path), is_document=True)
    try:
        values = from_lines(Path(path).read_text(encoding="utf-8", errors="surrogateescape"))
    except InvalidError as error:
        raise InputFileError(path, str(error)) from error
    # People write numbers in many ways, and trees in one.
    return Place(canonical(values, ADMIN), is_document=False)


def _values_of_document(path: str) -> dict[str, str]:
    kdamonds = load_document_file(path)
    try:
        return values_of(kdamonds)
    except InvalidError as error:
        raise InputFileError(path, str(error)) from error


def _begins_as_json(path: str) -> bool:
    # Side files of records have names of their own.
    with Path(path).open("rb") as file:
        return file.read(256).lstrip()[:1] in (b"{", b"[")
