"""Memory for tests: small, the same each time, and as troublesome as one likes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import structlog

from ..arrays import BoolArray, IntArray
from ..engine.clock import Clock
from ..engine.engine import Damon
from ..engine.virtual_clock import VirtualClock
from ..operations.base import Operations
from ..operations.requests import ActionRequest, Applied
from ..params.monitoring import Context, Intervals, NrRegions, Target

SAMPLE_US: Final = 25_000
"""The sampling interval, in microseconds."""

AGGR_US: Final = 4 * SAMPLE_US
"""The aggregation interval, in microseconds."""

SETTLE_TURNS: Final = 3
"""Turns of the loop for tasks that were woken, fewer than by default: time is a rival, too."""

FEW: Final = NrRegions(3, 12)
"""How many regions."""

SLAB: Final = 1 << 18
"""Bytes of the memory of one target."""


@dataclass(eq=False)
class Slab:
    """
    An operations set: 256 KiB per target, the first quarter of which is hot.

    Those of different targets lie apart, by ``pid``.

    Attributes:
        end_us: When all targets vanish; None never. May be changed at any time.

        pure: Whether whole windows may be asked about.
    """

    end_us: int | None = None
    pure: bool = True

    ends_with_targets = True

    def is_pure(self, target: Target) -> bool:
        """Tell whether whole windows may be asked about."""
        del target
        return self.pure

    def lifetime_us(self, target: Target) -> int | None:
        """Return when the memory vanishes."""
        del target
        return self.end_us

    def ranges(self, target: Target, now_us: int, min_region_sz: int) -> IntArray | None:
        """Return where the memory of a target is."""
        del now_us, min_region_sz
        # Far enough that regions of two targets never touch.
        start = (target.pid or 0) << 24
        return np.array([[start, start + SLAB]], np.int64)

    def accessed(
        self, target: Target, addresses: IntArray, since_us: IntArray, until_us: IntArray
    ) -> BoolArray:
        """Tell which addresses are hot."""
        del target, since_us, until_us
        hot: BoolArray = addresses & ((1 << 24) - 1) < SLAB // 4
        return hot

    def apply(self, target: Target, request: ActionRequest) -> Applied:
        """Do to every byte what is asked for."""
        del target
        return Applied(request.sizes, request.sizes)


def idle(**fields: Any) -> Context:
    """Return a context that costs nothing and never ends by itself: paddr without targets."""
    return Context(ops="paddr", **fields)


def slab(memory: Operations | None = None, *, nr_targets: int = 1, **fields: Any) -> Context:
    """Return a context over a few targets in *memory*, with few regions and ticks."""
    targets = [Target(pid=nr) for nr in range(1, nr_targets + 1)]
    # Cheap ones, as a scenario is run a thousand times.
    given: dict[str, Any] = {"intervals": Intervals(SAMPLE_US, AGGR_US), "nr_regions": FEW}
    return Context(ops=memory or Slab(), targets=targets, **given | fields)


def quiet_damon(clock: Clock | None = None, **options: Any) -> Damon:
    """Return an engine of virtual time and seed 0 that logs nothing."""
    damon = Damon(clock=clock or VirtualClock(settle_turns=SETTLE_TURNS), seed=0, **options)
    # Of this one alone: how the application logs is not ours to configure.
    vars(damon)["_log"] = structlog.wrap_logger(None, [_drop], structlog.BoundLogger)
    return damon


def _drop(*_: object) -> Any:
    # The polite way to have a processor swallow an event.
    raise structlog.DropEvent
