"""What a command line runs, interpreters and wrappers looked through."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh", "busybox"})

_INTERPRETERS: Final = re.compile(r"(python|pypy|perl|ruby|node|lua)[0-9.]*")

_WRAPPERS: Final = frozenset({"env", "exec", "nice", "nohup", "setsid", "stdbuf"})
"""Programs that run their arguments in their own process."""

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")

# How deep a shell in a shell in a wrapper is looked through.
_MAX_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments."""

    words: tuple[str, ...]
    """The first one is the program, as it was called."""

    folder: Path | None = None
    """The working directory, None if it is not known."""

    @property
    def name(self) -> str:
        """The program without its folder."""
        return PurePosixPath(self.words[0]).name


def commands_of(words: Sequence[str], folder: Path | None = None) -> Iterator[Command]:
    """
    Yield what a command line may be said to run, from the outside in.

    ``sh -c 'python3 ./masim.py a.cfg'`` is ``sh``, ``python3`` and ``./masim.py a.cfg``. Of a
    shell's list of commands it is the first one.

    Args:
        words: The command line; may be empty.

        folder: Where it was started.
    """
    left: Sequence[str] | None = words
    for _ in range(_MAX_DEPTH):
        if not left or not left[0]:
            return
        # A login shell has a dash in front of its name. A title that a program gave
        # itself is one word with blanks, of which the first is the program.
        head = left[0].removeprefix("-")
        if len(left) == 1:
            head = head.split(" ")[0].removesuffix(":")
        command = Command((head or left[0], *left[1:]), folder)
        yield command
        left = _inner(command)


def _inner(command: Command) -> Sequence[str] | None:
    """Return the command line that a command runs; None if it runs none."""
    arguments = command.words[1:]
    if command.name in _SHELLS:
        return _of_shell(arguments)
    if command.name in _WRAPPERS:
        return _behind_options(arguments)
    if _INTERPRETERS.fullmatch(command.name):
        return _of_interpreter(arguments)
    return None


def _of_shell(arguments: Sequence[str]) -> Sequence[str] | None:
    for index, word in enumerate(arguments):
        # Short options may be put together: -ec.
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            return _of_script(arguments[index + 1]) if index + 1 < len(arguments) else None
        if not word.startswith("-"):
            return arguments[index:]
    return None


def _of_script(text: str) -> Sequence[str] | None:
    """Return the first command in the text of a shell script."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= set("();<>|&"):
                break
            words.append(word)
    except ValueError:
        # Quotes that do not match: the shell will complain.
        return None
    return _behind_options(words)


def _of_interpreter(arguments: Sequence[str]) -> Sequence[str] | None:
    for index, word in enumerate(arguments):
        # A module goes by its name; a program in an argument has none.
        if word in {"-m", "-c", "-e"}:
            return arguments[index + 1 :] if word == "-m" else None
        if not word.startswith("-"):
            return arguments[index:]
    return None


def _behind_options(words: Sequence[str]) -> Sequence[str]:
    """Return what follows the options and variables of a wrapper."""
    for index, word in enumerate(words):
        if not word.startswith("-") and not _ASSIGNMENT.match(word):
            return words[index:]
    return ()
