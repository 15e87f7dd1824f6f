"""What all reports share: reading records, choosing colours, printing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Group, Parameter

from ..errors import DamonError, InputFileError
from ..records.files import read_records
from ..records.record import Record, joined, with_intervals
from ..records.side_files import kdamonds_path, read_kdamonds
from ..reports.colors import ColorSet

DEFAULT_INPUT: Final = "damon.data"
"""What is reported if nothing is named."""

STDOUT: Final = "stdout"
"""What damo calls text on stdout, where the name of a picture may stand."""

INPUT_GROUP: Final = Group("Input", sort_key=1)

Input = Annotated[str, Parameter(alias="-i", group=INPUT_GROUP, metavar="FILE")]
"""A record file."""

Inputs = Annotated[
    tuple[str, ...],
    Parameter(
        alias="-i", group=INPUT_GROUP, metavar="FILE", consume_multiple=True, show_default=" ".join
    ),
]
"""Record files."""


def load_records(paths: str | Sequence[str]) -> list[Record]:
    """
    Read record files; a form without intervals gets those beside it.

    Raises:
        InputFileError: If a file is missing or no record.
    """
    # Recorders that poll write every snapshot as a record of its own.
    names = (paths,) if isinstance(paths, str) else paths
    return joined(record for name in names for record in _load(name))


def _load(name: str) -> Iterable[Record]:
    # Only the name that the user did not give: a typing error needs no advice.
    if name == DEFAULT_INPUT and not Path(name).exists():
        wrong = "there is no such file; make one with damon-async record, or name one with --input"
        raise InputFileError(name, wrong)
    # A pipe has an end, a device may have none.
    if Path(name).is_char_device() or Path(name).is_block_device():
        raise InputFileError(name, "is a device; expected a record file")
    records = read_records(name)
    # Text of perf script has none; nearly all that reports tell needs them.
    if all(record.intervals is not None for record in records):
        return records
    return [_with_side_intervals(record, name) for record in records]


def _with_side_intervals(record: Record, name: str) -> Record:
    """Give a record of perf script text the intervals that were written beside it."""
    if not kdamonds_path(name).exists():
        return record
    try:
        kdamonds = read_kdamonds(name)
        context = kdamonds[record.kdamond_idx].contexts[0]
    except (DamonError, IndexError):
        # Written by another damo, about things unknown here: do without.
        return record
    return with_intervals(record, context.intervals)


def has_colors() -> bool:
    """Whether stdout shows colours and the user has not said no (see no-color.org)."""
    # Set and not empty counts, whatever it says. Saying no wins.
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def colors_if_any(colors: ColorSet) -> ColorSet | None:
    """Return *colors* where they can be seen, else None."""
    return colors if has_colors() else None


def emit(lines: Iterable[str]) -> None:
    """Print lines on stdout, as they come."""
    # Plainly: rich would wrap lines and find things to colour in them.
    for line in lines:
        sys.stdout.write(f"{line}\n")
