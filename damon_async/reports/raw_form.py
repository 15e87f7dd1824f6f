"""
Access patterns as counts, addresses in hexadecimal: nothing is worked out.

Source:
    Output of damo 3.4.3; spec damo 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..records.record import Record
from ..records.snapshot import Snapshot
from ..units import format_size, format_time_ns
from .access_options import AccessOptions
from .filters import filtered
from .rows import sorted_by_address, with_assumed_intervals

_WIDTH = 37
"""Columns of the lines that tell times."""


def raw_form(records: Sequence[Record], options: AccessOptions | None = None) -> str:
    """
    Print access patterns as they were recorded.

    Args:
        records: What to print.

        options: Of these, what to keep, and whether numbers are plain.

    Returns:
        Lines of text; the last one is empty, the newline that ends it is missing.
    """
    return "\n".join(raw_lines(records, options))


def raw_lines(records: Sequence[Record], options: AccessOptions | None = None) -> Iterator[str]:
    """Print as above, line by line, for long records."""
    options = options or AccessOptions()
    for record in records:
        # Rates and ages can be filtered only with intervals, be they assumed.
        kept = filtered(with_assumed_intervals(record), options.keep, options.weights)
        # A head with nothing below would only raise questions.
        if not kept.snapshots:
            continue
        yield f"base_time_absolute: {format_time_ns(kept.start_ns, raw=options.raw_number)}"
        yield f"data source: {record.data_source}"
        yield ""
        for snapshot in sorted_by_address(kept.snapshots):
            yield from _snapshot_lines(snapshot, kept, options.raw_number)
            yield ""


def _snapshot_lines(snapshot: Snapshot, record: Record, raw: bool) -> Iterator[str]:
    times = {
        # From the base time, which is told above, once per record.
        "start": snapshot.start_ns - record.start_ns,
        "end": snapshot.end_ns - record.start_ns,
        "duration": snapshot.end_ns - snapshot.start_ns,
    }
    for name, time_ns in times.items():
        label = f"monitoring_{name}:"
        yield label + format_time_ns(time_ns, raw=raw).rjust(_WIDTH - len(label))
    yield f"target_id: {record.target_id}"
    yield f"nr_regions: {snapshot.nr_regions}"
    yield "# start_addr     end_addr        length  nr_accesses   age"
    columns = (snapshot.start, snapshot.end, snapshot.nr_accesses, snapshot.age)
    for start, end, count, age in zip(*(each.tolist() for each in columns), strict=True):
        size = format_size(end - start, raw=raw)
        yield f"{start:012x}-{end:012x} ({size:>12}) {count:>11} {age:>5}"
