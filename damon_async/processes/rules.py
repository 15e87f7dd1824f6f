"""Which memory a command line stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from ..errors import DamonError, InvalidError
from .access_memory import AccessMemory
from .command_line import Command
from .masim_args import parse_masim_args, twin_of_masim
from .twin import Twin

_MASIM_NAMES: Final = frozenset({"masim", "masim.py"})

_OWN_NAMES: Final = frozenset({"damon-async", "damon_async"})
"""Our own program, of which one command stands for a workload."""

_ACCESS_MEMORY: Final = "access_memory"
_ACCESS_MEMORY_EVEN: Final = "access_memory_even"

_NUMBERS: Final = ("nr_regions", "size", "length_ms")
"""What the arguments of those two are; every second region takes no time."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a user: processes of this name have that memory."""

    pattern: str
    """Name of the program, ``*`` and ``?`` for what may be there."""

    spec: str
    """The workload, as for ``open_workload``."""


def parse_rule(text: str) -> Rule:
    """
    Read a rule such as ``redis-server=zipf:size=1G,theta=0.99``.

    Raises:
        InvalidError: If it is not ``NAME=WORKLOAD``.
    """
    pattern, equals, spec = (part.strip() for part in text.partition("="))
    if not (pattern and equals and spec):
        raise InvalidError(
            f"{text!r} is not a rule; expected NAME=WORKLOAD, e.g. redis-*=zipf:size=1G"
        )
    return Rule(pattern, spec)


class Rules:
    """
    Tells from a command line which memory stands for a process.

    The user's rules come first, in their order. Then those that are built in: masim
    and its arguments, our own command that takes its place, and ``access_memory`` and
    ``access_memory_even`` of the kernel's selftests.

    Args:
        rules: The user's.
    """

    __slots__ = ("_rules",)

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = tuple(rules)

    def __repr__(self) -> str:
        return f"<Rules {[f'{rule.pattern}={rule.spec}' for rule in self._rules]}>"

    def twin(self, commands: Sequence[Command]) -> Twin | None:
        """
        Return the memory of a process, None if no rule is about it.

        Args:
            commands: What it may be said to run, from the outside in.

        Raises:
            InvalidError: If a rule is about it, but its arguments make no sense.
        """
        # Of a user's rules the order counts, and not which program is further out.
        for rule in self._rules:
            if any(fnmatchcase(command.name, rule.pattern) for command in commands):
                return Twin(rule.spec)
        twins = (_built_in(command) for command in commands)
        return next((twin for twin in twins if twin is not None), None)


def _built_in(command: Command) -> Twin | None:
    words = command.words[1:]
    if command.name in _MASIM_NAMES:
        return twin_of_masim(parse_masim_args(words), command.folder)
    if command.name in _OWN_NAMES and words[:1] == ("masim",):
        return twin_of_masim(parse_masim_args(words[1:]), command.folder)
    if command.name in {_ACCESS_MEMORY, _ACCESS_MEMORY_EVEN}:
        return _selftest(command.name, words)
    return None


def _selftest(name: str, words: Sequence[str]) -> Twin:
    # More numbers are no mistake: later releases of the selftests may take more.
    wanted = 2 if name == _ACCESS_MEMORY_EVEN else 3
    if len(words) < wanted:
        raise InvalidError(f"{name} takes {wanted} numbers, not {len(words)}")
    numbers: dict[str, Any] = dict(zip(_NUMBERS, words[:wanted], strict=False))
    try:
        memory = AccessMemory(**numbers)
    except DamonError as error:
        raise InvalidError(f"{name}: {error}") from None
    return Twin.made(" ".join((name, *words[:wanted])), memory.space)
