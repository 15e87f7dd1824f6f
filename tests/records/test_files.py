"""Record files: recognised by their first bytes, read, written, refused."""

from __future__ import annotations

import base64
import gzip
import lzma
import zlib
from pathlib import Path

import pytest
from hypothesis import given

from damon_async.errors import InputFileError
from damon_async.records.files import read_records, write_records
from damon_async.records.record import Record
from damon_async.records.writer import RecordForm

from .makers import records, rows_of, tree_of, trees_of, worked

JSON_FORMS = [RecordForm.JSON_COMPRESSED, RecordForm.JSON]

# The ready file of spec damo 4.1.
READY = (
    "eNq1j00OgjAQhe8yaxYtIEKvQkzTwKSSQCH9cUN6d0tV7EITFppuOm9mvnmvXcEKLdHyoQdGMhiURX0TowG2ghHTMiJ3oTgR"
    "ErpCSh1LSkgU5sVwt/TCYiITn4FRYjHX2QaxDaBwxHI7TLjPxHVU/Uulb1WjHGaVbAIrSVPFcWA1bfIMlOai69AYTJyGb74d"
    "FxI30RnsgCk3jk/nSbjC+2ynP5CRTquiLr/jD9LP3l92/oeESe78N7npQWfkr7nrLXd4dzVmwHE="
)


def test_ready_file(tmp_path: Path) -> None:
    """The verified file of the specification is read."""
    path = tmp_path / "damon.data"
    path.write_bytes(base64.b64decode(READY))
    assert trees_of(read_records(path)) == trees_of([worked()])


@pytest.mark.parametrize("form", JSON_FORMS)
@given(made=records())
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, form: RecordForm, made: list[Record]
) -> None:
    """What is written is read back the same, in both forms of JSON."""
    path = tmp_path_factory.mktemp("records") / "damon.data"
    write_records(path, made, form)
    assert trees_of(read_records(path)) == trees_of(made)


@pytest.mark.parametrize("form", list(RecordForm))
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_files(tmp_path: Path, form: RecordForm, pack: object) -> None:
    """Files of any form may be packed by gzip or xz."""
    path = tmp_path / "damon.data"
    write_records(path, [worked()], form)
    plain = read_records(path)
    assert callable(pack)
    path.write_bytes(pack(path.read_bytes()))
    assert trees_of(read_records(path)) == trees_of(plain)


@pytest.mark.parametrize("level", range(10))
def test_any_compression_level(tmp_path: Path, level: int) -> None:
    """Files of any zlib level are recognised."""
    path = tmp_path / "damon.data"
    write_records(path, [worked()], "json")
    path.write_bytes(zlib.compress(path.read_bytes(), level))
    assert trees_of(read_records(path)) == trees_of([worked()])


def test_text_form(tmp_path: Path) -> None:
    """The text form keeps regions and ends, not intervals."""
    path = tmp_path / "damon.txt"
    write_records(path, [worked()], "perf_script")
    [one] = read_records(path)
    assert [rows_of(each) for each in one.snapshots] == [
        rows_of(each) for each in worked().snapshots
    ]
    assert one.intervals is None


def test_written_header(tmp_path: Path) -> None:
    """The compressed form begins as file(1) expects of zlib data."""
    path = tmp_path / "damon.data"
    write_records(path, [worked()])
    assert path.read_bytes()[:2] == b"\x78\x01"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "not a record: the file is empty"),
        (b"[]", "holds no records"),
        (b"# only a comment\n", "holds no records"),
        (b"\xff\xfe\x00binary", "not a record: expected json_compressed, json or perf_script"),
        (b"hello\n", "line 1: not a line of DAMON's trace"),
        (b'{"kdamonds": []}', "a parameter document, not a record"),
        (b'[{"target_id": 0}]', r"\[0\]\.snapshots: missing, but required"),
        (b'[{"target_id": 0, ', "truncated: the JSON text breaks off"),
        (b"PERFILE2\x00\x00", "this is perf.data; turn it into text"),
        (b"damon_recfmt_ver\x01", "this is an old binary record; turn it into text"),
        (zlib.compress(b"[]" * 99)[:9], "truncated: the compressed data ends early"),
        (gzip.compress(b"[]", mtime=0)[:-9], "truncated: the compressed data ends early"),
        (lzma.compress(b"[]")[:-9], "truncated: the compressed data ends early"),
        (gzip.compress(b"[]", mtime=0)[:-6] + b"??????", "broken: the compressed data is damaged"),
        (zlib.compress(b"[]" * 99)[:-4] + b"????", "broken: the compressed data is damaged"),
        (zlib.compress(b"[]")[:2] + b"????????", "broken: the compressed data is damaged"),
    ],
)
def test_wrong_files(tmp_path: Path, content: bytes, wrong: str) -> None:
    """What is no record file is refused in one sentence that names the file."""
    path = tmp_path / "damon.data"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=wrong) as caught:
        read_records(path)
    assert str(caught.value).startswith(f"{path}")
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is told."""
    with pytest.raises(InputFileError, match="gone: No such file or directory"):
        read_records(tmp_path / "gone")


def test_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    with pytest.raises(InputFileError, match="Is a directory"):
        read_records(tmp_path)


@pytest.mark.parametrize("form", JSON_FORMS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_cut_files(tmp_path: Path, form: RecordForm, share: float) -> None:
    """A file that was cut anywhere is told to be truncated, not half read."""
    path = tmp_path / "damon.data"
    write_records(path, [worked()] * 3, form)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputFileError, match="truncated"):
        read_records(path)


def test_real_recording(shared: Path, tmp_path: Path) -> None:
    """A real recording of damo is read and survives being written."""
    [one] = read_records(shared / "traces/damo/damon.data")
    assert (len(one.snapshots), one.intervals) == (543, None)
    assert sum(each.nr_regions for each in one.snapshots) == 9773
    assert one.target_id == 18446623438842320000
    write_records(tmp_path / "copy", [one])
    assert tree_of(read_records(tmp_path / "copy")[0]) == tree_of(one)


def test_real_snapshot(shared: Path, tmp_path: Path) -> None:
    """A real snapshot of damo is read, with statistics, and survives being written."""
    [one] = read_records(shared / "traces/damo/damon.data.snapshot.nofilter")
    [only] = one.snapshots
    assert (only.nr_regions, only.total_bytes) == (132, 64282951680)
    assert (only.sample_us, only.aggr_us, one.scheme_idx) == (5_000, 100_000, 0)
    write_records(tmp_path / "copy", [one])
    assert tree_of(read_records(tmp_path / "copy")[0]) == tree_of(one)
