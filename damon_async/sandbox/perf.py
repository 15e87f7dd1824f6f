"""
What stands in for perf in a sandbox: records our trace events, and prints records.

It understands what tools ask of perf for DAMON: ``record``, ``trace``, ``script``,
``report``, ``list`` and ``--version``. A record is the text that ``perf script`` prints.
Profiles of the processor are empty: synthetic memory runs no code.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, NoReturn, Protocol, Self

SOCKET: Final = Path("/sys/kernel/mm/damon_async/trace")
"""Where the events come from. Not imported: perf must begin at once."""

EVENTS: Final = Path("/sys/kernel/tracing/available_events")
SPARE_EVENTS: Final = SOCKET.parent / "tracing" / "available_events"
"""Where the names of the events are; the second one if there is no place for the first."""

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
    commands = {
        "record": _record,
        "trace": _show_trace,
        "script": _script,
        "report": _report,
        "list": _list,
    }
    command = commands.get(words[0] if words else "")
    return _real(words) if command is None else command(words[1:])


# -- Recording ---------------------------------------------------------------


def _record(words: Sequence[str]) -> int:
    """Record events until a signal comes, or until a command has ended."""
    parser = _parser("record")
    parser.add_argument("-g", action="store_true")
    parser.add_argument("-F", "--freq")
    parser.add_argument("-o", "--output", default=DEFAULT_FILE)
    options, names, command = _listening(parser, words)
    with _Ended() as ended, _open_output(options.output) as out:
        if _are_ours(names):
            out.write(HEADER)
            _trace(names, command, out, ended)
        else:
            out.write(NO_PROFILE)
            out.flush()
            ended.wait(command)
    return 0


def _show_trace(words: Sequence[str]) -> int:
    """Print events as they come, on stderr as perf does, until the time has come."""
    parser = _parser("trace")
    parser.add_argument("--libtraceevent_print", action="store_true")
    parser.add_argument("-o", "--output")
    options, names, command = _listening(parser, words)
    if not _are_ours(names):
        return _real(["trace", *words])
    with _Ended() as ended, ExitStack() as stack:
        out = sys.stderr.buffer
        if options.output is not None:
            out = stack.enter_context(_open_output(options.output))
        _trace(names, command, _Shown(out), ended)
    return 0


def _listening(
    parser: argparse.ArgumentParser, words: Sequence[str]
) -> tuple[argparse.Namespace, list[str], list[str]]:
    """Read arguments; return the options, the names of events, and a command."""
    parser.add_argument("-a", "--all-cpus", action="store_true")
    parser.add_argument("-p", "--pid")
    parser.add_argument("-e", "--event", action="append", default=[])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(words)
    names = _available([name for event in options.event for name in event.split(",")])
    command = options.command
    return options, names, command[1:] if command[:1] == ["--"] else command


def _available(asked: Sequence[str]) -> list[str]:
    """
    Return those events that this kernel has, with patterns replaced by what fits.

    Real perf refuses all if one is not there. Tools that ask for every event there ever
    was would then see none.
    """
    known = _known()
    if known is None:
        return list(asked)
    names = []
    for each in asked:
        fitting = [name for name in known if fnmatch.fnmatchcase(name, each)]
        names += fitting if each.startswith("damon:") else [each]
    if asked and not names:
        sys.exit(_failed(f"unknown tracepoint: {', '.join(asked)}", USAGE))
    return names


def _known() -> list[str] | None:
    """Return the names of our events; None if nobody says."""
    file = EVENTS if EVENTS.exists() else SPARE_EVENTS
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return None


def _are_ours(names: Sequence[str]) -> bool:
    return any(name.startswith("damon:") for name in names)


class _Sink(Protocol):
    """Where events go, as bytes that may end anywhere in a line."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class _Shown:
    """Writes lines of ``perf script`` as those of ``perf trace``: times from 0, in ms."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._rest = b""
        self._first_s: float | None = None

    def write(self, data: bytes, /) -> int:
        """Write all lines that are complete by now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._out.write(self._shown(line))
        return len(data)

    def flush(self) -> None:
        """Have them seen."""
        self._out.flush()

    def _shown(self, line: bytes) -> bytes:
        if line.startswith(b"#"):
            return line + b"\n"
        head, name, fields = line.split(b": ", 2)
        comm, pid, _, time_s = head.split()
        if self._first_s is None:
            self._first_s = float(time_s)
        passed_ms = (float(time_s) - self._first_s) * 1000
        return b"%10.3f %s/%s %s(%s)\n" % (passed_ms, comm, pid, name, fields)


class _Ended:
    """Whether the time to end has come, as a socket that can be waited for with others."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self._before = {
            number: signal.signal(number, lambda *_: self._tell())
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave signals to whoever had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.reader.close()
        self._writer.close()

    def _tell(self) -> None:
        self._writer.send(b"x")

    def wait(self, command: Sequence[str]) -> None:
        """Wait for a signal or for the end of *command*."""
        if command:
            subprocess.run(command, check=False)  # noqa: S603 -- the user's own
            self._tell()
        self.reader.recv(1)


def _trace(names: Sequence[str], command: Sequence[str], out: _Sink, ended: _Ended) -> None:
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


def _list(words: Sequence[str]) -> int:
    """List our events, or those with a name that fits."""
    patterns = [word for word in words if not word.startswith("-")]
    for name in _known() or ():
        # As perf: the name itself, with * in it, or any part of it.
        if not patterns or any(
            fnmatch.fnmatchcase(name, each) or each in {name, "tracepoint"} for each in patterns
        ):
            sys.stdout.write(f"  {name:<50} [Tracepoint event]\n")
    return 0


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
    return _failed(
        f"{own} of the sandbox knows record, trace, script, report, list and --version only", USAGE
    )


def _failed(message: str, code: int) -> int:
    """Say in one line what went wrong."""
    sys.stderr.write(f"perf: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
