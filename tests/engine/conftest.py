"""Engine tests run on asyncio's own loop and on uvloop, under a guard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec

import pytest
from structlog.testing import capture_logs

from damon_async.testing.oracles import watching

from .worlds import hang_guard


def _new_uvloop() -> asyncio.AbstractEventLoop:
    if find_spec("uvloop") is None:
        pytest.skip("uvloop is not installed")
    import uvloop

    return uvloop.new_event_loop()


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every test of this folder on both event loops."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": _new_uvloop}


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    with hang_guard():
        yield


@pytest.fixture(autouse=True)
def _no_test_logs() -> Iterator[None]:
    # The default log draws tracebacks at length, which takes longer than any test.
    with capture_logs():
        yield


@pytest.fixture(autouse=True)
def _oracles() -> Iterator[None]:
    # What must always hold is looked at in every test, whatever that is about.
    with watching():
        yield
