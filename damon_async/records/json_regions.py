"""
Regions of a JSON record as arrays.

Files of this package hold plain integers and files of damo hold texts such as
``"4,096"``; both are taken a whole column at a time. Whatever else the format
allows is read region by region, and that way also finds the words for what is
wrong.

Source:
    spec damo 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from ..params.base import parse_count
from ..params.intervals import Intervals
from ..params.ranges import ADDRESS_MAX
from ..units import Quantity, parse_percent, parse_size, parse_time_us
from .json_fields import read_optional, read_required, read_value, wrong

AGE_UNKNOWN: Final = -1
"""What stands for an age that a file does not tell."""


class Columns(NamedTuple):
    """Regions as arrays: int64, shape (nr_regions,), in the order of the file."""

    start: IntArray
    """First byte."""

    end: IntArray
    """One past the last byte."""

    nr_accesses: IntArray
    """Sampling intervals found accessed; 0 for a region that tells addresses only."""

    age: IntArray
    """Aggregation intervals; ``AGE_UNKNOWN`` where the file does not say."""


def read_regions(regions: object, intervals: Intervals | None, path: str) -> Columns:
    """
    Read the regions of a snapshot.

    Args:
        regions: The value of its key ``regions``.

        intervals: What percent and microseconds are converted with.

        path: Where it stands in the document.

    Raises:
        InvalidError: If anything in it cannot be; the sentence begins with the
            path of the first mistake.
    """
    if not isinstance(regions, list):
        raise wrong(path, "must be a list of regions")
    # A file holds hundreds of thousands of regions, and nearly all are ordinary.
    columns = _plain_columns(regions)
    if columns is None:
        rows = [_region(each, intervals, f"{path}[{i}]") for i, each in enumerate(regions)]
        table = np.array(rows, dtype=np.int64).reshape(-1, 4)
        columns = Columns(*np.ascontiguousarray(table.T))
    _check(columns, path)
    return columns


def read_sz_filter_passed(regions: Sequence[Mapping[str, Any]], path: str) -> IntArray | None:
    """
    Read how many bytes of each region passed the scheme's filters.

    Returns:
        int64, shape (nr_regions,), or None if no region tells or none passed.

    Raises:
        InvalidError: If one is not a size.
    """
    told = [each.get("sz_filter_passed", 0) for each in regions]
    # What damo writes for each region of an ordinary recording.
    if set(told) <= {0, "0 B", "0"}:
        return None
    sizes = [read_value(_kept_size, each, f"{path}[{i}]") for i, each in enumerate(told)]
    return np.array(sizes, dtype=np.int64)


def _plain_columns(regions: list[Any]) -> Columns | None:
    """Take all columns at once; None if any value is out of the ordinary."""
    try:
        return Columns(
            _integers([each["start"] for each in regions]),
            _integers([each["end"] for each in regions]),
            _integers([each["nr_accesses"]["samples"] for each in regions]),
            _integers([_plain_age(each["age"]) for each in regions]),
        )
    # Not an error yet: the slow way may still read it, or tells what is wrong.
    except (KeyError, OverflowError, TypeError, ValueError):
        return None


def _plain_age(age: Mapping[str, Any]) -> object:
    count = age["aggr_intervals"]
    # Recordings of old kernels have no ages at all, in hundreds of snapshots.
    return AGE_UNKNOWN if count is None and age["usec"] is None else count


def _integers(values: list[Any]) -> IntArray:
    kinds = set(map(type, values))
    # A bool is an int to isinstance, so types are compared.
    if not kinds <= {int, str}:
        raise TypeError
    if str in kinds:
        # An underscore is part of a number to int() alone.
        values = [int(str(value).replace("_", "?").replace(",", "")) for value in values]
    return np.array(values, dtype=np.int64)


def _region(each: object, intervals: Intervals | None, path: str) -> tuple[int, int, int, int]:
    if not isinstance(each, Mapping):
        raise wrong(path, "must be a region object")
    start = read_required(_kept_size, each, "start", path)
    end = read_required(_kept_size, each, "end", path)
    # Only the counts of a region may be left out, and its age goes with them.
    if "nr_accesses" not in each:
        return start, end, 0, AGE_UNKNOWN
    count = _count(_inner(each, "nr_accesses", path), intervals, f"{path}.nr_accesses")
    return start, end, count, _age(_inner(each, "age", path), intervals, f"{path}.age")


def _inner(each: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any]:
    value = each.get(key)
    if not isinstance(value, Mapping):
        raise wrong(f"{path}.{key}", "must be an object")
    return value


def _count(tree: Mapping[str, Any], intervals: Intervals | None, path: str) -> int:
    samples = read_optional(_kept_count, tree, "samples", path)
    if samples is not None:
        return samples
    percent = read_optional(parse_percent, tree, "percent", path)
    if percent is None:
        raise wrong(path, "must have samples or percent")
    if intervals is None:
        raise wrong(f"{path}.percent", "needs the intervals of the record; give samples")
    # Cut off, as damo converts percent to counts (spec damo 2).
    return int(percent * intervals.max_nr_accesses // 100)


def _age(tree: Mapping[str, Any], intervals: Intervals | None, path: str) -> int:
    count = read_optional(_kept_count, tree, "aggr_intervals", path)
    if count is not None:
        return count
    age_us = read_optional(parse_time_us, tree, "usec", path)
    # A time is no number of aggregations as long as their length is not known.
    if age_us is None or intervals is None:
        return AGE_UNKNOWN
    return age_us // max(1, intervals.aggr_us)


def _kept_size(value: Quantity) -> int:
    return _kept(parse_size(value))


def _kept_count(value: Quantity) -> int:
    return _kept(parse_count(value))


def _kept(number: int) -> int:
    # Columns are int64. Refused here, where it is still known which value it is.
    if number > ADDRESS_MAX:
        msg = f"{number} is above the largest number that is kept, {ADDRESS_MAX}"
        raise InvalidError(msg)
    return number


def _check(columns: Columns, path: str) -> None:
    # The quick way has let negative numbers pass; here they are found a whole
    # column at a time.
    _refuse(columns.start < 0, f"{path}[{{}}].start", "must not be negative")
    _refuse(columns.end < columns.start, f"{path}[{{}}].end", "must not be below start")
    _refuse(columns.nr_accesses < 0, f"{path}[{{}}].nr_accesses", "must not be negative")
    _refuse(columns.age < AGE_UNKNOWN, f"{path}[{{}}].age", "must not be negative")


def _refuse(is_wrong: BoolArray, path: str, message: str) -> None:
    if is_wrong.any():
        raise wrong(path.format(int(is_wrong.argmax())), message)
