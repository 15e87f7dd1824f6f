"""`damon-async report damon`: kdamonds, their parameters, and what their schemes did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from ..errors import InputFileError, InvalidError, MissingExtraError
from ..params.document import to_document
from ..records.side_files import kdamonds_path
from ..records.status import KdamondStatus, read_status, status_trees
from ..reports.damon_status import STAT_FIELDS, stats_text, status_text, summary_texts
from .quantities import choice_of
from .report_common import DEFAULT_INPUT, INPUT_GROUP, emit

LOOK = Group("Layout", sort_key=2)


class StatusFormat(StrEnum):
    """How kdamonds are printed."""

    REPORT = "report"
    """As an indented tree."""

    JSON = "json"
    """As the list that lies beside records."""

    YAML = "yaml"
    """The same as YAML."""


def damon(
    *,
    input_file: Annotated[
        str, Parameter(name=("--input_file", "-i"), group=INPUT_GROUP, metavar="FILE")
    ] = f"{DEFAULT_INPUT}.kdamonds",
    format: Annotated[
        StatusFormat, choice_of(StatusFormat), Parameter(group=LOOK)
    ] = StatusFormat.REPORT,
    kdamonds_summary: Annotated[bool, Parameter(group=LOOK)] = False,
    show_cpu_usage: Annotated[bool, Parameter(show=False)] = False,
    damos_stats: Annotated[bool, Parameter(group=LOOK)] = False,
    damos_stat_fields: Annotated[
        tuple[str, ...],
        Parameter(group=LOOK, consume_multiple=True, show_default=False, metavar="FIELD..."),
    ] = (),
    damon_params: Annotated[bool, Parameter(group=LOOK)] = False,
    damon_params_omit_defaults: Annotated[bool, Parameter(group=LOOK)] = False,
    raw: Annotated[bool, Parameter(group=LOOK)] = False,
) -> None:
    """
    Show kdamonds: how they monitor, and what their schemes did.

    Args:
        input_file: A FILE.kdamonds that lies beside a record, or the record.

        format: A tree for people, or a document for programs.

        kdamonds_summary: Only states, a line for each kdamond.

        show_cpu_usage: Refused: no file knows it.

        damos_stats: Only what schemes did.

        damos_stat_fields: Only these counters: nr_tried, sz_tried, nr_applied,
            sz_applied, sz_ops_filter_passed, qt_exceeds, nr_snapshots or
            max_nr_snapshots.

        damon_params: Only parameters.

        damon_params_omit_defaults: Only parameters that are not the defaults.

        raw: Print plain numbers.
    """
    if show_cpu_usage:
        # Real damo asks the machine that it runs on, whoever's pids the file holds.
        raise InvalidError(
            "--show_cpu_usage: a file does not say what CPU its kdamonds use; ask running ones, "
            "with damo report damon in damon-async sandbox"
        )
    names = _known(damos_stat_fields)
    statuses = _read(input_file)
    if kdamonds_summary:
        emit(_summary(statuses, format, raw=raw))
        return
    # Omitting defaults is a way to print parameters, so it need not be said twice.
    is_params = damon_params or damon_params_omit_defaults
    if format is not StatusFormat.REPORT:
        emit([_document(statuses, format, raw, is_params, damon_params_omit_defaults)])
    elif damos_stats or names:
        emit(stats_text(statuses, names, raw=raw))
    else:
        emit(status_text(statuses, raw=raw, has_counters=not is_params))


def _known(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in STAT_FIELDS:
            raise InvalidError(
                f"--damos_stat_fields {name}: no such counter; choose of {', '.join(STAT_FIELDS)}"
            )
    return names


def _read(path: str) -> tuple[KdamondStatus, ...]:
    beside = kdamonds_path(path)
    # A record is no document, but everybody knows its name.
    if beside.exists():
        return read_status(beside)
    # Nobody chose that name, so "no such file" alone would be a riddle.
    if path == f"{DEFAULT_INPUT}.kdamonds" and not Path(path).exists():
        wrong = (
            "there is no such file; make one with damon-async record or damon-async schemes "
            "--out, or name one with --input_file"
        )
        raise InputFileError(path, wrong)
    return read_status(path)


def _summary(statuses: Sequence[KdamondStatus], form: StatusFormat, *, raw: bool) -> Iterable[str]:
    texts = list(summary_texts(statuses, raw=raw))
    if form is StatusFormat.REPORT:
        return (f"{index}\t{text}" for index, text in enumerate(texts))
    return [_written(texts, form)]


def _document(
    statuses: Sequence[KdamondStatus],
    form: StatusFormat,
    raw: bool,
    is_params: bool,
    omit_defaults: bool,
) -> str:
    # State and counters included, unless parameters alone are wanted.
    tree: Any = status_trees(statuses, raw=raw)
    if is_params:
        kdamonds = [status.kdamond for status in statuses]
        tree = to_document(kdamonds, raw=raw, omit_defaults=omit_defaults)
    return _written(tree, form)


def _written(tree: object, form: StatusFormat) -> str:
    """Return a tree of plain values as a document."""
    if form is StatusFormat.JSON:
        return json.dumps(tree, indent=4)
    # An extra, which JSON must not need.
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("yaml", "writing YAML") from None
    return str(yaml.safe_dump(tree, sort_keys=False)).rstrip("\n")
