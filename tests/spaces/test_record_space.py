from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.arrays import BoolArray, IntArray
from damon_async.errors import InvalidError
from damon_async.spaces.record_space import RecordedState, RecordSpace
from damon_async.spaces.space import Mapping, Space

PAGE = 4096
SAMPLE = 5000
AGGR = 100_000

Region = tuple[int, int, int]
"""First page, one past the last page, accesses out of 20."""


def ints(*values: int) -> IntArray:
    return np.array(values, dtype=np.int64)


def state(
    start_us: int, *regions: Region, end_us: int | None = None, ages_us: Sequence[int] = ()
) -> RecordedState:
    start, end, nr = np.array(regions, dtype=np.int64).reshape(-1, 3).T
    end_us = start_us + AGGR if end_us is None else end_us
    ages = ints(*ages_us) if ages_us else None
    return RecordedState(start_us, end_us, start * PAGE, end * PAGE, nr, SAMPLE, 20, ages)


def ask(space: Space, addresses: Sequence[int], instants: Sequence[int]) -> BoolArray:
    """Ask about the same addresses in each of the intervals between some instants."""
    edges = np.array(instants, dtype=np.int64)[:, None]
    asked = np.tile(np.array(addresses, dtype=np.int64), (len(edges) - 1, 1))
    return space.accessed(asked, edges[:-1], edges[1:])


def samples(start_us: int, nr: int = 20) -> range:
    return range(start_us, start_us + nr * SAMPLE + 1, SAMPLE)


def rates(space: Space, pages: Sequence[int], start_us: int) -> list[int]:
    """Count accesses as an aggregation of 20 samples would that is lucky with its pages."""
    found = ask(space, [page * PAGE for page in pages], samples(start_us))
    return [int(count) for count in found.sum(axis=0)]


regions_lists = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 5), st.integers(0, 21)), min_size=1, max_size=5
)


@st.composite
def records(draw: st.DrawFn) -> list[RecordedState]:
    """Draw up to four snapshots, with holes between regions and gaps in time."""
    states, now = [], draw(st.integers(0, 10**6))
    for _ in range(draw(st.integers(1, 4))):
        regions, at = [], 0
        for hole, size, nr in draw(regions_lists):
            regions.append((at + hole, at + hole + size, nr))
            at += hole + size
        length = draw(st.integers(1, 3 * AGGR))
        states.append(state(now, *regions, end_us=now + length))
        now += length + draw(st.sampled_from([0, 0, 7777]))
    return states


instant_lists = st.lists(st.integers(-SAMPLE, 12 * AGGR), min_size=2, max_size=5).map(sorted)


def test_a_record_is_a_pure_space() -> None:
    """A record space fulfils the protocol, is pure, and tells its states and time."""
    space = RecordSpace([state(0, (1, 2, 3)), state(AGGR, (1, 2, 3))])
    assert isinstance(space, Space)
    assert space.is_pure
    assert repr(space) == "<RecordSpace 2 states in 200000 us>"


@pytest.mark.parametrize("nr", [0, 1, 7, 19, 20])
def test_pages_are_touched_as_often_as_recorded(nr: int) -> None:
    """Every page of a region is touched in exactly its share of the sampling intervals."""
    space = RecordSpace([state(0, (0, 50, nr), end_us=10 * AGGR)])
    assert rates(space, range(50), 0) == [nr] * 50
    assert rates(space, range(50), 3 * AGGR + SAMPLE) == [nr] * 50


def test_touches_are_spread_over_time_and_pages() -> None:
    """Half a rate is every other interval, and pages are not all touched in the same."""
    space = RecordSpace([state(0, (0, 50, 10))])
    found = ask(space, [page * PAGE for page in range(50)], samples(0))
    assert (found[:-1] != found[1:]).all()
    assert 10 < found[0].sum() < 40


