"""`damon-async record`, inside the test's own process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from damon_async.records.files import read_records
from damon_async.records.side_files import read_kdamonds, read_workloads
from damon_async.reports.wss import working_sets
from damon_async.spaces.patterns import PatternSpace

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

SMALL = "stairs:size=64M,steps=4,step=1s"
MASIM = """\
a, 4000000
b, 4000000

first
1000
a, 0, 4096, 1

second
1000
b, 0, 4096, 1
"""


@pytest.fixture
def masim(tmp_path: Path) -> Path:
    """Return a masim configuration that lives two seconds."""
    path = tmp_path / "two.cfg"
    path.write_text(MASIM)
    return path


def test_lifetime_is_the_usual_length(cli: Cli, masim: Path) -> None:
    """Without a timeout, a workload is recorded until it is over."""
    outcome = cli("record", masim)

    (record,) = read_records("damon.data")
    assert (outcome.code, outcome.out) == (0, "")
    assert len(record.snapshots) == 20
    assert record.end_ns == 2_000_000_000


def test_what_is_said_on_stderr(cli: Cli, masim: Path) -> None:
    """One line says what is monitored and how, another what came out, how fast."""
    first, last = cli("record", masim).err.splitlines()

    assert first == (
        f"damon-async: recording {masim}: vaddr, following the mappings; "
        "5 ms / 100 ms / 1 s; 10 to 1,000 regions; 2 s"
    )
    assert last.startswith("damon-async: 20 snapshots of 2 s in ")
    assert last.endswith(" times real time: damon.data")


def test_companions(cli: Cli, masim: Path, tmp_path: Path) -> None:
    """Beside the record lie its parameters and the way back to its workload."""
    cli("record", f"{masim},repeat=2", "--seed", 5, "-n", 20, "-o", "x.data")

    (kdamond,) = read_kdamonds("x.data")
    (workload,) = read_workloads("x.data")
    assert kdamond.contexts[0].nr_regions.min == 20
    assert kdamond.contexts[0].intervals.update_us == 1_000_000
    assert (workload.spec, workload.seed) == (f"{tmp_path}/two.cfg,repeat=2", 5)


def test_positional_and_option_are_the_same(cli: Cli, masim: Path) -> None:
    """The workload may be named either way."""
    cli("record", masim, "-o", "a.data")
    cli("record", "--workload", masim, "-o", "b.data")

    assert Path("a.data").read_bytes() == Path("b.data").read_bytes()


def test_seed_decides(cli: Cli) -> None:
    """The same seed gives the same record to the byte, another one another."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        cli("record", SMALL, "--timeout", 2, "--seed", seed, "-o", name)

    assert Path("a").read_bytes() == Path("b").read_bytes()
    assert Path("a").read_bytes() != Path("c").read_bytes()


@pytest.mark.parametrize(
    ("words", "nr_snapshots"),
    [
        (["--timeout", "2"], 20),
        (["--timeout", "1 m"], 600),
        (["--timeout", "1.05"], 10),
        (["--timeout", "2", "-s", "1ms", "-a", "20ms"], 100),
        (["--timeout", "2", "--monitoring_intervals", "10ms", "0.5 s", "1s"], 4),
    ],
)
def test_length_and_intervals(cli: Cli, words: list[str], nr_snapshots: int) -> None:
    """The timeout is seconds or a text; snapshots come once per aggregation."""
    cli("record", SMALL, *words)

    assert len(read_records("damon.data")[0].snapshots) == nr_snapshots


def test_stdout_is_only_data(cli: Cli) -> None:
    """With a dash the record is stdout, and nothing else is."""
    outcome = cli("record", SMALL, "--timeout", 1, "-o", "-", "--output_type", "json")

    (tree,) = json.loads(outcome.out)
    assert len(tree["snapshots"]) == 10
    assert outcome.err.endswith(": stdout\n")
    assert not Path("damon.data").exists()


def test_perf_script(cli: Cli) -> None:
    """The text form is what perf script prints."""
    cli("record", SMALL, "--timeout", 1, "--output_type", "perf_script")

    lines = Path("damon.data").read_text().splitlines()
    assert all("damon:damon_aggregated: target_id=0 nr_regions=" in line for line in lines)


def test_several_workloads_are_several_targets(cli: Cli) -> None:
    """Each workload is a target of one context, with memory of its own."""
    cli("record", "--workload", SMALL, "--workload", "hotspot:size=1G,hot=1M", "--timeout", 1)

    first, second = read_records("damon.data")
    assert (first.target_id, second.target_id) == (0, 1)
    assert first.snapshots[0].total_bytes < 2**27 < second.snapshots[0].total_bytes
    assert [each.spec for each in read_workloads("damon.data")] == [SMALL, "hotspot:size=1G,hot=1M"]


