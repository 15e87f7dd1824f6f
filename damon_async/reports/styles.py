"""
How `report access` puts a report together: texts with ``<keywords>``.

Source:
    Output and keywords of damo 3.4.3; spec damo 1.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from ..errors import InvalidError
from .boxes import BoxShape, BoxValue, Dimension


class SortKey(StrEnum):
    """What regions can be sorted by."""

    ADDRESS = "address"
    """First byte."""

    ACCESS_RATE = "access_rate"
    """Share of samples found accessed."""

    AGE = "age"
    """How long accessed as it is."""

    SIZE = "size"
    """Bytes."""

    TEMPERATURE = "temperature"
    """Weighted sum of the above."""


class TimeShown(StrEnum):
    """When the times of snapshots are told."""

    NEVER = "never"
    """Not at all."""

    IF_SEVERAL = "if several"
    """If any of the records has more than one snapshot."""

    ALWAYS = "always"
    """For each snapshot."""


class AccessStyle(StrEnum):
    """Ready-made reports."""

    DETAILED = "detailed"
    """A line per region."""

    SIMPLE_BOXES = "simple-boxes"
    """A box per region, as long as it is old."""

    TEMPERATURE_SZ_HIST = "temperature-sz-hist"
    """How many bytes are how hot."""

    RECENCY_SZ_HIST = "recency-sz-hist"
    """How many bytes have been idle how long."""

    COLD_MEMORY_TAIL = "cold-memory-tail"
    """Another name of recency-sz-hist."""

    RECENCY_PERCENTILES = "recency-percentiles"
    """Idle times at percentiles of the bytes."""

    IDLE_TIME_PERCENTILES = "idle-time-percentiles"
    """Another name of recency-percentiles."""

    TEMPERATURE_PERCENTILES = "temperature-percentiles"
    """Temperatures at percentiles of the bytes."""

    COLD = "cold"
    """Boxes, the coldest first."""

    HOT = "hot"
    """Boxes, the hottest first."""


@dataclass(frozen=True, slots=True)
class Format:
    """
    The texts of a report.

    None stands for the usual text, which depends on how many records and
    snapshots there are; an empty text for none at all.
    """

    record_head: str | None = None
    """Before the snapshots of a record."""

    snapshot_head: str | None = None
    """Before the regions of a snapshot."""

    # The default line of spec damo 1.4.
    region: str = "<index> addr <start address> size <size> access <access hz> age <age>"
    """For each region."""

    snapshot_tail: str = (
        "memory bw estimate: <estimated memory bandwidth>\ntotal size: <total bytes>"
    )
    """After the regions of a snapshot."""

    record_tail: str | None = None
    """After the snapshots of a record."""

    usual_head: str = "heatmap: <heatmap>\nintervals: <snapshot intervals>"
    """What ``snapshot_head`` usually is, besides the time."""

    time: TimeShown = TimeShown.IF_SEVERAL
    """When the usual head begins with the snapshot's time."""

    sort_by: tuple[SortKey, ...] = ()
    """How regions are sorted."""

    is_descending: bool = False
    """Whether the largest comes first."""

    boxes: BoxShape = field(default_factory=BoxShape)
    """What ``<box>`` looks like."""

    def for_report(self, *, nr_records: int, has_several_snapshots: bool) -> Format:
        """
        Decide the usual heads.

        Args:
            nr_records: How many records are reported.

            has_several_snapshots: Whether any of them has more than one snapshot.
        """
        record_head, snapshot_head = self.record_head, self.snapshot_head
        # None is undecided, an empty text is a decision.
        if record_head is None:
            record_head = _RECORD_HEAD if nr_records > 1 else ""
        if snapshot_head is None:
            snapshot_head = self._usual_snapshot_head(has_several_snapshots)
        return replace(self, record_head=record_head, snapshot_head=snapshot_head)

    def _usual_snapshot_head(self, has_several_snapshots: bool) -> str:
        # Times tell snapshots apart, so that an only one needs none.
        has_time = self.time is TimeShown.ALWAYS or (
            self.time is TimeShown.IF_SEVERAL and has_several_snapshots
        )
        return "\n".join(filter(None, (_TIME * has_time, self.usual_head)))

    def tail_of_record(self, *, is_tuned: bool) -> str:
        """Return what comes after the snapshots of a record."""
        if self.record_tail is not None:
            return self.record_tail
        return _RECORD_TAIL + "\n# <intervals goal>" * is_tuned

    def changed(self, action: str, place: str, text: str) -> Format:
        """
        Replace a text, or add to it.

        Args:
            action: ``set`` or ``append``.

            place: Name of one of the five texts.

            text: With keywords.

        Raises:
            InvalidError: If there is no such action or place.
        """
        if action not in {"set", "append"} or place not in _PLACES:
            places = ", ".join(_PLACES)
            msg = f"cannot {action} {place}; use set or append, and one of {places}"
            raise InvalidError(msg)
        if action == "append":
            text = self._before(place) + text
        # replace cannot be told the types of fields that are chosen by name.
        change: dict[str, Any] = {place: text}
        return replace(self, **change)

    def _before(self, place: str) -> str:
        now: str | None = getattr(self, place)
        if now is not None:
            return now
        # How many snapshots there will be is not known yet; a time that is told
        # needlessly does no harm.
        usual = {"snapshot_head": self._usual_snapshot_head(True), "record_tail": _RECORD_TAIL}
        return usual.get(place, "")


