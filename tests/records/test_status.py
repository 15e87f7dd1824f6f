"""Kdamonds with their state and counters, as damo writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from damon_async.params.monitoring import AddressRange, Context, Kdamond, Target
from damon_async.params.schemes import Scheme
from damon_async.records.side_files import read_kdamonds
from damon_async.records.status import (
    KdamondStatus,
    SchemeCounters,
    read_status,
    status_trees,
    write_status,
)

CONTEXT = Context(
    "paddr", [Target(regions=[AddressRange(0, 8192)])], schemes=[Scheme("pageout"), Scheme()]
)
COUNTERS = SchemeCounters(1, 4096, 2, 8192, 3, 4, 5, 6)
STATUS = KdamondStatus(Kdamond([CONTEXT]), ((COUNTERS, None),), "on", 12)


def test_there_and_back(tmp_path: Path) -> None:
    """What is written is read again."""
    write_status(tmp_path / "a.kdamonds", [STATUS, KdamondStatus(Kdamond([CONTEXT]))])
    one, two = read_status(tmp_path / "a.kdamonds")

    assert one == STATUS
    assert (two.state, two.pid, two.counters) == ("off", None, ((None, None),))


def test_parameters_alone_can_be_read(tmp_path: Path) -> None:
    """Whoever wants the parameters only finds them where they always are."""
    write_status(tmp_path / "damon.data.kdamonds", [STATUS])
    assert read_kdamonds(tmp_path / "damon.data") == (STATUS.kdamond,)


def test_shape_is_damos() -> None:
    """The list carries state and pid, and the schemes their counters."""
    (tree,) = status_trees([STATUS], raw=True)
    first, second = tree["contexts"][0]["schemes"]

    assert (tree["state"], tree["pid"]) == ("on", 12)
    assert first["stats"] == {
        "nr_tried": 1,
        "sz_tried": 4096,
        "nr_applied": 2,
        "sz_applied": 8192,
        "sz_ops_filter_passed": 3,
        "qt_exceeds": 4,
        "nr_snapshots": 5,
        "max_nr_snapshots": 6,
    }
    assert "stats" not in second


def test_older_files_have_fewer_counters(tmp_path: Path) -> None:
    """Counters that are not there are zero, and texts of numbers are numbers."""
    (tree,) = status_trees([STATUS], raw=False)
    tree["contexts"][0]["schemes"][0]["stats"] = {"nr_tried": "1,024", "qt_exceeds": None}
    (tmp_path / "old").write_text(json.dumps({"kdamonds": [tree]}))
    (status,) = read_status(tmp_path / "old")

    assert status.counters_of(0, 0) == SchemeCounters(nr_tried=1024)


@pytest.mark.parametrize(("context", "scheme"), [(0, 2), (1, 0), (7, 7)])
def test_nobody_knows(context: int, scheme: int) -> None:
    """What is not there has no counters."""
    assert STATUS.counters_of(context, scheme) is None


@pytest.mark.parametrize(
    ("stats", "message"),
    [
        (3, r"kdamonds\[0\].contexts\[0\].schemes\[0\].stats: must be an object"),
        ({"nr_tried": "many"}, r"schemes\[0\].stats.nr_tried: 'many' is not a"),
        ({"sz_tried": -1}, "stats.sz_tried: "),
    ],
)
def test_bad_counters(tmp_path: Path, stats: object, message: str) -> None:
    """What is no counter is refused with its place."""
    (tree,) = status_trees([STATUS], raw=True)
    tree["contexts"][0]["schemes"][0]["stats"] = stats
    (tmp_path / "bad").write_text(json.dumps([tree]))
    with pytest.raises(Exception, match=message):
        read_status(tmp_path / "bad")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "bad: not a parameter document"),
        (b"\xff\xfe\x00", "bad: not a parameter document; expected UTF-8 text"),
        (b'[{"contexts": 3}]', r"bad: kdamonds\[0\].contexts: must be a list"),
    ],
)
def test_bad_files(tmp_path: Path, text: bytes, message: str) -> None:
    """What is no document of kdamonds is refused with its name."""
    (tmp_path / "bad").write_bytes(text)
    with pytest.raises(Exception, match=message):
        read_status(tmp_path / "bad")


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(Exception, match="nowhere: No such file or directory"):
        read_status(tmp_path / "nowhere")
