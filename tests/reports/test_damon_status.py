"""Kdamonds as an indented tree, beside what real damo prints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from damon_async.params.document import load_document
from damon_async.params.monitoring import Context, Kdamond
from damon_async.params.schemes import Scheme
from damon_async.records.status import KdamondStatus, SchemeCounters
from damon_async.reports.damon_status import STAT_FIELDS, stats_text, status_text, summary_texts

DamoArgs: TypeAlias = Callable[..., str]

PLAIN: dict[str, Any] = {
    "ops": "paddr",
    "targets": [{"pid": None, "regions": [{"start": "4,294,967,296", "end": "8,589,934,592"}]}],
}
TUNED: dict[str, Any] = {
    "ops": "vaddr",
    "pause": True,
    "targets": [
        {"pid": 12, "obsolete": True, "regions": []},
        {"pid": 13, "regions": [{"start": 0, "end": 4096}, {"start": 8192, "end": 12288}]},
    ],
    "intervals": {
        "sample_us": "5 ms",
        "aggr_us": "100 ms",
        "ops_update_us": "1 s",
        "intervals_goal": {
            "access_bp": "4 %",
            "aggrs": "3",
            "min_sample_us": "5 ms",
            "max_sample_us": "10 s",
        },
    },
}
NO_WEIGHTS = {"sz_permil": "0", "nr_accesses_permil": "0", "age_permil": "0"}
WEIGHTS = {"sz_permil": "0", "nr_accesses_permil": "500", "age_permil": "70 %"}
MIGRATION = {
    "action": "migrate_hot",
    "target_nid": 1,
    "access_pattern": {
        "sz_bytes": {"min": "0", "max": "max"},
        "nr_accesses": {"min": "5 samples", "max": "12 samples"},
        "age": {"min": "1 aggr_intervals", "max": "20 aggr_intervals"},
    },
    "quotas": {
        "time_ms": "0",
        "sz_bytes": "0",
        "reset_interval_ms": "max",
        "weights": NO_WEIGHTS,
    },
    "filters": [
        {"filter_type": "memcg", "matching": True, "allow": True, "memcg_path": "/a b"},
        {
            "filter_type": "addr",
            "matching": False,
            "address_range": {"start": "4096", "end": "8192"},
        },
        {"filter_type": "target", "matching": True, "damon_target_idx": "1"},
        {"filter_type": "hugepage_size", "matching": True, "hugepage_size": ["4096", "2097152"]},
        {"filter_type": "young", "matching": True},
    ],
}
RECLAIM = {
    "action": "pageout",
    "apply_interval_us": "1 s",
    "access_pattern": {
        "sz_bytes": {"min": "4K", "max": "max"},
        "nr_accesses": {"min": "0 %", "max": "12 %"},
        "age": {"min": "5 s", "max": "max"},
    },
    "quotas": {
        "time_ms": "10 ms",
        "sz_bytes": "128M",
        "reset_interval_ms": "1 s",
        "fail_charge_num": "1",
        "fail_charge_denom": "3",
        "goal_tuner": "temporal",
        "goals": [
            {"metric": "some_mem_psi_us", "target_value": "500", "current_value": "0"},
            {"metric": "node_mem_used_bp", "target_value": "50 %", "current_value": 0, "nid": 0},
            {
                "metric": "node_memcg_used_bp",
                "target_value": "99 %",
                "current_value": "0",
                "nid": 0,
                "memcg_path": "/x",
            },
        ],
        "weights": WEIGHTS,
    },
    "watermarks": {
        "metric": "free_mem_rate",
        "interval_us": "5 s",
        "high_permil": "500",
        "mid_permil": "400",
        "low_permil": "200",
    },
}
SPREAD = {
    "action": "migrate_cold",
    "dests": [{"id": 0, "weight": 1}, {"id": 1, "weight": 2}],
    "quotas": {
        "time_ms": "1000",
        "sz_bytes": "5",
        "reset_interval_ms": "1000",
        "weights": NO_WEIGHTS,
    },
}
DOCUMENTS = {
    "plain": [{"contexts": [PLAIN]}],
    "tuned": [{"refresh_ms": "2 s", "contexts": [TUNED]}],
    "schemes": [{"contexts": [{**PLAIN, "schemes": [RECLAIM, MIGRATION, SPREAD]}]}],
    "two": [{"contexts": [PLAIN]}, {"contexts": [TUNED]}],
}


@pytest.fixture(scope="session")
def damo_args(tmp_path_factory: pytest.TempPathFactory) -> DamoArgs:
    """Return a function by which the real tool prints parameters; skip where it is missing."""
    beside = Path(sys.executable).with_name("damo")
    command = str(beside) if beside.exists() else shutil.which("damo")
    if command is None:
        pytest.skip("needs damo, from the package registry")
    home = tmp_path_factory.mktemp("damo")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

    def run(document: object, *options: str) -> str:
        (home / "document.json").write_text(json.dumps(document))
        done = subprocess.run(
            [command, "args", "damon", "document.json", "--format", "report", *options],
            cwd=home,
            env=os.environ | {"HOME": str(home), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        return done.stdout.rstrip("\n")

    return run


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("raw", [False, True])
def test_parameters_as_damo_prints_them(damo_args: DamoArgs, name: str, raw: bool) -> None:
    """Parameters are laid out as real damo lays them out, to the byte."""
    document = {"kdamonds": DOCUMENTS[name]}
    statuses = [KdamondStatus(kdamond) for kdamond in load_document(document)]

    ours = "\n".join(status_text(statuses, raw=raw, has_counters=False))
    assert ours == damo_args(document, *["--raw"] * raw)


COUNTERS = SchemeCounters(3, 1_000_000, 2, 4096, 7000, 1, 12, 0)
STATUS = KdamondStatus(
    Kdamond(
        [Context("paddr", schemes=[Scheme("pageout"), Scheme("stat", apply_interval_us="1 s")])]
    ),
    ((COUNTERS, None),),
    "on",
    99,
)


def test_counters_stand_below_each_scheme() -> None:
    """The whole tree tells what each scheme did after what it is."""
    lines = list(status_text([STATUS]))

    assert lines[1] == "    state: on, pid: 99"
    at = lines.index("            statistics")
    assert lines[at + 1 : at + 6] == [
        "                tried 3 times (976.562 KiB)",
        "                applied 2 times (4.000 KiB)",
        "                6.836 KiB passed filters",
        "                quota exceeded 1 times",
        "                tried 12 snapshots (max 0)",
    ]
    assert lines[-3] == "                unknown"


def test_counters_alone() -> None:
    """On request, there are counters and the names of what they belong to."""
    assert list(stats_text([STATUS], raw=True)) == [
        "kdamond 0",
        "    context 0",
        "        scheme 0",
        "            action: pageout per aggr interval",
        "            tried 3 times (1000000)",
        "            applied 2 times (4096)",
        "            7000 passed filters",
        "            quota exceeded 1 times",
        "            tried 12 snapshots (max 0)",
        "        scheme 1",
        "            action: stat per 1000000",
        "            unknown",
    ]


@pytest.mark.parametrize("name", STAT_FIELDS)
def test_single_counters(name: str) -> None:
    """Each counter can be asked for by its name."""
    lines = list(stats_text([STATUS], [name], raw=True))
    assert lines[4] == f"            {name}: {getattr(COUNTERS, name)}"


def test_counters_in_damos_words(damo: Callable[..., str], tmp_path: Path) -> None:
    """The sentences are those that real damo has for counters in a record."""
    snapshot = {
        "start_time": 0,
        "end_time": 100_000_000,
        "damos_stats": {name: str(getattr(COUNTERS, name)) for name in STAT_FIELDS},
        "regions": [
            {
                "start": 4096,
                "end": 8192,
                "nr_accesses": {"samples": 1},
                "age": {"usec": None, "aggr_intervals": 1},
            }
        ],
    }
    intervals = {"sample_us": 5000, "aggr_us": 100_000, "ops_update_us": 1_000_000}
    record = {"target_id": 0, "intervals": intervals, "snapshots": [snapshot]}
    path = tmp_path / "damon.data"
    # Only deflated is JSON always recognised.
    path.write_bytes(zlib.compress(json.dumps([record]).encode()))
    theirs = damo("access", "--input", path, "--format", "set", "snapshot_tail", "<damos stats>")

    ours = [line.strip() for line in stats_text([STATUS])][4:9]
    assert [line for line in theirs.splitlines() if line in ours] == ours


@pytest.mark.parametrize(
    ("status", "line"),
    [
        # All of them as damo 3.4.3 prints kdamonds of a sandbox.
        (KdamondStatus(Kdamond([Context("vaddr")]), state="on", pid=50), "state: on, pid: 50"),
        (
            KdamondStatus(Kdamond([Context("vaddr")], refresh_ms=1000), state="on", pid=50),
            "state: on, pid: 50, stats refresh per: 1 s",
        ),
        (
            KdamondStatus(Kdamond([Context("vaddr")], refresh_ms=1000), pid=-1),
            "state: off, pid: -1, stats refresh per: 1 s",
        ),
    ],
)
def test_summary_is_the_state_line(status: KdamondStatus, line: str) -> None:
    """The summary of a kdamond is what its tree begins with."""
    assert list(summary_texts([status])) == [line]
    assert list(status_text([status]))[1] == f"    {line}"
