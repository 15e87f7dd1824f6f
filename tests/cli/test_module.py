"""`damon-async module`, `reclaim` and `lru_sort`, inside the test's own process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

FILLING = ("--workload", "scan:size=16M,bytes_per_s=1M", "--memory", "16M", "--populated", "no")

QUICK = (
    "--monitor_intervals",
    "50ms",
    "1s",
    "--min_age",
    "2s",
    "--wmarks",
    "1s",
    "500",
    "400",
    "0",
)

VALUES = {"enabled": "N", "commit_inputs": "N", "min_age": "120000000", "quota_sz": "134217728"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a plain folder that looks like the parameters of DAMON_RECLAIM."""
    parameters = tmp_path / "module/damon_reclaim/parameters"
    parameters.mkdir(parents=True)
    for name, value in VALUES.items():
        (parameters / name).write_text(f"{value}\n")
    return tmp_path / "module"


def value(root: Path, name: str) -> str:
    """Return what a parameter in the copy says."""
    return (root / "damon_reclaim/parameters" / name).read_text().strip()


def test_status(cli: Cli, copy: Path) -> None:
    """Status is the default, and prints a line for each parameter."""
    for words in (("reclaim",), ("reclaim", "status"), ("module", "reclaim", "status")):
        outcome = cli(*words, "--root", copy)
        assert outcome.code == 0
        assert outcome.out.splitlines() == [f"{name}: {VALUES[name]}" for name in sorted(VALUES)]


def test_enable_with_parameters(cli: Cli, copy: Path) -> None:
    """Enable writes what was given, in the kernel's units, and then Y."""
    outcome = cli("reclaim", "enable", "--root", copy, "--min_age", "2 s", "--set", "quota_sz=7")
    assert (outcome.code, outcome.out) == (0, "")
    assert value(copy, "min_age") == "2000000"
    assert value(copy, "quota_sz") == "7"
    assert value(copy, "enabled") == "Y"
    assert cli("module", "reclaim", "disable", "--root", copy).code == 0
    assert value(copy, "enabled") == "N"


def test_commit(cli: Cli, copy: Path) -> None:
    """Commit writes what was given, and then has it applied."""
    assert cli("reclaim", "commit", "--root", copy, "--min_age", "3s").code == 0
    assert value(copy, "commit_inputs") == "Y"
    assert value(copy, "enabled") == "N"


def test_the_machines_own_modules_are_safe(cli: Cli) -> None:
    """By default it is about this machine, whose modules are not there or not written to."""
    outcome = cli("reclaim", "enable", "--root", "/sys/kernel")
    assert outcome.code == 2
    assert "no tree at /sys/kernel/damon_reclaim/parameters" in outcome.line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("status", "--min_age", "1s"), "status takes no parameters"),
        (("enable", "--skip_anon"), "no parameter skip_anon here"),
        (("enable", "--quota", "1", "2", "3"), "no parameter quota_ms, quota_reset_interval_ms"),
        (("enable", "--set", "addr_unit"), "expected NAME=VALUE"),
        (("run", "--workload", "scan", "--set", "x=1", "--duration", "1"), "no parameter x"),
        (("run",), "name a workload"),
        (("run", "--min_age", "1s", *FILLING, "--duration", "1", "--output", "x"), "--output x"),
    ],
)
def test_mistakes(cli: Cli, copy: Path, words: tuple[str, ...], expected: str) -> None:
    """What makes no sense is told in a line, and nothing is written."""
    outcome = cli("reclaim", *words, "--root", copy)
    assert outcome.code == 2
    assert expected in outcome.line
    assert {name: value(copy, name) for name in VALUES} == VALUES


def test_run_reclaim(cli: Cli, tmp_path: Path) -> None:
    """A run needs no tree, prints what the scheme did, and draws free memory."""
    picture = tmp_path / "free.png"
    outcome = cli(
        "reclaim",
        "run",
        *FILLING,
        *QUICK,
        "--duration",
        "40",
        "--quota",
        "10ms",
        "8M",
        "1s",
        "--output",
        picture,
    )
    assert outcome.code == 0
    lines = dict(line.strip().split(": ", 1) for line in outcome.out.splitlines() if ": " in line)
    assert lines["most in a window"] == "8.000 MiB"
    assert int(lines["free memory at the end"].split()[0]) > 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_run_lru_sort(cli: Cli) -> None:
    """A run of LRU_SORT tells of both schemes."""
    outcome = cli(
        "lru_sort", "run", "--workload", "hotspot:size=16M,hot=4M", "--duration", "5",
        "--wmarks", "1s", "1000", "900", "0", "--cold_min_age", "1s",
        "--hot_thres_access_freq", "200",
    )  # fmt: skip
    assert outcome.code == 0
    assert "hot:" in outcome.out
    assert "cold:" in outcome.out
    assert "tried: 0 times" not in outcome.out


def test_stat(cli: Cli) -> None:
    """Naming a workload is as good as run; idle times and bandwidth are printed."""
    words = ("--workload", "hotspot:size=16M,hot=4M", "--duration", "8")
    outcome = cli("module", "stat", *words)
    assert outcome.code == 0
    assert outcome.out.startswith("estimated_memory_bandwidth: ")
    assert "in use for" in outcome.out
    assert "100  idle for" in outcome.out
    assert cli("module", "stat", "run", *words).out == outcome.out


def test_stat_is_silent_at_first(cli: Cli) -> None:
    """A run of less than five seconds has nothing to say."""
    outcome = cli("module", "stat", "--workload", "hotspot:size=16M,hot=4M", "--duration", "4")
    assert outcome.code == 2
    assert "first five seconds" in outcome.line
