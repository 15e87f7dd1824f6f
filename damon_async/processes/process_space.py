"""Synthetic memory that lives as long as a real process does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..arrays import BoolArray, IntArray
from ..params.filters import Filter
from ..params.keywords import Action
from ..params.schemes import Dest
from ..spaces.acting import ActingSpace, Done
from ..spaces.space import Mapping, Space, Truth


class ProcessSpace:
    """
    A space whose time 0 is the start of a process, and which ends with it.

    A process may end at any time, and that is found out when ``lifetime_us`` is
    asked for: monitors do so before each window of sampling. From then on nothing is
    mapped any more. What happened before stays as it was.

    A space that is over before the process is: it stays mapped, and nothing touches it.
    Programs take a moment to start and to end, and must not be gone while they run.

    Args:
        space: The memory, in a time of its own.

        started_us: When the process began, in the caller's time; may be negative.

        is_alive: Tells whether the process has not ended yet. Not asked again once
            it has.

        now_us: The caller's time, which is when the process is found to have ended.

        ends_with_space: Whether the process counts as ended when the space does, as
            in virtual time, in which real processes hardly ever end.
    """

    __slots__ = ("_end_us", "_ends_with_space", "_is_alive", "_now_us", "_space", "_started_us")

    def __init__(
        self,
        space: Space,
        started_us: int,
        is_alive: Callable[[], bool],
        now_us: Callable[[], int],
        *,
        ends_with_space: bool = False,
    ) -> None:
        self._space = space
        self._ends_with_space = ends_with_space
        self._started_us = started_us
        self._is_alive = is_alive
        self._now_us = now_us
        self._end_us: int | None = None

    def __repr__(self) -> str:
        end = "" if self._end_us is None else f", ended at {self._end_us} us"
        return f"<{type(self).__name__} of {self._space!r} from {self._started_us} us{end}>"

    @property
    def is_pure(self) -> bool:
        """Whether answers about the past depend on the time asked about alone."""
        return self._space.is_pure

    @property
    def lifetime_us(self) -> int | None:
        """When the memory vanished or will vanish; None while nobody can know."""
        # Looked for only when asked: nothing tells us when some other process ends.
        own_us = self._space.lifetime_us if self._ends_with_space else None
        ends = [] if own_us is None else [own_us + self._started_us]
        if self._end_us is None and not self._is_alive():
            self._end_us = self._now_us()
        if self._end_us is not None:
            ends.append(self._end_us)
        return min(ends, default=None)

    def mappings(self, now_us: int) -> Sequence[Mapping]:
        """Return what is mapped at *now_us*; nothing once the process has ended."""
        if self._end_us is not None and now_us >= self._end_us:
            return ()
        # Without its mappings, a process that is silent could not be monitored at all.
        inner_us, own_us = now_us - self._started_us, self._space.lifetime_us
        if own_us is not None and not self._ends_with_space:
            inner_us = min(inner_us, own_us - 1)
        return self._space.mappings(inner_us)

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        """Tell for each address whether its page was touched; see ``Space``."""
        return self._space.accessed(addresses, self._inner(since_us), self._inner(until_us))

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        """Count for every page the intervals that touched it; see ``Space``."""
        return self._space.truth(start, end, self._inner(instants_us))

    def _inner(self, instants_us: IntArray) -> IntArray:
        """Return instants in the time of the memory, none of them after the end."""
        # Intervals after the end become empty, and an empty one touches nothing.
        if self._end_us is not None:
            instants_us = np.minimum(instants_us, self._end_us)
        return instants_us - self._started_us


class ActingProcessSpace(ProcessSpace):
    """
    A ``ProcessSpace`` whose memory actions of schemes change.

    Args:
        space: The memory, such as that of a machine, in a time of its own.

        started_us: See ``ProcessSpace``, as for all that follow.

        is_alive: See there.

        now_us: See there.

        ends_with_space: See there.
    """

    __slots__ = ("_acting",)

    def __init__(
        self,
        space: ActingSpace,
        started_us: int,
        is_alive: Callable[[], bool],
        now_us: Callable[[], int],
        *,
        ends_with_space: bool = False,
    ) -> None:
        super().__init__(space, started_us, is_alive, now_us, ends_with_space=ends_with_space)
        self._acting = space

    def apply(
        self,
        action: Action,
        ranges: IntArray,
        *,
        filters: Sequence[Filter],
        bypass: BoolArray,
        target_nid: int,
        dests: Sequence[Dest],
        now_us: int,
    ) -> Done:
        """Carry out an action on ranges of addresses; see ``ActingSpace``."""
        return self._acting.apply(
            action,
            ranges,
            filters=filters,
            bypass=bypass,
            target_nid=target_nid,
            dests=dests,
            now_us=now_us - self._started_us,
        )
