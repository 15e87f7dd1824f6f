"""
Mount and process namespaces that end with whoever made them.

The process that asks stays outside and waits. Its child is the first process inside:
when that ends, the kernel ends all others and lets go of every mount, so nothing is
left behind, whatever happens.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

from ..errors import DamonError, SandboxError
from . import syscalls

PASSED_ON: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that are meant for the command."""

OF_KEYS: Final = (signal.SIGINT, signal.SIGQUIT)
"""Signals that a terminal sends to all its processes, the command included."""

_WAITED_FOR: Final = (*PASSED_ON, *OF_KEYS, signal.SIGCHLD)


def run_inside(inside: Callable[[], int]) -> int:
    """
    Run a function as the first process of namespaces of its own.

    Args:
        inside: What it does; what it returns is the exit code. It runs as root: the
            real one if the caller is, else one that only it itself takes for root.

    Returns:
        That code, or 128 and the number of the signal that ended it.

    Raises:
        SandboxError: If the kernel allows no such namespaces.
    """
    with _held_signals():
        if os.geteuid() == 0:
            return _leave_and_run(inside)
        # A user namespace is refused to processes with threads, as numpy makes them.
        return _run_child(partial(_leave_and_run, inside))


def wait_for(pid: int, collect: Callable[[], int | None]) -> int:
    """
    Hand signals to a process until it has ended.

    Signals must be held back; see ``release_signals``.

    Args:
        pid: Of the process.

        collect: Called when a child has ended; returns the exit code if it was the
            one.
    """
    while True:
        came = signal.sigwaitinfo(_WAITED_FOR)
        if came.si_signo == signal.SIGCHLD:
            code = collect()
            if code is not None:
                return code
        elif came.si_signo not in OF_KEYS or came.si_code <= 0:
            # Not from the kernel, so only we have it. The process may have ended by now.
            with suppress(ProcessLookupError):
                os.kill(pid, came.si_signo)


def release_signals() -> None:
    """Have signals do again what they do; for children that ``wait_for`` nobody."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)


def complain(sentence: str) -> None:
    """Say on stderr what went wrong: these processes have nobody above them to say it."""
    sys.stderr.write(f"damon-async: {sentence}\n")
    sys.stderr.flush()


def exit_code(status: int) -> int:
    """Return what a shell would show for a wait *status*."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _leave() -> None:
    """
    Leave the namespaces of the machine.

    Raises:
        SandboxError: If that is not allowed.
    """
    uid, gid = os.geteuid(), os.getegid()
    spaces = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID
    try:
        syscalls.unshare(spaces if uid == 0 else spaces | syscalls.CLONE_NEWUSER)
    except OSError as error:
        who = "root" if uid == 0 else "an ordinary user"
        msg = (
            f"{who} may have no namespaces here ({error.strerror}); a container needs"
            " CAP_SYS_ADMIN, an ordinary user a kernel that allows user namespaces"
        )
        raise SandboxError(msg) from error
    if uid != 0:
        # Root inside is the caller outside: nothing can be done that they may not do.
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")


def _leave_and_run(inside: Callable[[], int]) -> int:
    """Leave the namespaces of the machine, and run *inside* as the first process of others."""
    _leave()
    return _run_child(partial(_be_first, inside))


def _be_first(inside: Callable[[], int]) -> int:
    """Make the namespaces one's own, and run *inside*."""
    # Nothing of what is mounted from here on shows outside.
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    syscalls.mount("proc", "/proc", "proc", flags)
    return inside()


def _run_child(work: Callable[[], int]) -> int:
    """Run a function in a child, and return its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_child(work)
    return wait_for(child, lambda: _ended(child))


def _be_child(work: Callable[[], int]) -> NoReturn:
    """Do *work* and end, with no way back into the caller."""
    code = 1
    try:
        # Before anything else: if the one above is killed, nobody waits for us.
        syscalls.die_with_parent(signal.SIGKILL)
        code = work()
    except (DamonError, OSError) as error:
        complain(str(error))
        code = 2
    except BaseException:  # noqa: BLE001 -- whatever it is, it must not run on in a second caller
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@contextmanager
def _held_signals() -> Iterator[None]:
    """Hold signals back until somebody waits for them, for the length of a block."""
    # Whoever started us may not have wanted to hear of children; we must.
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGCHLD, handler)


def _ended(child: int) -> int | None:
    """Return the exit code of a child, None while it runs."""
    pid, status = os.waitpid(child, os.WNOHANG)
    return exit_code(status) if pid else None
