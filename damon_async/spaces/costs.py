"""What memory management costs on a synthetic machine, and what its nodes are like."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..params.base import Bytes, Count, Parameters
from ..params.keywords import Action

Nanoseconds = Annotated[Count, Field(le=10**12)]
"""A time, in nanoseconds, at most 1,000 s."""


class Node(Parameters, frozen=True):
    """One memory node (tier) of a machine."""

    capacity: Bytes
    """Bytes of memory, rounded down to whole pages."""

    latency_ns: Nanoseconds = 100
    """How long one access takes, in nanoseconds."""

    bandwidth: Annotated[Bytes, Field(ge=1)] = 10 * 1024**3
    """Bytes per second that can be moved to or from it."""


class CostModel(Parameters, frozen=True):
    """
    How long things take. Times of actions are the kdamond's work, charged to
    time quotas; the other ones are stalls of the program that is monitored.

    The defaults are of the order seen on current servers with compressed swap.
    """

    walk_page_ns: Nanoseconds = 50
    """Looking at one page, whatever is then done with it."""

    pageout_page_ns: Nanoseconds = 2_000
    """Writing one page to swap, on top of looking at it."""

    willneed_page_ns: Nanoseconds = 1_000
    """Reading one page ahead of its use."""

    advice_page_ns: Nanoseconds = 20
    """Changing a page's place on its list, or the kind of its mapping."""

    collapse_page_ns: Nanoseconds = 200
    """Copying one page into a huge one."""

    migrate_page_ns: Nanoseconds = 1_000
    """Moving one page to another node, on top of the nodes' bandwidths."""

    action_ns: Nanoseconds = 2_000
    """Asking for an action on one range, whatever its size."""

    refault_ns: Nanoseconds = 20_000
    """Stall of the program at a touch of a page that was paged out."""

    fault_ns: Nanoseconds = 500
    """Stall of the program at the first touch of a page, ever."""

    reclaim_page_ns: Nanoseconds = 4_000
    """Stall of the program per page that has to be reclaimed to make room for it."""

    touches_per_ms: Annotated[Count, Field(ge=1)] = 10
    """
    Accesses to main memory that a page gets in each millisecond in which it is
    touched; with a node's latency, what a slower tier costs.
    """

    def page_ns(self, action: Action) -> int:
        """Return what *action* takes per page it is applied to."""
        match action:
            case Action.PAGEOUT:
                return self.pageout_page_ns
            case Action.WILLNEED:
                return self.willneed_page_ns
            case Action.COLLAPSE:
                return self.collapse_page_ns
            case Action.MIGRATE_HOT | Action.MIGRATE_COLD:
                return self.migrate_page_ns
            case Action.STAT:
                return 0
        return self.advice_page_ns