def document(*targets: str) -> str:
    """Return a parameter document with a kdamond per list of targets."""
    kdamonds = [
        f'{{"contexts": [{{"ops": "vaddr", "targets": [{each}],'
        '"intervals": {"sample_us": "10 ms", "aggr_us": "200 ms", "ops_update_us": "1 s"}}]}'
        for each in targets
    ]
    return f'{{"kdamonds": [{", ".join(kdamonds)}]}}'


GOAL = ["--monitoring_intervals_goal", "4%", "3", "5ms", "10s"]

TARGET = '{"pid": null, "regions": []}'


def test_document(cli: Cli) -> None:
    """A parameter document gives the parameters, the workload gives the memory."""
    cli("record", SMALL, "--kdamonds", document(TARGET), "--timeout", 2)

    (record,) = read_records("damon.data")
    assert len(record.snapshots) == 10
    assert record.intervals is not None
    assert record.intervals.sample_us == 10_000


@pytest.mark.parametrize("name", ["parameters.json", "parameters.yaml"])
def test_document_from_a_file(cli: Cli, name: str) -> None:
    """As with damo, a positional document is recognised by its name; JSON is YAML too."""
    Path(name).write_text(document(TARGET))

    cli("record", name, "--workload", SMALL, "--timeout", 2)

    assert len(read_records("damon.data")[0].snapshots) == 10


def test_yaml_needs_an_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyYAML a YAML document is one line that names the extra."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    Path("x.yaml").write_text("kdamonds: []")

    outcome = cli("record", "x.yaml", "--workload", SMALL)

    assert outcome.code == 2
    assert outcome.line.endswith("needs the 'yaml' extra: pip install 'damon_async[yaml]'")


def test_document_with_several_kdamonds(cli: Cli) -> None:
    """Each kdamond has a record per target; workloads are dealt out in order."""
    two = document(TARGET, f"{TARGET}, {TARGET}")
    specs = [word for size in (64, 128, 256) for word in ("--workload", f"uniform:size={size}M")]

    outcome = cli("record", two, *specs, "--timeout", 1)

    records = read_records("damon.data")
    assert [(each.kdamond_idx, each.target_id) for each in records] == [(0, 0), (1, 0), (1, 1)]
    sizes = [each.snapshots[0].total_bytes >> 20 for each in records]
    assert sizes == [64, 128, 256]
    assert "damon-async: 10 snapshots of 1 s in" in outcome.err


def test_one_workload_for_all_targets(cli: Cli) -> None:
    """A single workload is the memory of every target."""
    cli("record", SMALL, "--kdamonds", document(TARGET, TARGET), "--timeout", 1)

    assert len(read_records("damon.data")) == 2
    assert [each.spec for each in read_workloads("damon.data")] == [SMALL, SMALL]


def test_record_as_workload(cli: Cli) -> None:
    """A record can be monitored as if it were the truth."""
    cli("record", SMALL, "--timeout", 4, "-o", "first.data")

    outcome = cli("record", "first.data", "-o", "second.data")

    assert outcome.code == 0
    first, second = (working_sets(read_records(f"{name}.data"))[0] for name in ("first", "second"))
    assert second.at(50) == pytest.approx(first.at(50), rel=0.1)


def test_real_time(cli: Cli) -> None:
    """On the machine's clock an aggregation takes as long as it says."""
    outcome = cli(
        "record", SMALL, "--real_time", "--timeout", "0.06", "-s", "5ms", "-a", "20ms", "-n", 3
    )

    assert outcome.code == 0
    assert 1 <= len(read_records("damon.data")[0].snapshots) <= 3


def test_permissions(cli: Cli) -> None:
    """The record has the permissions that are asked for."""
    cli("record", SMALL, "--timeout", 1, "--output_permission", 644)

    assert Path("damon.data").stat().st_mode & 0o777 == 0o644


