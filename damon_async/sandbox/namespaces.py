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
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from ..errors import DamonError, SandboxError
from . import syscalls

PASSED_ON: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that are meant for the command; a terminal sends the others to all by itself."""


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
    _leave()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_first(inside)
    with _passing_on(child):
        _, status = os.waitpid(child, 0)
    return exit_code(status)


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


def _be_first(inside: Callable[[], int]) -> NoReturn:
    """Be the first process: run *inside* and end, with no way back into the caller."""
    code = 1
    try:
        # Before anything else: if the one outside is killed, nobody waits for us.
        syscalls.die_with_parent(signal.SIGKILL)
        # Nothing of what is mounted from here on shows outside.
        syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
        syscalls.mount("proc", "/proc", "proc", flags)
        code = inside()
    except SystemExit as error:
        # A signal that came before there was a command to hand it to.
        code = error.code if isinstance(error.code, int) else 1
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
def _passing_on(child: int) -> Iterator[None]:
    """Hand signals to the first process inside for as long as the block runs."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        # It may have ended by now, and we are about to hear of that.
        with suppress(ProcessLookupError):
            os.kill(child, number)

    kept = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    # A terminal has sent it to the command as well, which decides what it means.
    kept[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    kept[signal.SIGQUIT] = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
