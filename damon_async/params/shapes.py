"""
Reading documents: from a text or file to a tree, and from a tree to our fields.

What one kind of object looks like is a ``Shape``; one walk holds a tree against
it. The walk sees what ``damo`` requires, the models see the values, and neither
stops at its first mistake.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..errors import InputFileError, InvalidError, MissingExtraError, ParametersError, Problem
from .base import Parameters, join_paths, refuse

Model = TypeVar("Model", bound=Parameters)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Shape:
    """What one kind of object in a document looks like."""

    required: tuple[str, ...] = ()
    """Keys that must be there, though our own models have defaults for them."""

    ignored: tuple[str, ...] = ()
    """Keys of a running DAMON's state, which say nothing about parameters."""

    one: Mapping[str, Shape] = field(default_factory=dict)
    """Keys that hold an object."""

    many: Mapping[str, Shape] = field(default_factory=dict)
    """Keys that hold a list of objects."""

    defaults: Mapping[str, object] = field(default_factory=dict)
    """What a missing key means, where that is not the default of our models."""

    idle: Mapping[str, object] = field(default_factory=dict)
    """Keys that we know only with this value; any other asks for the impossible."""

    modern: Callable[[Mapping[Any, Any]], Mapping[Any, Any]] | None = None
    """Puts the keys of older releases into today's words; None if none changed."""


def load_tree(tree: Mapping[Any, object], shape: Shape, model: type[Model]) -> Model:
    """
    Make a model of a document.

    Args:
        tree: The whole document.

        shape: What it must look like.

        model: What to make of it.

    Raises:
        ParametersError: If anything is wrong; every mistake is listed.
    """
    problems: list[Problem] = []
    cleaned: Any = _clean(tree, shape, "", problems)
    try:
        made = model(**cleaned)
    except ParametersError as error:
        # The models miss what the walk has missed before; tell it once.
        told = {problem.path for problem in problems}
        problems.extend(problem for problem in error.problems if problem.path not in told)
    refuse(problems)
    return made


def parse_json(text: str | bytes, called: str) -> object:
    """
    Read a JSON text.

    Args:
        text: The text; bytes are UTF-8.

        called: What it should be, e.g. "parameter document".

    Raises:
        InvalidError: If it is not JSON.
    """
    try:
        # The standard reader: documents are small, other than records.
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidError(f"not a {called}: {error.msg} at {where}") from None
    except UnicodeDecodeError:
        raise InvalidError(f"not a {called}; expected UTF-8 text") from None
    except RecursionError:
        # A file of brackets must not look like a crash of ours.
        raise InvalidError(f"not a {called}: nested too deeply") from None


def load_file(
    path: str | os.PathLike[str], called: str, load: Callable[[object], Result]
) -> Result:
    """
    Read a document from a file.

    Args:
        path: YAML if the name ends in ``.yaml`` or ``.yml``, else a text that
            *load* knows how to read.

        called: What it should hold, e.g. "parameter document".

        load: Makes something of the text, or of the tree of a YAML file.

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
        raise InputFileError(path, f"not a {called}; expected UTF-8 text") from None
    # By name, because every JSON text is YAML as well, and only YAML needs the extra.
    is_yaml = Path(path).suffix.lower() in {".yaml", ".yml"}
    try:
        return load(_parse_yaml(text, called) if is_yaml else text)
    except InvalidError as error:
        # The cause keeps the single problems for programs that want them.
        raise InputFileError(path, str(error)) from error


def _parse_yaml(text: str, called: str) -> object:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("yaml", f"reading YAML {called}s") from None
    try:
        # Documents come from anywhere, and the full loader builds any object
        # that a file asks for.
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        # Its sentence has many lines; ours has one.
        first = " ".join(str(error).split())
        raise InvalidError(f"not a {called}: {first}") from None


def _clean(tree: object, shape: Shape, path: str, problems: list[Problem]) -> object:
    """Return *tree* as our models know it; note in *problems* what they would let pass."""
    # What is no object or no list goes on as it is: the models say so.
    if not isinstance(tree, Mapping):
        return tree
    if shape.modern is not None:
        tree = shape.modern(tree)
    problems.extend(_shape_problems(tree, shape, path))
    # Unknown keys go on to the models, which refuse them: damo skips them, and a
    # misspelled option without effect is the worst kind of mistake to find.
    skipped = {*shape.ignored, *shape.idle}
    # As text, because YAML has keys that are none; the models shall refuse them
    # by name instead of tripping over them.
    known = {str(key): value for key, value in tree.items() if key not in skipped}
    for key, value in list(known.items()):
        below = join_paths(path, key)
        if key in shape.one:
            known[key] = _clean(value, shape.one[key], below, problems)
        elif key in shape.many:
            known[key] = _clean_list(value, shape.many[key], below, problems)
    return {**shape.defaults, **known}


def _clean_list(value: object, shape: Shape, path: str, problems: list[Problem]) -> object:
    if not isinstance(value, list):
        return value
    return [_clean(each, shape, f"{path}[{i}]", problems) for i, each in enumerate(value)]


def _shape_problems(tree: Mapping[Any, object], shape: Shape, path: str) -> Iterator[Problem]:
    for key in shape.required:
        if key not in tree:
            yield Problem(join_paths(path, key), "missing, but required")
    for key, value in shape.idle.items():
        if key in tree and tree[key] != value:
            yield Problem(join_paths(path, key), "not supported yet; leave it out")