def test_log_goes_to_stderr(cli: Cli) -> None:
    """Events of the engine are shown from the level that is asked for."""
    quiet = cli("record", SMALL, "--timeout", 1)
    loud = cli("record", SMALL, "--timeout", 1, "--log_level", "info")

    assert len(quiet.err.splitlines()) == 2
    assert "kdamond began" in loud.err
    assert loud.out == ""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "nothing to monitor: name a workload, such as stairs.cfg, a trace, or "),
        (["nowhere.cfg"], "no workload 'nowhere.cfg': it is no file, and the generators are "),
        (["."], ".: is a directory; expected a file to replay"),
        (["nowhere.json"], "nowhere.json: No such file or directory"),
        (["zipf:size=1G"], "zipf:size=1G never ends: say how long to record, such as --timeout 60"),
        (["zipf:sise=1G"], "sise: no such option; "),
        ([SMALL, "--timeout", "soon"], "Invalid value for --timeout: 'soon' is not a time; "),
        ([SMALL, "--timeout", "0.05"], "recording 50 ms ends before the first aggregation of "),
        ([SMALL, "--timeout", "-1"], "Invalid value for --timeout: '-1' is not a time; "),
        ([SMALL, "-s", "5 msec"], "Invalid value for -s: '5 msec' is not a time; "),
        ([SMALL, "-s", "1s"], "sample_us: 1000000 us is longer than aggr_us, 100000 us"),
        ([SMALL, "-n", "2"], "min: 2 is too few; at least 3 regions are needed"),
        ([SMALL, "-n"], 'Command "record" parameter -n requires an argument.'),
        ([SMALL, "--sead", "1"], "Unknown option: --sead. Did you mean --seed?"),
        ([SMALL, "b", "c"], "Unused Tokens: "),
        ([SMALL, "--seed", "x"], "Invalid value for --seed: 'x' is not a number; "),
        ([SMALL, "--ops", "foo"], 'Invalid value "foo" for --ops. Choose from: "vaddr", '),
        ([SMALL, "--regions", "8K-4K"], "Invalid value for --regions: "),
        ([SMALL, "--output_type", "perf_data"], 'Invalid value "perf_data" for --output_type.'),
        ([SMALL, "--output_permission", "rw"], "Invalid value for --output_permission: 'rw' is "),
        ([SMALL, "-o", "--timeout", "1"], "Invalid value for -o: '--timeout' is not a file name"),
        (["flat:layout=flat", "--ops", "vaddr"], "no workload 'flat:layout=flat': it is no file"),
        (
            ["uniform:layout=flat", "--ops", "vaddr", "--timeout", "1"],
            "uniform:layout=flat: vaddr needs the three ranges of a process",
        ),
        ([SMALL, "--damon_addr_unit", "8"], "addr_unit: 8 needs paddr; other sets take 1"),
        (
            [SMALL, "--monitoring_intervals_autotune", *GOAL],
            "--monitoring_intervals_autotune is itself a goal; ",
        ),
        (
            [SMALL, "--kdamonds", document(TARGET), "-s", "1ms", "--ops", "vaddr"],
            "--kdamonds holds all parameters; leave out --ops, --sample",
        ),
        ([SMALL, "--kdamonds", "{"], "not a parameter document: "),
        ([SMALL, "--kdamonds", '{"kdamonds": [{}]}'], "kdamonds[0].contexts: missing"),
        ([SMALL, "--kdamonds", '{"kdamonds": []}'], "the parameter document has no targets"),
        (
            ["--workload", SMALL, "--workload", SMALL, "--kdamonds", document(TARGET)],
            "2 workloads do not fit 1 targets: name one for all, or one each",
        ),
        ([SMALL, "--timeout", "1", "-o", "missing/x.data"], "cannot write missing/x.data: "),
    ],
)
def test_bad_input_is_one_line(cli: Cli, tmp_path: Path, words: list[str], line: str) -> None:
    """Whatever cannot be is refused with one line and code 2, and leaves nothing behind."""
    outcome = cli("record", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("x.cfg", "a, 4096\n\nphase\n100\nb, 0, 4096, 1\n", "x.cfg, line 5: "),
        ("x.trace", "l 0x10 1\nl oops 1\n", "x.trace, line 2: "),
        ("x.lackey", " L 1000,4\n L zzz\n", "x.lackey, line 2: "),
        ("x.csv", "version,time,op,size,lbn\n1,0.0,28,512\n", "x.csv, line 2: "),
        ("x.bin", "\x00\x01\x02", "x.bin: "),
        ("empty.trace", "", "empty.trace: "),
        ("x.json", '{"kdamonds": 3}', "x.json: kdamonds: must be a list"),
    ],
)
def test_damaged_files_are_told(
    cli: Cli, tmp_path: Path, name: str, content: str, line: str
) -> None:
    """A file that is not what it should be is named, with the line that is wrong."""
    (tmp_path / name).write_text(content)

    outcome = cli("record", name)

    assert outcome.code == 2
    assert outcome.line.startswith(f"damon-async: {line}")
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_truncated_trace_is_told(cli: Cli, shared: Path, tmp_path: Path) -> None:
    """A compressed trace that ends early gives one line and no record."""
    whole = (shared / "traces/spec/swim.trace.gz").read_bytes()
    (tmp_path / "cut.trace.gz").write_bytes(whole[: len(whole) // 2])

    outcome = cli("record", "cut.trace.gz")

    assert outcome.code == 2
    assert outcome.line.startswith("damon-async: cut.trace.gz, line ")
    assert "truncated" in outcome.line
    assert [each.name for each in tmp_path.iterdir()] == ["cut.trace.gz"]


def test_failing_kdamond_leaves_no_record(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """If monitoring itself fails there is one line, and no file."""

    def accessed(*args: object) -> object:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(PatternSpace, "accessed", accessed)

    outcome = cli("record", SMALL, "--timeout", 1)

    assert outcome.code == 1
    assert outcome.err.splitlines()[-1].startswith("damon-async: internal error: ZeroDivisionError")
    assert "Traceback" not in outcome.err
    assert not list(tmp_path.iterdir())
