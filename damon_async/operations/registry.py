"""Which operations set a context asks for."""

from __future__ import annotations

from ..errors import InvalidError
from ..params.monitoring import Context, Ops
from .base import Operations
from .fvaddr import Fvaddr
from .paddr import Paddr
from .vaddr import Vaddr


def operations_for(context: Context) -> Operations:
    """
    Return the operations set of *context*: a built-in one, or the user's own.

    Raises:
        InvalidError: If ``context.ops`` is neither.
    """
    match context.ops:
        case Ops.VADDR:
            return Vaddr()
        case Ops.FVADDR:
            return Fvaddr()
        case Ops.PADDR:
            return Paddr(context.addr_unit)
        # By its members: nobody has to derive from anything of ours.
        case Operations() as custom:
            return custom
    # Models check this too, but a copy of a model is not checked again.
    names = ", ".join(ops.value for ops in Ops)
    msg = f"{context.ops!r} is no operations set: use {names} or an object with their methods"
    raise InvalidError(msg)
