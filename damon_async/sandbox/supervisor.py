"""
The first process of a sandbox: starts the server, runs the command, collects the dead.

Plain blocking code: whatever else happens inside, this must end, and with the
command's own exit code.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final

from ..errors import SandboxError
from . import syscalls
from .namespaces import PASSED_ON, complain, exit_code

NOT_FOUND: Final = 127
"""What shells return for a command that is not there."""

NOT_EXECUTABLE: Final = 126
"""What shells return for a command that cannot be run."""

READY: Final = b"ready"


def supervise(
    serve: Callable[[Callable[[], None]], int],
    command: Sequence[str],
    environment: Mapping[str, str],
) -> int:
    """
    Run *command* while a server runs.

    Args:
        serve: The server; runs in a process of its own, and calls its argument once
            the command may begin.

        command: Program and arguments.

        environment: Its environment.

    Returns:
        The exit code of the command, as a shell would show it.

    Raises:
        SandboxError: If the server did not come up; it has said why.
    """
    server = _start_server(serve)
    try:
        pid = os.posix_spawnp(
            command[0],
            list(command),
            dict(environment),
            # What we ignore, and Python itself ignores, is the command's to decide.
            setsigdef=[signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, *PASSED_ON],
        )
    except FileNotFoundError:
        complain(f"{command[0]}: command not found")
        return NOT_FOUND
    except OSError as error:
        complain(f"{command[0]}: {error.strerror}")
        return NOT_EXECUTABLE
    _pass_signals_to(pid)
    return _collect_until(pid, server)


def _start_server(serve: Callable[[Callable[[], None]], int]) -> int:
    """
    Start the server, and wait until it is ready.

    Raises:
        SandboxError: If it ended instead.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _be_server(serve, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        if told.read(len(READY)) != READY:
            msg = "the control tree could not be served, so the command was not run"
            raise SandboxError(msg)
    return pid


def _be_server(serve: Callable[[Callable[[], None]], int], writer: int) -> None:
    """Serve until killed; never returns."""
    code = 1
    try:
        # In a session of its own: keys pressed at the terminal are not for it.
        os.setsid()
        syscalls.set_name("damon_async")
        # What it prints is nobody's data: stdout belongs to the command.
        os.dup2(2, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = serve(lambda: _tell(writer))
    except Exception as error:  # noqa: BLE001 -- the one outside can only be told in words
        complain(str(error))
    finally:
        sys.stderr.flush()
        os._exit(code)


def _tell(writer: int) -> None:
    """Tell that the server is ready."""
    os.write(writer, READY)
    os.close(writer)


def _pass_signals_to(pid: int) -> None:
    """Hand on the signals that the one outside hands on."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        # Who signals a whole group of processes reaches us and the command both.
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    for number in PASSED_ON:
        signal.signal(number, pass_on)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)


def _collect_until(pid: int, server: int) -> int:
    """Collect processes that have ended until the command is one of them."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return exit_code(status)
        if ended == server:
            complain("the control tree is gone; what uses it from now on fails")
