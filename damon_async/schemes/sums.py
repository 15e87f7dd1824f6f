"""Sums of sizes that stay exact: the regions of several targets may exceed 63 bits."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import IntArray

WIDE: Final = 2.0**62
"""From here on sums are made of plain integers. Floats are exact enough to tell."""

Sums: TypeAlias = IntArray | npt.NDArray[Any]
"""int64, or objects that are plain integers."""


def is_wide(sizes: IntArray) -> bool:
    """Tell whether sums of (some of) *sizes* may need more than 63 bits."""
    # Adding up to 2^62 in floats errs by far less than the factor 2 that is left.
    return bool(sizes.sum(dtype=np.float64) >= WIDE)


def total(sizes: IntArray, *, wide: bool = False) -> int:
    """Return the sum of *sizes*, exactly; *wide* as ``is_wide`` tells."""
    return int(sum(sizes.tolist())) if wide else int(sizes.sum())


def running_sums(sizes: IntArray, *, wide: bool = False) -> Sums:
    """Return the sum up to and including each of *sizes*, exactly."""
    # Objects are slow, and exact at any size.
    return (sizes.astype(object) if wide else sizes).cumsum()
