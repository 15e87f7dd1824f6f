"""
The operations set: how a kdamond finds and checks addresses.

This is the protocol that users implement to monitor an index space of their
own. It is vector first: a whole window of sampling intervals is one call.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..arrays import BoolArray, IntArray
from ..params.monitoring import Target


@runtime_checkable
class Operations(Protocol):
    """
    An address-space back end.

    Source:
        spec core 2.10; the kernel's nine function pointers. Differs: marking a
        page old and looking at it later are one question about an interval,
        because a synthetic space remembers when it was touched.
    """

    @property
    def ends_with_targets(self) -> bool:
        """Whether monitoring is over once every target has vanished."""
        ...

    def is_pure(self, target: Target) -> bool:
        """Whether answers for *target* depend on the arguments alone."""
        ...

    def lifetime_us(self, target: Target) -> int | None:
        """
        Return the instant at which *target* vanishes; None if it never does.

        Raises:
            InvalidError: If the target is not one this set can monitor.
        """
        ...

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray | None:
        """
        Say what should be monitored, at start and at each operations update.

        Args:
            target: Whose memory.

            now_us: The time, in microseconds.

            min_region_sz: Bytes to which bounds are rounded.

        Returns:
            int64, shape (nr_ranges, 2), ascending ``[start, end)``; None to
            leave the regions as they are (the user's own, or not enough known).
        """
        ...

    def accessed(
        self,
        target: Target,
        addresses: IntArray,
        since_us: IntArray,
        until_us: IntArray,
    ) -> BoolArray:
        """
        Tell for each sampled address whether its page was touched.

        Shapes and meaning are those of ``Space.accessed``.
        """
        ...
