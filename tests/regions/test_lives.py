"""Whole lives of a table: any sequence of everything that changes one."""

from __future__ import annotations

import numpy as np
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from damon_async.regions.merge import merge_regions
from damon_async.regions.ranges import replace_target, set_regions
from damon_async.regions.rates import convert_results, frequency, max_nr_accesses
from damon_async.regions.split import SplitState, enforce_min_nr_regions, split_regions
from damon_async.regions.table import RegionTable

from .tables import PAGE, assert_sound, covered

NR_TARGETS = 3

ranges_in_pages = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 3000)), max_size=4)


class TableLife(RuleBasedStateMachine):
    """One context's table, from tick to tick and aggregation to aggregation."""

    def __init__(self) -> None:
        super().__init__()
        self.table = RegionTable()
        self.expected: dict[int, list[tuple[int, int, int]]] = {}
        self.rng = np.random.default_rng(0)
        self.split_state = SplitState()
        self.intervals = (5_000, 100_000)
        self.ticks_left = 20
        self.min_nr, self.max_nr = 10, 100
        self.sz_limit = PAGE

    @property
    def most(self) -> int:
        """The largest count there may be."""
        return max_nr_accesses(*self.intervals)

    @rule(index=st.integers(0, NR_TARGETS - 1), spans=ranges_in_pages)
    def set_ranges(self, index: int, spans: list[tuple[int, int]]) -> None:
        """Monitor other ranges of one target."""
        position, bounds = 0, []
        for gap, size in spans:
            bounds.append((position + gap, position + gap + size))
            position += gap + size
        ranges = np.array(bounds, np.int64).reshape(-1, 2) * PAGE
        regions = set_regions(self.table.of_target(index), ranges, PAGE)
        self.table = replace_target(self.table, index, regions)
        self.expected[index] = covered(RegionTable.from_ranges(ranges, index))

    @precondition(lambda self: self.ticks_left > 0)
    @rule(share=st.floats(0, 1))
    def sample(self, share: float) -> None:
        """Find some regions accessed in one tick."""
        self.table.nr_accesses[:] += self.rng.random(len(self.table)) < share
        self.ticks_left -= 1

    @rule()
    def aggregate(self) -> None:
        """Merge, enforce, reset and split, as at the end of an aggregation."""
        limit = self.sz_limit
        before = self.table.sizes.max(initial=0)
        merge_regions(
            self.table,
            max_nr_accesses=self.most,
            max_nr_regions=self.max_nr,
            sz_limit=limit,
        )
        assert self.table.sizes.max(initial=0) <= max(limit, before)
        self.enforce()
        self.table.last_nr_accesses[:] = self.table.nr_accesses
        self.table.nr_accesses[:] = 0
        self.ticks_left = self.most
        nr_before = len(self.table)
        split_regions(
            self.table,
            self.rng,
            self.split_state,
            max_nr_regions=self.max_nr,
            min_region_sz=PAGE,
        )
        assert len(self.table) <= max(nr_before, self.max_nr)

    @rule()
    def enforce(self) -> None:
        """Cut what is too large."""
        limit = enforce_min_nr_regions(self.table, self.min_nr, PAGE)
        self.sz_limit = limit
        assert self.table.sizes.max(initial=0) <= limit
        # Rounding the limit up to pages may cost some of the wanted number.
        least = self.table.total_bytes // limit
        assert len(self.table) >= least

    @rule(sample_us=st.integers(1, 20_000), ratio=st.integers(1, 100))
    def convert(self, sample_us: int, ratio: int) -> None:
        """Change the intervals in the middle of an aggregation."""
        new = (sample_us, sample_us * ratio)
        convert_results(self.table, self.intervals, new, is_aggregating=True)
        self.intervals = new
        self.ticks_left = self.most

    @rule(least=st.integers(3, 50), more=st.integers(0, 200))
    def change_bounds(self, least: int, more: int) -> None:
        """Ask for other numbers of regions."""
        self.min_nr, self.max_nr = least, least + more

    @invariant()
    def is_sound(self) -> None:
        """Regions are sorted, disjoint, aligned, and never negative."""
        assert_sound(self.table)

    @invariant()
    def is_covered(self) -> None:
        """What is monitored is what was asked for, to the byte."""
        expected = [span for target in range(NR_TARGETS) for span in self.expected.get(target, [])]
        assert covered(self.table) == expected

    @invariant()
    def counts_are_bounded(self) -> None:
        """No count and no frequency exceeds what a touch in every tick would give."""
        table = self.table
        assert (table.nr_accesses <= self.most - self.ticks_left).all()
        assert (table.last_nr_accesses <= self.most).all()
        freq = frequency(table.nr_accesses, table.last_nr_accesses, self.ticks_left, self.most)
        assert (freq >= 0).all()
        assert (freq <= self.most).all()


TestTableLife = TableLife.TestCase
TestTableLife.settings = settings(max_examples=30, stateful_step_count=30)
