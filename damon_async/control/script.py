"""A shell script that stages values in a tree, on a machine with nothing but a shell."""

from __future__ import annotations

import shlex
from typing import Final

from .declared import Directory
from .load import writes_of
from .stored_tree import Values

SYSFS: Final = "/sys/kernel/mm/damon/admin"
"""Where a kernel has its tree."""

_HEAD: Final = """\
#!/bin/sh
# Stages DAMON parameters; to be run as root.
set -eu
root=${{1:-{root}}}

"""

_ON: Final = """
for state in "$root"/kdamonds/*/state; do
    echo on > "$state"
done
"""


def to_script(
    values: Values, declared: Directory, *, root: str = SYSFS, turns_on: bool = False
) -> str:
    """
    Return a script of the writes that make a fresh tree hold *values*.

    Args:
        values: By path from the root.

        declared: The root.

        root: Where the tree is, unless the script is told another place.

        turns_on: Whether it ends by starting all kdamonds.

    Raises:
        InvalidError: If there is no such file in any release.
    """
    lines = [_line(path, value) for path, value in writes_of(values, declared)]
    head = _HEAD.format(root=shlex.quote(root))
    return head + "".join(lines) + _ON * turns_on


def _line(path: str, value: str) -> str:
    # It ends the text of a path like any other; two would be part of it.
    value = value.removesuffix("\n")
    # Not echo: some shells read backslashes in what it prints.
    text = shlex.quote(value)
    if value.startswith("-") or "\\" in value or "\n" in value:
        return f"printf '%s\\n' {text} > \"$root\"/{shlex.quote(path)}\n"
    return f'echo {text} > "$root"/{shlex.quote(path)}\n'
