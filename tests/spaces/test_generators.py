"""Recipes for memory: what is hot, when, and how hot."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import FloatArray
from damon_async.errors import ParametersError
from damon_async.params.ranges import AddressRange
from damon_async.spaces.generator_base import Generator, Layout
from damon_async.spaces.generators import (
    Diurnal,
    Hotspot,
    Noisy,
    Phases,
    PlannedPhase,
    Scan,
    Stairs,
    Uniform,
    Zigzag,
)
from damon_async.spaces.layout import MMAP_TOP, PHYSICAL_START
from damon_async.spaces.options import build
from damon_async.spaces.phases import Phase
from damon_async.spaces.space import Truth

PAGE = 4096
MIB = 1024**2
S = 1_000_000


def truth_of(generator: Generator, since_us: int, until_us: int, step_us: int = 5_000) -> Truth:
    """Look at all of the memory in adjoining intervals."""
    area = generator.area
    instants = np.arange(since_us, until_us + 1, step_us)
    return generator.space().truth(area.start, area.end, instants)


def hot_ranges(generator: Generator, now_us: int) -> list[tuple[int, int]]:
    """Return the ranges that are touched all the time, as offsets, in MiB."""
    truth = truth_of(generator, now_us, now_us + 10_000)
    start = generator.area.start
    return [
        (int(low - start) // MIB, int(high - start) // MIB)
        for (low, high), count in zip(pairwise(truth.bounds), truth.counts, strict=True)
        if count == truth.nr_intervals
    ]


def page_rates(generator: Generator, until_us: int, step_us: int = 5_000) -> FloatArray:
    """Return the share of intervals in which each page is touched."""
    truth = truth_of(generator, 0, until_us, step_us)
    sizes = np.diff(truth.bounds) // generator.page_size
    return np.repeat(truth.counts / truth.nr_intervals, sizes)


def test_area() -> None:
    """The memory of a process ends where its big mappings end, in whole pages."""
    area = Uniform(size=PAGE + 1).area
    assert area == (MMAP_TOP - 2 * PAGE, MMAP_TOP, PAGE)
    assert area.nr_pages == 2
    assert Uniform(size=PAGE, page_size=2 * MIB).area.start == MMAP_TOP - 2 * MIB


def test_layouts() -> None:
    """Memory has a process around it, or stands alone from 4 GiB."""
    process, flat = Uniform().space(), Uniform(layout=Layout.FLAT).space()
    assert [m.name for m in process.mappings(0)] == ["binary", "heap", "uniform", "stack"]
    assert flat.mappings(0) == (((PHYSICAL_START, PHYSICAL_START + 2**30, PAGE, "uniform")),)


def test_duration() -> None:
    """Memory lives as long as one says, or for ever."""
    assert Stairs().space().lifetime_us is None
    assert Stairs(duration_us=7 * S).space().lifetime_us == 7 * S


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("size=0", "size: Input should be greater than 0"),
        ("size=17T", "size: Input should be less than or equal to"),
        ("size=4k", "size: '4k' is not a size"),
        ("page_size=6K", "page_size: 6144 is not a page size"),
        ("rate=-1", "rate_hz: '-1' is not a number"),
        ("rate=10000000", "rate_hz: Input should be less than or equal to"),
        ("seed=0.5", "seed: '0.5' is not a count"),
        ("layout=round", "layout: Input should be 'process' or 'flat'"),
        ("duration=soon", "duration_us: 'soon' is not a time"),
    ],
)
def test_wrong_options(text: str, problem: str) -> None:
    """Every option says what is wrong with it."""
    with pytest.raises(ParametersError, match=f"^{problem}"):
        build(Uniform, text, {})


@pytest.mark.parametrize("rate_hz", [1.0, 10.0, 50.0])
def test_uniform(rate_hz: float) -> None:
    """Every page is touched at its rate."""
    rates = page_rates(Uniform(size=16 * MIB, rate_hz=rate_hz), 2 * S)
    assert rates.mean() / 0.005 == pytest.approx(rate_hz, rel=0.03)
    # Pages differ by chance, not by kind.
    halves = np.array_split(rates, 2)
    assert halves[0].mean() == pytest.approx(halves[1].mean(), rel=0.1)


def test_uniform_always() -> None:
    """A rate of 0 means in every interval."""
    assert truth_of(Uniform(rate_hz=0), 0, 100, 1).counts.tolist() == [100]


def test_uniform_huge_pages() -> None:
    """The rate is that of a page, however big it is."""
    small = Uniform(size=20 * MIB, rate_hz=20)
    huge = Uniform(size=2**34, rate_hz=20, page_size=2 * MIB)
    assert page_rates(small, S).mean() == pytest.approx(page_rates(huge, S).mean(), rel=0.05)


@pytest.mark.parametrize("bytes_per_s", [10 * MIB, 1024 * MIB, 30_000 * MIB])
def test_scan(bytes_per_s: int) -> None:
    """In a window a scan touches what it passes, page after page, and then starts again."""
    generator = Scan(size=64 * MIB, bytes_per_s=bytes_per_s)
    window_us = 2_000
    pages = bytes_per_s * window_us / S / PAGE
    truth = truth_of(generator, 0, 100 * window_us, window_us)
    touches = int((np.diff(truth.bounds) // PAGE * truth.counts).sum())
    assert touches / 100 == pytest.approx(min(pages, generator.area.nr_pages), rel=0.01)


def test_scan_moves_up() -> None:
    """A scan goes upwards and reaches the end after the time that its speed says."""
    generator = Scan(size=100 * PAGE, bytes_per_s=100 * PAGE)
    firsts = []
    for tenth in range(10):
        truth = truth_of(generator, tenth * S // 10, (tenth + 1) * S // 10, S // 10)
        touched = truth.bounds[:-1][truth.counts > 0]
        firsts.append((int(touched[-1]) - generator.area.start) // PAGE)
    assert firsts[:9] == [1 + 10 * tenth for tenth in range(9)]


def test_slow_scan() -> None:
    """A scan may take days for a page, and be as exact then."""
    generator = Scan(size=2 * PAGE, bytes_per_s=1)
    truth = truth_of(generator, 4095 * S, 4097 * S, S)
    assert truth.counts.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("step", "now_s"), [(0, 0), (0, 4.9), (1, 5), (9, 49.9), (0, 50), (3, 50_000_017)]
)
def test_stairs(step: int, now_s: float) -> None:
    """Stairs move up a step at a time, then start again at the bottom."""
    assert hot_ranges(Stairs(size=100 * MIB), int(now_s * S)) == [(step * 10, step * 10 + 10)]


def test_steps_cover_all() -> None:
    """Steps cover the memory without gaps, whatever its size."""
    generator = Stairs(size=17 * PAGE, steps=5, step_us=1_000)
    bounds = [truth_of(generator, at, at + 1_000, 1_000).bounds for at in range(0, 5_000, 1_000)]
    tops = [int(found[-2] if step < 4 else found[-1]) for step, found in enumerate(bounds)]
    assert tops == [generator.area.start + PAGE * end for end in (3, 6, 10, 13, 17)]


def test_zigzag() -> None:
    """A zigzag goes up and comes down the same way."""
    generator = Zigzag(size=4 * MIB, steps=4, step_us=S)
    found = [hot_ranges(generator, now * S)[0][0] for now in range(8)]
    assert found == [0, 1, 2, 3, 2, 1, 0, 1]


@pytest.mark.parametrize(("steps", "expected"), [(1, [0, 0, 0]), (2, [0, 1, 0])])
def test_short_zigzag(steps: int, expected: list[int]) -> None:
    """A zigzag of two steps alternates, as masim's does; one of one step stays."""
    generator = Zigzag(size=2 * MIB, steps=steps, step_us=S)
    assert [hot_ranges(generator, now * S)[0][0] for now in range(3)] == expected


