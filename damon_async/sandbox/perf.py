"""
What stands in for perf in a sandbox: records our trace events, and prints records.

It understands what tools ask of perf for DAMON: ``record``, ``script``, ``report``
and ``--version``. A record is the text that ``perf script`` prints. Profiles of the
processor are empty: synthetic memory runs no code.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

SOCKET: Final = Path("/sys/kernel/mm/damon_async/trace")
"""Where the events come from. Not imported: perf must begin at once."""

HEADER: Final = b"# recorded by the perf of damon-async sandbox\n"
"""First line of our records; perf script heads its output with comments, too."""

NO_PROFILE: Final = b"# no profile: synthetic memory is accessed by no code\n"

DEFAULT_FILE: Final = "perf.data"

USAGE: Final = 129
"""The exit code of perf where it does not understand its arguments."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what perf would; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] in (["--version"], ["-v"], ["version"]):
        sys.stdout.write("perf version 6.18 (damon-async sandbox)\n")
        return 0
    command = {"record": _record, "script": _script, "report": _report}.get(
        words[0] if words else ""
    )
    if command is None:
        return _real(words)
    return command(words[1:])


# -- Recording ---------------------------------------------------------------


def _record(words: Sequence[str]) -> int:
    """Record events until a signal comes, or until a command has ended."""
    parser = _parser("record")
    parser.add_argument("-a", "--all-cpus", action="store_true")
    parser.add_argument("-g", action="store_true")
    parser.add_argument("-F", "--freq")
    parser.add_argument("-p", "--pid")
    parser.add_argument("-e", "--event", action="append", default=[])
    parser.add_argument("-o", "--output", default=DEFAULT_FILE)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(words)
    names = [name for event in options.event for name in event.split(",")]
    command = [word for word in options.command if word != "--"]
    ended = _Ended()
    with _open_output(options.output) as out:
        if any(name.startswith("damon:") for name in names):
            out.write(HEADER)
            _trace(names, command, out, ended)
        else:
            out.write(NO_PROFILE)
            out.flush()
            ended.wait(command)
    return 0


class _Ended:
    """Whether the time to end has come, as a socket that can be waited for with others."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._tell())

    def _tell(self) -> None:
        self._writer.send(b"x")

    def wait(self, command: Sequence[str]) -> None:
        """Wait for a signal or for the end of *command*."""
        if command:
            subprocess.run(command, check=False)  # noqa: S603 -- the user's own
            self._tell()
        self.reader.recv(1)


def _trace(names: Sequence[str], command: Sequence[str], out: BinaryIO, ended: _Ended) -> None:
    """Write events to *out* until the time has come."""
    import select

    with socket.socket(socket.AF_UNIX) as events:
        events.connect(str(SOCKET))
        events.sendall(" ".join(names).encode() + b"\n")
        # The first byte says that from now on everything is heard.
        events.recv(1)
        process = subprocess.Popen(command) if command else None  # noqa: S603 -- the user's own
        is_over = False
        while True:
            ready, _, _ = select.select([events, ended.reader], [], [], 0.1 if process else None)
            if not is_over and (ended.reader in ready or (process and process.poll() is not None)):
                # What was heard up to now still comes, and then the end.
                events.shutdown(socket.SHUT_WR)
                ended.reader.recv(1) if ended.reader in ready else None
                is_over = True
            if events in ready:
                data = events.recv(1 << 16)
                if not data:
                    return
                out.write(data)
                out.flush()


def _open_output(name: str) -> BinaryIO:
    """Open the record; an older one of that name is kept as perf keeps it."""
    if name == "-":
        return sys.stdout.buffer
    path = Path(name)
    if path.exists():
        path.replace(path.with_name(path.name + ".old"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


# -- Printing ----------------------------------------------------------------


def _script(words: Sequence[str]) -> int:
    """Print a record."""
    parser = _parser("script")
    parser.add_argument("-i", "--input", default=DEFAULT_FILE)
    parser.add_argument("-f", "--force", action="store_true")
    parser.add_argument("-F", "--fields")
    options, _ = parser.parse_known_args(words)
    return _print(options.input, ["script", *words])


def _report(words: Sequence[str]) -> int:
    """Print a profile."""
    parser = _parser("report")
    parser.add_argument("-i", "--input", default=DEFAULT_FILE)
    options, _ = parser.parse_known_args(words)
    return _print(options.input, ["report", *words])


def _print(name: str, words: Sequence[str]) -> int:
    """Print a file of ours; others are for the real perf, if there is one."""
    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            head = file.readline()
            if head not in {HEADER, NO_PROFILE}:
                return _real(words)
            if head == NO_PROFILE:
                sys.stdout.buffer.write(head)
            shutil.copyfileobj(file, sys.stdout.buffer)
    except OSError as error:
        return _failed(f"failed to open {name}: {error.strerror}", 255)
    return 0


# -- The rest ----------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line."""
        sys.exit(_failed(message, USAGE))


def _parser(command: str) -> argparse.ArgumentParser:
    """Return a parser that takes options until the first word that is none."""
    return _Parser(prog=f"perf {command}", add_help=False, allow_abbrev=False)


def _real(words: Sequence[str]) -> int:
    """Become the perf of the machine, if there is one."""
    own = Path(sys.argv[0]).name
    for folder in os.get_exec_path():
        program = Path(folder) / "perf"
        is_ours = Path(folder).is_relative_to(SOCKET.parent)
        if not is_ours and program.is_file() and os.access(program, os.X_OK):
            os.execv(program, [str(program), *words])  # noqa: S606 -- asked for by that name
    return _failed(f"{own} of the sandbox knows record, script, report and --version only", USAGE)


def _failed(message: str, code: int) -> int:
    """Say in one line what went wrong."""
    sys.stderr.write(f"perf: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
