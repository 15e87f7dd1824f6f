"""What the three built-in operations sets have in common: targets with a space."""

from __future__ import annotations

from typing import cast

from ..arrays import BoolArray, IntArray
from ..errors import InvalidError
from ..params.keywords import Action
from ..params.monitoring import Target
from ..spaces.acting import ActingSpace
from ..spaces.space import Space
from .requests import ActionRequest, Applied


def space_of(target: Target) -> Space:
    """
    Return the address space of *target*.

    Raises:
        InvalidError: If it has none, or something that is not a ``Space``.
    """
    space = target.space
    # Asked several times per window: a full protocol check would cost more
    # than the window itself.
    if hasattr(space, "accessed"):
        return cast("Space", space)
    found = "none" if space is None else f"a {type(space).__name__}"
    msg = f"a target needs a space to be monitored, it has {found}: give Target(space=...)"
    raise InvalidError(msg)


class SpaceOperations:
    """Asks each target's space; regions are the user's own."""

    __slots__ = ()

    @property
    def bytes_per_unit(self) -> int:
        """Bytes of memory per byte of a region."""
        return 1

    @property
    def ends_with_targets(self) -> bool:
        """Whether monitoring is over once every target has vanished."""
        return True

    @property
    def has_fixed_ranges(self) -> bool:
        """Whether regions are never updated, so that nobody need ask."""
        return True

    def is_pure(self, target: Target) -> bool:
        """Whether the space of *target* is a function of time alone."""
        return space_of(target).is_pure

    def lifetime_us(self, target: Target) -> int | None:
        """
        Return the instant at which the space of *target* vanishes.

        Raises:
            InvalidError: If the target has no space.
        """
        return space_of(target).lifetime_us

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray | None:
        """Return None: the regions stay as the user set them."""
        del target, now_us, min_region_sz
        return None

    def accessed(
        self,
        target: Target,
        addresses: IntArray,
        since_us: IntArray,
        until_us: IntArray,
    ) -> BoolArray:
        """Tell for each sampled address whether its page was touched."""
        return space_of(target).accessed(addresses, since_us, until_us)

    def apply(self, target: Target, request: ActionRequest) -> Applied:
        """
        Have the space of *target* carry out an action.

        A space that cannot act is only counted on: the action is tried on it, and
        does nothing.
        """
        space = target.space
        if not isinstance(request.action, Action) or not hasattr(space, "apply"):
            return Applied.nothing(request)
        done = cast("ActingSpace", space).apply(
            request.action,
            request.ranges * self.bytes_per_unit,
            filters=request.filters,
            bypass=request.bypass,
            target_nid=-1 if request.target_nid is None else request.target_nid,
            dests=request.dests,
            now_us=request.now_us,
        )
        unit = self.bytes_per_unit
        return Applied(done.applied // unit, done.passed // unit, done.elapsed_ns)
