"""The common ground of all parameter models: text forms, and errors as a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from .. import units
from ..errors import ParametersError, Problem, UnitError

Location: TypeAlias = tuple[int | str, ...]
"""Keys and indices that lead to a value inside a document."""


def parse_count(value: units.Quantity) -> int:
    """
    Read a whole number, in damo's text forms.

    Raises:
        UnitError: If *value* is not a number, or not a whole one.
    """
    number = units.parse_number(value)
    # damo cuts 1.5 regions off to 1; we think that nobody meant either.
    if isinstance(number, float):
        raise UnitError(value, "count", "a whole number such as 10, '1,000' or 'max'")
    return number


# All of them read before pydantic validates: after that, "4K" would already
# have been refused for being no int.
Bytes = Annotated[int, BeforeValidator(units.parse_size)]
"""A size or an address, in bytes; texts like ``4K`` and ``max`` are read."""

TimeUs = Annotated[int, BeforeValidator(units.parse_time_us)]
"""A time, in microseconds; texts like ``5ms`` are read."""

TimeMs = Annotated[int, BeforeValidator(units.parse_time_ms)]
"""A time, in milliseconds; texts like ``1 s`` are read."""

Bp = Annotated[int, BeforeValidator(units.parse_bp)]
"""A share, in basis points; texts like ``4 %`` are read."""

Permil = Annotated[int, BeforeValidator(units.parse_permil)]
"""A share, in permil; texts like ``50 %`` are read."""

Count = Annotated[int, BeforeValidator(parse_count)]
"""How many; texts like ``1,000`` are read."""

Flag = Annotated[bool, BeforeValidator(units.parse_bool)]
"""Yes or no; texts like ``Y`` are read."""


class Parameters(BaseModel, frozen=True):
    """
    A frozen set of parameters that checks itself when it is made.

    Fields may be given by position, in the order in which they are documented,
    or by name.

    Raises:
        ParametersError: If anything is wrong; every mistake is listed.
    """

    # Subclasses say frozen again, because type checkers do not inherit it.
    model_config = ConfigDict(
        extra="forbid",
        # Spaces and operations sets are the user's own objects.
        arbitrary_types_allowed=True,
    )

    def __init__(self, /, *args: object, **fields: object) -> None:
        fields.update(_named(type(self), args, fields))
        # pydantic also comes through here for models inside models, so every
        # level speaks of its mistakes in the same class.
        try:
            super().__init__(**fields)
        except ValidationError as error:
            # Its many lines and links would bury the one sentence that counts.
            raise ParametersError(problems_of(error)) from None

    # One validator for all models, instead of one in each: a subclass only
    # lists what is wrong, and so cannot stop at the first mistake.
    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        """Say what is wrong with the fields together; each is fine by itself."""
        return iter(())


def refuse(problems: Iterable[Problem]) -> None:
    """
    Refuse a model if its fields do not go together.

    Raises:
        ParametersError: If there are any *problems*.
    """
    listed = tuple(problems)
    if listed:
        raise ParametersError(listed)


def problems_of(error: ValidationError) -> Iterator[Problem]:
    """List the mistakes that pydantic found, inner models' own ones included."""
    for detail in error.errors(include_url=False):
        cause = detail.get("ctx", {}).get("error")
        # A model inside a model has already put its mistakes into a list; only
        # the way that leads to it is missing.
        if isinstance(cause, ParametersError):
            yield from (_below(detail["loc"], problem) for problem in cause.problems)
        else:
            yield Problem(path_text(detail["loc"]), _message(detail["type"], detail["msg"], cause))


def path_text(location: Location) -> str:
    """Print the way to a value: ``("targets", 0, "pid")`` is ``targets[0].pid``."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def join_paths(outer: str, inner: str) -> str:
    """Put the path *inner* below the path *outer*; either may be empty."""
    dot = "." if outer and inner and not inner.startswith("[") else ""
    return f"{outer}{dot}{inner}"


def _below(location: Location, problem: Problem) -> Problem:
    return Problem(join_paths(path_text(location), problem.path), problem.message)


# What pydantic calls the commonest mistakes, in words for people who have never
# heard of models. Everything else it says well enough.
_PLAIN_MESSAGES: Final = {
    "extra_forbidden": "no such parameter",
    "missing": "missing, but required",
    "model_type": "must be an object with named values",
    "tuple_type": "must be a list",
}


def _message(kind: str, text: str, cause: object) -> str:
    return str(cause) if cause is not None else _PLAIN_MESSAGES.get(kind, text)


def _named(
    model: type[BaseModel], args: tuple[object, ...], fields: Mapping[str, Any]
) -> dict[str, object]:
    # pydantic itself knows keywords only, but AddressRange(0, 4096) reads better.
    names = list(model.model_fields)[: len(args)]
    twice = sorted(set(names) & set(fields))
    if len(args) > len(names) or twice:
        # Not a ParametersError: this is a slip in a program, not in a document.
        surplus = f"{', '.join(twice)} given twice" if twice else f"{len(args)} values given"
        raise TypeError(f"{model.__name__} takes {', '.join(model.model_fields)}; {surplus}")
    return dict(zip(names, args, strict=True))
