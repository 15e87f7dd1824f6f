"""The report of working sets."""

from __future__ import annotations

import pytest

from damon_async.errors import InvalidError
from damon_async.records.record import Record
from damon_async.reports.distribution import SortBy
from damon_async.reports.nr_regions import NrRegionsOptions, nr_regions_report, region_counts
from damon_async.reports.wss import WssOptions, working_sets, wss_report

from ..records.makers import Row, record, worked

IDLE: Row = (0, 4096, 0, 0)


def sizes(options: WssOptions, *snapshots: list[Row]) -> list[int]:
    """Return the working sets of a record."""
    [found] = working_sets([record(*snapshots)], options)
    return list(found.values)


def test_worked_record() -> None:
    """The record of spec damo 4.1 is too short: the first 20 snapshots are dropped."""
    assert wss_report([worked()]).splitlines()[-1] == "# no snapshot"


def test_layout() -> None:
    """Percentiles are told with sizes and bars, in damo's layout."""
    one = record(*([(0, 2**20 * count, 1, 0)] for count in range(1, 5)))
    options = WssOptions(exclude_samples=0, nr_cols_bar=8)
    assert wss_report([one], options).splitlines() == [
        "# target_id\t0",
        "# <percentile> <wss>",
        "# avr:\t2.500 MiB",
        "  0    1024.000 KiB |**      |",
        " 25       2.000 MiB |****    |",
        " 50       3.000 MiB |******  |",
        " 75       4.000 MiB |********|",
        "100       4.000 MiB |********|",
    ]


def test_first_snapshots_do_not_count() -> None:
    """The first 20 snapshots are left out, or as many as one says."""
    layers = [[(0, count, 1, 0)] for count in range(1, 24)]
    assert sizes(WssOptions(), *layers) == [21, 22, 23]
    assert len(sizes(WssOptions(exclude_samples=3), *layers)) == 20


@pytest.mark.parametrize(
    ("acc_thres", "sz_thres", "size"), [(1, 1, 60), (5, 1, 50), (0, 1, 160), (1, 11, 50)]
)
def test_thresholds(acc_thres: int, sz_thres: int, size: int) -> None:
    """A region belongs to the working set if it has enough accesses and bytes."""
    options = WssOptions(exclude_samples=0, acc_thres=acc_thres, sz_thres=sz_thres)
    assert sizes(options, [(0, 10, 4, 0), (10, 60, 5, 0), (60, 160, 0, 0)]) == [size]


def test_order_of_time() -> None:
    """By time the working sets stay in the order in which they were."""
    options = WssOptions(exclude_samples=0, sortby=SortBy.TIME)
    assert sizes(options, [(0, 9, 1, 0)], [(0, 3, 1, 0)], [(0, 5, 1, 0)]) == [9, 3, 5]


def test_unit_of_work() -> None:
    """Over a longer time accesses of each address add up, and an unfinished rest is dropped."""
    layers = [
        [(0, 100, 0, 0), (100, 200, 1, 0)],
        [(0, 50, 1, 0), (50, 200, 0, 0)],
        [(0, 200, 0, 0)],
    ]
    options = WssOptions(exclude_samples=0, work_time=200_000)
    assert sizes(options, *layers) == [150]


def test_unit_of_work_adds_up() -> None:
    """A page that is touched a little in each snapshot may be touched enough in both."""
    layers: list[list[Row]] = [[(0, 100, 3, 0)], [(50, 150, 3, 0)]]
    options = WssOptions(exclude_samples=0, work_time=200_000, acc_thres=6)
    assert sizes(options, *layers) == [50]


def test_targets_add_up() -> None:
    """Targets are added up moment by moment, then sorted."""
    one = record([(0, 1, 1, 0)], [(0, 9, 1, 0)])
    two = record([(0, 8, 1, 0)], [(0, 2, 1, 0)], target_id=1)
    [both] = working_sets([one, two], WssOptions(exclude_samples=0))
    assert (both.label, list(both.values)) == ("0", [9, 11])


def test_targets_apart() -> None:
    """Each target can be told by itself."""
    records = [record([(0, size, 1, 0)], target_id=target) for target, size in ((3, 10), (5, 20))]
    found = working_sets(records, WssOptions(exclude_samples=0, per_target=True))
    assert [(each.label, list(each.values)) for each in found] == [("3", [10]), ("5", [20])]


def test_targets_of_different_length() -> None:
    """A target that has ended adds nothing any more."""
    one, two = record([(0, 5, 1, 0)], [(0, 5, 1, 0)]), record([(0, 7, 1, 0)], target_id=1)
    [both] = working_sets([one, two], WssOptions(exclude_samples=0, sortby=SortBy.TIME))
    assert list(both.values) == [12, 5]


def test_all_working_sets() -> None:
    """All working sets can be told, one per line."""
    one = record([(0, 2048, 1, 0)], [(0, 1, 1, 0)])
    options = WssOptions(exclude_samples=0, all_wss=True)
    assert wss_report([one], options).splitlines()[2:] == ["# avr:\t1024 B", "0 1 B", "1 2.000 KiB"]


def test_all_working_sets_of_nothing() -> None:
    """Where nothing is left, even all working sets are none."""
    options = WssOptions(all_wss=True)
    assert wss_report([worked()], options).splitlines()[-1] == "# no snapshot"


def test_plain_numbers() -> None:
    """Sizes can be told in bytes."""
    options = WssOptions((50, 51, 1), exclude_samples=0, raw_number=True, nr_cols_bar=0)
    one = record([(0, 4096, 1, 0)])
    assert wss_report([one], options).splitlines()[2:] == ["# avr:\t4096", " 50            4096"]


def test_no_records() -> None:
    """Without records there is nothing to report."""
    with pytest.raises(InvalidError, match="there is no record to report"):
        wss_report([])
    with pytest.raises(InvalidError, match="there is no record to report"):
        nr_regions_report([])


def test_region_counts() -> None:
    """Regions are counted per snapshot, after the first 20."""
    one = record(*([IDLE] * count for count in range(25)))
    [found] = region_counts([one])
    assert list(found.values) == [20, 21, 22, 23, 24]
    [all_of_them] = region_counts([one], NrRegionsOptions(exclude_samples=0))
    assert len(all_of_them.values) == 25


def test_region_report() -> None:
    """Region counts are told in damo's layout, one block per target."""
    records = [record(*[[IDLE] * 3] * 21, target_id=target) for target in (0, 1)]
    assert nr_regions_report(records).splitlines() == [
        "# <percentile> <# regions>",
        *[
            line
            for target in (0, 1)
            for line in (
                f"# target_id\t{target}",
                "# avr:\t3",
                *(f"{percentile}\t3" for percentile in (0, 25, 50, 75, 100)),
            )
        ],
    ]


def test_short_region_report() -> None:
    """Of 20 snapshots or fewer nothing is left, which damo divides by."""
    assert nr_regions_report([worked()]).splitlines()[-1] == "# no snapshot"
    assert nr_regions_report([Record(7, [])]).splitlines()[1] == "# target_id\t7"
