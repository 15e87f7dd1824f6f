"""
The text form of records, as ``perf script`` prints the trace of DAMON.

Only ends of snapshots are in it, to the microsecond, and no intervals.

Source:
    spec damo 4.2 and core 9.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from ..errors import InputFileError, InvalidError
from ..params.ranges import ADDRESS_MAX
from .json_regions import AGE_UNKNOWN
from .record import Record
from .snapshot import Snapshot

# comm, anything (pid and CPU), seconds, event, fields.
_LINE: Final = re.compile(r"\s*(\S+)\s.*?(\d+)\.(\d{1,9}):\s+damon:(\w+):\s+(.*\S)\s*")
_REGION: Final = re.compile(
    r"(?P<head>.*?)nr_regions=(?P<nr>\d+) (?P<start>\d+)-(?P<end>\d+): "
    r"(?P<count>-?\d+)(?: (?P<age>-?\d+))?"
)
_FIELD: Final = re.compile(r"(\w+)=(\d+|None)")

# These events tell nothing about regions; damo skips them too.
_SKIPPED: Final = {
    "damon_monitor_intervals_tune",
    "damos_esz",
    "damos_stat_after_apply_interval",
}


class _Source(NamedTuple):
    """Whose regions a line tells."""

    comm: str
    context: int
    scheme: int | None
    target: int | None


class _Row(NamedTuple):
    start: int
    end: int
    nr_accesses: int
    age: int


class _Trace:
    """The snapshots of one source so far."""

    def __init__(self) -> None:
        self.ends_ns: list[int] = []
        self.groups: list[list[_Row]] = []
        self.missing = 0

    def add(self, row: _Row, end_ns: int, nr_regions: int | None) -> None:
        """Put a region where it belongs; without a count, addresses tell."""
        is_new = self.missing == 0
        if nr_regions is None:
            # A walk over regions ascends; what does not is the next walk.
            is_new = not self.groups or row.start < self.groups[-1][-1].end
        if is_new:
            self.ends_ns.append(end_ns)
            self.groups.append([])
            self.missing = nr_regions or 0
        self.groups[-1].append(row)
        self.missing = max(0, self.missing - 1)

    def snapshots(self) -> list[Snapshot]:
        """Build the snapshots; each begins where the one before ended."""
        ends = self.ends_ns
        # The first one's beginning is nowhere; damo gives it the average length.
        usual_ns = (ends[-1] - ends[0]) // max(1, len(ends) - 1)
        # One more than is needed: nothing begins at the last end.
        starts = [ends[0] - usual_ns, *ends]
        # The mark only carries a time. damo strips it as well (spec damo 4.2).
        is_mark = [(row.end, row.nr_accesses) == (0, -1) for row, *_ in self.groups]
        return [
            _snapshot(start_ns, end_ns, rows)
            for start_ns, end_ns, rows, skip in zip(
                starts, ends, self.groups, is_mark, strict=False
            )
            if not skip
        ]


def parse_script(lines: Iterable[str], path: str | os.PathLike[str]) -> list[Record]:
    """
    Read the lines of a trace.

    Args:
        lines: With or without their ends; blank lines and comments are skipped.

        path: The file they come from, for errors.

    Returns:
        One record per source, in the order in which they begin.

    Raises:
        InputFileError: If a line is none of DAMON's, if time goes back, or if
            the trace ends inside a snapshot.
    """
    traces: dict[_Source, _Trace] = {}
    number = 0
    for number, line in enumerate(lines, start=1):
        # perf script heads its output with comments.
        if not line.strip() or line.startswith("#"):
            continue
        try:
            _add_line(traces, line)
        except InvalidError as error:
            raise InputFileError(path, str(error), number) from None
    for source, trace in traces.items():
        if trace.missing:
            which = f"target {source.target} of {source.comm}"
            wrong = (
                f"truncated: {trace.missing} regions of the last snapshot of {which} are missing"
            )
            raise InputFileError(path, wrong, number)
    return _records(traces)


def script_text(snapshot: Snapshot, record: Record) -> str:
    """Write one snapshot of *record*, a line per region."""
    head = _line_head(record, snapshot.end_ns, snapshot.nr_regions)
    columns = (snapshot.start, snapshot.end, snapshot.nr_accesses, snapshot.age)
    numbers = tuple(np.stack(columns, axis=1).ravel().tolist())
    # As in JSON: one format for all regions of a snapshot.
    text = f"{head} %d-%d: %d %d\n" * snapshot.nr_regions % numbers
    # As in traces of 5.15, which have no ages (spec damo 4.2).
    return text.replace(" -1\n", "\n")


def end_mark(snapshot: Snapshot, record: Record) -> str:
    """Write the line without which the length of an only snapshot is lost."""
    # A reader takes the distance to the mark for the length of the snapshot.
    end_ns = 2 * snapshot.end_ns - snapshot.start_ns
    return f"{_line_head(record, end_ns, 1)} 0-0: -1 -1\n"


def _line_head(record: Record, end_ns: int, nr_regions: int) -> str:
    seconds, rest_ns = divmod(end_ns, 10**9)
    # A pid and a CPU that mean nothing, because readers count on them being
    # there.
    place = f"kdamond.{record.kdamond_idx} 0 [000] {seconds}.{rest_ns // 1000:06d}:"
    if record.scheme_idx is None:
        event = f"damon:damon_aggregated: target_id={record.target_id}"
    else:
        indices = f"ctx_idx={record.context_idx} scheme_idx={record.scheme_idx}"
        event = f"damon:damos_before_apply: {indices} target_idx={record.target_id}"
    return f"{place} {event} nr_regions={nr_regions}"


def _add_line(traces: dict[_Source, _Trace], line: str) -> None:
    match = _LINE.fullmatch(line)
    if match is None:
        msg = "not a line of DAMON's trace"
        raise InvalidError(msg)
    comm, seconds, fraction, event, text = match.groups()
    if event in _SKIPPED:
        return
    region = _REGION.fullmatch(text)
    if region is None or event not in {"damon_aggregated", "damos_before_apply"}:
        msg = f"cannot read the fields of the event {event}"
        raise InvalidError(msg)
    fields = {key: _index(value) for key, value in _FIELD.findall(region["head"])}
    # The two events call the same thing by two names.
    is_tried = event == "damos_before_apply"
    source = _Source(
        comm,
        fields.get("ctx_idx") or 0,
        fields.get("scheme_idx"),
        fields.get("target_idx" if is_tried else "target_id"),
    )
    # perf prints microseconds, or nanoseconds where it was asked to.
    end_ns = int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
    trace = traces.setdefault(source, _Trace())
    # Within a source only: the lines of several kdamonds may be mixed.
    if trace.ends_ns and end_ns < trace.ends_ns[-1]:
        msg = f"time goes back, from {trace.ends_ns[-1]} ns to {end_ns} ns"
        raise InvalidError(msg)
    # Only some of the regions are tried, so their number says nothing there.
    trace.add(_row(region), end_ns, None if is_tried else int(region["nr"]))


def _index(text: str) -> int | None:
    return None if text == "None" else int(text)


def _row(region: re.Match[str]) -> _Row:
    age = AGE_UNKNOWN if region["age"] is None else int(region["age"])
    row = _Row(int(region["start"]), int(region["end"]), int(region["count"]), age)
    if row.end < row.start:
        msg = f"region {row.start}-{row.end} ends before it starts"
        raise InvalidError(msg)
    if max(row) > ADDRESS_MAX:
        msg = f"{max(row)} is above the largest number that is kept, {ADDRESS_MAX}"
        raise InvalidError(msg)
    return row


def _snapshot(start_ns: int, end_ns: int, rows: list[_Row]) -> Snapshot:
    start, end, nr_accesses, age = np.array(rows, dtype=np.int64).T.copy()
    return Snapshot(start_ns, end_ns, 0, 0, np.zeros_like(start), start, end, nr_accesses, age)


def _records(traces: dict[_Source, _Trace]) -> list[Record]:
    # Workers are numbered in the order in which they appear: the number in the
    # kernel's name for them only counts how many ran.
    workers = list(dict.fromkeys(source.comm for source in traces))
    return [
        Record(
            source.target,
            trace.snapshots(),
            kdamond_idx=workers.index(source.comm),
            context_idx=source.context,
            scheme_idx=source.scheme,
        )
        for source, trace in traces.items()
    ]
