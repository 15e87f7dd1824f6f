"""Records: made of what an engine published, joined, given intervals."""

from __future__ import annotations

from damon_async.params.intervals import Intervals
from damon_async.records.record import Record, joined, parts_of, records_of, with_intervals

from .makers import AGGR_NS, INTERVALS, record, rows_of, snapshot

LOW, HIGH = (0, 10, 1, 2), (10, 30, 3, 4)


def test_identity_of_missing_numbers() -> None:
    """What a record does not say counts as -1 in its identity."""
    assert Record(None, []).identity == (0, 0, -1, -1)
    assert Record(7, [], kdamond_idx=1, context_idx=2, scheme_idx=3).identity == (1, 2, 3, 7)


def test_times() -> None:
    """A record lasts from its first snapshot to its last; an empty one not at all."""
    one = record([LOW], [LOW], start_ns=5)
    assert (one.start_ns, one.end_ns) == (5, 5 + 2 * AGGR_NS)
    assert (Record(0, []).start_ns, Record(0, []).end_ns) == (0, 0)


def test_parts_of_one_target() -> None:
    """A snapshot of one target is its own only part."""
    one = snapshot([LOW, HIGH], target=3)
    assert parts_of(one) == [(3, one)]
    assert parts_of(snapshot([])) == []


def test_parts_of_several_targets() -> None:
    """A snapshot of several targets is split, and targets without regions are left out."""
    parts = parts_of(snapshot([LOW, HIGH], target=[1, 4]))
    assert [(target, rows_of(part)) for target, part in parts] == [(1, [LOW]), (4, [HIGH])]


def test_records_of_snapshots() -> None:
    """Snapshots of two targets become two records, each with its own rows."""
    both = [snapshot([LOW, HIGH], target=[0, 1]), snapshot([HIGH], 2 * 10**9, target=1)]
    made = records_of(both, intervals=INTERVALS, kdamond_idx=2, context_idx=1)
    assert [(each.target_id, len(each.snapshots)) for each in made] == [(0, 1), (1, 2)]
    assert all(each.intervals is INTERVALS for each in made)
    assert all((each.kdamond_idx, each.context_idx) == (2, 1) for each in made)


def test_joined() -> None:
    """Records of the same target are joined in the order of time, others left alone."""
    late, early = record([LOW], start_ns=10**9), record([HIGH], start_ns=0)
    other = record([LOW], target_id=1)
    made = joined([late, other, early])
    assert [each.target_id for each in made] == [0, 1]
    assert [rows_of(each) for each in made[0].snapshots] == [[HIGH], [LOW]]
    assert made[1] is other


def test_with_intervals() -> None:
    """A record without intervals takes those it is given, one with its own keeps them."""
    given = Intervals(1_000, 10_000)
    made = with_intervals(record([LOW], intervals=None), given)
    assert made.intervals is given
    assert (made.snapshots[0].sample_us, made.snapshots[0].aggr_us) == (1_000, 10_000)
    own = record([LOW])
    assert with_intervals(own, given) is own
