"""Which pages are young: touched since the last look, whoever looked where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from damon_async.arrays import BoolArray
from damon_async.params.filters import Filter
from damon_async.spaces.frames import Process
from damon_async.spaces.generator_base import Layout
from damon_async.spaces.generators import Uniform
from damon_async.spaces.machine import Machine
from damon_async.spaces.page_filters import REJECT_YOUNG, PageFilters
from damon_async.spaces.pages import Frames

NR_PAGES = 12
RULES = (Filter("young"),)

LOOKS = st.lists(
    st.tuples(st.integers(0, NR_PAGES - 1), st.integers(1, NR_PAGES), st.integers(1, 500)),
    max_size=8,
)


@given(LOOKS)
@settings(max_examples=25)
def test_young_is_since_the_last_look(looks: list[tuple[int, int, int]]) -> None:
    """A page passes unless it was touched since it was found young the last time."""
    space = Uniform(size=NR_PAGES * 4096, rate_hz=2, layout=Layout.FLAT).space()
    machine = Machine([Process(1, space)])
    filters, frames = PageFilters(machine), machine.frames
    since_us = [0] * frames.nr_pages
    now_us = 0
    for first, length, wait_ms in looks:
        now_us += wait_ms * 1000
        rows = slice(first, min(first + length, frames.nr_pages))
        passing = filters.passing(rows, RULES, now_us)
        for row in range(rows.start, rows.stop):
            young = bool(frames.touched(slice(row, row + 1), since_us[row], now_us)[0])
            assert passing[row - rows.start] == (not young)
            since_us[row] = now_us if young else since_us[row]


def test_scattered_looks_are_few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """However scattered young pages were, each look is one question about the truth."""
    space = Uniform(size=512 * 4096, rate_hz=3, layout=Layout.FLAT).space()
    machine = Machine([Process(1, space)])
    filters, touched = PageFilters(machine), machine.frames.touched
    questions: list[Frames] = []

    def asked(frames: Frames, since_us: int, until_us: int) -> BoolArray:
        questions.append(frames)
        return touched(frames, since_us, until_us)

    monkeypatch.setattr(machine.frames, "touched", asked)
    for now_us in (100_000, 200_000, 300_000):
        passing = filters.passing(slice(0, 512), RULES, now_us)
        assert np.count_nonzero(np.diff(passing.astype(np.int8))) > 50

    # Whoever was found old need not be asked about the time before again.
    assert len(questions) == 3


def test_page_cache_that_nobody_maps() -> None:
    """Of memory that nobody maps it is known, so that filters can tell it from other files."""
    space = Uniform(size=4 * 4096, layout=Layout.FLAT).space()
    machine = Machine(
        [Process(1, space, is_anon=False), Process(2, space, is_anon=False, is_mapped=False)]
    )
    rules = (Filter("anon"), Filter("unmapped", allow=True))
    passing = PageFilters(machine).passing(slice(0, 8), rules, 1_000)
    assert passing.tolist() == [False] * 4 + [True] * 4


def test_young_is_asked_of_few() -> None:
    """What paddr rejects in front is looked up where the other filters let pages pass."""
    space = Uniform(size=8 * 4096, rate_hz=1000, layout=Layout.FLAT).space()
    machine = Machine([Process(1, space), Process(2, space, is_anon=False)])
    rules = (REJECT_YOUNG, Filter("anon"))
    filters, frames = PageFilters(machine), slice(0, 16)
    asked: list[Frames] = []
    touched = machine.frames.touched

    def ask(part: Frames, since_us: int, until_us: int) -> BoolArray:
        asked.append(part)
        return touched(part, since_us, until_us)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine.frames, "touched", ask)
        assert not filters.passing(frames, rules, 100_000).any()
    assert asked == [slice(8, 16)]
    # All of them were looked at, and are old from then on.
    assert filters.passing(frames, RULES, 100_000).all()


@given(st.lists(st.booleans(), min_size=3, max_size=3), st.integers(1, 40))
@settings(max_examples=25)
def test_young_first_or_last(flags: list[bool], now_ms: int) -> None:
    """Rejecting young pages before or behind another rejecting filter comes to the same."""
    space = Uniform(size=8 * 4096, rate_hz=50, layout=Layout.FLAT).space()
    processes = [
        Process(number, space, is_anon=is_anon, is_mapped=False)
        for number, is_anon in enumerate(flags)
    ]
    young, anon, frames = REJECT_YOUNG, Filter("anon"), slice(0, 24)
    first, last = (
        PageFilters(Machine(processes)).passing(frames, rules, now_ms * 1000)
        for rules in ((young, anon), (anon, young))
    )
    assert first.tolist() == last.tolist()
    # A second look at one instant finds nothing young, whatever the first one found.
    again = PageFilters(Machine(processes)).passing(frames, (young, young), now_ms * 1000)
    alone = PageFilters(Machine(processes)).passing(frames, (young,), now_ms * 1000)
    assert again.tolist() == alone.tolist()
