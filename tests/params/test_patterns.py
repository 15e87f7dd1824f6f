"""Access patterns: two units each for frequency and age, and what they resolve to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import ParametersError
from damon_async.params.intervals import Intervals
from damon_async.params.patterns import (
    COUNT_MAX,
    AccessBounds,
    AccessPattern,
    AccessUnit,
    AgeBounds,
    AgeUnit,
    ResolvedPattern,
    SizeBounds,
)
from damon_async.units import U64_MAX

INTERVALS = Intervals(5_000, 100_000)


def problems_of(model: type[Any], *args: object, **fields: object) -> list[str]:
    """Return what a model is refused for."""
    with pytest.raises(ParametersError, match=r".") as caught:
        model(*args, **fields)
    return [str(problem) for problem in caught.value.problems]


def test_default_is_everything() -> None:
    """A pattern without bounds matches every region."""
    assert AccessPattern().resolved(INTERVALS) == ResolvedPattern(
        0, COUNT_MAX, 0, int(U64_MAX * 20.0 / 100), 0, U64_MAX // 100_000
    )


def test_texts() -> None:
    """Bounds are read from damo's texts."""
    pattern = AccessPattern(("4K", "2 MiB"), ("5 %", "50%"), ("5 s", "1 m 30 s"))
    assert pattern.sz_bytes == SizeBounds(4096, 2**21)
    assert pattern.nr_accesses == AccessBounds(5, 50)
    assert pattern.age == AgeBounds(5_000_000, 90_000_000)


def test_objects() -> None:
    """Bounds are read from the objects of a document, and a missing one is no bound."""
    assert AccessPattern(sz_bytes={"min": "4K"}).sz_bytes == SizeBounds(4096, U64_MAX)
    assert AccessPattern(age={"max": "1s"}).age == AgeBounds(0, 1_000_000)


def test_resolved() -> None:
    """Percent become counts and times become aggregation intervals, cut off."""
    pattern = AccessPattern(("4K", "8K"), ("5 %", "99 %"), ("299 ms", "5 s"))
    assert pattern.resolved(INTERVALS) == ResolvedPattern(4096, 8192, 1, 19, 2, 50)


def test_counts_are_counts() -> None:
    """What is given in samples and aggregation intervals does not change with intervals."""
    pattern = AccessPattern(
        nr_accesses=("3 samples", "7 samples"), age=("2 aggr_intervals", "1,000 aggr_intervals")
    )
    for intervals in (INTERVALS, Intervals(1, 10**9)):
        resolved = pattern.resolved(intervals)
        assert (resolved.min_nr_accesses, resolved.max_nr_accesses) == (3, 7)
        assert (resolved.min_age, resolved.max_age) == (2, 1000)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (("3 samples", "max"), (3, U64_MAX)),
        (("min", "3samples"), (0, 3)),
        (({"min": 3, "max": 5, "unit": "samples"}), (3, 5)),
        (({"min": "3", "max": "max", "unit": "samples"}), (3, U64_MAX)),
        (({"min": "3 samples", "max": "5", "unit": "samples"}), (3, 5)),
    ],
)
def test_samples(bounds: Any, expected: tuple[int, int]) -> None:
    """The unit may be named by a text or beside; min and max are words of every unit."""
    read = AccessPattern(nr_accesses=bounds).nr_accesses
    assert (read.min, read.max, read.unit) == (*expected, AccessUnit.SAMPLES)


@pytest.mark.parametrize(
    ("bounds", "wrong"),
    [
        ((3, "5 samples"), ["min: 3 is not in samples; both bounds need the same unit"]),
        (("3 %", "5 samples"), ["min: '3 %' is not in samples; both bounds need the same unit"]),
        (("3 samples", "5 %"), ["max: '5 %' is not in samples; both bounds need the same unit"]),
    ],
)
def test_units_do_not_mix(bounds: Any, wrong: list[str]) -> None:
    """One bound in samples and the other in percent, named or not, are refused."""
    assert problems_of(AccessBounds, *bounds) == wrong


def test_age_units_do_not_mix() -> None:
    """One bound in time and the other in aggregation intervals are refused."""
    assert problems_of(AgeBounds, "5 s", "6 aggr_intervals") == [
        "min: '5 s' is not in aggr_intervals; both bounds need the same unit"
    ]


def test_time_texts_are_no_units() -> None:
    """A time that ends like the name of the unit is a time."""
    assert AgeBounds("1 m 30 us", "2 m").min == 60_000_030


