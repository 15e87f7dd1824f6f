"""What the three built-in operations sets have in common."""

from __future__ import annotations

import numpy as np
import pytest

from damon_async.errors import InvalidError
from damon_async.operations.base import Operations
from damon_async.operations.fvaddr import Fvaddr
from damon_async.operations.paddr import Paddr
from damon_async.operations.spaces import SpaceOperations, space_of
from damon_async.operations.vaddr import Vaddr
from damon_async.params.monitoring import Target

from ..monitor.doubles import PAGE, Still, Touched

SINCE = np.array([[0], [5]])
UNTIL = np.array([[5], [10]])

built_in = pytest.mark.parametrize("operations", [Vaddr(), Fvaddr(), Paddr()])


@built_in
def test_built_in_sets_keep_the_protocol(operations: SpaceOperations) -> None:
    """Every built-in set is an operations set as users write them."""
    assert isinstance(operations, Operations)


@built_in
def test_purity_is_the_space_s(operations: SpaceOperations) -> None:
    """A target is as pure as its space."""
    assert operations.is_pure(Target(space=Still()))
    assert not operations.is_pure(Target(space=Touched()))


@built_in
def test_lifetime_is_the_space_s(operations: SpaceOperations) -> None:
    """A target vanishes with its space."""
    assert operations.lifetime_us(Target(space=Still())) is None
    assert operations.lifetime_us(Target(space=Still(lifetime_us=9))) == 9


@built_in
def test_answers_are_the_space_s(operations: SpaceOperations) -> None:
    """Addresses of a whole window are asked about at once."""
    space = Still(hot=[(1, 2)])
    addresses = np.array([[0, PAGE], [2 * PAGE - 1, 2 * PAGE]])
    found = operations.accessed(Target(space=space), addresses, SINCE, UNTIL)
    assert found.tolist() == [[False, True], [True, False]]
    assert space.asked == [[(0, 5), (5, 10)]]


@pytest.mark.parametrize("operations", [Fvaddr(), Paddr()])
def test_only_vaddr_finds_ranges(operations: SpaceOperations) -> None:
    """Fixed ranges and physical memory are the user's to give."""
    space = Still(mapped=[(0, 1), (10, 11), (100, 101)])
    assert operations.ranges(Target(space=space), 0, PAGE) is None


@pytest.mark.parametrize(
    ("operations", "ends"), [(Vaddr(), True), (Fvaddr(), True), (Paddr(), False)]
)
def test_physical_memory_never_vanishes(operations: SpaceOperations, *, ends: bool) -> None:
    """Monitoring ends with its processes, but not with physical memory."""
    assert operations.ends_with_targets is ends


def test_space_of_a_target() -> None:
    """The space of a target is the object that it was given."""
    space = Still()
    assert space_of(Target(space=space)) is space


@pytest.mark.parametrize(
    ("space", "message"), [(None, "it has none: give Target"), (7, "it has a int: give Target")]
)
def test_what_is_no_space_is_refused(space: object, message: str) -> None:
    """A target without a proper space is refused with what would be right."""
    with pytest.raises(InvalidError, match=message):
        space_of(Target(space=space))
