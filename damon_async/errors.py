"""
Every exception of the package.

Two rules hold in this file. Each class carries the errno that the kernel's
interface would answer with, and each builds its own sentence, so that no
caller can word the same failure differently twice.

Constructor arguments are kept as ``args``; the sentence is made when it is
asked for. That way the exceptions survive pickling and copying.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import ClassVar, NamedTuple


class DamonError(Exception):
    """
    Base class: whatever this package refuses or gives up on.

    Attributes:
        errno: What a control file would return for it.

    Source:
        spec core 2.8.
    """

    # EINVAL is the answer to nearly everything (spec core 2.8); the exceptions
    # to that rule say so themselves. A class attribute, because the number
    # belongs to the kind of failure and not to the single case.
    errno: ClassVar[int] = errno.EINVAL


class BusyError(DamonError):
    """
    Refused because something else runs; nothing was changed (EBUSY).

    Args:
        wanted: What was asked for, as a verb with its object, e.g. "start an
            exclusive group".

        why: What stands in the way, e.g. "2 contexts are running".
    """

    errno: ClassVar[int] = errno.EBUSY

    def __init__(self, wanted: str, why: str) -> None:
        super().__init__(wanted, why)
        self.wanted = wanted
        self.why = why

    def __str__(self) -> str:
        # Two parts, because admission and each kdamond refuse for different
        # reasons, and a user must see which of the two it was.
        return f"cannot {self.wanted}: {self.why}"


class NotRunningError(DamonError):
    """
    A context was to be stopped that does not run (EPERM).

    Args:
        name: What does not run, e.g. "kdamond.0".
    """

    errno: ClassVar[int] = errno.EPERM

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is not running"


class CanceledError(DamonError):
    """
    A request will never be answered, because its worker ended (ECANCELED).

    Args:
        what: The request, e.g. "the commit".

        why: What ended it, e.g. "kdamond.0 ended first".
    """

    errno: ClassVar[int] = errno.ECANCELED

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what = what
        self.why = why

    def __str__(self) -> str:
        return f"{self.what} was canceled: {self.why}"


class NoMemoryError(DamonError):
    """
    A worker or a table could not be made (ENOMEM).

    Args:
        what: What there was no memory for.
    """

    errno: ClassVar[int] = errno.ENOMEM

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"not enough memory for {self.what}"


class SelfStopError(DamonError):
    """
    A worker was asked to wait for its own end (EDEADLK).

    Args:
        name: The worker, e.g. "kdamond.0".

    Source:
        spec core 3.3. Differs: the kernel deadlocks.
    """

    errno: ClassVar[int] = errno.EDEADLK

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} cannot be stopped from inside itself; stop it from another task"


class InvalidError(DamonError, ValueError):
    """
    A value that can never work (EINVAL); also a ``ValueError``.

    Args:
        sentence: What is wrong, where, and what would be right.
    """


class UnitError(InvalidError):
    """
    A text that is not a quantity.

    Args:
        text: What was given.

        kind: What it should have been: "size", "time", "percent", ...

        expected: What would be right, with an example.
    """

    def __init__(self, text: object, kind: str, expected: str) -> None:
        super().__init__(text, kind, expected)
        self.text = text
        self.kind = kind
        self.expected = expected

    def __str__(self) -> str:
        # repr, so that an empty text or a stray blank can be seen.
        return f"{self.text!r} is not a {self.kind}; expected {self.expected}"


class Problem(NamedTuple):
    """One thing wrong with a set of parameters."""

    path: str
    """Where, e.g. ``kdamonds[0].contexts[0].intervals.sample_us``; may be empty."""

    message: str
    """What is wrong and what would be right."""

    def __str__(self) -> str:
        # The path is empty where the whole document is meant.
        return f"{self.path}: {self.message}" if self.path else self.message


class ParametersError(InvalidError):
    """
    Parameters with one or more mistakes; all of them are listed.

    Args:
        problems: At least one.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        # A generator can be read once only, and pickling needs it again.
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        # One line even for many: it is what a command prints before it exits.
        listed = "; ".join(map(str, self.problems))
        return listed if len(self.problems) == 1 else f"{len(self.problems)} problems: {listed}"


class InputFileError(DamonError):
    """
    A file that cannot be read or does not hold what it should (EINVAL).

    Args:
        path: The file.

        wrong: What is wrong and what would be right.

        line: Where, counted from 1; None if no line is to blame.
    """

    def __init__(self, path: str | os.PathLike[str], wrong: str, line: int | None = None) -> None:
        super().__init__(path, wrong, line)
        self.path = path
        self.wrong = wrong
        self.line = line

    def __str__(self) -> str:
        place = os.fspath(self.path)
        if self.line is not None:
            place = f"{place}, line {self.line}"
        return f"{place}: {self.wrong}"


class SandboxError(DamonError):
    """
    The machine allows no sandbox (EPERM).

    Args:
        reason: What cannot be, and what would help.
    """

    errno: ClassVar[int] = errno.EPERM

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class MissingExtraError(DamonError):
    """
    An optional dependency is not installed (ENOTSUP).

    Args:
        extra: The extra of this package that brings it, e.g. "plot".

        purpose: What needs it, e.g. "writing pictures".
    """

    errno: ClassVar[int] = errno.ENOTSUP

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(extra, purpose)
        self.extra = extra
        self.purpose = purpose

    def __str__(self) -> str:
        # The quotes keep shells from reading the brackets as a pattern.
        return (
            f"{self.purpose} needs the {self.extra!r} extra: "
            f"pip install 'damon_async[{self.extra}]'"
        )