def test_longer_intervals_are_asked_at_once() -> None:
    """A page touched in one of 20 sampling intervals is accessed in 100 ms, once in 50 ms."""
    space = RecordSpace([state(0, (0, 30, 1), end_us=10 * AGGR)])
    pages = [page * PAGE for page in range(30)]
    assert ask(space, pages, range(0, 10 * AGGR + 1, AGGR)).all()
    halves = ask(space, pages, range(0, 10 * AGGR + 1, AGGR // 2))
    assert (halves.sum(axis=0) == 10).all()


def test_counts_above_the_maximum_are_the_maximum() -> None:
    """Recordings whose timers drifted count one too many; that is always."""
    assert rates(RecordSpace([state(0, (0, 1, 21))]), [0], 0) == [20]


def test_what_is_not_recorded_is_not_touched() -> None:
    """Outside of regions, before the record and after it nothing is touched."""
    space = RecordSpace([state(0, (2, 4, 20), (6, 8, 20))])
    assert rates(space, range(10), 0) == [0, 0, 20, 20, 0, 0, 20, 20, 0, 0]
    assert rates(space, [2], -2 * AGGR) == [0]
    assert rates(space, [2], AGGR) == [0]
    assert not RecordSpace([state(0)]).accessed(np.zeros((1, 1), int), ints(0)[None], ints(9)[None])


def test_snapshots_follow_each_other() -> None:
    """Each snapshot rules its own time; time begins with the first."""
    space = RecordSpace([state(10 * AGGR, (0, 2, 20)), state(11 * AGGR, (0, 1, 5), (1, 2, 0))])
    assert rates(space, [0, 1], 0) == [20, 20]
    assert rates(space, [0, 1], AGGR) == [5, 0]
    assert space.lifetime_us == 2 * AGGR


def test_an_interval_may_span_snapshots() -> None:
    """An interval over several snapshots sees what any of them touches."""
    space = RecordSpace(
        [state(0, (0, 1, 20)), state(AGGR, (1, 2, 20)), state(2 * AGGR, (2, 3, 20))]
    )
    pages = [0, PAGE, 2 * PAGE]
    assert ask(space, pages, [AGGR - SAMPLE, AGGR + SAMPLE]).tolist() == [[True, True, False]]
    assert ask(space, pages, [0, 3 * AGGR]).all()


def test_gaps_keep_the_last_state() -> None:
    """Between two snapshots what was seen last goes on."""
    space = RecordSpace([state(0, (0, 1, 20)), state(10 * AGGR, (0, 1, 0))])
    assert rates(space, [0], 5 * AGGR) == [20]
    assert rates(space, [0], 10 * AGGR) == [0]


def test_ages_reach_back() -> None:
    """The regions of the first snapshot were touched for their ages before it."""
    first = state(0, (0, 1, 20), (1, 2, 10), (2, 3, 0), ages_us=[3 * AGGR, AGGR, 5 * AGGR])
    space = RecordSpace([first])
    assert space.lifetime_us == 6 * AGGR
    assert [rates(space, [0, 1, 2], n * AGGR) for n in range(6)] == [
        [0, 0, 0],
        [0, 0, 0],
        [20, 0, 0],
        [20, 0, 0],
        [20, 10, 0],
        [20, 10, 0],
    ]


def test_unknown_intervals_are_guessed() -> None:
    """Without intervals a sample lasts 5 ms, and the time of a snapshot says how many fit."""
    bare = RecordedState(0, 2 * AGGR, ints(0, PAGE), ints(PAGE, 2 * PAGE), ints(40, 20))
    space = RecordSpace([bare])
    assert rates(space, [0, 1], 0) == [20, 10]


def test_mappings_are_all_that_was_monitored() -> None:
    """Mappings join the regions of all snapshots, cold ones included, until the end."""
    space = RecordSpace([state(0, (0, 2, 0), (2, 5, 3), (9, 10, 1)), state(AGGR, (4, 7, 0))])
    assert space.mappings(0) == (Mapping(0, 7 * PAGE), Mapping(9 * PAGE, 10 * PAGE))
    assert space.mappings(2 * AGGR) == ()
    assert RecordSpace([state(0)]).mappings(0) == ()


def test_pages_belong_to_the_region_of_their_first_byte() -> None:
    """Where regions are smaller than pages, the first byte of a page decides."""
    huge = 2 << 20
    first = state(0, (0, 512, 20), (512, 600, 5), (600, 1024, 20))
    space = RecordSpace([first], page_size=huge)
    found = ask(space, [0, huge - 1, huge, 2 * huge - 1], samples(0)).sum(axis=0)
    assert found.tolist() == [20, 20, 5, 5]
    assert space.mappings(0) == (Mapping(0, 2 * huge, huge),)


def test_an_empty_record_is_refused() -> None:
    """A record without snapshots cannot be replayed."""
    with pytest.raises(InvalidError, match="a record without snapshots cannot be replayed"):
        RecordSpace([])


def test_time_must_not_go_back() -> None:
    """Snapshots in the wrong order are refused."""
    with pytest.raises(InvalidError, match="the snapshots of a record must be in the order of"):
        RecordSpace([state(AGGR, (0, 1, 1)), state(0, (0, 1, 1))])
    with pytest.raises(InvalidError, match="the snapshots of a record must be in the order of"):
        RecordSpace([state(AGGR, (0, 1, 1), end_us=0)])


@given(record=records(), instants=instant_lists, more=st.integers(0, AGGR))
def test_longer_intervals_see_more(
    record: list[RecordedState], instants: list[int], more: int
) -> None:
    """What was accessed in an interval was accessed in every longer one."""
    space = RecordSpace(record)
    pages = [page * PAGE for page in range(50)]
    low, high = instants[0], instants[-1]
    short = ask(space, pages, [low, high])
    assert (ask(space, pages, [low - more, high]) >= short).all()
    assert (ask(space, pages, [low, high + more]) >= short).all()


@given(record=records(), instants=instant_lists)
def test_an_interval_is_the_sum_of_its_parts(
    record: list[RecordedState], instants: list[int]
) -> None:
    """A page is accessed in an interval exactly if it is in one of the parts."""
    space = RecordSpace(record)
    pages = [page * PAGE for page in range(50)]
    whole = ask(space, pages, [instants[0], instants[-1]])[0]
    assert (ask(space, pages, instants).any(axis=0) == whole).all()


@given(
    record=records(),
    instants=instant_lists,
    start=st.integers(0, 40 * PAGE),
    size=st.integers(1, 20 * PAGE),
)
def test_truth_is_accessed_page_by_page(
    record: list[RecordedState], instants: list[int], start: int, size: int
) -> None:
    """Truth is the sum of what accessed says of each page."""
    space = RecordSpace(record)
    truth = space.truth(start, start + size, ints(*instants))
    assert (truth.bounds[0], truth.bounds[-1]) == (start, start + size)
    probes = [start, *range((start // PAGE + 1) * PAGE, start + size, PAGE)]
    counts = ask(space, probes, instants).sum(axis=0)
    found = truth.counts[np.searchsorted(truth.bounds, probes, side="right") - 1]
    assert found.tolist() == counts.tolist()


def test_truth_of_a_snapshot_is_the_snapshot() -> None:
    """Counted over its own aggregation, the truth of a record is the record."""
    space = RecordSpace([state(0, (0, 3, 4), (3, 9, 20), (9, 12, 0), (14, 15, 7))])
    truth = space.truth(0, 15 * PAGE, ints(*samples(0)))
    assert [bound // PAGE for bound in truth.bounds.tolist()] == [0, 3, 9, 14, 15]
    assert truth.counts.tolist() == [4, 20, 0, 7]


# Real recordings ------------------------------------------------------------


def number(value: Any) -> int:
    return int(str(value).replace(",", ""))


def recorded(path: Path) -> list[RecordedState]:
    """Decode the first record of a file that damo wrote."""
    [record, *_] = json.loads(zlib.decompress(path.read_bytes()))
    return [_decoded(snapshot) for snapshot in record["snapshots"]]


def _decoded(snapshot: dict[str, Any]) -> RecordedState:
    regions = snapshot["regions"]
    ages = [region["age"]["aggr_intervals"] for region in regions]
    return RecordedState(
        number(snapshot["start_time"]) // 1000,
        number(snapshot["end_time"]) // 1000,
        ints(*(number(region["start"]) for region in regions)),
        ints(*(number(region["end"]) for region in regions)),
        ints(*(number(region["nr_accesses"]["samples"]) for region in regions)),
        SAMPLE,
        20,
        None if None in ages else ints(*(number(age) * AGGR for age in ages)),
    )


def test_a_real_recording_replays(shared: Path) -> None:
    """The 543 snapshots of damo's own recording replay with the rates they tell."""
    record = recorded(shared / "traces" / "damo" / "damon.data")
    space = RecordSpace(record)
    assert len(record) == 543
    assert space.lifetime_us == record[-1].end_us - record[0].start_us
    assert len(space.mappings(0)) == 3
    for before, (this, after) in enumerate(pairwise(record)):
        if before % 50:
            continue
        since = this.start_us - record[0].start_us
        # The snapshots last 104 ms: 20 whole sampling intervals fit.
        first = -(-since // SAMPLE) * SAMPLE
        pages = (this.start // PAGE).tolist()
        assert rates(space, pages, first) == np.minimum(this.nr_accesses, 20).tolist()
        assert first + AGGR <= after.start_us - record[0].start_us + SAMPLE


def test_a_real_snapshot_has_a_history(shared: Path) -> None:
    """One snapshot of 60 GiB becomes the time that its ages tell of."""
    [snapshot] = recorded(shared / "traces" / "damo" / "damon.data.snapshot.nofilter")
    space = RecordSpace([snapshot])
    assert snapshot.age_us is not None
    assert space.lifetime_us == AGGR + int(snapshot.age_us.max())
    last = ints(*samples(space.lifetime_us - AGGR))
    truth = space.truth(int(snapshot.start[0]), int(snapshot.end[-1]), last)
    sizes = snapshot.end - snapshot.start
    assert int((np.diff(truth.bounds) * truth.counts).sum()) == int(
        (sizes * np.minimum(snapshot.nr_accesses, 20)).sum()
    )
