"""Where synthetic memory lies: an address space that looks like a process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator

from ..errors import InvalidError
from ..params.base import Bytes
from .space import Mapping

SMALL_PAGE: Final = 4096
"""Bytes of an ordinary page."""

MAX_PAGE: Final = 1024**3
"""Bytes of the largest page."""

MAX_SIZE: Final = 16 * 1024**4
"""Largest memory that fits between the heap and the stack: 16 TiB."""

MMAP_TOP: Final = 0x7FF0_0000_0000
"""Where the big mappings of a process end; a multiple of all page sizes."""

PHYSICAL_START: Final = 0x1_0000_0000
"""Where memory without a process around it begins: at 4 GiB, like most RAM."""

# The two biggest gaps of an address space must be those around the big
# mappings, as on x86-64, for the three regions of vaddr to be what they should.
_BINARY: Final = Mapping(0x5555_5555_4000, 0x5555_5556_0000, name="binary")
_HEAP: Final = Mapping(0x5555_5558_0000, 0x5555_555A_1000, name="heap")
_STACK: Final = Mapping(0x7FFF_FFFD_E000, 0x7FFF_FFFF_F000, name="stack")


def check_page_size(value: int) -> int:
    """
    Return *value* if pages can have that size.

    Raises:
        InvalidError: If it is no power of two from 4 KiB to 1 GiB.
    """
    if not SMALL_PAGE <= value <= MAX_PAGE or value & (value - 1):
        raise InvalidError(f"{value} is not a page size; expected a power of two from 4K to 1G")
    return value


PageSize = Annotated[Bytes, AfterValidator(check_page_size)]
"""Bytes that share one accessed mark; texts like ``2M`` are read."""


class Block(NamedTuple):
    """Memory to be laid out."""

    name: str
    size: int


def round_up(size: int, unit: int) -> int:
    """Return the smallest multiple of *unit* that is not below *size*."""
    return -(-size // unit) * unit


def stacked(blocks: Iterable[Block], page_size: int) -> list[Mapping]:
    """
    Lay out blocks from the top down, without gaps, in the order they are given.

    Returns:
        A mapping per block, in the order of *blocks*, hence descending.

    Source:
        spec damo 6.2: later regions lie at lower addresses.
    """
    # As the kernel does: a new mapping goes right below the last one.
    mappings = []
    end = MMAP_TOP
    for name, size in blocks:
        start = end - round_up(size, page_size)
        mappings.append(Mapping(start, end, page_size, name))
        end = start
    return mappings


def as_process(mappings: Sequence[Mapping]) -> tuple[Mapping, ...]:
    """
    Put the other mappings of a process around big ones.

    A binary and a heap far below, and a stack far above; patterns never touch
    them, so that the truth is the pattern and nothing else.
    """
    return (_BINARY, _HEAP, *sorted(mappings), _STACK)
