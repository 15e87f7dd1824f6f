"""Configurations of masim as spaces: compared with making every access, and with measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from damon_async.arrays import BoolArray, FloatArray
from damon_async.errors import InputFileError, ParametersError
from damon_async.spaces.clocks import BatchClock, SteadyClock
from damon_async.spaces.layout import MMAP_TOP
from damon_async.spaces.masim import load_masim, masim_space
from damon_async.spaces.masim_config import MasimConfig, MasimPattern, parse_masim
from damon_async.spaces.masim_speed import MasimOptions
from damon_async.spaces.patterns import PatternSpace
from damon_async.spaces.random_touches import salt_of
from damon_async.spaces.space import Space

PAGE = 4096
MS = 1_000

STAIRS = "".join(f"s{n}, 10000000\n" for n in range(10)) + "\ninitial\n10000\n"
STAIRS += "".join(f"s{n}, 0, 4096, 1\n" for n in range(10))
STAIRS += "".join(f"\nphase {n}\n5000\ns{n}, 0, 4096, 50\n" for n in range(10))

# A batch of 40 accesses takes 40 us, whatever the pattern.
SLOW = MasimOptions(
    nr_accesses_per_region=40,
    dense_per_ms=1000,
    sparse_per_ms=1000,
    sparse_big_per_ms=1000,
    random_per_ms=1000,
    random_big_per_ms=1000,
)


def lone(size: int | str, *, is_random: bool = False, stride: int = PAGE, ms: int = 5000) -> str:
    """Write a configuration of one region with one pattern."""
    return f"a, {size}\n\nphase\n{ms}\na, {int(is_random)}, {stride}, 1\n"


def space_of(text: str, seed: int = 0, options: MasimOptions | None = None) -> PatternSpace:
    """Open the text of a configuration."""
    return masim_space(parse_masim(text), seed=seed, options=options)


def rates(
    space: Space, name: str, since_us: int, window_us: int = 5_000, nr: int = 200
) -> FloatArray:
    """Return the share of windows in which each page of a region is touched."""
    [(start, end)] = [(m.start, m.end) for m in space.mappings(0) if m.name == name]
    pages = np.arange(start, end, PAGE)
    # A sample of the pages of a big region will do.
    pages = pages[:: max(1, len(pages) // 2_000)]
    since = since_us + window_us * np.arange(nr)[:, None]
    touched = space.accessed(pages[None, :], since, since + window_us)
    return np.asarray(touched.mean(axis=0))


def simulated(
    config: MasimConfig, phase: int, seed: int, windows: list[tuple[int, int]], nr_pages: int
) -> BoolArray:
    """Make every access of sequential patterns, and note the pages below the top."""
    patterns = [found for found in config.phases[phase].patterns if found.weight]
    weights = [found.weight for found in patterns]
    offsets = [0] * len(patterns)
    nr_batches = config.phases[phase].length_us // 40 + 1
    rng = np.random.default_rng(salt_of(seed, phase))
    turns = np.searchsorted(np.cumsum(weights), rng.integers(0, sum(weights), nr_batches), "right")
    touched = np.zeros((len(windows), nr_pages), np.bool_)
    for access in range(nr_batches * 40):
        turn = int(turns[access // 40])
        address = _step(config, patterns[turn], offsets, turn)
        page = nr_pages - (MMAP_TOP - address + PAGE - 1) // PAGE
        # The access is over one microsecond after it began.
        for row, (since, until) in enumerate(windows):
            touched[row, page] |= since <= access < until
    return touched


def _step(config: MasimConfig, pattern: MasimPattern, offsets: list[int], turn: int) -> int:
    """Make one access of a pattern and return its address."""
    sizes = [region.size for region in config.regions]
    offsets[turn] += pattern.stride
    if offsets[turn] >= sizes[pattern.region]:
        offsets[turn] = 0
    below = sum(-(-(size + 16) // PAGE) for size in sizes[: pattern.region + 1])
    return MMAP_TOP - below * PAGE + 16 + offsets[turn]


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 6 * PAGE), min_size=1, max_size=3),
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0, 64, 1000, PAGE, 5000]), st.integers(0, 3)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 100)), min_size=1, max_size=5),
)
def test_every_access(
    sizes: list[int],
    patterns: list[tuple[int, int, int]],
    seed: int,
    windows: list[tuple[int, int]],
) -> None:
    """What is touched in a window is what masim would touch, access by access."""
    text = "".join(f"r{n}, {size}\n" for n, size in enumerate(sizes)) + "\nphase\n1\n"
    for region, stride, weight in patterns:
        text += f"r{region % len(sizes)}, 0, {stride}, {weight}\n"
    config = parse_masim(text)
    space = masim_space(config, seed=seed, options=SLOW)
    nr_pages = sum(-(-(size + 16) // PAGE) for size in sizes)
    ends = sorted(min(since + length, 1000) for since, length in windows)
    asked = list(zip(sorted(since for since, _ in windows), ends, strict=True))
    since, until = (np.array(side)[:, None] for side in zip(*asked, strict=True))
    addresses = MMAP_TOP - nr_pages * PAGE + PAGE * np.arange(nr_pages)[None, :] + 5
    found = space.accessed(addresses, since, until)
    if any(weight for _, _, weight in patterns):
        assert (found == simulated(config, 0, seed, asked, nr_pages)).all()
    else:
        assert not found.any()


def test_regions_go_down() -> None:
    """Later regions lie at lower addresses, without gaps (spec damo 6.2)."""
    mappings = [
        m for m in space_of(STAIRS).mappings(0) if m.name.startswith("s") and m.name[1:].isdigit()
    ]
    assert [mapping.name for mapping in mappings] == [f"s{n}" for n in range(9, -1, -1)]
    assert all((m.end - m.start) == 2442 * PAGE for m in mappings)


def test_lifetime() -> None:
    """The process ends with its last phase, after which nothing is mapped or touched."""
    space = space_of(STAIRS)
    assert space.lifetime_us == 60_000_000
    assert space.mappings(59_999_999)
    assert not space.mappings(60_000_000)
    inside, after = np.array([[59_000_000]]), np.array([[61_000_000]])
    s9 = space.mappings(0)[2].start
    assert space.accessed(np.array([[s9]]), inside, after).all()
    assert not space.accessed(np.array([[s9]]), after, after + 10**6).any()


@pytest.mark.parametrize(("repeat", "lifetime_us"), [(1, 5_000_000), (3, 15_000_000), (0, None)])
def test_repeat(repeat: int, lifetime_us: int | None) -> None:
    """A run may be repeated, or go on for ever."""
    space = space_of(lone(100 * PAGE), options=MasimOptions(repeat=repeat))
    assert space.lifetime_us == lifetime_us


@pytest.mark.parametrize("now_ms", [0, 12_345, 58_000, 61_000, 119_000])
def test_stairs(now_ms: int) -> None:
    """After its initial phase each step of stairs is hot for five seconds, alone."""
    space = space_of(STAIRS, options=MasimOptions(repeat=2))
    inside = now_ms % 60_000
    for step in range(10):
        found = rates(space, f"s{step}", now_ms * MS, nr=20)
        if inside < 10_000:
            assert 0.1 < found.mean() < 0.9
        else:
            assert found.min() == found.max() == (step == (inside - 10_000) // 5_000)


def test_rate_of_stairs() -> None:
    """In the initial phase of stairs 46-47 % of the pages are touched in 5 ms (spec damo 6.3)."""
    space = space_of(STAIRS)
    found = np.mean([rates(space, f"s{step}", 0, nr=2000).mean() for step in range(10)])
    assert found == pytest.approx(0.465, abs=0.01)


def test_rate_of_zigzag() -> None:
    """With two regions of 100 MB about 80 % of the pages are touched (spec damo 6.3)."""
    text = "a, 100000000\nb, 100000000\n\ninitial\n10000\na, 0, 4096, 1\nb, 0, 4096, 1\n"
    found = np.mean([rates(space_of(text), name, 0, 5_500, nr=1800).mean() for name in "ab"])
    assert found == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("size", ["64", "10000000", "100000000"])
def test_rate_of_a_lone_region(size: str) -> None:
    """A region alone in a phase is touched as a whole, all the time (spec damo 6.3)."""
    assert rates(space_of(lone(size)), "a", 0).min() == 1


def test_rate_of_a_big_scan() -> None:
    """Where a lap takes longer than a window, its share of the pages is touched."""
    options = MasimOptions()
    nr_accesses = 5 * MS * 1000 * 131_072 / options.sequential_batch_ns(2**31, PAGE)
    found = rates(space_of(lone("2G")), "a", 0, nr=900)
    assert found.mean() == pytest.approx(nr_accesses * PAGE / 2**31, rel=0.02)


def test_rate_of_a_dense_scan() -> None:
    """Strides below a page count each page once."""
    options = MasimOptions()
    nr_accesses = 5 * MS * 1000 * 131_072 / options.sequential_batch_ns(2**30, 64)
    found = rates(space_of(lone("1G", stride=64)), "a", 0, nr=900)
    # A page counts in both windows if the walk is inside it at the border.
    assert found.mean() == pytest.approx(nr_accesses * 64 / 2**30, rel=0.03)


@pytest.mark.parametrize(
    ("size", "low", "high"), [("2097152", 0.99, 1), ("100000000", 0.95, 1), ("1G", 0.25, 0.5)]
)
def test_rate_of_random(size: str, low: float, high: float) -> None:
    """Random accesses reach 100 MB nearly as a whole in 5 ms, and less than half of 1 GiB."""
    assert low <= rates(space_of(lone(size, is_random=True)), "a", 0).mean() <= high


def test_random_pool() -> None:
    """A million random numbers reach a third of the pages of 10 GiB (spec damo 6.2)."""
    space = space_of(lone("10G", is_random=True, ms=10**6))
    found = rates(space, "a", 0, 10**8, 5)
    assert (found > 0).mean() == pytest.approx(0.317, abs=0.03)
    # What is not reached in one window is not reached in any.
    assert set(found.tolist()) <= {0.0, 1.0}


def test_last_page_of_random() -> None:
    """The page that holds only the last 16 bytes of a region is rarely touched."""
    space = space_of(lone(100 * PAGE, is_random=True))
    found = rates(space, "a", 0, 20, nr=5000)
    assert found[-1] < 0.1 < found[:-1].min()


def test_weights() -> None:
    """Patterns are drawn in proportion to their weights; those of weight 0 are not."""
    names = "abc"
    text = "".join(f"{name}, 1M\n" for name in names) + "\nphase\n60000\n"
    text += "a, 0, 4096, 99\nb, 0, 4096, 1\nc, 0, 4096, 0\n"
    a, b, c = (rates(space_of(text), name, 0, 1_000, 5_000).mean() for name in names)
    assert a > 0.97
    # Two batches of a window that has 130,000 accesses.
    assert b == pytest.approx(1 - 0.99**2, abs=0.006)
    assert c == 0


def test_idle_phase() -> None:
    """A phase of weights 0 touches nothing for its time."""
    text = "a, 1M\n\nidle\n1000\na, 0, 4096, 0\n\nbusy\n1000\na, 0, 4096, 1\n"
    space = space_of(text)
    assert rates(space, "a", 0, nr=200).max() == 0
    # The last page has only the 16 bytes that the allocator moved the region by.
    assert rates(space, "a", 1_000_000, nr=200)[:-1].min() == 1


def test_two_patterns_on_one_region() -> None:
    """A region may have several patterns in a phase; it is touched where any of them is."""
    text = "a, 1G\n\nphase\n10000\na, 0, 4096, 1\na, 1, 64, 1\n"
    space = space_of(text)
    walked, drawn = (layer for layer in space._phase(0)._layers)
    assert walked.locate(np.array([MMAP_TOP - PAGE])) != drawn.locate(np.array([MMAP_TOP - PAGE]))
    # Half of the time each: a walk of 100,000 pages, and as many random ones.
    assert rates(space, "a", 0).mean() == pytest.approx(0.45, abs=0.1)


def test_seeds() -> None:
    """A seed is a run: the same one twice is the same, another one is another."""
    one, again, other = (rates(space_of(STAIRS, seed), "s0", 0) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_phases_differ() -> None:
    """Two phases with the same pattern do not touch the same pages again."""
    text = lone("1G", is_random=True) + "\nagain\n5000\na, 1, 64, 1\n"
    space = space_of(text)
    pages = np.arange(space.mappings(0)[2].start, MMAP_TOP, 64 * PAGE)[None, :]
    first, second = (
        space.accessed(pages, np.array([[at]]), np.array([[at + 5_000]])) for at in (0, 5_000_000)
    )
    assert 0.3 < (first != second).mean() < 0.6


def test_huge_pages() -> None:
    """With huge pages 2 MiB and the allocator's 16 bytes take two of them, both hot."""
    space = space_of(lone(2097152, is_random=True), options=MasimOptions(page_size=2 * 1024**2))
    [mapping] = [m for m in space.mappings(0) if m.name == "a"]
    assert (mapping.end - mapping.start, mapping.page_size) == (4 * 1024**2, 2 * 1024**2)
    truth = space.truth(mapping.start, mapping.end, np.arange(0, 1_000_000, 5_000))
    assert (truth.counts / truth.nr_intervals).tolist() == pytest.approx([1, 0.9], abs=0.1)


