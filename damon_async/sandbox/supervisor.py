"""
The first process of a sandbox: starts the server, runs the command, collects the dead.

Plain blocking code: whatever else happens inside, this must end, and with the
command's own exit code.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..errors import SandboxError
from . import syscalls
from .namespaces import OF_KEYS, PASSED_ON, complain, exit_code, release_signals, wait_for

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
        pid = os.posix_spawn(
            _program(command[0], environment.get("PATH", os.defpath)),
            list(command),
            dict(environment),
            # What we ignore, and Python itself ignores, is the command's to decide.
            setsigdef=[signal.SIGPIPE, *OF_KEYS, *PASSED_ON],
            setsigmask=[],
        )
    except FileNotFoundError:
        complain(f"{command[0]}: command not found")
        return NOT_FOUND
    except OSError as error:
        complain(f"{command[0]}: {error.strerror}")
        return NOT_EXECUTABLE
    return wait_for(pid, lambda: _collect(pid, server))


def _program(name: str, path: str) -> str:
    """
    Return the file of a program, by the path inside: the one outside knows nothing of ours.

    Raises:
        FileNotFoundError: If it is in none of its directories.
    """
    if os.sep in name:
        return name
    found = shutil.which(name, path=path)
    if found is None:
        raise FileNotFoundError(name)
    return found


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
        release_signals()
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


def _collect(command: int, server: int) -> int | None:
    """Collect processes that have ended; return the exit code if one is the command."""
    code = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if not ended:
            return code
        if ended == command:
            code = exit_code(status)
        elif ended == server:
            complain("the control tree is gone; what uses it from now on fails")
