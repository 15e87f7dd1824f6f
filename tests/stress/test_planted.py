"""Bugs that are planted into the engine are found, each by the scenario that is about it."""

from __future__ import annotations

import pytest

from damon_async.testing.explore import ScheduleFailure, explore, replay

from .planted import BUGS, Bug

MAX_CALLS = 5000
"""Some bugs make schedules endless."""


def test_there_are_fifteen() -> None:
    """There are at least fifteen bugs, no two of them the same."""
    assert len({bug.broken for bug in BUGS}) == len(BUGS) >= 15


@pytest.mark.parametrize("bug", BUGS, ids=lambda each: each.name)
def test_planted_bug_is_found(bug: Bug) -> None:
    """A planted bug is found within a thousand schedules, and its tape finds it again."""
    with bug.planted():
        with pytest.raises(ScheduleFailure, match=bug.scenario.__name__) as raised:
            explore(bug.scenario, schedules=1000, seed=6, max_calls=MAX_CALLS)
        with pytest.raises(ScheduleFailure, match=bug.scenario.__name__) as again:
            replay(bug.scenario, raised.value.tape, max_calls=MAX_CALLS)
    assert type(again.value.error) is type(raised.value.error)
