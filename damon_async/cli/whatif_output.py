"""What the monitors of what-if runs saw and did, as record files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final, Self

from ..errors import InvalidError
from ..params.monitoring import Context, Kdamond
from ..records.side_files import kdamonds_path
from ..records.snapshot import Snapshot
from ..records.status import KdamondStatus, SchemeCounters, write_status
from ..records.writer import RecordForm, RecordWriter
from ..whatif.outcome import Outcome, SchemeOutcome

_UNFIT: Final = re.compile(r"[^\w.+-]+")
"""What does not belong into the name of a file."""


class RunOutput:
    """
    The record of one run, on its way into a folder; a context manager.

    Args:
        folder: Where; made if it is not there. None keeps nothing.

        name: What the run is called.

        contexts: What it monitors.

    Raises:
        InvalidError: If nothing can be written there.
    """

    def __init__(self, folder: str | None, name: str, contexts: Sequence[Context]) -> None:
        self._contexts = contexts
        self._writer: RecordWriter | None = None
        self._path = Path(folder or ".", f"{_file_name(name)}.data")
        if folder is None or not contexts:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidError(f"cannot write into {folder}: {error.strerror}") from None
        self._writer = RecordWriter(str(self._path), RecordForm.JSON_COMPRESSED)

    def add(self, index: int, snapshot: Snapshot) -> None:
        """Add what the monitor of the context at *index* published."""
        if self._writer is not None:
            intervals = self._contexts[index].intervals
            self._writer.add(snapshot, intervals=intervals, kdamond_idx=index)

    def finish(self, outcome: Outcome) -> None:
        """Put the record in its place, and what the schemes did beside it."""
        if self._writer is None:
            return
        self._writer.close()
        write_status(kdamonds_path(self._path), statuses_of(outcome))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        # Without effect after finish().
        if self._writer is not None:
            self._writer.abort()


def statuses_of(outcome: Outcome) -> list[KdamondStatus]:
    """Return the kdamonds of a run with what their schemes did."""
    return [
        KdamondStatus(
            Kdamond([context]),
            (tuple(map(_counters, (s for s in outcome.schemes if s.context_idx == index))),),
        )
        for index, context in enumerate(outcome.contexts)
    ]


def _counters(done: SchemeOutcome) -> SchemeCounters:
    # Ours has more than the kernel's.
    names = {field.name for field in fields(SchemeCounters)} - {"max_nr_snapshots"}
    counted = {name: getattr(done.stats, name) for name in names}
    return SchemeCounters(**counted, max_nr_snapshots=done.scheme.max_nr_snapshots)


def _file_name(name: str) -> str:
    return _UNFIT.sub("_", name).strip("_.") or "schemes"
