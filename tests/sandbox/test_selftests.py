"""Scripts that use the tree as the tests of a kernel do, unaware of where they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from damon_async.control.profiles import Profile

from .scripted import SCRIPTS, sandboxed

PROFILES = [each.value for each in Profile]


@pytest.mark.parametrize("profile", ["6.12", "6.18"])
def test_files(sandbox_allowed: None, tmp_path: Path, profile: str) -> None:
    """A shell script finds files, values, errors and kdamonds as on a kernel."""
    done = sandboxed(["sh", str(SCRIPTS / "check_files.sh")], tmp_path, "--profile", profile)
    assert (done.returncode, done.stderr) == (0, "")


def test_estimate(sandbox_allowed: None, tmp_path: Path) -> None:
    """A Python script finds the working set of the program that selftests start."""
    # Only its name counts: what it does is what a program of that name would do.
    program = tmp_path / "access_memory"
    program.write_text("#!/bin/sh\nsleep 60\n")
    program.chmod(0o755)
    done = sandboxed(["python3", str(SCRIPTS / "check_estimate.py")], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"[01]\.\d\d of a block in \d+ estimates\n", done.stdout)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile(sandbox_allowed: None, tmp_path: Path, profile: str) -> None:
    """In every profile, physical memory can be monitored, and recorded by perf."""
    script = """
        HERE=$PWD
        cd /sys/kernel/mm/damon/admin/kdamonds
        echo 1 >nr_kdamonds && echo 1 >0/contexts/nr_contexts
        cd 0/contexts/0 && echo paddr >operations && echo 20000 >monitoring_attrs/intervals/aggr_us
        echo 1 >targets/nr_targets && echo 1 >targets/0/regions/nr_regions
        echo 5368709120 >targets/0/regions/0/end && echo 4294967296 >targets/0/regions/0/start
        echo on >../../state
        perf record -e damon:damon_aggregated -o "$HERE/trace" -- sleep 0.3
        perf script -i "$HERE/trace"
    """
    lines = sandboxed(["sh", "-c", script], tmp_path, "--profile", profile)
    assert (lines.returncode, lines.stderr) == (0, "")
    events = [line for line in lines.stdout.splitlines() if not line.startswith("#")]
    form = r"kdamond\.0 +\d+ \[000\] [\d.]+: damon:damon_aggregated: target_id=0 nr_regions=\d+ .*"
    assert len(events) >= 10
    assert all(re.fullmatch(form, line) for line in events)
