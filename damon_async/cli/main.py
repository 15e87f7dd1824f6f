"""
The entry: run one command line, and turn every failure into one line and a code.

Nothing optional is imported before it is needed, so that a missing extra can
still be named.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from ..errors import DamonError, MissingExtraError

EXIT_FAILURE: Final = 1
"""A bug of ours."""

EXIT_INVALID: Final = 2
"""The user asked for something that cannot be: options, files, numbers."""

EXIT_INTERRUPTED: Final = 128 + signal.SIGINT
"""Ctrl-C, with nothing to keep."""

# 128 + SIGPIPE, which Python ignores and some systems do not have.
EXIT_BROKEN_PIPE: Final = 141
"""Whoever read our output stopped reading; what shells show for SIGPIPE."""

QUICK_COMMAND: Final = "masim"
"""The command that reads its command line itself, because its options are masim's."""

EXTRA_MODULES: Final = frozenset({"cyclopts", "rich"})
"""What the extra ``cli`` brings."""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command line.

    Args:
        argv: The words after the program's name; None takes the process's own.

    Returns:
        The exit code: 0 done, 1 a bug, 2 something impossible was asked for,
        130 or 143 interrupted before there was anything to keep, 141 nobody
        reads the output any more.
    """
    tokens = list(sys.argv[1:] if argv is None else argv)
    try:
        with _terminable():
            code = _run(tokens)
            # A closed pipe shows at the latest here, not in the interpreter's own
            # last flush, where it could not be caught.
            sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except KeyboardInterrupt:
        return _failed("interrupted", EXIT_INTERRUPTED)
    except SystemExit as error:
        # A code is what callers in the same process expect, not an exception.
        return error.code if isinstance(error.code, int) else EXIT_FAILURE
    except (DamonError, OSError) as error:
        # Files that cannot be read or written are the user's to mend, too.
        _trace(tokens)
        return _failed(sentence(error), EXIT_INVALID)
    except MemoryError as error:
        # A heatmap of a million rows is no bug of ours.
        _trace(tokens)
        return _failed(f"not enough memory: {sentence(error)}", EXIT_INVALID)
    except Exception as error:  # noqa: BLE001 # whatever it is, users get one line
        return _bug(error, tokens)
    return code


def sentence(error: Exception) -> str:
    """Say in one line what went wrong."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{os.fspath(error.filename)!s}: " if error.filename is not None else ""
        return f"{place}{error.strerror}"
    # Sentences of libraries may have several lines, and some errors have none.
    return " ".join(str(error).split()) or type(error).__name__


def _run(tokens: Sequence[str]) -> int:
    if tokens[:1] == [QUICK_COMMAND]:
        # Of what the other commands need it needs next to nothing.
        from .masim import run_masim

        return run_masim(tokens[1:])
    try:
        # Here, because these need the extra.
        from .app import run
    except ModuleNotFoundError as error:
        # Any other module that is missing is a bug, and must not hide behind this.
        if (error.name or "").partition(".")[0] in EXTRA_MODULES:
            raise MissingExtraError("cli", "the command line") from None
        raise
    return run(tokens)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C does, so that no temporary file stays behind."""

    def terminate(signum: int, frame: FrameType | None) -> NoReturn:
        del frame
        raise SystemExit(128 + signum)

    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:
        # Not the main thread: whoever runs us there deals with signals.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(line: str, code: int) -> int:
    print(f"damon-async: {line}", file=sys.stderr)  # noqa: T201 # the one line
    return code


def _wants_trace(tokens: Sequence[str]) -> bool:
    # Looked up by hand: the command line may be what could not be read.
    return "--debug" in tokens


def _trace(tokens: Sequence[str]) -> None:
    if _wants_trace(tokens):
        traceback.print_exc()


def _bug(error: Exception, tokens: Sequence[str]) -> int:
    _trace(tokens)
    hint = "" if _wants_trace(tokens) else "; --debug shows where"
    return _failed(f"internal error: {type(error).__name__}: {sentence(error)}{hint}", EXIT_FAILURE)


def _closed_pipe() -> int:
    # The interpreter flushes stdout once more at exit, and would complain.
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return EXIT_BROKEN_PIPE
