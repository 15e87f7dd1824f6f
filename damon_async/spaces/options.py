"""Options of a workload in text form: ``key=value,key=value``."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeVar

from ..errors import ParametersError, Problem
from ..params.base import Parameters

_Model = TypeVar("_Model", bound=Parameters)

_UNITS: Final = ("", "_us", "_hz", "_bp")
"""What may be left out at the end of an option's name: the value says its unit."""

# A comma ends an option only if another one follows, for "1,024" is a number.
_OPTION: Final = re.compile(r",(?=\s*[A-Za-z_][\w-]*\s*=)")


class Option(NamedTuple):
    """What can be said about an option, for help texts."""

    name: str
    default: object
    text: str


def split_path(text: str) -> tuple[str, str]:
    """
    Part a path from the options behind it.

    Commas inside the path are part of it, unless what follows looks like an
    option: ``a,b.cfg,repeat=2`` is ``a,b.cfg`` and ``repeat=2``.
    """
    path, *options = _OPTION.split(text, maxsplit=1)
    return path, "".join(options)


def build(model: type[_Model], text: str, given: Mapping[str, object]) -> _Model:
    """
    Make a model from options in text form.

    Args:
        model: What to make. The unit at the end of a field's name may be left
            out: ``step=5s`` is ``step_us``.

        text: ``key=value,key=value``; may be empty.

        given: Values of fields that the text does not mention.

    Raises:
        ParametersError: If anything is wrong; every mistake is listed.
    """
    problems: list[Problem] = []
    fields: dict[str, Any] = {}
    for key, value in _pairs(text, problems):
        name = _field_name(model, key)
        if name is None:
            known = ", ".join(model.model_fields)
            problems.append(Problem(key, f"no such option; the options are {known}"))
        elif name in fields:
            problems.append(Problem(key, "given twice"))
        else:
            fields[name] = value
    # Made in any case, so that wrong names and wrong values are told together.
    try:
        made = model(**{**given, **fields})
    except ParametersError as error:
        raise ParametersError([*problems, *error.problems]) from None
    if problems:
        raise ParametersError(problems)
    return made


def options_of(model: type[Parameters]) -> Iterator[Option]:
    """
    List the options of a model, in the order in which they are documented.

    The texts are the docstrings below the fields. They are read from the source
    when somebody wants to see them, and are empty where there is no source.
    """
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, Parameters):
            texts.update(_field_texts(kind))
    for name, field in model.model_fields.items():
        yield Option(name, field.default, texts.get(name, ""))


def _field_texts(kind: type) -> Iterator[tuple[str, str]]:
    # pydantic can do this when it makes the class, but that costs every command
    # as much time as making all the classes.
    try:
        source = inspect.getsource(kind)
    except OSError:
        return
    for node, below in pairwise(ast.walk(ast.parse(textwrap.dedent(source)))):
        match node, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)


def _pairs(text: str, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    for part in _OPTION.split(text) if text.strip() else ():
        key, equals, value = part.partition("=")
        if equals:
            yield key.strip().replace("-", "_"), value.strip()
        else:
            problems.append(Problem(part.strip(), "expected key=value"))


def _field_name(model: type[Parameters], key: str) -> str | None:
    # The name as it is comes first: a field may be called like another one's stem.
    names = (key + unit for unit in _UNITS)
    return next((name for name in names if name in model.model_fields), None)
