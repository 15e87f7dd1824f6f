"""What holds for every pattern: a pure function of time that agrees with itself."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import BoolArray, IntArray
from damon_async.spaces.bands import Bands, Stroke
from damon_async.spaces.layout import MMAP_TOP, as_process
from damon_async.spaces.masim import masim_space
from damon_async.spaces.masim_config import parse_masim
from damon_async.spaces.patterns import PatternSpace
from damon_async.spaces.phases import Phase, either
from damon_async.spaces.process_table import TOUCHED, UNDECIDED, UNTOUCHED, ProcessTable
from damon_async.spaces.processes import ALWAYS, FIRST_NUMBER, Process, Random, Sweep
from damon_async.spaces.space import Mapping, Space
from damon_async.spaces.timeline import Timeline
from damon_async.spaces.workload import open_workload

PAGE = 4096
SIZE = 256 * PAGE

# Small spaces of every kind, with phases short enough to be crossed often.
SPECS = [
    "uniform:size=1M,rate=200",
    "uniform:size=1M,rate=0",
    "zipf:size=1M,total=20000",
    "zipf:size=1M,total=20000,scatter=16K",
    "scan:size=1M,bytes_per_s=100M",
    "stairs:size=1M,step=7ms,rate=300,cold=20",
    "zigzag:size=1M,steps=4,step=3ms",
    "phases:size=1M,plan=5ms@0-64K+512K-1M/2ms@/9ms@128K-256K",
    "diurnal:size=1M,day=512K,night=16K,period=40ms,steps=9",
    "hotspot:size=1M,hot=64K,cold=100,duration=31ms",
    "noisy:size=1M,blocks=20,rate=400,cold=5",
    "noisy:size=1M,blocks=20,page_size=16K",
]

MASIM = """\
a, 300000
b, 500000

mixed
11
a, 1, 64, 2
b, 0, 4096, 1
b, 0, 640, 1

idle
4
a, 1, 64, 0

