"""What may be asked of a monitor, and what may not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import DamonError, ParametersError
from damon_async.operations.base import Operations
from damon_async.params.monitoring import (
    ADDRESS_MAX,
    OPERATIONS_MEMBERS,
    AddressRange,
    Context,
    Intervals,
    IntervalsGoal,
    Kdamond,
    NrRegions,
    Ops,
    Target,
)
from damon_async.units import U64_MAX

PAGE = 4096


class OwnOperations:
    """The least that is taken for an operations set."""

    def is_pure(self) -> bool:
        return True

    ends_with_targets = True
    lifetime_us = ranges = accessed = is_pure


def problems_of(make: Callable[[], object]) -> list[str]:
    """Return what *make* is refused for."""
    with pytest.raises(ParametersError, match=r".") as caught:
        make()
    return [str(problem) for problem in caught.value.problems]


def test_defaults() -> None:
    """Defaults are the kernel's (spec core 2.1)."""
    context = Context()
    assert (context.ops, context.targets, context.pause) == (Ops.VADDR, (), False)
    assert (context.addr_unit, context.min_region_sz) == (1, PAGE)
    assert context.intervals == Intervals(5_000, 100_000, 60_000_000, IntervalsGoal(0, 0, 0, 0))
    assert context.nr_regions == NrRegions(10, 1000)
    assert Kdamond([context]).refresh_ms == 0


def test_texts_everywhere() -> None:
    """Every field reads damo's text forms."""
    context = Context(
        ops="paddr",
        targets=[Target(pid="1,234", regions="4G-8G 9G-10G", obsolete="Y")],
        intervals=Intervals("5ms", "100 ms", "1 s", IntervalsGoal("4%", "3", "5ms", "10s")),
        nr_regions=NrRegions("10", "1,000"),
        addr_unit="4K",
        min_region_sz="1 KiB",
        pause="no",
    )
    assert context == Context(
        ops=Ops.PADDR,
        targets=[
            Target(
                pid=1234,
                regions=[AddressRange(2**32, 2**33), AddressRange(9 * 2**30, 10 * 2**30)],
                obsolete=True,
            )
        ],
        intervals=Intervals(
            sample_us=5_000,
            aggr_us=100_000,
            update_us=1_000_000,
            intervals_goal=IntervalsGoal(400, 3, 5_000, 10_000_000),
        ),
        nr_regions=NrRegions(10, 1000),
        addr_unit=4096,
        min_region_sz=1024,
        pause=False,
    )


def test_objects_everywhere() -> None:
    """Inner models may be given as the objects of a document."""
    kdamond = Kdamond(
        contexts=[{"ops": "fvaddr", "targets": [{"pid": 7, "regions": [{"start": 0, "end": 1}]}]}],
        refresh_ms="1 s",
    )
    assert kdamond.contexts[0].targets[0].regions == (AddressRange(0, 1),)
    assert kdamond.refresh_ms == 1000


def test_update_has_two_names() -> None:
    """The update interval also has the name that documents use."""
    fields: dict[str, Any] = {"ops_update_us": "1 s"}
    assert Intervals(**fields).update_us == 1_000_000


@pytest.mark.parametrize(
    ("sample_us", "aggr_us", "samples", "most"),
    [
        (5_000, 100_000, 20, 20),
        (5_000, 99_999, 19, 19),
        (0, 100, 100, 100),
        (0, 0, 0, 1),
        (7, 7, 1, 1),
        (1, 2**40, 2**40, 2**32 - 1),
    ],
)
def test_max_nr_accesses(sample_us: int, aggr_us: int, samples: int, most: int) -> None:
    """The largest count is aggregation by sampling interval, from 1 to 32 bits; 0 counts as 1."""
    intervals = Intervals(sample_us, aggr_us)
    assert (intervals.aggr_samples, intervals.max_nr_accesses) == (samples, most)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (
            lambda: Intervals(100_001, 100_000),
            ["sample_us: 100001 us is longer than aggr_us, 100000 us"],
        ),
        (
            lambda: Intervals(aggr_us=2**53 + 1),
            ["aggr_us: 9007199254740993 us is longer than 9007199254740992 us"],
        ),
        (
            lambda: Intervals(intervals_goal=IntervalsGoal(400, 3, 6_000, 10_000)),
            ["sample_us: 5000 us is outside the goal's range of 6000 to 10000 us"],
        ),
        (
            lambda: Intervals(intervals_goal=IntervalsGoal(400, 3, 1_000, 4_000)),
            ["sample_us: 5000 us is outside the goal's range of 1000 to 4000 us"],
        ),
        (
            lambda: Intervals(6, 5, intervals_goal=IntervalsGoal(0, 1, 9, 8)),
            [
                "intervals_goal.min_sample_us: 9 us is above max_sample_us, 8 us",
                "sample_us: 6 us is longer than aggr_us, 5 us",
            ],
        ),
        (lambda: NrRegions(2, 1000), ["min: 2 is too few; at least 3 regions are needed"]),
        (lambda: NrRegions(10, 9), ["max: 9 is below min, 10"]),
        (lambda: AddressRange(5, 5), ["start 5 must be below end 5"]),
        (lambda: AddressRange(6, 5), ["start 6 must be below end 5"]),
        (
            lambda: AddressRange(0, "max"),
            [f"end {U64_MAX} is above the largest address, {ADDRESS_MAX}"],
        ),
        (
            lambda: Target(regions="4G"),
            ["regions[0]: '4G' is not a range; expected start-end, e.g. 4G-8G"],
        ),
        (
            lambda: Context("addr"),
            ["ops: 'addr' is not an operations set; use one of vaddr, fvaddr, paddr"],
        ),
        (
            lambda: Context(Ops),
            [
                f"ops: <enum 'Ops'> is not an operations set; it lacks {', '.join(OPERATIONS_MEMBERS)}"
            ],
        ),
        (lambda: Context("paddr", [{}, {}]), ["targets: paddr has one target, not 2"]),
        (lambda: Context("paddr", addr_unit=0), ["addr_unit: 0 is too small; at least 1"]),
        (lambda: Context(addr_unit=8), ["addr_unit: 8 needs paddr; other sets take 1"]),
        (lambda: Context(min_region_sz=0), ["min_region_sz: 0 is not a power of two"]),
        (lambda: Context(min_region_sz=6000), ["min_region_sz: 6000 is not a power of two"]),
        (lambda: Kdamond([]), ["contexts: a kdamond runs one context, not 0"]),
        (lambda: Kdamond([{}, {}]), ["contexts: a kdamond runs one context, not 2"]),
    ],
)
def test_refused(make: Callable[[], object], wrong: list[str]) -> None:
    """What the kernel answers with EINVAL is refused with a path and a sentence."""
    assert problems_of(make) == wrong


