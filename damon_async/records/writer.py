"""Write records snapshot by snapshot, in little memory."""

from __future__ import annotations

import os
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from ..params.intervals import Intervals
from .beside import BesideFile
from .fragments import DeflatedFragment, Fragment, write_zlib
from .json_write import RECORD_TAIL, record_head, snapshot_text
from .perf_script import end_mark, script_text
from .record import Record, parts_of
from .snapshot import Snapshot


class RecordForm(StrEnum):
    """The forms of record files."""

    JSON_COMPRESSED = "json_compressed"
    """What damo writes: JSON, deflated. The only one that real damo reads everywhere."""

    JSON = "json"
    """The same as plain text."""

    PERF_SCRIPT = "perf_script"
    """Lines of text, as ``perf script`` prints DAMON's trace; without intervals."""


class RecordWriter:
    """
    Writes a recording while it goes on.

    Snapshots are turned into text and compressed at once, so that an hour of
    them takes megabytes. The file appears, complete, with ``close``; until then
    an old one of that name stays as it is.

    As a context manager it closes at the end of the block. If the block ends by
    an error nothing is written; if it is cut short (``KeyboardInterrupt``, a
    cancelled task), what there is up to then is.

    Args:
        path: The file.

        form: What to write.

        mode: Permissions of the file; only the user's own, as damo.

    Attributes:
        nr_snapshots: How many have been added, counting once per target.

    Raises:
        InvalidError: If nothing can be written there.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        form: RecordForm | str = RecordForm.JSON_COMPRESSED,
        *,
        mode: int = 0o600,
    ) -> None:
        self.nr_snapshots = 0
        self._form = RecordForm(form)
        self._streams: list[_Stream] = []
        # What becomes of the streams: kept apart, so that all are given back.
        self._fragments: list[Fragment] = []
        self._by_identity: dict[tuple[int, int, int, int], _Stream] = {}
        self._file: BesideFile | None = BesideFile(path, mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Ctrl-C and cancelled tasks are no Exception: they are how recordings
        # end.
        if isinstance(error, Exception):
            self.abort()
        else:
            self.close()

    def add(
        self,
        snapshot: Snapshot,
        *,
        intervals: Intervals | None = None,
        kdamond_idx: int = 0,
        context_idx: int = 0,
    ) -> None:
        """
        Add what a kdamond published.

        Args:
            snapshot: Later than all that were added of this kdamond.

            intervals: What the context began with; those of its first snapshot
                count for the record.

            kdamond_idx: Which kdamond.

            context_idx: Which of its contexts.
        """
        for target, part in parts_of(snapshot):
            record = Record(target, (), intervals, kdamond_idx, context_idx)
            # Not by object: each snapshot comes with a record of its own here.
            stream = self._by_identity.get(record.identity)
            if stream is None:
                stream = self._by_identity[record.identity] = self._open(record)
            self._add(stream, part)

    def add_record(self, record: Record) -> None:
        """Add a whole record; it stays apart from others of the same target."""
        stream = self._open(record)
        for snapshot in record.snapshots:
            self._add(stream, snapshot)

    def close(self) -> None:
        """
        Complete the file. Calling it again does nothing.

        Raises:
            InvalidError: If the file cannot be put in its place.
        """
        # Forgotten first: whatever happens below, it is not closed a second time.
        file, self._file = self._file, None
        if file is None:
            return
        try:
            self._finish(file)
        except BaseException:
            file.drop()
            raise
        finally:
            self._forget()
        file.keep()

    def abort(self) -> None:
        """Leave no file behind. Does nothing after ``close``."""
        file, self._file = self._file, None
        if file is not None:
            file.drop()
        self._forget()

    def _open(self, record: Record) -> _Stream:
        stream = _STREAMS[self._form](record, is_first=not self._streams)
        self._streams.append(stream)
        self._fragments.append(stream.fragment)
        return stream

    def _add(self, stream: _Stream, snapshot: Snapshot) -> None:
        stream.add(snapshot)
        self.nr_snapshots += 1

    def _finish(self, file: BesideFile) -> None:
        for stream in self._streams:
            stream.finish()
        if self._form is not RecordForm.PERF_SCRIPT:
            # Even a list of nothing is a list.
            self._fragments = self._fragments or [_opened(_STREAMS[self._form])]
            self._fragments[-1].write(b"]")
        for fragment in self._fragments:
            fragment.finish()
        # All of them or none: the form is that of the whole file.
        deflated = [each for each in self._fragments if isinstance(each, DeflatedFragment)]
        if deflated:
            write_zlib(file.out, deflated)
            return
        for fragment in self._fragments:
            fragment.copy_to(file.out)

    def _forget(self) -> None:
        for fragment in self._fragments:
            fragment.close()
        self._fragments.clear()
        self._streams.clear()
        self._by_identity.clear()


class _Stream:
    """
    One record on its way into the file, as JSON.

    Args:
        record: Its head, without snapshots.

        is_first: Whether nothing stands before it in the file.
    """

    kind: type[Fragment] = Fragment

    def __init__(self, record: Record, *, is_first: bool) -> None:
        self.fragment = self.kind()
        self.record = record
        self.nr_snapshots = 0
        self._begin(is_first)

    def add(self, snapshot: Snapshot) -> None:
        """Add one snapshot of its target."""
        comma = "," if self.nr_snapshots else ""
        self._write(comma + snapshot_text(snapshot, self.record.intervals))
        self.nr_snapshots += 1

    def finish(self) -> None:
        """Say that nothing will be added."""
        self._write(RECORD_TAIL)

    def _begin(self, is_first: bool) -> None:
        self._write(("[" if is_first else ",") + record_head(self.record))

    def _write(self, text: str) -> None:
        self.fragment.write(text.encode())


class _DeflatedStream(_Stream):
    """One record as compressed JSON."""

    kind = DeflatedFragment


class _ScriptStream(_Stream):
    """One record as lines of text."""

    _last: Snapshot | None = None

    def add(self, snapshot: Snapshot) -> None:
        """Add one snapshot of its target."""
        self._write(script_text(snapshot, self.record))
        self._last = snapshot
        self.nr_snapshots += 1

    def finish(self) -> None:
        """Say that nothing will be added; an only snapshot gets its end told."""
        if self.nr_snapshots == 1 and self._last is not None:
            self._write(end_mark(self._last, self.record))

    def _begin(self, is_first: bool) -> None:
        """Lines need no beginning."""


def _opened(kind: type[_Stream]) -> Fragment:
    fragment = kind.kind()
    fragment.write(b"[")
    return fragment


# Below the classes that it names. A new form is a class and a row.
_STREAMS: Final[dict[RecordForm, type[_Stream]]] = {
    RecordForm.JSON_COMPRESSED: _DeflatedStream,
    RecordForm.JSON: _Stream,
    RecordForm.PERF_SCRIPT: _ScriptStream,
}