def test_phases() -> None:
    """A plan is followed phase by phase, and starts again."""
    text = "size=1G,plan=5s@0-64M+512M-513M/2s@/1s@1M-2M"
    generator = build(Phases, text, {})
    assert generator.plan == (
        PlannedPhase(
            duration_us=5 * S, hot=(AddressRange(0, 2**26), AddressRange(2**29, 513 * MIB))
        ),
        PlannedPhase(duration_us=2 * S),
        PlannedPhase(duration_us=S, hot=(AddressRange(MIB, 2 * MIB),)),
    )
    found = [hot_ranges(generator, now * S) for now in (0, 5, 7, 8)]
    both = [(0, 64), (512, 513)]
    assert found == [both, [], [(1, 2)], both]


def test_ranges_in_whole_pages() -> None:
    """A range of a plan covers every page that it touches."""
    generator = build(Phases, "size=1M,plan=1s@5000-9000", {})
    truth = truth_of(generator, 0, 10)
    start = generator.area.start
    assert truth_of(generator, 0, 5_000).bounds.tolist()[1:3] == [start + PAGE, start + 3 * PAGE]
    assert truth.nr_intervals == 0


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        ("5s", r"plan\[0\]: '5s' is not a phase; expected TIME@START-END, e.g. 5s@0-64M"),
        ("x@0-1", r"plan\[0\].duration_us: 'x' is not a time"),
        ("1s@2-1", r"plan\[0\].hot\[0\]: start 2 must be below end 1"),
        ("1s@/1s@0-2G", r"plan\[1\]: 2147483648 is past the end of the memory, 1073741824"),
        ("", r"plan\[0\]: '' is not a phase"),
    ],
)
def test_wrong_plans(plan: str, problem: str) -> None:
    """A wrong plan is refused with the place of the mistake."""
    with pytest.raises(ParametersError, match=f"^{problem}"):
        build(Phases, f"plan={plan}", {})


