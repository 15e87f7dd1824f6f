"""Where synthetic memory lies."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InvalidError
from damon_async.spaces.layout import (
    MAX_SIZE,
    MMAP_TOP,
    PHYSICAL_START,
    Block,
    as_process,
    check_page_size,
    round_up,
    stacked,
)

MIB = 1024**2

sizes = st.lists(st.integers(1, 100 * MIB), min_size=1, max_size=12)


@pytest.mark.parametrize(("size", "unit", "rounded"), [(0, 4, 0), (1, 4, 4), (4, 4, 4), (5, 4, 8)])
def test_round_up(size: int, unit: int, rounded: int) -> None:
    """Rounding up gives the next multiple, or the number itself if it is one."""
    assert round_up(size, unit) == rounded


@given(sizes, st.sampled_from([4096, 2 * MIB]))
def test_stacked(blocks: list[int], page_size: int) -> None:
    """Blocks adjoin from the top down, each in whole pages (spec damo 6.2)."""
    mappings = stacked([Block(str(n), size) for n, size in enumerate(blocks)], page_size)
    assert mappings[0].end == MMAP_TOP
    assert all(upper.start == lower.end for upper, lower in pairwise(mappings))
    for size, mapping in zip(blocks, mappings, strict=True):
        assert 0 <= mapping.end - mapping.start - size < page_size
        assert mapping.start % page_size == 0
        assert mapping.page_size == page_size


def test_stairs_in_one_piece() -> None:
    """Ten regions of 10,000,000 bytes are one stretch of 97,680 KiB."""
    mappings = stacked([Block(f"s{n}", 16 + 10_000_000) for n in range(10)], 4096)
    assert mappings[0].end - mappings[-1].start == 97_680 * 1024


@given(sizes | st.just([MAX_SIZE]))
def test_two_big_gaps(blocks: list[int]) -> None:
    """The two largest gaps of a process are those around the big mappings (spec core 5.7)."""
    mappings = as_process(stacked([Block("", size) for size in blocks], 4096))
    assert list(mappings) == sorted(mappings)
    gaps = [(upper.start - lower.end, upper.name) for lower, upper in pairwise(mappings)]
    assert all(gap >= 0 for gap, _ in gaps)
    largest = sorted(gaps, reverse=True)[:2]
    # The gaps end where the lowest big mapping and where the stack begin.
    assert sorted(name for _, name in largest) == ["", "stack"]
    assert all(mapping.end < 2**63 for mapping in mappings)


def test_page_aligned() -> None:
    """Everything that is always there consists of whole pages."""
    for mapping in as_process([]):
        assert mapping.start % mapping.page_size == mapping.end % mapping.page_size == 0
    assert MMAP_TOP % 1024**3 == PHYSICAL_START % 1024**3 == 0


@pytest.mark.parametrize("size", [4096, 8192, 2 * MIB, 1024**3])
def test_page_sizes(size: int) -> None:
    """Pages have any power of two from 4 KiB to 1 GiB."""
    assert check_page_size(size) == size


@pytest.mark.parametrize("size", [0, 1, 2048, 5000, 3 * MIB, 2 * 1024**3])
def test_wrong_page_sizes(size: int) -> None:
    """Other page sizes are refused."""
    with pytest.raises(InvalidError, match=f"{size} is not a page size; expected a power of two"):
        check_page_size(size)
