"""Scenarios and faults in portions, such as several processes can share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from ..errors import InvalidError
from ..testing.explore import Mode, ScheduleFailure, explore, replay
from .scenarios import SCENARIOS
from .trials import Fault, inject

PORTION: Final = 250
"""Schedules of one portion."""

FAULTS_PER_PORTION: Final = 50
"""Faults of one portion."""

MAX_CALLS: Final = 20_000
"""Steps after which a schedule is taken for one that never ends; the longest takes 1,000."""


@dataclass(frozen=True, slots=True)
class Portion:
    """
    Some schedules of a scenario, or some faults of a kind.

    Attributes:
        name: Of the scenario or the fault.

        is_fault: Which of the two.

        nr: How many.

        seed: Of the schedules; of the first fault.
    """

    name: str
    is_fault: bool
    nr: int
    seed: int

    @property
    def mode(self) -> Mode:
        """How schedules are drawn: by turns in either way."""
        return "pct" if self.seed % 2 else "random"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    Something that went wrong.

    Attributes:
        text: What, in as many lines as it takes.

        repeat: What to give to ``repeated`` to see it again.
    """

    text: str
    repeat: str


def portions(seed: int, schedules: int, faults: int) -> Iterator[Portion]:
    """
    List what is to be run: portions of all scenarios and kinds by turns.

    Args:
        seed: Where randomness comes from.

        schedules: Of each scenario.

        faults: Of each kind.
    """
    names = [(each.__name__, False, schedules, PORTION) for each in SCENARIOS]
    names += [(each.name, True, faults, FAULTS_PER_PORTION) for each in Fault]
    # By turns, so that whoever stops early has seen some of each.
    for number in count():
        done = True
        for name, is_fault, total, size in names:
            nr = min(size, total - number * size)
            if nr > 0:
                done = False
                # Seeds of faults are numbers of faults; those of schedules have each
                # a generator for every schedule.
                own = seed * total + number * size if is_fault else seed * 2**20 + number
                yield Portion(name, is_fault, nr, own)
        if done:
            return


def run_portion(portion: Portion) -> Finding | None:
    """Run one portion; return what went wrong first, None if nothing did."""
    if portion.is_fault:
        return _inject_all(portion)
    scenario = next(each for each in SCENARIOS if each.__name__ == portion.name)
    try:
        explore(
            scenario,
            mode=portion.mode,
            schedules=portion.nr,
            seed=portion.seed,
            max_calls=MAX_CALLS,
        )
    # Text only: it crosses from one process to another.
    except ScheduleFailure as failure:
        return Finding(str(failure), f"{portion.name} {failure.tape}".rstrip())
    return None


def repeated(text: str) -> str:
    """
    Run again what a finding told to repeat, with a trace.

    Returns:
        Each step of the schedule, if nothing goes wrong any more.

    Raises:
        InvalidError: If there is no such scenario or fault.

        ScheduleFailure: If the scenario fails again.

        Exception: Whatever rule the fault breaks.
    """
    name, _, rest = text.strip().partition(" ")
    for scenario in SCENARIOS:
        if scenario.__name__ == name:
            return replay(scenario, rest.strip(), max_calls=MAX_CALLS)
    if name not in Fault.__members__ or not rest.strip().isdecimal():
        names = ", ".join([*(each.__name__ for each in SCENARIOS), *Fault.__members__])
        raise InvalidError(f"nothing to repeat in {text!r}: a name with a tape or seed; of {names}")
    inject(Fault[name], int(rest))
    return ""


def _inject_all(portion: Portion) -> Finding | None:
    for seed in range(portion.seed, portion.seed + portion.nr):
        try:
            inject(Fault[portion.name], seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            return Finding(f"{type(error).__name__}: {error}", f"{portion.name} {seed}")
    return None
