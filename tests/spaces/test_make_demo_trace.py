from __future__ import annotations

from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.spaces.trace_formats import TRACE_FORMS, Touches
from damon_async.spaces.trace_text import TextBlock

GRAIN = 10
ROOT = Path(__file__).resolve().parent.parent.parent

touch_lists = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, 20_000), st.integers(1, 5000)), min_size=1
).map(sorted)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Load the script that made the trace that comes with the package."""
    spec = spec_from_file_location("make_demo_trace", ROOT / "benchmarks" / "make_demo_trace.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def chunks(touches: Sequence[tuple[int, int, int]], cut: int) -> list[Touches]:
    parts = [part for part in (touches[:cut], touches[cut:]) if part]
    return [Touches(*np.array(part, dtype=np.int64).T) for part in parts]


@given(touches=touch_lists, cut=st.integers(0, 20))
def test_the_reduction_is_exact_to_the_grain(
    script: ModuleType, touches: list[tuple[int, int, int]], cut: int
) -> None:
    """Read again, the reduced trace has each page of each grain once, at the grain's start."""
    text = b"".join(script.trace_lines(script.distinct(chunks(touches, cut), GRAIN), GRAIN))
    read = TRACE_FORMS["address"].read([TextBlock(Path("reduced"), text, 1)])
    found = [
        (clock, address // 4096)
        for part in read
        for clock, address in zip(part.clock.tolist(), part.address.tolist(), strict=True)
    ]
    assert found == sorted(
        {
            (clock // GRAIN * GRAIN, page)
            for clock, address, size in touches
            for page in range(address // 4096, (address + size - 1) // 4096 + 1)
        }
    )
