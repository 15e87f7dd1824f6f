"""What a start and a stop are asked for: a group of contexts or kdamonds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..errors import InvalidError
from ..params.monitoring import Context, Ops

Member = TypeVar("Member")


def checked(group: Iterable[Member], *kinds: type[Member]) -> tuple[Member, ...]:
    """
    Return *group* as a tuple.

    Raises:
        InvalidError: If it is a single one of *kinds*, or holds anything else.
    """
    names = " or ".join(kind.__name__ for kind in kinds)
    # A context is iterable: without this, its fields would be taken for contexts.
    if isinstance(group, kinds):
        msg = f"a group is a list, also if it is a single {names}: [it]"
        raise InvalidError(msg)
    members = tuple(group)
    for index, each in enumerate(members):
        if not isinstance(each, kinds):
            msg = f"element {index} of the group is {each!r}, not a {names}"
            raise InvalidError(msg)
    return members


def ops_name(context: Context) -> str:
    """Return what the log calls a context: its operations set."""
    ops = context.ops
    return ops.value if isinstance(ops, Ops) else type(ops).__name__
