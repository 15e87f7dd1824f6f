"""Documents of schemes that are refused, and how that is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from damon_async.errors import InputFileError, InvalidError
from damon_async.params.scheme_document import load_schemes, load_schemes_file

from .scheme_trees import changed, problems_of


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("quotas", "goals", 0, "complement"), True),
        (("filters", 0, "probe_hits_wsum_range"), [1, 2]),
        (("access_pattern", "age", "unit"), "aggr_intervals"),
    ],
)
def test_not_supported(path: tuple[str | int, ...], value: object) -> None:
    """Features that we lack are refused, never dropped."""
    (wrong,) = problems_of(changed(*path, to=value))
    assert wrong.endswith(f"{path[-1]}: not supported yet; leave it out")


@pytest.mark.parametrize(
    ("path", "required"),
    [
        (("access_pattern",), ["sz_bytes", "nr_accesses", "age"]),
        (("access_pattern", "age"), ["min", "max"]),
        (("quotas",), ["time_ms", "sz_bytes", "reset_interval_ms", "weights"]),
        (("quotas", "weights"), ["sz_permil", "nr_accesses_permil", "age_permil"]),
        (("quotas", "goals", 0), ["metric", "target_value", "current_value"]),
        (("watermarks",), ["metric", "interval_us", "high_permil", "mid_permil", "low_permil"]),
        (("filters", 0), ["filter_type", "matching"]),
    ],
)
def test_required(path: tuple[str | int, ...], required: list[str]) -> None:
    """What damo requires is required, even where our own models have defaults."""
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    expected = [f"{where}.{name}: missing, but required" for name in required]
    assert problems_of(changed(*path, to={})) == expected


TWENTY_MISTAKES: list[dict[str, Any]] = [
    {"action": "page_out", "colour": "red", "apply_interval_us": "-1 ms"},
    {
        "access_pattern": {
            "sz_bytes": {"min": "2M", "max": "1M"},
            "nr_accesses": {"min": "5 %", "max": "3 samples"},
            "age": {"min": "-1 s"},
        },
        "quotas": {
            "time_ms": "2 s",
            "sz_bytes": "lots",
            "reset_interval_ms": "1 s",
            "weights": {"sz_permil": 2**40, "nr_accesses_permil": "x", "age_permil": 1},
            "goals": [
                {"metric": "user_input", "target_value": 0, "current_value": 0},
                {"metric": "weather", "target_value": 1, "current_value": 0},
                {"metric": "node_mem_used_bp", "target_value": 1, "current_value": 0},
                8,
            ],
            "goal_tuner": "banjo",
        },
        "watermarks": {
            "metric": "none",
            "interval_us": 0,
            "high_permil": 1,
            "mid_permil": 2,
            "low_permil": 3,
        },
        "filters": [
            {"filter_type": "addr", "matching": True, "address_range": {"start": 9, "end": 5}},
            {"filter_type": "hugepage_size", "matching": True, "hugepage_size": ["2M", "1M"]},
        ],
    },
    {"action": "migrate_hot"},
]
"""A file that somebody wrote in a hurry."""


def test_every_mistake_at_once() -> None:
    """All mistakes of a document are told together, once each, with their paths."""
    paths = [problem.partition(":")[0] for problem in problems_of(TWENTY_MISTAKES)]
    pattern, quotas = "schemes[1].access_pattern", "schemes[1].quotas"
    assert sorted(paths) == sorted(
        [
            "action",
            "colour",
            "apply_interval_us",
            f"{pattern}.sz_bytes.min",
            f"{pattern}.nr_accesses.min",
            f"{pattern}.age.min",
            f"{pattern}.age.max",
            f"{quotas}.sz_bytes",
            f"{quotas}.weights.nr_accesses_permil",
            f"{quotas}.goals[0].target_value",
            f"{quotas}.goals[1].metric",
            f"{quotas}.goals[2].nid",
            f"{quotas}.goals[3]",
            f"{quotas}.goal_tuner",
            "schemes[1].watermarks.mid_permil",
            "schemes[1].watermarks.low_permil",
            "schemes[1].filters[0].address_range",
            "schemes[1].filters[1].hugepage_size.min",
            "schemes[2].target_nid",
        ]
    )


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ({"kdamonds": []}, "not a scheme document; expected a list of schemes"),
        ('{"kdamonds": []}', "not a scheme document; expected a list of schemes"),
        (None, "not a scheme document; expected a list of schemes"),
        ("[", "not a scheme document: Expecting value at line 1, column 2"),
        ("", "not a scheme document: Expecting value at line 1, column 1"),
        (b"[\xff", "not a scheme document; expected UTF-8 text"),
        ([5], r"schemes\[0\]: must be an object with named values"),
    ],
)
def test_refused(source: object, wrong: str) -> None:
    """What is no document of schemes at all is refused with what one would be."""
    with pytest.raises(InvalidError, match=wrong):
        load_schemes(source)


def test_bad_file(tmp_path: Path) -> None:
    """A file full of mistakes is one error that begins with its path and lists them all."""
    path = tmp_path / "schemes.json"
    path.write_text(json.dumps(TWENTY_MISTAKES))
    with pytest.raises(InputFileError, match=r"schemes\.json: 19 problems: ") as caught:
        load_schemes_file(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputFileError, match=r"none\.json: No such file or directory"):
        load_schemes_file(tmp_path / "none.json")
