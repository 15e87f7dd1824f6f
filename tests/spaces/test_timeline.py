"""Which phase an instant belongs to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.spaces.timeline import FOREVER_US, Span, Timeline


def spans(timeline: Timeline, *windows: tuple[int, int]) -> list[Span]:
    """List the turns that some windows overlap."""
    since, until = (np.array(side) for side in zip(*windows, strict=True))
    return list(timeline.spans(since, until))


def test_one_lap() -> None:
    """Phases follow each other, and after the last there is nothing."""
    timeline = Timeline([10, 20, 5])
    assert timeline.nr_phases == 3
    assert timeline.end_us == 35
    found = [timeline.span_at(now) for now in (0, 9, 10, 29, 30, 34)]
    first, second, third = Span(0, 0, 10), Span(1, 10, 30), Span(2, 30, 35)
    assert found == [first, first, second, second, third, third]
    assert timeline.span_at(35) is None
    assert timeline.span_at(-1) is None


def test_laps() -> None:
    """A sequence that runs twice ends after its second time."""
    timeline = Timeline([10, 5], 2)
    assert timeline.end_us == 30
    assert timeline.span_at(29) == Span(1, 25, 30)
    assert timeline.span_at(30) is None


def test_for_ever() -> None:
    """Laps of 0 never end."""
    timeline = Timeline([10, 5], 0)
    assert timeline.end_us is None
    assert timeline.span_at(15 * 10**9 + 12) == Span(1, 15 * 10**9 + 10, 15 * 10**9 + 15)


def test_eternal_phase() -> None:
    """A phase may last for ever."""
    timeline = Timeline([FOREVER_US], 0)
    assert timeline.end_us is None
    assert timeline.span_at(10**15) == Span(0, 0, FOREVER_US)


def test_limit() -> None:
    """A limit ends the sequence in the middle of a phase."""
    timeline = Timeline([10, 5], 0, limit_us=27)
    assert timeline.end_us == 27
    assert timeline.span_at(26) == Span(1, 25, 27)
    assert Timeline([10, 5], 1, limit_us=100).end_us == 15


@pytest.mark.parametrize("laps", [0, 1, 5])
@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing(lengths: list[int], laps: int) -> None:
    """Without a phase of any length there is no time at all."""
    timeline = Timeline(lengths, laps)
    assert timeline.end_us == 0
    assert timeline.span_at(0) is None
    assert spans(timeline, (0, 100)) == []


def test_phase_of_no_length() -> None:
    """A phase of length 0 never comes."""
    timeline = Timeline([10, 0, 5])
    assert timeline.span_at(10) == Span(2, 10, 15)


def test_spans_of_windows() -> None:
    """Windows meet every turn they reach into, once, in order."""
    timeline = Timeline([10, 20], 0)
    assert spans(timeline, (5, 8)) == [Span(0, 0, 10)]
    assert spans(timeline, (5, 10)) == [Span(0, 0, 10)]
    assert spans(timeline, (5, 11)) == [Span(0, 0, 10), Span(1, 10, 30)]
    assert spans(timeline, (5, 8), (8, 12), (12, 31)) == [
        Span(0, 0, 10),
        Span(1, 10, 30),
        Span(0, 30, 40),
    ]
    assert spans(timeline, (7, 7)) == []


def test_spans_skip_what_nobody_asks() -> None:
    """Turns between two distant windows are not visited."""
    timeline = Timeline([1, 1], 0)
    assert spans(timeline, (0, 1), (10**12, 10**12 + 2)) == [
        Span(0, 0, 1),
        Span(0, 10**12, 10**12 + 1),
        Span(1, 10**12 + 1, 10**12 + 2),
    ]


def test_spans_outside_of_time() -> None:
    """What lies before the beginning and after the end meets nothing."""
    timeline = Timeline([10, 20])
    assert spans(timeline, (-20, -10)) == []
    assert spans(timeline, (30, 50)) == []
    assert spans(timeline, (-5, 3), (25, 90)) == [Span(0, 0, 10), Span(1, 10, 30)]


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=5),
    st.integers(0, 4),
    st.integers(0, 200),
    st.integers(0, 100),
)
def test_spans_tile(lengths: list[int], laps: int, since: int, length: int) -> None:
    """The turns of a window adjoin, cover it as far as there is time, and agree with each instant."""
    timeline = Timeline(lengths, laps)
    found = spans(timeline, (since, since + length))
    end = FOREVER_US if timeline.end_us is None else timeline.end_us
    covered = [now for span in found for now in range(max(since, span.begin_us), span.end_us)]
    expected = list(range(since, min(since + length, end)))
    assert covered[: len(expected)] == expected
    for span in found:
        assert timeline.span_at(span.begin_us) == span
        assert timeline.span_at(span.end_us - 1) == span
