"""Where a recording goes: a file that appears when it is complete, or stdout."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..errors import InvalidError
from ..params.monitoring import Kdamond
from ..records.side_files import (
    Workload,
    kdamonds_path,
    workload_path,
    write_kdamonds,
    write_workloads,
)
from ..records.snapshot import Snapshot
from ..records.writer import RecordForm, RecordWriter

STDOUT: Final = "-"
"""The file name that means stdout."""


class RecordOutput:
    """
    A record on its way to where the user wants it; a context manager.

    Nothing appears before ``finish``: neither the record nor the files beside
    it, and an old record keeps its name until then.

    Args:
        path: A file, or ``-`` for stdout.

        form: What to write.

        mode: Permissions of the files.

        kdamonds: What is recorded, for intervals and for the file beside.

        workloads: The memory of each target, for the file beside.

    Attributes:
        path: As above.

        nr_snapshots: How many have been added.

    Raises:
        InvalidError: If nothing can be written there.
    """

    def __init__(
        self,
        path: str,
        form: RecordForm,
        mode: int,
        kdamonds: Sequence[Kdamond],
        workloads: Sequence[Workload],
    ) -> None:
        self.path = path
        self._mode = mode
        self._kdamonds = kdamonds
        self._workloads = workloads
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if path == STDOUT:
            _check_stdout(form)
            # A writer needs a file: what is compressed last is written first.
            self._folder = tempfile.TemporaryDirectory(prefix="damon_async.")
            path = str(Path(self._folder.name, "record"))
        self._target = Path(path)
        _check_ordinary(self._target)
        self._writer = RecordWriter(path, form, mode=mode)
        self.nr_snapshots = 0

    def add(self, index: int, snapshot: Snapshot) -> None:
        """Add what the kdamond at *index* published."""
        self.nr_snapshots += 1
        # Those of the beginning: tuned ones stand in the snapshots.
        intervals = self._kdamonds[index].contexts[0].intervals
        self._writer.add(snapshot, intervals=intervals, kdamond_idx=index)

    def finish(self) -> None:
        """
        Put the record in its place, and its companions beside it.

        Raises:
            InvalidError: If one of the files cannot be written.

            BrokenPipeError: If nobody reads stdout any more.
        """
        if self._folder is not None:
            self._writer.close()
            _copy_to_stdout(self._target)
            return
        for path in (self._target, kdamonds_path(self.path), workload_path(self.path)):
            _keep_old(path)
        # The record first: companions of nothing would be worse than none.
        self._writer.close()
        write_kdamonds(self.path, self._kdamonds)
        write_workloads(self.path, self._workloads)
        for path in (kdamonds_path(self.path), workload_path(self.path)):
            # They tell as much as the record does. Source: spec damo 1.3.
            path.chmod(self._mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Without effect after finish().
        self._writer.abort()
        if self._folder is not None:
            self._folder.cleanup()


def _keep_old(path: Path) -> None:
    """
    Give an older file a second name, under which it stays.

    Source:
        spec damo 1.3. Differs: damo renames it, and if then nothing can be
        written there is no file of that name any more.
    """
    if not path.exists():
        return
    old = Path(f"{path}.old")
    # One generation is kept, as with damo.
    old.unlink(missing_ok=True)
    try:
        old.hardlink_to(path)
    except OSError:
        # Not every file system has links.
        shutil.copy2(path, old)


def _check_ordinary(path: Path) -> None:
    # A record takes the place of what was there, and nobody means to replace a
    # device or a pipe.
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InvalidError(f"cannot write {path}: is no ordinary file; use - for stdout")


def _check_stdout(form: RecordForm) -> None:
    if form is RecordForm.JSON_COMPRESSED and sys.stdout.isatty():
        raise InvalidError(
            "json_compressed is not for terminals: redirect stdout, or choose "
            "--output_type json or perf_script"
        )


def _copy_to_stdout(path: Path) -> None:
    # What was printed as text stands in a buffer of its own.
    sys.stdout.flush()
    with path.open("rb") as record:
        shutil.copyfileobj(record, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def display_path(path: str) -> str:
    """Return what to call an output file in messages."""
    return "stdout" if path == STDOUT else os.fspath(path)
