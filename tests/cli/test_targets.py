"""What is monitored of a workload when the user has not said it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import BoolArray, IntArray
from damon_async.cli.options import ParameterOptions
from damon_async.cli.targets import Workload, context_of, covering, describe, with_spaces
from damon_async.errors import InvalidError, ParametersError
from damon_async.params.document import load_document
from damon_async.params.intervals import Intervals
from damon_async.params.monitoring import NrRegions, Ops
from damon_async.params.ranges import AddressRange
from damon_async.spaces.space import Mapping, Truth

PAGE = 4096


class Mapped:
    """Memory that is only mapped."""

    is_pure = True
    lifetime_us = None

    def __init__(self, *mappings: tuple[int, int]) -> None:
        self.ranges = [Mapping(start * PAGE, end * PAGE) for start, end in mappings]

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        return self.ranges

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        raise NotImplementedError

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        raise NotImplementedError


def workload(*mappings: tuple[int, int]) -> Workload:
    """Return a workload that maps ranges of pages."""
    return Workload("some.cfg", Mapped(*mappings))


PROCESS = workload((1, 2), (100, 150), (300, 301))
BLOCK = workload((16, 32))


def pages(*ranges: tuple[int, int]) -> tuple[AddressRange, ...]:
    """Return ranges of pages."""
    return tuple(AddressRange(start * PAGE, end * PAGE) for start, end in ranges)


def test_process_is_vaddr() -> None:
    """What has three ranges is monitored as a process, its ranges left to vaddr."""
    context = context_of(ParameterOptions(), [PROCESS])

    assert context.ops is Ops.VADDR
    assert context.targets[0].regions == ()
    assert context.targets[0].space is PROCESS.space
    assert describe(context) == "vaddr, following the mappings"


def test_anything_else_is_fvaddr_over_its_mappings() -> None:
    """What has fewer ranges is monitored where it maps something."""
    context = context_of(ParameterOptions(), [BLOCK])

    assert context.ops is Ops.FVADDR
    assert context.targets[0].regions == pages((16, 32))
    assert describe(context) == "fvaddr, 1 range, 64.000 KiB"


def test_one_odd_workload_makes_all_fvaddr() -> None:
    """A context has one operations set, so all workloads must be processes."""
    context = context_of(ParameterOptions(), [PROCESS, BLOCK])

    assert context.ops is Ops.FVADDR
    assert [len(target.regions) for target in context.targets] == [3, 1]
    assert describe(context) == "fvaddr, 4 ranges, 272.000 KiB"


def test_given_ranges_mean_fvaddr() -> None:
    """As with damo, a process with --regions is monitored with fvaddr."""
    context = context_of(ParameterOptions(regions=pages((3, 9))), [PROCESS])

    assert context.ops is Ops.FVADDR
    assert context.targets[0].regions == pages((3, 9))


def test_given_operations_set_wins() -> None:
    """--ops decides, with and without ranges."""
    options = ParameterOptions(ops="vaddr", regions=pages((3, 9)))

    assert context_of(options, [PROCESS]).ops is Ops.VADDR
    assert context_of(options, [PROCESS]).targets[0].regions == pages((3, 9))
    assert context_of(ParameterOptions(ops="paddr"), [PROCESS]).ops is Ops.PADDR


def test_vaddr_needs_a_process() -> None:
    """--ops vaddr is refused where there are no three ranges."""
    with pytest.raises(InvalidError, match=r"^some.cfg: vaddr needs the three ranges.*1 mappings"):
        context_of(ParameterOptions(ops="vaddr"), [BLOCK])


def test_nothing_mapped_is_refused() -> None:
    """A workload without memory cannot be monitored."""
    with pytest.raises(InvalidError, match=r"^some.cfg: maps no memory at its beginning"):
        context_of(ParameterOptions(), [workload()])


def test_address_unit() -> None:
    """With a unit, ranges and the smallest region count units, and still cover everything."""
    options = ParameterOptions(ops="paddr", damon_addr_unit=8192)
    context = context_of(options, [workload((3, 5))])

    assert context.addr_unit == 8192
    assert context.min_region_sz == 1
    assert context.targets[0].regions == (AddressRange(1, 3),)
    assert describe(context) == "paddr, 1 range, 16.000 KiB"


@pytest.mark.parametrize(
    ("options", "workloads", "message"),
    [
        (ParameterOptions(ops="paddr"), [BLOCK, BLOCK], "^targets: paddr has one target, not 2"),
        (ParameterOptions(damon_addr_unit=8), [BLOCK], "^addr_unit: 8 needs paddr"),
        (ParameterOptions(ops="paddr", damon_addr_unit=0), [BLOCK], "^addr_unit: 0 is too small"),
        (ParameterOptions(ops="paddr", damon_addr_unit=3), [BLOCK], "not a power of two"),
    ],
)
def test_impossible_combinations(
    options: ParameterOptions, workloads: list[Workload], message: str
) -> None:
    """Combinations that the models refuse are refused."""
    with pytest.raises(ParametersError, match=message):
        context_of(options, workloads)


def test_parameters_come_from_the_options() -> None:
    """Intervals and bounds are those of the options."""
    context = context_of(ParameterOptions(sample=1_000, maxr=50), [PROCESS])

    assert context.intervals == Intervals(1_000, 100_000, 1_000_000)
    assert context.nr_regions == NrRegions(10, 50)


def test_few_gaps_stay_open() -> None:
    """Ranges that are only a little apart become one, the nearest first."""
    spread = workload((0, 1), (2, 3), (10, 11), (13, 14), (100, 101))

    assert covering(spread, 10, 1) == pages((0, 1), (2, 3), (10, 11), (13, 14), (100, 101))
    assert covering(spread, 3, 1) == pages((0, 3), (10, 14), (100, 101))
    assert covering(spread, 1, 1) == pages((0, 101))


def test_touching_mappings_are_one_range() -> None:
    """Where no gap is, none stays open."""
    assert covering(workload((0, 1), (1, 3)), 10, 1) == pages((0, 3))


@given(
    st.lists(st.integers(1, 50), min_size=2, max_size=40).filter(lambda cuts: len(cuts) % 2 == 0),
    st.integers(1, 12),
)
def test_ranges_hold_all_mappings(steps: list[int], max_nr_ranges: int) -> None:
    """Whatever is mapped lies in some range, and there are not too many of them."""
    cuts = np.cumsum(steps).tolist()
    mapped = workload(*zip(cuts[::2], cuts[1::2], strict=True))

    ranges = covering(mapped, max_nr_ranges, 1)

    assert len(ranges) <= max_nr_ranges
    for mapping in mapped.space.mappings(0):
        assert any(r.start <= mapping.start and mapping.end <= r.end for r in ranges)


def document(ops: str, regions: str) -> str:
    """Return a parameter document with one target."""
    return f'[{{"contexts": [{{"ops": "{ops}", "targets": [{{"pid": null, "regions": {regions}}}]}}]}}]'


def test_document_gets_its_memory() -> None:
    """Targets of a document get a space each; open ranges are filled in."""
    (kdamond,) = load_document(document("fvaddr", "[]"))

    context = with_spaces(kdamond.contexts[0], [BLOCK])

    assert context.targets[0].space is BLOCK.space
    assert context.targets[0].regions == pages((16, 32))


def test_document_with_an_address_unit() -> None:
    """A document that does not say how small regions may be gets a page's worth of units."""
    text = document("paddr", "[]").replace('"ops"', '"addr_unit": "1024 B", "ops"')
    (kdamond,) = load_document(text)

    context = with_spaces(kdamond.contexts[0], [BLOCK])

    assert context.min_region_sz == 4
    assert context.targets[0].regions == (AddressRange(64, 128),)


def test_document_with_an_odd_address_unit() -> None:
    """A unit that does not divide a page into a power of two is refused."""
    text = document("paddr", "[]").replace('"ops"', '"addr_unit": "3 B", "ops"')
    (kdamond,) = load_document(text)

    with pytest.raises(ParametersError, match=r"^min_region_sz: 1365 is not a power of two"):
        with_spaces(kdamond.contexts[0], [BLOCK])


def test_document_keeps_its_ranges() -> None:
    """Ranges of a document stay."""
    (kdamond,) = load_document(document("fvaddr", '[{"start": "8K", "end": "16K"}]'))

    context = with_spaces(kdamond.contexts[0], [BLOCK])

    assert context.targets[0].regions == pages((2, 4))


def test_document_with_vaddr_needs_a_process() -> None:
    """A document that asks for vaddr is held against the workload as well."""
    (kdamond,) = load_document(document("vaddr", "[]"))

    assert with_spaces(kdamond.contexts[0], [PROCESS]).targets[0].regions == ()
    with pytest.raises(InvalidError, match=r"^some.cfg: vaddr needs"):
        with_spaces(kdamond.contexts[0], [BLOCK])
