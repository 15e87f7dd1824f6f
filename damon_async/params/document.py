"""
Parameter documents: the tree of kdamonds that ``damo`` reads and writes.

The shapes are tables below; one walk over a document holds it against them.
What a document may say and this package cannot do yet is refused with its
path, never dropped.

Source:
    spec damo 2.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .. import units
from ..errors import InputFileError, InvalidError, MissingExtraError, ParametersError, Problem
from .base import Parameters, join_paths, refuse
from .monitoring import Context, Intervals, Kdamond, NrRegions, Target

DEFAULT_INTERVALS: Final = Intervals(update_us=1_000_000)
"""What a document means that gives no intervals. The kernel updates once a minute."""

# What damo writes for a context that samples in the ordinary way.
_SAMPLE_CONTROL: Final = {
    "primitives_enabled": {"page_table": True, "page_fault": False},
    "sample_filters": [],
}


@dataclass(frozen=True)
class _Shape:
    """What one kind of object in a document looks like."""

    required: tuple[str, ...]
    """Keys that must be there, though our own models have defaults for them."""

    ignored: tuple[str, ...] = ()
    """Keys of a running DAMON's state, which say nothing about parameters."""

    one: Mapping[str, _Shape] = field(default_factory=dict)
    """Keys that hold an object."""

    many: Mapping[str, _Shape] = field(default_factory=dict)
    """Keys that hold a list of objects."""

    defaults: Mapping[str, object] = field(default_factory=dict)
    """What a missing key means, where that is not the default of our models."""

    idle: Mapping[str, object] = field(default_factory=dict)
    """Keys that we know only with this value; any other asks for the impossible."""


# The reading rules of spec damo 2, innermost first.
_GOAL: Final = _Shape(required=("access_bp", "aggrs", "min_sample_us", "max_sample_us"))
_INTERVALS: Final = _Shape(
    required=("sample_us", "aggr_us", "ops_update_us"),
    one={"intervals_goal": _GOAL},
)
_TARGET: Final = _Shape(
    # A null pid and an empty list must be written out, which guards against a
    # target that somebody forgot to finish.
    required=("pid", "regions"),
    many={"regions": _Shape(required=("start", "end"))},
    # A space is an object of the program; no text can stand for it.
    idle={"space": None},
)
_CONTEXT: Final = _Shape(
    required=("ops", "targets"),
    one={"intervals": _INTERVALS, "nr_regions": _Shape(required=("min", "max"))},
    many={"targets": _TARGET},
    defaults={"intervals": DEFAULT_INTERVALS},
    # damo writes these three into every document.
    idle={"schemes": [], "probes": [], "sample_control": _SAMPLE_CONTROL},
)
_KDAMOND: Final = _Shape(
    required=("contexts",),
    # In a document that was read back from a running DAMON.
    ignored=("state", "pid"),
    many={"contexts": _CONTEXT},
)
_DOCUMENT: Final = _Shape(required=("kdamonds",), many={"kdamonds": _KDAMOND})


class _Document(Parameters, frozen=True):
    """The whole document."""

    kdamonds: tuple[Kdamond, ...]
    """One per worker, in order."""


def load_document(source: object) -> tuple[Kdamond, ...]:
    """
    Read a parameter document.

    Args:
        source: JSON text, or the tree that such a text holds: an object with
            the key ``kdamonds``, or the bare list, as beside a record.

    Returns:
        The kdamonds, in the order of the document.

    Raises:
        InvalidError: If it is not JSON, or neither an object nor a list.

        ParametersError: If anything is wrong; every mistake is listed.
    """
    # damo itself takes objects only, but writes bare lists beside its records.
    tree = _parse_json(source) if isinstance(source, (str, bytes)) else source
    if isinstance(tree, list):
        tree = {"kdamonds": tree}
    if not isinstance(tree, Mapping):
        raise InvalidError("not a parameter document; expected an object with the key kdamonds")
    problems: list[Problem] = []
    # Two passes, one list: the walk sees what damo requires, the models see the
    # values. Neither stops at its first mistake.
    cleaned: Any = _clean(tree, _DOCUMENT, "", problems)
    try:
        made = _Document(**cleaned)
    except ParametersError as error:
        # The models miss what the walk has missed before; tell it once.
        told = {problem.path for problem in problems}
        problems.extend(problem for problem in error.problems if problem.path not in told)
    refuse(problems)
    return made.kdamonds


