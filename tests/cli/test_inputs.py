"""What may be named as a workload."""

from __future__ import annotations

import gzip
import lzma
import zlib
from pathlib import Path

import numpy as np
import pytest

from damon_async.cli.inputs import absolute_spec, looks_like_record, open_input
from damon_async.errors import InputFileError, ParametersError
from damon_async.params.intervals import Intervals
from damon_async.records.files import write_records
from damon_async.records.record import Record
from damon_async.records.snapshot import Snapshot
from damon_async.records.writer import RecordForm
from damon_async.spaces.patterns import PatternSpace
from damon_async.spaces.record_space import RecordSpace
from damon_async.spaces.trace_space import TraceSpace

PAGE = 4096


def snapshot(index: int, nr_accesses: int, *, is_timed: bool = True) -> Snapshot:
    """Return a snapshot of one region of 16 pages."""
    target, start, end, count, age = np.array(
        [[0], [16 * PAGE], [32 * PAGE], [nr_accesses], [2]], dtype=np.int64
    )
    return Snapshot(
        (index + 10) * 100_000_000,
        (index + 11) * 100_000_000,
        5_000 if is_timed else 0,
        100_000 if is_timed else 0,
        target,
        start,
        end,
        count,
        age,
    )


def record(target: int | None, nr_accesses: int = 20, scheme: int | None = None) -> Record:
    """Return a record of two snapshots."""
    snapshots = [snapshot(index, nr_accesses) for index in range(2)]
    return Record(target, snapshots, Intervals(), scheme_idx=scheme)


def test_generator() -> None:
    """A generator is a pattern."""
    assert isinstance(open_input("zipf:size=1M", seed=0), PatternSpace)


def test_trace(tmp_path: Path) -> None:
    """A trace is replayed, with the options behind its path."""
    path = tmp_path / "x.trace"
    path.write_text("l 0x10000 1\nl 0x20000 1\n")

    space = open_input(f"{path},duration=2s", seed=0)

    assert isinstance(space, TraceSpace)
    assert space.lifetime_us == 1_000_001


@pytest.mark.parametrize("form", list(RecordForm))
@pytest.mark.parametrize("prefix", ["", "damon:"])
def test_record_of_any_form(tmp_path: Path, form: RecordForm, prefix: str) -> None:
    """A record is recognised by its content, or is said to be one."""
    path = tmp_path / "x.data"
    write_records(path, [record(0)], form)

    space = open_input(f"{prefix}{path}", seed=0)

    assert isinstance(space, RecordSpace)
    assert [(each.start, each.end) for each in space.mappings(0)] == [(16 * PAGE, 32 * PAGE)]


def test_record_keeps_its_time(tmp_path: Path) -> None:
    """Ages of the first snapshot reach back before it; from there on the record counts."""
    path = tmp_path / "x.data"
    write_records(path, [record(0)])

    assert open_input(str(path), seed=0).lifetime_us == 2 * 100_000 + 2 * 100_000


def test_record_is_touched_as_it_says(tmp_path: Path) -> None:
    """A region that was always accessed is always touched."""
    path = tmp_path / "x.data"
    write_records(path, [record(0, nr_accesses=20)])
    space = open_input(str(path), seed=0)

    since = np.arange(0, 100_000, 5_000, dtype=np.int64)[:, None]
    touched = space.accessed(np.full((20, 1), 20 * PAGE, dtype=np.int64), since, since + 5_000)

    assert touched.all()


def test_target_is_chosen(tmp_path: Path) -> None:
    """Of several targets one must be chosen."""
    path = tmp_path / "x.data"
    write_records(path, [record(0), record(3)])

    assert isinstance(open_input(f"{path},target=3", seed=0), RecordSpace)
    with pytest.raises(
        InputFileError, match=r"has several targets, 0, 3; choose one, as in damon:"
    ):
        open_input(str(path), seed=0)
    with pytest.raises(ParametersError, match=r"^target: .* has no target 1; it has 0, 3"):
        open_input(f"{path},target=1", seed=0)


def test_regions_of_schemes_are_no_workload(tmp_path: Path) -> None:
    """What a scheme tried is left out if there is more."""
    path = tmp_path / "x.data"
    write_records(path, [record(1, scheme=0), record(0)])

    assert isinstance(open_input(str(path), seed=0), RecordSpace)


def test_record_without_snapshots(tmp_path: Path) -> None:
    """A record of nothing cannot be replayed."""
    path = tmp_path / "x.data"
    write_records(path, [Record(0, [])])

    with pytest.raises(InputFileError, match="holds no snapshots"):
        open_input(str(path), seed=0)


def test_unknown_option_of_a_record(tmp_path: Path) -> None:
    """Options of records are checked like all others."""
    path = tmp_path / "x.data"
    write_records(path, [record(0)])

    with pytest.raises(ParametersError, match=r"^colour: no such option"):
        open_input(f"{path},colour=red", seed=0)


@pytest.mark.parametrize(
    ("content", "is_record"),
    [
        pytest.param(zlib.compress(b"[]"), True, id="json_compressed"),
        pytest.param(zlib.compress(b"[]", 0), True, id="stored"),
        pytest.param(b"[]", True, id="json"),
        pytest.param(b'\n [{"snapshots": []}]', True, id="json-behind-blanks"),
        pytest.param(
            gzip.compress(zlib.compress(b"[]"), mtime=0), True, id="json_compressed-in-gz"
        ),
        pytest.param(lzma.compress(b"[]"), True, id="json-in-xz"),
        pytest.param(b"kdamond.0 1 [0] 1.0: damon:damon_aggregated: ", True, id="perf_script"),
        pytest.param(b'{"hash_ids": []}', False, id="requests"),
        pytest.param(b"l 0x10 1\n", False, id="address"),
        pytest.param(b"x = 3\n", False, id="text-like-zlib"),
        pytest.param(b"", False, id="empty"),
        pytest.param(gzip.compress(b"l 0x10 1\n", mtime=0), False, id="address-in-gz"),
        pytest.param(gzip.compress(b"[]", mtime=0)[:12], False, id="truncated-gz"),
        pytest.param(lzma.compress(b"[]")[:20] + b"?", False, id="damaged-xz"),
    ],
)
def test_records_are_recognised(tmp_path: Path, content: bytes, is_record: bool) -> None:
    """The first bytes tell a record from a trace, inside gz and xz too."""
    path = tmp_path / "x"
    path.write_bytes(content)

    assert looks_like_record(path) is is_record


def test_what_cannot_be_read_is_no_record(tmp_path: Path) -> None:
    """Missing files and folders are left for others to complain about."""
    assert not looks_like_record(tmp_path / "missing")
    assert not looks_like_record(tmp_path)


@pytest.mark.parametrize(
    ("spec", "absolute"),
    [
        ("zipf:size=1G", "zipf:size=1G"),
        ("a.cfg", "{}/a.cfg"),
        ("masim:a.cfg,repeat=2", "masim:{}/a.cfg,repeat=2"),
        ("a,b.cfg,repeat=2", "{}/a,b.cfg,repeat=2"),
        ("damon:x/y.data,target=1", "damon:{}/x/y.data,target=1"),
        ("odd:name", "{}/odd:name"),
        ("/tmp/a.cfg", "/tmp/a.cfg"),
    ],
)
def test_absolute_specs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, absolute: str
) -> None:
    """Paths become absolute, whatever stands before and behind them; generators stay."""
    monkeypatch.chdir(tmp_path)

    assert absolute_spec(spec) == absolute.format(tmp_path)
