"""What the monitors of what-if runs saw and did, as record files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Self

from ..errors import InvalidError
from ..params.document import to_document
from ..params.monitoring import Context, Kdamond
from ..records.beside import written_beside
from ..records.side_files import kdamonds_path
from ..records.snapshot import Snapshot
from ..records.writer import RecordForm, RecordWriter
from ..whatif.outcome import Outcome

_UNFIT: Final = re.compile(r"[^\w.+-]+")
"""What does not belong into the name of a file."""

_OUR_OWN: Final = ("nr_failed", "nr_unmeasured")
"""Counters that the kernel does not have."""


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
        with written_beside(kdamonds_path(self._path)) as out:
            out.write(json.dumps(kdamonds_with_stats(outcome), indent=4).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        # Without effect after finish().
        if self._writer is not None:
            self._writer.abort()


def kdamonds_with_stats(outcome: Outcome) -> list[dict[str, Any]]:
    """
    Return the parameters of a run with what its schemes did, as damo writes them.

    Source:
        spec damo 2, the last points.
    """
    kdamonds = [Kdamond([context]) for context in outcome.contexts]
    trees: list[dict[str, Any]] = to_document(kdamonds, raw=True)["kdamonds"]
    for index, tree in enumerate(trees):
        # The run is over, and there never was a process.
        tree |= {"state": "off", "pid": None}
        own = [each for each in outcome.schemes if each.context_idx == index]
        for scheme, done in zip(tree["contexts"][0]["schemes"], own, strict=True):
            counters = {f.name: getattr(done.stats, f.name) for f in fields(done.stats)}
            scheme["stats"] = {
                **{name: value for name, value in counters.items() if name not in _OUR_OWN},
                "max_nr_snapshots": done.scheme.max_nr_snapshots,
            }
            scheme["tried_regions"] = []
    return trees


def _file_name(name: str) -> str:
    return _UNFIT.sub("_", name).strip("_.") or "schemes"
