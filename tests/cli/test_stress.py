"""The command that tries to break the engine: what it prints, and with what it exits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from damon_async.cli import stress as stress_file
from damon_async.cli.main import main
from damon_async.stress.stress import Finding, Portion

SMALL = ["--schedules", "2", "--faults", "1"]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    code = main(["stress", *words])
    return code, capsys.readouterr().out


def test_nothing_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """A sound engine gets two tables, a sum and 0."""
    code, out = run(capsys, *SMALL, "--jobs", "1")
    assert code == 0
    assert "early_ends" in out
    assert "MEMORY" in out
    assert "12 scenarios, 24 schedules, 10 faults: 0 findings in " in out


def found(
    plan: Iterable[Portion], _: int, __: float | None
) -> Iterator[tuple[Portion, Finding | None]]:
    """Find something in one scenario, twice."""
    for portion in plan:
        is_bad = portion.name == "early_ends"
        yield portion, Finding("it is [bold]broken", "early_ends 3:1") if is_bad else None


def test_something_is_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding is told once, with the line that repeats it, and the exit code is 1."""
    monkeypatch.setattr(stress_file, "_results", found)
    code, out = run(capsys, "--schedules", "600", "--faults", "0")
    assert code == 1
    assert out.count("it is [bold]broken") == 1
    assert 'repeat it: damon-async stress --repeat "early_ends 3:1"' in out
    assert "7,200 schedules, 0 faults: 1 findings" in out


def test_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    """No time at all is no run at all."""
    code, out = run(capsys, *SMALL, "--minutes", "0", "--jobs", "1")
    assert code == 0
    assert "0 scenarios, 0 schedules, 0 faults: 0 findings in 0 s" in out


def test_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    """A schedule is run once more, with each of its steps."""
    code, out = run(capsys, "--repeat", "gate_cancellations 2:1")
    assert code == 0
    assert "main" in out
    assert len(out.splitlines()) > 5


def test_repeat_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be repeated is refused in one line."""
    code = main(["stress", "--repeat", "nobody"])
    assert code == 2
    assert "nothing to repeat in 'nobody'" in capsys.readouterr().err