_RECORD_HEAD: Final = (
    "kdamond <kdamond index> / context <context index> / scheme <scheme index> / "
    "target id <target id> / recorded for <duration> from <abs start time>"
)
_TIME: Final = "snapshot time: [<start time>, <end time>] (<duration>)"
_RECORD_TAIL: Final = "record DAMON intervals: <intervals>"

# The fields up to the record's tail are for users to change.
_PLACES: Final = tuple(each.name for each in fields(Format))[:5]

# Without a height the text of a region stands beside its box; aligned at the
# right, all texts begin in the same column.
_RIGHT_BOXES: Final = BoxShape(
    length=Dimension(BoxValue.AGE, 1, 40, is_log=True),
    height=Dimension(BoxValue.NONE, 1, 1),
    is_right_aligned=True,
)
# Whether a style tells times follows no rule; it is read off damo's output.
_RECENCY_HIST: Final = Format(region="", usual_head="<recency-sz histogram>", time=TimeShown.NEVER)
_RECENCY_PERCENTILES: Final = Format(
    region="", usual_head="# total recency percentiles\n<recency percentiles>"
)
_HOT: Final = Format(
    region="<box> <size> access <access hz> <age>",
    sort_by=(SortKey.TEMPERATURE,),
    is_descending=True,
    boxes=_RIGHT_BOXES,
)

FORMATS: Final[Mapping[AccessStyle, Format]] = {
    AccessStyle.DETAILED: Format(),
    AccessStyle.SIMPLE_BOXES: Format(
        usual_head="",
        time=TimeShown.ALWAYS,
        region="<box> size <size> access <access hz> age <age>",
        boxes=_RIGHT_BOXES,
    ),
    AccessStyle.TEMPERATURE_SZ_HIST: Format(
        region="", usual_head="<temperature-sz histogram>", time=TimeShown.NEVER
    ),
    AccessStyle.RECENCY_SZ_HIST: _RECENCY_HIST,
    # damo knows these by two names (spec damo 1.4).
    AccessStyle.COLD_MEMORY_TAIL: _RECENCY_HIST,
    AccessStyle.RECENCY_PERCENTILES: _RECENCY_PERCENTILES,
    AccessStyle.IDLE_TIME_PERCENTILES: _RECENCY_PERCENTILES,
    AccessStyle.TEMPERATURE_PERCENTILES: Format(
        region="", usual_head="# total temperature percentiles\n<temperature percentiles>"
    ),
    AccessStyle.COLD: replace(_HOT, is_descending=False),
    AccessStyle.HOT: _HOT,
}
"""The texts of each ready-made report."""
