from __future__ import annotations

import numpy as np
import pytest

from damon_async.operations.paddr import Paddr
from damon_async.params.monitoring import Target

from ..monitor.doubles import PAGE, Still

SINCE, UNTIL = np.array([[0]]), np.array([[5]])


@pytest.mark.parametrize(("unit", "found"), [(1, [False, False]), (PAGE, [False, True])])
def test_addresses_are_multiplied(unit: int, found: list[bool]) -> None:
    """The real address is the region's times the address unit."""
    target = Target(space=Still(hot=[(10, 11)]))
    answer = Paddr(unit).accessed(target, np.array([[9, 10]]), SINCE, UNTIL)
    assert answer.tolist() == [found]


def test_addresses_are_left_alone() -> None:
    """The given addresses are not changed."""
    addresses = np.array([[9, 10]])
    Paddr(PAGE).accessed(Target(space=Still()), addresses, SINCE, UNTIL)
    assert addresses.tolist() == [[9, 10]]
