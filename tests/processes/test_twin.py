"""Memory that stands for a process, before it is made."""

from __future__ import annotations

import pytest

from damon_async.errors import InvalidError
from damon_async.processes.twin import Twin
from damon_async.spaces.generators import Uniform


def test_equal_twins_are_the_same_memory() -> None:
    """What they are called, and how they are made random, tells them apart."""
    assert Twin("zipf") == Twin("zipf")
    assert Twin("zipf") != Twin("zipf", seed=1)
    assert Twin("zipf") != Twin("zipf", is_repeated=False)
    assert Twin("zipf") != Twin("zipf", page_size=2**21)


def test_specs_are_opened() -> None:
    """A twin is opened as any other workload; its page size is the one given."""
    space = Twin("uniform:size=4M", page_size=2**21).open()
    assert {each.page_size for each in space.mappings(0) if each.name == "uniform"} == {2**21}


def test_unknown_workloads_are_refused() -> None:
    """What is no workload is an error when it is opened, and not before."""
    twin = Twin("nonsense")
    with pytest.raises(InvalidError, match="no workload 'nonsense'"):
        twin.open()


def test_made_by_a_function() -> None:
    """Some have only a name, and a function that makes them; they come once."""
    space = Uniform(size=4096).space()
    twin = Twin.made("something", lambda: space)
    assert twin == Twin("something", is_repeated=False)
    assert twin.open() is space
