"""What an errno of a file means, in one sentence: all that a mounted tree answers with."""

from __future__ import annotations

import errno
import os
from typing import Final

from .declared import READ_ONLY, File, Role
from .values import Bool, Integer, Keyword

NOT_OURS: Final = (
    "belongs to the kernel of this machine, and is only read from here; "
    "damon-async sandbox has a tree that can be written to"
)
"""Why files are not written to, though they could be."""

_MEANINGS: Final = {
    errno.EBUSY: "something else is going on there, or runs; try again when it is done",
    errno.ENOENT: "there is no such file; its release may not have it, or its count is too small",
    errno.ENODEV: "its directory was removed meanwhile",
    errno.ECANCELED: "the kdamond ended, or had nothing to do, before it could be done",
    errno.ENOMEM: "there is no memory for so many, or a filter or goal makes no sense",
    errno.EISDIR: "is a directory",
    errno.ENOTDIR: "a file is where a directory is expected",
}
"""By errno, whatever the file is."""


def explained(path: str, value: str | None, number: int, file: File | None = None) -> str:
    """
    Say in one sentence why a file was not read or written.

    Args:
        path: The file.

        value: What was to be written; None if it was to be read.

        number: The errno.

        file: Its declaration; None if unknown.
    """
    # The name as well: whoever looks for help searches for it.
    name = errno.errorcode.get(number, str(number))
    done = "cannot be read" if value is None else f"does not take {_shown(value)}"
    return f"{path} {done} ({name}): {_meaning(number, value, file)}"


def takes(file: File) -> str:
    """Say what may be written to a file."""
    kind = file.kind
    if isinstance(kind, Keyword):
        return "one of " + ", ".join(word.text for word in kind.words)
    if isinstance(kind, Bool):
        return "Y or N"
    if isinstance(kind, Integer):
        least = kind.least if kind.least is not None else -(2 ** (kind.bits - 1)) * kind.is_signed
        return f"a whole number from {least} to {2 ** (kind.bits - kind.is_signed) - 1}"
    return "a text"


def _shown(value: str) -> str:
    # A page of text would hide what is wrong with it.
    text = value if len(value) <= 64 else f"{value[:64]}..."
    return repr(text)


def _meaning(number: int, value: str | None, file: File | None) -> str:
    is_written = value is not None
    if number in (errno.EACCES, errno.EPERM) and is_written:
        return _forbidden(number, file)
    if number == errno.EACCES:
        return "only root may"
    # Of these two the errno says least, and the declaration knows most.
    if number in (errno.EINVAL, errno.ERANGE) and is_written and file is not None:
        return _invalid(str(value), file)
    return _MEANINGS.get(number, os.strerror(number))


def _forbidden(number: int, file: File | None) -> str:
    if file is not None and file.mode == READ_ONLY:
        return "it is read-only"
    if number == errno.EACCES:
        return "only root may"
    # Trees answer so to one command only; to anything else it is our own refusal.
    if file is not None and file.role is Role.LIVE:
        return "the kdamond has ended already"
    return f"it {NOT_OURS}"


def _invalid(value: str, file: File) -> str:
    try:
        file.kind.parse(value.encode("utf-8", "surrogateescape"))
    except OSError:
        return f"it takes {takes(file)}"
    # The value itself is fine, so it is a matter of what it asks for.
    if file.role is Role.LIVE:
        return "what the files of this kdamond say cannot be run, or it does not run"
    return f"this kernel does not; newer ones take {takes(file)}"