def test_empty_plan() -> None:
    """A plan has at least one phase."""
    with pytest.raises(ParametersError, match=r"plan: .* should have at least 1 item"):
        Phases(plan=())


def test_diurnal_size() -> None:
    """The hot set is smallest at midnight and biggest at midday."""
    generator = Diurnal(size=1024 * MIB, day=256 * MIB, night=64 * MIB, period_us=24 * S, steps=24)
    sizes = [sum(high - low for low, high in hot_ranges(generator, hour * S)) for hour in range(24)]
    assert sizes[0] == pytest.approx(64, abs=3)
    assert sizes[12] == pytest.approx(256, abs=3)
    # Bounds are cut down to whole MiB here.
    assert sizes == pytest.approx(sizes[::-1], abs=1)
    assert sizes[:12] == sorted(sizes[:12])


def test_diurnal_place() -> None:
    """The hot set goes once through the memory in a day, and around its end."""
    generator = Diurnal(size=1024 * MIB, day=256 * MIB, night=256 * MIB, period_us=8 * S, steps=8)
    found = [hot_ranges(generator, hour * S) for hour in range(9)]
    assert found[:7] == [[(128 * hour, 128 * hour + 256)] for hour in range(7)]
    assert found[7] == [(0, 128), (896, 1024)]
    assert found[8] == found[0]


def test_diurnal_sets_fit() -> None:
    """Hot sets that are bigger than the memory are refused."""
    with pytest.raises(
        ParametersError, match=r"2 problems: day: 268435456 bytes do not fit.*night:"
    ):
        Diurnal(size=MIB)


def test_hotspot() -> None:
    """The hot block is where one says."""
    assert hot_ranges(Hotspot(at=2**40, hot=MIB), 10**12) == [(MIB, MIB + 1)]


