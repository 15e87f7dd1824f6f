from __future__ import annotations

import pytest

from damon_async.errors import InvalidError
from damon_async.operations.fvaddr import Fvaddr
from damon_async.operations.paddr import Paddr
from damon_async.operations.registry import operations_for
from damon_async.operations.vaddr import Vaddr
from damon_async.params.monitoring import Context, Ops

from .slabs import SlabOperations


@pytest.mark.parametrize(
    ("ops", "kind"), [(Ops.VADDR, Vaddr), (Ops.FVADDR, Fvaddr), (Ops.PADDR, Paddr)]
)
def test_built_in_sets(ops: Ops, kind: type) -> None:
    """Every name of the interface has its operations set."""
    assert type(operations_for(Context(ops=ops))) is kind


def test_all_names_are_known() -> None:
    """No built-in name is without a set."""
    for ops in Ops:
        operations_for(Context(ops=ops))


def test_address_unit_is_handed_on() -> None:
    """The address unit of the context is that of physical memory."""
    operations = operations_for(Context(ops="paddr", addr_unit=4096))
    assert isinstance(operations, Paddr)
    assert operations.addr_unit == 4096


def test_the_users_own_set_is_itself() -> None:
    """An object with the methods of an operations set is used as it is."""
    mine = SlabOperations()
    assert operations_for(Context(ops=mine)) is mine


def test_anything_else_is_refused() -> None:
    """An object that is no operations set is refused with what would be right."""
    context = Context().model_copy(update={"ops": 7})
    with pytest.raises(InvalidError, match="7 is no operations set: use vaddr, fvaddr, paddr or"):
        operations_for(context)
