"""Ctrl-C and SIGTERM, sent to a real process."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from damon_async.records.files import read_records
from damon_async.records.side_files import read_kdamonds, read_workloads

from .processes import started

ENDLESS = ["stairs:size=64M", "--timeout", "100000 h", "--log_level", "debug"]
"""Longer than any test, telling of each snapshot on stderr."""

SLOW = ["stairs:size=64M", "--real_time", "--monitoring_intervals", "100s", "1000s", "1000s"]
"""Has nothing to keep before a quarter of an hour."""


def wait_for_line(process: subprocess.Popen[str], part: str) -> None:
    """Read stderr up to a line that contains *part*."""
    assert process.stderr is not None
    for line in process.stderr:
        if part in line:
            return
    pytest.fail(f"the process ended without a line that contains {part!r}")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_data_is_kept(tmp_path: Path, signum: signal.Signals) -> None:
    """A signal ends a recording as its timeout does: files complete, exit code 0."""
    with started(tmp_path, "record", *ENDLESS) as process:
        wait_for_line(process, "snapshot")
        process.send_signal(signum)
        out, err = process.communicate()

    path = tmp_path / "damon.data"
    (record,) = read_records(path)
    assert (process.returncode, out) == (0, "")
    assert err.splitlines()[-1].endswith("times real time: damon.data")
    assert len(record.snapshots) >= 1
    assert read_kdamonds(path)[0].contexts[0].intervals == record.intervals
    assert read_workloads(path)[0].spec == "stairs:size=64M"
    assert len(list(tmp_path.iterdir())) == 3


def test_stdout_is_complete(tmp_path: Path) -> None:
    """A recording to stdout that is cut short is a whole record too."""
    words = [*ENDLESS, "-o", "-", "--output_type", "json"]
    with started(tmp_path, "record", *words) as process:
        wait_for_line(process, "snapshot")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()

    (tmp_path / "copy.json").write_text(out)
    assert process.returncode == 0
    assert read_records(tmp_path / "copy.json")[0].snapshots


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_nothing_to_keep(tmp_path: Path, signum: signal.Signals) -> None:
    """Before the first snapshot there is nothing to keep: no file, and the signal's code."""
    with started(tmp_path, "record", *SLOW) as process:
        wait_for_line(process, "recording")
        process.send_signal(signum)
        out, err = process.communicate()

    assert (process.returncode, out) == (128 + signum, "")
    assert err == (
        "damon-async: interrupted, nothing was recorded: "
        "no aggregation of 16 m 40 s came to its end\n"
    )
    assert not list(tmp_path.iterdir())


def test_older_record_survives(tmp_path: Path) -> None:
    """An older record keeps its name if there is nothing to put in its place."""
    (tmp_path / "damon.data").write_text("old")
    with started(tmp_path, "record", *SLOW) as process:
        wait_for_line(process, "recording")
        process.send_signal(signal.SIGTERM)
        process.communicate()

    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("damon.data", "old")]