@pytest.mark.parametrize(
    ("model", "args", "wrong"),
    [
        (SizeBounds, ("8K", "4K"), ["min: 8192 bytes is above max, 4096 bytes"]),
        (AccessBounds, ("5 %", "4 %"), ["min: 5 percent is above max, 4 percent"]),
        (AgeBounds, (5, 4), ["min: 5 us is above max, 4 us"]),
        (
            AgeBounds,
            ("5 aggr_intervals", "4 aggr_intervals"),
            ["min: 5 aggr_intervals is above max, 4 aggr_intervals"],
        ),
    ],
)
def test_order(model: type[Any], args: tuple[Any, ...], wrong: list[str]) -> None:
    """A lower bound above the upper one is refused."""
    assert problems_of(model, *args) == wrong


def test_negative_and_nonsense() -> None:
    """Negative numbers and texts that are none are refused, all together."""
    wrong = problems_of(AccessPattern, (-1, "5 q"), ("x", float("nan")), ("5 %", "y s"))
    assert [problem.partition(":")[0] for problem in wrong] == [
        "sz_bytes.min",
        "sz_bytes.max",
        "nr_accesses.min",
        "nr_accesses.max",
        "age.min",
        "age.max",
    ]


def test_halves_of_samples() -> None:
    """Half a sample is refused rather than cut off."""
    (wrong,) = problems_of(AccessBounds, "2.5 samples", "max")
    assert wrong.startswith("min: '2.5' is not a count")


@pytest.mark.parametrize("value", [5, "all", ("1", "2", "3")])
def test_no_bounds(value: Any) -> None:
    """What is neither a pair nor an object is refused."""
    for name in ("sz_bytes", "nr_accesses", "age"):
        (wrong,) = problems_of(AccessPattern, **{name: value})
        assert wrong == f"{name}: must be an object with named values"


def test_unknown_unit() -> None:
    """A unit that does not exist is refused."""
    assert problems_of(AccessBounds, 1, 2, "checks") == [
        "unit: Input should be 'percent' or 'samples'"
    ]


def test_fractions_of_percent() -> None:
    """A share below one percent is not lost; with many samples it counts."""
    pattern = AccessPattern(nr_accesses=("0.5 %", "1.25 %"))
    many = Intervals(100, 1_000_000)
    assert pattern.resolved(many).min_nr_accesses == 50
    assert pattern.resolved(many).max_nr_accesses == 125
    assert pattern.resolved(INTERVALS).max_nr_accesses == 0


@pytest.mark.parametrize("aggr_us", [100_000, 125_000, 250_000, 500_000])
def test_max_is_no_bound(aggr_us: int) -> None:
    """Max (damo 8.1) matches everything at every ratio of intervals, without wrapping round."""
    resolved = AccessPattern(nr_accesses=(0, "max")).resolved(Intervals(5_000, aggr_us))
    assert resolved.max_nr_accesses == min(int(U64_MAX * (aggr_us / 5_000) / 100), COUNT_MAX)
    assert resolved.max_nr_accesses > 2**32


def test_intervals_of_zero() -> None:
    """A sampling or aggregation interval of 0 counts as 1 (P25)."""
    resolved = AccessPattern(nr_accesses=(0, 50), age=(7, 9)).resolved(Intervals(0, 0))
    assert (resolved.max_nr_accesses, resolved.min_age, resolved.max_age) == (0, 7, 9)


bounds = st.tuples(st.integers(0, U64_MAX), st.integers(0, U64_MAX)).map(sorted)


@given(bounds, bounds, bounds, st.integers(0, 10**6), st.integers(0, 10**7))
def test_order_survives(
    sizes: list[int], rates: list[int], ages: list[int], sample_us: int, more_us: int
) -> None:
    """Resolved bounds keep their order and fit int64, whatever the intervals."""
    resolved = AccessPattern(sizes, rates, ages).resolved(Intervals(sample_us, sample_us + more_us))
    assert 0 <= resolved.min_sz <= resolved.max_sz <= COUNT_MAX
    assert 0 <= resolved.min_nr_accesses <= resolved.max_nr_accesses <= COUNT_MAX
    assert 0 <= resolved.min_age <= resolved.max_age <= COUNT_MAX


def test_units_are_kept() -> None:
    """A pattern remembers in which units it was given."""
    assert AgeBounds("3 aggr_intervals", "max").unit is AgeUnit.AGGR_INTERVALS
    assert AgeBounds("3 s", "max").unit is AgeUnit.US
    assert AccessBounds("3 %", "max").unit is AccessUnit.PERCENT