def load_document_file(path: str | os.PathLike[str]) -> tuple[Kdamond, ...]:
    """
    Read a parameter document from a file.

    Args:
        path: YAML if the name ends in ``.yaml`` or ``.yml``, else JSON.

    Raises:
        InputFileError: If the file cannot be read, or anything in it is wrong;
            every mistake is listed, and a ``ParametersError`` is the cause.

        MissingExtraError: If it is YAML and PyYAML is not installed.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputFileError(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise InputFileError(path, "not a parameter document; expected UTF-8 text") from None
    # By name, because every JSON text is YAML as well, and only YAML needs the extra.
    is_yaml = Path(path).suffix.lower() in {".yaml", ".yml"}
    try:
        return load_document(_parse_yaml(text) if is_yaml else text)
    except InvalidError as error:
        # The cause keeps the single problems for programs that want them.
        raise InputFileError(path, str(error)) from error


def to_document(
    kdamonds: Iterable[Kdamond], *, raw: bool = False, omit_defaults: bool = False
) -> dict[str, Any]:
    """
    Build the tree of a parameter document, ready for ``json.dump``.

    Args:
        kdamonds: What to write. Spaces are left out, and an operations set of
            your own is written as the name of its class, which nobody can load.

        raw: Write plain numbers. Human forms (``5 ms``) lose precision.

        omit_defaults: Leave intervals and bounds out where they say what a
            document without them says.

    Returns:
        An object with the key ``kdamonds``.
    """
    return {
        "kdamonds": [
            {
                "refresh_ms": kdamond.refresh_ms,
                "contexts": [_context_tree(c, raw, omit_defaults) for c in kdamond.contexts],
            }
            for kdamond in kdamonds
        ]
    }


def _context_tree(context: Context, raw: bool, omit_defaults: bool) -> dict[str, Any]:
    # A recording of an own operations set still deserves its side file.
    ops = context.ops if isinstance(context.ops, str) else type(context.ops).__name__
    tree: dict[str, Any] = {
        "ops": str(ops),
        "addr_unit": units.format_size(context.addr_unit, raw=raw),
        "targets": [_target_tree(target, raw) for target in context.targets],
    }
    if not (omit_defaults and context.intervals == DEFAULT_INTERVALS):
        tree["intervals"] = _intervals_tree(context.intervals, raw)
    if not (omit_defaults and context.nr_regions == NrRegions()):
        tree["nr_regions"] = _nr_regions_tree(context.nr_regions, raw)
    # damo has no such key and skips it; without it the context would change
    # its meaning on the way through a file.
    if context.min_region_sz != Context().min_region_sz:
        tree["min_region_sz"] = units.format_size(context.min_region_sz, raw=raw)
    return tree | {"probes": [], "pause": context.pause, "schemes": []}


def _target_tree(target: Target, raw: bool) -> dict[str, Any]:
    # Counts and addresses have commas in human form; the pid is a JSON number.
    return {
        "pid": target.pid,
        "obsolete": target.obsolete,
        "regions": [
            {
                "start": units.format_number(each.start, raw=raw),
                "end": units.format_number(each.end, raw=raw),
            }
            for each in target.regions
        ],
    }


def _intervals_tree(intervals: Intervals, raw: bool) -> dict[str, Any]:
    goal = intervals.intervals_goal
    return {
        "sample_us": units.format_time_us(intervals.sample_us, raw=raw),
        "aggr_us": units.format_time_us(intervals.aggr_us, raw=raw),
        "ops_update_us": units.format_time_us(intervals.update_us, raw=raw),
        "intervals_goal": {
            "access_bp": units.format_bp(goal.access_bp, raw=raw),
            "aggrs": units.format_number(goal.aggrs, raw=raw),
            "min_sample_us": units.format_time_us(goal.min_sample_us, raw=raw),
            "max_sample_us": units.format_time_us(goal.max_sample_us, raw=raw),
        },
    }


def _nr_regions_tree(nr_regions: NrRegions, raw: bool) -> dict[str, Any]:
    return {
        "min": units.format_number(nr_regions.min, raw=raw),
        "max": units.format_number(nr_regions.max, raw=raw),
    }


def _parse_json(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidError(f"not a parameter document: {error.msg} at {where}") from None
    except UnicodeDecodeError:
        raise InvalidError("not a parameter document; expected UTF-8 text") from None
    except RecursionError:
        # A file of brackets must not look like a crash of ours.
        raise InvalidError("not a parameter document: nested too deeply") from None


def _parse_yaml(text: str) -> object:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("yaml", "reading YAML parameter documents") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        # Its sentence has many lines; ours has one.
        first = " ".join(str(error).split())
        raise InvalidError(f"not a parameter document: {first}") from None


def _clean(tree: object, shape: _Shape, path: str, problems: list[Problem]) -> object:
    """Return *tree* as our models know it; note in *problems* what they would let pass."""
    # What is no object or no list goes on as it is: the models say so.
    if not isinstance(tree, Mapping):
        return tree
    problems.extend(_shape_problems(tree, shape, path))
    # Unknown keys go on to the models, which refuse them: damo skips them, and a
    # misspelled option without effect is the worst kind of mistake to find.
    skipped = {*shape.ignored, *shape.idle}
    known = {str(key): value for key, value in tree.items() if key not in skipped}
    for key, value in list(known.items()):
        below = join_paths(path, key)
        if key in shape.one:
            known[key] = _clean(value, shape.one[key], below, problems)
        elif key in shape.many:
            known[key] = _clean_list(value, shape.many[key], below, problems)
    return {**shape.defaults, **known}


def _clean_list(value: object, shape: _Shape, path: str, problems: list[Problem]) -> object:
    if not isinstance(value, list):
        return value
    return [_clean(each, shape, f"{path}[{i}]", problems) for i, each in enumerate(value)]


def _shape_problems(tree: Mapping[Any, object], shape: _Shape, path: str) -> Iterator[Problem]:
    for key in shape.required:
        if key not in tree:
            yield Problem(join_paths(path, key), "missing, but required")
    for key, value in shape.idle.items():
        if key in tree and tree[key] != value:
            yield Problem(join_paths(path, key), "not supported yet; leave it out")
