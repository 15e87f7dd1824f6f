"""
The report of access patterns: what was accessed how often, and since when.

Source:
    Output of damo 3.4.3; spec damo 1.4 and 4.1. Differs: a record without
    intervals is reported too, with what the times of its snapshots tell.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ..arrays import FloatArray, IntArray
from ..errors import InvalidError
from ..records.record import Record
from ..records.snapshot import Snapshot
from ..units import format_size
from .access_options import AccessOptions
from .boxes import Boxes
from .filters import filtered
from .keywords import (
    RECORD_KEYWORDS,
    REGION_KEYWORDS,
    SNAPSHOT_KEYWORDS,
    RecordView,
    RegionRows,
    RegionView,
    SnapshotView,
    filled,
)
from .rows import (
    Weights,
    ages_us,
    merged,
    percents,
    sorted_by_address,
    temperatures,
    with_assumed_intervals,
)
from .styles import FORMATS, Format, SortKey

_SORT_VALUES: Final[Mapping[SortKey, Callable[[Snapshot, Weights], IntArray | FloatArray]]] = {
    SortKey.ADDRESS: lambda snapshot, _: snapshot.start,
    SortKey.ACCESS_RATE: lambda snapshot, _: percents(snapshot),
    SortKey.AGE: lambda snapshot, _: ages_us(snapshot),
    SortKey.SIZE: lambda snapshot, _: snapshot.sizes,
    SortKey.TEMPERATURE: temperatures,
}


def access_report(records: Sequence[Record], options: AccessOptions | None = None) -> str:
    """
    Report access patterns.

    Args:
        records: What to report, in this order.

        options: How.

    Returns:
        Lines of text, without a newline at the end.

    Raises:
        InvalidError: If there are no records, or an option makes no sense.
    """
    return "\n".join(access_lines(records, options))


def access_lines(records: Sequence[Record], options: AccessOptions | None = None) -> Iterator[str]:
    """
    Make the report of access patterns piece by piece, for long records.

    Args:
        records: What to report, in this order.

        options: How.

    Yields:
        Pieces of text of one or more lines, without a newline at the end.

    Raises:
        InvalidError: If there are no records, or an option makes no sense.
    """
    options = options or AccessOptions()
    if not records:
        msg = "there is no record to report"
        raise InvalidError(msg)
    # What users say about texts comes first; only what they leave open depends
    # on how many records and snapshots there are.
    texts = FORMATS[options.style]
    for action, place, text in options.formats:
        texts = texts.changed(action, place, text)
    views = [_view(record, options) for record in records]
    # What is a long box and what a short one is decided over all records.
    snapshots = itertools.chain.from_iterable(view.record.snapshots for view in views)
    colors = options.region_box_colorset if options.is_colored else None
    boxes = Boxes(texts.boxes, snapshots, colors)
    has_several = any(len(view.record.snapshots) > 1 for view in views)
    texts = texts.for_report(nr_records=len(records), has_several_snapshots=has_several)
    for view in views:
        yield from _record_lines(view, texts, boxes)


def _view(record: Record, options: AccessOptions) -> RecordView:
    known = _prepared(record, options)
    kept = filtered(known, options.keep, options.weights)
    # The record as it came: afterwards all of them have intervals.
    return RecordView(kept, options, is_assumed=record.intervals is None)


def _prepared(record: Record, options: AccessOptions) -> Record:
    record = with_assumed_intervals(record)
    # Before merging, for only neighbours in the order of addresses can touch.
    snapshots = sorted_by_address(record.snapshots)
    if options.merge_regions:
        snapshots = [merged(each) for each in snapshots]
    return replace(record, snapshots=snapshots)


def _record_lines(view: RecordView, texts: Format, boxes: Boxes) -> Iterator[str]:
    if texts.record_head:
        yield filled(texts.record_head, RECORD_KEYWORDS, view)
    for index, snapshot in enumerate(view.record.snapshots):
        if view.options.total_sz_only:
            yield format_size(snapshot.total_bytes, raw=view.options.raw_number)
            continue
        if index:
            yield ""
        yield from _snapshot_lines(SnapshotView(snapshot, view, boxes), texts)
    intervals = view.record.intervals
    # A goal is told only where it can have had an effect.
    is_tuned = intervals is not None and intervals.intervals_goal.aggrs > 0
    tail = texts.tail_of_record(is_tuned=is_tuned)
    if tail:
        yield filled(tail, RECORD_KEYWORDS, view)


def _snapshot_lines(view: SnapshotView, texts: Format) -> Iterator[str]:
    if texts.snapshot_head:
        yield filled(texts.snapshot_head, SNAPSHOT_KEYWORDS, view)
    if texts.region:
        # Columns are worked out at most once per snapshot, not per region.
        rows = RegionRows(_sorted(view.snapshot, texts, view.of.options), view)
        for index in range(view.snapshot.nr_regions):
            yield filled(texts.region, REGION_KEYWORDS, RegionView(rows, index))
    if texts.snapshot_tail:
        yield filled(texts.snapshot_tail, SNAPSHOT_KEYWORDS, view)


def _sorted(snapshot: Snapshot, texts: Format, options: AccessOptions) -> Snapshot:
    keys = tuple(options.sort_regions_by) or texts.sort_by
    descending = set(options.sort_regions_dsc)
    if texts.is_descending and not options.sort_regions_by:
        descending |= set(texts.sort_by)
    # One stable sort after the other, so that the last key decides first.
    for key in keys:
        values = _SORT_VALUES[key](snapshot, options.weights)
        # Negated rather than reversed: equals stay in their order.
        snapshot = snapshot.take(
            np.argsort(-values if key in descending else values, kind="stable")
        )
    return snapshot
