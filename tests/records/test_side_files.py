"""The files beside a record: its parameters and its workload."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from damon_async.errors import InputFileError
from damon_async.params.monitoring import Context, Kdamond, Ops, Target
from damon_async.records.side_files import (
    Workload,
    kdamonds_path,
    read_kdamonds,
    read_workloads,
    workload_path,
    write_kdamonds,
    write_workloads,
)

KDAMOND = Kdamond([Context(Ops.PADDR, [Target(regions="4G-8G")])], refresh_ms=1000)


def test_names() -> None:
    """Side files have the record's name with an ending more."""
    assert kdamonds_path("a/damon.data") == Path("a/damon.data.kdamonds")
    assert workload_path(Path("damon.data")) == Path("damon.data.workload")


def test_kdamonds(tmp_path: Path) -> None:
    """Parameters survive, as the bare list that damo writes, in plain numbers."""
    write_kdamonds(tmp_path / "r", [KDAMOND])
    assert read_kdamonds(tmp_path / "r") == (KDAMOND,)
    tree = json.loads(kdamonds_path(tmp_path / "r").read_text())
    assert isinstance(tree, list)
    assert tree[0]["contexts"][0]["intervals"]["aggr_us"] == "100000"


def test_workloads(tmp_path: Path) -> None:
    """Workloads survive, in the order of the targets."""
    made = [
        Workload("stairs.cfg", seed=7, page_size=2**21, start_us=5, options={"speed": 2.5}),
        Workload("zipf:size=1G,theta=0.99"),
    ]
    write_workloads(tmp_path / "r", made)
    assert read_workloads(tmp_path / "r") == made


def test_missing_side_files(tmp_path: Path) -> None:
    """Side files that are not there are told by name."""
    with pytest.raises(InputFileError, match=r"r\.workload: No such file or directory"):
        read_workloads(tmp_path / "r")
    with pytest.raises(InputFileError, match=r"r\.kdamonds: No such file or directory"):
        read_kdamonds(tmp_path / "r")


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("{", "not a list of workloads"),
        ("[]", "not a list of workloads"),
        ('{"targets": 3}', "not a list of workloads"),
        ('{"targets": [3]}', r"targets\[0\]: must be an object"),
        ('{"targets": [{"spec": 3}]}', r"targets\[0\]\.spec: must be the text that names"),
        ('{"targets": [{"spec": "x"}]}', r"targets\[0\]\.seed: missing, but required"),
        (
            '{"targets": [{"spec": "x", "seed": "?", "page_size": 1, "start_us": 0}]}',
            r"targets\[0\]\.seed: '\?' is not a number",
        ),
        ('{"targets": [{"spec": "x", "options": 3}]}', r"targets\[0\]\.options: must be an obj"),
    ],
)
def test_wrong_workloads(tmp_path: Path, content: str, wrong: str) -> None:
    """What is no file of workloads is refused in one sentence."""
    workload_path(tmp_path / "r").write_text(content)
    with pytest.raises(InputFileError, match=wrong):
        read_workloads(tmp_path / "r")
