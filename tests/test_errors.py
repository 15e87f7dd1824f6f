"""Sentences, errnos and copies of the exceptions."""

from __future__ import annotations

import copy
import errno
import inspect
import pickle
from pathlib import Path

import pytest

from damon_async import errors
from damon_async.errors import (
    BusyError,
    CanceledError,
    DamonError,
    InputFileError,
    InvalidError,
    MissingExtraError,
    NoMemoryError,
    NotRunningError,
    ParametersError,
    Problem,
    SandboxError,
    SelfStopError,
    UnitError,
)

EVERY = [
    (
        BusyError("start an exclusive group", "2 contexts are running"),
        errno.EBUSY,
        "cannot start an exclusive group: 2 contexts are running",
    ),
    (NotRunningError("kdamond.0"), errno.EPERM, "kdamond.0 is not running"),
    (
        CanceledError("the commit", "kdamond.0 ended first"),
        errno.ECANCELED,
        "the commit was canceled: kdamond.0 ended first",
    ),
    (NoMemoryError("kdamond.3"), errno.ENOMEM, "not enough memory for kdamond.3"),
    (
        SelfStopError("kdamond.0"),
        errno.EDEADLK,
        "kdamond.0 cannot be stopped from inside itself; stop it from another task",
    ),
    (
        SandboxError("root may have no namespaces here"),
        errno.EPERM,
        "root may have no namespaces here",
    ),
    (InvalidError("4 is odd for 5; use 3"), errno.EINVAL, "4 is odd for 5; use 3"),
    (
        UnitError("4k", "size", "bytes, such as '4K'"),
        errno.EINVAL,
        "'4k' is not a size; expected bytes, such as '4K'",
    ),
    (
        ParametersError([Problem("nr_regions.min", "2 is too few")]),
        errno.EINVAL,
        "nr_regions.min: 2 is too few",
    ),
    (
        ParametersError([Problem("a", "bad"), Problem("", "worse")]),
        errno.EINVAL,
        "2 problems: a: bad; worse",
    ),
    (InputFileError("x.cfg", "is empty"), errno.EINVAL, "x.cfg: is empty"),
    (
        InputFileError(Path("d") / "x.cfg", "has no size", 3),
        errno.EINVAL,
        f"{Path('d') / 'x.cfg'}, line 3: has no size",
    ),
    (
        MissingExtraError("plot", "writing pictures"),
        errno.ENOTSUP,
        "writing pictures needs the 'plot' extra: pip install 'damon_async[plot]'",
    ),
]
"""One of each class, its errno and its sentence."""


@pytest.mark.parametrize(("error", "number", "sentence"), EVERY)
def test_sentence(error: DamonError, number: int, sentence: str) -> None:
    """Each class carries the errno of the kernel's interface and builds its own sentence."""
    assert (error.errno, str(error)) == (number, sentence)


@pytest.mark.parametrize("error", [error for error, _, _ in EVERY])
def test_copies(error: DamonError) -> None:
    """Pickling and copying keep the class, the sentence and the attributes."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


def test_every_class_is_tried() -> None:
    """No class of the file but the base is missing in the table above."""
    classes = {
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, DamonError)
    }
    assert classes == {type(error) for error, _, _ in EVERY} | {DamonError}


@pytest.mark.parametrize("kind", [InvalidError, UnitError, ParametersError])
def test_invalid_is_a_value_error(kind: type[Exception]) -> None:
    """What can never work is a ValueError to those who do not know this package."""
    assert issubclass(kind, ValueError)


def test_busy_keeps_its_parts() -> None:
    """A refusal tells programs apart what was wanted and what stood in the way."""
    error = BusyError("start kdamond.0", "it already runs")
    assert (error.wanted, error.why) == ("start kdamond.0", "it already runs")


def test_problems_are_a_tuple() -> None:
    """Problems may come from any iterable and stay available one by one."""
    error = ParametersError(Problem(name, "missing") for name in "ab")
    assert error.problems == (Problem("a", "missing"), Problem("b", "missing"))
