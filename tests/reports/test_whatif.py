"""What schemes would do, as text, JSON and pictures; on outcomes made up for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from damon_async.params.monitoring import Context
from damon_async.params.schemes import Scheme
from damon_async.reports.whatif import spread, whatif_json, whatif_text
from damon_async.reports.whatif_plot import plot_whatif
from damon_async.schemes.stats import SchemeStats
from damon_async.whatif.outcome import Outcome, QuotaUse, SchemeOutcome, Timeline

MIB = 1 << 20


def timeline(resident_mib: int, nr_refaults: int = 0) -> Timeline:
    """Return two seconds of a machine that waits 20 us per refault."""
    times = np.array([0, 1_000_000, 2_000_000])
    resident = np.array([64, resident_mib, resident_mib]) * MIB
    refaults = np.array([0, nr_refaults // 2, nr_refaults])
    return Timeline(times, resident, refaults, refaults * 20_000, refaults * 2_000)


def use(*charged: int, allowed: float = 4.0 * MIB) -> QuotaUse:
    """Return windows of a second."""
    count = np.array(charged, np.int64)
    return QuotaUse(
        np.arange(len(charged)) * 1_000_000, count, np.full(len(charged), allowed), count // 512
    )


def outcome(name: str, line: Timeline, *schemes: SchemeOutcome, nr_contexts: int = 1) -> Outcome:
    """Return a run."""
    contexts = (Context("paddr"),) * nr_contexts
    return Outcome(name, contexts, 1, line, schemes, 5120, 0, 0, 20, 12.4, 4000, 500)


LIMITED = Scheme(
    "pageout",
    quotas={
        "time_ms": 10,
        "sz_bytes": "4M",
        "reset_interval_ms": 1000,
        "weights": {"nr_accesses_permil": 3, "age_permil": 7},
    },
)
STATS = SchemeStats(nr_tried=9, sz_tried=5 * MIB, nr_applied=1, sz_applied=3 * MIB, qt_exceeds=2)
BASE = Outcome("no schemes", (), 1, timeline(64), (), 0, 0, 0, 0, 0.0, 0, 500)
TRIED = outcome(
    "darc1.json",
    timeline(16, 1000),
    SchemeOutcome(0, LIMITED, STATS, use(0, 2 * MIB, 4 * MIB)),
)


def test_table() -> None:
    """Each number stands beside that of the world left alone."""
    lines = list(whatif_text(BASE, [TRIED]))

    assert lines[:12] == [
        "                           no schemes  darc1.json",
        "memory in use, mean        64.000 MiB  16.000 MiB",
        "memory in use, at the end  64.000 MiB  16.000 MiB",
        "memory saved                        -      75.0 %",
        "paged out by schemes              0 B  20.000 MiB",
        "paged out to make room            0 B         0 B",
        "refaults                            0       1,000",
        "waiting for memory               0 ns       20 ms",
        "slow-down, estimated                -       1.0 %",
        "kdamond: actions                0.0 %       0.1 %",
        "kdamond: looking                0.0 %       0.1 %",
        "regions, mean                       0          12",
    ]


def test_what_each_scheme_did() -> None:
    """Below the table stands what each scheme tried, did and was allowed."""
    lines = list(whatif_text(BASE, [TRIED]))

    assert lines[13:] == [
        "darc1.json",
        "  scheme 0, pageout",
        "    tried       5.000 MiB in 9 regions",
        "    applied     3.000 MiB in 1 region",
        "    quota    10 ms, 4.000 MiB per 1 s; weights 0:3:7",
        "    windows  3, 2 of them used up",
        "    charged  0 B / 2.000 MiB / 4.000 MiB per window (least, median, most)",
        "    used     0.0 % / 50.0 % / 100.0 % of what was allowed",
        "    took     0 ns / 4 us / 8 us per window",
    ]


def test_plain_numbers() -> None:
    """On request, sizes are bytes and times nanoseconds."""
    text = "\n".join(whatif_text(BASE, [TRIED], raw=True))
    assert f" {16 * MIB}" in text
    assert " 20000000\n" in text


def test_schemes_without_limits_are_short() -> None:
    """What has no quota says nothing of windows; what sleeps, is filtered or shares says so."""
    filtered = Scheme("cold", filters=[{"filter_type": "anon", "matching": False}])
    run = outcome(
        "two",
        timeline(64),
        SchemeOutcome(0, Scheme("stat"), SchemeStats(), use(), is_active=False),
        SchemeOutcome(1, filtered, SchemeStats(sz_ops_filter_passed=MIB), use()),
        nr_contexts=2,
    )
    lines = list(whatif_text(BASE, [run]))[13:]

    assert lines[1] == "  scheme 0 of context 0, stat, asleep at the end"
    assert lines[4] == "  scheme 1 of context 1, cold"
    assert lines[7] == "    passed   1024.000 KiB through filters"
    assert len(lines) == 8


def test_wide_tables_are_parted() -> None:
    """What does not fit beside the baseline goes below, and each part has the baseline."""
    runs = [outcome(f"document-{number}.json", timeline(32)) for number in range(7)]
    lines = list(whatif_text(BASE, runs, width=80))
    heads = [line for line in lines if line.lstrip().startswith("no schemes")]

    assert len(heads) == 4
    assert max(map(len, lines)) <= 80
    assert [name for line in heads for name in line.split()[2:]] == [run.name for run in runs]


def test_goals_are_limits() -> None:
    """A quota that follows a goal says which."""
    quotas = {
        "reset_interval_ms": 1000,
        "goals": [{"metric": "some_mem_psi_us", "target_value": 500}],
    }
    run = outcome(
        "goal",
        timeline(64),
        SchemeOutcome(0, Scheme("pageout", quotas=quotas), SchemeStats(), use(1)),
    )
    assert "    quota    goal some_mem_psi_us 500 per 1 s" in list(whatif_text(BASE, [run]))


def test_json() -> None:
    """JSON holds shares, counters, windows and the machine over time."""
    tree = json.loads(whatif_json(BASE, [TRIED]))
    (run,) = tree["runs"]

    assert tree["baseline"]["saved_share"] == 0
    assert run["saved_share"] == 0.75
    assert run["slowdown"] == 0.01
    assert run["schemes"][0]["windows"]["charged_bytes"] == [0, 2 * MIB, 4 * MIB]
    assert run["schemes"][0]["stats"]["qt_exceeds"] == 2
    assert run["timeline"]["nr_refaults"] == [0, 500, 1000]


def test_spread() -> None:
    """A spread is smallest, median and largest; of nothing it is zeros."""
    assert spread(np.array([3, 1, 2])) == (1, 2, 3)
    assert spread(np.array([], np.int64)) == (0, 0, 0)


@pytest.mark.parametrize("runs", [[TRIED], [TRIED, outcome("none", timeline(8))]])
def test_picture(tmp_path: Path, runs: list[Outcome]) -> None:
    """A picture is drawn with and without quotas."""
    pytest.importorskip("matplotlib")
    plot_whatif(BASE, runs, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_picture_without_quotas(tmp_path: Path) -> None:
    """Where no scheme has a quota, the picture says so."""
    pytest.importorskip("matplotlib")
    plot_whatif(BASE, [outcome("none", timeline(8))], tmp_path / "x.svg")
    assert (tmp_path / "x.svg").stat().st_size > 1000