@given(st.integers(0, 2**64), st.integers(1, 2**44))
def test_hotspot_is_inside(seed: int, size: int) -> None:
    """A block whose place is drawn lies inside the memory, in its full size."""
    generator = Hotspot(size=size, hot=min(size, MIB), seed=seed)
    truth = truth_of(generator, 0, 5_000)
    hot = [
        int(high - low)
        for (low, high), count in zip(pairwise(truth.bounds), truth.counts, strict=True)
        if count
    ]
    assert hot == [-(-min(size, MIB) // PAGE) * PAGE]


def test_hotspots_differ() -> None:
    """Another seed draws another place."""
    places = {tuple(hot_ranges(Hotspot(seed=seed), 0)) for seed in range(5)}
    assert len(places) == 5


def test_hotspot_must_fit() -> None:
    """A block that ends after the memory is refused."""
    with pytest.raises(ParametersError, match="a hot block of 67108864 bytes at 1024 ends after"):
        Hotspot(size=64 * MIB, at=1024)


def test_cold_rate() -> None:
    """Cold pages may be touched now and then, beside hot ones that always are."""
    generator = Hotspot(size=16 * MIB, hot=MIB, at=0, cold_hz=2)
    rates = page_rates(generator, 2 * S)
    assert rates[:256].min() == 1
    assert rates[256:].mean() / 0.005 == pytest.approx(2, rel=0.1)


def test_both_rates() -> None:
    """Hot pages may be touched at random as well, only more often."""
    generator = Hotspot(size=16 * MIB, hot=8 * MIB, at=0, rate_hz=50, cold_hz=2)
    hot, cold = np.array_split(page_rates(generator, 2 * S), 2)
    assert hot.mean() / 0.005 == pytest.approx(50, rel=0.03)
    assert cold.mean() / 0.005 == pytest.approx(2, rel=0.1)


def test_noisy() -> None:
    """As many blocks are hot as the chance says, with bounds all over the memory."""
    truth = truth_of(Noisy(size=2**34, blocks=4_000, hot_bp=2_500), 0, 5_000)
    sizes = np.diff(truth.bounds)
    assert sizes[truth.counts > 0].sum() / sizes.sum() == pytest.approx(0.25, abs=0.05)
    # Neighbours of one kind look like one block.
    assert len(truth.counts) == pytest.approx(4_000 * 2 * 0.25 * 0.75, rel=0.1)
    assert sizes.min() >= PAGE


@pytest.mark.parametrize(("hot_bp", "counts"), [(0, [0]), (10_000, [1])])
def test_one_kind_of_noise(hot_bp: int, counts: list[int]) -> None:
    """All blocks may be hot, or none."""
    assert truth_of(Noisy(hot_bp=hot_bp), 0, 5_000).counts.tolist() == counts


def test_blocks_of_one_page() -> None:
    """There are as many blocks as pages at most."""
    assert truth_of(Noisy(size=MIB, blocks=256), 0, 5_000).bounds[-1] == MMAP_TOP
    with pytest.raises(ParametersError, match="257 blocks need more than 256 pages"):
        Noisy(size=MIB, blocks=257)


def test_recipes_are_values() -> None:
    """Two recipes with the same fields are equal, and cannot be changed."""
    assert Noisy(blocks=5) == Noisy(blocks=5) != Noisy(blocks=6)
    with pytest.raises(ValueError, match="frozen"):
        Noisy().blocks = 7  # type: ignore[misc]


def test_a_day_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often hours are asked about, each hour of a day is made a single time."""
    made: list[int] = []
    make = Diurnal._phase

    def counted(diurnal: Diurnal, step: int) -> Phase:
        made.append(step)
        return make(diurnal, step)

    monkeypatch.setattr(Diurnal, "_phase", counted)
    diurnal = Diurnal(size=16 * MIB, day=8 * MIB, night=MIB, period_us=24 * S, steps=24)
    space, area = diurnal.space(), diurnal.area
    for _ in range(3):
        space.truth(area.start, area.end, np.array([0, 48 * S]))

    assert sorted(made) == list(range(24))
