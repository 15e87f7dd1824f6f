"""
Schemes in the old form of one line each, as in ``.damos`` files.

Source:
    spec damo 7. Current ``damo`` refuses it; its test suite still has it.
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import InvalidError, ParametersError, Problem
from .base import join_paths, refuse
from .schemes import Scheme

# Pairs of bounds come first, in this order.
_PATTERN: Final = ("sz_bytes", "nr_accesses", "age")
_SIZE_QUOTA: Final = ("quotas.sz_bytes", "quotas.reset_interval_ms")
_WEIGHTS: Final = tuple(
    f"quotas.weights.{name}" for name in ("sz_permil", "nr_accesses_permil", "age_permil")
)
_WATERMARKS: Final = tuple(
    f"watermarks.{name}"
    for name in ("metric", "interval_us", "high_permil", "mid_permil", "low_permil")
)

FIELDS: Final = (
    *(f"access_pattern.{name}.{end}" for name in _PATTERN for end in ("min", "max")),
    "action",
)
"""What every line begins with."""

MORE_FIELDS: Final = {
    7: (),
    9: _SIZE_QUOTA,
    12: (*_SIZE_QUOTA, *_WEIGHTS),
    17: (*_SIZE_QUOTA, *_WEIGHTS, *_WATERMARKS),
    # The time quota came last, but stands first.
    18: ("quotas.time_ms", *_SIZE_QUOTA, *_WEIGHTS, *_WATERMARKS),
}
"""What follows, by the number of fields of the line."""


def load_scheme_lines(text: str | bytes) -> tuple[Scheme, ...]:
    """
    Read schemes in the form of one line each.

    Args:
        text: Lines of 7, 9, 12, 17 or 18 fields with white space between; lines
            that are empty or begin with ``#`` are skipped.

    Raises:
        InvalidError: If it is not UTF-8 text.

        ParametersError: If anything is wrong; every mistake is listed, each
            with the number of its line.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise InvalidError("not a scheme document; expected UTF-8 text") from None
    schemes: list[Scheme] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        # Only whole lines are comments: a "#" behind a scheme is a mistake.
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            schemes.append(_scheme_of(line.split()))
        # On with the next line: who repairs a file wants to know all of it.
        except ParametersError as error:
            problems += [
                Problem(join_paths(f"line {number}", at), what) for at, what in error.problems
            ]
    refuse(problems)
    return tuple(schemes)


def _scheme_of(words: list[str]) -> Scheme:
    if len(words) not in MORE_FIELDS:
        message = f"has {len(words)} fields; expected {', '.join(map(str, MORE_FIELDS))}"
        raise ParametersError([Problem("", message)])
    # As the tree of a document, so that one model reads and refuses both forms.
    tree: dict[str, Any] = {}
    for path, word in zip(FIELDS + MORE_FIELDS[len(words)], words, strict=True):
        *way, name = path.split(".")
        place = tree
        for step in way:
            place = place.setdefault(step, {})
        place[name] = word
    return Scheme(**tree)