def test_goal_off_is_not_checked() -> None:
    """A goal without aggregations is off, and its other fields may be anything."""
    assert Intervals(intervals_goal=IntervalsGoal(400, 0, 9, 8)).intervals_goal.min_sample_us == 9


def test_goal_bounds_are_inclusive() -> None:
    """The sampling interval may equal either bound of the goal."""
    goals = [IntervalsGoal(400, 3, 5_000, 5_000), IntervalsGoal(400, 3, 0, U64_MAX)]
    assert [Intervals(intervals_goal=goal).sample_us for goal in goals] == [5_000, 5_000]


def test_errors_have_an_errno() -> None:
    """Refused parameters are EINVAL and a DamonError, like everything that is refused."""
    with pytest.raises(DamonError, match="min: 0 is too few") as caught:
        NrRegions(0)
    assert caught.value.errno == 22


@pytest.mark.parametrize(
    ("regions", "wrong"),
    [
        ("0-8K 8K-12K 16K-20K", []),
        ("1-4095 4096-4097", []),
        ("8K-12K 0-8K", [1]),
        ("0-8K 4K-12K", [1]),
        ("0-4097 4098-5000", [1]),
        ("0-1M 4K-8K 8K-12K 1M-2M", [1, 2]),
        (f"0-{ADDRESS_MAX}", [0]),
        (f"0-{ADDRESS_MAX - PAGE + 1}", []),
    ],
)
def test_regions_are_apart(regions: str, wrong: list[int]) -> None:
    """Ranges ascend and do not overlap once they are rounded out to pages; touching is fine."""
    targets = [Target(regions=regions)]
    if not wrong:
        assert Context("paddr", targets).targets == tuple(targets)
        return
    told = problems_of(lambda: Context("paddr", targets))
    paths = [problem.partition(":")[0] for problem in told]
    assert paths == [f"targets[0].regions[{index}]" for index in wrong]


def test_smaller_unit_allows_more() -> None:
    """Ranges that overlap once rounded to pages may be apart for a smaller unit."""
    targets = [Target(regions="0-4097 4098-5000")]
    assert Context("paddr", targets, min_region_sz=1).targets == tuple(targets)


@given(st.integers(0, 2**62), st.integers(1, 2**61), st.integers(0, 30))
def test_rounding(start: int, size: int, power: int) -> None:
    """A rounded range covers the range, ends on units, and is less than two units longer."""
    unit = 2**power
    each = AddressRange(start, start + size)
    low, high = each.rounded(unit)
    assert low <= each.start < each.end <= high
    assert low % unit == high % unit == 0
    assert high - low - each.size < 2 * unit


@given(st.lists(st.integers(0, 2**20), min_size=2, max_size=12, unique=True), st.integers(0, 14))
def test_accepted_regions_hold_the_invariant(bounds: list[int], power: int) -> None:
    """Whatever a context accepts is sorted and disjoint after rounding."""
    bounds = sorted(bounds)[: len(bounds) // 2 * 2]
    regions = [AddressRange(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
    try:
        context = Context("paddr", [Target(regions=regions)], min_region_sz=2**power)
    except ParametersError:
        assert power > 0
        return
    rounded = [each.rounded(context.min_region_sz) for each in context.targets[0].regions]
    assert all(left[1] <= right[0] for left, right in pairwise(rounded))


def test_own_operations() -> None:
    """An object with the methods of an operations set is taken as it is."""
    own = OwnOperations()
    assert Context(own).ops is own


def test_own_operations_fit_the_protocol() -> None:
    """The members that are asked for are those of the protocol."""
    protocol = {name for name in vars(Operations) if not name.startswith("_")}
    assert set(OPERATIONS_MEMBERS) == protocol


def test_space_is_kept_as_it_is() -> None:
    """A space is the user's object: not copied, and not part of a dump."""
    space = object()
    target = Target(space=space)
    assert target.space is space
    assert "space" not in target.model_dump()


def test_ops_are_iterable() -> None:
    """The built-in operations sets can be listed, under the kernel's names."""
    assert list(Ops) == ["vaddr", "fvaddr", "paddr"]


def test_no_targets() -> None:
    """A context without targets is legal; its monitor ends at once (A11)."""
    assert Context(targets=[]).targets == ()
