"""damo's options that say which snapshots and regions a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cyclopts import Group, Parameter

from ..errors import InvalidError
from ..reports.filters import AccessFilter
from .quantities import (
    AddressPairs,
    CountPair,
    InstantPair,
    NumberPair,
    PercentPair,
    SizePair,
    TimePair,
)

GROUP: Final = Group("Access filters", sort_key=20)


@Parameter(name="*", group=GROUP)
@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """
    What is kept; bounds are inclusive, "min" and "max" are open ends.

    Source:
        spec damo 1.5.
    """

    sz_region: SizePair | None = None
    """Size of a region, in bytes. Default: any."""

    access_rate: PercentPair | None = None
    """Access rate of a region, in percent. Default: any."""

    # damo's help speaks of seconds, but takes microseconds. Source: spec damo 8.
    age: TimePair | None = None
    """How long a region has been as it is; bare numbers are microseconds. Default: any."""

    address: AddressPairs = ()
    """Addresses; regions are cut to them. May be given several times. Default: all."""

    sz_snapshot: SizePair | None = None
    """Total size of a snapshot's regions, in bytes. Default: any."""

    snapshot_time: InstantPair | None = None
    """When a snapshot was made; bare numbers are nanoseconds. Default: any time."""

    snapshot_idx: CountPair | None = None
    """Index of a snapshot in its record, from 0. Default: all."""

    temperature: NumberPair | None = None
    """Temperature of a region. Default: any."""

    # Checked here and not by the parser, because a range is two words.
    def keep(self) -> AccessFilter:
        """
        Return the filter that the options ask for.

        Raises:
            InvalidError: If a range ends before it begins.
        """
        for name in (
            "sz_region",
            "access_rate",
            "age",
            "sz_snapshot",
            "snapshot_time",
            "snapshot_idx",
            "temperature",
        ):
            _check_order(name, getattr(self, name))
        for pair in self.address:
            _check_order("address", pair)
        # damo calls one range --address; the filter holds all of them.
        return AccessFilter(
            sz_region=self.sz_region,
            access_rate=self.access_rate,
            age=self.age,
            addresses=self.address,
            temperature=self.temperature,
            sz_snapshot=self.sz_snapshot,
            snapshot_time=self.snapshot_time,
            snapshot_idx=self.snapshot_idx,
        )


def _check_order(name: str, pair: tuple[float, float] | None) -> None:
    # Nothing would be left, without a word why.
    if pair is not None and pair[0] > pair[1]:
        raise InvalidError(f"--{name} {pair[0]} {pair[1]} keeps nothing: the smaller comes first")


NO_FILTERS: Final = FilterOptions()
"""What keeps everything."""
