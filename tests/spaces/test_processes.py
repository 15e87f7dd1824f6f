"""What single processes say of themselves."""

from __future__ import annotations

import pytest

from damon_async.spaces.processes import STILL, Random, Row, Sweep
from damon_async.spaces.random_touches import WHOLE_WORDS, position_scale

PAGE = 4096


@pytest.mark.parametrize(
    ("size", "stride", "lead", "pages"),
    [
        (10_000_000, PAGE, 16, 2442),
        (PAGE, PAGE, 16, 1),
        # The last stride begins in the first page, the last byte is never reached.
        (PAGE + 1, PAGE, 0, 2),
        (2 * PAGE, PAGE - 1, 16, 3),
        (2 * PAGE, 0, 16, 1),
        (5 * PAGE, 3 * PAGE, 0, 4),
    ],
)
def test_end_of_a_sweep(size: int, stride: int, lead: int, pages: int) -> None:
    """A sweep ends with the page of the last byte that it touches."""
    assert Sweep(8 * PAGE, size, stride, lead).end(PAGE) == (8 + pages) * PAGE


def test_row_of_a_sweep() -> None:
    """A sweep fills the columns of its block, and knows when a lap is full."""
    row = Sweep(PAGE, 10 * PAGE, PAGE, 16, 3, 5, 7).row(PAGE)
    assert row == Row(3, 5, 7, 10, start=PAGE, lead=16, stride=PAGE, lap=10)


def test_sweep_that_skips_pages() -> None:
    """A sweep with longer strides than pages never touches all of them."""
    assert Sweep(0, 10 * PAGE, PAGE + 1).row(PAGE).full > 2**60
    assert Sweep(0, 10 * PAGE, PAGE + 1).row(2 * PAGE).full == 10


def test_stride_of_0() -> None:
    """A stride of 0 can be divided by."""
    assert Sweep(0, 10 * PAGE, 0).row(PAGE).stride == 1


def test_row_of_a_random_process() -> None:
    """A random process fills the columns of its draws."""
    row = Random(1_000, 17, clock=2).row(PAGE)
    assert row == Row(2, *position_scale(1_000), WHOLE_WORDS, is_random=True, salt=17)


def test_partly_covered() -> None:
    """A process that leaves pages out never touches all of them."""
    row = Random(1_000, 17, covered=0.5).row(PAGE)
    assert (row.covered, row.full > 2**60) == (0.5, True)


def test_still() -> None:
    """What never and always need of the columns divides by 1."""
    assert (STILL.denominator, STILL.stride, STILL.lap) == (1, 1, 1)