def test_clocks() -> None:
    """One pattern needs no draws, several do, and none needs no masim."""
    phases = [space_of(text)._phase(0) for text in (lone(64), STAIRS)]
    assert [type(phase._clock) for phase in phases] == [SteadyClock, BatchClock]


def test_load_masim(tmp_path: Path) -> None:
    """A file is opened by its path and keeps its name."""
    path = tmp_path / "my.cfg"
    path.write_text(STAIRS)
    space = load_masim(path, seed=3)
    assert space.name == "my.cfg"
    assert isinstance(space, Space)
    assert repr(space) == "<PatternSpace 'my.cfg': 11 phases, 60000000 us, 100343808 bytes mapped>"


def test_wrong_files(tmp_path: Path) -> None:
    """A file that is missing or wrong is refused with its name."""
    path = tmp_path / "my.cfg"
    with pytest.raises(InputFileError, match=r"my\.cfg: cannot be read"):
        load_masim(path)
    path.write_text("a, b\n")
    with pytest.raises(ParametersError, match=r"2 problems: .*my\.cfg, line 1: "):
        load_masim(path)


@pytest.mark.parametrize(
    ("name", "lifetime_s", "nr_regions"),
    [
        ("default", 2, 3),
        ("demo.cfg", 40, 2),
        ("hint_test", 10, 2),
        ("mem_perf.cfg", 28.1, 7),
        ("stairs.cfg", 60, 10),
        ("stairs_30secs.cfg", 30, 10),
    ],
)
def test_shipped_configs(shared: Path, name: str, lifetime_s: float, nr_regions: int) -> None:
    """The configurations that come with masim load and run (spec damo 6.4)."""
    space = load_masim(shared / "traces" / "masim" / name)
    assert space.lifetime_us == lifetime_s * 1_000_000
    mappings = space.mappings(0)
    assert len(mappings) == nr_regions + 3
    for now in range(0, space.lifetime_us, space.lifetime_us // 8):
        truth = space.truth(mappings[0].start, mappings[-1].end, now + np.arange(5) * 5_000)
        assert truth.counts.max() > 0
