"""Filters: each type with what it needs to know."""

from __future__ import annotations

from typing import Any

import pytest

from damon_async.errors import ParametersError
from damon_async.params.filters import Filter, default_allows
from damon_async.params.keywords import FilterType
from damon_async.params.patterns import SizeBounds
from damon_async.params.ranges import AddressRange

NEEDS: dict[str, dict[str, Any]] = {
    "memcg": {"memcg_path": "/a"},
    "addr": {"address_range": "4K-8K"},
    "target": {"damon_target_idx": 0},
    "hugepage_size": {"hugepage_size": ("4K", "2M")},
}
"""What some types need; the others need nothing."""


def problems_of(**fields: Any) -> list[str]:
    """Return what a filter is refused for."""
    with pytest.raises(ParametersError, match=r".") as caught:
        Filter(**fields)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("kind", list(FilterType))
def test_types(kind: FilterType) -> None:
    """Every type can be made of what it needs."""
    each = Filter(str(kind), **NEEDS.get(kind, {}))
    assert (each.filter_type, each.matching, each.allow) == (kind, True, False)


@pytest.mark.parametrize("kind", list(NEEDS))
def test_missing(kind: str) -> None:
    """A type without what it needs is refused."""
    (name,) = NEEDS[kind]
    assert problems_of(filter_type=kind) == [f"{name}: missing; {kind} filters need it"]


@pytest.mark.parametrize("kind", list(NEEDS))
def test_surplus(kind: str) -> None:
    """What means nothing to a type is refused, not dropped."""
    (name,) = NEEDS[kind]
    wrong = problems_of(filter_type="anon", **NEEDS[kind])
    assert wrong == [f"{name}: means nothing to a filter of type anon"]


def test_read() -> None:
    """Arguments are read from damo's texts and objects."""
    assert Filter("addr", address_range={"start": "4K", "end": 8192}).address_range == (
        AddressRange(4096, 8192)
    )
    assert Filter("hugepage_size", hugepage_size=["4K", "2M"]).hugepage_size == (
        SizeBounds(4096, 2**21)
    )
    assert Filter("target", "N", "yes", damon_target_idx="1") == Filter(
        "target", matching=False, allow=True, damon_target_idx=1
    )


def test_empty_path_is_none() -> None:
    """An empty path, as damo writes it for every filter, is none."""
    assert Filter("anon", memcg_path="") == Filter("anon")
    assert problems_of(filter_type="memcg", memcg_path="") == [
        "memcg_path: missing; memcg filters need it"
    ]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (
            {"filter_type": "addr", "address_range": {"start": "8K", "end": "4K"}},
            "address_range: start 8192 must be below end 4096",
        ),
        (
            {"filter_type": "hugepage_size", "hugepage_size": ["8K", "4K"]},
            "hugepage_size.min: 8192 bytes is above max, 4096 bytes",
        ),
        (
            {"filter_type": "hugepages"},
            (
                "filter_type: 'hugepages' is not a filter type; use one of anon, active, memcg, "
                "young, hugepage_size, unmapped, addr, target"
            ),
        ),
        (
            {"filter_type": "anon", "allow": 1},
            "allow: 1 is not a yes or no; expected true, false, yes, no, y or n",
        ),
        ({}, "filter_type: missing, but required"),
    ],
)
def test_refused(fields: dict[str, Any], wrong: str) -> None:
    """What cannot be meant is refused with what would be right."""
    assert problems_of(**fields) == [wrong]


@pytest.mark.parametrize(
    ("allows", "expected"),
    [([], True), ([False], True), ([True], False), ([True, False], True), ([False, True], False)],
)
def test_default(allows: list[bool], expected: bool) -> None:
    """Memory that no filter hits is rejected only behind a last filter that allows."""
    assert default_allows([Filter("anon", allow=allow) for allow in allows]) is expected
