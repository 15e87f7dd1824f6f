"""Each of ten kinds of faults, a hundred times, and nothing breaks that need not."""

from __future__ import annotations

from random import Random

import pytest

from damon_async.engine.gate import AdmissionGate
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.life import KdamondState
from damon_async.engine.user_functions import UserFunctions
from damon_async.monitor.loop import Loop
from damon_async.stress import trials
from damon_async.stress.slab import slab
from damon_async.stress.trials import TRIALS, Fault, beside, inject
from damon_async.testing.faults import failing
from damon_async.testing.oracles import OracleError
from damon_async.testing.seeded import SeededLoop

NR_TIMES = 100

every_kind = pytest.mark.parametrize("fault", list(Fault), ids=lambda each: each.name.lower())


def test_there_are_ten() -> None:
    """There are ten kinds, and all but the closed loop happen inside of one."""
    assert len(Fault) == 10
    assert set(TRIALS) == set(Fault) - {Fault.LOOP}


@every_kind
def test_a_hundred_times(fault: Fault) -> None:
    """A fault, however and whenever it happens, breaks no rule."""
    for seed in range(NR_TIMES):
        inject(fault, seed)


def test_the_same_seed_is_the_same_fault() -> None:
    """What goes wrong, and when, depends on the seed alone."""
    assert [_ends(Fault.OPERATIONS, 3)] * 2 == [_ends(Fault.OPERATIONS, 3) for _ in range(2)]


def _ends(fault: Fault, seed: int) -> list[tuple[KdamondState, str]]:
    """Return how kdamonds ended under a fault."""
    ends: list[tuple[KdamondState, str]] = []
    end = vars(Kdamond)["_end"]

    def noted(kdamond: Kdamond, state: KdamondState) -> None:
        end(kdamond, state)
        ends.append((kdamond.state, repr(kdamond.error)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kdamond, "_end", noted)
        inject(fault, seed)
    return ends


def test_faults_do_happen() -> None:
    """Among some seeds there are kdamonds that fail, that end and that notice nothing."""
    states = {state for seed in range(20) for state, _ in _ends(Fault.OPERATIONS, seed)}
    assert states >= {KdamondState.FAILED, KdamondState.STOPPED}
    states = {state for seed in range(20) for state, _ in _ends(Fault.TARGET, seed)}
    assert KdamondState.FINISHED in states


def test_actions_do_go_wrong() -> None:
    """Among some seeds actions raise, and take longer than they may."""
    reports: list[str] = []

    def note(_: UserFunctions, __: object, error: str) -> None:
        reports.append(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UserFunctions, "_report", note)
        for seed in range(20):
            inject(Fault.ACTION, seed)
    assert any("InjectedError" in each for each in reports)
    assert any("it took longer" in each for each in reports)


def test_a_sound_one_is_compared() -> None:
    """A sound kdamond that finds something else than a plain loop is noticed."""
    loop = SeededLoop(1)
    # Its windows are cut short, so that it draws other sampling addresses.
    with failing(Loop, "_nr_window_ticks", ZeroDivisionError, at=10**9):
        loop.run_until_complete(beside(slab()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials, "_expected", lambda: [b""])
        with pytest.raises(OracleError, match="the sound one noticed nothing"):
            loop.run_until_complete(beside(slab()))
    loop.close()


def test_oracles_watch_trials() -> None:
    """A flag that falls too early is noticed by a trial that says nothing of it."""
    leave = vars(AdmissionGate)["leave"]

    def hasty(gate: AdmissionGate, n: int = 1) -> None:
        gate._is_exclusive = False
        leave(gate, n)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AdmissionGate, "leave", hasty)
        with pytest.raises(OracleError, match="contexts are inside exclusively"):
            _all_closed()


def _all_closed() -> None:
    for seed in range(20):
        inject(Fault.LOOP, seed)


def test_seeds_are_texts() -> None:
    """Two kinds with the same seed do not make the same choices."""
    assert Random("ACTION/1").random() != Random("METRIC/1").random()
