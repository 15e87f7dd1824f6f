"""Read single values of a JSON record, telling where a wrong one stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..errors import InvalidError
from ..units import Quantity

Read = TypeVar("Read")


def wrong(path: str, message: str) -> InvalidError:
    """Build the error for what stands at *path*."""
    return InvalidError(f"{path}: {message}")


def read_value(parse: Callable[[Quantity], Read], value: Any, path: str) -> Read:
    """
    Read one value.

    Raises:
        InvalidError: If *parse* cannot read it; the sentence begins with *path*.
    """
    try:
        return parse(value)
    except InvalidError as error:
        # The parsers say what is wrong and what would be right, but not where.
        raise wrong(path, str(error)) from None


def read_required(
    parse: Callable[[Quantity], Read], tree: Mapping[str, Any], key: str, path: str
) -> Read:
    """
    Read what *key* of the object at *path* holds.

    Raises:
        InvalidError: If it is missing or cannot be read.
    """
    if key not in tree:
        raise wrong(f"{path}.{key}", "missing, but required")
    return read_value(parse, tree[key], f"{path}.{key}")


def read_optional(
    parse: Callable[[Quantity], Read], tree: Mapping[str, Any], key: str, path: str
) -> Read | None:
    """
    Read what *key* of the object at *path* holds, None if that is null or absent.

    Raises:
        InvalidError: If it cannot be read.
    """
    # damo writes null where it knows nothing, which is the same as no key (spec
    # damo 4.1).
    value = tree.get(key)
    return None if value is None else read_value(parse, value, f"{path}.{key}")