alone
9
a, 0, 5000, 1
"""


def open_space(spec: str) -> PatternSpace:
    """Open a small space by its spec."""
    if spec == "masim":
        return masim_space(parse_masim(MASIM), seed=3)
    space = open_workload(spec, seed=3)
    assert isinstance(space, PatternSpace)
    return space


spaces = st.sampled_from([*SPECS, "masim"]).map(open_space)
instants = st.integers(0, 50_000)


def big_mappings(space: Space) -> list[Mapping]:
    """Return the mappings that a pattern is about."""
    return [m for m in space.mappings(0) if m.name not in {"binary", "heap", "stack"}]


def some_addresses(space: Space, nr: int = 60) -> IntArray:
    """Draw addresses in and a little around the memory; shape (1, nr)."""
    mapped = big_mappings(space)
    rng = np.random.default_rng(nr)
    low, high = mapped[0].start - 20 * PAGE, mapped[-1].end + 20 * PAGE
    return np.sort(rng.integers(low, high, nr))[None, :]


def ask(space: Space, addresses: IntArray, *windows: tuple[int, int]) -> BoolArray:
    """Ask about some windows."""
    bounds = np.array(windows)
    return space.accessed(addresses, bounds[:, :1], bounds[:, 1:])


@pytest.mark.parametrize("spec", [*SPECS, "masim"])
def test_protocol(spec: str) -> None:
    """Every pattern is a pure space, with sorted mappings in whole pages."""
    space = open_space(spec)
    assert isinstance(space, Space)
    assert space.is_pure
    for lower, upper in pairwise(space.mappings(0)):
        assert lower.end <= upper.start
    for start, end, page_size, _ in space.mappings(0):
        assert start % page_size == end % page_size == 0
        assert start < end


@given(spaces, st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_union(space: PatternSpace, bounds: list[int]) -> None:
    """A window is touched exactly where one of its two parts is."""
    since, middle, until = bounds
    addresses = some_addresses(space)
    whole = ask(space, addresses, (since, until))
    parts = ask(space, addresses, (since, middle), (middle, until))
    assert (whole[0] == parts.any(axis=0)).all()


@given(spaces, st.lists(instants, min_size=2, max_size=12).map(sorted))
def test_one_row_at_a_time(space: PatternSpace, bounds: list[int]) -> None:
    """Many windows in one call get the answers that each gets alone, or for addresses of its own."""
    windows = list(pairwise(bounds))
    addresses = some_addresses(space)
    together = ask(space, addresses, *windows)
    each = np.concatenate([ask(space, addresses, window) for window in windows])
    assert (together == each).all()
    repeated = np.repeat(addresses, len(windows), axis=0)
    assert (together == ask(space, repeated, *windows)).all()


@given(spaces, st.lists(instants, min_size=2, max_size=5).map(sorted), st.integers(1, 59))
def test_addresses_are_independent(space: PatternSpace, bounds: list[int], cut: int) -> None:
    """An address gets the same answer whatever else is asked for."""
    windows = list(pairwise(bounds))
    addresses = some_addresses(space)
    left, right = (ask(space, part, *windows) for part in (addresses[:, :cut], addresses[:, cut:]))
    assert (ask(space, addresses, *windows) == np.hstack([left, right])).all()


@given(spaces, st.lists(instants, min_size=2, max_size=9).map(sorted))
def test_count(space: PatternSpace, bounds: list[int]) -> None:
    """Counting the windows of a page gives what asking about each of them gives."""
    addresses, edges = some_addresses(space), np.array(bounds)
    asked = ask(space, addresses, *pairwise(bounds)).sum(axis=0)
    assert space.count(addresses[0], edges[:-1], edges[1:]).tolist() == asked.tolist()


@given(spaces, instants, st.integers(0, 20_000))
def test_pages_are_units(space: PatternSpace, since: int, length: int) -> None:
    """All bytes of a page get one answer."""
    page_size = space.page_size
    starts = some_addresses(space) // page_size * page_size
    window = since, since + length
    first = ask(space, starts, window)
    for inside in (1, page_size // 2, page_size - 1):
        assert (ask(space, starts + inside, window) == first).all()


@given(spaces, instants)
def test_no_time(space: PatternSpace, at: int) -> None:
    """Nothing is touched in a window of no length."""
    assert not ask(space, some_addresses(space), (at, at)).any()


@given(spaces, instants, st.integers(1, 10_000))
def test_unmapped(space: PatternSpace, since: int, length: int) -> None:
    """Nothing is touched where nothing is mapped."""
    low, high = big_mappings(space)[0].start, big_mappings(space)[-1].end
    outside = np.array([[0, PAGE, low - 1, high, high + PAGE, 2**47, 2**63 - 1]])
    assert not ask(space, outside, (since, since + length)).any()


@given(spaces, st.integers(-(10**6), 0))
def test_before_the_beginning(space: PatternSpace, since: int) -> None:
    """Before time 0 nothing was touched, and a window from there is one from 0."""
    addresses = some_addresses(space)
    assert not ask(space, addresses, (since, 0)).any()
    early, late = ask(space, addresses, (since, 4_000)), ask(space, addresses, (0, 4_000))
    assert (early == late).all()


@pytest.mark.parametrize("spec", ["masim", "hotspot:size=1M,hot=64K,cold=100,duration=31ms"])
def test_after_the_end(spec: str) -> None:
    """After its lifetime a space is empty, and windows are cut there."""
    space = open_space(spec)
    assert space.lifetime_us is not None
    end = space.lifetime_us
    addresses = some_addresses(space)
    assert not ask(space, addresses, (end, end + 50_000)).any()
    cut, over = ask(space, addresses, (end - 900, end)), ask(space, addresses, (end - 900, end + 9))
    assert (cut == over).all()
    assert not space.mappings(end)
    assert space.mappings(end - 1) == space.mappings(0)


@pytest.mark.parametrize("spec", SPECS)
def test_same_seed_same_space(spec: str) -> None:
    """Two spaces of one recipe are alike, whatever was asked before."""
    one, two = open_space(spec), open_space(spec)
    addresses = some_addresses(one)
    ask(one, addresses, (40_000, 41_000))
    windows = list(pairwise(range(0, 30_000, 700)))
    assert (ask(one, addresses, *windows) == ask(two, addresses, *windows)).all()


@pytest.mark.parametrize("spec", [SPECS[0], SPECS[3], SPECS[5], SPECS[10]])
def test_other_seed_other_space(spec: str) -> None:
    """Another seed gives other touches."""
    one, two = open_space(spec), open_workload(spec, seed=4)
    addresses = some_addresses(one, 300)
    windows = list(pairwise(range(0, 30_000, 700)))
    assert (ask(one, addresses, *windows) != ask(two, addresses, *windows)).any()


@pytest.mark.parametrize("spec", [SPECS[0], SPECS[5], "masim"])
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (3, 0)])
def test_nothing_asked(spec: str, shape: tuple[int, int]) -> None:
    """No addresses or no windows get no answers, in the right shape."""
    space = open_space(spec)
    since = np.zeros((shape[0], 1), np.int64)
    assert space.accessed(np.zeros(shape, np.int64), since, since + 5).shape == shape


def test_many_undecided() -> None:
    """Answers do not depend on how many pages are looked at one by one."""
    space = open_space("uniform:size=1G,rate=100")
    [(low, high, *_)] = big_mappings(space)
    addresses = np.sort(np.random.default_rng(0).integers(low, high, (20, 1000)), axis=1)
    since = 5_000 * np.arange(20)[:, None]
    together = space.accessed(addresses, since, since + 5_000)
    for row in range(0, 20, 7):
        window = since[row : row + 1]
        alone = space.accessed(addresses[row : row + 1], window, window + 5_000)
        assert (together[row] == alone[0]).all()


def test_answers_are_new() -> None:
    """An answer may be changed by who asked, and the question is left as it was."""
    space = open_space("noisy:size=1M,blocks=20")
    addresses = some_addresses(space)
    before = addresses.copy()
    first = ask(space, addresses, (0, 5_000))
    kept = first.copy()
    first[:] = ~first
    assert (ask(space, addresses, (0, 5_000)) == kept).all()
    assert (addresses == before).all()


def layered_phase(*processes: Process) -> Phase:
    """Put processes on the same 256 pages, each in a layer of its own."""
    start = MMAP_TOP - SIZE
    layers = [
        Bands.painted([Stroke(start, MMAP_TOP, FIRST_NUMBER + number)])
        for number in range(len(processes))
    ]
    return Phase(layers, ProcessTable(processes, PAGE))


def test_layers() -> None:
    """A page is touched if a process of any layer touches it."""
    start = MMAP_TOP - SIZE
    random, sweep = Random(10_000_000, 4), Sweep(start, SIZE, PAGE, 0, 0, 1, 100_000)
    pages = np.arange(start, MMAP_TOP, PAGE)[None, :]
    since, until = 5_000 * np.arange(8), 5_000 * np.arange(1, 9)
    both, one, other = (
        layered_phase(*chosen).touched(pages, since, until, 0)
        for chosen in ((random, sweep), (random,), (sweep,))
    )
    assert (both == one | other).all()
    assert (both != one).any()
    assert (both != other).any()


def test_still_layers() -> None:
    """Layers of always and never are put together as well."""
    halves = [
        Bands.painted([Stroke(0, 10, ALWAYS)]),
        Bands.painted([Stroke(20, 30, ALWAYS)]),
    ]
    phase = Phase(halves, ProcessTable((), PAGE))
    addresses = np.array([[5, 15, 25]])
    touched = phase.touched(addresses, np.array([0, 7]), np.array([5, 7]), 0)
    assert touched.tolist() == [[True, False, True], [False] * 3]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (UNTOUCHED, UNTOUCHED, UNTOUCHED),
        (UNTOUCHED, TOUCHED, TOUCHED),
        (UNTOUCHED, UNDECIDED, UNDECIDED),
        (TOUCHED, TOUCHED, TOUCHED),
        (TOUCHED, UNDECIDED, TOUCHED),
        (UNDECIDED, UNDECIDED, UNDECIDED),
    ],
)
def test_either(one: int, other: int, both: int) -> None:
    """Two processes together are certain if one touches, or none does."""
    left, right = np.array([one], np.uint8), np.array([other], np.uint8)
    assert either(left, right).tolist() == either(right, left).tolist() == [both]


def test_phases_are_made_when_needed() -> None:
    """Phases are made on demand, and few are kept at a time."""
    made: list[int] = []

    def phase(index: int) -> Phase:
        made.append(index)
        return layered_phase(Random(10**6, index))

    mapping = Mapping(MMAP_TOP - SIZE, MMAP_TOP)
    space = PatternSpace(as_process([mapping]), Timeline([1_000] * 50, 0), phase, PAGE, "many")
    assert made == []
    ask(space, some_addresses(space), (0, 500), (500, 1_000))
    assert made == [0]
    ask(space, some_addresses(space), (1_000, 3_000))
    assert made == [0, 1, 2]
    assert repr(space).startswith("<PatternSpace 'many': 50 phases, for ever, ")
    assert repr(phase(0)) == "<Phase of 1 layers and 3 processes>"


@pytest.mark.parametrize("spec", ["hotspot:size=16T", "zipf:size=16T,scatter=2M", "noisy:size=16T"])
def test_memory_does_not_grow(spec: str) -> None:
    """A pattern of 16 TiB takes less than 10 MB, the questions to it included."""
    tracemalloc.start()
    try:
        space = open_workload(spec)
        addresses = np.linspace(MMAP_TOP - 2**44, MMAP_TOP - 1, 1000).astype(np.int64)[None, :]
        since = 5_000 * np.arange(20)[:, None]
        space.accessed(np.repeat(addresses, 20, axis=0), since, since + 5_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("spec", [*SPECS, "masim"])
@given(data=st.data())
def test_runs_of_ranges_are_the_truth(spec: str, data: st.DataObject) -> None:
    """What was touched of many ranges at once is the truth about each of them."""
    space = open_space(spec)
    mapping = max(space.mappings(0), key=lambda each: each.end - each.start)
    nr_pages = (mapping.end - mapping.start) // PAGE
    cuts = data.draw(
        st.lists(st.integers(0, nr_pages), min_size=2, max_size=8, unique=True).map(sorted)
    )
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    ranges = mapping.start + PAGE * np.array(list(pairs), np.int64)
    since = data.draw(st.integers(0, 30_000))
    until = since + data.draw(st.integers(1, 30_000))
    found = np.zeros(nr_pages, np.int64)
    for low, high in (space.touched_runs(ranges, since, until) - mapping.start).tolist():
        found[low // PAGE : -(-high // PAGE)] += 1
    expected = np.zeros(nr_pages, np.int64)
    for low, high in ranges.tolist():
        truth = space.truth(low, high, np.array([since, until]))
        pages = (truth.bounds - mapping.start) // PAGE
        for index in np.flatnonzero(truth.counts).tolist():
            expected[pages[index] : pages[index + 1]] = 1
    assert (found > 0).tolist() == (expected > 0).tolist()
