"""Portions of scenarios and faults: all of what was asked for, each of it once."""

from __future__ import annotations

from collections import Counter

import pytest

from damon_async.engine.gate import AdmissionGate
from damon_async.errors import InvalidError
from damon_async.monitor.loop import Loop
from damon_async.stress.scenarios import SCENARIOS
from damon_async.stress.stress import Portion, portions, repeated, run_portion
from damon_async.stress.trials import Fault
from damon_async.testing.explore import ScheduleFailure

from .planted import BUGS


def test_everything_is_in_a_portion() -> None:
    """Portions add up to what was asked for, by turns through all names."""
    plan = list(portions(3, 600, 70))
    total = Counter[tuple[str, bool]]()
    for each in plan:
        total[each.name, each.is_fault] += each.nr
    scenarios = {(each.__name__, False): 600 for each in SCENARIOS}
    assert total == scenarios | {(each.name, True): 70 for each in Fault}
    names = [each.name for each in plan]
    assert len(set(names[: len(total)])) == len(total)


def test_no_portion_is_run_twice() -> None:
    """Portions of one name have different seeds, those of other runs as well."""
    plan = [*portions(0, 1000, 200), *portions(1, 1000, 200)]
    schedules = [(each.name, each.seed) for each in plan if not each.is_fault]
    assert len(set(schedules)) == len(schedules)
    faults = [
        (each.name, seed)
        for each in plan
        if each.is_fault
        for seed in range(each.seed, each.seed + each.nr)
    ]
    assert len(set(faults)) == len(faults) == 2 * 200 * len(Fault)


def test_nothing_asked_for() -> None:
    """Without schedules there are faults only, and the other way round."""
    assert all(each.is_fault for each in portions(0, 0, 1))
    assert not any(each.is_fault for each in portions(0, 1, 0))
    assert list(portions(0, 0, 0)) == []


def test_both_modes() -> None:
    """Portions of a scenario are drawn in both ways, by turns."""
    modes = [each.mode for each in portions(0, 1000, 0) if each.name == "early_ends"]
    assert modes == ["random", "pct"] * 2


def test_sound_portions() -> None:
    """A portion of sound code finds nothing."""
    assert run_portion(Portion("gate_cancellations", False, 20, 0)) is None
    assert run_portion(Portion("METRIC", True, 3, 0)) is None


def test_scenario_that_fails() -> None:
    """A bug is found by a portion, and what that tells to repeat fails again."""
    bug = BUGS[0]
    with bug.planted():
        finding = run_portion(Portion(bug.scenario.__name__, False, 20, 0))
        assert finding is not None
        assert finding.text.startswith(f"{bug.scenario.__name__} fails under")
        assert finding.repeat.split(" ")[0] == bug.scenario.__name__
        with pytest.raises(ScheduleFailure, match="a replay"):
            repeated(finding.repeat)
    # Without the bug it is all steps of the schedule.
    assert "main" in repeated(finding.repeat)


def test_fault_that_breaks_something() -> None:
    """A fault that breaks a rule is found with its seed."""
    with pytest.MonkeyPatch.context() as patch:
        # A loop that never publishes has snapshots that nobody finds.
        patch.setattr(Loop, "_finish_iteration", lambda *_: None)
        finding = run_portion(Portion("METRIC", True, 3, 40))
        assert finding is not None
        assert finding.repeat == "METRIC 40"
        with pytest.raises(Exception, match=r"."):
            repeated(finding.repeat)
    assert repeated(finding.repeat) == ""
    assert AdmissionGate().nr_running == 0


@pytest.mark.parametrize("text", ["", "nobody", "nobody 3:1", "METRIC", "METRIC x"])
def test_nothing_to_repeat(text: str) -> None:
    """What is neither a scenario nor a fault with a seed is refused with all names."""
    with pytest.raises(InvalidError, match=r"nothing to repeat in .*early_ends.*METRIC"):
        repeated(text)
