"""Physical memory: one target, the user's ranges, and an address unit."""

from __future__ import annotations

from ..arrays import BoolArray, IntArray
from ..params.monitoring import Target
from .spaces import SpaceOperations


class Paddr(SpaceOperations):
    """
    The operations set of a machine's memory.

    Args:
        addr_unit: Bytes that one address of a region stands for.

    Source:
        spec core 2.2 and 6; physical memory never vanishes.
    """

    __slots__ = ("addr_unit",)

    def __init__(self, addr_unit: int = 1) -> None:
        self.addr_unit = addr_unit

    @property
    def bytes_per_unit(self) -> int:
        """Bytes of memory per byte of a region."""
        return self.addr_unit

    @property
    def ends_with_targets(self) -> bool:
        """False: there is always memory, even if nobody uses it."""
        return False

    def accessed(
        self,
        target: Target,
        addresses: IntArray,
        since_us: IntArray,
        until_us: IntArray,
    ) -> BoolArray:
        """Tell for each sampled address, in address units, whether its page was touched."""
        # A new array: the addresses belong to the sampler.
        if self.addr_unit != 1:
            addresses = addresses * self.addr_unit
        return super().accessed(target, addresses, since_us, until_us)
