"""Names for the NumPy arrays that cross room borders."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int64]
"""int64: addresses in bytes, instants in microseconds, counts."""

BoolArray: TypeAlias = npt.NDArray[np.bool_]
"""One yes or no per element."""

FloatArray: TypeAlias = npt.NDArray[np.float64]
"""float64: shares, rates and draws in ``[0, 1)``."""
