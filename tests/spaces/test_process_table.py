"""What processes touch, compared with walking through their accesses one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.spaces.clocks import SteadyClock, TimeClock
from damon_async.spaces.process_table import (
    TOUCHED,
    UNDECIDED,
    UNTOUCHED,
    ProcessTable,
    Window,
)
from damon_async.spaces.processes import ALWAYS, FIRST_NUMBER, NEVER, Process, Random, Sweep

PAGE = 4096
START = 0x7F00_0000_0000

# One access per microsecond: counts of accesses can be read as instants.
CLOCK = SteadyClock(1, 1_000)

sweeps = st.builds(
    Sweep,
    start=st.just(START),
    size=st.integers(1, 40 * PAGE),
    stride=st.integers(0, 3 * PAGE) | st.sampled_from([64, 1024, PAGE, 2 * PAGE]),
    lead=st.sampled_from([0, 16, 100]),
)


def window_of(processes: Sequence[Process], since: int, until: int, page: int = PAGE) -> Window:
    """Look at one window of some processes."""
    table = ProcessTable(processes, page)
    return table.window(CLOCK, np.array([since]), np.array([until]), 0)


def pages_touched(process: Process, nr_pages: int, since: int, until: int) -> list[bool]:
    """Tell for each page of a band what a process does, states included."""
    table = ProcessTable([process], PAGE)
    window = table.window(CLOCK, np.array([since]), np.array([until]), 0)
    state = int(window.states[0, FIRST_NUMBER])
    if state != UNDECIDED:
        return [state == TOUCHED] * nr_pages
    same = np.ones(nr_pages, np.int64)
    # Not the first byte of each page, because any byte must do.
    addresses = START + np.arange(nr_pages) * PAGE + 123
    touched = table.decide(
        addresses,
        FIRST_NUMBER * same,
        window.since[0, FIRST_NUMBER] * same,
        window.until[0, FIRST_NUMBER] * same,
    )
    return [bool(hit) for hit in touched]


def walked(sweep: Sweep, nr_pages: int, since: int, until: int) -> list[bool]:
    """Make every access of a sweep, as masim does."""
    touched = [False] * nr_pages
    offset = 0
    for access in range(until):
        offset += sweep.stride
        if offset >= sweep.size:
            offset = 0
        if access >= since:
            touched[(sweep.lead + offset) // PAGE] = True
    return touched


@given(sweeps, st.integers(0, 300), st.integers(0, 150))
def test_sweep(sweep: Sweep, since: int, length: int) -> None:
    """A sweep touches exactly the pages that its accesses fall into."""
    # The last page ever touched: whole bands are only promised up to it.
    nr_pages = (sweep.end(PAGE) - START) // PAGE
    found = pages_touched(sweep, nr_pages, since, since + length)
    assert found == walked(sweep, nr_pages, since, since + length)


@given(sweeps)
def test_sweep_reaches_its_end(sweep: Sweep) -> None:
    """The end of a sweep is one past the last page that a lap touches."""
    nr_pages = (sweep.end(PAGE) - START) // PAGE
    lap = walked(sweep, nr_pages + 1, 0, sweep.lap)
    assert lap[-2:] == [True, False]


@given(sweeps.filter(lambda sweep: 0 < sweep.stride <= PAGE), st.integers(0, 500))
def test_lap_touches_all(sweep: Sweep, since: int) -> None:
    """A lap with strides of a page or less touches every page, and its state says so."""
    window = window_of([sweep], since, since + sweep.lap)
    assert window.states[0, FIRST_NUMBER] == TOUCHED
    nr_pages = (sweep.end(PAGE) - START) // PAGE
    assert all(walked(sweep, nr_pages, since, since + sweep.lap))


@pytest.mark.parametrize(
    ("size", "stride", "lap"),
    [(10_000_000, 4096, 2442), (64, 4096, 1), (4096, 4096, 1), (4097, 4096, 2), (100, 0, 1)],
)
def test_lap(size: int, stride: int, lap: int) -> None:
    """A lap has as many accesses as strides begin inside the block."""
    assert Sweep(START, size, stride).lap == lap


def test_first_access() -> None:
    """The first byte touched is one stride into the block (spec damo 6.2)."""
    assert pages_touched(Sweep(START, 4 * PAGE, PAGE), 4, 0, 1) == [False, True, False, False]


def test_scaled_sweep() -> None:
    """A sweep may make two accesses in three units of its counter."""
    sweep = Sweep(START, 8 * PAGE, PAGE, numerator=2, denominator=3)
    assert pages_touched(sweep, 8, 0, 3) == walked(sweep, 8, 0, 2)
    assert pages_touched(sweep, 8, 4, 8) == walked(sweep, 8, 2, 5)


def test_still() -> None:
    """Without other processes a table knows never and always."""
    table = ProcessTable([], PAGE)
    assert table.is_still
    assert len(table) == FIRST_NUMBER
    window = table.window(TimeClock(), np.array([5, 5]), np.array([9, 5]), 0)
    assert window.states[:, NEVER].tolist() == [UNTOUCHED, UNTOUCHED]
    assert window.states[:, ALWAYS].tolist() == [TOUCHED, UNTOUCHED]
    assert not ProcessTable([Random(10, 0)], PAGE).is_still


@pytest.mark.parametrize("process", [Random(50, 3), Sweep(START, 8 * PAGE, PAGE)])
def test_states(process: Process) -> None:
    """Nothing happens in no time, everything in a long time, and in between it depends."""
    states = [
        int(window_of([process], 100, until).states[0, FIRST_NUMBER])
        for until in (100, 103, 100_000)
    ]
    assert states == [UNTOUCHED, UNDECIDED, TOUCHED]


@given(st.integers(1, 500), st.integers(0, 1000), st.integers(0, 400))
def test_random_states_agree(mean: int, since: int, length: int) -> None:
    """Where the state of a random process is certain, its pages agree."""
    process = Random(mean, 99)
    state = int(window_of([process], since, since + length).states[0, FIRST_NUMBER])
    touched = pages_touched(process, 300, since, since + length)
    if state == UNTOUCHED:
        assert not any(touched)
    elif state == TOUCHED:
        assert all(touched)


def test_random_rate() -> None:
    """A page of a random process is touched once in its mean, on average."""
    touched = pages_touched(Random(1000, 1), 50_000, 12_345, 12_395)
    assert sum(touched) / len(touched) == pytest.approx(0.05, rel=0.05)


def test_partly_covered() -> None:
    """Pages outside the covered share are never touched, however long one waits."""
    process = Random(10, 1, covered=0.3)
    touched = pages_touched(process, 20_000, 0, 10_000_000)
    assert sum(touched) / len(touched) == pytest.approx(0.3, abs=0.02)
    assert touched == pages_touched(process, 20_000, 50_000_000, 90_000_000)


@given(st.integers(0, 2000), st.integers(0, 200), st.data())
def test_mixed_table(since: int, length: int, data: st.DataObject) -> None:
    """Processes of both kinds in one call answer as each does alone."""
    processes: list[Process] = [Sweep(START, 50 * PAGE, PAGE), Random(30, 5), Random(90, 5, 0.5)]
    nr = 40
    numbers = np.array(data.draw(st.lists(st.integers(0, 2), min_size=nr, max_size=nr)))
    table = ProcessTable(processes, PAGE)
    window = table.window(CLOCK, np.array([since]), np.array([since + length]), 0)
    rows = numbers + FIRST_NUMBER
    addresses = START + np.arange(nr) * PAGE
    together = table.decide(addresses, rows, window.since[0, rows], window.until[0, rows])
    for number, process in enumerate(processes):
        alone = ProcessTable([process], PAGE)
        one = alone.window(CLOCK, np.array([since]), np.array([since + length]), 0)
        same = np.full(nr, FIRST_NUMBER)
        expected = alone.decide(addresses, same, one.since[0, same], one.until[0, same])
        assert (together == expected)[numbers == number].all()


def test_huge_pages() -> None:
    """Addresses in one huge page get one answer."""
    page = 2 * 1024**2
    table = ProcessTable([Random(100, 8)], page)
    window = table.window(CLOCK, np.array([0]), np.array([60]), 0)
    addresses = START + np.arange(0, 64 * page, 4096)
    same = np.full(len(addresses), FIRST_NUMBER)
    touched = table.decide(addresses, same, window.since[0, same], window.until[0, same])
    by_page = touched.reshape(64, -1)
    assert (by_page == by_page[:, :1]).all()
    assert 0 < by_page[:, 0].sum() < 64


@given(sweeps.filter(lambda sweep: 0 < sweep.stride <= PAGE), st.integers(0, 300), st.data())
def test_walked_bounds(sweep: Sweep, since: int, data: st.DataObject) -> None:
    """Between the bounds of what a sweep walks over, pages are touched alike."""
    until = since + data.draw(st.integers(0, sweep.lap))
    table = ProcessTable([sweep], PAGE)
    window = table.window(CLOCK, np.array([since]), np.array([until]), 0)
    nr_pages = (sweep.end(PAGE) - START) // PAGE
    touched = walked(sweep, nr_pages, since, until)
    changes = {START + at * PAGE for at in range(1, nr_pages) if touched[at] != touched[at - 1]}
    bounds = set(table.walked_bounds(window).tolist())
    if window.states[0, FIRST_NUMBER] == UNDECIDED:
        assert changes <= bounds
        assert all((bound - START) % PAGE == 0 for bound in bounds)
    else:
        assert not changes
        assert not bounds


def test_who_has_bounds() -> None:
    """Random processes and sweeps that step over pages have no bounds."""
    for process in (Random(50, 3), Sweep(START, 8 * PAGE, PAGE + 1)):
        table = ProcessTable([process], PAGE)
        window = table.window(CLOCK, np.array([0]), np.array([3]), 0)
        assert window.states[0, FIRST_NUMBER] == UNDECIDED
        assert not table.walked_bounds(window).size
        assert not table.is_dense.any()


@pytest.mark.parametrize(("mean", "is_slow"), [(1, False), (10, False), (40, True), (10**6, True)])
def test_is_slow(mean: int, is_slow: bool) -> None:
    """A process is slow if a window sees half a touch or less; sweeps never are."""
    table = ProcessTable([Random(mean, 3), Sweep(START, 8 * PAGE, PAGE)], PAGE)
    window = table.window(CLOCK, np.arange(0, 100, 20), np.arange(20, 120, 20), 0)
    assert table.is_slow(window).tolist() == [False, False, is_slow, False]


@pytest.mark.parametrize("covered", [1.0, 0.4])
def test_count(covered: float) -> None:
    """Slow processes count what asking about each window counts."""
    table = ProcessTable([Random(7, 1), Random(90, 5, covered), Random(70, 6)], PAGE)
    since = np.arange(1_000, 1_200, 20)
    window = table.window(CLOCK, since, since + 20, 0)
    numbers = FIRST_NUMBER + 1 + np.arange(200) % 2
    addresses = START + PAGE * np.arange(200)
    expected = np.sum(
        [
            table.decide(addresses, numbers, window.since[row, numbers], window.until[row, numbers])
            for row in range(len(since))
        ],
        axis=0,
    )
    assert table.count(addresses, numbers, window).tolist() == expected.tolist()
