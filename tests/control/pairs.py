"""Who runs with whom: everybody tries it beside everybody, on one engine in virtual time."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from damon_async.control.profiles import Profile
from damon_async.engine.engine import Admission
from damon_async.engine.kdamond import Kdamond
from damon_async.errors import DamonError
from damon_async.modules.lru_sort import LruSort
from damon_async.modules.reclaim import Reclaim
from damon_async.modules.stat import Stat
from damon_async.params.monitoring import Context, Ops

from .users import (
    EXCLUSIVE,
    GROUP,
    HALVES,
    LRU_SORT,
    RECLAIM,
    STAT,
    SYSFS_2,
    USERS,
    Stage,
    User,
    open_stage,
    users_of,
)

SHOWN: Final = Profile.V6_12
"""The profile of the page: the last one that has debugfs."""

ROWS: Final = (*USERS, *HALVES)
"""What may be running already."""

WAITERS: Final = (GROUP, EXCLUSIVE, RECLAIM, LRU_SORT, STAT)
"""What can be asked for with ``wait=True``."""

RUNS: Final = "runs"
KEPT: Final = "runs on"
SILENT: Final = "no error"

NR_TURNS: Final = 30
"""Turns of the loop in which all happens that needs no time."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    What came of a start while somebody else ran.

    Attributes:
        number: The errno; 0 if it succeeded.

        nr_new: How many contexts run that did not before.

        is_running: Whether the one who asked runs afterwards.

        is_other_running: Whether the other one does.
    """

    number: int
    nr_new: int
    is_running: bool
    is_other_running: bool

    @property
    def cell(self) -> str:
        """What the page says of it."""
        if self.number:
            return errno.errorcode[self.number]
        if self.nr_new:
            return RUNS
        return KEPT if self.is_running else SILENT


@dataclass(frozen=True, slots=True)
class Order:
    """
    Who was let in when, out of a queue.

    Attributes:
        running: Who ran at first.

        queue: Who asked then, in this order.

        gives_up: How many at the front of the queue stop waiting.

        beside: Places in the queue of those who were let in while the first one ran.

        rounds: Places of those who were let in as soon as all before had ended.

        others: What a sysfs kdamond was told meanwhile: before anybody was let in,
            then with each round.
    """

    running: str
    queue: tuple[str, ...]
    gives_up: int
    beside: tuple[int, ...] = ()
    rounds: tuple[tuple[int, ...], ...] = ()
    others: tuple[str, ...] = ()


QUEUES: Final = (
    Order("debugfs", (GROUP, GROUP), 0),
    Order("sysfs", (EXCLUSIVE, GROUP), 0),
    Order("sysfs", (EXCLUSIVE, GROUP, GROUP, EXCLUSIVE, GROUP), 0),
    Order(RECLAIM, (LRU_SORT, STAT, GROUP), 0),
    Order("sysfs", (EXCLUSIVE, GROUP), 1),
)
"""What is tried; how it goes is not known yet."""

Pairs: TypeAlias = dict[tuple[str, str], Attempt]
"""By who runs, and who asks."""

Waits: TypeAlias = dict[tuple[str, str], bool]
"""By who runs, and what is asked for: whether it had to wait."""


@dataclass(frozen=True, slots=True)
class Found:
    """
    All that was tried.

    Attributes:
        pairs: By the profile that was wanted.

        waits: With the profile that is shown.

        orders: Likewise.
    """

    pairs: dict[Profile, Pairs]
    waits: Waits
    orders: tuple[Order, ...]


# -- Trying ------------------------------------------------------------------


async def attempt(stage: Stage, running: User, asking: User) -> Attempt:
    """Have one user start while another one runs, and note what came of it."""
    number, before = 0, stage.damon.nr_running
    try:
        await asking.start()
    except (OSError, DamonError) as error:
        number = error.errno or 0
    nr_new = stage.damon.nr_running - before
    found = Attempt(number, nr_new, asking.is_running(), running.is_running())
    if nr_new:
        await asking.stop()
    return found


async def try_pairs(wanted: Profile = SHOWN, admission: Admission = Admission.CLASSIC) -> Pairs:
    """Try every ordered pair: who runs, who asks."""
    found = {}
    for row in ROWS:
        async with open_stage(admission) as stage:
            users = users_of(stage, wanted)
            await users[row].start()
            for column in USERS:
                found[row, column] = await attempt(stage, users[row], users[column])
            await users[row].stop()
    return found


async def _ask(stage: Stage, kind: str) -> Kdamond:
    """Start something in the program, waiting for admission."""
    if kind in {GROUP, EXCLUSIVE}:
        context = Context(ops=Ops.PADDR)
        [kdamond] = await stage.damon.start([context], exclusive=kind == EXCLUSIVE, wait=True)
        return kdamond
    preset = {RECLAIM: Reclaim, LRU_SORT: LruSort}.get(kind, Stat)()
    return (await stage.damon.enable(preset, stage.memory, wait=True)).kdamond


async def _turns() -> None:
    for _ in range(NR_TURNS):
        await asyncio.sleep(0)


async def try_waits(wanted: Profile = SHOWN) -> Waits:
    """Try whom each waiting request waits for, and that it is let in then."""
    found = {}
    for row in ROWS:
        async with open_stage() as stage:
            user = users_of(stage, wanted)[row]
            for kind in WAITERS:
                await user.start()
                task = asyncio.create_task(_ask(stage, kind))
                await _turns()
                found[row, kind] = not task.done()
                await user.stop()
                await _turns()
                # Otherwise it was forgotten: whoever asks is let in by now.
                await stage.damon.stop([task.result()])
    return found


async def try_order(planned: Order, wanted: Profile = SHOWN) -> Order:
    """Fill the queue, and empty it by ending whatever runs, again and again."""
    async with open_stage() as stage:
        users = users_of(stage, wanted)
        first, other = users[planned.running], users[SYSFS_2]
        await first.start()
        tasks = []
        for kind in planned.queue:
            tasks.append(asyncio.create_task(_ask(stage, kind)))
            await _turns()
        for task in tasks[: planned.gives_up]:
            task.cancel()
        await _turns()
        rounds = [_let_in(tasks)]
        others = [(await attempt(stage, first, other)).cell]
        await first.stop()
        while len(_let_in(tasks)) < len(tasks) - planned.gives_up:
            in_before = _let_in(tasks)
            await stage.damon.stop([tasks[index].result() for index in rounds[-1]])
            await _turns()
            rounds.append(tuple(each for each in _let_in(tasks) if each not in in_before))
            # Otherwise nobody will ever be let in, and we would try for ever.
            assert rounds[-1]
            others.append((await attempt(stage, first, other)).cell)
    beside, *later = rounds
    return replace(planned, beside=beside, rounds=tuple(later), others=tuple(others))


async def try_all() -> Found:
    """Try everything that the page tells of."""
    return Found(
        {profile: await try_pairs(profile) for profile in Profile},
        await try_waits(),
        tuple([await try_order(each) for each in QUEUES]),
    )


def _let_in(tasks: Sequence[asyncio.Task[Kdamond]]) -> tuple[int, ...]:
    return tuple(index for index, task in enumerate(tasks) if task.done() and not task.cancelled())
