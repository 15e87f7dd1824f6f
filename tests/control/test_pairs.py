from __future__ import annotations

import asyncio
import errno
from dataclasses import replace

import pytest

from damon_async.control.profiles import Profile, read_release
from damon_async.engine.engine import Admission

from .pairs import (
    KEPT,
    QUEUES,
    ROWS,
    RUNS,
    SHOWN,
    SILENT,
    WAITERS,
    Attempt,
    Found,
    attempt,
    try_all,
    try_pairs,
)
from .pairs_page import PAGE, page_of
from .users import (
    DEBUGFS,
    EXCLUSIVE,
    GROUP,
    GROUP_2,
    HALF_DEBUGFS,
    HALVES,
    LRU_SORT,
    MODULES,
    RECLAIM,
    STAT,
    SYSFS,
    SYSFS_2,
    USERS,
    open_stage,
    profile_of,
    users_of,
)

NON_EXCLUSIVE = (SYSFS, SYSFS_2, GROUP, GROUP_2)

every_profile = pytest.mark.parametrize("profile", list(Profile))


@pytest.fixture(scope="module")
def found() -> Found:
    """Return what comes of trying everything; it takes a second or two."""
    return asyncio.run(try_all())


def expected(row: str, column: str, profile: Profile) -> str:
    """Return what the rule of the interfaces says, without any engine."""
    if row == column and row in MODULES:
        return KEPT
    if row != column and row in NON_EXCLUSIVE and column in NON_EXCLUSIVE:
        return RUNS
    is_honest = profile_of(column, profile).release >= read_release("6.2")
    return "EBUSY" if is_honest or column not in MODULES else SILENT


def test_page_is_up_to_date(found: Found) -> None:
    """The page is what was found; `python -m tests.control.pairs_page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page_of(found)


@every_profile
@pytest.mark.parametrize("row", ROWS)
def test_every_pair_follows_the_rule(found: Found, profile: Profile, row: str) -> None:
    """Non-exclusive users run together, exclusive ones alone, in every profile (102 to 104)."""
    pairs = found.pairs[profile]
    cells = {column: pairs[row, column].cell for column in USERS}
    assert cells == {column: expected(row, column, profile) for column in USERS}


@every_profile
def test_refusals_change_nothing(found: Found, profile: Profile) -> None:
    """Whoever runs goes on, and who was refused does not run, not even in part (102 to 104)."""
    for (row, column), each in found.pairs[profile].items():
        assert each.is_other_running, (row, column)
        assert each.is_running == (each.cell in {RUNS, KEPT} or row == column), (row, column)
        assert each.nr_new == (each.cell == RUNS)


def test_twice_is_not_once_more(found: Found) -> None:
    """`on` twice is EBUSY, a second Y is success, and nothing starts (51, 118, 124)."""
    pairs = found.pairs[SHOWN]
    assert {pairs[user, user].cell for user in MODULES} == {KEPT}
    others = set(USERS) - set(MODULES)
    assert {pairs[user, user].number for user in others} == {errno.EBUSY}


async def test_modern_admission_lets_the_same_ones_in(found: Found) -> None:
    """Who may run with whom is the same with modern admission."""
    assert await try_pairs(SHOWN, Admission.MODERN) == found.pairs[SHOWN]


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("user", USERS)
async def test_105_what_is_left_of_a_group(half: str, user: str) -> None:
    """105: one context of an exclusive group is enough to keep everybody out, and no less."""
    async with open_stage() as stage:
        users = users_of(stage, SHOWN)
        await users[half].start()
        assert stage.damon.gate.statistics().nr_running == 1
        refused = await attempt(stage, users[half], users[user])
        assert (refused.number, refused.is_other_running) == (errno.EBUSY, True)
        await users[half].stop()
        # For debugfs this starts both of its contexts again, so that only one is asked for.
        if half == HALF_DEBUGFS and user == DEBUGFS:
            return
        admitted = await attempt(stage, users[half], users[user])
        assert (admitted.number, admitted.nr_new) == (0, 1)


@pytest.mark.parametrize("module", MODULES)
async def test_104_modules_and_debugfs(module: str) -> None:
    """104: a module keeps debugfs out and is kept out by it; each runs when the other ended."""
    async with open_stage() as stage:
        users = users_of(stage, SHOWN)
        for first, second in ((module, DEBUGFS), (DEBUGFS, module)):
            await users[first].start()
            assert (await attempt(stage, users[first], users[second])).cell == "EBUSY"
            await users[first].stop()
            await users[second].start()
            assert users[second].is_running()
            await users[second].stop()
        assert stage.damon.nr_running == 0


def test_who_waits(found: Found) -> None:
    """A request waits if it would have been refused, and is let in when that has ended."""
    for (row, kind), has_waited in found.waits.items():
        column = kind if row != kind else GROUP_2 if kind == GROUP else EXCLUSIVE
        pair = found.pairs[SHOWN][row, column]
        assert has_waited == (pair.cell != RUNS), (row, kind)
    assert len(found.waits) == len(ROWS) * len(WAITERS)


def test_who_is_next(found: Found) -> None:
    """The queue is emptied from its front, neighbours together only if none is exclusive."""
    for order in found.orders:
        let_in = [*order.beside, *(place for each in order.rounds for place in each)]
        assert let_in == list(range(order.gives_up, len(order.queue)))
        for together in order.rounds:
            kinds = [order.queue[place] for place in together]
            assert len(kinds) == 1 or set(kinds) == {GROUP}
        # Those who are let in together are all of their kind that stood together.
        for before, after in zip(order.rounds, order.rounds[1:], strict=False):
            ends = {order.queue[before[-1]], order.queue[after[0]]}
            assert ends != {GROUP}


def test_nobody_overtakes(found: Found) -> None:
    """As long as anybody waits, a sysfs start is EBUSY, whatever runs."""
    for order in found.orders:
        *during, at_last = order.others
        assert set(during) <= {"EBUSY"}
        assert at_last == RUNS


def test_profiles_of_users() -> None:
    """A user has the profile that was wanted, or the nearest one that has the user."""
    assert profile_of(DEBUGFS, Profile.LATEST) is Profile.V6_12
    assert profile_of(DEBUGFS, Profile.V5_18) is Profile.V5_18
    assert profile_of(STAT, Profile.V6_12) is Profile.V6_18
    assert profile_of(LRU_SORT, Profile.V5_18) is Profile.V6_1
    assert profile_of(RECLAIM, Profile.V6_12) is Profile.V6_12


def test_every_word_is_on_the_page(found: Found) -> None:
    """A change of one answer is a change of the page."""
    page = page_of(found)
    pair = (SYSFS, SYSFS_2)
    refused = Attempt(errno.EPERM, 0, is_running=False, is_other_running=True)
    pairs = {**found.pairs, SHOWN: {**found.pairs[SHOWN], pair: refused}}
    assert "EPERM" in page_of(replace(found, pairs=pairs))
    assert "EPERM" not in page
    waits = {**found.waits, (SYSFS, GROUP): True}
    assert page_of(replace(found, waits=waits)) != page
    assert page_of(replace(found, orders=QUEUES)) != page
