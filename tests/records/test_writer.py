"""Recording snapshot by snapshot: whole files or none."""

from __future__ import annotations

import itertools
import json
import zlib
from pathlib import Path

import pytest

from damon_async.errors import InvalidError
from damon_async.records.files import read_records
from damon_async.records.record import Record, records_of
from damon_async.records.writer import RecordForm, RecordWriter

from .makers import AGGR_NS, INTERVALS, record, rows_of, snapshot, trees_of, worked

FORMS = list(RecordForm)
LOW, HIGH = (0, 4096, 5, 1), (8192, 12288, 7, 2)


@pytest.mark.parametrize("form", [RecordForm.JSON_COMPRESSED, RecordForm.JSON])
def test_targets_in_turn(tmp_path: Path, form: RecordForm) -> None:
    """Snapshots that arrive with two targets each become two whole records."""
    snapshots = [snapshot([LOW, HIGH], i * AGGR_NS, target=[0, 1]) for i in range(30)]
    with RecordWriter(tmp_path / "r", form) as writer:
        for each in snapshots:
            writer.add(each, intervals=INTERVALS)
    expected = records_of(snapshots, intervals=INTERVALS)
    assert trees_of(read_records(tmp_path / "r")) == trees_of(expected)
    assert writer.nr_snapshots == 60


def test_several_kdamonds(tmp_path: Path) -> None:
    """Snapshots of two kdamonds are kept apart."""
    with RecordWriter(tmp_path / "r") as writer:
        for number, kdamond in itertools.product(range(3), (0, 1)):
            one = snapshot([LOW] * (kdamond + 1), number * AGGR_NS)
            writer.add(one, kdamond_idx=kdamond, context_idx=0, intervals=INTERVALS)
    read = read_records(tmp_path / "r")
    assert [(each.kdamond_idx, len(each.snapshots)) for each in read] == [(0, 3), (1, 3)]
    assert [each.snapshots[0].nr_regions for each in read] == [1, 2]


@pytest.mark.parametrize("form", FORMS)
def test_whole_records(tmp_path: Path, form: RecordForm) -> None:
    """Whole records stay apart, even two of the same target."""
    with RecordWriter(tmp_path / "r", form) as writer:
        writer.add_record(worked())
        writer.add_record(record([LOW], target_id=1))
    assert [each.target_id for each in read_records(tmp_path / "r")] == [0, 1]


def test_snapshot_without_regions(tmp_path: Path) -> None:
    """A snapshot without any region belongs to no target and is not written."""
    with RecordWriter(tmp_path / "r", "json") as writer:
        writer.add(snapshot([]))
    assert json.loads((tmp_path / "r").read_text()) == []


@pytest.mark.parametrize(
    ("form", "content"),
    [("json", b"[]"), ("json_compressed", b"[]"), ("perf_script", b"")],
)
def test_nothing_recorded(tmp_path: Path, form: str, content: bytes) -> None:
    """A recording of nothing is a valid file of its form."""
    RecordWriter(tmp_path / "r", form).close()
    data = (tmp_path / "r").read_bytes()
    assert (zlib.decompress(data) if form == "json_compressed" else data) == content


def test_only_snapshot_as_text(tmp_path: Path) -> None:
    """An only snapshot keeps its length in text, by a mark behind it."""
    with RecordWriter(tmp_path / "r", "perf_script") as writer:
        writer.add(snapshot([LOW], 5 * AGGR_NS))
    assert (tmp_path / "r").read_text().splitlines()[-1].endswith("0-0: -1 -1")
    [one] = read_records(tmp_path / "r")
    assert (one.start_ns, one.end_ns) == (5 * AGGR_NS, 6 * AGGR_NS)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_before_the_end(tmp_path: Path, form: RecordForm) -> None:
    """An old file keeps its content until the recording is closed."""
    path = tmp_path / "r"
    path.write_text("old")
    writer = RecordWriter(path, form)
    writer.add(snapshot([LOW]))
    assert path.read_text() == "old"
    writer.close()
    assert rows_of(read_records(path)[0].snapshots[0]) == [LOW]


@pytest.mark.parametrize(("error", "is_kept"), [(ValueError, False), (KeyboardInterrupt, True)])
def test_cut_short(tmp_path: Path, error: type[BaseException], is_kept: bool) -> None:
    """An error leaves no file behind, an interruption what was recorded until then."""

    def record_until_it_fails() -> None:
        with RecordWriter(tmp_path / "r") as writer:
            writer.add(snapshot([LOW]))
            raise error("now")

    with pytest.raises(error, match="now"):
        record_until_it_fails()
    assert [each.name for each in tmp_path.iterdir()] == ["r"] * is_kept
    if is_kept:
        assert rows_of(read_records(tmp_path / "r")[0].snapshots[0]) == [LOW]


def test_closing_twice(tmp_path: Path) -> None:
    """Closing again, or aborting what is closed, does nothing."""
    writer = RecordWriter(tmp_path / "r")
    writer.add(snapshot([LOW]))
    writer.close()
    writer.close()
    writer.abort()
    assert len(read_records(tmp_path / "r")) == 1


def test_failure_while_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full at the end leaves no half file."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    writer = RecordWriter(tmp_path / "r")
    writer.add(snapshot([LOW]))
    monkeypatch.setattr("damon_async.records.writer.write_zlib", full)
    with pytest.raises(OSError, match="No space left on device"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_unknown_form(tmp_path: Path) -> None:
    """A form that does not exist is refused before a file is begun."""
    with pytest.raises(ValueError, match="'perf_data' is not a valid RecordForm"):
        RecordWriter(tmp_path / "r", "perf_data")
    assert list(tmp_path.iterdir()) == []


def test_nowhere_to_write(tmp_path: Path) -> None:
    """A missing folder is told at once, not after an hour of recording."""
    with pytest.raises(InvalidError, match="cannot write"):
        RecordWriter(tmp_path / "gone" / "r")


def test_mode(tmp_path: Path) -> None:
    """Records can be read by their owner alone, unless told otherwise."""
    RecordWriter(tmp_path / "a").close()
    RecordWriter(tmp_path / "b", mode=0o644).close()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o644


def test_source_and_scheme_survive(tmp_path: Path) -> None:
    """What a whole record says of itself is written with it."""
    one = Record(
        None, worked().snapshots, INTERVALS, 1, 2, 3, "damon_stat", [{"filter_type": "anon"}]
    )
    with RecordWriter(tmp_path / "r") as writer:
        writer.add_record(one)
    assert trees_of(read_records(tmp_path / "r")) == trees_of([one])
