"""The oracles notice broken rules, each by its own sentence, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from damon_async.engine.engine import Damon
from damon_async.engine.gate import AdmissionGate
from damon_async.engine.kdamond import Kdamond
from damon_async.engine.life import KdamondState
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.params.monitoring import Context, Target
from damon_async.regions.table import AGE, END, NR_ACCESSES, START, RegionTable
from damon_async.schemes.quotas import QuotaState
from damon_async.testing.gate_books import GateBooks
from damon_async.testing.oracles import OracleError, watching
from damon_async.testing.region_rules import broken_merge, broken_split, broken_table
from damon_async.testing.scheme_rules import QuotaBooks, moved_pointers


def table(*rows: tuple[int, ...]) -> RegionTable:
    """Return regions given as target, start, end, count and age."""
    cells = np.zeros((6, len(rows)), np.int64)
    for nr, (target, start, end, count, age) in enumerate(rows):
        cells[:, nr] = (target, start, end, count, 0, age)
    return RegionTable(cells)


@contextmanager
def patched(owner: type, name: str, value: Callable[..., object]) -> Iterator[None]:
    """Replace a method in a block."""
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


async def start_and_stop() -> None:
    """Run two kdamonds for a moment."""
    async with Damon(clock=VirtualClock()) as damon:
        kdamonds = await damon.start([Context(ops="paddr"), Context(ops="paddr")], exclusive=True)
        await damon.stop(kdamonds)


def test_nothing_to_say() -> None:
    """What keeps to the rules passes without a word, and the methods are themselves again."""
    before = dict(vars(AdmissionGate)), dict(vars(Damon))
    with watching() as watch:
        asyncio.run(start_and_stop())
    assert watch.findings == []
    assert (dict(vars(AdmissionGate)), dict(vars(Damon))) == before


def test_findings_do_not_hide_other_errors() -> None:
    """What a block raises comes out of it, whatever the oracles found."""

    def fail() -> None:
        with watching() as watch:
            watch.findings.append("something")
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        fail()


def test_first_finding_is_told() -> None:
    """The error says the first thing that was wrong, and how many others there are."""
    with pytest.raises(OracleError, match=r"^first \(and 1 more\)$"), watching() as watch:
        watch.findings.extend(["first", "second"])
    with pytest.raises(OracleError, match=r"^only$"), watching() as watch:
        watch.findings.append("only")


# -- Gate ----------------------------------------------------------------------


def test_exclusive_beside_others() -> None:
    """An exclusive group beside others is noticed, and a group beside an exclusive one."""
    gate, findings = AdmissionGate(), list[str]()
    books = GateBooks(gate, findings)
    gate._nr_running = 1
    books.came(1, exclusive=False)
    gate._nr_running, gate._is_exclusive = 2, True
    books.came(1, exclusive=True)
    gate._nr_running = 3
    books.came(1, exclusive=False)
    assert findings == [
        "an exclusive group of 1 was let in beside 1 others",
        "a group of 1 was let in beside 2 exclusive ones",
    ]


def test_flag_and_count() -> None:
    """A count or a flag that is not what came and went is noticed."""
    gate, findings = AdmissionGate(), list[str]()
    books = GateBooks(gate, findings)
    books.came(2, exclusive=True)
    assert findings == [
        "<AdmissionGate 0 running, 0 waiting>, but 2 contexts are inside exclusively"
    ]


async def test_idle_waiter() -> None:
    """Somebody who waits and could come in is noticed, and so is who overtakes."""
    gate, findings = AdmissionGate(), list[str]()
    gate.admit_nowait(exclusive=True)
    tasks = [asyncio.ensure_future(gate.admit(exclusive=each)) for each in (True, False)]
    await asyncio.sleep(0)
    books = GateBooks(gate, findings)
    gate._nr_running, gate._is_exclusive = 0, False
    waiting = books.waiting()
    waiting[1][0].set_result(None)
    books.left(1, waiting)
    assert findings[0] == "a request was let in before an earlier one"
    findings.clear()
    books.left(1, [])
    assert findings[-1].endswith("the first of those waiting could come in")
    books.came(1, exclusive=False)
    assert "a request overtakes 1 that wait" in findings
    for task in tasks:
        task.cancel()


async def test_books_follow_the_gate() -> None:
    """Waiting, cancelling and leaving as they should be are nothing to speak of."""
    with watching() as watch:
        gate = AdmissionGate()
        gate.admit_nowait(2)
        tasks = [asyncio.ensure_future(gate.admit(exclusive=nr == 1)) for nr in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        gate.leave(2)
        gate.leave(await asyncio.sleep(0, 1))
        async with gate.hold(2):
            pass
    assert watch.findings == []


# -- Regions -------------------------------------------------------------------

FOUR = ((0, 0, 10, 4, 1), (0, 10, 20, 5, 3), (0, 30, 40, 9, 0), (1, 0, 10, 1, 1))


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([(0, 0, 10, 0, 0), (0, 5, 20, 0, 0)], "regions overlap or are out of order"),
        ([(0, 10, 20, 0, 0), (0, 0, 5, 0, 0)], "regions overlap or are out of order"),
        ([(0, 10, 10, 0, 0)], "a region is empty"),
        ([(2, 0, 10, 0, 0)], "regions of target 2, of 2"),
        ([(0, 0, 10, -1, 0)], "a count or an age is negative"),
        ([(0, 0, 10, 0, -1)], "a count or an age is negative"),
    ],
)
def test_broken_table(rows: list[tuple[int, ...]], sentence: str) -> None:
    """Regions that overlap, are empty, of nobody or negative are noticed."""
    assert list(broken_table(table(*rows), 2)) == [sentence]


def test_sound_table() -> None:
    """Regions in order, also of targets that share addresses, are sound."""
    assert list(broken_table(table(*FOUR), 2)) == []
    assert list(broken_table(RegionTable(), 0)) == []


def test_sound_merge() -> None:
    """A merge that averages counts and ages what it leaves is sound."""
    merged = table((0, 0, 20, 4, 3), (0, 30, 40, 9, 0), (1, 0, 10, 1, 2))
    assert list(broken_merge(table(*FOUR), merged, 20)) == []
    assert list(broken_merge(RegionTable(), RegionTable(), 20)) == []


@pytest.mark.parametrize(
    ("column", "row", "value", "sentence"),
    [
        (END, 0, 19, "merging changed what is covered"),
        (START, 1, 31, "merging changed what is covered"),
        (NR_ACCESSES, 0, 6, "a merged count is no average of what was merged"),
        (NR_ACCESSES, 0, 3, "a merged count is no average of what was merged"),
        (AGE, 0, 5, "a region grew older than one aggregation makes it"),
        (AGE, 2, 1, "a region that was not merged is neither older by one nor new"),
    ],
)
def test_broken_merge(column: int, row: int, value: int, sentence: str) -> None:
    """A merge that loses bytes, invents counts or ages wrongly is noticed."""
    merged = table((0, 0, 20, 4, 3), (0, 30, 40, 9, 0), (1, 0, 10, 1, 2))
    merged.cells[column, row] = value
    assert list(broken_merge(table(*FOUR), merged, 20)) == [sentence]


def test_too_large_a_merge() -> None:
    """A merged region above the size limit is noticed, one that was as large before is not."""
    merged = table((0, 0, 20, 4, 3), (0, 30, 40, 9, 0), (1, 0, 10, 1, 2))
    found = list(broken_merge(table(*FOUR), merged, 15))
    assert found == ["a merged region is larger than 15 bytes"]
    assert list(broken_merge(merged, merged, 15)) == [
        "a region that was not merged is neither older by one nor new"
    ]


def test_split() -> None:
    """A split that keeps what is covered, ages and the bound is sound, others are noticed."""
    cut = table((0, 0, 4, 0, 1), (0, 4, 10, 0, 1), *FOUR[1:])
    before = table(*FOUR)
    assert list(broken_split(before, cut, 5)) == []
    assert list(broken_split(before, cut, 4)) == ["splitting made 5 regions, of at most 4"]
    cut.cells[AGE, 1] = 0
    assert list(broken_split(before, cut, 5)) == [
        "a piece has another age than what it was cut from"
    ]
    cut.cells[END, 0] = 3
    assert list(broken_split(before, cut, 5)) == ["splitting changed what is covered"]


# -- Quotas --------------------------------------------------------------------


def test_pointers_move() -> None:
    """A pointer goes with its target, and is cleared if that is removed."""

    class State:
        def __init__(self, place: int | None) -> None:
            self.quota = QuotaState(charge_target=place, charge_addr=1)

    states = [State(None), State(0), State(1), State(2)]
    new = [Target(), Target(obsolete=True), Target()]
    wanted = moved_pointers(states, [Target()] * 3, new)  # type: ignore[arg-type] # a double
    assert [place for _, place in wanted] == [None, 0, None, 1]
    findings: list[str] = []
    QuotaBooks(findings).compare_pointers(wanted)
    assert findings == [
        "a quota points at target 1, not at None",
        "a quota points at target 2, not at 1",
    ]


# -- Lives ---------------------------------------------------------------------


def test_kdamond_that_ends_twice() -> None:
    """An epilogue that runs twice is noticed."""
    end = vars(Kdamond)["_end"]

    def end_twice(kdamond: Kdamond, state: KdamondState) -> None:
        on_end = kdamond._on_end
        end(kdamond, state)
        with suppress(KeyError):
            on_end(kdamond)

    with (
        patched(Kdamond, "_end", end_twice),
        pytest.raises(OracleError, match=r"kdamond.0 has ended twice"),
        watching(),
    ):
        asyncio.run(start_and_stop())


def test_kdamond_that_outlives_its_scope() -> None:
    """A kdamond that is left when its scope is over is noticed."""

    async def leave_early(damon: Damon, *_: object) -> None:
        """Leave without stopping anybody."""

    async def live() -> None:
        async with Damon(clock=VirtualClock()) as damon:
            await damon.start([Context(ops="paddr")])

    with (
        patched(Damon, "__aexit__", leave_early),
        pytest.raises(OracleError, match=r"kdamond.0 outlives its scope, running"),
        watching(),
    ):
        asyncio.run(live())
