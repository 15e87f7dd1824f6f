"""The scheme of spec damo 2, as parameters and as a tree; and what documents are refused for."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from damon_async.errors import ParametersError
from damon_async.params.filters import Filter
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Goal, Quotas, Watermarks, Weights
from damon_async.params.scheme_document import load_schemes
from damon_async.params.schemes import Scheme

RECLAIM = Scheme(
    "pageout",
    AccessPattern(("4K", "max"), (0, 0), ("5 s", "max")),
    "1 s",
    Quotas(
        "10 ms",
        "128M",
        "1 s",
        Weights(0, 0, 1),
        [Goal("some_mem_psi_us", 500), Goal("user_input", 10_000, 5_000)],
    ),
    Watermarks("free_mem_rate", "5 s", 500, 400, 200),
    [Filter("anon", matching=False)],
)
"""The example of spec damo 2."""

RECLAIM_TREE: dict[str, Any] = {
    "action": "pageout",
    "dests": [],
    "access_pattern": {
        "sz_bytes": {"min": "4.000 KiB", "max": "max"},
        "nr_accesses": {"min": "0 %", "max": "0 %"},
        "age": {"min": "5 s", "max": "max"},
    },
    "apply_interval_us": "1 s",
    "quotas": {
        "time_ms": "10 ms",
        "sz_bytes": "128.000 MiB",
        "reset_interval_ms": "1 s",
        "fail_charge_num": "0",
        "fail_charge_denom": "0",
        "goals": [
            {
                "metric": "some_mem_psi_us",
                "complement": False,
                "nid": None,
                "memcg_path": None,
                "target_value": "500",
                "current_value": "0",
            },
            {
                "metric": "user_input",
                "complement": False,
                "nid": None,
                "memcg_path": None,
                "target_value": "10,000",
                "current_value": "5,000",
            },
        ],
        "goal_tuner": "consist",
        "effective_sz_bytes": "0 B",
        "weights": {"sz_permil": "0 %", "nr_accesses_permil": "0 %", "age_permil": "0.1 %"},
    },
    "watermarks": {
        "metric": "free_mem_rate",
        "interval_us": "5 s",
        "high_permil": "50 %",
        "mid_permil": "40 %",
        "low_permil": "20 %",
    },
    "filters": [
        {
            "filter_type": "anon",
            "matching": False,
            "allow": False,
            "memcg_path": None,
            "address_range": None,
            "damon_target_idx": None,
            "hugepage_size": None,
            "probe_hits_wsum_range": None,
        }
    ],
}
"""The same as damo prints it."""


def problems_of(source: object) -> list[str]:
    """Return what schemes are refused for, without the common beginning of paths."""
    with pytest.raises(ParametersError, match=r".") as caught:
        load_schemes(source)
    return [str(problem).removeprefix("schemes[0].") for problem in caught.value.problems]


def changed(*path: str | int, to: object) -> list[Any]:
    """Return the example with one value changed."""
    tree = copy.deepcopy(RECLAIM_TREE)
    place: Any = tree
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return [tree]
