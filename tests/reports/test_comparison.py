"""Estimate and truth in one pass, and how that is told."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from damon_async.arrays import BoolArray, IntArray
from damon_async.errors import InvalidError
from damon_async.records.record import Record
from damon_async.reports.accuracy_text import accuracy_json, accuracy_text
from damon_async.reports.colors import ColorSet
from damon_async.reports.comparison import ComparisonOptions, compare
from damon_async.reports.heatmap import Base, BasedRange
from damon_async.spaces.space import Mapping, Truth

from ..records.makers import Row, record

PAGE = 4096
SMALL = ComparisonOptions(exclude_samples=0, resol=(2, 4))


class Lower:
    """Pages below *nr_hot* are touched all the time, those above never."""

    is_pure = True
    lifetime_us = None

    def __init__(self, nr_hot: int = 2, nr_pages: int = 4) -> None:
        self.middle = nr_hot * PAGE
        self.end = nr_pages * PAGE

    def mappings(self, now_us: int) -> list[Mapping]:
        return [Mapping(0, self.end)]

    def accessed(self, addresses: IntArray, since_us: IntArray, until_us: IntArray) -> BoolArray:
        answers: BoolArray = np.broadcast_to(addresses < self.middle, addresses.shape)
        return answers

    def truth(self, start: int, end: int, instants_us: IntArray) -> Truth:
        nr_intervals = len(instants_us) - 1
        bounds = sorted({start, min(max(start, self.middle), end), end})
        counts = [nr_intervals if low < self.middle else 0 for low in bounds[:-1]]
        return Truth(np.array(bounds), np.array(counts), nr_intervals)


def pages(*regions: tuple[int, int, int]) -> list[Row]:
    """Return regions given in pages, of age 0."""
    return [(start * PAGE, end * PAGE, count, 0) for start, end, count in regions]


PERFECT = pages((0, 2, 20), (2, 4, 0))
TOO_LARGE = pages((0, 3, 20), (3, 4, 0))


def test_grids() -> None:
    """Both grids hold percent of the intervals, on the same axes."""
    found = compare(record(PERFECT, TOO_LARGE), Lower(), SMALL)
    assert found.estimate.heat.tolist() == [[100, 100, 0, 0], [100, 100, 100, 0]]
    assert found.truth.heat.tolist() == [[100, 100, 0, 0]] * 2
    assert found.difference.tolist() == [[0, 0, 0, 0], [0, 0, 100, 0]]
    assert found.estimate.axes == found.truth.axes


def test_figures() -> None:
    """Figures are those of the snapshots."""
    found = compare(record(PERFECT, TOO_LARGE), Lower(), SMALL).figures
    assert found.true_used.tolist() == [2 * PAGE, 2 * PAGE]
    assert found.estimated_used.tolist() == [2 * PAGE, 3 * PAGE]


def test_excluded_snapshots() -> None:
    """The first snapshots do not count, but are drawn."""
    options = ComparisonOptions(exclude_samples=1, resol=(2, 4))
    found = compare(record(PERFECT, TOO_LARGE), Lower(), options)
    assert (found.nr_excluded, len(found.figures.time_ns)) == (1, 1)
    assert found.figures.estimated.tolist() == [3 * PAGE]
    assert found.estimate.heat[0].tolist() == [100, 100, 0, 0]


def test_short_records_exclude_nothing() -> None:
    """If all snapshots would be left out, none is."""
    found = compare(record(PERFECT), Lower(), ComparisonOptions(resol=(1, 4)))
    assert (found.nr_excluded, len(found.figures.time_ns)) == (0, 1)


def test_every_other_snapshot() -> None:
    """A snapshot that is looked at stands for those that are skipped, on both sides."""
    options = ComparisonOptions(exclude_samples=0, every=2, resol=(3, 4))
    found = compare(record(PERFECT, TOO_LARGE, PERFECT), Lower(), options)
    assert len(found.figures.time_ns) == 2
    assert found.estimate.heat.tolist() == [[100, 100, 0, 0]] * 3
    assert found.truth.heat.tolist() == [[100, 100, 0, 0]] * 3


def test_chosen_addresses() -> None:
    """The addresses of the heatmaps can be chosen."""
    part = BasedRange(PAGE, 3 * PAGE, Base.GUIDED)
    options = ComparisonOptions(exclude_samples=0, resol=(1, 2), address_range=part)
    found = compare(record(PERFECT), Lower(), options)
    assert found.truth.heat.tolist() == [[100, 0]]


def test_unsorted_regions() -> None:
    """The order of regions in a file does not matter."""
    found = compare(record(PERFECT[::-1]), Lower(), SMALL)
    assert found.figures.common.tolist() == [2 * PAGE]


def test_nothing_to_compare() -> None:
    """A record without regions cannot be compared."""
    for empty in (Record(0, []), record([])):
        with pytest.raises(InvalidError, match="the record holds no regions to compare"):
            compare(empty, Lower(), SMALL)


def test_wrong_step() -> None:
    """Steps below one are refused."""
    with pytest.raises(InvalidError, match="every 0th snapshot cannot be looked at"):
        compare(record(PERFECT), Lower(), ComparisonOptions(every=0))


def test_text() -> None:
    """Sizes, shares and both heatmaps side by side are told."""
    lines = accuracy_text(compare(record(PERFECT, TOO_LARGE), Lower(), SMALL)).splitlines()
    assert lines[:4] == [
        "# accuracy of kdamond 0 / context 0 / target 0",
        "# snapshots compared: 2 of 2",
        "# working set: touched at least once in a snapshot's time",
        "# hot set: touched in at least 50 % of a snapshot's sampling intervals",
    ]
    [truth] = [line for line in lines if line.startswith("working set, truth")]
    assert truth.split()[3:] == ["8.000", "KiB"] * 6
    at = lines.index("estimate | truth")
    assert lines[at + 1 : at + 3] == ["9900 | 9900", "9990 | 9900"]
    assert lines[at + 3].startswith("# access rate: 0123456789 (0 % to 100 %")


def test_share_rows() -> None:
    """Errors have signs, precision and recall have none."""
    lines = accuracy_text(compare(record(TOO_LARGE), Lower(), SMALL)).splitlines()
    [error] = [line for line in lines if line.startswith("working set, error")]
    [precision] = [line for line in lines if line.startswith("hot set, precision")]
    [recall] = [line for line in lines if line.startswith("hot set, recall")]
    assert error.split()[3:5] == ["+50.00", "%"]
    assert precision.split()[3:5] == ["66.67", "%"]
    assert recall.split()[-2:] == ["100.00", "%"]
    assert "# the median working set is off by +50.00 %" in lines


def test_honest_head() -> None:
    """What was left out or skipped is told."""
    options = ComparisonOptions(exclude_samples=1, every=2, resol=(1, 4))
    found = compare(record(*[PERFECT] * 5), Lower(), options)
    assert accuracy_text(found).splitlines()[1] == (
        "# snapshots compared: 2 of 5; the first 1 do not count; of every 2 one was looked at"
    )


def test_rows_per_snapshot() -> None:
    """Every snapshot can be told by itself."""
    found = compare(record(PERFECT, TOO_LARGE), Lower(), SMALL)
    text = accuracy_text(found, per_snapshot=True, has_heatmaps=False)
    [first] = [line for line in text.splitlines() if line.startswith("1.100 s")]
    assert first.split() == ["1.100", "s", *["8.000", "KiB"] * 4, "100.00", "%", "100.00", "%"]
    assert "estimate | truth" not in text


def test_plain_numbers() -> None:
    """Numbers can be plain."""
    text = accuracy_text(compare(record(PERFECT), Lower(), SMALL), raw=True, per_snapshot=True)
    assert "1100000000" in text
    assert "100.000000" in text


def test_colors() -> None:
    """Heatmaps can be coloured."""
    found = compare(record(PERFECT), Lower(), SMALL)
    assert "\x1b[" in accuracy_text(found, colors=ColorSet.FLAME)
    assert "\x1b[" not in accuracy_text(found)


def test_undefined_shares() -> None:
    """Shares of nothing are not numbers."""
    found = compare(record(pages((0, 4, 0))), Lower(nr_hot=0), SMALL)
    text = accuracy_text(found)
    assert "n/a" in text
    assert "nan" not in text
    tree = json.loads(accuracy_json(found))
    assert tree["overall"] == {"precision": None, "recall": None, "median_wss_error": None}


def test_nothing_looked_at() -> None:
    """Where no snapshot is left that counts, sizes are not told either."""
    options = ComparisonOptions(exclude_samples=1, every=9, resol=(1, 4))
    found = compare(record(PERFECT, PERFECT), Lower(), options)
    assert "working set, truth" + " " * 6 in accuracy_text(found)
    assert accuracy_text(found).count("n/a") >= 24


def test_json() -> None:
    """JSON has all figures, per snapshot and overall."""
    tree = json.loads(accuracy_json(compare(record(PERFECT, TOO_LARGE), Lower(), SMALL)))
    assert (tree["rate"], tree["every"], tree["nr_compared"]) == (0.5, 1, 2)
    assert tree["overall"]["recall"] == 1
    assert tree["overall"]["precision"] == pytest.approx(4 / 5)
    second = tree["snapshots"][1]
    assert (second["wss_estimate"], second["wss_truth"]) == (3 * PAGE, 2 * PAGE)
    assert second["wss_error"] == pytest.approx(0.5)
    assert not math.isnan(second["precision"])
