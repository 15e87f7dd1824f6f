"""Parameters of modules as options, in damo's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter

from .. import units
from ..errors import InvalidError
from ..params.base import parse_count
from .quantities import TimeUs, each

GROUP: Final = Group("Parameters of the module", sort_key=4)

QUOTA: Final = ("quota_ms", "quota_sz", "quota_reset_interval_ms")
WMARKS: Final = ("wmarks_interval", "wmarks_high", "wmarks_mid", "wmarks_low")
INTERVALS: Final = ("sample_interval", "aggr_interval")
NR_REGIONS: Final = ("min_nr_regions", "max_nr_regions")
REGION: Final = ("monitor_region_start", "monitor_region_end")

# Converted here, as damo takes whole numbers in the units of the parameters.
Quota = Annotated[
    tuple[int, int, int],
    Parameter(
        converter=each(units.parse_time_ms, units.parse_size, units.parse_time_ms),
        n_tokens=3,
        metavar="MS BYTES MS",
    ),
]

Wmarks = Annotated[
    tuple[int, int, int, int],
    Parameter(
        converter=each(units.parse_time_us, *[units.parse_permil] * 3),
        n_tokens=4,
        metavar="US HIGH MID LOW",
    ),
]

TimePair = Annotated[
    tuple[int, int],
    Parameter(
        converter=each(units.parse_time_us, units.parse_time_us),
        n_tokens=2,
        metavar="SAMPLE AGGR",
    ),
]

CountPair = Annotated[
    tuple[int, int],
    Parameter(converter=each(parse_count, parse_count), n_tokens=2, metavar="MIN MAX"),
]

AddressPair = Annotated[
    tuple[int, int],
    Parameter(converter=each(units.parse_size, units.parse_size), n_tokens=2, metavar="START END"),
]


@Parameter(name="*", group=GROUP)
@dataclass(frozen=True, kw_only=True)
class ModuleOptions:
    """What a module is told; whatever is not given stays as it is."""

    min_age: TimeUs | None = None
    """reclaim: for how long memory must be idle to be paged out. Bare numbers are
    microseconds."""

    hot_thres_access_freq: Annotated[int | None, Parameter(converter=None, metavar="PERMIL")] = None
    """lru_sort: from which share of positive checks on memory is hot, in permil."""

    cold_min_age: TimeUs | None = None
    """lru_sort: for how long memory must be idle to be cold."""

    quota: Quota | None = None
    """Time and size that actions may take per reset interval, such as 10ms 128M 1s;
    lru_sort has no size, and takes 0."""

    wmarks: Wmarks | None = None
    """Interval between looks at free memory, and the high, middle and low
    watermark in permil."""

    monitor_intervals: TimePair | None = None
    """Sampling and aggregation interval."""

    nr_regions: CountPair | None = None
    """Fewest and most regions."""

    monitor_region: AddressPair | None = None
    """First address, and one past the last one; 0 0 has the module choose."""

    skip_anon: bool = False
    """reclaim: leave anonymous memory alone."""

    set: Annotated[tuple[str, ...], Parameter(metavar="NAME=VALUE", show_default=False)] = ()
    """Any other parameter, by its file's name; may be given several times."""

    def values(self) -> Mapping[str, str]:
        """
        Return what was given, by the names of the kernel's parameters.

        Raises:
            InvalidError: If ``set`` is not NAME=VALUE.
        """
        return dict(self._pairs())

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for name in ("min_age", "hot_thres_access_freq", "cold_min_age"):
            value = getattr(self, name)
            if value is not None:
                yield name, str(value)
        groups = (
            (QUOTA, self.quota),
            (WMARKS, self.wmarks),
            (INTERVALS, self.monitor_intervals),
            (NR_REGIONS, self.nr_regions),
            (REGION, self.monitor_region),
        )
        for names, numbers in groups:
            yield from zip(names, map(str, numbers or ()), strict=False)
        if self.skip_anon:
            yield "skip_anon", "Y"
        for text in self.set:
            name, sign, value = text.partition("=")
            if not sign or not name:
                raise InvalidError(f"--set {text}: expected NAME=VALUE, such as addr_unit=4096")
            yield name, value


NO_MODULE_OPTIONS: Final = ModuleOptions()
"""What stands for nothing given."""
