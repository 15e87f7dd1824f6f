"""When a scheme is active: watermarks with hysteresis."""

from __future__ import annotations

from typing import NamedTuple

from ..params.quotas import Watermarks


class Watched(NamedTuple):
    """What looking at the watermarks of a scheme has told."""

    is_active: bool
    """Whether the scheme may act from now on."""

    wait_us: int
    """How long there is nothing to do for it, in microseconds; 0 if it is active."""


def watched(watermarks: Watermarks, *, is_active: bool, value: int | None) -> Watched:
    """
    Compare a value with watermarks.

    Args:
        watermarks: The marks.

        is_active: Whether the scheme has been active so far.

        value: Of the metric; None if nobody could tell, which changes nothing.

    Source:
        spec core 7.6, example E32. A mark itself is inside, except that it takes
        less than mid to become active.
    """
    if value is not None:
        # Below low as well: memory is so short that monitoring would only harm.
        is_inside = watermarks.low_permil <= value <= watermarks.high_permil
        is_active = is_inside and (is_active or value < watermarks.mid_permil)
    return Watched(is_active, 0 if is_active else watermarks.interval_us)
