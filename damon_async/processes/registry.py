"""
Processes that say themselves which memory they stand for.

One small file per process in a directory that only its user may write to. Files of
processes that were killed stay behind until somebody registers after them, and are
ignored until then.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from ..errors import InputFileError, InvalidError
from ..spaces.layout import SMALL_PAGE
from .proc import Proc, ProcessId
from .twin import Twin

RUNTIME_DIR: Final = "DAMON_ASYNC_RUNTIME_DIR"
"""Environment variable that names the directory."""

_NAME: Final = "damon_async"
_RUN: Final = Path("/run")
_SUFFIX: Final = ".json"
_PRIVATE: Final = 0o700


@dataclass(frozen=True, slots=True)
class Entry:
    """What a process says of itself."""

    workload: str
    """The workload, as for ``open_workload``; paths are absolute."""

    seed: int | None = None
    """For what is random; None: as whoever monitors says."""

    page_size: int = SMALL_PAGE
    """Bytes that share one accessed mark."""

    started_us: int | None = None
    """When the workload began, in microseconds since the machine did; None: when the
    process did."""

    is_repeated: bool = False
    """Whether a workload that ends begins anew; if not, nothing is touched after it."""

    namespace: str = ""
    """Pid namespace of the process: elsewhere its pid means nothing."""

    @property
    def twin(self) -> Twin:
        """The memory."""
        return Twin(self.workload, self.is_repeated, self.seed, self.page_size)


def runtime_dir(environment: Mapping[str, str] | None = None) -> Path:
    """
    Return where processes register; it may not exist yet.

    That is ``$DAMON_ASYNC_RUNTIME_DIR`` if set, else ``$XDG_RUNTIME_DIR/damon_async``, else
    ``/run/damon_async`` for root, else a directory of the user's own among temporary files.

    Args:
        environment: Variables; None for those of this process.
    """
    known = os.environ if environment is None else environment
    # An empty variable counts as none, as the XDG specification has it.
    if known.get(RUNTIME_DIR):
        return Path(known[RUNTIME_DIR])
    if known.get("XDG_RUNTIME_DIR"):
        return Path(known["XDG_RUNTIME_DIR"]) / _NAME
    if not hasattr(os, "geteuid") or os.geteuid():
        owner = os.geteuid() if hasattr(os, "geteuid") else "user"
        return Path(tempfile.gettempdir()) / f"{_NAME}-{owner}"
    return _RUN / _NAME


class Registry:
    """
    The directory in which processes register.

    Args:
        folder: The directory; made when the first process registers.

        proc: Where to see which processes there are.
    """

    __slots__ = ("_folder", "_proc")

    def __init__(self, folder: Path, proc: Proc | None = None) -> None:
        self._folder = folder
        self._proc = proc or Proc()

    def __repr__(self) -> str:
        return f"<Registry {self._folder}>"

    def find(self, id_: ProcessId) -> Entry | None:
        """
        Return what a process says of itself, None if it says nothing.

        Raises:
            InputFileError: If its file cannot be understood.

            InvalidError: If others than this user, or root, could have written it.
        """
        path = self._path(id_)
        try:
            # A process of ours must not have its memory chosen by a stranger.
            self._check_owner()
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputFileError(path, f"cannot be read: {error.strerror}") from None
        entry = _entry(path, content)
        return entry if entry.namespace in {"", self._proc.namespace()} else None

    @contextmanager
    def registered(self, entry: Entry) -> Iterator[bool]:
        """
        Register this process for the length of a ``with`` block.

        Returns:
            Whether it could be registered: not where there is no ``/proc``.

        Raises:
            InvalidError: If the directory cannot be written to, or is not safe.
        """
        status = self._proc.status()
        # On other systems nobody would find it by its pid either.
        if status is None:
            yield False
            return
        path = self._path(status.id)
        values = asdict(entry) | {"namespace": self._proc.namespace()}
        try:
            self._announce(path, json.dumps(values).encode())
            yield True
        finally:
            # Also if a signal came right after the file was there.
            with suppress(OSError):
                path.unlink()

    def clean(self) -> int:
        """Remove what processes left behind that have ended; returns how many files."""
        own = self._proc.namespace()
        nr_removed = 0
        for path in self._folder.glob(f"*{_SUFFIX}"):
            id_ = _id_of(path)
            if id_ is None or self._proc.is_alive(id_):
                continue
            # In another container the process may well be alive.
            with suppress(OSError, InputFileError):
                if _entry(path, path.read_bytes()).namespace == own:
                    path.unlink()
                    nr_removed += 1
        return nr_removed

    def _path(self, id_: ProcessId) -> Path:
        return self._folder / f"{id_.pid}-{id_.start_ticks}{_SUFFIX}"

    def _announce(self, path: Path, content: bytes) -> None:
        """Write the file of this process, and remove those of others that have ended."""
        try:
            self._folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            self._check_owner()
            self.clean()
            _write(path, content)
        except OSError as error:
            raise InvalidError(f"cannot register in {self._folder}: {error.strerror}") from None

    def _check_owner(self) -> None:
        """
        Refuse a directory that others can write to.

        Raises:
            FileNotFoundError: If there is none.

            InvalidError: If it is not safe.
        """
        # Among temporary files anybody may have made it first, or put a link there.
        found = self._folder.lstat()
        owners = {0, os.geteuid()} if hasattr(os, "geteuid") else {found.st_uid}
        others = stat.S_IWGRP | stat.S_IWOTH
        if not stat.S_ISDIR(found.st_mode):
            raise InvalidError(f"{self._folder} is no directory")
        if found.st_uid not in owners or found.st_mode & others:
            raise InvalidError(
                f"others than its user may write to {self._folder}; make it private, or name "
                f"another with ${RUNTIME_DIR}"
            )


def _id_of(path: Path) -> ProcessId | None:
    pid, _, start = path.stem.partition("-")
    return ProcessId(int(pid), int(start)) if pid.isdecimal() and start.isdecimal() else None


def _entry(path: Path, content: bytes) -> Entry:
    """Read a file of the directory."""
    try:
        values: Any = json.loads(content)
    except ValueError:
        raise InputFileError(path, "is not JSON") from None
    if not isinstance(values, dict) or not isinstance(values.get("workload"), str):
        raise InputFileError(path, 'does not name a workload; expected {"workload": ...}')
    numbers = [values.get(name) or 0 for name in ("seed", "page_size", "started_us")]
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise InputFileError(path, "seed, page_size and started_us are whole numbers from 0 on")
    # What a later release adds does not keep this one from understanding the rest.
    known = {each.name for each in fields(Entry)}
    return Entry(**{name: value for name, value in values.items() if name in known})


def _write(path: Path, content: bytes) -> None:
    """Write a file that appears as a whole."""
    # Hidden, and without the suffix: nobody takes half a file for a whole one.
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
