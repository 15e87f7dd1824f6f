"""What all reports share."""

from __future__ import annotations

import io
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from damon_async.cli.report_common import colors_if_any, has_colors, load_records
from damon_async.errors import InputFileError
from damon_async.records.files import write_records
from damon_async.records.side_files import kdamonds_path
from damon_async.records.writer import RecordForm
from damon_async.reports.colors import ColorSet

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

REPORTS = ("access", "accuracy", "heatmap", "nr_regions", "record_info", "wss")


class Terminal(io.StringIO):
    """A stdout that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "is_terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colors(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    """Colours are for terminals; NO_COLOR and FORCE_COLOR decide otherwise."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal() if is_terminal else io.StringIO())

    assert has_colors() is expected
    assert colors_if_any(ColorSet.FLAME) == (ColorSet.FLAME if expected else None)


@pytest.mark.parametrize("words", [["heatmap"], ["access"], ["accuracy", "--every", "10"]])
def test_reports_are_coloured_on_terminals(
    stairs: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli, words: list[str]
) -> None:
    """Digits have colours where they can be seen, and only there."""
    plain = cli("report", *words, "-i", stairs).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = cli("report", *words, "-i", stairs).out

    assert "\x1b[" not in plain
    assert "\x1b[48;5;" in coloured


@pytest.mark.parametrize("name", REPORTS)
def test_default_input(cli: Cli, stairs: Path, name: str) -> None:
    """Without --input, damon.data is reported."""
    for each in stairs.parent.iterdir():
        shutil.copy(each, each.name.replace("stairs", "damon"))

    outcome = cli("report", name)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == cli("report", name, "--input", stairs).out


@pytest.mark.parametrize("name", REPORTS)
def test_missing_default_input(cli: Cli, name: str) -> None:
    """A newcomer without a record is told how to make one."""
    outcome = cli("report", name)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line == (
        "damon-async: damon.data: there is no such file; "
        "make one with damon-async record, or name one with --input"
    )


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"not a record\n", "x.data, line 1: "),
        (b"\x00\xff\xfe", "x.data: not a record: expected "),
        (b"[]", "x.data: holds no records"),
        (b"[{", "x.data: "),
    ],
)
def test_files_that_are_no_record(cli: Cli, name: str, content: bytes, line: str) -> None:
    """Every report tells in one line what is wrong with a file."""
    Path("x.data").write_bytes(content)

    outcome = cli("report", name, "-i", "x.data")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")


@pytest.mark.parametrize("name", REPORTS)
def test_truncated_record(cli: Cli, stairs: Path, name: str) -> None:
    """Every report tells of a record that ends early."""
    Path("x.data").write_bytes(stairs.read_bytes()[:1000])

    outcome = cli("report", name, "-i", "x.data")

    assert outcome.code == 2
    assert outcome.line.startswith("damon-async: x.data: truncated: ")


@pytest.mark.parametrize(
    "words",
    [
        ["heatmap", "--output", "x.png"],
        ["wss", "--plot", "x.png"],
        ["nr_regions", "--plot", "x.png"],
        ["accuracy", "--every", "20", "--output", "x.png"],
    ],
)
def test_pictures_need_an_extra(
    cli: Cli, stairs: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Without matplotlib a picture is one line that names the extra; text needs none."""
    # None in sys.modules is a module that is not there.
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)

    outcome = cli("report", *words, "-i", stairs)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.endswith("needs the 'plot' extra: pip install 'damon_async[plot]'")
    assert cli("report", "wss", "-i", stairs).code == 0
    assert not list(Path().iterdir())


def test_missing_named_input(cli: Cli) -> None:
    """Another missing file is told by its name."""
    assert cli("report", "wss", "-i", "no.data").line == (
        "damon-async: no.data: No such file or directory"
    )


def test_devices_are_not_read(cli: Cli) -> None:
    """A file without an end is refused instead of read until memory is full."""
    assert cli("report", "wss", "-i", "/dev/zero").line == (
        "damon-async: /dev/zero: is a device; expected a record file"
    )


def test_pipes_are_read(cli: Cli, stairs: Path) -> None:
    """A record may come through a pipe."""
    read, write = os.pipe()
    writer = threading.Thread(target=lambda: os.close(write) if os.write(write, b"[]") else None)
    writer.start()

    outcome = cli("report", "wss", "-i", f"/dev/fd/{read}")

    writer.join()
    os.close(read)
    assert outcome.line == f"damon-async: /dev/fd/{read}: holds no records"


def test_intervals_from_beside(cli: Cli, stairs: Path, tmp_path: Path) -> None:
    """Text without intervals gets those of the file beside it, without that it has none."""
    path = tmp_path / "x.data"
    write_records(path, load_records(str(stairs)), RecordForm.PERF_SCRIPT)
    bare = load_records(str(path))
    shutil.copy(kdamonds_path(stairs), kdamonds_path(path))
    whole = load_records(str(path))

    assert bare[0].intervals is None
    assert whole[0].intervals == load_records(str(stairs))[0].intervals
    assert whole[0].snapshots[0].aggr_us == 100_000


@pytest.mark.parametrize("content", ["[]", "nonsense"])
def test_strange_files_beside_are_left_alone(stairs: Path, tmp_path: Path, content: str) -> None:
    """A parameter file of another damo, or for other kdamonds, is no reason to fail."""
    path = tmp_path / "x.data"
    write_records(path, load_records(str(stairs)), RecordForm.PERF_SCRIPT)
    kdamonds_path(path).write_text(content)

    assert load_records(str(path))[0].intervals is None


def test_several_inputs(cli: Cli, stairs: Path, pair: Path) -> None:
    """Several records are reported together."""
    out = cli("report", "record_info", "--input", stairs, pair).out

    assert out.count("target_id: ") == 2
    with pytest.raises(InputFileError, match="No such file"):
        load_records([str(stairs), "missing"])
